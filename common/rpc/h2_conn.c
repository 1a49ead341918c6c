/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/h2_conn.h"

#include "common/rpc/h2_stream.h"

#include <string.h>

enum {
	/* Answers to PING and SETTINGS that may wait for a peer which does not read. */
	ACKS_MAX = 200,
	/* All frames that wait for a peer which does not read; each open stream has a few. */
	FRAMES_MAX = 2000,
	SETTINGS_ENTRIES_MAX = 32,
	CONTINUATIONS_MAX = 4,
	/* Streams that a peer may reset: so many at once, so many per second in the long run. */
	RESETS_BURST = 500,
	RESETS_RATE = 50,
};

void h2_conn_init(struct h2_conn *c, uv_loop_t *loop, const struct rpc_limits *limits)
{
	c->limits = limits;
	c->quiet_since = uv_now(loop);
	TAILQ_INIT(&c->streams);
}

nghttp2_option *h2_conn_options(const struct rpc_limits *limits)
{
	nghttp2_option *option = NULL;

	if (nghttp2_option_new(&option) != 0)
		return NULL;
	nghttp2_option_set_no_auto_window_update(option, 1);
	nghttp2_option_set_no_closed_streams(option, !limits->judges_closed);
	nghttp2_option_set_max_outbound_ack(option, ACKS_MAX);
	nghttp2_option_set_max_settings(option, SETTINGS_ENTRIES_MAX);
	nghttp2_option_set_max_continuations(option, CONTINUATIONS_MAX);
	nghttp2_option_set_stream_reset_rate_limit(option, RESETS_BURST, RESETS_RATE);
	nghttp2_option_set_peer_max_concurrent_streams(option, limits->streams_max);
	nghttp2_option_set_max_reserved_remote_streams(option, 0);
	return option;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t len, uint8_t flags, void *user)
{
	const struct h2_header header = { (const char *)name, (const char *)value, name_len, len };
	struct h2_stream *s = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

	if (s && s->user->header(s, &header) < 0)
		return NGHTTP2_ERR_CALLBACK_FAILURE;
	return 0;
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t stream_id, const uint8_t *bytes,
		   size_t len, void *user)
{
	struct h2_stream *s = nghttp2_session_get_stream_user_data(session, stream_id);

	if (!s) {
		nghttp2_session_consume(session, stream_id, len);
		return 0;
	}
	h2_stream_ref(s);
	h2_stream_input(s, bytes, len);
	h2_stream_unref(s);
	return h2_conn_result(user);
}

nghttp2_session_callbacks *h2_conn_callbacks(void)
{
	nghttp2_session_callbacks *callbacks = NULL;

	if (nghttp2_session_callbacks_new(&callbacks) != 0)
		return NULL;
	nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
	nghttp2_session_callbacks_set_send_data_callback(callbacks, h2_stream_send_data);
	return callbacks;
}

static int greet(struct h2_conn *c, struct err *e)
{
	const struct rpc_limits *limits = c->limits;
	bool is_server = c->transport.is_server;
	const nghttp2_settings_entry entries[] = {
		{ NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
		  is_server ? limits->window : limits->window_bulk },
		{ NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)limits->header_list_max },
		{ NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, !limits->judges_closed },
		{ NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits->streams_max },
		{ NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
	};
	/* A server may not speak of push at all. */
	size_t count = sizeof(entries) / sizeof(entries[0]) - (is_server ? 1 : 0);

	if (nghttp2_submit_settings(c->session, NGHTTP2_FLAG_NONE, entries, count) != 0 ||
	    nghttp2_session_set_local_window_size(c->session, NGHTTP2_FLAG_NONE, 0,
						  (int32_t)limits->window_connection) != 0)
		return err_nomem(e);
	return 0;
}

int h2_conn_open(struct h2_conn *c, const nghttp2_session_callbacks *callbacks,
		 nghttp2_option *option, struct err *e)
{
	nghttp2_mem hooks;
	int r;

	h2_memory_begin(&c->memory, &hooks);
	r = c->transport.is_server
		    ? nghttp2_session_server_new3(&c->session, callbacks, c, option, &hooks)
		    : nghttp2_session_client_new3(&c->session, callbacks, c, option, &hooks);
	h2_memory_made(&c->memory);
	if (r != 0)
		return err_nomem(e);
	c->pings = (struct h2_pings){ .since = h2_conn_now(c), .asked = 1 };
	return greet(c, e);
}

