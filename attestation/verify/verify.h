/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h — the verifier in one call: evidence, endorsements, policy, expected binding and time in,
 * a verdict out (RFC 9334).
 *
 * No globals, nothing allocated is left behind, any number of threads may call it at once. The mode
 * says what the evidence has to be; its contents never change that.
 */
#pragma once

#include "attestation/verify/verify_input.h"

/* Fills `v`. 0 says that the evidence was judged, no more: verdict_ok(v) is the answer. A failure is
 * no verdict (and verdict_ok(v) is false): -ERR_INVALID if the call itself makes no sense (no
 * binding, contradicting options), -ERR_EXHAUSTED without memory. `result` may be NULL. */
int verify(const struct verify_input *in, struct verdict *v, struct verify_result *result,
	   struct err *e) MUST_CHECK;

/* What can be judged without endorsements, of the same parts, to `v`: the token and who signed it, that
 * the evidence is bound as `in` says, that a quote's own chain signed it. Unless verdict_ok(v), no
 * endorsement would help, and nobody need be asked for one; a yes says nothing else. Fails as verify(). */
struct evidence_parts;
int verify_before(const struct verify_input *in, const struct evidence_parts *parts,
		  struct verdict *v, struct err *e) MUST_CHECK;

/* verify() of evidence that was taken apart before, from this very input: by evidence_parts_new(). */
int verify_parts(const struct verify_input *in, const struct evidence_parts *parts,
		 struct verdict *v, struct verify_result *result, struct err *e) MUST_CHECK;
