/* SPDX-License-Identifier: Apache-2.0 */
/*
 * relay_hub.h — connections that are carried between a plain socket and TLS to another instance, as bytes: what the front
 * (relay_front.h) and the inner listener (relay_inner.h) share. For this folder only.
 *
 * A connection holds no buffer while bytes move: what is read goes to the other side at once, and only what that side did not
 * take is kept, a piece at most in each direction; until it is taken, nothing more is read there. An end in one direction is
 * passed on as an end in that direction (FIN, close_notify). Nothing blocks, and nothing here has threads.
 */
#pragma once

#include "common/base/log_rate.h"
#include "common/relay/relay.h"
#include "common/relay/relay_header.h"
#include "common/relay/relay_tls.h"
#include "common/rpc/places.h"

#include <sys/queue.h>
#include <uv.h>

enum {
	RELAY_PIECE = 16384, /* a record of TLS at most, so that none is left in OpenSSL */
	RELAY_PIECES = 8,    /* in a row, then others have a turn */
	RELAY_ACCEPTS = 64,  /* likewise */
	RELAY_REST_MS = 100, /* when descriptors are out */
	RELAY_TICK_MS = 250,
};

enum relay_stage {
	RELAY_SILENT,     /* front: the client has said nothing */
	RELAY_WAITING,    /* front: nobody serves now */
	RELAY_CONNECTING, /* front: to the one that serves */
	RELAY_HANDSHAKE,
	RELAY_HEADER,  /* inner: it comes */
	RELAY_REFUSED, /* inner: it is told so, and what it says is forgotten */
	RELAY_MOVING,
	RELAY_CLOSED,
};

/* Which connections give way: those that have shown least. */
enum { RELAY_PLACE_YOUNG, RELAY_PLACE_MOVING };

struct relay_way {
	uint8_t *stash; /* malloc'ed while `at` < `len` */
	size_t at, len;
	uint64_t moved;  /* when something did, or it began to */
	bool has_ended;  /* nothing more comes */
	bool is_shut;    /* and that has been passed on */
	bool is_dropped; /* nobody takes it any more */
};

struct relay_end {
	uv_poll_t poll;
	int fd; /* -1: there is none */
	int events;
};

struct relay_hub;

struct relay_conn {
	TAILQ_ENTRY(relay_conn) others;
	struct relay_hub *hub;
	struct place place;
	enum relay_stage stage;
	uint64_t since; /* of the stage; of RELAY_SILENT, also of those before RELAY_MOVING */
	struct relay_end plain, outer;
	SSL *tls;                 /* on `outer` */
	bool wants_write;         /* TLS does, to go on reading or shaking hands */
	bool is_answered;         /* front: the other instance has taken it */
	struct relay_way out, in; /* plain to TLS, TLS to plain */
	struct relay_header header;
	size_t header_len; /* that has come */
	uint8_t header_bytes[RELAY_HEADER_LEN];
	unsigned handles; /* still to be closed */
};

/* What front and inner listener do in their own ways. */
struct relay_kind {
	/* Readable, in RELAY_SILENT; TLS is up; the header is there. Each may close the connection. */
	void (*spoke)(struct relay_conn *c);
	void (*secured)(struct relay_conn *c);
	void (*arrived)(struct relay_conn *c);
	/* The first byte that came from the other instance. False: it is refused. */
	bool (*answered)(struct relay_conn *c, uint8_t answer);
};

struct relay_hub {
	uv_loop_t *loop;
	const struct relay_kind *kind;
	void *data;
	TAILQ_HEAD(, relay_conn) conns;
	struct places places;
	unsigned young_max, moving_max, young, moving;
	struct relay_stats stats;
	struct log_rate failures;
	uv_timer_t tick;
	unsigned handles; /* of the loop, that are to be closed before freed() */
	bool is_closing;
	bool is_draining; /* who has nothing more to say ends */
	uint64_t drained; /* when all end */
	void (*freed)(struct relay_hub *hub);
	uint8_t piece[RELAY_PIECE];
};

/* Embedded, and zeroed but for kind, data and freed(). Up to `most` connections of `sockets` each, and no more than take three
 * quarters of RLIMIT_NOFILE: the program's other work needs some, too. */
int relay_hub_init(struct relay_hub *hub, uv_loop_t *loop, unsigned most, unsigned sockets,
		   struct err *e) MUST_CHECK;
/* Ends all; freed() comes from the loop when its handles are gone, also those that a user has counted in `handles`. */
void relay_hub_close(struct relay_hub *hub);
/* Behind a handle that was counted. */
void relay_hub_release(struct relay_hub *hub);

/* A connection with one end, `fd`, which is taken over in every case; NULL: it is closed. Somebody else may have to give way. */
struct relay_conn *relay_conn_new(struct relay_hub *hub, const struct rpc_source *source,
				  enum relay_stage stage);
int relay_conn_attach(struct relay_conn *c, struct relay_end *end, int fd,
		      struct err *e) MUST_CHECK;
void relay_conn_stage(struct relay_conn *c, enum relay_stage stage);
/* It is from there, as is known now. ERR_EXHAUSTED: it has no place, and is to end. */
int relay_conn_source(struct relay_conn *c, const struct rpc_source *source,
		      struct err *e) MUST_CHECK;
/* At once; freed from the loop. */
void relay_conn_close(struct relay_conn *c);
/* The same of what went wrong: counted, and a line, if that may be. */
void relay_conn_fail(struct relay_conn *c, const char *why);
/* What is to be said first to the other instance. Before RELAY_MOVING. */
int relay_conn_say(struct relay_conn *c, const void *bytes, size_t len, struct err *e) MUST_CHECK;
/* What can be done now is done, and the loop is asked for the rest; not from within `kind`'s functions. Fine when it is closed. */
void relay_conn_run(struct relay_conn *c);

/* relay_pump.c: what can move, does. False: the connection is over, or failed: closed. */
bool relay_pump_run(struct relay_conn *c);
/* Who is at neither end any more, though what came from there ended in order: nobody takes what the other side may say. False: it
 * is over, and closed. */
bool relay_pump_look(struct relay_conn *c);
/* What its sockets are polled for. */
void relay_pump_events(const struct relay_conn *c, int *plain, int *outer);
