/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/policy/policy_show.h"
#include "attestation/verdict/crl_age.h"
#include "common/base/writer.h"
#include "tests/json_same.h"
#include "tests/vectors.h"

static void run_case(const struct vector_case *c)
{
	size_t len;
	CLEANUP(free) uint8_t *text = vector_file(c, "policy.json", &len);
	const struct policy_file file = { c->name, text, len };
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	CLEANUP(json_free) struct json *shown = NULL;
	struct policy p;
	struct err e = { 0 };

	bool yes = policy_parse(&file, 1, &p, &e) == 0;
	if (yes != vector_accepts(c))
		fail_msg("%s: %s", c->name, yes ? "accepted" : e.text);
	if (!yes)
		return;
	assert_ok(policy_show(&file, &w, &e), e);
	assert_ok(json_parse(w.bytes, w.len, &shown, &e), e);
	if (!json_same(vector_value(c, "fields"), json_get(shown, "fields")) ||
	    !json_same(vector_value(c, "kind"), json_get(shown, "kind")))
		fail_msg("%s: %.*s", c->name, (int)w.len, (char *)w.bytes);
	policy_done(&p);
}

static void the_shared_policies_are_read_right(void **state)
{
	VECTORS_OR_SKIP();
	assert_int_equal(vectors_walk("policy", "", run_case), 49);
}

#define ZEROS_64 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" /* 48 bytes */

static int parse(const char *text, struct policy *p, struct err *e)
{
	const struct policy_file file = { "test", text, strlen(text) };

	return policy_parse(&file, 1, p, e);
}

static void our_form_fills_the_policies(void **state)
{
	static const char text[] =
		"{\"cocos\":1,\"snp\":{\"host_data\":[\"00000000000000000000000000000000"
		"000000000000000000000000000000ff\"],\"allow\":[\"smt\"],\"demand\":[\"rapl_dis\"],"
		"\"min_abi\":\"1.55\",\"min_tcb\":{\"snp\":8,\"microcode\":115},\"vmpl\":2,"
		"\"allow_unchecked_alias\":true,\"csp_id\":\"cloud\"},"
		"\"tdx\":{\"statuses\":[\"UpToDate\",\"SWHardeningNeeded\"],\"min_evaluation\":17},"
		"\"tpm\":{\"pcrs\":{\"sha256\":{\"16\":[\"0000000000000000000000000000000000000000000000"
		"000000000000000000\"]}}},\"run\":{\"agent\":\"cocos\",\"boot_keys\":[\"AGENT_CVM_ID\"]},"
		"\"crl\":{\"required\":true}}";
	struct policy p;
	struct err e;

	assert_ok(parse(text, &p, &e), e);
	assert_int_equal(p.snp.host_data.count, 1);
	assert_int_equal(p.snp.host_data.values[31], 0xff);
	assert_true(p.snp.guest_policy ==
		    (SNP_POLICY_RESERVED_ONE | SNP_POLICY_SMT | SNP_POLICY_RAPL_DIS | 0x137));
	assert_true(p.snp.platform_info == 0);
	assert_int_equal(p.snp.min_tcb.microcode, 115);
	assert_int_equal(p.snp.vmpl, 2);
	assert_string_equal(p.snp.csp_id, "cloud");
	assert_int_equal(p.tdx.statuses, 1 << TDX_UP_TO_DATE | 1 << TDX_SW_HARDENING_NEEDED);
	assert_int_equal(p.tdx.min_evaluation, 17);
	assert_int_equal(p.tpm.count, 1);
	assert_int_equal(p.tpm.pcrs[0].index, 16);
	assert_true(p.run.has_boot_keys && p.run.boot_key_count == 1);
	assert_true(p.require_crl);
	policy_done(&p);
}

