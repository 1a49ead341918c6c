/* SPDX-License-Identifier: Apache-2.0 */
/*
 * evidence_parts.h — one piece of evidence, taken apart once: for verify(), and before it for whoever
 * asks what endorsements are missing.
 *
 * Reading only: nothing here is verified, and what can't be read says why where it is judged.
 */
#pragma once

#include "attestation/envelope/tpm_attestation.h"
#include "attestation/tpm/hcl_report.h"
#include "attestation/verify/verify_input.h"

/* Spans point into the input's bytes, or into this. Of a part that is not there and has a `why`, that
 * is the reason; zero: this kind of evidence has no such part. */
struct evidence_parts {
	enum evidence_kind mode; /* these three of the input that it was made from */
	struct span evidence, hcl_report, td_quote;
	enum evidence_kind kind; /* as the token says; without one, the input's mode */
	struct span raw;         /* what the token holds, or all of it */

	bool in_token; /* it begins as a token does */
	bool has_token;
	struct eat token;
	struct err token_why;

	bool has_snp; /* `snp` was filled, from whatever held the report; it may say why not */
	struct snp_parsed snp;
	bool has_sevsnp; /* sevsnp.Attestation, where the report is in one */
	struct sevsnp_attestation sevsnp;
	struct err sevsnp_why;
	bool has_hcl; /* the input's hcl_report */
	struct hcl_report hcl;
	struct err hcl_why;

	struct tdx_parsed tdx;

	bool has_tpm; /* attest.Attestation */
	struct tpm_evidence tpm;
	struct err tpm_why;
};

/* `in` has to outlive it. Large: from the heap. */
int evidence_parts_new(const struct verify_input *in, struct evidence_parts **parts,
		       struct err *e) MUST_CHECK;
void evidence_parts_free(struct evidence_parts *parts);
DEFINE_CLEANUP(struct evidence_parts *, evidence_parts_free)

/* Were they made from what this input holds? */
bool evidence_parts_are_of(const struct evidence_parts *parts, const struct verify_input *in);
