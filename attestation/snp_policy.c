/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp_policy.h"
#include "common/base/encode.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define REPORT	 "56860 table 23"
#define POLICY	 "56860 table 9"
#define PLATFORM "56860 table 24"

struct rule;
typedef void judge_fn(const struct rule *rule, const struct snp_policy *policy,
		      const struct snp_evidence *evidence, struct verdict *v);

/* One row of the table. */
struct rule {
	const char *check;
	judge_fn *judge; /* NULL: the check is made elsewhere */
	uint64_t bit;	 /* for rows about one bit */
};

#define ELSEWHERE(check_) { .check = check_ }

void snp_policy_init(struct snp_policy *policy)
{
	*policy = (struct snp_policy){
		.min_version = 2,
		.guest_policy = SNP_POLICY_RESERVED_ONE,
		.platform_info = SNP_PLATFORM_ALIAS_CHECK_COMPLETE,
		.stepping = -1,
	};
}

static bool all_bytes(const uint8_t *bytes, size_t len, uint8_t value)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i] != value)
			return false;
	return true;
}

static bool in_set(const struct snp_set *set, const uint8_t *value, size_t len)
{
	for (size_t i = 0; i < set->count; i++)
		if (memcmp(set->values + i * len, value, len) == 0)
			return true;
	return false;
}

/* `empty` is what an empty set wants. */
static void check_set(const struct rule *rule, const struct snp_set *set, const uint8_t *value,
		      size_t len, const char *empty, bool passed, struct verdict *v)
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
static void judge_zero_or_set(const struct rule *rule, const struct snp_set *set,
			      const uint8_t *value, size_t len, struct verdict *v)
{
	check_set(rule, set, value, len, "zero, as the policy names none",
		  set->count ? in_set(set, value, len) : all_bytes(value, len, 0), v);
}

static void judge_version(const struct rule *rule, const struct snp_policy *p,
			  const struct snp_evidence *ev, struct verdict *v)
{
	verdict_at_least(v, rule->check, REPORT, ev->report->version, p->min_version);
}

static void judge_guest_svn(const struct rule *rule, const struct snp_policy *p,
			    const struct snp_evidence *ev, struct verdict *v)
{
	verdict_at_least(v, rule->check, REPORT, ev->report->guest_svn, p->min_guest_svn);
}

static void check_bit(const struct rule *rule, const char *section, uint64_t found, bool passed,
		      const char *wanted, struct verdict *v)
{
	verdict_check(v, rule->check, section, passed, found & rule->bit ? "set" : "clear",
		      wanted);
}

/* What the owner does not allow, the guest may not allow. */
static void judge_allowing(const struct rule *rule, const struct snp_policy *p,
			   const struct snp_evidence *ev, struct verdict *v)
{
	bool allowed = p->guest_policy & rule->bit;

	check_bit(rule, POLICY, ev->report->policy, allowed || !(ev->report->policy & rule->bit),
		  allowed ? "set or clear" : "clear", v);
}

/* What the owner demands, the guest has to demand. */
static void judge_demanding(const struct rule *rule, const struct snp_policy *p,
			    const struct snp_evidence *ev, struct verdict *v)
{
	bool demanded = p->guest_policy & rule->bit;

	check_bit(rule, POLICY, ev->report->policy, !demanded || (ev->report->policy & rule->bit),
		  demanded ? "set" : "set or clear", v);
}

static void judge_debug(const struct rule *rule, const struct snp_policy *p,
			const struct snp_evidence *ev, struct verdict *v)
{
	check_bit(rule, POLICY, ev->report->policy, !(ev->report->policy & SNP_POLICY_DEBUG),
		  "clear, always", v);
}

/* Major in the upper byte, minor in the lower: the order of weight. */
static void judge_abi(const struct rule *rule, const struct snp_policy *p,
		      const struct snp_evidence *ev, struct verdict *v)
{
	unsigned found = ev->report->policy & 0xffff, floor = p->guest_policy & 0xffff;
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "at least %u.%u", floor >> SNP_POLICY_ABI_MAJOR_SHIFT,
		 floor & SNP_POLICY_ABI_MINOR_MASK);
	verdict_checkf(v, rule->check, POLICY, found >= floor, wanted, "%u.%u",
		       found >> SNP_POLICY_ABI_MAJOR_SHIFT, found & SNP_POLICY_ABI_MINOR_MASK);
}

