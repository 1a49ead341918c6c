/* SPDX-License-Identifier: Apache-2.0 */
/*
 * proof.h — what a user signs to upload an asset or to fetch the results: this computation, this
 * call, this connection, this content (architecture.md, 'Authorization').
 *
 *   "cocos-proof-v1" 00 ‖ role 00 ‖ method path 00 ‖ manifest digest (32) ‖ session (32) ‖
 *   asset digest (32; zeros where the call has no asset) ‖ SHA3-256(parameters) (32)
 *
 * session: under TLS the exporter "EXPORTER-cocos-proof" without a context value, 32 bytes; without
 * TLS a challenge that Status issued, sent back in metadata `proof-challenge` (64 hexadecimal
 * digits). A challenge is good for one call that shows a key which the manifest names, whether that succeeds or not.
 *
 * parameters: for each parameter that the call has, in this order
 *   Data: filename, decompress ("true" or "false", always there), keep (the word of metadata `keep`,
 *         where the call has it: manifest_keep.h);
 *   Algo: algo_type (always there, "bin" where the call says nothing), python_runtime (where the
 *         call says one), algo_args (once for each, in order), requirements (the 32 bytes of the
 *         requirements' SHA3-256, a text's or a bundle's, where the call sends any);
 *   Result, Log, Status: none
 * the bytes: length of the key (4 bytes, big endian) ‖ key ‖ length of the value (4, BE) ‖ value.
 *
 * Request metadata: `user-id` role; `proof` base64 of the signature; `proof-key` base64 of the
 * signer's DER SubjectPublicKeyInfo (optional, but for Log and Status: lets the agent say to whom the key
 * belongs, should it refuse the call; it gives no right); `asset-digest` the asset's
 * SHA3-256 in hexadecimal (optional: lets the agent refuse an unknown or repeated asset before its
 * bytes are sent, and take up an interrupted upload); `upload-offset` decimal (see Status'
 * bytes_kept; needs `asset-digest`): the call sends the asset from that byte on; `asset-size` decimal
 * bytes of all of it (optional; for those who watch, in no signature);
 * `requirements-digest` the SHA3-256 of the requirements in hexadecimal (Algo; needed for a bundle of
 * wheels, which is not taken in before it is known that the provider sends it).
 */
#pragma once

#include "common/base/err.h"
#include "common/base/writer.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROOF_EXPORTER_LABEL "EXPORTER-cocos-proof"

/* Metadata keys and roles, as both ends spell them. */
#define PROOF_KEY            "proof"
#define PROOF_SIGNER_KEY     "proof-key"
#define PROOF_CHALLENGE_KEY  "proof-challenge"
#define PROOF_DIGEST_KEY     "asset-digest"
#define PROOF_OFFSET_KEY     "upload-offset"
#define PROOF_SIZE_KEY       "asset-size" /* in all, for those who watch: nothing follows from it */
#define PROOF_REQUIRED_KEY   "requirements-digest"
#define PROOF_KEEP_KEY       "keep"
#define PROOF_ROLE_KEY       "user-id"
#define PROOF_ROLE_ALGORITHM "algorithm-provider"
#define PROOF_ROLE_DATA      "data-provider"
#define PROOF_ROLE_CONSUMER  "consumer"
/* Of Log and Status: whoever the manifest shows what the algorithm wrote; `proof-key` says who. */
#define PROOF_ROLE_PARTICIPANT "participant"

/* What a refusal says, by which a client knows what to advise. */
#define PROOF_REFUSED_UNKNOWN   "the manifest does not name your key"
#define PROOF_REFUSED_OTHER     "by the manifest your key is for"
#define PROOF_REFUSED_SIGNATURE "the signature does not hold under the key that came with it"
#define PROOF_REFUSED_ROLE      "this call is for the role"
#define PROOF_REFUSED_OFFSET    "ask Status and go on there"

enum { PROOF_DIGEST_LEN = 32, PROOF_SESSION_LEN = 32, PROOF_PARAMETERS_MAX = 1 << 20 };

/* The parameters are put together with these, then hashed by proof_message(). */
void proof_parameter(struct writer *parameters, const char *key, const void *value, size_t len);
void proof_parameter_text(struct writer *parameters, const char *key, const char *value);

struct proof {
	const char *role;   /* "data-provider" */
	const char *method; /* "/agent.AgentService/Data" */
	uint8_t manifest[PROOF_DIGEST_LEN];
	uint8_t session[PROOF_SESSION_LEN];
	uint8_t asset[PROOF_DIGEST_LEN];
};

/* What is signed. `parameters` may be NULL where there are none. Malloc'ed. */
int proof_message(const struct proof *proof, const struct writer *parameters, uint8_t **bytes,
		  size_t *len, struct err *e) MUST_CHECK;
