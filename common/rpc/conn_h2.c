/* SPDX-License-Identifier: Apache-2.0 */
/* What nghttp2 tells a server's connection. */
#include "common/rpc/conn.h"

#include <string.h>

/* A handler may close the whole server from within; then the session must stop at once. */
static int result(const struct rpc_conn *c)
{
	return c->transport.stage == TRANSPORT_CLOSED ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *user)
{
	struct rpc_conn *c = user;

	/* A header block goes on through CONTINUATION: its time is not renewed. */
	if (head->type == NGHTTP2_HEADERS)
		c->block_since = uv_now(c->server->hub.loop);
	else if (head->type != NGHTTP2_CONTINUATION)
		c->block_since = 0;
	switch (head->type) {
	case NGHTTP2_DATA:
		if (head->length > 0 || head->flags & NGHTTP2_FLAG_END_STREAM)
			return 0;
		break;
	case NGHTTP2_HEADERS:
	case NGHTTP2_RST_STREAM: /* limited by nghttp2 */
	case NGHTTP2_WINDOW_UPDATE:
	case NGHTTP2_GOAWAY:
		return 0;
	default:
		break;
	}
	return conn_spend_calm(c) < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct rpc_conn *c = user;
	struct rpc_call *call;

	if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	/* Calls that were given up may still keep the pool busy: they count. */
	if (c->peer->calls >= 2 * c->server->limits.streams_max || c->is_goaway_final) {
		nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id,
					  NGHTTP2_REFUSED_STREAM);
		return 0;
	}
	call = call_new(c, frame->hd.stream_id);
	if (!call)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, call);
	c->calm_bytes += CONN_CALM_BYTES;
	return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t len, uint8_t flags, void *user)
{
	struct rpc_call *call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	if (!call)
		return 0;
	if (call_add_request_header(call, (const char *)name, name_len, (const char *)value, len) <
	    0)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct rpc_conn *c = user;
	struct rpc_call *call;

	c->block_since = 0;
	switch (frame->hd.type) {
	case NGHTTP2_SETTINGS:
		if (!(frame->hd.flags & NGHTTP2_FLAG_ACK))
			server_conn_ready(c->server, c);
		return 0;
	case NGHTTP2_PING:
		if (frame->hd.flags & NGHTTP2_FLAG_ACK)
			conn_ping_answered(c, &frame->ping);
		return result(c);
	case NGHTTP2_HEADERS:
	case NGHTTP2_DATA:
		break;
	default:
		return 0;
	}
	call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (!call)
		return 0;
	rpc_call_ref(call);
	if (frame->hd.type == NGHTTP2_HEADERS && call->request)
		call_start(call);
	if (call->conn && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		call_input_ended(call);
	rpc_call_unref(call);
	return result(c);
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
			    void *user)
{
	struct rpc_conn *c = user;

	c->block_since = 0;
	/* Streams that misbehave are reset by nghttp2; somebody who goes on is sent away. */
	return conn_spend_calm(c) < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes,
		   size_t len, void *user)
{
	struct rpc_conn *c = user;
	struct rpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);

	if (!call) {
		nghttp2_session_consume(session, stream_id, len);
		return 0;
	}
	rpc_call_ref(call);
	call_input(call, bytes, len);
	rpc_call_unref(call);
	return result(c);
}

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct rpc_call *call;

	if (frame->hd.type != NGHTTP2_HEADERS || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM))
		return 0;
	call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (call)
		call_trailers_sent(call);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error, void *user)
{
	struct rpc_conn *c = user;
	struct rpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);

	if (!call)
		return 0;
	if (call->ping && call->sent_trailers) {
		/* Finished; what is left to know is whether it arrived. */
		call_drop_input(call);
		nghttp2_session_set_stream_user_data(session, stream_id, NULL);
		call->stream_id = 0;
		return 0;
	}
	call_close(call);
	return result(c);
}

void conn_ping_answered(struct rpc_conn *c, const nghttp2_ping *frame)
{
	uint64_t opaque = h2_ping_answer(&c->pings, frame, uv_now(c->server->hub.loop));
	struct rpc_call *call;

	if (opaque <= H2_PING_CALLS)
		return;
	TAILQ_FOREACH(call, &c->calls, others)
	{
		if (call->ping != opaque || call->stream_id != 0)
			continue;
		rpc_call_ref(call);
		call->handler->delivered(call);
		call_close(call);
		rpc_call_unref(call);
		return;
	}
}

nghttp2_session_callbacks *conn_callbacks(void)
{
	nghttp2_session_callbacks *callbacks = NULL;

	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		return NULL;
	nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_session_callbacks_set_send_data_callback(callbacks, call_send_data);
	return callbacks;
}

int conn_session_new(struct rpc_conn *c, struct err *e)
{
	struct rpc_server *server = c->server;

	if (nghttp2_session_server_new2(&c->h2, server->callbacks, c, server->option) != 0)
		return err_nomem(e);
	c->pings.since = uv_now(server->hub.loop);
	return h2_greet(c->h2, &server->limits, true, e);
}
