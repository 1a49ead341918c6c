/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grpc_peer.h — a gRPC client in the same process, over one end of a socket pair: for fuzz targets
 * that make whole calls in any order. It is nghttp2 with nothing of common/rpc, and says whatever it
 * is told to say.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

enum { GRPC_PEER_CALLS = 16, GRPC_PEER_WORDS = 16 };

struct grpc_word {
	const char *key, *value;
	size_t len; /* of the value */
};

/* What the server has answered. */
struct grpc_said {
	bool is_used, is_over; /* over: the stream is closed, or the connection */
	int status;            /* grpc-status; -1: none came */
	unsigned messages;
	size_t bytes; /* of the messages */
};

struct grpc_peer;

/* `fd` is taken over. `heard` (may be NULL) gets each whole message. */
struct grpc_peer *grpc_peer_new(uv_loop_t *loop, int fd,
				void (*heard)(void *data, unsigned call, const uint8_t *bytes,
					      size_t len),
				void *data);
/* The connection ends, without a word. */
void grpc_peer_free(struct grpc_peer *peer);

/* The number of the call, or -1: there are enough, or the connection is over. */
int grpc_peer_call(struct grpc_peer *peer, const char *path, const struct grpc_word *words,
		   size_t count);
/* A message behind its prefix of five bytes, or (raw) just these bytes. */
void grpc_peer_say(struct grpc_peer *peer, unsigned call, const uint8_t *bytes, size_t len,
		   bool raw);
void grpc_peer_half_close(struct grpc_peer *peer, unsigned call);
void grpc_peer_cancel(struct grpc_peer *peer, unsigned call);
const struct grpc_said *grpc_peer_said(const struct grpc_peer *peer, unsigned call);

/* Both ends talk until nobody has anything more to say; work in the pool is waited for. */
void grpc_peer_move(struct grpc_peer *peer);
/* The same for a server without a client: the loop turns until no work is left in the pool. */
void grpc_peer_settle(uv_loop_t *loop);
/* The client says what it has to say, and hears nothing. */
void grpc_peer_send(struct grpc_peer *peer);
