/* SPDX-License-Identifier: Apache-2.0 */
/* A call's output: headers, messages, status. */
#include "common/rpc/call.h"
#include "common/rpc/call_state.h"
#include "common/rpc/call_web.h"
#include "common/rpc/conn.h"
#include "common/rpc/h2_headers.h"
#include "common/rpc/status.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char content_type[] = "application/grpc";

static void add_status(struct h2_headers *h, const struct err *status, char *code, char *text)
{
	snprintf(code, 4, "%u", (unsigned)status->code & 31);
	h2_headers_add(h, "grpc-status", code);
	if (status->code == ERR_OK)
		return;
	status_encode(status->text, text);
	h2_headers_add(h, "grpc-message", text);
	if (status->code == ERR_UNIMPLEMENTED)
		h2_headers_add(h, "grpc-accept-encoding", "identity");
}

/* The session can't even be told what to send: memory is out. */
static void give_up(struct rpc_call *call)
{
	call_reset(call, NGHTTP2_INTERNAL_ERROR);
}

static void finished(struct rpc_call *call)
{
	call->h2.is_finished = true;
	call->h2.is_open = false;
}

void call_reset(struct rpc_call *call, uint32_t error_code)
{
	finished(call);
	if (!call->h2.conn || call->is_reset)
		return;
	call->is_reset = true;
	outbox_cut(&call->h2.outbox, call->h2.promised);
	nghttp2_submit_rst_stream(call->h2.conn->session, NGHTTP2_FLAG_NONE, call->h2.id,
				  error_code);
	transport_kick(&call->h2.conn->transport);
}

int call_trailers(struct h2_stream *s)
{
	struct rpc_call *call = (struct rpc_call *)s;
	CLEANUP_H2_HEADERS struct h2_headers h;
	char code[4], text[STATUS_TEXT_MAX + 1];
	struct err e;

	h2_headers_init(&h);
	add_status(&h, &call->h2.status, code, text);
	if (h2_headers_add_metadata(&h, &call->h2.trailers, &e) < 0)
		return -1;
	return nghttp2_submit_trailer(call->h2.conn->session, call->h2.id, h.nv, h.count);
}

void call_sent(struct h2_stream *s, size_t len)
{
	struct rpc_call *call = (struct rpc_call *)s;

	call_account(call);
	call_conn(call)->calm_bytes += len;
}

static int submit_headers(struct rpc_call *call)
{
	CLEANUP_H2_HEADERS struct h2_headers h;
	const nghttp2_data_provider provider = { .source.ptr = &call->h2,
						 .read_callback = h2_stream_read_output };
	struct err e;

	h2_headers_init(&h);
	h2_headers_add(&h, ":status", "200");
	h2_headers_add(&h, "content-type", content_type);
	if (h2_headers_add_metadata(&h, &call->h2.headers, &e) < 0)
		return -1;
	call->sent_headers = true;
	return nghttp2_submit_response(call->h2.conn->session, call->h2.id, h.nv, h.count,
				       &provider);
}

/* Status and all in one block, for calls that said nothing before ('Trailers-Only'). */
static int submit_only_trailers(struct rpc_call *call)
{
	CLEANUP_H2_HEADERS struct h2_headers h;
	char code[4], text[STATUS_TEXT_MAX + 1];
	struct err e;

	h2_headers_init(&h);
	h2_headers_add(&h, ":status", "200");
	h2_headers_add(&h, "content-type", content_type);
	add_status(&h, &call->h2.status, code, text);
	if (h2_headers_add_metadata(&h, &call->h2.trailers, &e) < 0)
		return -1;
	call->sent_headers = true;
	return nghttp2_submit_response(call->h2.conn->session, call->h2.id, h.nv, h.count, NULL);
}

void call_refuse_http(struct rpc_call *call, const char *status)
{
	const nghttp2_nv nv = { .name = (uint8_t *)(uintptr_t)":status",
				.value = (uint8_t *)(uintptr_t)status,
				.namelen = 7,
				.valuelen = strlen(status) };

	finished(call);
	call->sent_headers = true;
	err_set(&call->h2.status, ERR_UNKNOWN, "HTTP %s", status);
	if (nghttp2_submit_response(call->h2.conn->session, call->h2.id, &nv, 1, NULL) != 0)
		give_up(call);
	transport_kick(&call->h2.conn->transport);
}

/* Output waits and the client has given no window: trailers would wait behind it for ever. */
static bool is_blocked(const struct rpc_call *call)
{
	nghttp2_session *h2 = call->h2.conn->session;

	return call->sent_headers && !call->h2.is_deferred &&
	       (nghttp2_session_get_stream_remote_window_size(h2, call->h2.id) <= 0 ||
		nghttp2_session_get_remote_window_size(h2) <= 0);
}

