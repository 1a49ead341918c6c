/* SPDX-License-Identifier: Apache-2.0 */
/*
 * corim_values.h — the reference values of a CoRIM as far as we understand them, and evidence
 * judged by them.
 *
 * Read are CoMIDs as Cocos's generator names them ("snp-tag-…", "tdx-tag-…"; docs/policy.md). Each
 * reference triple is one entry, and holds as a whole: its environment and every one of its
 * measurements. One that we do not understand makes its entry unusable, and evidence that no usable
 * entry describes is refused. Policy and CoRIM both have to agree; only where a policy says nothing
 * does a CoRIM say which measurement is right.
 */
#pragma once

#include "attestation/corim/corim.h"
#include "attestation/corim/corim_entry.h"
#include "attestation/policy/policy.h"
#include "attestation/snp/snp_appraise.h"
#include "attestation/tdx/tdx_appraise.h"

struct corim_values {
	char problem[ERR_TEXT_MAX]; /* why the file is no good: "corim.accepted"; empty: it is */
	size_t count, unusable;
	struct corim_entry *entries;
	bool is_signed;
	uint8_t digest[SHA256_LEN]; /* of the file */
	/* What corim_values_policy() made, and about what the policy said nothing itself: there, an
	 * entry has to say it, or stands for the strict default. */
	uint8_t *sets[2 + CORIM_MRS];
	size_t set_count;
	bool fills_policy, fills_host_data, fills_mr[CORIM_MRS];
};

/* The CoRIM's file, as corim_parse() takes it: with a key it has to be signed by that one; without,
 * it has to be unsigned, and is as good as whoever named the file. What is wrong with it is kept in
 * `problem`, for a refusal; an error is one of ours. corim_values_done() in any case. */
int corim_values_read(struct span file, EVP_PKEY *key, int64_t at, struct corim_values *values,
		      struct err *e) MUST_CHECK;
void corim_values_done(struct corim_values *values);

/* What a policy says nothing about is taken from the entries; the sets belong to `values`. */
int corim_values_policy(struct corim_values *values, struct policy *policy,
			struct err *e) MUST_CHECK;

/* "corim.accepted". */
void corim_judge_file(const struct corim_values *values, struct verdict *v);

/* "corim.reference": some entry describes that very evidence. The results are of verified evidence;
 * whoever judges requires the check once the evidence has been gone through. */
void corim_judge_snp(const struct corim_values *values, const struct snp_result *result,
		     struct verdict *v);
void corim_judge_tdx(const struct corim_values *values, const struct tdx_result *result,
		     struct verdict *v);