static void the_age_of_lists_has_its_limits(void **state)
{
	static const struct {
		const char *text;
		uint64_t age; /* 0: refused */
	} cases[] = {
		{ "{\"cocos\":1,\"crl\":{\"max_age\":1}}", 1 },
		{ "{\"cocos\":1,\"crl\":{\"max_age\":0}}", 0 },
		{ "{\"cocos\":1,\"crl\":{\"max_age\":315360000}}", CRL_AGE_MAX },
		{ "{\"cocos\":1,\"crl\":{\"max_age\":315360001}}", 0 },
		{ "{\"cocos\":1,\"crl\":{\"max_age\":18446744073709551615}}", 0 },
		{ "{\"cocos\":1,\"crl\":{\"max_age\":\"1 week\"}}", 0 },
		{ "{\"cocos\":1,\"crl\":{\"required\":false,\"max_age\":60}}", 60 },
		{ "{\"cocos\":1,\"crl\":{\"max_age\":60,\"required\":false}}", 60 },
	};
	struct policy p;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		if (!cases[i].age) {
			assert_refused(parse(cases[i].text, &p, &e), e, ERR_INVALID, "max_age");
			continue;
		}
		assert_ok(parse(cases[i].text, &p, &e), e);
		assert_int_equal(p.crl_max_age, cases[i].age);
		assert_true(p.require_crl); /* who says how old wants one */
		policy_done(&p);
	}
}

#define DIGEST32 "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"
#define DIGEST48 DIGEST32 "202122232425262728292a2b2c2d2e2f"

#define TABLES(text)        "{\"cocos\":1,\"tdx\":{\"tables\":" text "}}"
#define TABLE(name, digest) "{\"name\":\"" name "\",\"sha384\":\"" digest "\"}"
#define NAME55              "etc/acpi/0123456789012345678901234567890123456789-._/aZ"

static void tables_are_read_in_their_order(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 16);
	struct policy p;
	struct err e;

	assert_int_equal(strlen(NAME55), EVENT_FILE_NAME_MAX - 1);
	assert_ok(parse(TABLES("[" TABLE("etc/table-loader",
					 DIGEST48) ",{\"sha384\":\"" DIGEST32
						   "ffffffffffffffffffffffffffffffff\","
						   "\"name\":\"" NAME55 "\"}]"),
			&p, &e),
		  e);
	assert_int_equal(p.tdx.tables.count, 2);
	assert_string_equal(p.tdx.tables.files[0].name, "etc/table-loader");
	assert_int_equal(p.tdx.tables.files[0].digest[47], 0x2f);
	assert_string_equal(p.tdx.tables.files[1].name, NAME55);
	assert_int_equal(p.tdx.tables.files[1].digest[47], 0xff);
	/* They are no value of RTMR0. */
	assert_int_equal(p.tdx.rtmr[0].count + p.tdx.events.count, 0);
	policy_done(&p);
	for (size_t count = EVENT_FILES_MAX; count <= EVENT_FILES_MAX + 1; count++) {
		writer_done(&w);
		w = writer_up_to(1 << 16);
		writer_text(&w, "{\"cocos\":1,\"tdx\":{\"tables\":[");
		for (size_t i = 0; i < count; i++)
			writer_printf(&w, "%s{\"name\":\"%zu\",\"sha384\":\"%s\"}", i ? "," : "", i,
				      DIGEST48);
		writer_bytes(&w, "]}}", 4);
		assert_false(w.bad);
		if (count > EVENT_FILES_MAX) {
			assert_refused(parse((const char *)w.bytes, &p, &e), e, ERR_INVALID,
				       "17 files; 1 to 16");
			continue;
		}
		assert_ok(parse((const char *)w.bytes, &p, &e), e);
		assert_int_equal(p.tdx.tables.count, EVENT_FILES_MAX);
		policy_done(&p);
	}
}

