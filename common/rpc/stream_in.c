/* SPDX-License-Identifier: Apache-2.0 */
/* What the server sends on a stream: headers, messages, status. */
#include "common/rpc/channel_state.h"
#include "common/rpc/message.h"
#include "common/rpc/status.h"
#include "common/rpc/stream.h"

#include <string.h>

static void set_http_status(struct h2_block *block, const char *value, size_t len)
{
	struct stream_block *b = (struct stream_block *)block;

	/* nghttp2 has seen to it that it is three digits. */
	b->http_status = 0;
	for (size_t i = 0; i < len && i < 3; i++)
		b->http_status = 10 * b->http_status + (unsigned)(value[i] - '0');
}

static void set_content_type(struct h2_block *block, const char *value, size_t len)
{
	struct stream_block *b = (struct stream_block *)block;

	b->is_grpc = len >= 16 && strncasecmp(value, "application/grpc", 16) == 0;
}

static void set_grpc_status(struct h2_block *block, const char *value, size_t len)
{
	struct stream_block *b = (struct stream_block *)block;

	b->has_grpc_status = true;
	b->status.code = status_code(value, len);
}

static void set_grpc_message(struct h2_block *block, const char *value, size_t len)
{
	struct stream_block *b = (struct stream_block *)block;

	status_decode(value, len, b->status.text);
}

static void set_encoding(struct h2_block *block, const char *value, size_t len)
{
	if (len != 8 || memcmp(value, "identity", 8) != 0)
		err_set(&block->problem, ERR_INTERNAL,
			"the server compresses, which was not offered");
}

static const struct h2_block_field own_fields[] = {
	H2_BLOCK_FIELD(":status", set_http_status),
	H2_BLOCK_FIELD("content-type", set_content_type),
	H2_BLOCK_FIELD("grpc-status", set_grpc_status),
	H2_BLOCK_FIELD("grpc-message", set_grpc_message),
	H2_BLOCK_FIELD("grpc-encoding", set_encoding),
};
static const struct h2_block_fields fields = { own_fields, ARRAY_LEN(own_fields) };

int stream_header(struct h2_stream *h2, const struct h2_header *header)
{
	struct rpc_stream *s = (struct rpc_stream *)h2;

	return h2_block_add(&s->block.block, &fields, h2->limits->header_list_max, header);
}

/* The status that trailers gave; without one, what else is known. */
static void take_status(struct rpc_stream *s)
{
	const struct stream_block *b = &s->block;

	if (b->has_grpc_status) {
		s->h2.status = b->status;
		if (s->h2.status.code == ERR_OK)
			s->h2.status.text[0] = 0;
		else if (!s->h2.status.text[0])
			err_set(&s->h2.status, b->status.code, "%s (the server gave no text)",
				err_code_name(b->status.code));
	}
}

/* What is wrong with the block, if anything is. */
static int check_block(const struct rpc_stream *s, struct err *e)
{
	const struct stream_block *b = &s->block;

	if (b->block.is_too_large)
		return err_set(e, ERR_EXHAUSTED, "the server's headers are more than %zu bytes",
			       s->h2.limits->header_list_max);
	if (b->block.problem.code != ERR_OK) {
		*e = b->block.problem;
		return err_code(e);
	}
	if (s->has_headers || b->http_status / 100 == 1)
		return 0;
	if (b->http_status != 200) {
		enum err_code code =
			b->has_grpc_status ? b->status.code : status_from_http(b->http_status);

		if (code == ERR_OK) /* it says so itself */
			return 0;
		return err_set(e, code, "HTTP status %u instead of gRPC", b->http_status);
	}
	if (!b->is_grpc)
		return err_set(e, ERR_UNKNOWN, "the answer is not gRPC (content-type)");
	return 0;
}

/* First headers, or trailers; all that came is kept. */
static void take_block(struct rpc_stream *s)
{
	struct stream_block *b = &s->block;
	bool is_initial = !s->has_headers && !b->has_grpc_status;
	struct rpc_metadata *to = is_initial ? &s->h2.headers : &s->h2.trailers;

	take_status(s);
	s->has_headers = true;
	s->has_status |= b->has_grpc_status;
	rpc_metadata_done(to);
	*to = b->block.metadata;
	b->block.metadata = (struct rpc_metadata){ 0 };
	LOG_ABOUT(&s->about);
	if (is_initial && s->events->headers && s->h2.is_open)
		s->events->headers(s);
}

void stream_headers(struct h2_stream *h2)
{
	struct rpc_stream *s = (struct rpc_stream *)h2;
	struct err e;

	if (check_block(s, &e) < 0)
		stream_fail(s, &e);
	else if (s->block.http_status / 100 != 1)
		take_block(s);
	h2_block_done(&s->block.block);
	s->block = (struct stream_block){ 0 };
}

void stream_message(struct h2_stream *h2, struct inbox_message message)
{
	struct rpc_stream *s = (struct rpc_stream *)h2;
	ProtobufCMessage *decoded = NULL;
	struct err e;

	LOG_ABOUT(&s->about);
	if (s->events->bytes) {
		s->events->bytes(s, message.bytes, message.len);
		return;
	}
	if (h2_stream_decode(h2->method->response, message, &decoded, &e) < 0) {
		err_wrap(&e, "the server's answer");
		stream_fail(s, &e);
		return;
	}
	if (s->events->message)
		s->events->message(s, decoded);
	rpc_message_free(decoded);
}

void stream_ended(struct h2_stream *h2)
{
	struct rpc_stream *s = (struct rpc_stream *)h2;

	if (h2->has_ended)
		return;
	if (!s->has_status)
		err_set(&h2->status, ERR_UNKNOWN, "the server ended the call without a status");
	h2_stream_ended(h2);
}

void stream_was_reset(struct rpc_stream *s, uint32_t error_code)
{
	if (s->h2.has_ended)
		return;
	if (!s->has_status)
		err_set(&s->h2.status, status_from_h2(error_code), "the server reset the call (%s)",
			nghttp2_http2_strerror(error_code));
	h2_stream_ended(&s->h2);
}
