/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our form: {"cocos":1,"snp":{…},"tdx":{…},"tpm":{…},"token":{…},"run":{…},"crl":{…},"tls":{…}};
 * bytes in hexadecimal, bits by name, each rule of the policies one key.
 */
#include "attestation/policy/policy_fields.h"
#include "attestation/verdict/crl_age.h"
#include "common/base/log.h"

#include <string.h>

#define SNP(member) offsetof(struct policy, snp.member)
#define TDX(member) offsetof(struct policy, tdx.member)
#define RUN(member) offsetof(struct policy, run.member)

struct bit {
	const char *name;
	uint64_t bit;
};

/* An array of names, each of the table, none twice, added to `*bits`. */
static int read_bits(struct policy_reading *r, const struct json *value, const struct bit *table,
		     size_t count, uint64_t *bits)
{
	uint64_t seen = 0;

	if (value->type != JSON_ARRAY)
		return policy_wrong(r, value, "an array of names");
	for (size_t i = 0; i < value->count; i++) {
		const struct json *name = &value->items[i];
		size_t k = 0;

		if (name->type != JSON_STRING)
			return policy_wrong(r, name, "a name");
		while (k < count && strcmp(table[k].name, name->text) != 0)
			k++;
		if (k == count || seen & table[k].bit)
			return err_set(r->e, ERR_INVALID, "%s is unknown, or stands there twice",
				       log_quote(name->text).text);
		seen |= table[k].bit;
	}
	*bits |= seen;
	return 0;
}

/* ---- SNP ---- */

static const struct bit allowed_bits[] = {
	{ "smt", SNP_POLICY_SMT },
	{ "migrate_ma", SNP_POLICY_MIGRATE_MA },
	{ "cxl", SNP_POLICY_CXL_ALLOW },
};

static const struct bit demanded_bits[] = {
	{ "single_socket", SNP_POLICY_SINGLE_SOCKET },
	{ "mem_aes_256_xts", SNP_POLICY_MEM_AES_256_XTS },
	{ "rapl_dis", SNP_POLICY_RAPL_DIS },
	{ "ciphertext_hiding", SNP_POLICY_CIPHERTEXT_HIDING },
	{ "page_swap_disable", SNP_POLICY_PAGE_SWAP_DISABLE },
};

/* Alias check complete is not among them: it is always demanded, but where allow_unchecked_alias
 * says otherwise. */
static const struct bit platform_bits[] = {
	{ "tsme", SNP_PLATFORM_TSME_EN },
	{ "ecc", SNP_PLATFORM_ECC_EN },
	{ "rapl_dis", SNP_PLATFORM_RAPL_DIS },
	{ "ciphertext_hiding", SNP_PLATFORM_CIPHERTEXT_HIDING_EN },
};

static int read_allow(struct policy_reading *r, const struct json *value)
{
	return read_bits(r, value, allowed_bits, ARRAY_LEN(allowed_bits),
			 &r->policy->snp.guest_policy);
}

static int read_demand(struct policy_reading *r, const struct json *value)
{
	return read_bits(r, value, demanded_bits, ARRAY_LEN(demanded_bits),
			 &r->policy->snp.guest_policy);
}

static int read_platform(struct policy_reading *r, const struct json *value)
{
	return read_bits(r, value, platform_bits, ARRAY_LEN(platform_bits),
			 &r->policy->snp.platform_info);
}

static int read_allow_tio(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_BOOL)
		return policy_wrong(r, value, "true or false");
	if (value->boolean)
		r->policy->snp.platform_info |= SNP_PLATFORM_TIO_EN;
	return 0;
}

/* Firmware before the check existed (2024) can't report it. */
static int read_unchecked_alias(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_BOOL)
		return policy_wrong(r, value, "true or false");
	if (value->boolean)
		r->policy->snp.platform_info &= ~SNP_PLATFORM_ALIAS_CHECK_COMPLETE;
	return 0;
}

/* guest_policy's low 16 bits. */
static int read_min_abi(struct policy_reading *r, const struct json *value)
{
	uint8_t major = r->policy->snp.min_api_major, minor = r->policy->snp.min_api_minor;

	if (policy_read_version(r, value) < 0)
		return err_code(r->e);
	r->policy->snp.guest_policy |= (uint64_t)r->policy->snp.min_api_major
					       << SNP_POLICY_ABI_MAJOR_SHIFT |
				       r->policy->snp.min_api_minor;
	r->policy->snp.min_api_major = major;
	r->policy->snp.min_api_minor = minor;
	return 0;
}

