/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_policy.h — are a TPM's registers as an owner wants them (policy_tpm.h)?
 */
#pragma once

#include "attestation/logs/event_log.h"
#include "attestation/tpm/policy_tpm.h"
#include "attestation/tpm/tpm_pcrs.h"
#include "attestation/tpm/tpm_quote.h"
#include "attestation/verdict/verdict.h"

/* What is judged together: quotes that hold, the values they vouch for, and the log that replays to
 * these, or NULL. */
struct tpm_facts {
	const struct tpm_quote *quotes;
	size_t quote_count;
	const struct tpm_pcrs *pcrs;
	const struct event_log *log;
};

/* Adds and requires policy.pcrs, policy.bank, policy.reset_count and policy.events; a register that
 * fails has a check of its own before, "policy.pcr7". */
void tpm_policy_judge(const struct policy_tpm *policy, const struct tpm_facts *facts,
		      struct verdict *v);
