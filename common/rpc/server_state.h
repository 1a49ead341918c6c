/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_state.h — what a server is made of. For this folder only.
 */
#pragma once

#include "common/rpc/deadline.h"
#include "common/rpc/method.h"
#include "common/rpc/transport.h"

#include <sys/queue.h>
#include <nghttp2/nghttp2.h>

enum {
	SERVER_SERVICES_MAX = 16,
	LISTENER_ACCEPTS_MAX = 64, /* in a row, then others have a turn */
	LISTENER_REST_MS = 100,    /* when descriptors or memory are out */
	SERVER_QUIET_MS = 5000,    /* without a call: may give way when connections are out */
	SERVER_TICK_MIN = 20,
	SERVER_TICK_MAX = 500,
};

struct rpc_conn;
struct rpc_handler;
struct rpc_listen;
struct rpc_service;

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
	char *unlink_path; /* of a unix socket */
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
	unsigned unready_count; /* of these, without HTTP/2 SETTINGS so far */
	size_t buffered;        /* what all calls hold */
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
/* Room for a connection: one that has been quiet for long gives way. False: there is none. */
bool server_make_room(struct rpc_server *server);
void server_conn_opened(struct rpc_server *server, struct rpc_conn *c);
void server_conn_closed(struct rpc_server *server, struct rpc_conn *c);
/* The client's first SETTINGS are in. */
void server_conn_ready(struct rpc_server *server, struct rpc_conn *c);

/* conn_h2.c */
nghttp2_session_callbacks *conn_callbacks(void); /* NULL: no memory */

/* listener.c */
int listener_open(struct rpc_server *server, const struct rpc_listen *listen, unsigned *port,
		  struct err *e) MUST_CHECK;
void listener_close(struct listener *listener);
