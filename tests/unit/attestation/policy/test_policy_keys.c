/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every key of both forms of policy, by the reader's own tables: each has a case here, or the test
 * fails; each right value changes what is demanded (but for those that say they don't), and each wrong
 * one is refused with the key's name.
 */
#include "attestation/policy/policy_fields.h"
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "tests/unit.h"

enum { DOCUMENT_MAX = 65536, BYTES_MAX = 64 };

/* In a value, "@48" is a string of 48 bytes, 0x11 each, in the form's encoding. */
struct key_case {
	const char *path, *value;
	bool idle; /* changes nothing, by its nature */
};

static const struct key_case own[] = {
	{ "cocos", "1", true },
	{ "snp.measurements", "[@48,@48]", false },
	{ "snp.host_data", "[@32]", false },
	{ "snp.id_key_digests", "[@48]", false },
	{ "snp.author_key_digests", "[@48]", false },
	{ "snp.require_author_key", "true", false },
	{ "snp.family_ids", "[@16]", false },
	{ "snp.image_ids", "[@16]", false },
	{ "snp.report_ids", "[@32]", false },
	{ "snp.report_id_mas", "[@32]", false },
	{ "snp.chip_ids", "[@64]", false },
	{ "snp.require_chip_allow_list", "true", false },
	{ "snp.min_version", "5", false },
	{ "snp.min_guest_svn", "5", false },
	{ "snp.vmpl", "3", false },
	{ "snp.allow", "[\"smt\",\"migrate_ma\",\"cxl\"]", false },
	{ "snp.demand", "[\"single_socket\",\"mem_aes_256_xts\",\"rapl_dis\"]", false },
	{ "snp.min_abi", "\"1.55\"", false },
	{ "snp.platform", "[\"tsme\",\"ecc\",\"rapl_dis\",\"ciphertext_hiding\"]", false },
	{ "snp.allow_tio", "true", false },
	{ "snp.allow_unchecked_alias", "true", false },
	{ "snp.allow_vlek", "true", false },
	{ "snp.csp_id", "\"cloud\"", false },
	{ "snp.product", "\"Genoa\"", false },
	{ "snp.min_tcb", "{\"snp\":8}", false },
	{ "snp.min_launch_tcb", "{\"microcode\":8}", false },
	{ "snp.allow_provisional", "true", false },
	{ "snp.min_build", "40", false },
	{ "snp.min_api", "\"1.55\"", false },
	{ "snp.min_firmware", "[1,55,40]", false },
	{ "snp.launch_mit_vector", "18446744073709551615", false },
	{ "snp.current_mit_vector", "1", false },
	{ "tdx.mrtd", "[@48]", false },
	{ "tdx.mrseam", "[@48]", false },
	{ "tdx.mrconfigid", "[@48]", false },
	{ "tdx.mrowner", "[@48]", false },
	{ "tdx.mrownerconfig", "[@48]", false },
	{ "tdx.mrservicetd", "[@48]", false },
	{ "tdx.rtmr0", "[@48]", false },
	{ "tdx.rtmr1", "[@48]", false },
	{ "tdx.rtmr2", "[@48]", false },
	{ "tdx.rtmr3", "[@48]", false },
	{ "tdx.events", "{\"rtmr1\":[@48]}", false },
	{ "tdx.tables", "[{\"name\":\"etc/acpi/tables\",\"sha384\":@48}]", false },
	{ "tdx.fmspcs", "[@6]", false },
	{ "tdx.instances", "[@16]", false },
	{ "tdx.allow_attributes", "[\"icssd\",\"lass\",\"migratable\",\"kl\",\"tpa\"]", false },
	{ "tdx.allow_sept_ve", "true", false },
	{ "tdx.attributes", "@8", false },
	{ "tdx.xfam", "@8", false },
	{ "tdx.statuses", "[\"UpToDate\",\"OutOfDate\"]", false },
	{ "tdx.min_evaluation", "17", false },
	{ "tdx.min_tee_tcb_svn", "@16", false },
	{ "tdx.min_qe_svn", "65535", false },
	{ "tdx.min_pce_svn", "1", false },
	{ "tpm.pcrs", "{\"sha1\":{\"0\":[@20]},\"sha256\":{\"16\":[@32,@32]}}", false },
	{ "tpm.events", "{\"sha256\":{\"4\":[@32]}}", false },
	{ "tpm.allow_sha1_bank", "true", false },
	{ "tpm.reset_count", "4294967295", false },
	{ "token.max_age", "60", false },
	{ "run.agent", "\"stock\"", false },
	{ "run.allow_external_identity", "true", false },
	{ "run.azure_paravisor", "true", false },
	{ "run.fixed_boot", "true", false },
	{ "run.kernel", "\"own\"", false },
	{ "run.manifests", "[@32]", false },
	{ "run.boot_keys", "[\"AGENT_CVM_ID\"]", false },
	{ "run.weak_words", "[\"cocos.role_signature\"]", false },
	{ "crl.required", "true", false },
	{ "crl.max_age", "604800", false },
	{ "tls.groups", "[\"X25519MLKEM768\",\"x25519\"]", false },
};

static const struct key_case older[] = {
	{ "policy.minimum_guest_svn", "5", false },
	{ "policy.policy", "720896", false },
	{ "policy.family_id", "@16", false },
	{ "policy.image_id", "@16", false },
	{ "policy.vmpl", "3", false },
	{ "policy.minimum_tcb", "\"15066229603414573059\"", false },
	{ "policy.minimum_launch_tcb", "1", false },
	{ "policy.minimum_tcb_turin", NULL, false }, /* below */
	{ "policy.minimum_launch_tcb_turin", NULL, false },
	{ "policy.platform_info", "\"2\"", false },
	{ "policy.require_author_key", "true", false },
	{ "policy.report_data", "@64", false },
	{ "policy.measurement", "@48", false },
	{ "policy.host_data", "@32", false },
	{ "policy.report_id", "@32", false },
	{ "policy.report_id_ma", "@32", false },
	{ "policy.chip_id", "@64", false },
	{ "policy.minimum_build", "40", false },
	{ "policy.minimum_version", "\"1.55\"", false },
	{ "policy.permit_provisional_firmware", "true", false },
	{ "policy.require_id_block", "false", true },
	{ "policy.trusted_author_keys", "[]", true },
	{ "policy.trusted_author_key_hashes", "[@48]", false },
	{ "policy.trusted_id_keys", "[]", true },
	{ "policy.trusted_id_key_hashes", "[@48,@48]", false },
	{ "policy.product.name", "\"SEV_PRODUCT_TURIN\"", false },
	{ "policy.product.stepping", "2", true },
	{ "policy.product.machine_stepping", "1", false },
	{ "policy.header_policy.minimum_qe_svn", "3", false },
	{ "policy.header_policy.minimum_pce_svn", "3", false },
	{ "policy.header_policy.qe_vendor_id", "\"k5pyM/ecTKmUCg2zlX8GBw==\"", true },
	{ "policy.td_quote_body_policy.minimum_tee_tcb_svn", "@16", false },
	{ "policy.td_quote_body_policy.mr_seam", "@48", false },
	{ "policy.td_quote_body_policy.td_attributes", "@8", false },
	{ "policy.td_quote_body_policy.xfam", "@8", false },
	{ "policy.td_quote_body_policy.mr_td", "@48", false },
	{ "policy.td_quote_body_policy.any_mr_td", "[@48,@48]", false },
	{ "policy.td_quote_body_policy.mr_config_id", "@48", false },
	{ "policy.td_quote_body_policy.mr_owner", "@48", false },
	{ "policy.td_quote_body_policy.mr_owner_config", "@48", false },
	{ "policy.td_quote_body_policy.rtmrs", "[@48,@48,@48,@48]", false },
	{ "policy.td_quote_body_policy.report_data", "@64", false },
	{ "policy.td_quote_body_policy.tdattributes_debug", "false", true },
	{ "root_of_trust.product", "\"Milan\"", false },
	{ "root_of_trust.product_line", "\"Turin\"", false },
	{ "root_of_trust.cabundle_paths", "[]", true },
	{ "root_of_trust.cabundles", "[]", true },
	{ "root_of_trust.check_crl", "true", false },
	{ "root_of_trust.disallow_network", "true", false },
	{ "root_of_trust.get_collateral", "false", true },
	{ "pcr_values",
	  "{\"sha256\":{\"0\":\"11111111111111111111111111111111"
	  "11111111111111111111111111111111\"}}",
	  false },
	{ "eat_validation.require_eat_format", "false", true },
	{ "eat_validation.allowed_formats", "[\"JWT\",\"CBOR\"]", true },
	{ "eat_validation.max_token_age_seconds", "\"300\"", false },
	{ "eat_validation.require_claims", "[\"ueid\",\"measurements\",\"eat_nonce\"]", false },
	{ "eat_validation.verify_signature", "false", true },
};

/* Wrong everywhere: no key takes any of them. */
static const char *const wrong[] = { "{\"nonsense\":1}",     "[{}]", "[[]]", "-1", "1.5",
				     "\"\\u0001 nonsense!\"" };

static void put_bytes(struct writer *w, size_t len, bool hex)
{
	uint8_t bytes[BYTES_MAX];
	char text[2 * BYTES_MAX + 1];
	CLEANUP(free) char *base64 = NULL;

	assert_true(len <= sizeof(bytes));
	memset(bytes, 0x11, len);
	hex_encode(bytes, len, text);
	base64 = base64_encode(bytes, len);
	writer_printf(w, "\"%s\"", hex ? text : base64);
}

static void put_value(struct writer *w, const char *value, bool hex)
{
	while (*value) {
		char *end;

		if (*value != '@') {
			writer_u8(w, (uint8_t)*value++);
			continue;
		}
		put_bytes(w, strtoul(value + 1, &end, 10), hex);
		value = end;
	}
}

/* The document that has that value under that path, and nothing else but what it takes. */
static int parse(const struct key_case *c, const char *value, bool is_own, struct policy *p,
		 struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(DOCUMENT_MAX);
	size_t depth = 1;

	writer_text(&w, "{");
	if (is_own && strcmp(c->path, "cocos") != 0)
		writer_text(&w, "\"cocos\":1,");
	if (!is_own && strncmp(c->path, "policy", 6) != 0)
		writer_text(&w, "\"policy\":{},");
	writer_text(&w, "\"");
	for (const char *at = c->path; *at; at++) {
		if (*at == '.') {
			writer_text(&w, "\":{\"");
			depth++;
		} else {
			writer_u8(&w, (uint8_t)*at);
		}
	}
	writer_text(&w, "\":");
	put_value(&w, value, is_own);
	for (; depth; depth--)
		writer_text(&w, "}");

	const struct policy_file file = { "keys", w.bytes, w.len };

	return policy_parse(&file, 1, p, e);
}

/* What is demanded, without the digest of the text and who holds the memory. */
static void demands(const struct policy *p, struct policy *out)
{
	*out = *p;
	memset(out->digest, 0, sizeof(out->digest));
	out->blocks = NULL;
}

static bool demands_nothing_new(const struct policy *p)
{
	static struct policy now, before;

	demands(p, &now);
	policy_init(&before);
	before.has_snp = now.has_snp;
	before.has_tdx = now.has_tdx;
	before.has_tpm = now.has_tpm;
	return memcmp(&now, &before, sizeof(now)) == 0;
}

static void judge_case(const struct key_case *c, bool is_own)
{
	const char *key = strrchr(c->path, '.') ? strrchr(c->path, '.') + 1 : c->path;
	static struct policy p;
	struct err e;

	if (c->value) {
		assert_ok(parse(c, c->value, is_own, &p, &e), e);
		if (demands_nothing_new(&p) != c->idle)
			fail_msg("%s %s", c->path,
				 c->idle ? "demands something" : "demands nothing");
		policy_done(&p);
		/* A null is as if it were not there, but in our form, where nobody writes one and
		 * means it. */
		if (!is_own) {
			assert_ok(parse(c, "null", is_own, &p, &e), e);
			policy_done(&p);
		}
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		if (strcmp(key, "csp_id") == 0 && wrong[i][0] == '"')
			continue; /* any text may be a provider's */
		if (parse(c, wrong[i], is_own, &p, &e) == 0)
			fail_msg("%s takes %s", c->path, wrong[i]);
		if (!strstr(e.text, key))
			fail_msg("%s: %s", c->path, e.text);
	}
}

/* Where something is to be narrowed, our form takes neither null nor what is empty. */
static const struct {
	const char *path, *value;
} says_nothing[] = {
	{ "cocos", "null" },
	{ "snp", "null" },
	{ "tdx", "null" },
	{ "tpm", "null" },
	{ "token", "null" },
	{ "run", "null" },
	{ "crl", "null" },
	{ "tpm", "{}" },
	{ "token", "{}" },
	{ "run", "{}" },
	{ "crl", "{}" },
	{ "snp.min_tcb", "{}" },
	{ "snp.min_tcb", "{\"snp\":null}" },
	{ "snp.min_launch_tcb", "{}" },
	{ "snp.measurements", "[null]" },
	{ "snp.measurements", "[]" },
	{ "snp.chip_ids", "[]" },
	{ "tdx.statuses", "[]" },
	{ "tdx.fmspcs", "[]" },
	{ "tdx.events", "{}" },
	{ "tdx.events", "{\"rtmr1\":[]}" },
	{ "tdx.events", "{\"rtmr1\":null}" },
	{ "tpm.pcrs", "{}" },
	{ "tpm.pcrs", "{\"sha256\":{}}" },
	{ "tpm.pcrs", "{\"sha256\":null}" },
	{ "tpm.pcrs", "{\"sha256\":{\"0\":null}}" },
	{ "tpm.pcrs", "{\"sha256\":{\"0\":[]}}" },
	{ "tpm.events", "{}" },
	{ "tpm.events", "{\"sha256\":{}}" },
	{ "tpm.events", "{\"sha256\":null}" },
	{ "tpm.events", "{\"sha256\":{\"4\":null}}" },
};

static void is_refused_by_name(const char *path, const char *value)
{
	const struct key_case c = { path, value, false };
	const char *key = strrchr(path, '.') ? strrchr(path, '.') + 1 : path;
	static struct policy p;
	struct err e;

	if (parse(&c, value, true, &p, &e) == 0)
		fail_msg("%s takes %s", path, value);
	if (!strstr(e.text, key))
		fail_msg("%s: %s", path, e.text);
}

static void nothing_is_said_by_null_or_by_emptiness(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		is_refused_by_name(own[i].path, "null");
	for (size_t i = 0; i < ARRAY_LEN(says_nothing); i++)
		is_refused_by_name(says_nothing[i].path, says_nothing[i].value);
}

static void every_value_is_read_and_every_wrong_one_refused(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		judge_case(&own[i], true);
	for (size_t i = 0; i < ARRAY_LEN(older); i++)
		judge_case(&older[i], false);
	print_message("# %zu keys of our form, %zu of the older one\n", ARRAY_LEN(own),
		      ARRAY_LEN(older));
}

static bool has_case(const struct key_case *cases, size_t count, const char *path)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(cases[i].path, path) == 0)
			return true;
	return false;
}

