/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_policy.h — what an owner wants of a TPM's registers, and whether they are so.
 */
#pragma once

#include "attestation/logs/event_log.h"
#include "attestation/logs/event_rules.h"
#include "attestation/tpm/tpm_pcrs.h"
#include "attestation/tpm/tpm_quote.h"
#include "attestation/verdict/value_set.h"
#include "common/crypto/digest.h"

enum { TPM_POLICY_PCRS_MAX = 24, TPM_POLICY_BANKS_MAX = 3 };

/* The acceptable values of one register of one bank; it has to be quoted.
 * No values: every one of its events has to be in `events`, and a log has to show them. */
struct tpm_policy_pcr {
	enum digest_kind bank; /* DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384 */
	unsigned index;
	struct value_set values;
};

/* Naming no register accepts nothing. */
struct tpm_policy {
	struct tpm_policy_pcr pcrs[TPM_POLICY_BANKS_MAX * TPM_POLICY_PCRS_MAX];
	size_t count;
	bool allow_sha1_bank; /* default false */
	bool has_reset_count;
	uint32_t reset_count;      /* equal to the quote's, if asked */
	bool separators_optional;  /* of the event log, see event_log.h; default false */
	struct event_rules events; /* default: the policy names none */
};

/* It names registers, and the software in the guest can set each back at any time (PC Client Platform
 * TPM Profile 1.06, 4.6.2: PCR 16 and 23, from any locality): what they hold says nothing about what
 * ran before it wrote there. */
bool tpm_policy_is_resettable(const struct tpm_policy *policy);

/* What is judged together: quotes that hold, the values they vouch for, and the log that replays to
 * these, or NULL. */
struct tpm_facts {
	const struct tpm_quote *quotes;
	size_t quote_count;
	const struct tpm_pcrs *pcrs;
	const struct event_log *log;
};

/* Requires these, for a caller that may not come to judge them. */
void tpm_policy_require(struct verdict *v);

/* Adds and requires policy.pcrs, policy.bank, policy.reset_count and policy.events; a register that
 * fails has a check of its own before, "policy.pcr7". */
void tpm_policy_judge(const struct tpm_policy *policy, const struct tpm_facts *facts,
		      struct verdict *v);
