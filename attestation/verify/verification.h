/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verification.h — one verification under way, and its steps in order. Private to verify*.c.
 *
 * Each step adds its checks to the verdict and returns whether the next one makes sense; a step
 * that stops the way leaves a failed check behind.
 */
#pragma once

#include "attestation/verify/evidence_parts.h"

struct verification {
	const struct verify_input *in;
	const struct evidence_parts *parts;
	enum evidence_kind mode; /* once the token, if any, is believed to be of that kind */
	struct binding binding;  /* what the evidence has to be bound to */
	bool has_report_data;
	struct span tpm_nonce;
	struct snp_input snp; /* the caller's endorsements, and what the evidence brought itself */
	struct tdx_input tdx;
	struct tpm_input tpm;
	uint8_t tee_report_data[BINDING_REPORT_DATA_LEN];
	struct verify_result *result;
	struct verdict *v;
};

/* verify.c: what every call begins with; refuses one that makes no sense. */
int verification_begin(struct verification *x, const struct verify_input *in,
		       const struct evidence_parts *parts, struct verdict *v,
		       struct verify_result *result, struct err *e) MUST_CHECK;

/* verify_token.c: opens a token and checks who signed it and when; true also where the evidence
 * came without one. */
bool verify_token(struct verification *x);
/* Whether the token names the key of the channel that the caller described. */
bool verify_token_is_connections(const struct verification *x);

/* verify_binding.c: works out what the evidence has to be bound to, and that nothing that the
 * caller gave is left without effect. */
bool verify_binding(struct verification *x);

/* verify_evidence.c: what the hardware signed, by the mode; false for one that nobody judges. */
bool verify_evidence(struct verification *x);
bool verify_evidence_takes(enum evidence_kind kind);