static int read_min_firmware(struct policy_reading *r, const struct json *value)
{
	uint64_t v;

	if (value->type != JSON_ARRAY || value->count != 3)
		return policy_wrong(r, value, "[major, minor, build]");
	for (size_t i = 0; i < 3; i++) {
		if (policy_read_u64(r, &value->items[i], UINT8_MAX, &v) < 0)
			return err_code(r->e);
		r->policy->snp.min_firmware[i] = (uint8_t)v;
	}
	return 0;
}

/* By component, as certificates name them: `named` has a bit for each that is there. */
static int read_tcb(struct policy_reading *r, const struct json *value, struct snp_tcb *tcb,
		    uint16_t *named)
{
	uint64_t v;

	if (policy_object(r, value) < 0)
		return err_code(r->e);
	for (size_t i = 0; i < value->count; i++) {
		size_t k = 0;

		while (k < SNP_TCB_COMPONENTS &&
		       strcmp(snp_tcb_components[k].name, value->items[i].key) != 0)
			k++;
		if (k == SNP_TCB_COMPONENTS)
			return err_set(r->e, ERR_INVALID, "unknown component %s",
				       log_quote(value->items[i].key).text);
		if (policy_read_u64(r, &value->items[i], UINT8_MAX, &v) < 0)
			return err_wrap(r->e, "%s", value->items[i].key);
		*((uint8_t *)tcb + snp_tcb_components[k].at) = (uint8_t)v;
		*named = (uint16_t)(*named | 1u << k);
	}
	return 0;
}

static int read_min_tcb(struct policy_reading *r, const struct json *value)
{
	uint16_t named = 0;

	return read_tcb(r, value, &r->policy->snp.min_tcb, &named);
}

static int read_min_launch_tcb(struct policy_reading *r, const struct json *value)
{
	return read_tcb(r, value, &r->policy->snp.min_launch_tcb, &r->policy->snp.launch_floors);
}

const struct policy_row policy_own_snp_rows[] = {
	{ "measurements", POLICY_SET, SNP(measurements), 48, NULL, NULL },
	{ "host_data", POLICY_SET, SNP(host_data), 32, NULL, NULL },
	{ "id_key_digests", POLICY_SET, SNP(id_key_digests), 48, NULL, NULL },
	{ "author_key_digests", POLICY_SET, SNP(author_key_digests), 48, NULL, NULL },
	{ "require_author_key", POLICY_BOOL, SNP(require_author_key), 0, NULL, NULL },
	{ "family_ids", POLICY_SET, SNP(family_ids), 16, NULL, NULL },
	{ "image_ids", POLICY_SET, SNP(image_ids), 16, NULL, NULL },
	{ "report_ids", POLICY_SET, SNP(report_ids), 32, NULL, NULL },
	{ "report_id_mas", POLICY_SET, SNP(report_id_mas), 32, NULL, NULL },
	{ "chip_ids", POLICY_SET, SNP(chip_ids), 64, NULL, NULL },
	{ "require_chip_allow_list", POLICY_BOOL, SNP(require_chip_allow_list), 0, NULL, NULL },
	{ "min_version", POLICY_U32, SNP(min_version), 0, NULL, NULL },
	{ "min_guest_svn", POLICY_U32, SNP(min_guest_svn), 0, NULL, NULL },
	{ "vmpl", POLICY_CUSTOM, 0, 0, policy_read_vmpl, NULL },
	{ "allow", POLICY_CUSTOM, 0, 0, read_allow, NULL },
	{ "demand", POLICY_CUSTOM, 0, 0, read_demand, NULL },
	{ "min_abi", POLICY_CUSTOM, 0, 0, read_min_abi, NULL },
	{ "platform", POLICY_CUSTOM, 0, 0, read_platform, NULL },
	{ "allow_tio", POLICY_CUSTOM, 0, 0, read_allow_tio, NULL },
	{ "allow_unchecked_alias", POLICY_CUSTOM, 0, 0, read_unchecked_alias, NULL },
	{ "allow_vlek", POLICY_BOOL, SNP(allow_vlek), 0, NULL, NULL },
	{ "csp_id", POLICY_TEXT, SNP(csp_id), 0, NULL, NULL },
	{ "product", POLICY_CUSTOM, 0, 0, policy_read_product, NULL },
	{ "min_tcb", POLICY_CUSTOM, 0, 0, read_min_tcb, NULL },
	{ "min_launch_tcb", POLICY_CUSTOM, 0, 0, read_min_launch_tcb, NULL },
	{ "allow_provisional", POLICY_BOOL, SNP(allow_provisional), 0, NULL, NULL },
	{ "min_build", POLICY_U8, SNP(min_build), 0, NULL, NULL },
	{ "min_api", POLICY_CUSTOM, 0, 0, policy_read_version, NULL },
	{ "min_firmware", POLICY_CUSTOM, 0, 0, read_min_firmware, NULL },
	{ "launch_mit_vector", POLICY_U64, SNP(launch_mit_vector), 0, NULL, NULL },
	{ "current_mit_vector", POLICY_U64, SNP(current_mit_vector), 0, NULL, NULL },
	{ .key = NULL },
};

