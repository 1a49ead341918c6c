/* SPDX-License-Identifier: Apache-2.0 */
/*
 * appraisal.h — is an agent what the operator of this service expects? Evidence that agents send on
 * request, judged by the same verifier that owners use, against this service's own policy.
 *
 * The answer is for the service's own decisions and for display. Owners never rely on it: their
 * clients verify the agent themselves (docs/security.md).
 */
#pragma once

#include "common/crypto/digest.h"
#include "computations/config.h"

#include <uv.h>

enum { APPRAISAL_NONCE_LEN = 32, APPRAISAL_LINE_MAX = 768, APPRAISAL_TOKEN_MAX = 4 << 20 };

struct appraisal;

/* From the settings' files. `*a` is NULL where there is no policy. */
int appraisal_new(uv_loop_t *loop, const struct config *config, struct appraisal **a,
		  struct err *e) MUST_CHECK;
/* Call it when nothing is under way any more. NULL is fine. */
void appraisal_free(struct appraisal *a);

/* The kind of evidence that the policy speaks of, as AttestationReq has it. */
uint8_t appraisal_type(const struct appraisal *a);

/* One piece of evidence. */
struct appraisal_case {
	uint8_t nonce[APPRAISAL_NONCE_LEN];
	/* Before there is a manifest there can be no run statement, and none is required. With a
	 * manifest all of the policy counts, and the statement must name this manifest. */
	bool has_manifest;
	uint8_t manifest[SHA3_256_LEN];
};

struct appraisal_verdict {
	bool verified;
	char line
		[APPRAISAL_LINE_MAX]; /* "verified: snp evidence, 40 checks", "refused: CHECK: …" */
};

/* Judged in the pool, one case after the other; `done` comes on the loop, once. The token is
 * copied. Fails, and calls nothing, if memory runs out or the token is too large. */
int appraisal_start(struct appraisal *a, const struct appraisal_case *which, const uint8_t *token,
		    size_t len, void (*done)(void *data, const struct appraisal_verdict *verdict),
		    void *data, struct err *e) MUST_CHECK;
