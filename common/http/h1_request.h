/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1_request.h — what libmicrohttpd calls for each request. For h1.c only.
 */
#pragma once

#include "common/http/h1.h"
#include "common/http/request_state.h"
#include "common/rpc/peer.h"

#include <microhttpd.h>
#include <stdbool.h>
#include <sys/queue.h>

struct h1_request;

struct h1_conn {
	LIST_ENTRY(h1_conn) others;
	struct peer *peer;
	int fd;
	uint64_t
		since; /* uv_now(): the connection, its last request line, when its last answer was there, and was out */
	bool is_served; /* from the end of a request to the end of its answer */
	bool is_ours; /* the request is whole, and has no answer yet: who waits is not who is slow */
	bool is_cut_off;
	struct h1_request *stream; /* whose answer goes on; NULL: none */
};

struct h1 {
	uv_loop_t *loop;
	const struct http_routes *routes;
	struct MHD_Daemon *daemon;
	struct socket_file *file;
	bool is_unix, is_freed, runs_again;
	uv_poll_t poll;
	uv_timer_t due, tick;
	unsigned handles;           /* still to be closed */
	LIST_HEAD(, h1_conn) conns; /* the newest first */
	size_t conn_count;
	LIST_HEAD(, h1_request) waiting; /* for answers; suspended */
};

/* h1_stream.c: an answer that goes on. */
struct h1_stream {
	uint8_t *bytes;
	size_t len, room;
	bool is_suspended; /* the library waits for bytes */
	bool is_high;      /* RPC_LOW_WATER bytes were queued, and not fewer since */
	bool is_over, is_cut;
};

struct h1_request {
	struct http_request r; /* first */
	LIST_ENTRY(h1_request) others;
	struct h1 *h1;
	struct MHD_Connection *conn; /* NULL: it is over */
	struct peer *peer;
	char *target; /* as it came */
	unsigned step;
	uint8_t *body;
	size_t body_len, body_room;
	bool is_suspended;
	unsigned status;
	struct MHD_Response *response; /* to be queued */
	struct h1_stream stream;
};

struct h1_conn *h1_conn_of(struct MHD_Connection *conn);
/* `response` goes out, now or from within the library's call; NULL: the connection ends. */
void h1_respond(struct h1_request *own, struct MHD_Response *response,
		const struct rpc_web_reply *reply);
bool h1_stream_begin(struct http_request *r, const struct rpc_web_reply *reply);
int h1_stream_send(struct http_request *r, uint8_t *bytes, size_t len, struct err *e);
size_t h1_stream_queued(const struct http_request *r);
void h1_stream_end(struct http_request *r, bool is_cut);
/* The client has left, or the server ends: the library is not kept waiting. */
void h1_stream_left(struct h1_request *own);

/* The library is run soon. */
void h1_kick(struct h1 *h1);
/* Whoever waits for an answer gets none: all, before the daemon stops, or one that is cut off, which the library
 * looks at again only then. */
void h1_end_waiting(struct h1 *h1, const struct h1_conn *conn);

void *h1_on_target(void *data, const char *target, struct MHD_Connection *conn);
enum MHD_Result h1_on_request(void *data, struct MHD_Connection *conn, const char *url,
			      const char *method, const char *version, const char *bytes,
			      size_t *len, void **context);
void h1_on_completed(void *data, struct MHD_Connection *conn, void **context,
		     enum MHD_RequestTerminationCode why);