static size_t walk(const struct policy_row *rows, const char *prefix, const struct key_case *cases,
		   size_t count)
{
	size_t found = 0;

	for (; rows->key; rows++) {
		char path[128];

		snprintf(path, sizeof(path), "%s%s%s", prefix, *prefix ? "." : "", rows->key);
		if (rows->kind == POLICY_OBJECT) {
			found += walk(rows->rows, path, cases, count);
			continue;
		}
		if (!has_case(cases, count, path))
			fail_msg("%s has no case", path);
		found++;
	}
	return found;
}

static void every_key_of_the_reader_has_a_case(void **state)
{
	/* Objects that a row reads by a table of its own. */
	static const char *const within[] = { "snp", "tdx", "tpm" };
	const struct policy_row *tables[] = { policy_own_snp_rows, policy_own_tdx_rows,
					      policy_own_tpm_rows };
	size_t found = 0;

	for (const struct policy_row *row = policy_own_rows; row->key; row++) {
		bool nested = row->kind == POLICY_OBJECT;

		if (nested)
			found += walk(row->rows, row->key, own, ARRAY_LEN(own));
		for (size_t i = 0; i < ARRAY_LEN(within); i++)
			if (strcmp(row->key, within[i]) == 0) {
				found += walk(tables[i], row->key, own, ARRAY_LEN(own));
				nested = true;
			}
		if (!nested && has_case(own, ARRAY_LEN(own), row->key))
			found++;
		else if (!nested)
			fail_msg("%s has no case", row->key);
	}
	assert_int_equal(found, ARRAY_LEN(own));
	found = walk(policy_older_snp_rows, "policy", older, ARRAY_LEN(older)) +
		walk(policy_older_tdx_rows, "policy", older, ARRAY_LEN(older)) +
		walk(policy_older_root_rows, "root_of_trust", older, ARRAY_LEN(older)) +
		walk(policy_older_eat_rows, "eat_validation", older, ARRAY_LEN(older));
	assert_int_equal(found + 1 /* pcr_values */, ARRAY_LEN(older));
}