/* ---- TDX ---- */

static const struct bit attribute_bits[] = {
	{ "icssd", TDX_ATTR_ICSSD },
	{ "lass", TDX_ATTR_LASS },
	{ "migratable", TDX_ATTR_MIGRATABLE },
	{ "kl", TDX_ATTR_KL },
	{ "tpa", TDX_ATTR_TPA },
};

static int read_allow_attributes(struct policy_reading *r, const struct json *value)
{
	return read_bits(r, value, attribute_bits, ARRAY_LEN(attribute_bits),
			 &r->policy->tdx.allow_attributes);
}

/* Status names as Intel writes them; the list replaces the default. Revoked is never among them. */
static int read_statuses(struct policy_reading *r, const struct json *value)
{
	uint32_t statuses = 0;

	if (value->type != JSON_ARRAY || !value->count)
		return policy_wrong(r, value, "an array of TCB statuses");
	for (size_t i = 0; i < value->count; i++) {
		enum tdx_status status;

		if (value->items[i].type != JSON_STRING ||
		    tdx_status_parse(value->items[i].text, &status, r->e) < 0 ||
		    status == TDX_REVOKED)
			return policy_wrong(r, &value->items[i],
					    "a TCB status that can be accepted");
		statuses |= UINT32_C(1) << status;
	}
	r->policy->tdx.statuses = statuses;
	return 0;
}

const struct policy_row policy_own_tdx_rows[] = {
	{ "mrtd", POLICY_SET, TDX(mrtd), 48, NULL, NULL },
	{ "mrseam", POLICY_SET, TDX(mrseam), 48, NULL, NULL },
	{ "mrconfigid", POLICY_SET, TDX(mrconfigid), 48, NULL, NULL },
	{ "mrowner", POLICY_SET, TDX(mrowner), 48, NULL, NULL },
	{ "mrownerconfig", POLICY_SET, TDX(mrownerconfig), 48, NULL, NULL },
	{ "mrservicetd", POLICY_SET, TDX(mrservicetd), 48, NULL, NULL },
	{ "rtmr0", POLICY_SET, TDX(rtmr[0]), 48, NULL, NULL },
	{ "rtmr1", POLICY_SET, TDX(rtmr[1]), 48, NULL, NULL },
	{ "rtmr2", POLICY_SET, TDX(rtmr[2]), 48, NULL, NULL },
	{ "rtmr3", POLICY_SET, TDX(rtmr[3]), 48, NULL, NULL },
	{ "events", POLICY_CUSTOM, 0, 0, policy_read_rtmr_events, NULL },
	{ "tables", POLICY_CUSTOM, 0, 0, policy_read_tables, NULL },
	{ "fmspcs", POLICY_SET, TDX(fmspcs), 6, NULL, NULL },
	{ "instances", POLICY_SET, TDX(instances), 16, NULL, NULL },
	{ "allow_attributes", POLICY_CUSTOM, 0, 0, read_allow_attributes, NULL },
	{ "allow_sept_ve", POLICY_BOOL, TDX(allow_sept_ve), 0, NULL, NULL },
	{ "attributes", POLICY_CUSTOM, 0, 8, policy_read_attributes, NULL },
	{ "xfam", POLICY_CUSTOM, 0, 8, policy_read_xfam, NULL },
	{ "statuses", POLICY_CUSTOM, 0, 0, read_statuses, NULL },
	{ "min_evaluation", POLICY_U64, TDX(min_evaluation), 0, NULL, NULL },
	{ "min_tee_tcb_svn", POLICY_BYTES, TDX(min_tee_tcb_svn), TDX_SVN_LEN, NULL, NULL },
	{ "min_qe_svn", POLICY_U16, TDX(min_qe_svn), 0, NULL, NULL },
	{ "min_pce_svn", POLICY_U16, TDX(min_pce_svn), 0, NULL, NULL },
	{ .key = NULL },
};

