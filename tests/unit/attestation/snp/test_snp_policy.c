/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Policy completeness: for each row of the table of appraisal fields, a report that breaks only
 * that rule is refused with that rule's name, and its twin passes. A row without a case here fails.
 */
#include "tests/unit.h"
#include "tests/unit/attestation/snp/forge.h"

#include <stdio.h>

enum { RULES_MAX = 128 };

static uint8_t other[SNP_CHIP_ID_LEN];

struct violation {
	const char *check;
	/* Changes the case so that it still passes (`bad` false), or breaks just this rule. */
	void (*change)(struct forge *f, bool bad);
	enum snp_product product;
	uint32_t version;
	enum snp_signing_key key;
};

static const uint8_t *own(const uint8_t *value, bool bad)
{
	memset(other, 0x5e, sizeof(other));
	return bad ? other : value;
}

#define SET_CASE(name, set, field, fill)                                            \
	static void name(struct forge *f, bool bad)                                 \
	{                                                                           \
		memset(f->report.field, fill, sizeof(f->report.field));             \
		f->policy.set = (struct value_set){ own(f->report.field, bad), 1 }; \
	}
SET_CASE(measurement, measurements, measurement, 0x11)
SET_CASE(host_data, host_data, host_data, 0x12)
SET_CASE(id_key, id_key_digests, id_key_digest, 0x13)
SET_CASE(family, family_ids, family_id, 0x14)
SET_CASE(image, image_ids, image_id, 0x15)
SET_CASE(report_id, report_ids, report_id, 0x16)
SET_CASE(named_migration_agent, report_id_mas, report_id_ma, 0x17)

static void version(struct forge *f, bool bad)
{
	f->policy.min_version = bad ? 5 : 3;
}

static void guest_svn(struct forge *f, bool bad)
{
	f->policy.min_guest_svn = f->report.guest_svn + bad;
}

static void abi(struct forge *f, bool bad)
{
	f->report.policy |= 0x0137;
	f->policy.guest_policy |= bad ? 0x0200 : 0x0136;
}

static void allow(struct forge *f, bool bad, uint64_t bit)
{
	f->report.policy |= bit;
	if (!bad)
		f->policy.guest_policy |= bit;
}

static void demand(struct forge *f, bool bad, uint64_t bit)
{
	f->policy.guest_policy |= bit;
	if (!bad)
		f->report.policy |= bit;
}

static void smt(struct forge *f, bool bad)
{
	allow(f, bad, SNP_POLICY_SMT);
}

static void migrate_ma(struct forge *f, bool bad)
{
	allow(f, bad, SNP_POLICY_MIGRATE_MA);
}

static void report_id_ma(struct forge *f, bool bad)
{
	allow(f, false, SNP_POLICY_MIGRATE_MA);
	named_migration_agent(f, bad);
}

/* That migration is allowed does not say by whom. */
static void unnamed_migration_agent(struct forge *f, bool bad)
{
	allow(f, false, SNP_POLICY_MIGRATE_MA);
	if (bad)
		memset(f->report.report_id_ma, 0x17, sizeof(f->report.report_id_ma));
}

/* Named, beside a guest that can't be migrated. */
static void migration_agent_of_nobody(struct forge *f, bool bad)
{
	if (!bad)
		allow(f, false, SNP_POLICY_MIGRATE_MA);
	named_migration_agent(f, false);
}

static void cxl(struct forge *f, bool bad)
{
	allow(f, bad, SNP_POLICY_CXL_ALLOW);
}

/* Even where the policy says so. */
static void debug(struct forge *f, bool bad)
{
	f->policy.guest_policy |= SNP_POLICY_DEBUG;
	if (bad)
		f->report.policy |= SNP_POLICY_DEBUG;
}

static void single_socket(struct forge *f, bool bad)
{
	demand(f, bad, SNP_POLICY_SINGLE_SOCKET);
}

static void xts(struct forge *f, bool bad)
{
	demand(f, bad, SNP_POLICY_MEM_AES_256_XTS);
}

static void rapl(struct forge *f, bool bad)
{
	demand(f, bad, SNP_POLICY_RAPL_DIS);
}

static void hiding(struct forge *f, bool bad)
{
	demand(f, bad, SNP_POLICY_CIPHERTEXT_HIDING);
}

