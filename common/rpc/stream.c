/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/stream.h"

#include "common/rpc/channel_state.h"
#include "common/rpc/h2_headers.h"
#include "common/rpc/status.h"

#include <stdlib.h>
#include <string.h>

/* The HTTP/2 stream is of no interest any more. */
static void detach(struct rpc_stream *s)
{
	struct h2_conn *c = s->h2.conn;

	if (!c)
		return;
	h2_stream_leave(&s->h2);
	if (c->transport.stage != TRANSPORT_OPEN)
		return;
	/* The server goes on (or will begin), or waits for what we will not send. */
	if (!s->h2.has_ended || nghttp2_session_get_stream_local_close(c->session, s->h2.id) == 0)
		nghttp2_submit_rst_stream(c->session, NGHTTP2_FLAG_NONE, s->h2.id,
					  s->h2.has_ended ? NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
	transport_kick(&c->transport);
}

void stream_close(struct rpc_stream *s)
{
	if (s->is_closed)
		return;
	s->is_closed = true;
	detach(s);
	h2_stream_move(&s->h2, NULL);
	s->channel = NULL;
	deadline_stop(TAKE_PTR(s->h2.deadline));
	inbox_done(&s->h2.inbox);
	LOG_ABOUT(&s->about);
	if (s->events->closed)
		s->events->closed(s, &s->h2.status);
	rpc_stream_unref(s);
}

void stream_end(struct rpc_stream *s, const struct err *e)
{
	if (s->h2.is_open && e != &s->h2.status)
		s->h2.status = *e;
	s->h2.is_open = false;
	detach(s);
	h2_stream_move(&s->h2, &s->channel->ended);
	channel_poke(s->channel);
}

void stream_fail(struct rpc_stream *s, const struct err *e)
{
	if (s->is_closed)
		return;
	/* What came before is of no use to a call that failed here. */
	inbox_done(&s->h2.inbox);
	s->h2.is_paused = false;
	stream_end(s, e);
}

void stream_requeue(struct rpc_stream *s)
{
	s->h2.conn = NULL;
	s->h2.id = 0;
	s->h2.is_deferred = false;
	h2_stream_move(&s->h2, &s->channel->waiting);
	channel_poke(s->channel);
}

int stream_submit(struct rpc_stream *s, struct link *link, struct err *e)
{
	const nghttp2_data_provider provider = { .source.ptr = &s->h2,
						 .read_callback = h2_stream_read_output };
	struct rpc_channel *channel = s->channel;
	CLEANUP_H2_HEADERS struct h2_headers h;
	char timeout[TIMEOUT_TEXT_MAX];
	int32_t id;

	h2_headers_init(&h);
	h2_headers_add(&h, ":method", "POST");
	h2_headers_add(&h, ":scheme", channel->tls ? "https" : "http");
	h2_headers_add(&h, ":path", s->h2.method->path);
	h2_headers_add(&h, ":authority", channel->address.is_unix ? "localhost" : channel->target);
	h2_headers_add(&h, "te", "trailers");
	h2_headers_add(&h, "content-type", "application/grpc");
	h2_headers_add(&h, "user-agent", "grpc-c-cocos/" COCOS_VERSION);
	h2_headers_add(&h, "grpc-accept-encoding", "identity");
	if (*s->parent.text)
		h2_headers_add(&h, TRACE_PARENT_KEY, s->parent.text);
	if (s->h2.deadline) {
		timeout_format(deadline_left(s->h2.deadline), timeout);
		h2_headers_add(&h, "grpc-timeout", timeout);
	}
	if (h2_headers_add_metadata(&h, &s->h2.metadata, e) < 0)
		return err_code(e);
	id = nghttp2_submit_request(link->h2.session, NULL, h.nv, h.count, &provider, &s->h2);
	if (id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE) {
		link_retire(link);
		stream_requeue(s);
		return 0;
	}
	if (id < 0)
		return err_set(e, ERR_INTERNAL, "the request could not be sent: %s",
			       nghttp2_strerror(id));
	h2_stream_join(&s->h2, &link->h2, id);
	transport_kick(&link->h2.transport);
	return 0;
}

static void on_deadline(void *data)
{
	struct rpc_stream *s = data;
	struct err e;

	err_set(&e, ERR_DEADLINE, "no answer within %u ms", s->timeout_ms);
	stream_fail(s, &e);
}

static void on_fail(struct h2_stream *h2, const struct err *e)
{
	stream_fail((struct rpc_stream *)h2, e);
}

/* All messages before the end are taken. */
static void on_no_more(struct h2_stream *h2)
{
	stream_end((struct rpc_stream *)h2, &h2->status);
}

static void on_writable(struct h2_stream *h2)
{
	struct rpc_stream *s = (struct rpc_stream *)h2;

	LOG_ABOUT(&s->about);
	if (s->events->writable && h2->is_open)
		s->events->writable(s);
}

static void on_freed(struct h2_stream *h2)
{
	struct rpc_stream *s = (struct rpc_stream *)h2;

	h2_block_done(&s->block.block);
	h2_stream_done(h2);
	free(s);
}

static const struct h2_stream_user stream_user = {
	.header = stream_header,
	.headers = stream_headers,
	.ended = stream_ended,
	.message = stream_message,
	.no_more = on_no_more,
	.fail = on_fail,
	.writable = on_writable,
	.freed = on_freed,
	.input_name = "answer",
	.takes = "answers with",
};

static struct rpc_stream *stream_new(struct rpc_channel *channel, const struct rpc_method *method,
				     const struct rpc_stream_events *events)
{
	struct rpc_stream *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->h2.refs = 1;
	s->h2.user = &stream_user;
	s->h2.limits = &channel->limits;
	s->h2.method = method;
	s->h2.takes_one = method->kind == RPC_UNARY || method->kind == RPC_CLIENT_STREAM;
	s->h2.is_open = true;
	s->h2.inbox.message_max = channel->limits.message_max;
	/* One message is under way at a time; whoever calls chose the server. */
	s->h2.inbox.is_bulk = true;
	s->channel = channel;
	s->events = events;
	s->about = log_about_now();
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
		    rpc_metadata_copy(&s->h2.metadata, options->metadata, e) < 0) {
			rpc_stream_unref(s);
			return err_code(e);
		}
	}
	if (rpc_metadata_count(&s->h2.metadata, TRACE_PARENT_KEY) == 0)
		s->parent = trace_parent_now();
	if (s->timeout_ms) {
		s->h2.deadline = deadline_start(channel->hub.loop, s->timeout_ms, on_deadline, s);
		if (!s->h2.deadline) {
			rpc_stream_unref(s);
			return err_nomem(e);
		}
	}
	h2_stream_move(&s->h2, &channel->waiting);
	/* Usually the connection is there: no detour through the loop then. */
	if (channel->link && channel->link->h2.transport.stage == TRANSPORT_OPEN &&
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
	return s->h2.is_open;
}