static void judge_family_id(const struct rule *rule, const struct snp_policy *p,
			    const struct snp_evidence *ev, struct verdict *v)
{
	judge_zero_or_set(rule, &p->family_ids, ev->report->family_id, SNP_ID_LEN, v);
}

static void judge_image_id(const struct rule *rule, const struct snp_policy *p,
			   const struct snp_evidence *ev, struct verdict *v)
{
	judge_zero_or_set(rule, &p->image_ids, ev->report->image_id, SNP_ID_LEN, v);
}

static void judge_vmpl(const struct rule *rule, const struct snp_policy *p,
		       const struct snp_evidence *ev, struct verdict *v)
{
	char wanted[16];

	snprintf(wanted, sizeof(wanted), "%u", p->vmpl);
	verdict_checkf(v, rule->check, REPORT, ev->report->vmpl == p->vmpl, wanted, "%u",
		       ev->report->vmpl);
}

static void judge_provisional_tcb(const struct rule *rule, const struct snp_policy *p,
				  const struct snp_evidence *ev, struct verdict *v)
{
	bool same = memcmp(ev->report->current_tcb, ev->report->committed_tcb, SNP_TCB_LEN) == 0;

	verdict_check(v, rule->check, REPORT, same || p->allow_provisional,
		      same ? "CURRENT_TCB is COMMITTED_TCB" : "CURRENT_TCB is not committed",
		      p->allow_provisional ? "either" : "committed");
}

static void judge_provisional_firmware(const struct rule *rule, const struct snp_policy *p,
				       const struct snp_evidence *ev, struct verdict *v)
{
	const struct snp_report *r = ev->report;
	bool same = r->current_major == r->committed_major &&
		    r->current_minor == r->committed_minor &&
		    r->current_build == r->committed_build;

	verdict_checkf(v, rule->check, REPORT, same || p->allow_provisional,
		       p->allow_provisional ? "either" : "the committed firmware",
		       "firmware %u.%u.%u, committed %u.%u.%u", r->current_major, r->current_minor,
		       r->current_build, r->committed_major, r->committed_minor,
		       r->committed_build);
}

static void judge_platform_demanded(const struct rule *rule, const struct snp_policy *p,
				    const struct snp_evidence *ev, struct verdict *v)
{
	uint64_t missing = p->platform_info & rule->bit & ~ev->report->platform_info;

	check_bit(rule, PLATFORM, ev->report->platform_info, missing == 0,
		  p->platform_info & rule->bit ? "set" : "set or clear", v);
}

/* Firmware starts no guest that forbids SMT on such a platform; a report that says so is wrong. */
static void judge_platform_smt(const struct rule *rule, const struct snp_policy *p,
			       const struct snp_evidence *ev, struct verdict *v)
{
	bool allowed = (p->guest_policy & SNP_POLICY_SMT) &&
		       (ev->report->policy & SNP_POLICY_SMT);

	check_bit(rule, PLATFORM, ev->report->platform_info,
		  allowed || !(ev->report->platform_info & rule->bit),
		  allowed ? "set or clear" : "clear, as SMT is not allowed", v);
}

static void judge_platform_tio(const struct rule *rule, const struct snp_policy *p,
			       const struct snp_evidence *ev, struct verdict *v)
{
	bool allowed = p->platform_info & rule->bit;

	check_bit(rule, PLATFORM, ev->report->platform_info,
		  allowed || !(ev->report->platform_info & rule->bit),
		  allowed ? "set or clear" : "clear", v);
}

static void judge_author_key_en(const struct rule *rule, const struct snp_policy *p,
				const struct snp_evidence *ev, struct verdict *v)
{
	bool wanted = p->require_author_key || p->author_key_digests.count > 0;

	check_bit(rule, REPORT, ev->report->flags,
		  !wanted || snp_report_author_key_en(ev->report),
		  wanted ? "set" : "set or clear", v);
}

static void judge_signing_key(const struct rule *rule, const struct snp_policy *p,
			      const struct snp_evidence *ev, struct verdict *v)
{
	verdict_check(v, rule->check, REPORT, ev->key == SNP_KEY_VCEK || p->allow_vlek,
		      ev->key == SNP_KEY_VCEK ? "VCEK" : "VLEK",
		      p->allow_vlek ? "VCEK or VLEK" : "VCEK");
}