static void page_swap(struct forge *f, bool bad)
{
	demand(f, bad, SNP_POLICY_PAGE_SWAP_DISABLE);
}

static void vmpl(struct forge *f, bool bad)
{
	f->report.vmpl = 2;
	f->policy.vmpl = bad ? 0 : 2;
}

static void provisional_tcb(struct forge *f, bool bad)
{
	f->report.current_tcb[SNP_TCB_LEN - 1]++;
	f->policy.allow_provisional = !bad;
}

static void provisional_firmware(struct forge *f, bool bad)
{
	f->report.current_build++;
	f->policy.allow_provisional = !bad;
}

static void platform(struct forge *f, bool bad, uint64_t bit)
{
	f->policy.platform_info |= bit;
	if (!bad)
		f->report.platform_info |= bit;
}

/* By default. */
static void alias_check(struct forge *f, bool bad)
{
	if (bad)
		f->report.platform_info &= ~SNP_PLATFORM_ALIAS_CHECK_COMPLETE;
}

/* The owner allows SMT to the guest in both; the guest's own policy decides. */
static void platform_smt(struct forge *f, bool bad)
{
	f->policy.guest_policy |= SNP_POLICY_SMT;
	f->report.platform_info |= SNP_PLATFORM_SMT_EN;
	if (!bad)
		f->report.policy |= SNP_POLICY_SMT;
}

static void tsme(struct forge *f, bool bad)
{
	platform(f, bad, SNP_PLATFORM_TSME_EN);
}

static void ecc(struct forge *f, bool bad)
{
	platform(f, bad, SNP_PLATFORM_ECC_EN);
}

/* A guest that allows SMT, on a platform that has what the owner refuses. */
static void smt_refused(struct forge *f, bool bad)
{
	platform_smt(f, false);
	f->policy.platform_refused = bad ? SNP_PLATFORM_SMT_EN : 0;
}

static void tsme_refused(struct forge *f, bool bad)
{
	f->report.platform_info |= bad ? SNP_PLATFORM_TSME_EN : 0;
	f->policy.platform_refused = SNP_PLATFORM_TSME_EN;
}

static void platform_rapl(struct forge *f, bool bad)
{
	platform(f, bad, SNP_PLATFORM_RAPL_DIS);
}

static void platform_hiding(struct forge *f, bool bad)
{
	platform(f, bad, SNP_PLATFORM_CIPHERTEXT_HIDING_EN);
}

static void tio(struct forge *f, bool bad)
{
	f->report.platform_info |= SNP_PLATFORM_TIO_EN;
	if (!bad)
		f->policy.platform_info |= SNP_PLATFORM_TIO_EN;
}

static void platform_other(struct forge *f, bool bad)
{
	platform(f, bad, UINT64_C(1) << 40);
}

static void author_key_en(struct forge *f, bool bad)
{
	f->policy.require_author_key = true;
	if (bad)
		return;
	f->report.flags |= SNP_FLAG_AUTHOR_KEY_EN;
	memset(f->report.author_key_digest, 0x21, SNP_DIGEST_LEN);
}

static void author_key(struct forge *f, bool bad)
{
	f->report.flags |= SNP_FLAG_AUTHOR_KEY_EN;
	memset(f->report.author_key_digest, 0x21, SNP_DIGEST_LEN);
	f->policy.author_key_digests =
		(struct value_set){ own(f->report.author_key_digest, bad), 1 };
}

static void signing_key(struct forge *f, bool bad)
{
	f->policy.allow_vlek = !bad;
}

static void csp_id(struct forge *f, bool bad)
{
	f->policy.csp_id = bad ? "CN=cloud.exampl" : "CN=cloud.example";
}

static void report_data(struct forge *f, bool bad)
{
	f->report_data[63] = (uint8_t)(f->report_data[63] ^ bad);
}

static void min_tcb(struct forge *f, bool bad)
{
	f->policy.min_tcb = f->tcb;
	f->policy.min_tcb.snp = (uint8_t)(f->tcb.snp + bad);
	f->policy.min_launch_tcb.snp = f->tcb.snp;
	f->policy.launch_floors = snp_tcb_named(&f->policy.min_launch_tcb);
}

