/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/sync.h"

#include "common/rpc/channel_state.h"
#include "common/rpc/message.h"

#include <stdlib.h>
#include <string.h>

struct rpc_sync {
	struct rpc_stream *stream;
	struct rpc_channel *channel;
	uv_loop_t *loop;
	const struct rpc_method *method;
	uint8_t *bytes; /* one message that waits to be asked for */
	size_t len;
	bool has_headers, is_closed;
	struct err status;
};

static void on_headers(struct rpc_stream *stream)
{
	struct rpc_sync *sync = rpc_stream_user(stream);

	sync->has_headers = true;
}

static void on_bytes(struct rpc_stream *stream, uint8_t *bytes, size_t len)
{
	struct rpc_sync *sync = rpc_stream_user(stream);

	free(sync->bytes);
	sync->bytes = bytes;
	sync->len = len;
	rpc_stream_pause(stream);
}

static void on_closed(struct rpc_stream *stream, const struct err *status)
{
	struct rpc_sync *sync = rpc_stream_user(stream);

	sync->is_closed = true;
	sync->status = *status;
}

static const struct rpc_stream_events events = {
	.headers = on_headers,
	.bytes = on_bytes,
	.closed = on_closed,
};

static void run_once(struct rpc_sync *sync)
{
	uv_run(sync->loop, UV_RUN_ONCE);
}

/* The call's own failure, with the target before it. */
static int failure(struct rpc_sync *sync, struct err *e)
{
	const char *target = sync->channel->target;

	*e = sync->status;
	if (strncmp(e->text, target, strlen(target)) != 0)
		err_wrap(e, "%s", target);
	return err_code(e);
}

int rpc_sync_open(struct rpc_channel *channel, const struct rpc_method *method,
		  const struct rpc_stream_options *options, struct rpc_sync **sync, struct err *e)
{
	struct rpc_stream_options own = { 0 };
	struct rpc_sync *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(e);
	if (options)
		own = *options;
	own.user = s;
	s->channel = channel;
	s->loop = rpc_channel_loop(channel);
	s->method = method;
	if (rpc_stream_open(channel, method, &events, &own, &s->stream, e) < 0) {
		free(s);
		return err_code(e);
	}
	rpc_stream_ref(s->stream);
	*sync = s;
	return 0;
}

/* Waits until there is room to send. Negative: the call is over before. */
static int wait_for_room(struct rpc_sync *sync, struct err *e)
{
	while (!sync->is_closed && rpc_stream_is_open(sync->stream) &&
	       rpc_stream_queued(sync->stream) > RPC_HIGH_WATER)
		run_once(sync);
	if (rpc_stream_is_open(sync->stream))
		return 0;
	while (!sync->is_closed)
		run_once(sync);
	/* A server that answers before it has heard all is not served any more. */
	if (sync->status.code == ERR_OK)
		return err_set(e, ERR_ABORTED, "%s: the server ended the call early",
			       sync->channel->target);
	return failure(sync, e);
}

int rpc_sync_send(struct rpc_sync *sync, const ProtobufCMessage *message, struct err *e)
{
	if (wait_for_room(sync, e) < 0 || rpc_stream_send(sync->stream, message, e) < 0)
		return err_code(e);
	uv_run(sync->loop, UV_RUN_NOWAIT); /* on its way while the caller makes the next */
	return 0;
}

int rpc_sync_send_bytes(struct rpc_sync *sync, const ProtobufCMessage *rest, uint32_t field,
			uint8_t *bytes, size_t len, struct err *e)
{
	CLEANUP(free) uint8_t *owned = bytes;

	if (wait_for_room(sync, e) < 0 ||
	    rpc_stream_send_bytes(sync->stream, rest, field, TAKE_PTR(owned), len, e) < 0)
		return err_code(e);
	uv_run(sync->loop, UV_RUN_NOWAIT);
	return 0;
}

void rpc_sync_half_close(struct rpc_sync *sync)
{
	rpc_stream_half_close(sync->stream);
}

int rpc_sync_headers(struct rpc_sync *sync, const struct rpc_metadata **headers, struct err *e)
{
	while (!sync->has_headers && !sync->is_closed)
		run_once(sync);
	if (!sync->has_headers && sync->status.code != ERR_OK)
		return failure(sync, e);
	*headers = rpc_stream_headers(sync->stream);
	return 0;
}

int rpc_sync_receive(struct rpc_sync *sync, ProtobufCMessage **message, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;

	while (!sync->bytes && !sync->is_closed) {
		rpc_stream_resume(sync->stream);
		run_once(sync);
	}
	if (!sync->bytes && sync->status.code != ERR_OK)
		return failure(sync, e);
	if (!sync->bytes) {
		*message = NULL;
		return 0;
	}
	bytes = TAKE_PTR(sync->bytes);
	if (rpc_message_decode(sync->method->response, bytes, sync->len, message, e) < 0)
		return err_wrap(e, "%s", sync->channel->target);
	return 0;
}

int rpc_sync_finish(struct rpc_sync *sync, ProtobufCMessage **response, struct err *e)
{
	ProtobufCMessage *message = NULL, *more = NULL;

	rpc_sync_half_close(sync);
	if (rpc_sync_receive(sync, &message, e) < 0)
		return err_code(e);
	/* Only with its status is it an answer. */
	if (message && rpc_sync_receive(sync, &more, e) < 0) {
		rpc_message_free(message);
		return err_code(e);
	}
	if (!message || more) {
		rpc_message_free(message);
		rpc_message_free(more);
		return err_set(e, ERR_UNIMPLEMENTED, "%s: %s did not answer with one message",
			       sync->channel->target, sync->method->path);
	}
	*response = message;
	return 0;
}

const struct rpc_metadata *rpc_sync_trailers(const struct rpc_sync *sync)
{
	return rpc_stream_trailers(sync->stream);
}

void rpc_sync_free(struct rpc_sync *sync)
{
	if (!sync)
		return;
	if (!sync->is_closed)
		rpc_stream_cancel(sync->stream);
	while (!sync->is_closed)
		run_once(sync);
	rpc_stream_unref(sync->stream);
	free(sync->bytes);
	free(sync);
}

int rpc_sync_unary(struct rpc_channel *channel, const struct rpc_method *method,
		   const struct rpc_stream_options *options, const ProtobufCMessage *request,
		   ProtobufCMessage **response, struct err *e)
{
	CLEANUP(rpc_sync_free) struct rpc_sync *sync = NULL;

	if (rpc_sync_open(channel, method, options, &sync, e) < 0 ||
	    rpc_sync_send(sync, request, e) < 0)
		return err_code(e);
	return rpc_sync_finish(sync, response, e);
}

int rpc_sync_connect(struct rpc_channel *channel, struct err *e)
{
	unsigned failures = channel->failures;

	if (!rpc_channel_is_ready(channel) && !channel->link && !channel->dial) {
		channel->wants_link = true;
		channel_poke(channel);
	}
	while (!rpc_channel_is_ready(channel) && channel->failures == failures) {
		/* It came and went again before it was ready. */
		if (!channel->link && !channel->dial && !channel->wants_link)
			return err_set(e, ERR_UNAVAILABLE,
				       "%s: the server has ended the connection", channel->target);
		uv_run(channel->hub.loop, UV_RUN_ONCE);
	}
	if (rpc_channel_is_ready(channel))
		return 0;
	*e = channel->why;
	return err_code(e);
}
