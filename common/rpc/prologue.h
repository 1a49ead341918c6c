/* SPDX-License-Identifier: Apache-2.0 */
/*
 * prologue.h — an exchange on the TLS stream between its handshake and HTTP/2 (wire.md, 'Attested
 * TLS on the wire'): the place where one side proves more than its certificate.
 *
 * The connection calls start() once, then bytes() with whatever the peer sent and the prologue has
 * not used. It answers at once or later from the loop thread: rpc_prologue_send(), and at the end
 * rpc_prologue_pass() or rpc_prologue_refuse(). Until it passes, no HTTP/2 byte is read or sent.
 * The time is limits.prologue_ms; input that is not used is held up to `input_max`.
 */
#pragma once

#include "common/base/err.h"
#include "common/rpc/source.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <openssl/ssl.h>

struct rpc_prologue_run; /* one connection's exchange */

struct rpc_prologue {
	size_t input_max;

	/* `data` is what was given with the prologue to the listener or channel. */
	void (*start)(struct rpc_prologue_run *run, void *data);

	/* Returns how many of the bytes are used. What is left comes again, with more behind it. Not
	 * called while rpc_prologue_hold() is in force, nor after the end. */
	size_t (*bytes)(struct rpc_prologue_run *run, const uint8_t *bytes, size_t len);

	/* The connection is over (whenever that is, also long after the pass). Called once, and
	 * last; frees the user data. */
	void (*closed)(struct rpc_prologue_run *run);
};

void rpc_prologue_set_user(struct rpc_prologue_run *run, void *user);
void *rpc_prologue_user(const struct rpc_prologue_run *run);

/* No bytes() until the hold is lifted: an answer is being made in the pool. The run may close
 * meanwhile: take a reference for the job; with one, all functions here are safe after closed(),
 * and do nothing. */
void rpc_prologue_hold(struct rpc_prologue_run *run, bool hold);
struct rpc_prologue_run *rpc_prologue_ref(struct rpc_prologue_run *run);
void rpc_prologue_unref(struct rpc_prologue_run *run);
bool rpc_prologue_is_open(const struct rpc_prologue_run *run);

/* Copies the bytes. -ERR_UNAVAILABLE when closed. */
int rpc_prologue_send(struct rpc_prologue_run *run, const void *bytes, size_t len,
		      struct err *e) MUST_CHECK;
void rpc_prologue_pass(struct rpc_prologue_run *run);
/* A client's calls fail with this error; a server closes the connection and logs it. */
void rpc_prologue_refuse(struct rpc_prologue_run *run, const struct err *e);

/* The TLS connection, for exporters and certificates; NULL after closed(). Never read or written. */
SSL *rpc_prologue_tls(const struct rpc_prologue_run *run);
struct rpc_source rpc_prologue_source(const struct rpc_prologue_run *run);
