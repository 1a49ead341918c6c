/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_state.h — what a server's call is made of. For this folder only.
 */
#pragma once

#include "common/rpc/call.h"
#include "common/rpc/deadline.h"
#include "common/rpc/inbox.h"
#include "common/rpc/outbox.h"

#include <sys/queue.h>
#include <nghttp2/nghttp2.h>

struct rpc_conn;
struct peer;

enum { CALL_PATH_MAX = 512, CALL_HEADERS_FACTOR = 16 };

/* What the request's header block says, until it is complete. */
struct call_request {
	char path[CALL_PATH_MAX];
	bool is_post, is_grpc, is_too_large, has_timeout;
	uint64_t timeout_ms;
	size_t list_size;   /* as HTTP/2 counts a header list */
	struct err problem; /* the first header that can't be; ERR_OK: none */
};

struct rpc_call {
	unsigned refs;
	struct rpc_conn *conn; /* NULL once closed */
	struct peer *peer;
	uv_loop_t *loop;
	TAILQ_ENTRY(rpc_call) others;
	int32_t stream_id;

	struct call_request *request;      /* freed when the block is complete */
	const struct rpc_handler *handler; /* NULL: refused before it came so far */
	void *service, *user;
	struct rpc_metadata metadata, headers, trailers;
	struct deadline *deadline;

	struct inbox inbox;
	struct inbox_message single; /* of a method that takes one */
	size_t held, weight;         /* as accounted with the connection */
	size_t owed;                 /* bytes whose window was not given back */
	uint64_t last_in, last_out;  /* uv_now() */

	struct outbox outbox;
	size_t promised; /* bytes of it that nghttp2 has made a frame for, not yet taken */
	struct err status;
	uint64_t ping; /* opaque data of the PING behind the trailers; 0: none */

	bool is_paused, wants_turn, is_handing, is_bulk;
	bool has_ended;       /* the client's side: END_STREAM came */
	bool told_half_close; /* the handler knows */
	bool sent_headers, is_deferred, is_finished, sent_trailers, is_reset, is_gone;
};

struct rpc_call *call_new(struct rpc_conn *conn, int32_t stream_id); /* NULL: no memory */
/* The stream is no more: closed() is called (if there was a start), the connection's reference
 * given up. */
void call_close(struct rpc_call *call);

/* call_open.c: the request's headers, one by one, and when they are complete. */
int call_add_request_header(struct rpc_call *call, const char *name, size_t name_len,
			    const char *value, size_t len);
void call_start(struct rpc_call *call);

/* call_in.c */
void call_input(struct rpc_call *call, const uint8_t *bytes, size_t len);
void call_input_ended(struct rpc_call *call);
/* Hands over what is there; from the loop. */
void call_deliver(struct rpc_call *call);
/* Tells connection and server what this call holds now: input, output, metadata. */
void call_account(struct rpc_call *call);
/* Forgets all input that waits, and gives the connection's window back. */
void call_drop_input(struct rpc_call *call);

/* call_out.c */
ssize_t call_read_output(nghttp2_session *session, int32_t stream_id, uint8_t *buf, size_t length,
			 uint32_t *flags, nghttp2_data_source *source, void *user);
int call_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
		   size_t length, nghttp2_data_source *source, void *user);
/* The frame with END_STREAM went out. */
void call_trailers_sent(struct rpc_call *call);
void call_refuse_http(struct rpc_call *call, const char *status);
/* Nothing more can be said: resets the stream. */
void call_reset(struct rpc_call *call, uint32_t error_code);
