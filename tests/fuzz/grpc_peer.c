/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/grpc_peer.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <nghttp2/nghttp2.h>

enum { PIECE = 65536, TURNS = 3, ROUNDS_MAX = 1000, IN_MAX = 8 << 20 };

struct stream {
	struct grpc_peer *peer;
	int32_t id;
	uint8_t *out;
	size_t out_len, out_at;
	bool ends, waits;
	uint8_t *in; /* of a message that is not whole yet */
	size_t in_len;
	struct grpc_said said;
};

struct grpc_peer {
	uv_loop_t *loop;
	int fd;
	nghttp2_session *session;
	struct stream calls[GRPC_PEER_CALLS];
	void (*heard)(void *data, unsigned call, const uint8_t *bytes, size_t len);
	void *data;
};

static struct stream *stream_of(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
		     size_t name_len, const uint8_t *value, size_t value_len, uint8_t flags,
		     void *user)
{
	struct stream *s = stream_of(session, frame->hd.stream_id);

	if (s && name_len == 11 && memcmp(name, "grpc-status", 11) == 0) {
		assert(s->said.status < 0); /* one status */
		s->said.status = atoi((const char *)value);
	}
	return 0;
}

static void take_messages(struct stream *s)
{
	while (s->in_len >= 5) {
		size_t len = (size_t)s->in[1] << 24 | (size_t)s->in[2] << 16 |
			     (size_t)s->in[3] << 8 | s->in[4];

		assert(s->in[0] == 0);
		if (s->in_len - 5 < len)
			return;
		s->said.messages++;
		s->said.bytes += len;
		if (s->peer->heard)
			s->peer->heard(s->peer->data, (unsigned)(s - s->peer->calls), s->in + 5,
				       len);
		s->in_len -= 5 + len;
		memmove(s->in, s->in + 5 + len, s->in_len);
	}
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
		   size_t len, void *user)
{
	struct stream *s = stream_of(session, id);

	if (!s || !len)
		return 0;
	assert(s->in_len + len <= IN_MAX);
	s->in = realloc(s->in, s->in_len + len);
	assert(s->in);
	memcpy(s->in + s->in_len, bytes, len);
	s->in_len += len;
	take_messages(s);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct stream *s = stream_of(session, id);

	if (s)
		s->said.is_over = true;
	return 0;
}

static ssize_t read_out(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t room,
			uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct stream *s = source->ptr;
	size_t left = s->out_len - s->out_at, len = left < room ? left : room;

	if (left == 0 && !s->ends) {
		s->waits = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	if (len)
		memcpy(buffer, s->out + s->out_at, len);
	s->out_at += len;
	if (s->out_at == s->out_len && s->ends)
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	return (ssize_t)len;
}

static nghttp2_session_callbacks *callbacks(void)
{
	static nghttp2_session_callbacks *made; /* for the life of the program */

	if (made)
		return made;
	assert(nghttp2_session_callbacks_new(&made) == 0);
	nghttp2_session_callbacks_set_on_header_callback(made, on_header);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
	return made;
}

struct grpc_peer *grpc_peer_new(uv_loop_t *loop, int fd,
				void (*heard)(void *data, unsigned call, const uint8_t *bytes,
					      size_t len),
				void *data)
{
	struct grpc_peer *peer = calloc(1, sizeof(*peer));

	assert(peer);
	peer->loop = loop;
	peer->fd = fd;
	peer->heard = heard;
	peer->data = data;
	assert(nghttp2_session_client_new(&peer->session, callbacks(), peer) == 0);
	assert(nghttp2_submit_settings(peer->session, NGHTTP2_FLAG_NONE, NULL, 0) == 0);
	return peer;
}

static void lost(struct grpc_peer *peer)
{
	if (peer->fd >= 0)
		close(TAKE_FD(peer->fd));
	for (size_t i = 0; i < GRPC_PEER_CALLS; i++)
		peer->calls[i].said.is_over |= peer->calls[i].said.is_used;
}

void grpc_peer_free(struct grpc_peer *peer)
{
	if (!peer)
		return;
	lost(peer);
	nghttp2_session_del(peer->session);
	for (size_t i = 0; i < GRPC_PEER_CALLS; i++) {
		free(peer->calls[i].out);
		free(peer->calls[i].in);
	}
	grpc_peer_settle(peer->loop);
	free(peer);
}

static nghttp2_nv header(const char *name, const char *value, size_t len)
{
	return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name,
			     .namelen = strlen(name),
			     .value = (uint8_t *)(uintptr_t)value,
			     .valuelen = len };
}

static size_t free_call(const struct grpc_peer *peer)
{
	size_t i = 0;

	while (i < GRPC_PEER_CALLS && peer->calls[i].said.is_used)
		i++;
	return i;
}