static void launch_tcb(struct forge *f, bool bad)
{
	f->policy.min_tcb = f->tcb;
	/* A floor of its own for one component leaves the others their min_tcb. */
	f->policy.min_launch_tcb.bootloader = f->tcb.bootloader;
	f->policy.launch_floors = snp_tcb_named(&f->policy.min_launch_tcb);
	if (bad)
		f->report.launch_tcb[SNP_TCB_LEN - 1]--;
}

static void product(struct forge *f, bool bad)
{
	f->policy.product = bad ? SNP_GENOA : SNP_MILAN;
}

static void stepping(struct forge *f, bool bad)
{
	f->policy.stepping = bad ? 2 : 1;
}

/* By the run statement, what the host fixed is whatever it says; nothing at all is nothing fixed. */
static void host_data_of_run(struct forge *f, bool bad)
{
	f->policy.host_data_of_run = true;
	f->report.host_data[7] = !bad;
}

/* Zero is a stepping, and what a report has that names none. */
static void stepping_unsaid(struct forge *f, bool bad)
{
	f->policy.stepping = bad ? 0 : -1;
}

static void chip_id(struct forge *f, bool bad)
{
	f->policy.chip_ids = (struct value_set){ own(f->report.chip_id, bad), 1 };
}

static void build(struct forge *f, bool bad)
{
	f->policy.min_build = (uint8_t)(f->report.current_build + bad);
}

static void firmware(struct forge *f, bool bad)
{
	memcpy(f->policy.min_firmware, bad ? (uint8_t[]){ 1, 55, 41 } : (uint8_t[]){ 1, 54, 99 },
	       3);
}

static void api_version(struct forge *f, bool bad)
{
	f->policy.min_api_major = 1;
	f->policy.min_api_minor = (uint8_t)(f->report.current_minor + bad);
}

static void launch_mit(struct forge *f, bool bad)
{
	f->policy.launch_mit_vector = bad ? 7 : 3;
}

static void current_mit(struct forge *f, bool bad)
{
	f->policy.current_mit_vector = bad ? 7 : 2;
}

/* Rules that are judged before the policy. */
static void parse(struct forge *f, bool bad)
{
	if (bad)
		f->report.signature_algo = 2;
}

static void tcb_committed(struct forge *f, bool bad)
{
	f->policy.allow_provisional = true;
	if (bad)
		f->report.current_tcb[0]--;
	else
		f->report.current_tcb[0]++;
}

static void tcb_reported(struct forge *f, bool bad)
{
	f->policy.allow_provisional = true;
	f->report.current_tcb[0]++;
	f->report.committed_tcb[0] = (uint8_t)(f->report.committed_tcb[0] + (bad ? -1 : 1));
}

static void tcb_firmware(struct forge *f, bool bad)
{
	f->policy.allow_provisional = true;
	f->report.committed_minor = (uint8_t)(f->report.committed_minor + (bad ? 1 : -1));
}

static void mask_chip_key(struct forge *f, bool bad)
{
	if (bad)
		f->report.flags |= SNP_FLAG_MASK_CHIP_KEY;
}

static void report_key(struct forge *f, bool bad)
{
	if (bad)
		f->report.flags |= SNP_KEY_VLEK << SNP_FLAG_SIGNING_KEY_SHIFT;
}

static void binding_tcb(struct forge *f, bool bad)
{
	if (bad)
		f->report.reported_tcb[6]--; /* SNP */
}

static void cpuid(struct forge *f, bool bad)
{
	f->report.cpuid_mod_id = bad ? 0x11 : 0x0f;
}

static void binding_chip(struct forge *f, bool bad)
{
	if (bad)
		f->report.chip_id[63] ^= 1;
}

/* An author's flag beside no author's digest. */
static void author_key_of_nobody(struct forge *f, bool bad)
{
	if (bad)
		f->report.flags |= 1;
}

