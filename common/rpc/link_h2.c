/* SPDX-License-Identifier: Apache-2.0 */
/* What nghttp2 tells a channel's connection. */
#include "common/rpc/channel_state.h"

static int result(const struct link *link)
{
	return link->transport.stage == TRANSPORT_CLOSED ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

static struct rpc_stream *stream_of(nghttp2_session *session, int32_t stream_id)
{
	return nghttp2_session_get_stream_user_data(session, stream_id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t len, uint8_t flags, void *user)
{
	struct rpc_stream *s = stream_of(session, frame->hd.stream_id);

	if (s && stream_add_header(s, (const char *)name, name_len, (const char *)value, len) < 0)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static void on_settings(struct link *link)
{
	struct rpc_channel *channel = link->channel;

	if (link->has_settings)
		return;
	link->has_settings = true;
	if (channel->link == link)
		deadline_stop(TAKE_PTR(channel->connect_deadline));
}

/* Which stream asked? At most one: the number is its own. */
static void settings_acknowledged(struct link *link)
{
	uint64_t question = h2_ask_answer(&link->pings, uv_now(link->channel->hub.loop));
	struct rpc_stream *s;

	TAILQ_FOREACH(s, &link->streams, others)
	{
		if (s->ping != question)
			continue;
		s->ping = 0;
		rpc_stream_ref(s);
		if (s->events->arrived && !s->has_ended)
			s->events->arrived(s);
		rpc_stream_unref(s);
		return;
	}
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct link *link = user;
	struct rpc_stream *s;

	switch (frame->hd.type) {
	case NGHTTP2_SETTINGS:
		if (frame->hd.flags & NGHTTP2_FLAG_ACK)
			settings_acknowledged(link);
		else
			on_settings(link);
		return result(link);
	case NGHTTP2_PING:
		if (frame->hd.flags & NGHTTP2_FLAG_ACK)
			(void)h2_ping_answer(&link->pings, &frame->ping,
					     uv_now(link->channel->hub.loop));
		return 0;
	case NGHTTP2_GOAWAY:
		link_retire(link);
		return 0;
	case NGHTTP2_HEADERS:
	case NGHTTP2_DATA:
		break;
	default:
		return 0;
	}
	s = stream_of(session, frame->hd.stream_id);
	if (!s)
		return 0;
	rpc_stream_ref(s);
	if (frame->hd.type == NGHTTP2_HEADERS)
		stream_block_complete(s);
	if (s->link && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		stream_remote_ended(s, false, NGHTTP2_NO_ERROR);
	rpc_stream_unref(s);
	return result(link);
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes,
		   size_t len, void *user)
{
	struct link *link = user;
	struct rpc_stream *s = stream_of(session, stream_id);

	if (!s) {
		nghttp2_session_consume(session, stream_id, len);
		return 0;
	}
	rpc_stream_ref(s);
	stream_input(s, bytes, len);
	rpc_stream_unref(s);
	return result(link);
}

static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user)
{
	struct link *link = user;
	struct rpc_stream *s;
	struct err e;

	if (frame->hd.type != NGHTTP2_HEADERS)
		return 0;
	TAILQ_FOREACH(s, &link->streams, others)
	{
		if (s->stream_id == frame->hd.stream_id)
			break;
	}
	if (!s)
		return 0;
	/* The server said goodbye before this request went out: another connection will do. */
	if (error == NGHTTP2_ERR_START_STREAM_NOT_ALLOWED && !s->was_requeued) {
		link_retire(link);
		s->was_requeued = true; /* once: a server may say so every time */
		stream_requeue(s);
		return 0;
	}
	err_set(&e, ERR_UNAVAILABLE, "the request could not be sent: %s", nghttp2_strerror(error));
	stream_end(s, &e);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error, void *user)
{
	struct link *link = user;
	struct rpc_stream *s = stream_of(session, stream_id);

	if (s)
		stream_remote_ended(s, true, error);
	return result(link);
}

nghttp2_session_callbacks *link_callbacks(void)
{
	nghttp2_session_callbacks *callbacks = NULL;

	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		return NULL;
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_not_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	nghttp2_session_callbacks_set_send_data_callback(callbacks, stream_send_data);
	return callbacks;
}

int link_session_new(struct link *link, struct err *e)
{
	struct rpc_channel *channel = link->channel;

	if (nghttp2_session_client_new2(&link->h2, channel->callbacks, link, channel->option) != 0)
		return err_nomem(e);
	link->pings = (struct h2_pings){ .since = uv_now(channel->hub.loop), .asked = 1 };
	return h2_greet(link->h2, &channel->limits, false, e);
}
