/* SPDX-License-Identifier: Apache-2.0 */
/* What nghttp2 tells a channel's connection. */
#include "common/rpc/channel_state.h"
#include "common/rpc/stream.h"

static void on_settings(struct link *link)
{
	struct rpc_channel *channel = link->channel;

	if (link->h2.has_settings)
		return;
	link->h2.has_settings = true;
	if (channel->link == link)
		deadline_stop(TAKE_PTR(channel->connect_deadline));
}

/* Which stream asked? At most one: the number is its own. */
static void settings_acknowledged(struct link *link)
{
	uint64_t question = h2_ping_ask_answer(&link->h2.pings, h2_conn_now(&link->h2));
	struct rpc_stream *s;
	struct h2_stream *h2;

	TAILQ_FOREACH(h2, &link->h2.streams, others) {
		if (h2->ping != question)
			continue;
		h2->ping = 0;
		s = rpc_stream_ref((struct rpc_stream *)h2);
		LOG_ABOUT(&s->about);
		if (s->events->arrived && h2->is_open)
			s->events->arrived(s);
		rpc_stream_unref(s);
		return;
	}
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct link *link = user;

	switch (frame->hd.type) {
	case NGHTTP2_SETTINGS:
		if (frame->hd.flags & NGHTTP2_FLAG_ACK)
			settings_acknowledged(link);
		else
			on_settings(link);
		return h2_conn_result(&link->h2);
	case NGHTTP2_PING:
		if (frame->hd.flags & NGHTTP2_FLAG_ACK)
			(void)h2_ping_answer(&link->h2.pings, &frame->ping, h2_conn_now(&link->h2));
		return 0;
	case NGHTTP2_GOAWAY:
		link_retire(link);
		return 0;
	default:
		return h2_conn_frame(&link->h2, frame);
	}
}

/* Before anything of HTTP/2 came it is our own side that gives up, over what came instead; by then the link
 * may be retired. */
static void note_no_http2(const struct link *link)
{
	if (!link->h2.has_settings)
		channel_note_attempt(link->channel, link);
}

static int on_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user)
{
	struct link *link = user;
	struct h2_stream *h2;
	struct rpc_stream *s;
	struct err e;

	if (frame->hd.type != NGHTTP2_HEADERS)
		return 0;
	TAILQ_FOREACH(h2, &link->h2.streams, others) {
		if (h2->id == frame->hd.stream_id)
			break;
	}
	if (!h2)
		return 0;
	s = (struct rpc_stream *)h2;
	/* The server said goodbye before this request went out: another connection will do. */
	if (error == NGHTTP2_ERR_START_STREAM_NOT_ALLOWED && !s->was_requeued) {
		link_retire(link);
		s->was_requeued = true; /* once: a server may say so every time */
		stream_requeue(s);
		return 0;
	}
	note_no_http2(link);
	err_set(&e, ERR_UNAVAILABLE, "the request could not be sent: %s", nghttp2_strerror(error));
	stream_end(s, &e);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t stream_id, uint32_t error, void *user)
{
	struct rpc_stream *s = nghttp2_session_get_stream_user_data(session, stream_id);

	const struct link *link = user;

	if (s && error != NGHTTP2_CANCEL)
		note_no_http2(link);
	if (s)
		stream_was_reset(s, error);
	return h2_conn_result(user);
}

nghttp2_session_callbacks *link_callbacks(void)
{
	nghttp2_session_callbacks *callbacks = h2_conn_callbacks();

	if (!callbacks)
		return NULL;
	nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_not_sent);
	nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
	return callbacks;
}
