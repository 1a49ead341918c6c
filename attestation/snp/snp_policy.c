/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_judge.h"

#define RULE(check_, judge_, bit_) { .check = check_, .judge = judge_, .bit = bit_ }
#define ELSEWHERE(check_)          { .check = check_ }
/* "not asked" where the policy says nothing of it */
#define SILENT(check_, judge_) { .check = check_, .judge = judge_, .may_be_silent = true }

void snp_policy_init(struct snp_policy *policy)
{
	*policy = (struct snp_policy){
		.min_version = 2,
		.guest_policy = SNP_POLICY_RESERVED_ONE,
		.platform_info = SNP_PLATFORM_ALIAS_CHECK_COMPLETE,
		.stepping = -1,
	};
}

#define PLATFORM_NAMED                                                      \
	(SNP_PLATFORM_SMT_EN | SNP_PLATFORM_TSME_EN | SNP_PLATFORM_ECC_EN | \
	 SNP_PLATFORM_RAPL_DIS | SNP_PLATFORM_CIPHERTEXT_HIDING_EN |        \
	 SNP_PLATFORM_ALIAS_CHECK_COMPLETE | SNP_PLATFORM_TIO_EN)

/* The table: rules_of_X for each member X of struct snp_report. */
#define RULES(member) static const struct snp_judge_rule rules_of_##member[]

RULES(version) = { RULE(CHECK_POLICY_VERSION, snp_judge_version, 0) };
RULES(guest_svn) = { RULE(CHECK_POLICY_GUEST_SVN, snp_judge_guest_svn, 0) };
RULES(policy) = {
	ELSEWHERE(CHECK_PARSE_REPORT), /* reserved bits */
	RULE(CHECK_POLICY_ABI, snp_judge_abi, 0),
	RULE(CHECK_POLICY_SMT, snp_judge_allowing, SNP_POLICY_SMT),
	RULE(CHECK_POLICY_MIGRATE_MA, snp_judge_allowing, SNP_POLICY_MIGRATE_MA),
	RULE(CHECK_POLICY_DEBUG, snp_judge_debug, SNP_POLICY_DEBUG),
	RULE(CHECK_POLICY_SINGLE_SOCKET, snp_judge_demanding, SNP_POLICY_SINGLE_SOCKET),
	RULE(CHECK_POLICY_CXL_ALLOW, snp_judge_allowing, SNP_POLICY_CXL_ALLOW),
	RULE(CHECK_POLICY_MEM_AES_256_XTS, snp_judge_demanding, SNP_POLICY_MEM_AES_256_XTS),
	RULE(CHECK_POLICY_RAPL_DIS, snp_judge_demanding, SNP_POLICY_RAPL_DIS),
	RULE(CHECK_POLICY_CIPHERTEXT_HIDING, snp_judge_demanding, SNP_POLICY_CIPHERTEXT_HIDING),
	RULE(CHECK_POLICY_PAGE_SWAP_DISABLE, snp_judge_demanding, SNP_POLICY_PAGE_SWAP_DISABLE),
};
RULES(family_id) = { RULE(CHECK_POLICY_FAMILY_ID, snp_judge_family_id, 0) };
RULES(image_id) = { RULE(CHECK_POLICY_IMAGE_ID, snp_judge_image_id, 0) };
RULES(vmpl) = { RULE(CHECK_POLICY_VMPL, snp_judge_vmpl, 0) };
RULES(signature_algo) = { ELSEWHERE(CHECK_PARSE_REPORT) };
RULES(current_tcb) = {
	ELSEWHERE(CHECK_TCB_COMMITTED),
	RULE(CHECK_POLICY_PROVISIONAL_TCB, snp_judge_provisional_tcb, 0),
};
RULES(platform_info) = {
	RULE(CHECK_POLICY_PLATFORM_ALIAS_CHECK, snp_judge_platform_demanded,
	     SNP_PLATFORM_ALIAS_CHECK_COMPLETE),
	RULE(CHECK_POLICY_PLATFORM_SMT, snp_judge_platform_smt, SNP_PLATFORM_SMT_EN),
	RULE(CHECK_POLICY_PLATFORM_TSME, snp_judge_platform_demanded, SNP_PLATFORM_TSME_EN),
	RULE(CHECK_POLICY_PLATFORM_ECC, snp_judge_platform_demanded, SNP_PLATFORM_ECC_EN),
	RULE(CHECK_POLICY_PLATFORM_RAPL_DIS, snp_judge_platform_demanded, SNP_PLATFORM_RAPL_DIS),
	RULE(CHECK_POLICY_PLATFORM_CIPHERTEXT_HIDING, snp_judge_platform_demanded,
	     SNP_PLATFORM_CIPHERTEXT_HIDING_EN),
	RULE(CHECK_POLICY_PLATFORM_TIO, snp_judge_platform_tio, SNP_PLATFORM_TIO_EN),
	RULE(CHECK_POLICY_PLATFORM_OTHER, snp_judge_platform_demanded, ~PLATFORM_NAMED),
};
RULES(flags) = {
	ELSEWHERE(CHECK_BINDING_MASK_CHIP_KEY),
	ELSEWHERE(CHECK_BINDING_SIGNING_KEY),
	RULE(CHECK_POLICY_AUTHOR_KEY_EN, snp_judge_author_key_en, SNP_FLAG_AUTHOR_KEY_EN),
	RULE(CHECK_POLICY_SIGNING_KEY, snp_judge_signing_key, 0),
	SILENT(CHECK_POLICY_CSP_ID, snp_judge_csp_id),
};
RULES(report_data) = { RULE(CHECK_POLICY_REPORT_DATA, snp_judge_report_data, 0) };
RULES(measurement) = { RULE(CHECK_POLICY_MEASUREMENT, snp_judge_measurement, 0) };
RULES(host_data) = { RULE(CHECK_POLICY_HOST_DATA, snp_judge_host_data, 0) };
RULES(id_key_digest) = { RULE(CHECK_POLICY_ID_KEY_DIGEST, snp_judge_id_key, 0) };
RULES(author_key_digest) = { RULE(CHECK_POLICY_AUTHOR_KEY_DIGEST, snp_judge_author_key, 0) };
RULES(report_id) = { SILENT(CHECK_POLICY_REPORT_ID, snp_judge_report_id) };
RULES(report_id_ma) = { RULE(CHECK_POLICY_REPORT_ID_MA, snp_judge_report_id_ma, 0) };
RULES(reported_tcb) = {
	ELSEWHERE(CHECK_BINDING_TCB),
	ELSEWHERE(CHECK_TCB_REPORTED),
	RULE(CHECK_POLICY_MIN_TCB, snp_judge_min_tcb, 0),
};
RULES(cpuid_fam_id) = {
	ELSEWHERE(CHECK_BINDING_CPUID),
	RULE(CHECK_POLICY_PRODUCT, snp_judge_product, 0),
};
RULES(cpuid_mod_id) = { ELSEWHERE(CHECK_BINDING_CPUID) };
RULES(cpuid_step) = { SILENT(CHECK_POLICY_STEPPING, snp_judge_stepping) };
RULES(chip_id) = {
	ELSEWHERE(CHECK_BINDING_CHIP_ID),
	SILENT(CHECK_POLICY_CHIP_ID, snp_judge_chip_id),
};
RULES(committed_tcb) = { ELSEWHERE(CHECK_TCB_REPORTED), ELSEWHERE(CHECK_TCB_COMMITTED) };
RULES(current_build) = {
	RULE(CHECK_POLICY_BUILD, snp_judge_build, 0),
	RULE(CHECK_POLICY_FIRMWARE, snp_judge_firmware, 0),
};
RULES(current_minor) = { RULE(CHECK_POLICY_API_VERSION, snp_judge_api_version, 0) };
RULES(current_major) = { ELSEWHERE(CHECK_POLICY_API_VERSION), ELSEWHERE(CHECK_POLICY_FIRMWARE) };
RULES(committed_build) = {
	ELSEWHERE(CHECK_TCB_FIRMWARE),
	RULE(CHECK_POLICY_PROVISIONAL_FIRMWARE, snp_judge_provisional_firmware, 0),
};
RULES(committed_minor) = { ELSEWHERE(CHECK_TCB_FIRMWARE) };
RULES(committed_major) = { ELSEWHERE(CHECK_TCB_FIRMWARE) };
RULES(launch_tcb) = { RULE(CHECK_POLICY_LAUNCH_TCB, snp_judge_launch_tcb, 0) };
RULES(launch_mit_vector) = { RULE(CHECK_POLICY_LAUNCH_MIT_VECTOR, snp_judge_launch_mitigations,
				  0) };