static void events_fill_rules_and_name_registers(void **state)
{
	static const char text[] =
		"{\"cocos\":1,\"tpm\":{\"events\":{\"sha256\":{\"4\":[\"" DIGEST32 "\",\"" DIGEST32
		"\"],\"8\":[\"" DIGEST32 "\"]},\"sha384\":{\"4\":[\"" DIGEST48 "\"]}},"
		"\"pcrs\":{\"sha256\":{\"8\":[\"" DIGEST32 "\"]}}},"
		"\"tdx\":{\"events\":{\"rtmr3\":[\"" DIGEST48 "\"]}}}";
	struct policy p;
	struct err e;

	assert_ok(parse(text, &p, &e), e);
	assert_int_equal(p.tpm.events.count, 4);
	assert_int_equal(p.tpm.events.rules[2].pcr, 8);
	assert_int_equal(p.tpm.events.rules[3].bank, DIGEST_SHA384);
	assert_int_equal(p.tpm.events.rules[3].digest[47], 0x2f);
	/* PCR 8 has a value; 4 of both banks is named by its events. */
	assert_int_equal(p.tpm.count, 3);
	assert_int_equal(p.tpm.pcrs[0].values.count, 1);
	assert_true(p.tpm.pcrs[1].index == 4 && !p.tpm.pcrs[1].values.count);
	assert_true(p.tpm.pcrs[2].index == 4 && p.tpm.pcrs[2].bank == DIGEST_SHA384);
	assert_int_equal(p.tdx.events.count, 1);
	assert_int_equal(p.tdx.events.rules[0].pcr, 3);
	policy_done(&p);
}

static void the_default_is_strict(void **state)
{
	struct policy p;

	policy_init(&p);
	assert_int_equal(p.snp.measurements.count, 0);
	assert_true(p.snp.platform_info & SNP_PLATFORM_ALIAS_CHECK_COMPLETE);
	assert_true(p.snp.guest_policy == SNP_POLICY_RESERVED_ONE);
	assert_false(p.run.fixed_boot || p.snp.host_data_of_run || p.tdx.of_run);
	assert_false(p.run.relayable || p.run.allow_external_identity || p.tpm.allow_sha1_bank);
	assert_false(p.run.azure_paravisor);
	assert_int_equal(p.tdx.statuses, 1 << TDX_UP_TO_DATE);
	policy_done(&p);
}