/* Floors of Turin, which has to be named. */
static void floors_are_of_the_product_that_is_named(void **state)
{
	static const char text[] = "{\"policy\":{\"product\":{\"name\":3},"
				   "\"minimum_tcb_turin\":\"1\",\"minimum_launch_tcb_turin\":2}}";
	const struct policy_file file = { "turin", text, strlen(text) };
	struct policy p;
	struct err e;

	assert_ok(policy_parse(&file, 1, &p, &e), e);
	assert_int_equal(p.snp.min_tcb.fmc, 1);
	assert_int_equal(p.snp.min_launch_tcb.fmc, 2);
	assert_int_equal(p.snp.launch_floors, 1); /* the number's other parts are unset */
	policy_done(&p);
}

/* A policy, whichever form it has, speaks of one kind and of no other by the way. */
static void what_a_key_demands_stays_with_its_kind(void **state)
{
	struct policy p;
	struct err e;

	assert_ok(parse(&own[1], own[1].value, true, &p, &e), e);
	assert_true(p.has_snp && !p.has_tdx && !p.has_tpm);
	policy_done(&p);
	assert_ok(parse(&(struct key_case){ "policy.td_quote_body_policy.mr_td", NULL, false },
			"@48", false, &p, &e),
		  e);
	assert_true(!p.has_snp && p.has_tdx && !p.has_tpm);
	policy_done(&p);
}

