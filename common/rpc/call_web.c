/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/call_web.h"

#include "common/rpc/call.h"
#include "common/rpc/conn.h"
#include "common/rpc/h2_headers.h"
#include "common/rpc/trace.h"
#include "common/rpc/web.h"

#include <stdlib.h>
#include <string.h>

static void on_closed(struct rpc_call *call)
{
	LOG_ABOUT(&call->about);
	call->web->closed(call);
}

static const struct rpc_handler handler = {
	.method = { .path = "/", .kind = RPC_UNARY },
	.is_public = true,
	.closed = on_closed,
};

static void on_account(struct h2_stream *s)
{
	call_account((struct rpc_call *)s);
}

static void on_body(struct h2_stream *s, struct inbox_message message)
{
	struct rpc_call *call = (struct rpc_call *)s;

	LOG_ABOUT(&call->about);
	call->web->body(call, message.bytes, message.len);
}

static void on_fail(struct h2_stream *s, const struct err *e)
{
	call_web_fail((struct rpc_call *)s, e);
}

static void nothing(struct h2_stream *s)
{
}

static void on_writable(struct h2_stream *s)
{
	struct rpc_call *call = (struct rpc_call *)s;

	LOG_ABOUT(&call->about);
	if (call->web->writable)
		call->web->writable(call);
}

static const struct h2_stream_user web_user = {
	.header = call_header,
	.headers = call_headers,
	.ended = h2_stream_ended,
	.account = on_account,
	.came = call_came,
	.message = on_body,
	.no_more = nothing,
	.fail = on_fail,
	.sent = call_sent,
	.writable = on_writable,
	.freed = call_freed,
	.input_name = "request",
	.takes = "takes",
};

static struct rpc_web_request request_of(const struct call_request *q)
{
	struct rpc_web_request request = {
		.method = q->method,
		.target = q->long_path ? q->long_path : q->path,
		.authority = q->authority,
		.content_type = q->content_type,
	};

	if (q->block.is_too_large)
		request.fault = RPC_WEB_TOO_LARGE;
	else if (q->long_path_len && !q->long_path)
		request.fault = RPC_WEB_LONG_TARGET;
	else if (q->web_problem || q->block.problem.code != ERR_OK)
		request.fault = RPC_WEB_BAD_HEADER;
	request.why = q->web_problem ? q->web_problem : q->block.problem.text;
	return request;
}

void call_web_open(struct rpc_call *call, struct call_request *q)
{
	struct rpc_server *server = call_conn(call)->server;
	const struct rpc_web_request request = request_of(q);
	struct h2_stream *s = &call->h2;
	struct err e;

	trace_begin_call(call);
	LOG_ABOUT(&call->about);
	s->user = &web_user;
	s->method = &handler.method;
	s->is_open = s->takes_one = s->inbox.is_raw = true;
	s->inbox.message_max = 0;
	call->handler = &handler;
	call->web = server->web;
	call->service = server->web_data;
	if (peer_is_known(call->peer))
		room_call_proven(call);
	h2_stream_ref(s);
	call->web->start(server->web_data, call, &request);
	if (s->is_open && !peer_is_known(call->peer) && room_call_enter(call, &e) < 0)
		call_web_fail(call, &e);
	h2_stream_unref(s);
}

void call_web_fail(struct rpc_call *call, const struct err *why)
{
	if (!call->h2.conn || call->h2.is_finished)
		return;
	call->web->fail(call, why);
	if (call->h2.conn && !call->h2.is_finished)
		call_reset(call, NGHTTP2_INTERNAL_ERROR);
}

void rpc_server_set_web(struct rpc_server *server, const struct rpc_web *web, void *data)
{
	server->web = web;
	server->web_data = data;
}

void rpc_web_take(struct rpc_call *call, size_t most)
{
	call->h2.inbox.message_max = most;
}

static int submit(struct rpc_call *call, const struct rpc_web_reply *reply, bool has_body)
{
	const nghttp2_data_provider provider = { .source.ptr = &call->h2,
						 .read_callback = h2_stream_read_output };
	CLEANUP_H2_HEADERS struct h2_headers h;

	h2_headers_init(&h);
	h2_headers_add(&h, ":status", reply->status);
	for (size_t i = 0; i < reply->count && i < RPC_WEB_FIELDS_MAX; i++)
		h2_headers_add(&h, reply->fields[i].name, reply->fields[i].value);
	return nghttp2_submit_response(call->h2.conn->session, call->h2.id, h.nv, h.count,
				       has_body ? &provider : NULL);
}

void rpc_web_answer(struct rpc_call *call, const struct rpc_web_reply *reply)
{
	struct h2_stream *s = &call->h2;
	struct err e;
	int failed;

	if (!s->conn || s->is_finished) {
		free(reply->body);
		return;
	}
	s->is_finished = true;
	s->is_open = false;
	call->sent_headers = true;
	s->last_out = h2_conn_now(s->conn);
	failed = h2_stream_add_raw(s, reply->body, reply->len, &e);
	if (failed || submit(call, reply, s->outbox.queued > 0) != 0) {
		call_reset(call, NGHTTP2_INTERNAL_ERROR);
		return;
	}
	call_account(call);
	h2_stream_wake(s);
}

bool rpc_web_begin(struct rpc_call *call, const struct rpc_web_reply *reply)
{
	struct h2_stream *s = &call->h2;

	if (!s->conn || s->is_finished)
		return false;
	s->is_open = false;
	call->sent_headers = true;
	s->last_out = h2_conn_now(s->conn);
	if (submit(call, reply, true) != 0)
		call_reset(call, NGHTTP2_INTERNAL_ERROR);
	else
		h2_stream_wake(s);
	return true;
}

int rpc_web_send(struct rpc_call *call, uint8_t *bytes, size_t len, struct err *e)
{
	struct h2_stream *s = &call->h2;

	if (!s->conn || s->is_finished) {
		free(bytes);
		return err_set(e, ERR_CANCELLED, "the call is over");
	}
	if (h2_stream_add_raw(s, bytes, len, e) < 0)
		return err_code(e);
	call_account(call);
	h2_stream_wake(s);
	return 0;
}

void rpc_web_end(struct rpc_call *call)
{
	struct h2_stream *s = &call->h2;

	if (!s->conn || s->is_finished)
		return;
	s->is_finished = true;
	h2_stream_wake(s);
}

void rpc_web_cut(struct rpc_call *call)
{
	if (call->h2.conn && !call->h2.is_finished)
		call_reset(call, NGHTTP2_CANCEL);
}