static void what_is_not_understood_is_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "{}", "'policy' is missing" },
		{ "[]", "an array" },
		{ "{\"snp\":{}}", "without \"cocos\"" },
		{ "{\"cocos\":2}", "over 1" },
		{ "{\"cocos\":1,\"snp\":{\"measurements\":[]}}", "0 values" },
		{ "{\"cocos\":1,\"snp\":{\"measurements\":[\"\"]}}", "is empty" },
		{ "{\"cocos\":1,\"snp\":{\"measurements\":\"any\"}}", "an array" },
		{ "{\"cocos\":1,\"snp\":{\"allow\":[\"debug\"]}}", "'debug'" },
		{ "{\"cocos\":1,\"snp\":{\"allow\":[\"smt\",\"smt\"]}}", "twice" },
		{ "{\"cocos\":1,\"snp\":{\"vmpl\":4}}", "over 3" },
		{ "{\"cocos\":1,\"snp\":{\"min_tcb\":{\"spl\":1}}}", "unknown component" },
		{ "{\"cocos\":1,\"tdx\":{\"statuses\":[\"Revoked\"]}}", "TCB status" },
		{ "{\"cocos\":1,\"tdx\":{\"statuses\":[]}}", "TCB statuses" },
		{ "{\"cocos\":1,\"run\":{\"agent\":\"any\"}}", "'any'" },
		{ "{\"cocos\":1,\"run\":{\"kernel\":\"any\"}}", "'any'" },
		{ "{\"cocos\":1,\"run\":{\"kernel\":true}}", "\"own\" or \"stock\"" },
		{ "{\"cocos\":1,\"run\":{\"fixed_boot\":1}}", "true or false" },
		{ "{\"cocos\":1,\"tls\":{\"groups\":[]}}", "an array of one key exchange or more" },
		{ "{\"cocos\":1,\"tls\":{\"groups\":\"x25519\"}}",
		  "an array of one key exchange or more" },
		{ "{\"cocos\":1,\"tls\":{\"groups\":[29]}}", "the name of a key exchange" },
		{ "{\"cocos\":1,\"tls\":{\"groups\":[\"X25519\"]}}",
		  "'X25519': unknown key exchange; there are X25519MLKEM768" },
		{ "{\"cocos\":1,\"tls\":{\"groups\":[\"x25519\",\"x25519\"]}}", "twice" },
		{ "{\"cocos\":1,\"tls\":{\"group\":[\"x25519\"]}}", "group" },
		{ "{\"cocos\":1,\"tls\":{}}", "tls" },
		{ "{\"cocos\":1,\"tpm\":{\"pcrs\":[]}}", "an object" },
		{ "{\"cocos\":1,\"tpm\":{\"pcrs\":{\"sha256\":[]}}}", "an object" },
		{ "{\"cocos\":1,\"tpm\":{\"pcrs\":{\"sha256\":{\"4\":[]}}}}", "0 values" },
		{ "{\"cocos\":1,\"tpm\":{\"pcrs\":{\"sha256\":{\"4\":[4]}}}}", "a string" },
		{ "{\"cocos\":1,\"tpm\":{\"pcrs\":{\"sha256\":{\"4a\":[]}}}}", "no register" },
		{ "{\"cocos\":1,\"tpm\":{\"pcrs\":{\"sha1\":{\"4\":"
		  "[\"0000000000000000000000000000000000000000\"]}}},\"pcr_values\":{\"sha1\":"
		  "{\"4\":\"0000000000000000000000000000000000000000\"}}}",
		  "said twice" },
		{ "{\"cocos\":1,\"tpm\":{\"events\":[]}}", "an object" },
		{ "{\"cocos\":1,\"tpm\":{\"events\":{\"sha512\":{}}}}", "unknown bank" },
		{ "{\"cocos\":1,\"tpm\":{\"events\":{\"sha256\":[]}}}", "an object" },
		{ "{\"cocos\":1,\"tpm\":{\"events\":{\"sha256\":{\"24\":[]}}}}", "no register" },
		{ "{\"cocos\":1,\"tpm\":{\"events\":{\"sha256\":{\"4\":[]}}}}", "0 digests" },
		{ "{\"cocos\":1,\"tpm\":{\"events\":{\"sha256\":{\"4\":\"00\"}}}}", "an array" },
		{ "{\"cocos\":1,\"tpm\":{\"events\":{\"sha256\":{\"4\":[\"00\"]}}}}", "value 1" },
		{ "{\"cocos\":1,\"tpm\":{\"events\":{\"sha256\":{\"4\":[\"\"]}}}}", "is empty" },
		{ "{\"cocos\":1,\"tdx\":{\"events\":{\"rtmr4\":[]}}}", "no register" },
		{ "{\"cocos\":1,\"tdx\":{\"events\":{\"rtmr1\":{}}}}", "an array" },
		{ "{\"cocos\":1,\"tdx\":{\"events\":3}}", "an object" },
		{ TABLES("{}"), "an array" },
		{ TABLES("[]"), "0 files; 1 to 16" },
		{ TABLES("[1]"), "file 1: " },
		{ TABLES("[{}]"), "'name' is missing" },
		{ TABLES("[{\"name\":\"a\"}]"), "'sha384' is missing" },
		{ TABLES("[{\"sha384\":\"" DIGEST48 "\"}]"), "'name' is missing" },
		{ TABLES("[{\"name\":1,\"sha384\":\"" DIGEST48 "\"}]"), "name" },
		{ TABLES("[" TABLE("a", DIGEST32) "]"), "file 1: " },
		{ TABLES("[" TABLE("a", "") "]"), "is empty" },
		{ TABLES("[" TABLE("", DIGEST48) "]"), "'name' is not 1 to 55" },
		{ TABLES("[" TABLE("a b", DIGEST48) "]"), "'name' is not 1 to 55" },
		{ TABLES("[" TABLE("a\\u001b", DIGEST48) "]"), "'name' is not 1 to 55" },
		{ TABLES("[" TABLE(NAME55 "a", DIGEST48) "]"), "'name' is not 1 to 55" },
		{ TABLES("[" TABLE("a", DIGEST48) "," TABLE("a", DIGEST48) "]"),
		  "file 2: 'a' is there twice" },
		{ TABLES("[{\"name\":\"a\",\"sha384\":\"" DIGEST48 "\",\"sha256\":\"\"}]"),
		  "sha256" },
		{ "{\"cocos\":1,\"snp\":{},\"policy\":{}}", "described twice" },
		{ "{\"policy\":{\"trusted_id_keys\":[\"AA==\"]}}", "trusted_id_key_hashes" },
		{ "{\"policy\":{\"require_id_block\":true}}", "nothing says whose" },
		{ "{\"policy\":{\"require_id_block\":true,\"trusted_id_key_hashes\":[\"" ZEROS_64
		  "\"]}}",
		  "of no ID block" },
		{ "{\"policy\":{},\"root_of_trust\":{\"cabundles\":[\"x\"]}}",
		  "not taken from a policy" },
		{ "{\"policy\":{\"product\":{\"name\":1}},\"root_of_trust\":{\"product_line\":\"Turin\"}}",
		  "elsewhere" },
		{ "{\"policy\":{\"td_quote_body_policy\":{\"tdattributes_debug\":true}}}",
		  "debug TD" },
		{ "{\"policy\":{},\"pcr_values\":{\"sha256\":{\"01\":\"00\"}}}", "no register" },
		{ "{\"policy\":{},\"pcr_values\":{\"sha512\":{}}}", "unknown bank" },
		{ "{\"policy\":null}", "'policy' is missing" },
		{ "{\"root_of_trust\":{},\"pcr_values\":{\"sha256\":{}}}", "'policy' is missing" },
		{ "{\"policy\":null,\"pcr_values\":{\"sha256\":{}}}", "'policy' is missing" },
		{ "{\"policy\":{},\"eat_validation\":{\"allowed_formats\":[\"CBOR\",1]}}",
		  "a string" },
		{ "{\"policy\":{},\"eat_validation\":{\"allowed_formats\":[1,\"CBOR\"]}}",
		  "a string" },
		{ "{\"policy\":{\"product\":{\"name\":3},\"minimum_tcb\":1}}", "TCB floor" },
		{ "{\"policy\":{\"product\":{\"name\":3},\"minimum_launch_tcb\":1}}", "TCB floor" },
		{ "{\"policy\":{\"product\":{\"name\":1},\"minimum_launch_tcb_turin\":1}}",
		  "TCB floor" },
		{ "{\"policy\":{\"minimum_launch_tcb_turin\":1}}", "TCB floor" },
		{ "{\"policy\":{\"minimum_tcb\":1,\"minimum_tcb_turin\":1}}", "two products" },
		{ "{\"policy\":{\"minimum_launch_tcb\":1,\"minimum_launch_tcb_turin\":1}}",
		  "two products" },
	};
	struct policy p;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		if (parse(bad[i].text, &p, &e) == 0)
			fail_msg("%s was taken", bad[i].text);
		if (!strstr(e.text, bad[i].words))
			fail_msg("%s: %s", bad[i].text, e.text);
	}
}