static void judge_csp_id(const struct rule *rule, const struct snp_policy *p,
			 const struct snp_evidence *ev, struct verdict *v)
{
	const char *found = ev->csp_id ? ev->csp_id : "none";

	if (p->csp_id) {
		verdict_check(v, rule->check, "57230 table 11", strcmp(found, p->csp_id) == 0,
			      found, p->csp_id);
		return;
	}
	verdict_not_asked(v, rule->check, "57230 table 11", "the policy names no provider");
	if (ev->key == SNP_KEY_VLEK)
		verdict_note(v, "signed by a key of the provider '%s', whom the policy doesn't name",
			     found);
}

static void judge_report_data(const struct rule *rule, const struct snp_policy *p,
			      const struct snp_evidence *ev, struct verdict *v)
{
	if (ev->report_data)
		verdict_bytes(v, rule->check, REPORT, ev->report->report_data, ev->report_data,
			      SNP_REPORT_DATA_LEN);
	else
		verdict_check(v, rule->check, REPORT, false, "no expected report data was given",
			      "what binds the report to its use");
}

static void judge_measurement(const struct rule *rule, const struct snp_policy *p,
			      const struct snp_evidence *ev, struct verdict *v)
{
	const uint8_t *found = ev->report->measurement;

	check_set(rule, &p->measurements, found, SNP_DIGEST_LEN,
		  "a measurement: nothing says which one is right",
		  in_set(&p->measurements, found, SNP_DIGEST_LEN), v);
}

static void judge_host_data(const struct rule *rule, const struct snp_policy *p,
			    const struct snp_evidence *ev, struct verdict *v)
{
	judge_zero_or_set(rule, &p->host_data, ev->report->host_data, SNP_HOST_DATA_LEN, v);
}

static void judge_id_key(const struct rule *rule, const struct snp_policy *p,
			 const struct snp_evidence *ev, struct verdict *v)
{
	judge_zero_or_set(rule, &p->id_key_digests, ev->report->id_key_digest, SNP_DIGEST_LEN, v);
}

/* With require_author_key and no set, any author's will do: the flag was asked for by itself. A
 * digest under a flag that is clear is nobody's. */
static void judge_author_key(const struct rule *rule, const struct snp_policy *p,
			     const struct snp_evidence *ev, struct verdict *v)
{
	const struct snp_set *set = &p->author_key_digests;
	const uint8_t *found = ev->report->author_key_digest;
	bool enabled = snp_report_author_key_en(ev->report);
	bool zero = all_bytes(found, SNP_DIGEST_LEN, 0), passed;

	if (set->count)
		passed = enabled && in_set(set, found, SNP_DIGEST_LEN);
	else
		passed = enabled ? p->require_author_key && !zero : zero;
	check_set(rule, set, found, SNP_DIGEST_LEN,
		  p->require_author_key ? "an author key, and AUTHOR_KEY_EN"
					: "zero, as the policy names none",
		  passed, v);
}

static void judge_report_id(const struct rule *rule, const struct snp_policy *p,
			    const struct snp_evidence *ev, struct verdict *v)
{
	if (p->report_ids.count)
		check_set(rule, &p->report_ids, ev->report->report_id, SNP_REPORT_ID_LEN, NULL,
			  in_set(&p->report_ids, ev->report->report_id, SNP_REPORT_ID_LEN), v);
	else
		verdict_not_asked(v, rule->check, REPORT, "the policy holds on to no one guest");
}

static void judge_report_id_ma(const struct rule *rule, const struct snp_policy *p,
			       const struct snp_evidence *ev, struct verdict *v)
{
	const uint8_t *found = ev->report->report_id_ma;
	bool passed;

	if (p->report_id_mas.count)
		passed = in_set(&p->report_id_mas, found, SNP_REPORT_ID_LEN);
	else
		passed = (p->guest_policy & SNP_POLICY_MIGRATE_MA) ||
			 all_bytes(found, SNP_REPORT_ID_LEN, 0xff);
	check_set(rule, &p->report_id_mas, found, SNP_REPORT_ID_LEN, "all ones: no migration agent",
		  passed, v);
}

