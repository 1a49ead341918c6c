/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence.h — signed evidence (EAT) as the rest of the agent asks for it, and what else is asked of
 * the keeper's devices on a stranger's behalf.
 *
 * There is no way in here for report data: the keeper makes it from the form, the agent's identity
 * key and what is hashed under the form's name (attestation/binding.h). Nothing is cached. One
 * request at a time is at the keeper, so that a measurement never waits for more than one; at most
 * EVIDENCE_CHANNELS_MAX wait for channels and EVIDENCE_OTHERS_MAX for anything else, and each has
 * EVIDENCE_DEADLINE_MS from the moment it was asked for. Sources are served by turns, who was just
 * served behind who was not (evidence_turns.h); where that many wait, the request whose turn comes last
 * gives way (ERR_EXHAUSTED) to one that comes before it: nobody fills a queue from fewer addresses than
 * it has places, nor from as many for longer than each is answered once.
 *
 * Everything here happens on the loop thread. A `done` comes from the loop, never from within the
 * call, exactly once, unless the request is cancelled or all of this is freed before.
 */
#pragma once

#include "agent/keeper/keeper.h"
#include "attestation/token/binding.h"
#include "common/base/err.h"
#include "common/crypto/key.h"
#include "common/rpc/source.h"

#include <stdint.h>

enum {
	EVIDENCE_CHANNELS_MAX = 64,
	EVIDENCE_OTHERS_MAX = 64,
	EVIDENCE_DEADLINE_MS = 20000,
	/* A channel's token, as base64 in JSON, has to fit a field of two bytes' length (wire.md). */
	EVIDENCE_CHANNEL_MAX = 48800,
};

struct evidence;
struct evidence_request;

/* The token, lent until this returns; or `e`, and no token. */
typedef void evidence_done_fn(void *data, const uint8_t *token, size_t len, const struct err *e);

/* Form CHANNEL, for a connection whose suite has `hash` and that exported `exporter`. Event logs are
 * left out where they don't fit. NULL, with `e`: refused at once (ERR_UNAVAILABLE: this machine has
 * no evidence; ERR_EXHAUSTED: too many wait; ERR_PRECONDITION: no manifest was measured). `source` is
 * who asks, here and below; NULL: the agent itself. */
struct evidence_request *evidence_channel(struct evidence *evidence,
					  const struct rpc_source *source, enum digest_kind hash,
					  const uint8_t exporter[BINDING_EXPORTER_LEN],
					  evidence_done_fn *done, void *data,
					  struct err *e) MUST_CHECK;

/* Form NONCE; the nonce is copied. ERR_INVALID for one that is none: both together hold less than
 * 16 bytes, or one is too long. */
struct evidence_request *evidence_nonce(struct evidence *evidence, const struct rpc_source *source,
					const struct binding_nonce *nonce, evidence_done_fn *done,
					void *data, struct err *e) MUST_CHECK;

/* keeper_ima(), keeper_endorsement(), keeper_activate() through the same queue. Spans are copied.
 * ERR_UNAVAILABLE at once, and no device is asked, where there is no TPM. */
struct evidence_request *evidence_ima(struct evidence *evidence, const struct rpc_source *source,
				      keeper_parts_fn *done, void *data, struct err *e) MUST_CHECK;
struct evidence_request *evidence_endorsement(struct evidence *evidence,
					      const struct rpc_source *source,
					      keeper_parts_fn *done, void *data,
					      struct err *e) MUST_CHECK;
struct evidence_request *evidence_activate(struct evidence *evidence,
					   const struct rpc_source *source, struct span blob,
					   struct span secret, keeper_parts_fn *done, void *data,
					   struct err *e) MUST_CHECK;

/* `done` does not come any more. For a request whose `done` has not come yet; NULL is fine. */
void evidence_cancel(struct evidence_request *request);

/* 0 if this machine can make evidence for a channel; else ERR_UNAVAILABLE with why and what to do. */
int evidence_available(const struct evidence *evidence, struct err *e) MUST_CHECK;

/* ---- its life ---- */

/* `identity` signs the tokens until a run brings another key; both are lent, and outlive this. */
int evidence_new(uv_loop_t *loop, struct keeper *keeper, EVP_PKEY *identity,
		 struct evidence **evidence, struct err *e) MUST_CHECK;
/* Requests that wait are forgotten. NULL is fine. */
void evidence_free(struct evidence *evidence);

/* The statement of this run (taken over, malloc'ed) and its evidence, which go along with every token
 * from now on; `identity` signs them, lent until evidence_reset(). */
void evidence_set_run(struct evidence *evidence, EVP_PKEY *identity, uint8_t *statement, size_t len,
		      const struct keeper_evidence *run);
/* Another computation: what waits is ABORTED, statement and identity of the run are forgotten. */
void evidence_reset(struct evidence *evidence);