/* go-sev-guest, validatePlatformInfo: what a platform may have, and what it has to have. */
static void an_older_policy_says_what_a_platform_may_have(void **state)
{
	static const struct {
		const char *text;
		uint64_t refused, demanded;
	} rows[] = {
		{ "{\"policy\":{}}", 0, SNP_PLATFORM_ALIAS_CHECK_COMPLETE },
		{ "{\"policy\":{\"platform_info\":0}}", SNP_PLATFORM_SMT_EN | SNP_PLATFORM_TSME_EN,
		  SNP_PLATFORM_ALIAS_CHECK_COMPLETE },
		{ "{\"policy\":{\"platform_info\":\"5\"}}", SNP_PLATFORM_TSME_EN,
		  SNP_PLATFORM_ALIAS_CHECK_COMPLETE | SNP_PLATFORM_ECC_EN | SNP_PLATFORM_SMT_EN },
		{ "{\"policy\":{\"platformInfo\":3}}", 0,
		  SNP_PLATFORM_ALIAS_CHECK_COMPLETE | SNP_PLATFORM_TSME_EN | SNP_PLATFORM_SMT_EN },
		{ "{\"cocos\":1,\"snp\":{\"platform\":[\"ecc\"]}}", 0,
		  SNP_PLATFORM_ALIAS_CHECK_COMPLETE | SNP_PLATFORM_ECC_EN },
	};
	struct policy p;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(parse(rows[i].text, &p, &e), e);
		if (p.snp.platform_refused != rows[i].refused ||
		    p.snp.platform_info != rows[i].demanded)
			fail_msg("%s", rows[i].text);
		policy_done(&p);
	}
}

