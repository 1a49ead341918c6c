/* SPDX-License-Identifier: Apache-2.0 */
/* A call's output: headers, messages, status. */
#include "common/rpc/conn.h"
#include "common/rpc/status.h"

#include <stdio.h>
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

void call_reset(struct rpc_call *call, uint32_t error_code)
{
	call->is_finished = true;
	if (!call->conn || call->is_reset)
		return;
	call->is_reset = true;
	outbox_cut(&call->outbox, call->promised);
	nghttp2_submit_rst_stream(call->conn->h2, NGHTTP2_FLAG_NONE, call->stream_id, error_code);
	transport_kick(&call->conn->transport);
}

static int submit_trailers(struct rpc_call *call)
{
	CLEANUP_H2_HEADERS struct h2_headers h;
	char code[4], text[STATUS_TEXT_MAX + 1];
	struct err e;

	h.count = h.owned_count = 0;
	add_status(&h, &call->status, code, text);
	if (h2_headers_add_metadata(&h, &call->trailers, &e) < 0)
		return -1;
	return nghttp2_submit_trailer(call->conn->h2, call->stream_id, h.nv, h.count);
}

/* How much of the outbox goes into the next DATA frame; nghttp2 asks. */
ssize_t call_read_output(nghttp2_session *session, int32_t stream_id, uint8_t *buf, size_t length,
			 uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct rpc_call *call = source->ptr;
	size_t len = call->outbox.queued < length ? call->outbox.queued : length;

	call->is_deferred = false;
	if (len == call->outbox.queued && call->is_finished) {
		*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
		if (submit_trailers(call) != 0)
			return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	} else if (len == 0) {
		call->is_deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	if (len)
		*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	call->promised = len;
	return (ssize_t)len;
}

int call_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
		   size_t length, nghttp2_data_source *source, void *user)
{
	struct rpc_call *call = source->ptr;
	struct rpc_conn *conn = user;
	int r = h2_put_data(&conn->transport, head, &call->outbox, length);

	if (r != 0)
		return r;
	call->promised = 0;
	call_account(call);
	call->last_out = uv_now(call->loop);
	conn->calm_bytes += length;
	if (outbox_fell(&call->outbox) && !call->is_finished && call->handler->writable) {
		rpc_call_ref(call);
		call->handler->writable(call);
		rpc_call_unref(call);
	}
	return conn->transport.stage == TRANSPORT_CLOSED ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int submit_headers(struct rpc_call *call)
{
	CLEANUP_H2_HEADERS struct h2_headers h;
	const nghttp2_data_provider provider = { .source.ptr = call,
						 .read_callback = call_read_output };
	struct err e;

	h.count = h.owned_count = 0;
	h2_headers_add(&h, ":status", "200");
	h2_headers_add(&h, "content-type", content_type);
	if (h2_headers_add_metadata(&h, &call->headers, &e) < 0)
		return -1;
	call->sent_headers = true;
	return nghttp2_submit_response(call->conn->h2, call->stream_id, h.nv, h.count, &provider);
}

/* Status and all in one block, for calls that said nothing before ('Trailers-Only'). */
static int submit_only_trailers(struct rpc_call *call)
{
	CLEANUP_H2_HEADERS struct h2_headers h;
	char code[4], text[STATUS_TEXT_MAX + 1];
	struct err e;

	h.count = h.owned_count = 0;
	h2_headers_add(&h, ":status", "200");
	h2_headers_add(&h, "content-type", content_type);
	add_status(&h, &call->status, code, text);
	if (h2_headers_add_metadata(&h, &call->trailers, &e) < 0)
		return -1;
	call->sent_headers = true;
	return nghttp2_submit_response(call->conn->h2, call->stream_id, h.nv, h.count, NULL);
}

void call_refuse_http(struct rpc_call *call, const char *status)
{
	const nghttp2_nv nv = { .name = (uint8_t *)(uintptr_t)":status",
				.value = (uint8_t *)(uintptr_t)status,
				.namelen = 7,
				.valuelen = strlen(status) };

	call->is_finished = call->sent_headers = true;
	err_set(&call->status, ERR_UNKNOWN, "HTTP %s", status);
	if (nghttp2_submit_response(call->conn->h2, call->stream_id, &nv, 1, NULL) != 0)
		give_up(call);
	transport_kick(&call->conn->transport);
}

/* Output waits and the client has given no window: trailers would wait behind it for ever. */
static bool is_blocked(const struct rpc_call *call)
{
	nghttp2_session *h2 = call->conn->h2;

	return call->sent_headers && !call->is_deferred &&
	       (nghttp2_session_get_stream_remote_window_size(h2, call->stream_id) <= 0 ||
		nghttp2_session_get_remote_window_size(h2) <= 0);
}

static void wake(struct rpc_call *call)
{
	if (call->is_deferred)
		(void)nghttp2_session_resume_data(call->conn->h2, call->stream_id);
	transport_kick(&call->conn->transport);
}

void rpc_call_finish(struct rpc_call *call, const struct err *e)
{
	bool is_error = e && e->code != ERR_OK;
	int r = 0;

	if (!call->conn || call->is_finished)
		return;
	call->is_finished = true;
	if (e)
		call->status = *e;
	if (is_error)
		outbox_cut(&call->outbox, call->promised);
	if (is_error && is_blocked(call)) {
		call_reset(call,
			   e->code == ERR_EXHAUSTED ? NGHTTP2_ENHANCE_YOUR_CALM : NGHTTP2_CANCEL);
		return;
	}
	if (!call->sent_headers && call->outbox.queued == 0 && call->headers.count == 0)
		r = submit_only_trailers(call);
	else if (!call->sent_headers)
		r = submit_headers(call);
	if (r != 0)
		give_up(call);
	wake(call);
}

void call_trailers_sent(struct rpc_call *call)
{
	struct rpc_conn *conn = call->conn;

	call->sent_trailers = true;
	deadline_stop(TAKE_PTR(call->deadline));
	if (call->handler && call->handler->delivered && call->status.code == ERR_OK) {
		uint64_t ping = ++conn->server->last_ping + H2_PING_CALLS;

		if (h2_ping(conn->h2, &conn->pings, ping, uv_now(call->loop)) == 0)
			call->ping = ping;
	}
	/* The client need not send the rest. */
	if (!call->has_ended)
		nghttp2_submit_rst_stream(conn->h2, NGHTTP2_FLAG_NONE, call->stream_id,
					  NGHTTP2_NO_ERROR);
}

static int check_open(struct rpc_call *call, struct err *e)
{
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
	wake(call);
	return 0;
}

int rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message, struct err *e)
{
	if (check_open(call, e) < 0)
		return err_code(e);
	if (call->outbox.queued == 0)
		call->last_out = uv_now(call->loop);
	return queued(call,
		      outbox_add(&call->outbox, message, call->conn->server->limits.queued_max, e),
		      e);
}

int rpc_call_send_bytes(struct rpc_call *call, const ProtobufCMessage *rest, uint32_t field,
			uint8_t *bytes, size_t len, struct err *e)
{
	CLEANUP(free) uint8_t *owned = bytes;
	struct outbox_bytes message = { rest, field, NULL, len };

	if (check_open(call, e) < 0)
		return err_code(e);
	if (call->outbox.queued == 0)
		call->last_out = uv_now(call->loop);
	message.bytes = TAKE_PTR(owned);
	return queued(
		call,
		outbox_add_bytes(&call->outbox, &message, call->conn->server->limits.queued_max, e),
		e);
}

size_t rpc_call_queued(const struct rpc_call *call)
{
	return call->outbox.queued;
}

void rpc_call_reply(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;

	if (rpc_call_send(call, message, &e) == 0)
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
	return rpc_metadata_add_bytes(&call->headers, key, value, len, e);
}

int rpc_call_add_trailer_bytes(struct rpc_call *call, const char *key, const void *value,
			       size_t len, struct err *e)
{
	if (add(call, call->is_finished, e) < 0)
		return err_code(e);
	return rpc_metadata_add_bytes(&call->trailers, key, value, len, e);
}