/* ---- TPM, token, run, CRLs ---- */

static int read_reset_count(struct policy_reading *r, const struct json *value)
{
	uint64_t v;

	if (policy_read_u64(r, value, UINT32_MAX, &v) < 0)
		return err_code(r->e);
	r->policy->tpm.has_reset_count = true;
	r->policy->tpm.reset_count = (uint32_t)v;
	return 0;
}

const struct policy_row policy_own_tpm_rows[] = {
	{ "pcrs", POLICY_CUSTOM, 0, 0, policy_read_pcrs, NULL },
	{ "events", POLICY_CUSTOM, 0, 0, policy_read_pcr_events, NULL },
	{ "allow_sha1_bank", POLICY_BOOL, offsetof(struct policy, tpm.allow_sha1_bank), 0, NULL,
	  NULL },
	{ "reset_count", POLICY_CUSTOM, 0, 0, read_reset_count, NULL },
	{ .key = NULL },
};

/* In the older form 0 is a number that nobody set. Here somebody did, and it must not mean 'any'. */
static int read_max_age(struct policy_reading *r, const struct json *value)
{
	uint64_t age;

	if (policy_read_u64(r, value, UINT64_MAX, &age) < 0)
		return err_code(r->e);
	if (!age)
		return policy_wrong(r, value, "at least a second");
	return policy_read_max_age(r, value);
}

static const struct policy_row token_rows[] = {
	{ "max_age", POLICY_CUSTOM, 0, 0, read_max_age, NULL },
	{ .key = NULL },
};

static int read_words(struct policy_reading *r, const struct json *value, char ***words,
		      size_t *count)
{
	if (value->type != JSON_ARRAY || value->count > POLICY_LIST_MAX)
		return policy_wrong(r, value, "an array of words");
	char **list = policy_alloc(r, (value->count + 1) * sizeof(*list));
	if (!list)
		return err_code(r->e);
	for (size_t i = 0; i < value->count; i++) {
		const struct json *word = &value->items[i];

		if (word->type != JSON_STRING || !*word->text)
			return policy_wrong(r, word, "a word");
		list[i] = policy_alloc(r, strlen(word->text) + 1);
		if (!list[i])
			return err_code(r->e);
		memcpy(list[i], word->text, strlen(word->text));
	}
	*words = list;
	*count = value->count;
	return 0;
}

static int read_boot_keys(struct policy_reading *r, const struct json *value)
{
	r->policy->run.has_boot_keys = true;
	return read_words(r, value, &r->policy->run.boot_keys, &r->policy->run.boot_key_count);
}

static int read_weak_words(struct policy_reading *r, const struct json *value)
{
	return read_words(r, value, &r->policy->run.weak_words, &r->policy->run.weak_word_count);
}

static int read_agent(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_STRING ||
	    (strcmp(value->text, "stock") != 0 && strcmp(value->text, "cocos") != 0))
		return policy_wrong(r, value, "\"stock\" or \"cocos\"");
	r->policy->run.relayable = strcmp(value->text, "stock") == 0;
	return 0;
}

/* Of a stock agent no run statement counts, so that nothing would ever be judged by these. */
int policy_finish_run(struct policy_reading *r)
{
	const struct policy_run *run = &r->policy->run;
	const struct {
		bool asked;
		const char *key;
	} rows[] = {
		{ run->manifests.count, "manifests" },
		{ run->fixed_boot, "fixed_boot" },
		{ run->has_boot_keys, "boot_keys" },
	};

	for (size_t i = 0; run->relayable && i < ARRAY_LEN(rows); i++)
		if (rows[i].asked)
			return err_set(r->e, ERR_INVALID,
				       "run.%s and run.agent \"stock\": one of them; a stock agent "
				       "vouches for any run statement",
				       rows[i].key);
	return 0;
}

static int read_kernel(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_STRING ||
	    (strcmp(value->text, "own") != 0 && strcmp(value->text, "stock") != 0))
		return policy_wrong(r, value, "\"own\" or \"stock\"");
	r->policy->run.kernel =
		strcmp(value->text, "own") == 0 ? POLICY_KERNEL_OWN : POLICY_KERNEL_STOCK;
	return 0;
}