void h2_conn_done(struct h2_conn *c)
{
	nghttp2_session_del(TAKE_PTR(c->session));
	h2_memory_done(&c->memory);
}

void h2_conn_turn(struct transport *t)
{
	struct h2_conn *c = (struct h2_conn *)t;
	struct h2_stream *s;

	while (c->has_turns && t->stage == TRANSPORT_OPEN) {
		c->has_turns = false;
		TAILQ_FOREACH(s, &c->streams, others) {
			if (s->wants_turn)
				break;
		}
		if (!s)
			return;
		/* Who gets it may change the list: look again from its start. */
		c->has_turns = true;
		s->wants_turn = false;
		h2_stream_deliver(s);
	}
}

/* A client's own requests wait in that queue too, as many as it likes. */
static int check_queue(const struct h2_conn *c, struct err *e)
{
	if (c->transport.is_server &&
	    nghttp2_session_get_outbound_queue_size(c->session) > FRAMES_MAX)
		return err_set(e, ERR_EXHAUSTED, "the peer asks much and reads little");
	return 0;
}

int h2_conn_input(struct transport *t, const uint8_t *bytes, size_t len, struct err *e)
{
	struct h2_conn *c = (struct h2_conn *)t;
	ssize_t used = nghttp2_session_mem_recv(c->session, bytes, len);

	if (used < 0)
		return err_set(e, ERR_UNAVAILABLE, "HTTP/2: %s", nghttp2_strerror((int)used));
	return check_queue(c, e);
}

int h2_conn_output(struct transport *t, struct err *e)
{
	struct h2_conn *c = (struct h2_conn *)t;
	int r = check_queue(c, e);

	if (r < 0)
		return r;
	while (t->hub->out_len < TRANSPORT_OUT) {
		const uint8_t *bytes;
		ssize_t len = nghttp2_session_mem_send(c->session, &bytes);
		uint8_t *room;

		if (len < 0)
			return err_set(e, ERR_UNAVAILABLE, "HTTP/2: %s",
				       nghttp2_strerror((int)len));
		if (len == 0)
			return 0;
		room = transport_room(t, (size_t)len);
		if (!room)
			return err_nomem(e);
		memcpy(room, bytes, (size_t)len);
		transport_put(t, (size_t)len);
	}
	return 0;
}

int h2_conn_frame(struct h2_conn *c, const nghttp2_frame *frame)
{
	struct h2_stream *s;

	if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
		return 0;
	s = nghttp2_session_get_stream_user_data(c->session, frame->hd.stream_id);
	if (!s)
		return 0;
	h2_stream_ref(s);
	if (frame->hd.type == NGHTTP2_HEADERS)
		s->user->headers(s);
	if (s->conn && frame->hd.flags & NGHTTP2_FLAG_END_STREAM)
		s->user->ended(s);
	h2_stream_unref(s);
	return h2_conn_result(c);
}

int h2_conn_result(const struct h2_conn *c)
{
	return c->transport.stage == TRANSPORT_CLOSED ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

uint64_t h2_conn_now(const struct h2_conn *c)
{
	return uv_now(c->transport.hub->loop);
}

bool h2_conn_is_over(const struct h2_conn *c)
{
	return !nghttp2_session_want_read(c->session) && !nghttp2_session_want_write(c->session);
}

bool h2_conn_is_peer_gone(const struct h2_conn *c, uint64_t now)
{
	const struct transport *t = &c->transport;
	uint64_t heard = t->last_read > c->pings.since ? t->last_read : c->pings.since;

	return (c->pings.waiting && now - heard > c->limits->ping_answer_ms) ||
	       (t->pending && now - t->last_write > c->limits->stall_ms);
}

void h2_conn_keep_alive(struct h2_conn *c, uint64_t now)
{
	uint64_t quiet_ms = c->limits->ping_ms;

	if (c->pings.waiting || now - c->transport.last_read <= quiet_ms ||
	    now - c->pings.since <= quiet_ms)
		return;
	(void)h2_ping_send(c->session, &c->pings, H2_PING_ALIVE, now);
	transport_kick(&c->transport);
}
