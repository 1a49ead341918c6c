/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_policy.h — a policy applied to one quote: only its `tpm`, which needs nothing but
 * registers.
 */
#pragma once

#include "attestation/tpm/tpm_quote.h"
#include "cli/check/check.h"

/* The two rules that need no policy, for quotes that hold: each has --reset_count, and not the
 * SHA-1 bank alone without --allow_sha1_bank. */
int check_policy_alone(const struct check_input *in, const struct tpm_quote *quotes, size_t count,
		       struct verdict *v, struct err *e) MUST_CHECK;

/* Judges a quote that holds by --policy, --allow_sha1_bank and --reset_count. ERR_INVALID where the
 * policy can't be read or speaks of no TPM. */
int check_policy_quote(const struct check_input *in, const struct tpm_quote *quote,
		       const struct tpm_pcrs *pcrs, struct verdict *v, struct err *e) MUST_CHECK;