static void end(struct rpc_call *call, const struct err *e)
{
	bool is_error = e && e->code != ERR_OK;
	int r = 0;

	if (call->local.answered) {
		call_local_end(call, NULL, e);
		return;
	}
	if (call->web) {
		call_web_fail(call, e);
		return;
	}
	if (!call->h2.conn || call->h2.is_finished)
		return;
	finished(call);
	if (e)
		call->h2.status = *e;
	if (is_error)
		outbox_cut(&call->h2.outbox, call->h2.promised);
	if (is_error && is_blocked(call)) {
		call_reset(call,
			   e->code == ERR_EXHAUSTED ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_CANCEL);
		return;
	}
	if (!call->sent_headers && call->h2.outbox.queued == 0 && call->h2.headers.count == 0)
		r = submit_only_trailers(call);
	else if (!call->sent_headers)
		r = submit_headers(call);
	if (r != 0)
		give_up(call);
	h2_stream_wake(&call->h2);
}

void rpc_call_finish(struct rpc_call *call, const struct err *e)
{
	call_tell_end(call, e && e->code != ERR_OK ? e : NULL);
	end(call, e);
}

void call_cut(struct rpc_call *call, const struct err *e)
{
	LOG_ABOUT(&call->about);
	if (!call->is_admitted)
		call_tell_end(call, e);
	end(call, e);
}

void call_trailers_sent(struct rpc_call *call)
{
	struct rpc_conn *conn = call_conn(call);

	call->sent_trailers = true;
	deadline_stop(TAKE_PTR(call->h2.deadline));
	if (call->handler && call->handler->delivered && call->h2.status.code == ERR_OK) {
		uint64_t ping = ++conn->server->last_ping + H2_PING_CALLS;

		if (h2_ping_send(conn->h2.session, &conn->h2.pings, ping, uv_now(call->loop)) == 0)
			call->h2.ping = ping;
	}
	/* The client need not send the rest. Others than gRPC's are told later (conn.c): some of them lose the
	 * answer when they are told while they send. */
	if (!call->h2.has_ended && !call->web)
		nghttp2_submit_rst_stream(conn->h2.session, NGHTTP2_FLAG_NONE, call->h2.id,
					  NGHTTP2_NO_ERROR);
}

static int check_open(struct rpc_call *call, struct err *e)
{
	if (call->local.answered)
		return err_set(e, ERR_UNIMPLEMENTED, "a call without a connection has one answer");
	if (!rpc_call_is_open(call))
		return err_set(e, ERR_CANCELLED, "the call is over");
	return 0;
}

/* After something was queued, or was not. */
static int queued(struct rpc_call *call, int result, struct err *e)
{
	if (result < 0) {
		rpc_call_finish(call, e);
		return result;
	}
	if (!call->sent_headers && submit_headers(call) != 0) {
		give_up(call);
		return err_nomem(e);
	}
	call_account(call);
	h2_stream_wake(&call->h2);
	return 0;
}

int rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message, struct err *e)
{
	int r = check_open(call, e);

	return r < 0 ? r : queued(call, h2_stream_add(&call->h2, message, e), e);
}

int rpc_call_send_bytes(struct rpc_call *call, const ProtobufCMessage *rest, uint32_t field,
			uint8_t *bytes, size_t len, struct err *e)
{
	const struct outbox_bytes message = { rest, field, bytes, len };
	int r = check_open(call, e);

	if (r < 0) {
		free(bytes);
		return r;
	}
	return queued(call, h2_stream_add_bytes(&call->h2, &message, e), e);
}

size_t rpc_call_queued(const struct rpc_call *call)
{
	return call->h2.outbox.queued;
}

void rpc_call_reply(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;

	/* It was done, whether or not the answer finds its way. */
	call_tell_end(call, NULL);
	if (call->local.answered)
		call_local_end(call, message, NULL);
	else if (rpc_call_send(call, message, &e) == 0)
		rpc_call_finish(call, NULL);
}

static int add(struct rpc_call *call, bool too_late, struct err *e)
{
	if (too_late)
		return err_set(e, ERR_PRECONDITION, "metadata: that block was sent already");
	return check_open(call, e);
}

int rpc_call_add_header(struct rpc_call *call, const char *key, const char *text, struct err *e)
{
	return rpc_call_add_header_bytes(call, key, text, strlen(text), e);
}

int rpc_call_add_header_bytes(struct rpc_call *call, const char *key, const void *value, size_t len,
			      struct err *e)
{
	if (add(call, call->sent_headers, e) < 0)
		return err_code(e);
	return rpc_metadata_add_bytes(&call->h2.headers, key, value, len, e);
}

int rpc_call_add_trailer_bytes(struct rpc_call *call, const char *key, const void *value,
			       size_t len, struct err *e)
{
	if (add(call, call->h2.is_finished, e) < 0)
		return err_code(e);
	return rpc_metadata_add_bytes(&call->h2.trailers, key, value, len, e);
}
