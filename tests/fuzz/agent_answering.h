/* SPDX-License-Identifier: Apache-2.0 */
/*
 * agent_answering.h — the agent of fuzz_agent_answers, as the input plays it: its connections and what it answers
 * (rpc_sync_*, rpc_channel_*), and what was proven of it (appraise_*, attested_reattest). This file stands in for all that.
 *
 * Held against the client at each call: nothing but what a proof still lacks goes to an agent whose evidence does not stand;
 * a signature is over the manifest that the agent last named, and over this connection; bytes come in their order, and an
 * upload is ended once all of them were sent and the agent has proven itself after the last one.
 */
#pragma once

#include "agent.pb-c.h"
#include "attestation/tpm/credential.h"
#include "common/base/reader.h"
#include "common/crypto/key.h"
#include "common/rpc/channel.h"
#include "tests/fuzz/orders_answers.h"

enum proof_state { PROOF_NONE, PROOF_PENDING, PROOF_STANDS, PROOF_FORGOTTEN };

struct answering_asset {
	const uint8_t *bytes;
	size_t len;
	uint8_t digest[SHA3_256_LEN];
};

struct answering {
	struct reader *in;
	uint8_t how; /* ANSWERS_ATTESTED and so on */

	/* The connection. */
	bool is_ready;
	unsigned connection; /* number of the last one */
	struct rpc_attempt attempt;
	uint64_t now; /* nanoseconds */

	/* What was proven. */
	enum proof_state proof;
	bool may_pend, wants_log, wants_credential, has_log, has_answer;
	bool is_fresh;   /* proven since the last byte */
	bool is_doubted; /* it was asked again, and could not */
	uint8_t challenge[SHA3_256_LEN];

	/* What the agent has. */
	unsigned state;
	uint64_t kept;
	uint8_t said_manifest[SHA3_256_LEN]; /* by its last status */
	size_t said_manifest_len;
	const struct answering_asset *asset, *requirements; /* of the upload that goes on */
	bool is_taken;                                      /* it has ended well */
	size_t streamed;                                    /* bytes of the last stream */
	enum {
		WHOSE_UNSAID,
		WHOSE_YOURS,
		WHOSE_ANOTHERS
	} whose; /* by an answer that was asked for as its owner */

	EVP_PKEY *key; /* of who calls; for the life of the program, as what follows */
	uint8_t *spki;
	size_t spki_len;
};
extern struct answering answering;

/* Once. */
void answering_open(void);
/* A new input. */
void answering_begin(struct reader *in, uint8_t how);
/* The connection ends. */
void answering_drop(uint8_t contact);
/* The answer to a call, the caller's; of a status that field (enum answers_change) is another, or (-1) none. */
ProtobufCMessage *answering_honest(const struct rpc_method *method, int change);
/* The text of that number. */
const char *answering_text(uint8_t which);