static bool sends_one(const struct rpc_stream *s)
{
	return s->h2.method->kind == RPC_UNARY || s->h2.method->kind == RPC_SERVER_STREAM;
}

static int check_send(const struct rpc_stream *s, struct err *e)
{
	if (!s->h2.is_open)
		return err_set(e, ERR_CANCELLED, "the call is over");
	if (s->h2.is_finished)
		return err_set(e, ERR_PRECONDITION, "%s: nothing more was to be sent",
			       s->h2.method->path);
	return 0;
}

static int sent(struct rpc_stream *s, int result)
{
	if (result < 0)
		return result;
	if (sends_one(s))
		s->h2.is_finished = true;
	h2_stream_wake(&s->h2);
	return 0;
}

int rpc_stream_send(struct rpc_stream *s, const ProtobufCMessage *message, struct err *e)
{
	int r = check_send(s, e);

	return r < 0 ? r : sent(s, h2_stream_add(&s->h2, message, e));
}

int rpc_stream_send_bytes(struct rpc_stream *s, const ProtobufCMessage *rest, uint32_t field,
			  uint8_t *bytes, size_t len, struct err *e)
{
	const struct outbox_bytes message = { rest, field, bytes, len };
	int r = check_send(s, e);

	if (r < 0) {
		free(bytes);
		return r;
	}
	return sent(s, h2_stream_add_bytes(&s->h2, &message, e));
}

size_t rpc_stream_queued(const struct rpc_stream *s)
{
	return s->h2.outbox.queued;
}

int rpc_stream_ping(struct rpc_stream *s, struct err *e)
{
	struct h2_conn *c = s->h2.conn;

	if (!s->h2.is_open)
		return err_set(e, ERR_CANCELLED, "the call is over");
	if (!c || s->h2.ping || s->h2.outbox.queued > 0)
		return err_set(e, ERR_PRECONDITION, "output waits, or a question is open");
	/* What the stream queued is on its way to the transport, so the question comes behind it. */
	if (h2_ping_ask(c->session, &c->pings, h2_conn_now(c)) != 0)
		return err_nomem(e);
	s->h2.ping = c->pings.asked;
	transport_kick_later(&c->transport);
	return 0;
}

void rpc_stream_half_close(struct rpc_stream *s)
{
	if (!s->h2.is_open || s->h2.is_finished)
		return;
	s->h2.is_finished = true;
	h2_stream_wake(&s->h2);
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
	return &s->h2.headers;
}

const struct rpc_metadata *rpc_stream_trailers(const struct rpc_stream *s)
{
	return &s->h2.trailers;
}

struct rpc_stream *rpc_stream_ref(struct rpc_stream *s)
{
	h2_stream_ref(&s->h2);
	return s;
}

void rpc_stream_unref(struct rpc_stream *s)
{
	if (s)
		h2_stream_unref(&s->h2);
}

void rpc_stream_pause(struct rpc_stream *s)
{
	h2_stream_pause(&s->h2);
}

void rpc_stream_resume(struct rpc_stream *s)
{
	h2_stream_resume(&s->h2);
}
