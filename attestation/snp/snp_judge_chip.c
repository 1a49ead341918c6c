/* SPDX-License-Identifier: Apache-2.0 */
/* The chip, and whose key signed. */
#include "attestation/snp/snp_judge.h"
#include "common/base/bytes.h"

#include <stdio.h>
#include <string.h>

void snp_judge_signing_key(const struct snp_judge_rule *rule, const struct snp_policy *p,
			   const struct snp_evidence *ev, struct verdict *v)
{
	verdict_check(v, rule->check, ev->key == SNP_KEY_VCEK || p->allow_vlek,
		      ev->key == SNP_KEY_VCEK ? "VCEK" : "VLEK",
		      p->allow_vlek ? "VCEK or VLEK" : "VCEK");
}

void snp_judge_csp_id(const struct snp_judge_rule *rule, const struct snp_policy *p,
		      const struct snp_evidence *ev, struct verdict *v)
{
	const char *found = ev->csp_id ? ev->csp_id : "none";

	if (p->csp_id) {
		verdict_check(v, rule->check, strcmp(found, p->csp_id) == 0, found, p->csp_id);
		return;
	}
	verdict_not_asked(v, rule->check, "the policy names no provider");
	if (ev->key == SNP_KEY_VLEK)
		verdict_note(v, NOTE_PROVIDER,
			     "signed by a key of the provider '%s', whom the policy doesn't name",
			     found);
}

void snp_judge_product(const struct snp_judge_rule *rule, const struct snp_policy *p,
		       const struct snp_evidence *ev, struct verdict *v)
{
	verdict_check(v, rule->check, p->product == SNP_PRODUCT_ANY || p->product == ev->product,
		      snp_product_name(ev->product), snp_product_name(p->product));
}

void snp_judge_stepping(const struct snp_judge_rule *rule, const struct snp_policy *p,
			const struct snp_evidence *ev, struct verdict *v)
{
	char wanted[16];

	if (p->stepping < 0) {
		verdict_not_asked(v, rule->check, "the policy names no stepping");
		return;
	}
	snprintf(wanted, sizeof(wanted), "%d", p->stepping);
	if (ev->report->version < 3)
		verdict_check(v, rule->check, false, "none: reports of version 2 have no CPUID",
			      wanted);
	else
		verdict_checkf(v, rule->check, ev->report->cpuid_step == p->stepping, wanted, "%u",
			       ev->report->cpuid_step);
}

/* A masked CHIP_ID is no chip's, whatever a list says. Under a VLEK it is the word of whoever holds that
 * key: an attacker who forges Milan's reports writes there what he likes, and no list helps. */
void snp_judge_chip_id(const struct snp_judge_rule *rule, const struct snp_policy *p,
		       const struct snp_evidence *ev, struct verdict *v)
{
	const uint8_t *chip = ev->report->chip_id;
	bool vlek = ev->key == SNP_KEY_VLEK;
	bool forgeable = ev->product == SNP_MILAN && (vlek || !p->chip_ids.count);

	if (forgeable && vlek)
		verdict_note(v, NOTE_NO_CHIP_LIST,
			     "Milan: a published attack forges any chip's report, and under a VLEK "
			     "CHIP_ID is only the word of who holds that key: a list of chips does "
			     "not help");
	if (forgeable && vlek && p->require_chip_allow_list) {
		verdict_check(v, rule->check, false, "a Milan chip under a VLEK, which names none",
			      "a chip of chip_ids by its VCEK");
		return;
	}
	if (p->chip_ids.count) {
		value_set_report(&p->chip_ids, chip, SNP_CHIP_ID_LEN,
				 !bytes_are(chip, SNP_CHIP_ID_LEN, 0) &&
					 value_set_has(&p->chip_ids, chip, SNP_CHIP_ID_LEN),
				 NULL, rule->check, v);
		return;
	}
	if (forgeable && p->require_chip_allow_list) {
		verdict_check(v, rule->check, false, "a Milan chip and no list of chips",
			      "chip_ids, since a published attack forges Milan's reports");
		return;
	}
	if (forgeable && !vlek)
		verdict_note(v, NOTE_NO_CHIP_LIST,
			     "Milan: a published attack forges any chip's report; name your "
			     "chips (chip_ids)");
	verdict_not_asked(v, rule->check, "the policy names no chips");
}