static const struct violation violations[] = {
	{ "policy.version", version, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.guest_svn", guest_svn, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.abi", abi, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.smt", smt, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.migrate_ma", migrate_ma, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.debug", debug, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.single_socket", single_socket, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.cxl_allow", cxl, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.mem_aes_256_xts", xts, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.rapl_dis", rapl, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.ciphertext_hiding", hiding, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.page_swap_disable", page_swap, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.family_id", family, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.image_id", image, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.vmpl", vmpl, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.provisional_tcb", provisional_tcb, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.platform_alias_check", alias_check, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.platform_smt", platform_smt, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.platform_tsme", tsme, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.platform_smt", smt_refused, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.platform_tsme", tsme_refused, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.platform_ecc", ecc, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.platform_rapl_dis", platform_rapl, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.platform_ciphertext_hiding", platform_hiding, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.platform_tio", tio, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.platform_other", platform_other, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.author_key_en", author_key_en, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.signing_key", signing_key, SNP_MILAN, 3, SNP_KEY_VLEK },
	{ "policy.csp_id", csp_id, SNP_MILAN, 3, SNP_KEY_VLEK },
	{ "policy.report_data", report_data, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.measurement", measurement, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.host_data", host_data, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.id_key_digest", id_key, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.author_key_digest", author_key, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.author_key_digest", author_key_of_nobody, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.report_id", report_id, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.report_id_ma", report_id_ma, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.report_id_ma", unnamed_migration_agent, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.report_id_ma", migration_agent_of_nobody, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.min_tcb", min_tcb, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.product", product, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.host_data", host_data_of_run, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.stepping", stepping, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.stepping", stepping_unsaid, SNP_MILAN, 2, SNP_KEY_VCEK },
	{ "policy.chip_id", chip_id, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.build", build, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.firmware", firmware, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.api_version", api_version, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.provisional_firmware", provisional_firmware, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.launch_tcb", launch_tcb, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "policy.launch_mit_vector", launch_mit, SNP_TURIN, 5, SNP_KEY_VCEK },
	{ "policy.current_mit_vector", current_mit, SNP_TURIN, 5, SNP_KEY_VCEK },
	{ "parse.report", parse, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "tcb.committed", tcb_committed, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "tcb.reported", tcb_reported, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "tcb.firmware", tcb_firmware, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "binding.mask_chip_key", mask_chip_key, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "binding.signing_key", report_key, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "binding.tcb", binding_tcb, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "binding.cpuid", cpuid, SNP_MILAN, 3, SNP_KEY_VCEK },
	{ "binding.chip_id", binding_chip, SNP_MILAN, 3, SNP_KEY_VCEK },
};

/* How many checks failed, and whether the first is the one. */
static size_t failures(const struct verdict *v, const char *wanted, bool *first_is_it)
{
	size_t failed = 0;

	*first_is_it = false;
	for (size_t i = 0; i < v->count; i++) {
		if (v->checks[i].outcome != CHECK_FAILED)
			continue;
		if (failed++ == 0)
			*first_is_it = strcmp(v->checks[i].name, wanted) == 0;
		/* What was found is never what was wanted. */
		assert_string_not_equal(v->checks[i].found, v->checks[i].wanted);
	}
	return failed;
}

static void try_one(const struct violation *t, bool bad)
{
	struct forge f;
	struct verdict v;
	bool yes, first_is_it;
	size_t failed;

	forge_init(&f, t->product, t->version, t->key);
	t->change(&f, bad);
	forge_report(&f);
	yes = forge_appraise(&f, &v);
	failed = failures(&v, t->check, &first_is_it);
	if (yes == bad || failed != bad || first_is_it != bad)
		fail_msg("%s, %s: %s, %zu checks failed", t->check, bad ? "broken" : "kept",
			 yes ? "yes" : "no", failed);
}

static void each_rule_is_broken_alone_and_kept_alone(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(violations); i++) {
		try_one(&violations[i], false);
		try_one(&violations[i], true);
	}
	print_message("# %zu rules, each broken and kept\n", ARRAY_LEN(violations));
}

static bool has_violation(const char *check)
{
	for (size_t i = 0; i < ARRAY_LEN(violations); i++)
		if (strcmp(violations[i].check, check) == 0)
			return true;
	return strcmp(check, "signature.report") == 0; /* below, byte by byte */
}

static void every_row_has_a_case_and_every_field_a_row(void **state)
{
	struct snp_rule rules[RULES_MAX];
	size_t count = snp_policy_rules(rules, RULES_MAX);

	assert_true(count > 0 && count <= RULES_MAX);
	for (size_t i = 0; i < count; i++)
		if (!has_violation(checks_row(rules[i].check)->name))
			fail_msg("%s (%s) has no case", checks_row(rules[i].check)->name,
				 rules[i].field);
	for (size_t n = 0; n < snp_report_field_count; n++) {
		size_t rows = 0;

		for (size_t i = 0; i < count; i++)
			rows += strcmp(rules[i].field, snp_report_fields[n].member) == 0;
		if (rows == 0)
			fail_msg("%s has no row", snp_report_fields[n].member);
	}
}

/* Nothing but what the policy names: each default by itself. */
static void the_default_policy_is_strict(void **state)
{
	static const struct {
		const char *check;
		size_t at, len;
	} fields[] = {
		{ "policy.host_data", offsetof(struct snp_report, host_data), 32 },
		{ "policy.id_key_digest", offsetof(struct snp_report, id_key_digest), 48 },
		{ "policy.author_key_digest", offsetof(struct snp_report, author_key_digest), 48 },
		{ "policy.family_id", offsetof(struct snp_report, family_id), 16 },
		{ "policy.image_id", offsetof(struct snp_report, image_id), 16 },
		{ "policy.report_id_ma", offsetof(struct snp_report, report_id_ma), 32 },
	};
	bool first_is_it;
	struct forge f;
	struct verdict v;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		forge_init(&f, SNP_MILAN, 3, SNP_KEY_VCEK);
		((uint8_t *)&f.report)[fields[i].at + fields[i].len - 1] ^= 1;
		forge_report(&f);
		assert_false(forge_appraise(&f, &v));
		assert_int_equal(failures(&v, fields[i].check, &first_is_it), 1);
		assert_true(first_is_it);
	}
}

