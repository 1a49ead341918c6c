/* SPDX-License-Identifier: Apache-2.0 */
/* The guest: what was launched, by whom it was signed, and what the report was asked for. */
#include "attestation/snp/snp_judge.h"
#include "common/base/bytes.h"
#include "common/base/encode.h"

#include <stdio.h>
#include <string.h>

/* `empty` is what an empty set wants. */
void snp_judge_set(const struct snp_judge_rule *rule, const struct snp_set *set,
		   const uint8_t *value, size_t len, const char *empty, bool passed,
		   struct verdict *v)
{
	char found[2 * SNP_REPORT_DATA_LEN + 1], wanted[2 * SNP_REPORT_DATA_LEN + 32];

	hex_encode(value, len, found);
	if (set->count == 1)
		hex_encode(set->values, len, wanted);
	else
		snprintf(wanted, sizeof(wanted), "one of the %zu of the policy", set->count);
	verdict_check(v, rule->check, REPORT, passed, found, set->count ? wanted : empty);
}

/* In the set, or zero if the set is empty. */
static void judge_zero_or_set(const struct snp_judge_rule *rule, const struct snp_set *set,
			      const uint8_t *value, size_t len, struct verdict *v)
{
	snp_judge_set(rule, set, value, len, "zero, as the policy names none",
		      set->count ? bytes_among(set->values, set->count, value, len)
				 : bytes_are(value, len, 0),
		      v);
}

void snp_judge_version(const struct snp_judge_rule *rule, const struct snp_policy *p,
		       const struct snp_evidence *ev, struct verdict *v)
{
	verdict_at_least(v, rule->check, REPORT, ev->report->version, p->min_version);
}

void snp_judge_guest_svn(const struct snp_judge_rule *rule, const struct snp_policy *p,
			 const struct snp_evidence *ev, struct verdict *v)
{
	verdict_at_least(v, rule->check, REPORT, ev->report->guest_svn, p->min_guest_svn);
}

void snp_judge_family_id(const struct snp_judge_rule *rule, const struct snp_policy *p,
			 const struct snp_evidence *ev, struct verdict *v)
{
	judge_zero_or_set(rule, &p->family_ids, ev->report->family_id, SNP_ID_LEN, v);
}

void snp_judge_image_id(const struct snp_judge_rule *rule, const struct snp_policy *p,
			const struct snp_evidence *ev, struct verdict *v)
{
	judge_zero_or_set(rule, &p->image_ids, ev->report->image_id, SNP_ID_LEN, v);
}

void snp_judge_vmpl(const struct snp_judge_rule *rule, const struct snp_policy *p,
		    const struct snp_evidence *ev, struct verdict *v)
{
	char wanted[16];

	snprintf(wanted, sizeof(wanted), "%u", p->vmpl);
	verdict_checkf(v, rule->check, REPORT, ev->report->vmpl == p->vmpl, wanted, "%u",
		       ev->report->vmpl);
}

void snp_judge_author_key_en(const struct snp_judge_rule *rule, const struct snp_policy *p,
			     const struct snp_evidence *ev, struct verdict *v)
{
	bool wanted = p->require_author_key || p->author_key_digests.count > 0;

	snp_judge_bit(rule, REPORT, ev->report->flags,
		      !wanted || snp_report_author_key_en(ev->report),
		      wanted ? "set" : "set or clear", v);
}

void snp_judge_report_data(const struct snp_judge_rule *rule, const struct snp_policy *p,
			   const struct snp_evidence *ev, struct verdict *v)
{
	if (ev->report_data)
		verdict_bytes(v, rule->check, REPORT, ev->report->report_data, ev->report_data,
			      SNP_REPORT_DATA_LEN);
	else
		verdict_check(v, rule->check, REPORT, false, "no expected report data was given",
			      "what binds the report to its use");
}

void snp_judge_measurement(const struct snp_judge_rule *rule, const struct snp_policy *p,
			   const struct snp_evidence *ev, struct verdict *v)
{
	const uint8_t *found = ev->report->measurement;

	snp_judge_set(
		rule, &p->measurements, found, SNP_DIGEST_LEN,
		"a measurement: nothing says which one is right",
		bytes_among(p->measurements.values, p->measurements.count, found, SNP_DIGEST_LEN),
		v);
}

void snp_judge_host_data(const struct snp_judge_rule *rule, const struct snp_policy *p,
			 const struct snp_evidence *ev, struct verdict *v)
{
	const uint8_t *found = ev->report->host_data;

	if (p->host_data_of_run && !p->host_data.count)
		snp_judge_set(rule, &p->host_data, found, SNP_HOST_DATA_LEN,
			      "a digest of the boot configuration",
			      !bytes_are(found, SNP_HOST_DATA_LEN, 0), v);
	else
		judge_zero_or_set(rule, &p->host_data, found, SNP_HOST_DATA_LEN, v);
}

void snp_judge_id_key(const struct snp_judge_rule *rule, const struct snp_policy *p,
		      const struct snp_evidence *ev, struct verdict *v)
{
	judge_zero_or_set(rule, &p->id_key_digests, ev->report->id_key_digest, SNP_DIGEST_LEN, v);
}

/* With require_author_key and no set, any author's will do: the flag was asked for by itself. A
 * digest under a flag that is clear is nobody's. */
void snp_judge_author_key(const struct snp_judge_rule *rule, const struct snp_policy *p,
			  const struct snp_evidence *ev, struct verdict *v)
{
	const struct snp_set *set = &p->author_key_digests;
	const uint8_t *found = ev->report->author_key_digest;
	bool enabled = snp_report_author_key_en(ev->report);
	bool zero = bytes_are(found, SNP_DIGEST_LEN, 0), passed;

	if (set->count)
		passed = enabled && bytes_among(set->values, set->count, found, SNP_DIGEST_LEN);
	else
		passed = enabled ? p->require_author_key && !zero : zero;
	snp_judge_set(rule, set, found, SNP_DIGEST_LEN,
		      p->require_author_key ? "an author key, and AUTHOR_KEY_EN"
					    : "zero, as the policy names none",
		      passed, v);
}

void snp_judge_report_id(const struct snp_judge_rule *rule, const struct snp_policy *p,
			 const struct snp_evidence *ev, struct verdict *v)
{
	if (p->report_ids.count)
		snp_judge_set(rule, &p->report_ids, ev->report->report_id, SNP_REPORT_ID_LEN, NULL,
			      bytes_among(p->report_ids.values, p->report_ids.count,
					  ev->report->report_id, SNP_REPORT_ID_LEN),
			      v);
	else
		verdict_not_asked(v, rule->check, REPORT, "the policy holds on to no one guest");
}

void snp_judge_report_id_ma(const struct snp_judge_rule *rule, const struct snp_policy *p,
			    const struct snp_evidence *ev, struct verdict *v)
{
	const uint8_t *found = ev->report->report_id_ma;
	bool passed;

	if (p->report_id_mas.count)
		passed = bytes_among(p->report_id_mas.values, p->report_id_mas.count, found,
				     SNP_REPORT_ID_LEN);
	else
		passed = (p->guest_policy & SNP_POLICY_MIGRATE_MA) ||
			 bytes_are(found, SNP_REPORT_ID_LEN, 0xff);
	snp_judge_set(rule, &p->report_id_mas, found, SNP_REPORT_ID_LEN,
		      "all ones: no migration agent", passed, v);
}