/* Two ways to say which MRTD is right, and both count. */
static void an_mrtd_and_a_list_of_them_both_hold(void **state)
{
#define ONES_64 "////////////////////////////////////////////////////////////////"
	static const struct {
		const char *members;
		size_t count;
		uint8_t first;
		const char *words;
	} rows[] = {
		{ "\"mr_td\":\"" ONES_64 "\"", 1, 0xff, NULL },
		{ "\"any_mr_td\":[\"" ZEROS_64 "\",\"" ONES_64 "\"]", 2, 0, NULL },
		{ "\"any_mr_td\":[\"" ZEROS_64 "\",\"" ONES_64 "\"],\"mr_td\":\"" ONES_64 "\"", 1,
		  0xff, NULL },
		{ "\"mr_td\":\"" ONES_64 "\",\"anyMrTd\":[\"" ZEROS_64 "\",\"" ONES_64 "\"]", 1,
		  0xff, NULL },
		{ "\"mr_td\":\"" ONES_64 "\",\"any_mr_td\":[\"" ZEROS_64 "\"]", 0, 0,
		  "none of any_mr_td" },
	};
	struct policy p;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char text[512];

		snprintf(text, sizeof(text), "{\"policy\":{\"td_quote_body_policy\":{%s}}}",
			 rows[i].members);
		if (rows[i].words) {
			assert_refused(parse(text, &p, &e), e, ERR_INVALID, rows[i].words);
			continue;
		}
		assert_ok(parse(text, &p, &e), e);
		assert_int_equal(p.tdx.mrtd.count, rows[i].count);
		assert_int_equal(p.tdx.mrtd.values[0], rows[i].first);
		policy_done(&p);
	}
}

static void what_the_run_tells_need_not_be_foreseen(void **state)
{
	struct policy p;
	struct err e;

	assert_int_equal(parse("{\"cocos\":1,\"run\":{\"fixed_boot\":true}}", &p, &e), 0);
	assert_true(p.run.fixed_boot && p.snp.host_data_of_run && p.tdx.of_run);
	policy_done(&p);
	assert_int_equal(parse("{\"cocos\":1,\"run\":{\"fixed_boot\":false}}", &p, &e), 0);
	assert_false(p.run.fixed_boot || p.snp.host_data_of_run || p.tdx.of_run);
	policy_done(&p);
}

static void several_files_make_one_policy(void **state)
{
	static const char snp[] = "{\"policy\":{\"vmpl\":1}}",
			  crl[] = "{\"cocos\":1,\"crl\":{\"required\":true}}";
	const struct policy_file files[] = {
		{ "a", snp, sizeof(snp) - 1 },
		{ "b", crl, sizeof(crl) - 1 },
		{ "c", snp, sizeof(snp) - 1 },
	};
	struct policy p;
	struct err e;

	assert_ok(policy_parse(files, 2, &p, &e), e);
	assert_true(p.has_snp && p.require_crl && p.snp.vmpl == 1);
	policy_done(&p);
	assert_refused(policy_parse(files, 3, &p, &e), e, ERR_INVALID, "two files");
	assert_refused(policy_parse(files, 0, &p, &e), e, ERR_INVALID, "0 policies");
}

static void verification_can_not_be_switched_off(void **state)
{
	struct policy p;
	struct err e;

	assert_ok(
		parse("{\"policy\":{},\"root_of_trust\":{\"check_crl\":false,\"get_collateral\":false},"
		      "\"eat_validation\":{\"verify_signature\":false,\"require_eat_format\":false}}",
		      &p, &e),
		e);
	assert_false(p.run.relayable);
	assert_true(p.snp.platform_info & SNP_PLATFORM_ALIAS_CHECK_COMPLETE);
	policy_done(&p);
}

