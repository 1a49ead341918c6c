/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.h — a connection to one gRPC server, made when first needed and again after it broke.
 *
 * Calls on it: stream.h (on a loop), sync.h (blocking). A call opened while the channel connects
 * waits for it; if connecting fails, all that wait fail with UNAVAILABLE and a text that says where
 * and why, and the next call tries anew. A channel retries nothing by itself.
 */
#pragma once

#include "common/rpc/contact.h"
#include "common/rpc/method.h"
#include "common/rpc/prologue.h"
#include "common/rpc/tls.h"

#include <uv.h>

struct rpc_channel;

struct rpc_channel_config {
	const char *target;                  /* "host:port", "[v6]:port", "unix:/path" */
	struct rpc_tls *tls;                 /* NULL: plaintext with prior knowledge */
	const struct rpc_prologue *prologue; /* needs tls; NULL: none */
	void *prologue_data;
	unsigned connect_ms;             /* name lookup to HTTP/2 SETTINGS, all; 0: 20 s */
	const struct rpc_limits *limits; /* NULL: the defaults */
};

/* Is this a target as above, with a host and a port that can be connected to? No name is looked up. */
int rpc_target_check(const char *target, struct err *e) MUST_CHECK;

/* Nothing is connected yet. All is copied or referenced. Refused: a malformed target, settings that
 * contradict each other. */
int rpc_channel_new(uv_loop_t *loop, const struct rpc_channel_config *config,
		    struct rpc_channel **channel, struct err *e) MUST_CHECK;

/* Fails the calls that are open (their closed() is called before this returns), closes the
 * connection, and is freed when the loop has closed its handles: run the loop until then. */
void rpc_channel_free(struct rpc_channel *channel);

const char *rpc_channel_target(const struct rpc_channel *channel);
uv_loop_t *rpc_channel_loop(const struct rpc_channel *channel);
/* Of the next attempts to connect, as connect_ms above; not of one under way. */
void rpc_channel_connect_within(struct rpc_channel *channel, unsigned ms);
/* Connected: handshake, prologue and HTTP/2 settings are through. */
bool rpc_channel_is_ready(const struct rpc_channel *channel);

/* The last attempt to connect, if it has failed. */
struct rpc_attempt {
	bool failed;
	enum rpc_contact contact;
	bool is_secured;  /* the TLS handshake was through */
	bool is_prologue; /* it ended in the prologue */
};
const struct rpc_attempt *rpc_channel_attempt(const struct rpc_channel *channel);

/* Of the connection that is there; -ERR_PRECONDITION without TLS or when not connected. */
int rpc_channel_exporter(const struct rpc_channel *channel, const char *label, const void *context,
			 size_t context_len, uint8_t *out, size_t len, struct err *e) MUST_CHECK;
struct rpc_prologue_run *rpc_channel_prologue(const struct rpc_channel *channel);