static void check_floor(const struct rule *rule, const struct snp_tcb *tcb,
			const struct snp_tcb *floor, struct verdict *v)
{
	char found[SNP_TCB_TEXT_MAX], limit[SNP_TCB_TEXT_MAX], wanted[SNP_TCB_TEXT_MAX + 16];

	snp_tcb_text(tcb, found);
	snp_tcb_text(floor, limit);
	snprintf(wanted, sizeof(wanted), "at least %s", limit);
	verdict_check(v, rule->check, "57230 3.1", snp_tcb_at_least(tcb, floor), found, wanted);
}

/* The certificate's word, not the report's. */
static void judge_min_tcb(const struct rule *rule, const struct snp_policy *p,
			  const struct snp_evidence *ev, struct verdict *v)
{
	check_floor(rule, &ev->tcb, &p->min_tcb, v);
}

static void judge_launch_tcb(const struct rule *rule, const struct snp_policy *p,
			     const struct snp_evidence *ev, struct verdict *v)
{
	struct snp_tcb tcb = snp_tcb_of(ev->report->launch_tcb, ev->product);

	check_floor(rule, &tcb, p->has_min_launch_tcb ? &p->min_launch_tcb : &p->min_tcb, v);
}

static void judge_product(const struct rule *rule, const struct snp_policy *p,
			  const struct snp_evidence *ev, struct verdict *v)
{
	verdict_check(v, rule->check, "57230 tables 8 to 11",
		      p->product == SNP_PRODUCT_ANY || p->product == ev->product,
		      snp_product_name(ev->product), snp_product_name(p->product));
}

static void judge_stepping(const struct rule *rule, const struct snp_policy *p,
			   const struct snp_evidence *ev, struct verdict *v)
{
	char wanted[16];

	if (p->stepping < 0) {
		verdict_not_asked(v, rule->check, REPORT, "the policy names no stepping");
		return;
	}
	snprintf(wanted, sizeof(wanted), "%d", p->stepping);
	verdict_checkf(v, rule->check, REPORT,
		       ev->report->version >= 3 && ev->report->cpuid_step == p->stepping, wanted,
		       "%u", ev->report->cpuid_step);
}

/* A masked CHIP_ID is no chip's, whatever a list says. */
static void judge_chip_id(const struct rule *rule, const struct snp_policy *p,
			  const struct snp_evidence *ev, struct verdict *v)
{
	const uint8_t *chip = ev->report->chip_id;
	bool forgeable = ev->product == SNP_MILAN && !p->chip_ids.count;

	if (p->chip_ids.count) {
		check_set(rule, &p->chip_ids, chip, SNP_CHIP_ID_LEN, NULL,
			  !all_bytes(chip, SNP_CHIP_ID_LEN, 0) &&
				  in_set(&p->chip_ids, chip, SNP_CHIP_ID_LEN),
			  v);
		return;
	}
	if (forgeable && p->require_chip_allow_list) {
		verdict_check(v, rule->check, REPORT, false, "a Milan chip and no list of chips",
			      "chip_ids, since a published attack forges Milan's reports");
		return;
	}
	if (forgeable)
		verdict_note(v, "Milan: a published attack forges any chip's report; name your "
				"chips (chip_ids)");
	verdict_not_asked(v, rule->check, REPORT, "the policy names no chips");
}

static void judge_build(const struct rule *rule, const struct snp_policy *p,
			const struct snp_evidence *ev, struct verdict *v)
{
	verdict_at_least(v, rule->check, REPORT, ev->report->current_build, p->min_build);
}

static void judge_api_version(const struct rule *rule, const struct snp_policy *p,
			      const struct snp_evidence *ev, struct verdict *v)
{
	const struct snp_report *r = ev->report;
	unsigned found = (unsigned)r->current_major << 8 | r->current_minor;
	unsigned floor = (unsigned)p->min_api_major << 8 | p->min_api_minor;
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "at least %u.%u", p->min_api_major, p->min_api_minor);
	verdict_checkf(v, rule->check, REPORT, found >= floor, wanted, "%u.%u", r->current_major,
		       r->current_minor);
}

static void judge_firmware(const struct rule *rule, const struct snp_policy *p,
			   const struct snp_evidence *ev, struct verdict *v)
{
	const struct snp_report *r = ev->report;
	const uint8_t *m = p->min_firmware;
	unsigned found = (unsigned)r->current_major << 16 | (unsigned)r->current_minor << 8 |
			 r->current_build;
	unsigned floor = (unsigned)m[0] << 16 | (unsigned)m[1] << 8 | m[2];
	char wanted[32];

	snprintf(wanted, sizeof(wanted), "at least %u.%u.%u", m[0], m[1], m[2]);
	verdict_checkf(v, rule->check, REPORT, found >= floor, wanted, "%u.%u.%u",
		       r->current_major, r->current_minor, r->current_build);
}