/* What nobody can ever hold a stock agent to was meant for another. */
static void what_a_stock_agent_can_not_be_held_to_is_refused(void **state)
{
	static const char *const rows[][2] = {
		{ "run.manifests", "\"manifests\":[\"00000000000000000000000000000000"
				   "00000000000000000000000000000000\"]" },
		{ "run.fixed_boot", "\"fixed_boot\":true" },
		{ "run.boot_keys", "\"boot_keys\":[]" },
		{ NULL, "\"fixed_boot\":false" },
		{ NULL, "\"weak_words\":[\"development\"]" },
		{ NULL, "\"kernel\":\"own\"" },
	};
	static const char *const agents[] = { "stock", "cocos" };

	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		const char *key = rows[i / 2][0], *agent = agents[i % 2];
		char text[512];
		struct policy p;
		struct err e;

		snprintf(text, sizeof(text), "{\"cocos\":1,\"run\":{%s,\"agent\":\"%s\"}}",
			 rows[i / 2][1], agent);
		if (key && i % 2 == 0) {
			assert_refused(parse(text, &p, &e), e, ERR_INVALID, key);
		} else {
			assert_ok(parse(text, &p, &e), e);
			policy_done(&p);
		}
	}
}

static void registers_that_can_be_reset_say_nothing_of_the_boot(void **state)
{
#define OWN_PCRS(list, more) "{\"cocos\":1,\"tpm\":{\"pcrs\":{\"sha256\":{" list "}}}" more "}"
#define ZEROS                "\"0000000000000000000000000000000000000000000000000000000000000000\""
#define PARAVISOR            ",\"run\":{\"azure_paravisor\":true}"
	static const struct {
		const char *text;
		bool open;
	} cases[] = {
		{ OWN_PCRS("\"16\":[" ZEROS "]", ""), true },
		{ OWN_PCRS("\"16\":[" ZEROS "],\"23\":[" ZEROS "]", ""), true },
		{ OWN_PCRS("\"16\":[" ZEROS "],\"4\":[" ZEROS "]", ""), false },
		{ OWN_PCRS("\"17\":[" ZEROS "]", ""), false },
		{ OWN_PCRS("\"16\":[" ZEROS "]", ",\"snp\":{}"), false }, /* the report tells */
		{ "{\"cocos\":1,\"tpm\":{\"events\":{\"sha256\":{\"23\":[" ZEROS "]}}}}", true },
		{ "{\"policy\":{},\"pcr_values\":{\"sha256\":{\"16\":" ZEROS "}}}", false },
		{ "{\"cocos\":1}", false },
		/* A paravisor's does not. */
		{ OWN_PCRS("\"16\":[" ZEROS "]", ",\"snp\":{}" PARAVISOR), true },
		{ OWN_PCRS("\"4\":[" ZEROS "]", ",\"snp\":{}" PARAVISOR), false },
		{ "{\"cocos\":1,\"tdx\":{}" PARAVISOR "}", true },
	};
	struct policy p;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(parse(cases[i].text, &p, &e), e);
		if ((policy_leaves_open(&p) != NULL) != cases[i].open)
			fail_msg("%s: %s", cases[i].text,
				 policy_leaves_open(&p) ? policy_leaves_open(&p) : "nothing");
		policy_done(&p);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shared_policies_are_read_right),
		cmocka_unit_test(our_form_fills_the_policies),
		cmocka_unit_test(the_age_of_lists_has_its_limits),
		cmocka_unit_test(events_fill_rules_and_name_registers),
		cmocka_unit_test(tables_are_read_in_their_order),
		cmocka_unit_test(the_default_is_strict),
		cmocka_unit_test(what_is_not_understood_is_refused),
		cmocka_unit_test(an_older_policy_says_what_a_platform_may_have),
		cmocka_unit_test(an_mrtd_and_a_list_of_them_both_hold),
		cmocka_unit_test(what_the_run_tells_need_not_be_foreseen),
		cmocka_unit_test(several_files_make_one_policy),
		cmocka_unit_test(verification_can_not_be_switched_off),
		cmocka_unit_test(what_a_stock_agent_can_not_be_held_to_is_refused),
		cmocka_unit_test(registers_that_can_be_reset_say_nothing_of_the_boot),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