RULES(current_mit_vector) = { RULE(CHECK_POLICY_CURRENT_MIT_VECTOR, snp_judge_current_mitigations,
				   0) };
RULES(signature_r) = { ELSEWHERE(CHECK_SIGNATURE_REPORT) };
RULES(signature_s) = { ELSEWHERE(CHECK_SIGNATURE_REPORT) };

#define FIELD_RULES(type, member, spec, offset, len, since) \
	{ #member, rules_of_##member, ARRAY_LEN(rules_of_##member) },

static const struct {
	const char *field;
	const struct snp_judge_rule *rules;
	size_t count;
} fields[] = { SNP_REPORT_FIELDS(FIELD_RULES) };

void snp_policy_require(struct verdict *v)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		for (size_t n = 0; n < fields[i].count; n++)
			if (fields[i].rules[n].judge && !fields[i].rules[n].may_be_silent)
				verdict_require(v, fields[i].rules[n].check);
	verdict_require(v, CHECK_POLICY_APPLIED);
}

void snp_policy_require_report_data(struct verdict *v)
{
	verdict_require(v, rules_of_report_data[0].check);
}

void snp_policy_judge(const struct snp_policy *policy, const struct snp_evidence *evidence,
		      struct verdict *v)
{
	size_t before = v->count, rows = 0;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		for (size_t n = 0; n < fields[i].count; n++) {
			const struct snp_judge_rule *rule = &fields[i].rules[n];

			if (!rule->judge)
				continue;
			rule->judge(rule, policy, evidence, v);
			rows++;
		}
	verdict_checkf(v, CHECK_POLICY_APPLIED, rows > 0 && v->count == before + rows,
		       "one check for each row", "%zu checks for %zu rows", v->count - before,
		       rows);
}

void snp_policy_judge_report_data(const struct snp_evidence *evidence, struct verdict *v)
{
	snp_judge_report_data(&rules_of_report_data[0], NULL, evidence, v);
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