/* A limit of no second is no 'no limit'; in the older form it is how Go writes that nobody set one. */
static void a_limit_of_nothing_is_none_in_the_older_form_alone(void **state)
{
	static const struct key_case ours = { "token.max_age", NULL, false };
	static const struct key_case theirs = { "eat_validation.max_token_age_seconds", NULL,
						false };
	struct policy p;
	struct err e;

	assert_refused(parse(&ours, "0", true, &p, &e), e, ERR_INVALID, "at least a second");
	assert_refused(parse(&ours, "\"0\"", true, &p, &e), e, ERR_INVALID, "at least a second");
	assert_ok(parse(&ours, "1", true, &p, &e), e);
	assert_int_equal(p.token.max_age, 1);
	policy_done(&p);
	assert_ok(parse(&theirs, "0", false, &p, &e), e);
	assert_int_equal(p.token.max_age, 0);
	policy_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_value_is_read_and_every_wrong_one_refused),
		cmocka_unit_test(nothing_is_said_by_null_or_by_emptiness),
		cmocka_unit_test(every_key_of_the_reader_has_a_case),
		cmocka_unit_test(floors_are_of_the_product_that_is_named),
		cmocka_unit_test(what_a_key_demands_stays_with_its_kind),
		cmocka_unit_test(a_limit_of_nothing_is_none_in_the_older_form_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
