/* SPDX-License-Identifier: Apache-2.0 */
/* What the server sends on a stream: headers, messages, status. */
#include "common/rpc/channel_state.h"
#include "common/rpc/message.h"
#include "common/rpc/metadata_wire.h"
#include "common/rpc/status.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_OVERHEAD = 32, HEADERS_FACTOR = 16 };

static bool is_name(const char *name, size_t len, const char *wanted)
{
	return strlen(wanted) == len && memcmp(name, wanted, len) == 0;
}

static void set_http_status(struct stream_block *b, const char *value, size_t len)
{
	/* nghttp2 has seen to it that it is three digits. */
	b->http_status = 0;
	for (size_t i = 0; i < len && i < 3; i++)
		b->http_status = 10 * b->http_status + (unsigned)(value[i] - '0');
}

static void set_content_type(struct stream_block *b, const char *value, size_t len)
{
	b->is_grpc = len >= 16 && strncasecmp(value, "application/grpc", 16) == 0;
}

static void set_grpc_status(struct stream_block *b, const char *value, size_t len)
{
	b->has_grpc_status = true;
	b->status.code = status_code(value, len);
}

static void set_grpc_message(struct stream_block *b, const char *value, size_t len)
{
	status_decode(value, len, b->status.text);
}

static void set_encoding(struct stream_block *b, const char *value, size_t len)
{
	if (!is_name(value, len, "identity"))
		err_set(&b->problem, ERR_INTERNAL, "the server compresses, which was not offered");
}

static const struct {
	const char *name;
	void (*set)(struct stream_block *b, const char *value, size_t len);
} own_headers[] = {
	{ ":status", set_http_status },     { "content-type", set_content_type },
	{ "grpc-status", set_grpc_status }, { "grpc-message", set_grpc_message },
	{ "grpc-encoding", set_encoding },
};

int stream_add_header(struct rpc_stream *s, const char *name, size_t name_len, const char *value,
		      size_t len)
{
	size_t most = s->channel->limits.header_list_max;
	struct stream_block *b = &s->block;
	struct err e;

	b->list_size += name_len + len + HEADER_OVERHEAD;
	if (b->list_size > most) {
		err_set(&b->problem, ERR_EXHAUSTED, "the server's headers are more than %zu bytes",
			most);
		return b->list_size / HEADERS_FACTOR > most ? -1 : 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(own_headers); i++) {
		if (is_name(name, name_len, own_headers[i].name)) {
			own_headers[i].set(b, value, len);
			return 0;
		}
	}
	if (rpc_metadata_receive(&b->metadata, name, name_len, value, len, &e) < 0 &&
	    b->problem.code == ERR_OK)
		b->problem = e;
	return 0;
}

/* The status that trailers gave; without one, what else is known. */
static void take_status(struct rpc_stream *s)
{
	const struct stream_block *b = &s->block;

	if (b->has_grpc_status) {
		s->status = b->status;
		if (s->status.code == ERR_OK)
			s->status.text[0] = 0;
		else if (!s->status.text[0])
			err_set(&s->status, b->status.code, "%s (the server gave no text)",
				err_code_name(b->status.code));
	}
}

void stream_block_complete(struct rpc_stream *s)
{
	struct stream_block *b = &s->block;
	bool is_first = !s->has_headers, is_interim = b->http_status / 100 == 1;
	struct err e = b->problem;

	if (e.code == ERR_OK && is_first && !is_interim && b->http_status != 200)
		err_set(&e, b->has_grpc_status ? b->status.code : status_from_http(b->http_status),
			"HTTP status %u instead of gRPC", b->http_status);
	else if (e.code == ERR_OK && is_first && !is_interim && !b->is_grpc)
		err_set(&e, ERR_UNKNOWN, "the answer is not gRPC (content-type)");
	if (e.code != ERR_OK) {
		stream_fail(s, &e);
	} else if (!is_interim) {
		take_status(s);
		s->has_headers = true;
		rpc_metadata_done(is_first && !b->has_grpc_status ? &s->headers : &s->trailers);
		if (is_first && !b->has_grpc_status)
			s->headers = b->metadata;
		else
			s->trailers = b->metadata;
		s->has_status |= b->has_grpc_status;
		b->metadata = (struct rpc_metadata){ 0 };
		if (is_first && !b->has_grpc_status && s->events->headers && !s->has_ended)
			s->events->headers(s);
	}
	rpc_metadata_done(&b->metadata);
	*b = (struct stream_block){ 0 };
}