static int read_fixed_boot(struct policy_reading *r, const struct json *value)
{
	if (value->type != JSON_BOOL)
		return policy_wrong(r, value, "true or false");
	r->policy->run.fixed_boot = value->boolean;
	r->policy->snp.host_data_of_run = value->boolean;
	r->policy->tdx.of_run = value->boolean;
	return 0;
}

static const struct policy_row run_rows[] = {
	{ "agent", POLICY_CUSTOM, 0, 0, read_agent, NULL },
	{ "allow_external_identity", POLICY_BOOL, RUN(allow_external_identity), 0, NULL, NULL },
	{ "azure_paravisor", POLICY_BOOL, RUN(azure_paravisor), 0, NULL, NULL },
	{ "fixed_boot", POLICY_CUSTOM, 0, 0, read_fixed_boot, NULL },
	{ "kernel", POLICY_CUSTOM, 0, 0, read_kernel, NULL },
	{ "manifests", POLICY_SET, RUN(manifests), SHA3_256_LEN, NULL, NULL },
	{ "boot_keys", POLICY_CUSTOM, 0, 0, read_boot_keys, NULL },
	{ "weak_words", POLICY_CUSTOM, 0, 0, read_weak_words, NULL },
	{ .key = NULL },
};

/* Who says how old a list may be wants one. */
static int read_crl_age(struct policy_reading *r, const struct json *value)
{
	uint64_t age;

	if (policy_read_u64(r, value, CRL_AGE_MAX, &age) < 0)
		return err_code(r->e);
	if (!age)
		return policy_wrong(r, value, "seconds, at least 1");
	r->policy->crl_max_age = age;
	r->policy->require_crl = true;
	return 0;
}

static const struct policy_row crl_rows[] = {
	{ "required", POLICY_CUSTOM, 0, 0, policy_read_check_crl, NULL },
	{ "max_age", POLICY_CUSTOM, 0, 0, read_crl_age, NULL },
	{ .key = NULL },
};

static int read_tls_groups(struct policy_reading *r, const struct json *value)
{
	uint32_t groups = 0;

	if (value->type != JSON_ARRAY || !value->count)
		return policy_wrong(r, value, "an array of one key exchange or more");
	for (size_t i = 0; i < value->count; i++) {
		const struct json *name = &value->items[i];

		if (name->type != JSON_STRING)
			return policy_wrong(r, name, "the name of a key exchange");
		if (kex_groups_add(name->text, strlen(name->text), &groups, r->e) < 0)
			return err_wrap(r->e, "%s", log_quote(name->text).text);
	}
	r->policy->tls_groups = groups;
	return 0;
}

static const struct policy_row tls_rows[] = {
	{ "groups", POLICY_CUSTOM, 0, 0, read_tls_groups, NULL },
	{ .key = NULL },
};

static int read_snp(struct policy_reading *r, const struct json *value)
{
	if (policy_begin(r, &r->policy->has_snp) < 0)
		return err_code(r->e);
	return policy_read_members(r, value, policy_own_snp_rows, false);
}

static int read_tdx(struct policy_reading *r, const struct json *value)
{
	if (policy_begin(r, &r->policy->has_tdx) < 0)
		return err_code(r->e);
	return policy_read_members(r, value, policy_own_tdx_rows, false);
}

static int read_tpm(struct policy_reading *r, const struct json *value)
{
	if (policy_begin(r, &r->policy->has_tpm) < 0)
		return err_code(r->e);
	return policy_read_object(r, value, policy_own_tpm_rows, false);
}

static int read_form(struct policy_reading *r, const struct json *value)
{
	uint64_t v;

	if (policy_read_u64(r, value, 1, &v) < 0)
		return err_code(r->e);
	return v == 1 ? 0 : policy_wrong(r, value, "1");
}

const struct policy_row policy_own_rows[] = {
	{ "cocos", POLICY_CUSTOM, 0, 0, read_form, NULL },
	{ "snp", POLICY_CUSTOM, 0, 0, read_snp, NULL },
	{ "tdx", POLICY_CUSTOM, 0, 0, read_tdx, NULL },
	{ "tpm", POLICY_CUSTOM, 0, 0, read_tpm, NULL },
	{ "token", POLICY_OBJECT, 0, 0, NULL, token_rows },
	{ "run", POLICY_OBJECT, 0, 0, NULL, run_rows },
	{ "crl", POLICY_OBJECT, 0, 0, NULL, crl_rows },
	{ "tls", POLICY_OBJECT, 0, 0, NULL, tls_rows },
	{ .key = NULL },
};
