/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sync.h — blocking calls for programs that do one thing at a time (the CLI).
 *
 * Each function runs the channel's loop until it has its answer, so it must not be called from a
 * callback. A failed call's text begins with the target.
 */
#pragma once

#include "common/rpc/stream.h"

/* One unary call. `*response` is the caller's: protobuf_c_message_free_unpacked(…, NULL).
 */
int rpc_sync_unary(struct rpc_channel *channel, const struct rpc_method *method,
		   const struct rpc_stream_options *options, const ProtobufCMessage *request,
		   ProtobufCMessage **response, struct err *e) MUST_CHECK;

/* Any kind, step by step. Ends with rpc_sync_free() in every case, which cancels what is open. */
struct rpc_sync;
int rpc_sync_open(struct rpc_channel *channel, const struct rpc_method *method,
		  const struct rpc_stream_options *options, struct rpc_sync **sync,
		  struct err *e) MUST_CHECK;

/* Waits while the queue is above RPC_HIGH_WATER. Fails with the call's status if it is over: a
 * server may refuse an upload before its end. */
int rpc_sync_send(struct rpc_sync *sync, const ProtobufCMessage *message, struct err *e) MUST_CHECK;
/* As rpc_stream_send_bytes(). */
int rpc_sync_send_bytes(struct rpc_sync *sync, const ProtobufCMessage *rest, uint32_t field,
			uint8_t *bytes, size_t len, struct err *e) MUST_CHECK;
void rpc_sync_half_close(struct rpc_sync *sync);

/* Waits for the initial metadata; lent until rpc_sync_free(). */
int rpc_sync_headers(struct rpc_sync *sync, const struct rpc_metadata **headers,
		     struct err *e) MUST_CHECK;

/* The next message, the caller's to free; NULL at the end of a call that succeeded. One that failed
 * is an error here. The server is held back while nobody asks. */
int rpc_sync_receive(struct rpc_sync *sync, ProtobufCMessage **message, struct err *e) MUST_CHECK;

/* Half-closes, takes the single response of a unary or client-streaming call and its status. */
int rpc_sync_finish(struct rpc_sync *sync, ProtobufCMessage **response, struct err *e) MUST_CHECK;

const struct rpc_metadata *rpc_sync_trailers(const struct rpc_sync *sync);
void rpc_sync_free(struct rpc_sync *sync);
DEFINE_CLEANUP(struct rpc_sync *, rpc_sync_free)

/* Waits until the channel is connected (handshake, prologue, settings), or fails. For what must be
 * known of the connection before the first call: exporter, certificate. */
int rpc_sync_connect(struct rpc_channel *channel, struct err *e) MUST_CHECK;
