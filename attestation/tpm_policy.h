/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_policy.h — what an owner wants of a TPM's registers.
 *
 * Filled by whoever reads policies and manifests; the arrays stay his. tpm_policy_init() gives the
 * strict default, which names no register and so accepts nothing.
 */
#pragma once

#include "attestation/event_log.h"
#include "attestation/event_rules.h"
#include "attestation/tpm_pcrs.h"
#include "attestation/tpm_quote.h"
#include "attestation/verdict.h"

/* A register that has to be quoted, in that bank, with one of `count` values (digest_len(bank) bytes
 * each, one after the other). No values: every one of its events has to be in `events`, and a log
 * has to show them. */
struct tpm_pcr_rule {
	enum digest_kind bank;
	uint32_t pcr;
	const uint8_t *values;
	size_t count;
};

struct tpm_policy {
	const struct tpm_pcr_rule *pcrs; /* none: refused, nothing says which values are right */
	size_t pcr_count;
	bool allow_sha1_bank; /* rules and quotes of SHA-1 banks count; signatures never do */
	bool has_reset_count; /* the TPM was not reset since it was seen with this count */
	uint32_t reset_count;
	bool separators_optional; /* see event_log.h */
	struct event_rules events;
};

void tpm_policy_init(struct tpm_policy *policy);

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
void tpm_policy_judge(const struct tpm_policy *policy, const struct tpm_facts *facts,
		      struct verdict *v);
