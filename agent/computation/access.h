/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access.h — who asks, and may they: the claim that a call's metadata makes, verified against the
 * key that the manifest names (common/proof.h; wire.md for the older role signature).
 */
#pragma once

#include "agent/computation/challenge.h"
#include "common/base/err.h"
#include "common/base/writer.h"
#include "common/manifest/proof.h"
#include "common/rpc/call.h"
#include "cvms.pb-c.h"

#include <stdbool.h>
#include <stdint.h>

struct access {
	const char *role, *method; /* of the table, not of the peer */
	uint8_t session[PROOF_SESSION_LEN];
	struct challenge_claim *challenge; /* held; NULL: under TLS, or without a proof */
	uint8_t *signature;                /* malloc'ed */
	size_t signature_len;
	ProtobufCBinaryData
		signer; /* the key that it says it is signed with; malloc'ed, unjudged */
	bool is_proof;  /* else it covers the role's name alone */
	bool has_digest, has_offset, has_required;
	uint8_t digest[PROOF_DIGEST_LEN];   /* what the caller says it will send */
	uint8_t required[PROOF_DIGEST_LEN]; /* the same for requirements */
	uint64_t offset;
	uint64_t size; /* bytes of the asset, as the caller says; 0: he does not */
};

/* Reads a call's metadata: its role must be `role`. Holds the challenge that it names until access_done().
 * UNAUTHENTICATED without signature; DENIED for another role, for a role signature where these are
 * not taken, for a challenge that is none; INVALID for what is malformed. */
int access_read(struct rpc_call *call, const char *role, bool role_signature,
		struct challenges *challenges, struct access *access, struct err *e) MUST_CHECK;
void access_done(struct access *access);

/* The same without a call, for tests: `session` is the TLS exporter's value, or NULL. */
int access_read_metadata(const struct rpc_metadata *metadata, const char *role, bool role_signature,
			 const uint8_t *session, struct challenges *challenges,
			 struct access *access, struct err *e) MUST_CHECK;

/* Does the caller say that it signs with this key (`proof-key`)? That gives no right: access_verify() does. */
bool access_names(const struct access *access, const ProtobufCBinaryData *spki);

/* Did the owner of this key sign? `asset` may be NULL (zeros). 0, or ERR_DENIED. The key is taken as it
 * is: a manifest's were checked when it was taken, a caller's own gives no right. */
int access_is_signed(const struct access *access, const ProtobufCBinaryData *spki,
		     const uint8_t manifest[PROOF_DIGEST_LEN], const uint8_t *asset,
		     const struct writer *parameters, struct err *e) MUST_CHECK;

/* The same of a key that the manifest names: the challenge is used up then. ERR_EXHAUSTED: that key has used up too many;
 * refusal_not_signed() says so, too. */
int access_verify(const struct access *access, const ProtobufCBinaryData *spki,
		  const uint8_t manifest[PROOF_DIGEST_LEN], const uint8_t *asset,
		  const struct writer *parameters, struct err *e) MUST_CHECK;
