/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims.h — what a verdict's evidence says, for programs that go on with it: one JSON object, whose
 * form docs/verdict.md describes.
 *
 * Each part ("snp", "tdx", "tpm", "token", "run") says whether it is `verified`: somebody who counts
 * signed it, and nothing that was found speaks against that. It does not say that the part is fresh,
 * or what the policy asks for: that is the verdict's word.
 */
#pragma once

#include "attestation/verify/verify_input.h"

enum { CLAIMS_MAX = 2 << 20, CLAIMS_CLAIM_MAX = 1024 };

/* Of what verify() was asked with `in`, and answered in `v` and `result`. A part that can't be read is
 * left out. ERR_EXHAUSTED where it would be more than CLAIMS_MAX bytes. */
int claims_json(const struct verify_input *in, const struct verify_result *result,
		const struct verdict *v, struct writer *w, struct err *e) MUST_CHECK;
