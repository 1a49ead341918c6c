/* SPDX-License-Identifier: Apache-2.0 */
/* What nghttp2 tells a server's connection. */
#include "common/rpc/call.h"
#include "common/rpc/call_state.h"
#include "common/rpc/conn.h"
#include "common/rpc/peer.h"
#include "common/rpc/server_state.h"

#include <string.h>

static int on_begin_frame(nghttp2_session *session, const nghttp2_frame_hd *head, void *user)
{
	struct rpc_conn *c = user;

	/* A header block goes on through CONTINUATION: its time is not renewed. */
	if (head->type == NGHTTP2_HEADERS)
		c->block_since = h2_conn_now(&c->h2);
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

/* The client has got everything up to the trailers of a call. */
static void on_pong(struct rpc_conn *c, const nghttp2_ping *frame)
{
	uint64_t opaque = h2_ping_answer(&c->h2.pings, frame, h2_conn_now(&c->h2));
	struct rpc_call *call;
	struct h2_stream *s;

	if (opaque <= H2_PING_CALLS)
		return;
	TAILQ_FOREACH(s, &c->h2.streams, others) {
		if (s->ping != opaque || s->id != 0)
			continue;
		call = rpc_call_ref((struct rpc_call *)s);
		LOG_ABOUT(&call->about);
		call->handler->delivered(call);
		call_close(call);
		rpc_call_unref(call);
		return;
	}
}

static void on_settings(struct rpc_conn *c)
{
	c->h2.has_settings = true;
	room_advance(c, ROOM_STRANGER);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct rpc_conn *c = user;

	c->block_since = 0;
	switch (frame->hd.type) {
	case NGHTTP2_SETTINGS:
		if (!(frame->hd.flags & NGHTTP2_FLAG_ACK))
			on_settings(c);
		return 0;
	case NGHTTP2_PING:
		if (frame->hd.flags & NGHTTP2_FLAG_ACK)
			on_pong(c, &frame->ping);
		return h2_conn_result(&c->h2);
	default:
		return h2_conn_frame(&c->h2, frame);
	}
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
			    void *user)
{
	struct rpc_conn *c = user;

	c->block_since = 0;
	/* Streams that misbehave are reset by nghttp2; somebody who goes on is sent away. */
	return conn_spend_calm(c) < 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static int on_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct rpc_call *call;

	/* DATA ends no stream of gRPC's, whose trailers do. */
	if (!(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
	    (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA))
		return 0;
	call = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
	if (call)
		call_trailers_sent(call);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error, void *user)
{
	struct rpc_call *call = nghttp2_session_get_stream_user_data(session, stream_id);

	if (!call)
		return 0;
	if (call->h2.ping && call->sent_trailers) {
		/* Finished; what is left to know is whether it arrived. */
		h2_stream_drop_input(&call->h2);
		nghttp2_session_set_stream_user_data(session, stream_id, NULL);
		call->h2.id = 0;
		return 0;
	}
	call_close(call);
	return h2_conn_result(user);
}

nghttp2_session_callbacks *conn_callbacks(void)
{
	nghttp2_session_callbacks *callbacks = h2_conn_callbacks();

	if (!callbacks)
		return NULL;
	nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, on_begin_frame);
	nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
	nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	return callbacks;
}