int grpc_peer_call(struct grpc_peer *peer, const char *path, const struct grpc_word *words,
		   size_t count)
{
	nghttp2_nv headers[6 + GRPC_PEER_WORDS] = {
		header(":method", "POST", 4),
		header(":scheme", "http", 4),
		header(":path", path, strlen(path)),
		header(":authority", "fuzz", 4),
		header("content-type", "application/grpc", 16),
		header("te", "trailers", 8),
	};
	size_t i = free_call(peer), n = 6;
	struct stream *s = &peer->calls[i];
	nghttp2_data_provider provider = { .source = { .ptr = s }, .read_callback = read_out };

	if (i == GRPC_PEER_CALLS || peer->fd < 0)
		return -1;
	for (; n < 6 + count && n < ARRAY_LEN(headers); n++)
		headers[n] = header(words[n - 6].key, words[n - 6].value, words[n - 6].len);
	*s = (struct stream){ .peer = peer, .said = { .is_used = true, .status = -1 } };
	s->id = nghttp2_submit_request(peer->session, NULL, headers, n, &provider, s);
	if (s->id < 0) {
		s->said.is_used = false;
		return -1;
	}
	return (int)i;
}

static void wake(struct grpc_peer *peer, struct stream *s)
{
	if (s->waits)
		(void)nghttp2_session_resume_data(peer->session, s->id);
	s->waits = false;
}

void grpc_peer_say(struct grpc_peer *peer, unsigned call, const uint8_t *bytes, size_t len,
		   bool raw)
{
	struct stream *s = &peer->calls[call];
	const uint8_t prefix[5] = { 0, (uint8_t)(len >> 24), (uint8_t)(len >> 16),
				    (uint8_t)(len >> 8), (uint8_t)len };
	size_t head = raw ? 0 : sizeof(prefix);

	if (!s->said.is_used || s->ends || s->said.is_over)
		return;
	s->out = realloc(s->out, s->out_len + head + len + 1);
	assert(s->out);
	memcpy(s->out + s->out_len, prefix, head);
	if (len)
		memcpy(s->out + s->out_len + head, bytes, len);
	s->out_len += head + len;
	wake(peer, s);
}

void grpc_peer_half_close(struct grpc_peer *peer, unsigned call)
{
	struct stream *s = &peer->calls[call];

	if (!s->said.is_used || s->said.is_over)
		return;
	s->ends = true;
	wake(peer, s);
}

void grpc_peer_cancel(struct grpc_peer *peer, unsigned call)
{
	struct stream *s = &peer->calls[call];

	if (s->said.is_used && !s->said.is_over)
		(void)nghttp2_submit_rst_stream(peer->session, NGHTTP2_FLAG_NONE, s->id,
						NGHTTP2_CANCEL);
}

const struct grpc_said *grpc_peer_said(const struct grpc_peer *peer, unsigned call)
{
	return &peer->calls[call].said;
}

void grpc_peer_settle(uv_loop_t *loop)
{
	for (int i = 0; i < TURNS; i++) {
		uv_run(loop, UV_RUN_NOWAIT);
		while (loop->active_reqs.count > 0)
			uv_run(loop, UV_RUN_ONCE);
	}
}

static bool send_some(struct grpc_peer *peer)
{
	const uint8_t *bytes;
	ssize_t len = nghttp2_session_mem_send(peer->session, &bytes);
	size_t sent = 0;

	while (len > 0 && sent < (size_t)len) {
		ssize_t n = send(peer->fd, bytes + sent, (size_t)len - sent,
				 MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n > 0)
			sent += (size_t)n;
		else if (n < 0 && errno == EAGAIN)
			grpc_peer_settle(peer->loop);
		else
			return false;
	}
	return len > 0;
}

static bool receive_some(struct grpc_peer *peer)
{
	uint8_t bytes[PIECE];
	ssize_t n = recv(peer->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n == 0 || (n < 0 && errno != EAGAIN) ||
	    (n > 0 && nghttp2_session_mem_recv(peer->session, bytes, (size_t)n) < 0)) {
		lost(peer);
		return false;
	}
	return n > 0;
}

void grpc_peer_send(struct grpc_peer *peer)
{
	while (send_some(peer))
		;
}

void grpc_peer_move(struct grpc_peer *peer)
{
	bool moved = true;

	for (int i = 0; moved && peer->fd >= 0 && i < ROUNDS_MAX; i++) {
		moved = false;
		while (send_some(peer))
			moved = true;
		grpc_peer_settle(peer->loop);
		while (peer->fd >= 0 && receive_some(peer))
			moved = true;
	}
	grpc_peer_settle(peer->loop);
}
