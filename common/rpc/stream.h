/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stream.h — one gRPC call as the client sees it, all four kinds, on the loop thread.
 *
 *   headers   the server's initial metadata is in (may be NULL; not called if it fails before)
 *   message   one decoded response message, lent until it returns
 *   bytes     instead of `message`, when set: undecoded, malloc'ed, the receiver's to free
 *   writable  queued output fell below RPC_LOW_WATER after it had been there or above
 *             (may be NULL)
 *   arrived   the answer to rpc_stream_ping() (may be NULL)
 *   closed    once and last: `status->code` is ERR_OK or says what failed, here or there. Trailing
 *             metadata can be read in it. The stream is freed afterwards, unless referenced
 */
#pragma once

#include "common/rpc/channel.h"
#include "common/rpc/metadata.h"

struct rpc_stream;

struct rpc_stream_events {
	void (*headers)(struct rpc_stream *stream);
	void (*message)(struct rpc_stream *stream, const ProtobufCMessage *message);
	void (*bytes)(struct rpc_stream *stream, uint8_t *bytes, size_t len);
	void (*writable)(struct rpc_stream *stream);
	void (*arrived)(struct rpc_stream *stream);
	void (*closed)(struct rpc_stream *stream, const struct err *status);
};

struct rpc_stream_options {
	const struct rpc_metadata *metadata; /* copied; NULL: none */
	unsigned timeout_ms;                 /* 0: no deadline */
	void *user;
};

/* `method` and `events` are kept, not copied; `options` may be NULL. When it returns 0, closed()
 * will be called, but never from within this call. */
int rpc_stream_open(struct rpc_channel *channel, const struct rpc_method *method,
		    const struct rpc_stream_events *events,
		    const struct rpc_stream_options *options, struct rpc_stream **stream,
		    struct err *e) MUST_CHECK;

void *rpc_stream_user(const struct rpc_stream *stream);

/* Queues one message. -ERR_CANCELLED when the stream is over (closed() says or said why). Unary and
 * server streaming take one, and finish sending by themselves. */
int rpc_stream_send(struct rpc_stream *stream, const ProtobufCMessage *message,
		    struct err *e) MUST_CHECK;
/* The same without a copy: `rest` (may be NULL) with a field of type bytes put behind its other
 * fields. `bytes` is malloc'ed and freed here, in every case. */
int rpc_stream_send_bytes(struct rpc_stream *stream, const ProtobufCMessage *rest, uint32_t field,
			  uint8_t *bytes, size_t len, struct err *e) MUST_CHECK;
size_t rpc_stream_queued(const struct rpc_stream *stream);
/* Asks whether all that was sent so far has arrived at the server's HTTP/2 stack: arrived() says so,
 * never from within. One question at a time. -ERR_PRECONDITION while output waits or another
 * question is open, -ERR_CANCELLED when the stream is over. */
int rpc_stream_ping(struct rpc_stream *stream, struct err *e) MUST_CHECK;
/* No more messages from us. */
void rpc_stream_half_close(struct rpc_stream *stream);

/* As rpc_call_pause(). */
void rpc_stream_pause(struct rpc_stream *stream);
void rpc_stream_resume(struct rpc_stream *stream);

/* Ends the call now: closed() comes with CANCELLED, from the loop. */
void rpc_stream_cancel(struct rpc_stream *stream);
bool rpc_stream_is_open(const struct rpc_stream *stream);

const struct rpc_metadata *rpc_stream_headers(const struct rpc_stream *stream);
const struct rpc_metadata *rpc_stream_trailers(const struct rpc_stream *stream);

struct rpc_stream *rpc_stream_ref(struct rpc_stream *stream);
void rpc_stream_unref(struct rpc_stream *stream);
