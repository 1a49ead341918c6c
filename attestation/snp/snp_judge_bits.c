/* SPDX-License-Identifier: Apache-2.0 */
/* Bits of the guest's POLICY and of PLATFORM_INFO. */
#include "attestation/snp/snp_judge.h"

#include <stdio.h>

void snp_judge_bit(const struct snp_judge_rule *rule, uint64_t found, bool passed,
		   const char *wanted, struct verdict *v)
{
	verdict_check(v, rule->check, passed, found & rule->bit ? "set" : "clear", wanted);
}

/* What the owner does not allow, the guest may not allow. */
void snp_judge_allowing(const struct snp_judge_rule *rule, const struct snp_policy *p,
			const struct snp_evidence *ev, struct verdict *v)
{
	bool allowed = p->guest_policy & rule->bit;

	snp_judge_bit(rule, ev->report->policy, allowed || !(ev->report->policy & rule->bit),
		      allowed ? "set or clear" : "clear", v);
}

/* What the owner demands, the guest has to demand. */
void snp_judge_demanding(const struct snp_judge_rule *rule, const struct snp_policy *p,
			 const struct snp_evidence *ev, struct verdict *v)
{
	bool demanded = p->guest_policy & rule->bit;

	snp_judge_bit(rule, ev->report->policy, !demanded || (ev->report->policy & rule->bit),
		      demanded ? "set" : "set or clear", v);
}

void snp_judge_debug(const struct snp_judge_rule *rule, const struct snp_policy *p,
		     const struct snp_evidence *ev, struct verdict *v)
{
	snp_judge_bit(rule, ev->report->policy, !(ev->report->policy & SNP_POLICY_DEBUG),
		      "clear, always", v);
}

/* Major in the upper byte, minor in the lower: the order of weight. */
void snp_judge_abi(const struct snp_judge_rule *rule, const struct snp_policy *p,
		   const struct snp_evidence *ev, struct verdict *v)
{
	unsigned found = ev->report->policy & 0xffff, floor = p->guest_policy & 0xffff;
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "at least %u.%u", floor >> SNP_POLICY_ABI_MAJOR_SHIFT,
		 floor & SNP_POLICY_ABI_MINOR_MASK);
	verdict_checkf(v, rule->check, found >= floor, wanted, "%u.%u",
		       found >> SNP_POLICY_ABI_MAJOR_SHIFT, found & SNP_POLICY_ABI_MINOR_MASK);
}

void snp_judge_platform_demanded(const struct snp_judge_rule *rule, const struct snp_policy *p,
				 const struct snp_evidence *ev, struct verdict *v)
{
	uint64_t found = ev->report->platform_info & rule->bit;
	uint64_t missing = p->platform_info & rule->bit & ~found;
	uint64_t refused = p->platform_refused & found;

	snp_judge_bit(rule, found, missing == 0 && refused == 0,
		      p->platform_info & rule->bit      ? "set"
		      : p->platform_refused & rule->bit ? "clear"
							: "set or clear",
		      v);
}

/* Firmware starts no guest that forbids SMT on such a platform; a report that says so is wrong. */
void snp_judge_platform_smt(const struct snp_judge_rule *rule, const struct snp_policy *p,
			    const struct snp_evidence *ev, struct verdict *v)
{
	bool allowed = (p->guest_policy & SNP_POLICY_SMT) &&
		       (ev->report->policy & SNP_POLICY_SMT) && !(p->platform_refused & rule->bit);

	snp_judge_bit(rule, ev->report->platform_info,
		      allowed || !(ev->report->platform_info & rule->bit),
		      allowed ? "set or clear" : "clear, as SMT is not allowed", v);
}

void snp_judge_platform_tio(const struct snp_judge_rule *rule, const struct snp_policy *p,
			    const struct snp_evidence *ev, struct verdict *v)
{
	bool allowed = p->platform_info & rule->bit;

	snp_judge_bit(rule, ev->report->platform_info,
		      allowed || !(ev->report->platform_info & rule->bit),
		      allowed ? "set or clear" : "clear", v);
}
