/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport.h — one connected socket, with or without TLS, and a prologue if there is one; above it
 * a user (a server's or a client's HTTP/2 session). For this folder only.
 *
 * Bytes move when uv_poll says so, or when the user asked for transport_kick(); never from within
 * the user's own functions. After transport_close() nothing is called any more but freed(), later,
 * from the loop.
 */
#pragma once

#include "common/rpc/contact.h"
#include "common/rpc/method.h"
#include "common/rpc/tls.h"

#include <stdbool.h>
#include <sys/queue.h>
#include <uv.h>

enum transport_stage {
	TRANSPORT_CONNECTING, /* TCP of a client; a server waits for the first byte */
	TRANSPORT_TLS,
	TRANSPORT_PROLOGUE,
	TRANSPORT_OPEN,
	TRANSPORT_CLOSED,
};

enum {
	TRANSPORT_IN = 256 << 10,      /* read at once */
	TRANSPORT_OUT = 64 << 10,      /* produced before it is written; so much may wait then */
	TRANSPORT_SEND_MAX = 32 << 20, /* of a prologue, waiting */
	TRANSPORT_READS_MAX = 4,       /* in a row, then others have a turn */
	TRANSPORT_WRITES_MAX = 16,     /* likewise */
};

struct rpc_prologue;
struct rpc_prologue_run;
struct transport;

/* What all transports of a server, or of a channel, share: their loop, buffers, wake-ups. */
struct transport_hub {
	uv_loop_t *loop;
	uv_idle_t idle; /* runs while somebody is kicked */
	TAILQ_HEAD(, transport) kicked;
	uint8_t *in, *out;
	size_t out_len, out_room;
	unsigned refs;                            /* transports, and the owner */
	void (*freed)(struct transport_hub *hub); /* all is over; frees it */
};

int transport_hub_init(struct transport_hub *hub, uv_loop_t *loop, struct err *e) MUST_CHECK;
/* The owner's reference; freed() comes when the transports and handles are gone too. */
void transport_hub_release(struct transport_hub *hub);

struct transport_user {
	/* TLS is up, what it carries is not yet; may be NULL. Closes nothing. */
	void (*secured)(struct transport *t);
	/* Stage OPEN is reached. */
	int (*open)(struct transport *t, struct err *e);
	/* Something happened or was asked for; input and output follow. */
	void (*turn)(struct transport *t);
	/* Bytes came. */
	int (*input)(struct transport *t, const uint8_t *bytes, size_t len, struct err *e);
	/* Append to the hub by transport_put() until about TRANSPORT_OUT; nothing more: return. */
	int (*output)(struct transport *t, struct err *e);
	/* All output is with the socket: the user may close, if the session is over. */
	void (*settled)(struct transport *t);
	/* The connection failed by itself: the user must call transport_close(). */
	void (*failed)(struct transport *t, const struct err *e);
	/* The last call. */
	void (*freed)(struct transport *t);
};

struct transport {
	struct transport_hub *hub;
	const struct transport_user *user;
	enum transport_stage stage;
	bool is_server;
	uv_poll_t poll;
	int fd;
	int events; /* polled for */
	SSL *tls;
	bool tls_wants_write, is_kicked, is_moving;
	enum rpc_contact contact; /* without TLS; see transport_contact() */
	TAILQ_ENTRY(transport) kicked;
	uint8_t *pending; /* output that the socket did not take */
	size_t pending_len, pending_at;
	/* uv_now(); of a server's first stage, whichever it is, the time of the accept */
	uint64_t stage_since, last_read, last_write;
	const struct rpc_prologue *prologue;
	void *prologue_data;
	struct rpc_prologue_run *run;
};

struct transport_config {
	int fd; /* taken over, in every case */
	bool is_server;
	bool is_connecting;
	struct rpc_tls *tls; /* NULL: none */
	const char *host;    /* client: the name in the certificate */
	const struct rpc_prologue *prologue;
	void *prologue_data;
};

/* `t` is embedded in the user's struct, and zeroed. On failure nothing is left to close. */
int transport_start(struct transport *t, struct transport_hub *hub,
		    const struct transport_user *user, const struct transport_config *config,
		    struct err *e) MUST_CHECK;

/* What the server's first bytes were of. */
enum rpc_contact transport_contact(const struct transport *t);

/* The user has output: it will be asked for. Cheap. */
void transport_kick(struct transport *t);
/* The user's turn() has work to do; also when this one is just over. */
void transport_kick_later(struct transport *t);

/* In output(): appends to what is being produced. Room in the hub is made as needed. */
uint8_t *transport_room(struct transport *t,
			size_t len); /* NULL: no memory; then transport_put() */
void transport_put(struct transport *t, size_t len);

/* What the socket takes of the output, now: before a close. From within the user's own functions it
 * does nothing. */
void transport_flush(struct transport *t);

/* At once and for good; freed() comes from the loop. Twice is fine. */
void transport_close(struct transport *t);
