/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appraisal.h — is an agent what the operator of this service expects? Evidence that agents send on
 * request, judged by the same verifier that owners use, against this service's own policy.
 *
 * The answer is for the service's own decisions and for display. Owners never rely on it: their
 * clients verify the agent themselves (docs/security.md).
 */
#pragma once

#include "common/base/span.h"
#include "common/crypto/digest.h"
#include "computations/core/config.h"

#include <uv.h>

enum {
	APPRAISAL_NONCE_LEN = 32,
	APPRAISAL_LINE_MAX = 768,
	APPRAISAL_TOKEN_MAX = 4 << 20,
	APPRAISAL_CLIENT_MAX = 2 * SHA256_LEN
};

struct appraisal;

/* From the settings' files. `*a` is NULL where there is no policy. */
int appraisal_new(uv_loop_t *loop, const struct config *config, struct appraisal **a,
		  struct err *e) MUST_CHECK;
/* Call it when nothing is under way any more. NULL is fine. */
void appraisal_free(struct appraisal *a);

/* The kind of evidence that the policy speaks of, as AttestationReq has it. */
uint8_t appraisal_type(const struct appraisal *a);

/* The files that it judges by, lent as long as it is there: the policy, the root in place of vendors', the TPM's key;
 * empty: none. */
struct appraisal_files {
	struct span policy, root, ak;
};
struct appraisal_files appraisal_files(const struct appraisal *a);

/* One piece of evidence. */
struct appraisal_case {
	const char *cvm_id; /* whose: whoever says much waits for himself */
	/* Who brought it, whatever names it gives its CVMs: of what has to be fetched it can't take
	 * all turns. Digest of the client's key, or its address. */
	char client[APPRAISAL_CLIENT_MAX + 1];
	uint8_t nonce[APPRAISAL_NONCE_LEN];
	uint32_t group; /* the key exchange of its connection (kex_group.h); 0: no TLS */
	/* Before there is a manifest there can be no run statement, and none is required. With a
	 * manifest all of the policy counts, and the statement must name this manifest. */
	bool has_manifest;
	uint8_t manifest[SHA3_256_LEN];
};

struct appraisal_verdict {
	bool verified;
	bool has_identity;            /* of one that is verified: */
	uint8_t identity[SHA256_LEN]; /* of the SPKI that it binds */
	char line
		[APPRAISAL_LINE_MAX]; /* "verified: snp evidence, 40 checks", "refused: CHECK: …" */
};

/* Judged in the pool; `done` comes on the loop, once; before this returns only if no thread can be had.
 * Token and id are copied. What the cache has all endorsements for is judged at once, one case after the other; what
 * something has to be fetched for waits for that in a second line, so that a slow or hostile service of
 * endorsements, or agents who name machines that do not exist, hold up nobody else. One piece of
 * evidence of a CVM waits at a time: a newer one takes its place, whose `done` then says so at once.
 * So CVMs take turns, and in the second line those who brought them, too. How often endorsements are
 * fetched is limited, for each CVM and in all; where the line is full, or half full of one client's, the
 * verdict is the one that can be had without.
 *
 * Fails, and calls nothing, if memory runs out, the token is too large, too many wait, or after
 * appraisal_stop(). */
int appraisal_start(struct appraisal *a, const struct appraisal_case *which, const uint8_t *token,
		    size_t len, void (*done)(void *data, const struct appraisal_verdict *verdict),
		    void *data, struct err *e) MUST_CHECK;

/* The service goes down: who waits is refused now, what is being judged ends soon. NULL is fine. */
void appraisal_stop(struct appraisal *a);
