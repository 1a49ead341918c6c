/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/fuzz/grpc_service.h"

#include "common/base/cleanup.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <nghttp2/nghttp2.h>

enum { PIECE = 65536, IN_MAX = 8 << 20, WORDS_MAX = 8 };

struct answer {
	struct grpc_service *service;
	int32_t id;
	bool is_over, has_headers, ends, waits;
	char status[16], text[64];
	uint8_t *out, *in;
	size_t out_len, out_at, in_len;
};

struct grpc_service {
	int fd;
	nghttp2_session *session;
	struct answer calls[GRPC_SERVICE_CALLS];
	unsigned count;
	void (*heard)(void *data, unsigned call, const uint8_t *bytes, size_t len);
	void *data;
	uint8_t *unsent; /* the socket was full */
	size_t unsent_len;
};

static nghttp2_nv header(const char *name, const char *value)
{
	return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name,
			     .namelen = strlen(name),
			     .value = (uint8_t *)(uintptr_t)value,
			     .valuelen = strlen(value) };
}

static struct answer *answer_of(nghttp2_session *session, int32_t id)
{
	return nghttp2_session_get_stream_user_data(session, id);
}

static int on_begin(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
	struct grpc_service *service = user;
	struct answer *a;

	if (frame->hd.type != NGHTTP2_HEADERS || frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return 0;
	if (service->count == GRPC_SERVICE_CALLS)
		return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
	a = &service->calls[service->count++];
	*a = (struct answer){ .service = service, .id = frame->hd.stream_id };
	return nghttp2_session_set_stream_user_data(session, a->id, a);
}

static void take_messages(struct answer *a)
{
	while (a->in_len >= 5) {
		size_t len = (size_t)a->in[1] << 24 | (size_t)a->in[2] << 16 |
			     (size_t)a->in[3] << 8 | a->in[4];

		assert(a->in[0] == 0);
		if (a->in_len - 5 < len)
			return;
		a->service->heard(a->service->data, (unsigned)(a - a->service->calls), a->in + 5,
				  len);
		a->in_len -= 5 + len;
		memmove(a->in, a->in + 5 + len, a->in_len);
	}
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
		   size_t len, void *user)
{
	struct answer *a = answer_of(session, id);

	if (!a || !len)
		return 0;
	assert(a->in_len + len <= IN_MAX);
	a->in = realloc(a->in, a->in_len + len);
	assert(a->in);
	memcpy(a->in + a->in_len, bytes, len);
	a->in_len += len;
	take_messages(a);
	return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t code, void *user)
{
	struct answer *a = answer_of(session, id);

	if (a)
		a->is_over = true;
	return 0;
}

static void submit_trailers(struct answer *a)
{
	const nghttp2_nv words[] = { header("grpc-status", a->status),
				     header("grpc-message", a->text) };

	(void)nghttp2_submit_trailer(a->service->session, a->id, words, ARRAY_LEN(words));
}

static ssize_t read_out(nghttp2_session *session, int32_t id, uint8_t *buffer, size_t room,
			uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct answer *a = source->ptr;
	size_t left = a->out_len - a->out_at, len = left < room ? left : room;

	if (left == 0 && !a->ends) {
		a->waits = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	if (len)
		memcpy(buffer, a->out + a->out_at, len);
	a->out_at += len;
	if (a->out_at == a->out_len && a->ends) {
		*flags |= NGHTTP2_DATA_FLAG_EOF | NGHTTP2_DATA_FLAG_NO_END_STREAM;
		submit_trailers(a);
	}
	return (ssize_t)len;
}

static nghttp2_session_callbacks *callbacks(void)
{
	static nghttp2_session_callbacks *made; /* for the life of the program */

	if (made)
		return made;
	assert(nghttp2_session_callbacks_new(&made) == 0);
	nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
	nghttp2_session_callbacks_set_on_stream_close_callback(made, on_stream_close);
	return made;
}

struct grpc_service *
grpc_service_new(int fd, void (*heard)(void *data, unsigned call, const uint8_t *bytes, size_t len),
		 void *data)
{
	struct grpc_service *service = calloc(1, sizeof(*service));

	assert(service);
	service->fd = fd;
	service->heard = heard;
	service->data = data;
	assert(nghttp2_session_server_new(&service->session, callbacks(), service) == 0);
	assert(nghttp2_submit_settings(service->session, NGHTTP2_FLAG_NONE, NULL, 0) == 0);
	return service;
}

static void lose(struct grpc_service *service)
{
	if (service->fd >= 0)
		close(TAKE_FD(service->fd));
	for (unsigned i = 0; i < service->count; i++)
		service->calls[i].is_over = true;
}

void grpc_service_free(struct grpc_service *service)
{
	if (!service)
		return;
	lose(service);
	nghttp2_session_del(service->session);
	for (unsigned i = 0; i < service->count; i++) {
		free(service->calls[i].out);
		free(service->calls[i].in);
	}
	free(service->unsent);
	free(service);
}

unsigned grpc_service_calls(const struct grpc_service *service)
{
	return service->count;
}

/* ---- what it says ---- */

static struct answer *open_call(struct grpc_service *service, unsigned call)
{
	struct answer *a = call < service->count ? &service->calls[call] : NULL;

	return a && !a->is_over && !a->ends ? a : NULL;
}

bool grpc_service_headers(struct grpc_service *service, unsigned call, unsigned http_status,
			  const struct grpc_service_word *words, size_t count)
{
	struct answer *a = open_call(service, call);
	nghttp2_data_provider provider = { .source = { .ptr = a }, .read_callback = read_out };
	nghttp2_nv headers[2 + WORDS_MAX];
	char status[16];

	if (!a || a->has_headers)
		return false;
	assert(count <= WORDS_MAX);
	snprintf(status, sizeof(status), "%u", http_status);
	headers[0] = header(":status", status);
	headers[1] = header("content-type", "application/grpc");
	for (size_t i = 0; i < count; i++)
		headers[2 + i] = header(words[i].key, words[i].value);
	a->has_headers = nghttp2_submit_response(service->session, a->id, headers, 2 + count,
						 &provider) == 0;
	return a->has_headers;
}

static void wake(struct answer *a)
{
	if (a->waits)
		(void)nghttp2_session_resume_data(a->service->session, a->id);
	a->waits = false;
}

void grpc_service_say(struct grpc_service *service, unsigned call, const uint8_t *bytes, size_t len,
		      bool raw)
{
	struct answer *a = open_call(service, call);
	const uint8_t prefix[5] = { 0, (uint8_t)(len >> 24), (uint8_t)(len >> 16),
				    (uint8_t)(len >> 8), (uint8_t)len };
	size_t head = raw ? 0 : sizeof(prefix);

	if (!a || !a->has_headers)
		return;
	a->out = realloc(a->out, a->out_len + head + len + 1);
	assert(a->out);
	memcpy(a->out + a->out_len, prefix, head);
	if (len)
		memcpy(a->out + a->out_len + head, bytes, len);
	a->out_len += head + len;
	wake(a);
}

void grpc_service_end(struct grpc_service *service, unsigned call, const char *status,
		      const char *text)
{
	struct answer *a = open_call(service, call);

	if (!a)
		return;
	a->ends = true;
	snprintf(a->status, sizeof(a->status), "%s", status);
	snprintf(a->text, sizeof(a->text), "%s", text);
	const nghttp2_nv only[] = { header(":status", "200"),
				    header("content-type", "application/grpc"),
				    header("grpc-status", a->status),
				    header("grpc-message", a->text) };
	if (a->has_headers)
		wake(a);
	else
		(void)nghttp2_submit_response(service->session, a->id, only, ARRAY_LEN(only), NULL);
}

void grpc_service_reset(struct grpc_service *service, unsigned call, uint32_t code)
{
	if (call < service->count && !service->calls[call].is_over)
		(void)nghttp2_submit_rst_stream(service->session, NGHTTP2_FLAG_NONE,
						service->calls[call].id, code);
}

void grpc_service_goodbye(struct grpc_service *service)
{
	(void)nghttp2_submit_goaway(service->session, NGHTTP2_FLAG_NONE,
				    nghttp2_session_get_last_proc_stream_id(service->session),
				    NGHTTP2_NO_ERROR, NULL, 0);
}

void grpc_service_hang_up(struct grpc_service *service)
{
	lose(service);
}

void grpc_service_raw(struct grpc_service *service, const uint8_t *bytes, size_t len)
{
	if (service->fd >= 0 && len && !service->unsent_len)
		(void)!send(service->fd, bytes, len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* ---- bytes ---- */

static bool send_unsent(struct grpc_service *service)
{
	ssize_t n = send(service->fd, service->unsent, service->unsent_len,
			 MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN)
		lose(service);
	if (n <= 0)
		return false;
	service->unsent_len -= (size_t)n;
	memmove(service->unsent, service->unsent + n, service->unsent_len);
	return true;
}

static bool send_some(struct grpc_service *service)
{
	const uint8_t *bytes;
	ssize_t len;

	if (service->fd < 0)
		return false;
	if (service->unsent_len)
		return send_unsent(service);
	len = nghttp2_session_mem_send(service->session, &bytes);
	if (len <= 0)
		return false;
	service->unsent = realloc(service->unsent, (size_t)len);
	assert(service->unsent);
	memcpy(service->unsent, bytes, (size_t)len);
	service->unsent_len = (size_t)len;
	return send_unsent(service);
}

static bool receive_some(struct grpc_service *service)
{
	uint8_t bytes[PIECE];
	ssize_t n = service->fd < 0 ? -1 : recv(service->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (service->fd < 0)
		return false;
	if (n == 0 || (n < 0 && errno != EAGAIN) ||
	    (n > 0 && nghttp2_session_mem_recv(service->session, bytes, (size_t)n) < 0)) {
		lose(service);
		return false;
	}
	return n > 0;
}

bool grpc_service_move(struct grpc_service *service)
{
	bool moved = false;

	while (send_some(service))
		moved = true;
	while (receive_some(service))
		moved = true;
	while (send_some(service))
		moved = true;
	return moved;
}