static void an_empty_policy_is_a_refusal(void **state)
{
	struct forge f;
	struct verdict v;
	bool first_is_it;

	forge_init(&f, SNP_MILAN, 3, SNP_KEY_VCEK);
	f.policy.measurements.count = 0;
	assert_false(forge_appraise(&f, &v));
	assert_int_equal(failures(&v, "policy.measurement", &first_is_it), 1);
	assert_true(first_is_it);
	/* Also of a measurement that is all zero. */
	memset(f.report.measurement, 0, SNP_DIGEST_LEN);
	forge_report(&f);
	assert_false(forge_appraise(&f, &v));
	f.input.policy = NULL;
	assert_false(forge_appraise(&f, &v));
	f.input.policy = &f.policy;
	f.policy.measurements = (struct value_set){ f.report.measurement, 1 };
	f.input.report_data = NULL;
	assert_false(forge_appraise(&f, &v));
	assert_int_equal(failures(&v, "policy.report_data", &first_is_it), 1);
}

static bool is_noted(const struct verdict *v, const char *words)
{
	for (size_t i = 0; i < v->note_count; i++)
		if (strstr(v->notes[i].text, words))
			return true;
	return false;
}

/* A floor of one component is a floor. */
static void a_policy_without_a_tcb_floor_is_noted(void **state)
{
	struct forge f;
	struct verdict v;

	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VCEK);
	memset(&f.policy.min_tcb, 0, sizeof(f.policy.min_tcb));
	assert_true(forge_appraise(&f, &v));
	assert_true(is_noted(&v, "no TCB floor"));
	f.policy.min_tcb.microcode = 1;
	assert_true(forge_appraise(&f, &v));
	assert_false(is_noted(&v, "no TCB floor"));
}

static void milan_without_a_chip_list_is_noted_or_refused(void **state)
{
	struct forge f;
	struct verdict v;

	forge_init(&f, SNP_MILAN, 3, SNP_KEY_VCEK);
	assert_true(forge_appraise(&f, &v));
	assert_true(is_noted(&v, "name your chips"));
	f.policy.require_chip_allow_list = true;
	assert_false(forge_appraise(&f, &v));
	f.policy.chip_ids = (struct value_set){ f.report.chip_id, 1 };
	assert_true(forge_appraise(&f, &v));
	assert_false(is_noted(&v, "name your chips"));
	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VCEK);
	f.policy.require_chip_allow_list = true;
	assert_true(forge_appraise(&f, &v));
}

