/* SPDX-License-Identifier: Apache-2.0 */
/* The guest: what was launched, by whom it was signed, and what the report was asked for. */
#include "attestation/snp/snp_judge.h"
#include "common/base/bytes.h"
#include "common/base/encode.h"

#include <stdio.h>
#include <string.h>

static const char none_named[] = "zero, as the policy names none";

void snp_judge_version(const struct snp_judge_rule *rule, const struct snp_policy *p,
		       const struct snp_evidence *ev, struct verdict *v)
{
	verdict_at_least(v, rule->check, ev->report->version, p->min_version);
}

void snp_judge_guest_svn(const struct snp_judge_rule *rule, const struct snp_policy *p,
			 const struct snp_evidence *ev, struct verdict *v)
{
	verdict_at_least(v, rule->check, ev->report->guest_svn, p->min_guest_svn);
}

void snp_judge_family_id(const struct snp_judge_rule *rule, const struct snp_policy *p,
			 const struct snp_evidence *ev, struct verdict *v)
{
	value_set_judge_or_zero(&p->family_ids, ev->report->family_id, SNP_ID_LEN, none_named,
				rule->check, v);
}

void snp_judge_image_id(const struct snp_judge_rule *rule, const struct snp_policy *p,
			const struct snp_evidence *ev, struct verdict *v)
{
	value_set_judge_or_zero(&p->image_ids, ev->report->image_id, SNP_ID_LEN, none_named,
				rule->check, v);
}

void snp_judge_vmpl(const struct snp_judge_rule *rule, const struct snp_policy *p,
		    const struct snp_evidence *ev, struct verdict *v)
{
	char wanted[16];

	snprintf(wanted, sizeof(wanted), "%u", p->vmpl);
	verdict_checkf(v, rule->check, ev->report->vmpl == p->vmpl, wanted, "%u", ev->report->vmpl);
}

void snp_judge_author_key_en(const struct snp_judge_rule *rule, const struct snp_policy *p,
			     const struct snp_evidence *ev, struct verdict *v)
{
	bool wanted = p->require_author_key || p->author_key_digests.count > 0;

	snp_judge_bit(rule, ev->report->flags, !wanted || snp_report_author_key_en(ev->report),
		      wanted ? "set" : "set or clear", v);
}

void snp_judge_report_data(const struct snp_judge_rule *rule, const struct snp_policy *p,
			   const struct snp_evidence *ev, struct verdict *v)
{
	if (ev->report_data)
		verdict_bytes(v, rule->check, ev->report->report_data, ev->report_data,
			      SNP_REPORT_DATA_LEN);
	else
		verdict_check(v, rule->check, false, "no expected report data was given",
			      "what binds the report to its use");
}

void snp_judge_measurement(const struct snp_judge_rule *rule, const struct snp_policy *p,
			   const struct snp_evidence *ev, struct verdict *v)
{
	const uint8_t *found = ev->report->measurement;

	value_set_judge(&p->measurements, found, SNP_DIGEST_LEN,
			"a measurement: nothing says which one is right", rule->check, v);
}

void snp_judge_host_data(const struct snp_judge_rule *rule, const struct snp_policy *p,
			 const struct snp_evidence *ev, struct verdict *v)
{
	const uint8_t *found = ev->report->host_data;

	if (p->host_data_of_run && !p->host_data.count)
		value_set_report(&p->host_data, found, SNP_HOST_DATA_LEN,
				 !bytes_are(found, SNP_HOST_DATA_LEN, 0),
				 "a digest of the boot configuration", rule->check, v);
	else
		value_set_judge_or_zero(&p->host_data, found, SNP_HOST_DATA_LEN, none_named,
					rule->check, v);
}

void snp_judge_id_key(const struct snp_judge_rule *rule, const struct snp_policy *p,
		      const struct snp_evidence *ev, struct verdict *v)
{
	value_set_judge_or_zero(&p->id_key_digests, ev->report->id_key_digest, SNP_DIGEST_LEN,
				none_named, rule->check, v);
}

/* With require_author_key and no set, any author's will do: the flag was asked for by itself. A
 * digest under a flag that is clear is nobody's. */
void snp_judge_author_key(const struct snp_judge_rule *rule, const struct snp_policy *p,
			  const struct snp_evidence *ev, struct verdict *v)
{
	const struct value_set *set = &p->author_key_digests;
	const uint8_t *found = ev->report->author_key_digest;
	bool enabled = snp_report_author_key_en(ev->report);
	bool zero = bytes_are(found, SNP_DIGEST_LEN, 0), passed;

	if (enabled == zero) {
		verdict_check(v, rule->check, false,
			      zero ? "zeros, and AUTHOR_KEY_EN" : "a digest, and no AUTHOR_KEY_EN",
			      "a digest and the flag, or neither");
		return;
	}
	passed = set->count ? enabled && value_set_has(set, found, SNP_DIGEST_LEN)
			    : !enabled || p->require_author_key;
	value_set_report(set, found, SNP_DIGEST_LEN, passed,
			 p->require_author_key ? "an author key, and AUTHOR_KEY_EN" : none_named,
			 rule->check, v);
}

void snp_judge_report_id(const struct snp_judge_rule *rule, const struct snp_policy *p,
			 const struct snp_evidence *ev, struct verdict *v)
{
	if (p->report_ids.count)
		value_set_judge(&p->report_ids, ev->report->report_id, SNP_REPORT_ID_LEN, NULL,
				rule->check, v);
	else
		verdict_not_asked(v, rule->check, "the policy holds on to no one guest");
}

/* An agent is taken by its name alone: that migration is allowed says nothing of by whom. One beside
 * a POLICY without MIGRATE_MA is nobody's. */
void snp_judge_report_id_ma(const struct snp_judge_rule *rule, const struct snp_policy *p,
			    const struct snp_evidence *ev, struct verdict *v)
{
	const struct value_set *set = &p->report_id_mas;
	const uint8_t *found = ev->report->report_id_ma;
	bool none = bytes_are(found, SNP_REPORT_ID_LEN, 0xff);
	bool passed = set->count ? value_set_has(set, found, SNP_REPORT_ID_LEN) : none;

	if (passed && !none && !(ev->report->policy & SNP_POLICY_MIGRATE_MA))
		verdict_check(v, rule->check, false, "a migration agent, and no MIGRATE_MA",
			      "none beside a POLICY that allows none");
	else
		value_set_report(set, found, SNP_REPORT_ID_LEN, passed,
				 "all ones: no migration agent", rule->check, v);
}
