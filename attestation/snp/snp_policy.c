/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_judge.h"

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

#define PLATFORM_NAMED                                                      \
	(SNP_PLATFORM_SMT_EN | SNP_PLATFORM_TSME_EN | SNP_PLATFORM_ECC_EN | \
	 SNP_PLATFORM_RAPL_DIS | SNP_PLATFORM_CIPHERTEXT_HIDING_EN |        \
	 SNP_PLATFORM_ALIAS_CHECK_COMPLETE | SNP_PLATFORM_TIO_EN)

/* The table: rules_of_X for each member X of struct snp_report. */
#define RULES(member) static const struct snp_judge_rule rules_of_##member[]

RULES(version) = { { "policy.version", snp_judge_version, 0 } };
RULES(guest_svn) = { { "policy.guest_svn", snp_judge_guest_svn, 0 } };
RULES(policy) = {
	ELSEWHERE("parse.report"), /* reserved bits */
	{ "policy.abi", snp_judge_abi, 0 },
	{ "policy.smt", snp_judge_allowing, SNP_POLICY_SMT },
	{ "policy.migrate_ma", snp_judge_allowing, SNP_POLICY_MIGRATE_MA },
	{ "policy.debug", snp_judge_debug, SNP_POLICY_DEBUG },
	{ "policy.single_socket", snp_judge_demanding, SNP_POLICY_SINGLE_SOCKET },
	{ "policy.cxl_allow", snp_judge_allowing, SNP_POLICY_CXL_ALLOW },
	{ "policy.mem_aes_256_xts", snp_judge_demanding, SNP_POLICY_MEM_AES_256_XTS },
	{ "policy.rapl_dis", snp_judge_demanding, SNP_POLICY_RAPL_DIS },
	{ "policy.ciphertext_hiding", snp_judge_demanding, SNP_POLICY_CIPHERTEXT_HIDING },
	{ "policy.page_swap_disable", snp_judge_demanding, SNP_POLICY_PAGE_SWAP_DISABLE },
};
RULES(family_id) = { { "policy.family_id", snp_judge_family_id, 0 } };
RULES(image_id) = { { "policy.image_id", snp_judge_image_id, 0 } };
RULES(vmpl) = { { "policy.vmpl", snp_judge_vmpl, 0 } };
RULES(signature_algo) = { ELSEWHERE("parse.report") };
RULES(current_tcb) = {
	ELSEWHERE("tcb.committed"),
	{ "policy.provisional_tcb", snp_judge_provisional_tcb, 0 },
};
RULES(platform_info) = {
	{ "policy.platform_alias_check", snp_judge_platform_demanded,
	  SNP_PLATFORM_ALIAS_CHECK_COMPLETE },
	{ "policy.platform_smt", snp_judge_platform_smt, SNP_PLATFORM_SMT_EN },
	{ "policy.platform_tsme", snp_judge_platform_demanded, SNP_PLATFORM_TSME_EN },
	{ "policy.platform_ecc", snp_judge_platform_demanded, SNP_PLATFORM_ECC_EN },
	{ "policy.platform_rapl_dis", snp_judge_platform_demanded, SNP_PLATFORM_RAPL_DIS },
	{ "policy.platform_ciphertext_hiding", snp_judge_platform_demanded,
	  SNP_PLATFORM_CIPHERTEXT_HIDING_EN },
	{ "policy.platform_tio", snp_judge_platform_tio, SNP_PLATFORM_TIO_EN },
	{ "policy.platform_other", snp_judge_platform_demanded, ~PLATFORM_NAMED },
};
RULES(flags) = {
	ELSEWHERE("binding.mask_chip_key"),
	ELSEWHERE("binding.signing_key"),
	{ "policy.author_key_en", snp_judge_author_key_en, SNP_FLAG_AUTHOR_KEY_EN },
	{ "policy.signing_key", snp_judge_signing_key, 0 },
	{ "policy.csp_id", snp_judge_csp_id, 0 },
};
RULES(report_data) = { { "policy.report_data", snp_judge_report_data, 0 } };
RULES(measurement) = { { "policy.measurement", snp_judge_measurement, 0 } };
RULES(host_data) = { { "policy.host_data", snp_judge_host_data, 0 } };
RULES(id_key_digest) = { { "policy.id_key_digest", snp_judge_id_key, 0 } };
RULES(author_key_digest) = { { "policy.author_key_digest", snp_judge_author_key, 0 } };
RULES(report_id) = { { "policy.report_id", snp_judge_report_id, 0 } };
RULES(report_id_ma) = { { "policy.report_id_ma", snp_judge_report_id_ma, 0 } };
RULES(reported_tcb) = {
	ELSEWHERE("binding.tcb"),
	ELSEWHERE("tcb.reported"),
	{ "policy.min_tcb", snp_judge_min_tcb, 0 },
};
RULES(cpuid_fam_id) = {
	ELSEWHERE("binding.cpuid"),
	{ "policy.product", snp_judge_product, 0 },
};
RULES(cpuid_mod_id) = { ELSEWHERE("binding.cpuid") };
RULES(cpuid_step) = { { "policy.stepping", snp_judge_stepping, 0 } };
RULES(chip_id) = {
	ELSEWHERE("binding.chip_id"),
	{ "policy.chip_id", snp_judge_chip_id, 0 },
};
RULES(committed_tcb) = { ELSEWHERE("tcb.reported"), ELSEWHERE("tcb.committed") };
RULES(current_build) = {
	{ "policy.build", snp_judge_build, 0 },
	{ "policy.firmware", snp_judge_firmware, 0 },
};
RULES(current_minor) = { { "policy.api_version", snp_judge_api_version, 0 } };
RULES(current_major) = { ELSEWHERE("policy.api_version"), ELSEWHERE("policy.firmware") };
RULES(committed_build) = {
	ELSEWHERE("tcb.firmware"),
	{ "policy.provisional_firmware", snp_judge_provisional_firmware, 0 },
};
RULES(committed_minor) = { ELSEWHERE("tcb.firmware") };
RULES(committed_major) = { ELSEWHERE("tcb.firmware") };
RULES(launch_tcb) = { { "policy.launch_tcb", snp_judge_launch_tcb, 0 } };
RULES(launch_mit_vector) = { { "policy.launch_mit_vector", snp_judge_launch_mitigations, 0 } };
RULES(current_mit_vector) = { { "policy.current_mit_vector", snp_judge_current_mitigations, 0 } };
RULES(signature_r) = { ELSEWHERE("signature.report") };
RULES(signature_s) = { ELSEWHERE("signature.report") };

#define FIELD_RULES(type, member, spec, offset, len, since) \
	{ #member, rules_of_##member, ARRAY_LEN(rules_of_##member) },

static const struct {
	const char *field;
	const struct snp_judge_rule *rules;
	size_t count;
} fields[] = { SNP_REPORT_FIELDS(FIELD_RULES) };

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
	verdict_checkf(v, "policy.applied", REPORT, rows > 0 && v->count == before + rows,
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
