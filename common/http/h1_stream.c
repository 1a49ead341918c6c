/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1_stream.c — answers that go on, over HTTP/1.1: the library asks for bytes, and is suspended while there
 * are none.
 */
#include "common/http/h1_request.h"
#include "common/rpc/method.h"

#include <stdlib.h>
#include <string.h>

enum {
	PIECE = 16 << 10,
	STREAM_QUEUED_MAX = RPC_LOW_WATER + (2 << 20) /* an event is queued whole */
};

/* There is something to say, or an end. */
static void wake(struct h1_request *own)
{
	if (!own->conn || !own->stream.is_suspended)
		return;
	own->stream.is_suspended = false;
	MHD_resume_connection(own->conn);
	h1_kick(own->h1);
}

static ssize_t read_bytes(void *data, uint64_t at, char *to, size_t max)
{
	struct h1_request *own = data;
	struct h1_stream *s = &own->stream;
	size_t len = s->len < max ? s->len : max;

	if (s->is_cut)
		return MHD_CONTENT_READER_END_WITH_ERROR;
	if (!len && s->is_over)
		return MHD_CONTENT_READER_END_OF_STREAM;
	if (!len) {
		s->is_suspended = true;
		MHD_suspend_connection(own->conn);
		return 0;
	}
	memcpy(to, s->bytes, len);
	s->len -= len;
	memmove(s->bytes, s->bytes + len, s->len);
	if (s->is_high && s->len < RPC_LOW_WATER) {
		s->is_high = false;
		http_stream_writable(&own->r);
	}
	return (ssize_t)len;
}

static void release(void *data)
{
	http_request_unref(data);
}

bool h1_stream_begin(struct http_request *r, const struct rpc_web_reply *reply)
{
	struct h1_request *own = (struct h1_request *)r;
	struct MHD_Response *response;
	struct h1_conn *c;

	if (!own->conn)
		return false;
	http_request_ref(r);
	response = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, PIECE, read_bytes, own,
						     release);
	if (!response)
		http_request_unref(r);
	c = h1_conn_of(own->conn);
	if (c)
		c->stream = own;
	h1_respond(own, response, reply);
	return true;
}

int h1_stream_send(struct http_request *r, uint8_t *bytes, size_t len, struct err *e)
{
	struct h1_request *own = (struct h1_request *)r;
	struct h1_stream *s = &own->stream;
	CLEANUP(free) uint8_t *given = bytes;
	uint8_t *grown;

	if (!own->conn || s->is_over)
		return err_set(e, ERR_CANCELLED, "nobody reads any more");
	if (len > STREAM_QUEUED_MAX - s->len)
		return err_set(e, ERR_EXHAUSTED, "the client does not take what is sent");
	if (s->len + len > s->room) {
		grown = realloc(s->bytes, s->len + len);
		if (!grown)
			return err_nomem(e);
		s->bytes = grown;
		s->room = s->len + len;
	}
	memcpy(s->bytes + s->len, given, len);
	s->len += len;
	s->is_high = s->is_high || s->len >= RPC_LOW_WATER;
	wake(own);
	return 0;
}

size_t h1_stream_queued(const struct http_request *r)
{
	return ((const struct h1_request *)r)->stream.len;
}

void h1_stream_end(struct http_request *r, bool is_cut)
{
	struct h1_request *own = (struct h1_request *)r;

	own->stream.is_over = true;
	own->stream.is_cut = own->stream.is_cut || is_cut;
	wake(own);
}

void h1_stream_left(struct h1_request *own)
{
	h1_stream_end(&own->r, true);
	http_stream_over(&own->r);
}
