/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_verify.h — is a TDX quote genuine, made by a platform that Intel vouches for, and how recent
 * is that platform? Everything but what runs in the TD, which is tdx_policy.h's.
 */
#pragma once

#include "attestation/tdx/tdx_collateral.h"
#include "attestation/tdx/tdx_pck.h"
#include "attestation/tdx/tdx_quote.h"
#include "attestation/verdict/verdict.h"
#include "common/crypto/digest.h"

struct tdx_endorsements {
	struct tdx_collateral collateral; /* a document that is missing is a refusal */

	/* The one root to trust in place of Intel's, DER or PEM; empty: Intel's, built in. A note in
	 * the verdict names its digest. */
	struct span trusted_root;

	int64_t at;                            /* seconds since 1970: the moment to judge at */
	uint32_t skew;                         /* seconds by which clocks may differ */
	uint64_t crl_max_age;                  /* seconds (crl_age.h); 0: nextUpdate alone counts */
	int64_t root_crl_asked, pck_crl_asked; /* when a service last handed each out; 0: unknown */
	struct signatures *signatures; /* verified before, for who judges many; may be NULL */
};

enum { TDX_RESULT_ADVISORIES_MAX = 3 * TDX_ADVISORIES_MAX };

/* What was found out on the way, for appraisal, further binding and people. */
struct tdx_result {
	bool has_quote, has_pck, has_status;
	struct tdx_quote quote; /* points into the quote's bytes */
	struct tdx_pck pck;
	enum tdx_status status; /* of all together */
	enum tdx_status level_status, module_status, qe_status;
	bool has_module; /* module version > 0: module_status counts */
	uint64_t tcb_evaluation, qe_evaluation;
	int64_t issued, next_update; /* of the TCB info */
	size_t advisory_count;       /* of level, module and QE; sorted, each once */
	char advisories[TDX_RESULT_ADVISORIES_MAX][TDX_ADVISORY_LEN_MAX];
	uint8_t root_digest[SHA256_LEN]; /* of the root's key */
	bool own_root;                   /* not Intel's */
};

/* Adds the checks of every step to `v`, and requires them. A step that rests on a failed one is not
 * taken; being required, it refuses. `result` is filled from the start. */
void tdx_verify(const struct tdx_parsed *quote, const struct tdx_endorsements *endorsements,
		struct verdict *v, struct tdx_result *result);
