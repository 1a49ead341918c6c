/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/stream.h"

#include "common/rpc/channel_state.h"
#include "common/rpc/status.h"

#include <stdlib.h>
#include <string.h>

void stream_move(struct rpc_stream *s, struct stream_list *list)
{
	if (s->list)
		TAILQ_REMOVE(s->list, s, others);
	s->list = list;
	if (list)
		TAILQ_INSERT_TAIL(list, s, others);
}

/* The HTTP/2 stream is of no interest any more. */
static void detach(struct rpc_stream *s)
{
	struct link *link = s->link;

	if (!link)
		return;
	s->link = NULL;
	if (link->transport.stage != TRANSPORT_OPEN)
		return;
	if (s->owed)
		nghttp2_session_consume_connection(link->h2, s->owed);
	s->owed = 0;
	nghttp2_session_set_stream_user_data(link->h2, s->stream_id, NULL);
	/* The server goes on (or will begin), or waits for what we will not send. */
	if (!s->is_remote_ended ||
	    nghttp2_session_get_stream_local_close(link->h2, s->stream_id) == 0)
		nghttp2_submit_rst_stream(link->h2, NGHTTP2_FLAG_NONE, s->stream_id,
					  s->is_remote_ended ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
	transport_kick(&link->transport);
}

void stream_close(struct rpc_stream *s)
{
	if (s->is_closed)
		return;
	s->is_closed = true;
	stream_move(s, NULL);
	detach(s);
	s->channel = NULL;
	deadline_stop(TAKE_PTR(s->deadline));
	inbox_done(&s->inbox);
	if (s->events->closed)
		s->events->closed(s, &s->status);
	rpc_stream_unref(s);
}

void stream_end(struct rpc_stream *s, const struct err *e)
{
	if (!s->has_ended && e != &s->status)
		s->status = *e;
	s->has_ended = true;
	detach(s);
	stream_move(s, &s->channel->ended);
	channel_poke(s->channel);
}

void stream_fail(struct rpc_stream *s, const struct err *e)
{
	if (s->is_closed)
		return;
	/* What came before is of no use to a call that failed here. */
	inbox_done(&s->inbox);
	s->is_paused = false;
	stream_end(s, e);
}

void stream_requeue(struct rpc_stream *s)
{
	s->link = NULL;
	s->stream_id = 0;
	s->is_deferred = false;
	stream_move(s, &s->channel->waiting);
	channel_poke(s->channel);
}

static ssize_t read_output(nghttp2_session *session, int32_t stream_id, uint8_t *buf, size_t length,
			   uint32_t *flags, nghttp2_data_source *source, void *user)
{
	struct rpc_stream *s = source->ptr;
	size_t len = s->outbox.queued < length ? s->outbox.queued : length;

	s->is_deferred = false;
	if (len == s->outbox.queued && s->wants_half_close) {
		*flags |= NGHTTP2_DATA_FLAG_EOF;
	} else if (len == 0) {
		s->is_deferred = true;
		return NGHTTP2_ERR_DEFERRED;
	}
	if (len)
		*flags |= NGHTTP2_DATA_FLAG_NO_COPY;
	s->promised = len;
	return (ssize_t)len;
}

int stream_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
		     size_t length, nghttp2_data_source *source, void *user)
{
	struct rpc_stream *s = source->ptr;
	struct link *link = user;
	int r = h2_put_data(&link->transport, head, &s->outbox, length);

	if (r != 0)
		return r;
	s->promised = 0;
	if (outbox_fell(&s->outbox) && s->events->writable && !s->has_ended) {
		rpc_stream_ref(s);
		s->events->writable(s);
		rpc_stream_unref(s);
	}
	return link->transport.stage == TRANSPORT_CLOSED ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
}

int stream_submit(struct rpc_stream *s, struct link *link, struct err *e)
{
	const nghttp2_data_provider provider = { .source.ptr = s, .read_callback = read_output };
	struct rpc_channel *channel = s->channel;
	CLEANUP_H2_HEADERS struct h2_headers h;
	char timeout[TIMEOUT_TEXT_MAX];

	h.count = h.owned_count = 0;
	h2_headers_add(&h, ":method", "POST");
	h2_headers_add(&h, ":scheme", channel->tls ? "https" : "http");
	h2_headers_add(&h, ":path", s->method->path);
	h2_headers_add(&h, ":authority", channel->address.is_unix ? "localhost" : channel->target);
	h2_headers_add(&h, "te", "trailers");
	h2_headers_add(&h, "content-type", "application/grpc");
	h2_headers_add(&h, "user-agent", "grpc-c-cocos/" COCOS_VERSION);
	h2_headers_add(&h, "grpc-accept-encoding", "identity");
	if (s->deadline) {
		timeout_format(deadline_left(s->deadline), timeout);
		h2_headers_add(&h, "grpc-timeout", timeout);
	}
	if (h2_headers_add_metadata(&h, &s->metadata, e) < 0)
		return err_code(e);
	s->stream_id = nghttp2_submit_request(link->h2, NULL, h.nv, h.count, &provider, s);
	if (s->stream_id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE) {
		link_retire(link);
		stream_requeue(s);
		return 0;
	}
	if (s->stream_id < 0)
		return err_set(e, ERR_INTERNAL, "the request could not be sent: %s",
			       nghttp2_strerror(s->stream_id));
	s->link = link;
	stream_move(s, &link->streams);
	transport_kick(&link->transport);
	return 0;
}

static void on_deadline(void *data)
{
	struct rpc_stream *s = data;
	struct err e;

	err_set(&e, ERR_DEADLINE, "no answer within %u ms", s->timeout_ms);
	stream_fail(s, &e);
}