static void check_mitigations(const struct rule *rule, uint64_t found, uint64_t wanted,
			      struct verdict *v)
{
	char text[48];

	snprintf(text, sizeof(text), "0x%" PRIx64 " set", wanted);
	verdict_checkf(v, rule->check, REPORT, (wanted & ~found) == 0, text, "0x%" PRIx64, found);
}

static void judge_launch_mitigations(const struct rule *rule, const struct snp_policy *p,
				     const struct snp_evidence *ev, struct verdict *v)
{
	check_mitigations(rule, ev->report->launch_mit_vector, p->launch_mit_vector, v);
}

static void judge_current_mitigations(const struct rule *rule, const struct snp_policy *p,
				      const struct snp_evidence *ev, struct verdict *v)
{
	check_mitigations(rule, ev->report->current_mit_vector, p->current_mit_vector, v);
}

#define PLATFORM_NAMED                                                                             \
	(SNP_PLATFORM_SMT_EN | SNP_PLATFORM_TSME_EN | SNP_PLATFORM_ECC_EN |                        \
	 SNP_PLATFORM_RAPL_DIS | SNP_PLATFORM_CIPHERTEXT_HIDING_EN |                               \
	 SNP_PLATFORM_ALIAS_CHECK_COMPLETE | SNP_PLATFORM_TIO_EN)

/* The table: rules_of_X for each member X of struct snp_report. */
#define RULES(member) static const struct rule rules_of_##member[]

