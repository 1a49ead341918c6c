/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_state.h — what a server is made of. For this folder only.
 */
#pragma once

#include "common/base/log_rate.h"
#include "common/rpc/deadline.h"
#include "common/rpc/method.h"
#include "common/rpc/places.h"
#include "common/rpc/transport.h"

#include <sys/queue.h>
#include <nghttp2/nghttp2.h>

enum {
	SERVER_SERVICES_MAX = 16,
	LISTENER_ACCEPTS_MAX = 64, /* in a row, then others have a turn */
	LISTENER_REST_MS = 100,    /* when descriptors or memory are out */
	SERVER_TICK_MIN = 20,
	SERVER_TICK_MAX = 500,
	SERVER_TRIM_MOVED =
		64, /* connections that came or went, after which the heap is looked through, */
	SERVER_TRIM_MS = 5000, /* and at most so often */
};

struct rpc_call;
struct rpc_conn;
struct rpc_handler;
struct rpc_listen;
struct rpc_observer;
struct rpc_service;
struct rpc_web;

struct listener {
	TAILQ_ENTRY(listener) others;
	struct rpc_server *server;
	uv_poll_t poll;
	uv_timer_t rest; /* runs while there are no descriptors */
	int fd;
	unsigned handles; /* still to be closed */
	struct rpc_tls *tls;
	const struct rpc_prologue *prologue;
	void *prologue_data;
	struct socket_file *file; /* of a unix socket */
};

/* How far a connection has come that has proven nothing. */
enum room_stage {
	ROOM_TLS,      /* the handshake, which costs a stranger the least, */
	ROOM_READYING, /* prologue and preface, */
	ROOM_STRANGER, /* HTTP/2, and calls that anybody may make */
};

TAILQ_HEAD(room_list, rpc_conn);
/* Of a server. Zeroed, then room_init(). */
struct room {
	struct places conns;    /* classes: enum room_stage */
	struct places calls;    /* that anybody may open; one class */
	struct places holders;  /* by certificate: what its holder keeps, and waits to keep */
	struct room_list quiet; /* proven, no such call open; oldest first */
};

struct served {
	const struct rpc_service *service;
	void *data;
};

struct rpc_server {
	struct transport_hub hub; /* first */
	struct rpc_limits limits;
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	struct served services[SERVER_SERVICES_MAX];
	size_t service_count;
	TAILQ_HEAD(, listener) listeners;
	TAILQ_HEAD(, rpc_conn) conns;
	unsigned conn_count;
	unsigned moved; /* came, or went, since the heap was trimmed */
	uint64_t trimmed_at;
	struct room room;
	size_t buffered; /* what all calls hold */
	struct log_rate failures;
	const struct rpc_web *web; /* who answers what is not gRPC's; may be NULL */
	void *web_data;
	const struct rpc_observer *observer; /* may be NULL */
	void *observer_data;
	uint64_t calls; /* that were opened */
	uint64_t last_ping;
	uv_timer_t tick;
	bool is_draining, is_freed;
	struct deadline *drain_deadline;
	void (*drained)(void *data);
	void *drained_data;
};

/* NULL: not served; `*service_known` tells which of the two names is unknown. */
const struct rpc_handler *server_find(const struct rpc_server *server, const char *path,
				      void **data, bool *service_known);
/* While more is held than the server may: the connection that holds most is closed. Never from
 * within a handler's own calls: closed() would come in the middle of them. */
void server_shed(struct rpc_server *server);
int server_conn_opened(struct rpc_server *server, struct rpc_conn *c, struct err *e) MUST_CHECK;
void server_conn_closed(struct rpc_server *server, struct rpc_conn *c);

/* room.c — which of a server's connections, and of its streams that anybody may open, give way when
 * there is no room.
 *
 * A connection is on its way to HTTP/2 (TLS, then what follows it), then a stranger, until the
 * service says of a call that it proves its caller: rpc_call_prove(). While such a call is open
 * the connection keeps its place, whatever comes. Afterwards it gives way once it has been quiet
 * for limits.quiet_ms.
 *
 * By one certificate's key a quarter of the places can be kept so, quiet ones among them: what was
 * counted is counted until it ends. Connections of that key beyond give way as if they had proven
 * nothing, and the one whose call has lasted longest is kept when another ends: a participant keeps what
 * he has, and keeps nobody out. */
void room_init(struct room *room);
void room_done(struct room *room);

/* Somebody gives way if that is needed. False: there is no room. */
bool room_make(struct rpc_server *server);

int room_enter(struct rpc_conn *c, struct err *e) MUST_CHECK;
void room_advance(struct rpc_conn *c, enum room_stage stage);
void room_leave(struct rpc_conn *c);

void room_call_proven(struct rpc_call *call);
/* A call of a handler that is_public opens: an older one may have to end. */
int room_call_enter(struct rpc_call *call, struct err *e) MUST_CHECK;
/* Any call. */
void room_call_leave(struct rpc_call *call);

/* conn_h2.c */
nghttp2_session_callbacks *conn_callbacks(void); /* NULL: no memory */

/* listener.c */
int listener_open(struct rpc_server *server, const struct rpc_listen *listen, unsigned *port,
		  struct err *e) MUST_CHECK;
void listener_close(struct listener *listener);