/* Who holds a VLEK writes any CHIP_ID: a list is no protection against forged reports there. */
static void under_a_vlek_a_chip_list_does_not_vouch_for_milan(void **state)
{
	uint8_t chip[SNP_CHIP_ID_LEN];
	struct forge f;
	struct verdict v;

	forge_init(&f, SNP_MILAN, 3, SNP_KEY_VLEK);
	memset(f.report.chip_id, 0x5c, SNP_CHIP_ID_LEN);
	forge_report(&f);
	memcpy(chip, f.report.chip_id, sizeof(chip));
	f.policy.chip_ids = (struct value_set){ chip, 1 };
	assert_true(forge_appraise(&f, &v));
	assert_true(is_noted(&v, "only the word of who holds that key"));
	f.policy.require_chip_allow_list = true;
	assert_false(forge_appraise(&f, &v));
	assert_int_equal(verdict_find(&v, CHECK_POLICY_CHIP_ID)->outcome, CHECK_FAILED);
	/* Of the others nobody knows such an attack. */
	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VLEK);
	memset(f.report.chip_id, 0x5c, SNP_CHIP_ID_LEN);
	forge_report(&f);
	f.policy.chip_ids = (struct value_set){ chip, 1 };
	f.policy.require_chip_allow_list = true;
	assert_true(forge_appraise(&f, &v));
	assert_false(is_noted(&v, "only the word of who holds that key"));
}

/* A VLEK is no chip's: its report tells the chip, or zero where the host masks that. */
static void under_a_vlek_the_report_tells_the_chip(void **state)
{
	uint8_t chip[SNP_CHIP_ID_LEN], stranger[SNP_CHIP_ID_LEN];
	struct forge f;
	struct verdict v;

	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VLEK);
	memset(f.report.chip_id, 0x5c, SNP_CHIP_ID_LEN);
	forge_report(&f);
	assert_true(forge_appraise(&f, &v));
	memcpy(chip, f.report.chip_id, sizeof(chip));
	memset(stranger, 0x5d, sizeof(stranger));
	f.policy.chip_ids = (struct value_set){ chip, 1 };
	assert_true(forge_appraise(&f, &v));
	f.policy.chip_ids = (struct value_set){ stranger, 1 };
	assert_false(forge_appraise(&f, &v));
	/* Firmware that masks the key signs nothing, with a VLEK either (56860, 3.6). */
	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VLEK);
	f.report.flags |= SNP_FLAG_MASK_CHIP_KEY;
	forge_report(&f);
	assert_false(forge_appraise(&f, &v));
	assert_int_equal(verdict_find(&v, CHECK_BINDING_MASK_CHIP_KEY)->outcome, CHECK_FAILED);
}

/* A report without CHIP_ID is of no chip: a list that holds zeros must not match it. */
static void a_masked_chip_is_in_no_list(void **state)
{
	static const uint8_t zero[SNP_CHIP_ID_LEN];
	struct forge f;
	struct verdict v;

	forge_init(&f, SNP_GENOA, 3, SNP_KEY_VLEK);
	assert_true(forge_appraise(&f, &v));
	f.policy.chip_ids = (struct value_set){ zero, 1 };
	assert_false(forge_appraise(&f, &v));
}

static void any_value_of_a_set_will_do(void **state)
{
	uint8_t two[2][SNP_DIGEST_LEN];
	struct forge f;
	struct verdict v;

	forge_init(&f, SNP_MILAN, 3, SNP_KEY_VCEK);
	memset(two[0], 0, SNP_DIGEST_LEN);
	memcpy(two[1], f.report.measurement, SNP_DIGEST_LEN);
	f.policy.measurements = (struct value_set){ two[0], 2 };
	assert_true(forge_appraise(&f, &v));
	f.policy.measurements.count = 1;
	assert_false(forge_appraise(&f, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_rule_is_broken_alone_and_kept_alone),
		cmocka_unit_test(every_row_has_a_case_and_every_field_a_row),
		cmocka_unit_test(the_default_policy_is_strict),
		cmocka_unit_test(an_empty_policy_is_a_refusal),
		cmocka_unit_test(a_policy_without_a_tcb_floor_is_noted),
		cmocka_unit_test(milan_without_a_chip_list_is_noted_or_refused),
		cmocka_unit_test(under_a_vlek_a_chip_list_does_not_vouch_for_milan),
		cmocka_unit_test(under_a_vlek_the_report_tells_the_chip),
		cmocka_unit_test(a_masked_chip_is_in_no_list),
		cmocka_unit_test(any_value_of_a_set_will_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