RULES(version) = { { "policy.version", judge_version, 0 } };
RULES(guest_svn) = { { "policy.guest_svn", judge_guest_svn, 0 } };
RULES(policy) = {
	ELSEWHERE("parse.report"), /* reserved bits */
	{ "policy.abi", judge_abi, 0 },
	{ "policy.smt", judge_allowing, SNP_POLICY_SMT },
	{ "policy.migrate_ma", judge_allowing, SNP_POLICY_MIGRATE_MA },
	{ "policy.debug", judge_debug, SNP_POLICY_DEBUG },
	{ "policy.single_socket", judge_demanding, SNP_POLICY_SINGLE_SOCKET },
	{ "policy.cxl_allow", judge_allowing, SNP_POLICY_CXL_ALLOW },
	{ "policy.mem_aes_256_xts", judge_demanding, SNP_POLICY_MEM_AES_256_XTS },
	{ "policy.rapl_dis", judge_demanding, SNP_POLICY_RAPL_DIS },
	{ "policy.ciphertext_hiding", judge_demanding, SNP_POLICY_CIPHERTEXT_HIDING },
	{ "policy.page_swap_disable", judge_demanding, SNP_POLICY_PAGE_SWAP_DISABLE },
};
RULES(family_id) = { { "policy.family_id", judge_family_id, 0 } };
RULES(image_id) = { { "policy.image_id", judge_image_id, 0 } };
RULES(vmpl) = { { "policy.vmpl", judge_vmpl, 0 } };
RULES(signature_algo) = { ELSEWHERE("parse.report") };
RULES(current_tcb) = {
	ELSEWHERE("tcb.committed"),
	{ "policy.provisional_tcb", judge_provisional_tcb, 0 },
};
RULES(platform_info) = {
	{ "policy.platform_alias_check", judge_platform_demanded,
	  SNP_PLATFORM_ALIAS_CHECK_COMPLETE },
	{ "policy.platform_smt", judge_platform_smt, SNP_PLATFORM_SMT_EN },
	{ "policy.platform_tsme", judge_platform_demanded, SNP_PLATFORM_TSME_EN },
	{ "policy.platform_ecc", judge_platform_demanded, SNP_PLATFORM_ECC_EN },
	{ "policy.platform_rapl_dis", judge_platform_demanded, SNP_PLATFORM_RAPL_DIS },
	{ "policy.platform_ciphertext_hiding", judge_platform_demanded,
	  SNP_PLATFORM_CIPHERTEXT_HIDING_EN },
	{ "policy.platform_tio", judge_platform_tio, SNP_PLATFORM_TIO_EN },
	{ "policy.platform_other", judge_platform_demanded, ~PLATFORM_NAMED },
};
RULES(flags) = {
	ELSEWHERE("binding.mask_chip_key"),
	ELSEWHERE("binding.signing_key"),
	{ "policy.author_key_en", judge_author_key_en, SNP_FLAG_AUTHOR_KEY_EN },
	{ "policy.signing_key", judge_signing_key, 0 },
	{ "policy.csp_id", judge_csp_id, 0 },
};
RULES(report_data) = { { "policy.report_data", judge_report_data, 0 } };
RULES(measurement) = { { "policy.measurement", judge_measurement, 0 } };
RULES(host_data) = { { "policy.host_data", judge_host_data, 0 } };
RULES(id_key_digest) = { { "policy.id_key_digest", judge_id_key, 0 } };
RULES(author_key_digest) = { { "policy.author_key_digest", judge_author_key, 0 } };
RULES(report_id) = { { "policy.report_id", judge_report_id, 0 } };
RULES(report_id_ma) = { { "policy.report_id_ma", judge_report_id_ma, 0 } };
RULES(reported_tcb) = {
	ELSEWHERE("binding.tcb"),
	ELSEWHERE("tcb.reported"),
	{ "policy.min_tcb", judge_min_tcb, 0 },
};
RULES(cpuid_fam_id) = {
	ELSEWHERE("binding.cpuid"),
	{ "policy.product", judge_product, 0 },
};
RULES(cpuid_mod_id) = { ELSEWHERE("binding.cpuid") };
RULES(cpuid_step) = { { "policy.stepping", judge_stepping, 0 } };
RULES(chip_id) = {
	ELSEWHERE("binding.chip_id"),
	{ "policy.chip_id", judge_chip_id, 0 },
};
RULES(committed_tcb) = { ELSEWHERE("tcb.reported"), ELSEWHERE("tcb.committed") };
RULES(current_build) = {
	{ "policy.build", judge_build, 0 },
	{ "policy.firmware", judge_firmware, 0 },
};
RULES(current_minor) = { { "policy.api_version", judge_api_version, 0 } };
RULES(current_major) = { ELSEWHERE("policy.api_version"), ELSEWHERE("policy.firmware") };
RULES(committed_build) = {
	ELSEWHERE("tcb.firmware"),
	{ "policy.provisional_firmware", judge_provisional_firmware, 0 },
};
RULES(committed_minor) = { ELSEWHERE("tcb.firmware") };
RULES(committed_major) = { ELSEWHERE("tcb.firmware") };
RULES(launch_tcb) = { { "policy.launch_tcb", judge_launch_tcb, 0 } };
RULES(launch_mit_vector) = { { "policy.launch_mit_vector", judge_launch_mitigations, 0 } };
RULES(current_mit_vector) = { { "policy.current_mit_vector", judge_current_mitigations, 0 } };
RULES(signature_r) = { ELSEWHERE("signature.report") };
RULES(signature_s) = { ELSEWHERE("signature.report") };

#define FIELD_RULES(type, member, spec, offset, len, since)                                        \
	{ #member, rules_of_##member, ARRAY_LEN(rules_of_##member) },

static const struct {
	const char *field;
	const struct rule *rules;
	size_t count;
} fields[] = { SNP_REPORT_FIELDS(FIELD_RULES) };

void snp_policy_judge(const struct snp_policy *policy, const struct snp_evidence *evidence,
		      struct verdict *v)
{
	size_t before = v->count, rows = 0;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		for (size_t n = 0; n < fields[i].count; n++) {
			const struct rule *rule = &fields[i].rules[n];

			if (!rule->judge)
				continue;
			rule->judge(rule, policy, evidence, v);
			rows++;
		}
	verdict_checkf(v, "policy.applied", REPORT, rows > 0 && v->count == before + rows,
		       "one check for each row", "%zu checks for %zu rows", v->count - before,
		       rows);
}

void snp_policy_judge_report_data(const struct snp_evidence *evidence, struct verdict *v)
{
	judge_report_data(&rules_of_report_data[0], NULL, evidence, v);
}

size_t snp_policy_rules(struct snp_rule *rules, size_t room)
{
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		for (size_t n = 0; n < fields[i].count; n++, count++)
			if (count < room)
				rules[count] = (struct snp_rule){
					.field = fields[i].field,
					.check = fields[i].rules[n].check,
				};
	return count;
}