static struct rpc_stream *stream_new(struct rpc_channel *channel, const struct rpc_method *method,
				     const struct rpc_stream_events *events)
{
	struct rpc_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->refs = 1;
	s->channel = channel;
	s->method = method;
	s->events = events;
	s->inbox.message_max = channel->limits.message_max;
	s->inbox.is_bulk =
		true; /* one message is under way at a time; whoever calls chose the server */
	return s;
}

int rpc_stream_open(struct rpc_channel *channel, const struct rpc_method *method,
		    const struct rpc_stream_events *events,
		    const struct rpc_stream_options *options, struct rpc_stream **stream,
		    struct err *e)
{
	struct rpc_stream *s;

	if (channel->is_freed)
		return err_set(e, ERR_CANCELLED, "%s: the channel was closed", channel->target);
	s = stream_new(channel, method, events);
	if (!s)
		return err_nomem(e);
	if (options) {
		s->user = options->user;
		s->timeout_ms = options->timeout_ms;
		if (options->metadata &&
		    rpc_metadata_copy(&s->metadata, options->metadata, e) < 0) {
			rpc_stream_unref(s);
			return err_code(e);
		}
	}
	if (s->timeout_ms) {
		s->deadline = deadline_start(channel->hub.loop, s->timeout_ms, on_deadline, s);
		if (!s->deadline) {
			rpc_stream_unref(s);
			return err_nomem(e);
		}
	}
	stream_move(s, &channel->waiting);
	/* Usually the connection is there: no detour through the loop then. */
	if (channel->link && channel->link->transport.stage == TRANSPORT_OPEN &&
	    stream_submit(s, channel->link, e) < 0)
		stream_fail(s, e);
	channel_poke(channel);
	*stream = s;
	return 0;
}

void *rpc_stream_user(const struct rpc_stream *s)
{
	return s->user;
}

bool rpc_stream_is_open(const struct rpc_stream *s)
{
	return !s->has_ended;
}

static bool sends_one(const struct rpc_stream *s)
{
	return s->method->kind == RPC_UNARY || s->method->kind == RPC_SERVER_STREAM;
}

static int check_send(const struct rpc_stream *s, struct err *e)
{
	if (s->has_ended)
		return err_set(e, ERR_CANCELLED, "the call is over");
	if (s->wants_half_close)
		return err_set(e, ERR_PRECONDITION, "%s: nothing more was to be sent",
			       s->method->path);
	return 0;
}

static int sent(struct rpc_stream *s, int result)
{
	if (result < 0)
		return result;
	if (sends_one(s))
		s->wants_half_close = true;
	if (s->link && s->is_deferred)
		(void)nghttp2_session_resume_data(s->link->h2, s->stream_id);
	if (s->link)
		transport_kick(&s->link->transport);
	return 0;
}

int rpc_stream_send(struct rpc_stream *s, const ProtobufCMessage *message, struct err *e)
{
	if (check_send(s, e) < 0)
		return err_code(e);
	return sent(s, outbox_add(&s->outbox, message, s->channel->limits.queued_max, e));
}

int rpc_stream_send_bytes(struct rpc_stream *s, const ProtobufCMessage *rest, uint32_t field,
			  uint8_t *bytes, size_t len, struct err *e)
{
	CLEANUP(free) uint8_t *owned = bytes;
	struct outbox_bytes message = { rest, field, NULL, len };

	if (check_send(s, e) < 0)
		return err_code(e);
	message.bytes = TAKE_PTR(owned);
	return sent(s, outbox_add_bytes(&s->outbox, &message, s->channel->limits.queued_max, e));
}

size_t rpc_stream_queued(const struct rpc_stream *s)
{
	return s->outbox.queued;
}

int rpc_stream_ping(struct rpc_stream *s, struct err *e)
{
	if (s->has_ended)
		return err_set(e, ERR_CANCELLED, "the call is over");
	if (!s->link || s->ping || s->outbox.queued > 0)
		return err_set(e, ERR_PRECONDITION, "output waits, or a question is open");
	/* What the stream queued is on its way to the transport, so the question comes behind it. */
	if (h2_ask(s->link->h2, &s->link->pings, uv_now(s->channel->hub.loop)) != 0)
		return err_nomem(e);
	s->ping = s->link->pings.asked;
	transport_kick_later(&s->link->transport);
	return 0;
}

void rpc_stream_half_close(struct rpc_stream *s)
{
	if (s->has_ended || s->wants_half_close)
		return;
	s->wants_half_close = true;
	if (s->link && s->is_deferred)
		(void)nghttp2_session_resume_data(s->link->h2, s->stream_id);
	if (s->link)
		transport_kick(&s->link->transport);
}

void rpc_stream_cancel(struct rpc_stream *s)
{
	struct err e;

	err_set(&e, ERR_CANCELLED, "cancelled");
	if (!s->is_closed)
		stream_fail(s, &e);
}

const struct rpc_metadata *rpc_stream_headers(const struct rpc_stream *s)
{
	return &s->headers;
}

const struct rpc_metadata *rpc_stream_trailers(const struct rpc_stream *s)
{
	return &s->trailers;
}

struct rpc_stream *rpc_stream_ref(struct rpc_stream *s)
{
	s->refs++;
	return s;
}

void rpc_stream_unref(struct rpc_stream *s)
{
	if (!s || --s->refs > 0)
		return;
	deadline_stop(s->deadline);
	inbox_done(&s->inbox);
	free(s->single.bytes);
	outbox_done(&s->outbox);
	rpc_metadata_done(&s->metadata);
	rpc_metadata_done(&s->headers);
	rpc_metadata_done(&s->trailers);
	rpc_metadata_done(&s->block.metadata);
	free(s);
}