static bool gets_one(const struct rpc_stream *s)
{
	return s->method->kind == RPC_UNARY || s->method->kind == RPC_CLIENT_STREAM;
}

static void hand_over(struct rpc_stream *s, struct inbox_message message)
{
	CLEANUP(free) uint8_t *bytes = message.bytes;
	ProtobufCMessage *decoded = NULL;
	struct err e;

	if (s->events->bytes) {
		s->events->bytes(s, TAKE_PTR(bytes), message.len);
		return;
	}
	if (rpc_message_decode(s->method->response, bytes, message.len, &decoded, &e) < 0) {
		err_wrap(&e, "the server's answer");
		stream_fail(s, &e);
		return;
	}
	free(TAKE_PTR(bytes));
	if (s->events->message)
		s->events->message(s, decoded);
	rpc_message_free(decoded);
}

static void keep_single(struct rpc_stream *s, struct inbox_message message)
{
	struct err e;

	if (!s->single.bytes) {
		s->single = message;
		return;
	}
	free(message.bytes);
	err_set(&e, ERR_UNIMPLEMENTED, "%s answers with one message; there came more",
		s->method->path);
	stream_fail(s, &e);
}

/* All messages before the end are taken. */
static void finish(struct rpc_stream *s)
{
	if (s->status.code == ERR_OK && inbox_is_partial(&s->inbox))
		err_set(&s->status, ERR_INTERNAL, "the answer ends within a message");
	else if (s->status.code == ERR_OK && gets_one(s) && !s->single.bytes)
		err_set(&s->status, ERR_UNIMPLEMENTED,
			"%s answers with one message; there came none", s->method->path);
	else if (s->status.code == ERR_OK && gets_one(s))
		hand_over(s, (struct inbox_message){ TAKE_PTR(s->single.bytes), s->single.len });
	if (!s->is_closed)
		stream_end(s, &s->status);
}

static void deliver_all(struct rpc_stream *s)
{
	struct inbox_message message;
	struct err e;

	while (!s->is_closed && !s->is_paused) {
		int r = inbox_take(&s->inbox, &message, &e);

		if (r < 0)
			stream_fail(s, &e);
		if (r <= 0)
			break;
		if (gets_one(s))
			keep_single(s, message);
		else
			hand_over(s, message);
		if (!s->link) /* ended from within */
			return;
	}
	if (s->link && !s->is_paused && s->is_remote_ended)
		finish(s);
}

/* What was handed over may come again, also while the next has to wait. */
static void give_back(struct rpc_stream *s)
{
	size_t kept = s->is_paused ? inbox_waiting(&s->inbox) : 0;

	if (s->owed <= kept)
		return;
	nghttp2_session_consume(s->link->h2, s->stream_id, s->owed - kept);
	s->owed = kept;
}

void stream_deliver(struct rpc_stream *s)
{
	if (s->is_handing || s->is_closed)
		return;
	rpc_stream_ref(s);
	s->is_handing = true;
	deliver_all(s);
	s->is_handing = false;
	if (s->link && s->link->transport.stage == TRANSPORT_OPEN)
		give_back(s);
	rpc_stream_unref(s);
}

void stream_input(struct rpc_stream *s, const uint8_t *bytes, size_t len)
{
	struct err e;

	s->owed += len;
	if (inbox_add(&s->inbox, bytes, len, &e) < 0) {
		stream_fail(s, &e);
		return;
	}
	stream_deliver(s);
}

void stream_remote_ended(struct rpc_stream *s, bool is_reset, uint32_t error_code)
{
	if (s->is_remote_ended)
		return;
	s->is_remote_ended = true;
	if (!s->has_status && is_reset)
		err_set(&s->status, status_from_h2(error_code), "the server reset the call (%s)",
			nghttp2_http2_strerror(error_code));
	else if (!s->has_status)
		err_set(&s->status, ERR_UNKNOWN, "the server ended the call without a status");
	stream_deliver(s);
}

void rpc_stream_pause(struct rpc_stream *s)
{
	s->is_paused = true;
}

void rpc_stream_resume(struct rpc_stream *s)
{
	if (!s->is_paused)
		return;
	s->is_paused = false;
	if (!s->link || s->is_handing)
		return;
	s->wants_turn = true;
	s->link->has_turns = true;
	transport_kick_later(&s->link->transport);
}
