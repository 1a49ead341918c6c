/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pair.h — a server and a channel to it on one loop, for tests of whole calls.
 *
 * The service is grpc.testing.TestService with handlers that the test gives; each call's events are
 * counted in the pair.
 */
#pragma once

#include "common/crypto/key.h"
#include "common/rpc/server.h"
#include "common/rpc/stream.h"
#include "tests/interop/methods.h"
#include "tests/unit.h"

#include <uv.h>

struct pair {
	uv_loop_t loop;
	struct rpc_server *server;
	struct rpc_channel *channel;
	char target[64];
	unsigned port;

	/* What the client saw. */
	struct err status;
	unsigned closed, messages, headers, writable;
	size_t bytes;

	/* What the server saw. */
	unsigned started, got, half_closed, server_closed, delivered;
	size_t got_bytes;
	struct rpc_call *call; /* the last one; NULL once closed */
	void *user;            /* the test's own */
};

/* A self-signed certificate for "localhost" and 127.0.0.1, PEM texts for the caller to free. */
void pki_make(char **cert, char **key);

/* What differs from a plain server with default limits; all may be NULL. */
struct pair_setup {
	const struct rpc_service *service;
	const struct rpc_limits *limits, *client_limits;
	struct rpc_tls *server_tls, *client_tls;
	const struct rpc_prologue *server_prologue, *client_prologue;
	unsigned connect_ms;
};
void pair_open(struct pair *p, const struct pair_setup *setup);
/* Frees both and runs the loop until it is empty: whatever is left behind fails the test. */
void pair_close(struct pair *p);

/* Runs the loop until the condition holds. */
#define pair_until(p, condition)                                                     \
	do {                                                                         \
		while (!(condition))                                                 \
			assert_true(uv_run(&(p)->loop, UV_RUN_ONCE) || (condition)); \
	} while (0)

/* Counting callbacks. */
extern const struct rpc_stream_events pair_events;
void pair_on_start(struct rpc_call *call);
void pair_on_message(struct rpc_call *call, const ProtobufCMessage *message);
void pair_on_half_close(struct rpc_call *call);
void pair_on_delivered(struct rpc_call *call);
void pair_on_closed(struct rpc_call *call);

/* Opens a call on the pair's channel whose events are counted. */
struct rpc_stream *pair_call(struct pair *p, const struct rpc_method *method, unsigned timeout_ms);
/* A payload message of so many bytes in all four kinds of request. */
void pair_send(struct rpc_stream *stream, size_t size);
/* The server's answer to a StreamingInputCall. */
void pair_reply(struct rpc_call *call);

/* A StreamingInputCall, and a service that counts what comes and answers at its end. */
extern const struct rpc_method pair_input_call;
extern const struct rpc_service pair_upload_service;
void pair_on_half_close_reply(struct rpc_call *call);
/* One such call without a message to its good end. */
void pair_call_once(struct pair *p);
