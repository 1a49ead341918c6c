/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tpm/tpm_policy.h"

#include "common/base/encode.h"

#include <stdio.h>
#include <string.h>

enum { PCR_DEBUG = 16, PCR_APPLICATION = 23 };

bool tpm_policy_is_resettable(const struct tpm_policy *policy)
{
	for (size_t i = 0; i < policy->count; i++)
		if (policy->pcrs[i].index != PCR_DEBUG && policy->pcrs[i].index != PCR_APPLICATION)
			return false;
	return policy->count > 0;
}

static bool fail(struct verdict *v, const struct tpm_policy_pcr *rule, const char *found,
		 const char *wanted)
{
	return verdict_check_of(v, CHECK_POLICY_PCR, rule->index, false, found, wanted);
}

/* Some rule of `events` speaks of it, and the log has its events and no others. */
static bool events_account(const struct tpm_policy *p, const struct event_log *log,
			   const struct tpm_policy_pcr *rule, char fault[EVENT_FAULT_MAX])
{
	if (log && event_rules_cover(&p->events, rule->index, rule->bank))
		return event_rules_account(&p->events, rule->index, rule->bank, log, rule->index,
					   fault);
	snprintf(fault, EVENT_FAULT_MAX, "%s", log ? "no events are named" : "no event log");
	return false;
}

static bool judge_rule(const struct tpm_policy *p, const struct tpm_facts *facts,
		       const struct tpm_policy_pcr *rule, struct verdict *v)
{
	const struct tpm_pcr_bank *bank = tpm_pcrs_bank(facts->pcrs, rule->bank);
	char found[2 * DIGEST_MAX + 1], wanted[VERDICT_TEXT_MAX], fault[EVENT_FAULT_MAX];

	if (rule->index >= TPM_PCR_COUNT || !bank ||
	    !(bank->present & (UINT32_C(1) << rule->index)))
		return fail(v, rule, "not quoted", digest_name(rule->bank));
	if (rule->bank == DIGEST_SHA1 && !p->allow_sha1_bank)
		return fail(v, rule, "a SHA-1 bank",
			    "a bank of SHA-256 or better, unless allow_sha1_bank");
	hex_encode(bank->values[rule->index], digest_len(rule->bank), found);
	if (rule->values.count == 0)
		return events_account(p, facts->log, rule, fault) ||
		       fail(v, rule, fault, "the events that the policy names, and no others");
	if (value_set_has(&rule->values, bank->values[rule->index], digest_len(rule->bank)))
		return true;
	value_set_text(&rule->values, digest_len(rule->bank), NULL, wanted);
	return fail(v, rule, found, wanted);
}

static void judge_pcrs(const struct tpm_policy *p, const struct tpm_facts *facts, struct verdict *v)
{
	size_t good = 0;

	for (size_t i = 0; i < p->count; i++)
		good += judge_rule(p, facts, &p->pcrs[i], v);
	verdict_checkf(v, CHECK_POLICY_PCRS, p->count > 0 && good == p->count,
		       p->count ? "all registers that the policy names"
				: "a policy that names registers",
		       "%zu of %zu", good, p->count);
}

/* At least one quote is over a bank that counts. */
static void judge_bank(const struct tpm_policy *p, const struct tpm_facts *facts, struct verdict *v)
{
	bool better = false;

	for (size_t i = 0; i < facts->quote_count; i++)
		better |= !tpm_quote_is_sha1(&facts->quotes[i]);
	verdict_check(v, CHECK_POLICY_BANK, better || p->allow_sha1_bank,
		      better ? "SHA-256 or better" : "SHA-1 alone",
		      "SHA-256 or better, unless allow_sha1_bank");
}

/* PCR16 and others are back at their start value after a reset. */
static void judge_reset_count(const struct tpm_policy *p, const struct tpm_facts *facts,
			      struct verdict *v)
{
	for (size_t i = 0; i < facts->quote_count; i++) {
		uint32_t found = facts->quotes[i].attest.reset_count;
		char wanted[32] = "";

		if (p->has_reset_count)
			snprintf(wanted, sizeof(wanted), "%u", p->reset_count);
		verdict_checkf(v, CHECK_POLICY_RESET_COUNT,
			       !p->has_reset_count || found == p->reset_count, wanted, "%u", found);
	}
}

/* Where the policy speaks of a register's events, a log that is there has these and no others. */
static void judge_events(const struct tpm_policy *p, const struct tpm_facts *facts,
			 struct verdict *v)
{
	char fault[EVENT_FAULT_MAX];

	for (size_t i = 0; facts->log && i < p->events.count; i++) {
		const struct event_rule *rule = &p->events.rules[i], *last = i ? rule - 1 : NULL;

		if ((last && last->pcr == rule->pcr && last->bank == rule->bank) ||
		    event_rules_account(&p->events, rule->pcr, rule->bank, facts->log, rule->pcr,
					fault))
			continue;
		verdict_check(v, CHECK_POLICY_EVENTS, false, fault,
			      "the events that the policy names, and no others");
		return;
	}
	verdict_check(v, CHECK_POLICY_EVENTS, true,
		      p->events.count ? "as named" : "the policy names none", NULL);
}

void tpm_policy_require(struct verdict *v)
{
	verdict_require(v, CHECK_POLICY_PCRS);
	verdict_require(v, CHECK_POLICY_BANK);
	verdict_require(v, CHECK_POLICY_RESET_COUNT);
	verdict_require(v, CHECK_POLICY_EVENTS);
}

void tpm_policy_judge(const struct tpm_policy *policy, const struct tpm_facts *facts,
		      struct verdict *v)
{
	tpm_policy_require(v);
	judge_pcrs(policy, facts, v);
	judge_bank(policy, facts, v);
	judge_reset_count(policy, facts, v);
	judge_events(policy, facts, v);
}
