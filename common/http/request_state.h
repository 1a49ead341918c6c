/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request_state.h — what a request is made of, and what it is carried by. For this folder only.
 */
#pragma once

#include "common/base/log_about.h"
#include "common/http/request.h"
#include "common/http/route.h"
#include "common/rpc/source.h"

/* HTTP/2 or HTTP/1.1. */
struct http_carrier {
	const char *(*header)(const struct http_request *r, const char *name, size_t n);
	/* Sends it; `reply->body` is taken over. */
	void (*answer)(struct http_request *r, const struct rpc_web_reply *reply);
	void (*freed)(struct http_request *r);
	/* An answer that goes on; `bytes` are taken over in every case. */
	bool (*begin)(struct http_request *r, const struct rpc_web_reply *reply);
	int (*send)(struct http_request *r, uint8_t *bytes, size_t len, struct err *e);
	size_t (*queued)(const struct http_request *r);
	void (*end)(struct http_request *r, bool is_cut);
	bool wants_head_body; /* to tell its length; it does not go out */
};

struct http_stream_user; /* http_stream.h */

struct http_request {
	const struct http_carrier *carrier;
	const struct http_routes *routes;
	const struct http_route *route; /* NULL: none was found yet */
	unsigned refs;
	enum http_method method;
	bool is_answered, is_tls;
	bool hides_end;       /* HTTP/1.0: an answer that goes on is over when its connection is */
	unsigned retry_after; /* s; 0: nothing is said of it */
	struct rpc_identity identity;
	struct rpc_source source;
	struct log_about about;
	const struct http_stream_user *stream; /* NULL: none, or nobody reads any more */
	void *stream_data;
	void (*seen)(void *data,
		     const struct http_answer *answer); /* http_request_watch(); NULL: nobody */
	void *seen_data;
	const char *peer;
	char host[RPC_WEB_AUTHORITY_MAX + 1];
	uint8_t *body;
	size_t body_len;
	struct http_target target;
};

/* Zeroed before; one reference, the carrier's. */
void http_request_init(struct http_request *r, const struct http_carrier *carrier,
		       const struct http_routes *routes);
/* The headers are in: answers, or says how many bytes of body it takes, then true. */
bool http_request_begin(struct http_request *r, const struct rpc_web_request *q, size_t *body_max);
/* Its watcher, if it still has one. */
void http_request_tell(struct http_request *r, const struct http_answer *answer);
/* The whole body, malloc'ed, taken over. */
void http_request_run(struct http_request *r, uint8_t *body, size_t len);
/* Of an answer that goes on: what was queued is nearly out; nobody reads any more. */
void http_stream_writable(struct http_request *r);
void http_stream_over(struct http_request *r);
/* What the carrier ends: as rpc_web.fail(). */
void http_request_end(struct http_request *r, const struct err *why);
