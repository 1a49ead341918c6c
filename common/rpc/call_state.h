/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_state.h — what a server's call is made of. For this folder only.
 */
#pragma once

#include "common/base/log_about.h"
#include "common/rpc/fact.h"
#include "common/rpc/h2_stream.h"
#include "common/rpc/local.h"
#include "common/rpc/places.h"
#include "common/rpc/web.h"

#include <uv.h>

struct peer;
struct rpc_conn;
struct rpc_handler;
struct rpc_observer;

enum { CALL_PATH_MAX = 512 };

/* What the request's header block says, until it is complete. */
struct call_request {
	struct h2_block block; /* first */
	char path[CALL_PATH_MAX];
	bool is_post, is_grpc, has_timeout;
	uint64_t timeout_ms;

	/* Of what is not gRPC's, and if the server has somebody for that. */
	char method[RPC_WEB_METHOD_MAX + 1], authority[RPC_WEB_AUTHORITY_MAX + 1],
		content_type[RPC_WEB_TYPE_MAX + 1];
	char *long_path; /* instead of `path` */
	size_t long_path_len;
	const char *web_problem; /* NULL: none */
};

/* A call is open (h2.is_open) from the time its handler is found until it is finished
 * (h2.is_finished: the status is given) or closed. */
struct rpc_call {
	struct h2_stream h2; /* first */
	struct peer *peer;
	const struct rpc_observer *observer; /* NULL: nobody, or it was told the end */
	void *observer_data;
	uint64_t number;        /* rpc_call_number() */
	struct log_about about; /* of each line that is written while its handler is at work */
	struct rpc_fact facts[RPC_FACTS_MAX];
	size_t fact_count;
	uv_loop_t *loop;
	struct call_request *request;      /* freed when the block is complete */
	const struct rpc_handler *handler; /* NULL: refused before it came so far */
	const struct rpc_web *web;         /* NULL: it is gRPC's */
	struct rpc_local local;            /* answered NULL: it came over a connection */
	void *service, *user;
	size_t held, weight;  /* as accounted with the connection */
	struct place place;   /* among public ones, if it is one */
	uint64_t since;       /* uv_now() */
	uint64_t waits_since; /* there is output that the peer has not taken; 0: none was seen */
	bool sent_headers, sent_trailers, is_reset, has_proven;
	bool is_admitted; /* by the observer; a first message is with the handler */
	bool is_deferred; /* it is to be admitted once more, when its handler knows whose it is */
};

/* NULL once closed. */
static inline struct rpc_conn *call_conn(const struct rpc_call *call)
{
	return (struct rpc_conn *)call->h2.conn;
}

void call_request_free(struct call_request *request); /* NULL is fine */

struct rpc_call *call_new(struct rpc_conn *conn, int32_t stream_id); /* NULL: no memory */
/* The stream is no more: closed() is called (if there was a start), the connection's reference
 * given up. */
void call_close(struct rpc_call *call);

/* call_open.c: the request's headers, one by one, and when they are complete. */
int call_header(struct h2_stream *s, const struct h2_header *header);
void call_headers(struct h2_stream *s);

/* call_in.c: input, from where the stream hands it over. */
void call_came(struct h2_stream *s);
void call_message(struct h2_stream *s, struct inbox_message message);
void call_no_more(struct h2_stream *s);
/* Asks the observer, once; fine without one. */
int call_admit(struct rpc_call *call, const ProtobufCMessage *message, struct err *e) MUST_CHECK;
/* Tells connection and server what this call holds now: input, output, metadata. */
void call_account(struct rpc_call *call);

/* call_out.c */
int call_trailers(struct h2_stream *s);
void call_sent(struct h2_stream *s, size_t len);
/* The frame with END_STREAM went out. */
void call_trailers_sent(struct rpc_call *call);
/* Ends it for another reason than its handler's. What a handler was given goes on, so the observer is told
 * when the handler is done with it. */
void call_cut(struct rpc_call *call, const struct err *e);
void call_refuse_http(struct rpc_call *call, const char *status);
/* Tells the observer, once; fine without one. */
void call_tell_end(struct rpc_call *call, const struct err *e);
void call_free_facts(struct rpc_call *call);
/* The last reference is gone. */
void call_freed(struct h2_stream *s);
/* call_local.c: answers it, once. */
void call_local_end(struct rpc_call *call, const ProtobufCMessage *answer, const struct err *e);
/* Nothing more can be said: resets the stream. */
void call_reset(struct rpc_call *call, uint32_t error_code);
