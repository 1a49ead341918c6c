/* SPDX-License-Identifier: Apache-2.0 */
/* Every case of the TDX vectors: genuine quotes, refusals and their twins, and cross.json. */
#include "tests/answers.h"
#include "tests/unit/attestation/tdx/tdx_case.h"

struct tally {
	size_t accepted, refused, signatures_only;
};

static struct tally tally;
static struct verdict verdict;
static struct tdx_result result;

static void check_hex(const char *what, const struct json *fields, const char *key,
		      const void *bytes, size_t len)
{
	char hex[256];
	const char *wanted = case_text(fields, key);

	if (!wanted)
		return;
	hex_encode(bytes, len, hex);
	if (strcmp(hex, wanted) != 0)
		fail_msg("%s: %s is %s, wanted %s", what, key, hex, wanted);
}

static void check_fields(const char *what, const struct json *expected)
{
	static struct tdx_rule rules[64];
	static const char *const rtmrs[] = { "rtmr0", "rtmr1", "rtmr2", "rtmr3" };
	const struct json *fields = json_get(expected, "fields"), *pck = json_get(expected, "pck");
	const struct json *qe = json_get(expected, "qe_report");
	const struct tdx_quote *q = &result.quote;
	size_t count = tdx_policy_rules(rules, ARRAY_LEN(rules));

	for (size_t i = 0; i < count; i++)
		check_hex(what, fields, rules[i].field, (const uint8_t *)&q->body + rules[i].offset,
			  rules[i].size);
	for (size_t i = 0; i < ARRAY_LEN(rtmrs); i++)
		check_hex(what, fields, rtmrs[i], q->body.rtmr[i], TDX_MR_LEN);
	if (!result.has_pck)
		return;
	check_hex(what, pck, "fmspc", result.pck.fmspc, sizeof(result.pck.fmspc));
	check_hex(what, pck, "pceid", result.pck.pceid, sizeof(result.pck.pceid));
	check_hex(what, pck, "ppid", result.pck.ppid, sizeof(result.pck.ppid));
	check_hex(what, pck, "cpusvn", result.pck.cpusvn, sizeof(result.pck.cpusvn));
	check_hex(what, qe, "mrenclave", q->qe_report.mrenclave, 32);
	check_hex(what, qe, "mrsigner", q->qe_report.mrsigner, 32);
	check_hex(what, qe, "attributes", q->qe_report.attributes, 16);
	check_hex(what, qe, "reportdata", q->qe_report.reportdata, 64);

	const struct json *components = json_get(pck, "sgx_tcb_comp_svn");

	for (size_t i = 0; components && i < components->count; i++) {
		uint64_t svn;
		struct err e;

		assert_ok(json_u64(&components->items[i], &svn, &e), e);
		assert_int_equal(svn, result.pck.components[i]);
	}
}

static void check_status(const char *what, const struct json *expected, const struct json *also)
{
	const char *wanted = case_text(also, "tcb_status");
	const struct json *advisories = json_get(expected, "advisories");

	if (!wanted && !also)
		wanted = case_text(expected, "tcb_status");
	if (!wanted)
		return;
	if (!result.has_status || strcmp(tdx_status_name(result.status), wanted) != 0)
		fail_msg("%s: status %s, wanted %s", what, tdx_status_name(result.status), wanted);
	if (also || !advisories || advisories->type != JSON_ARRAY)
		return;
	assert_int_equal(result.advisory_count, advisories->count);
	for (size_t i = 0; i < advisories->count; i++)
		assert_string_equal(result.advisories[i], advisories->items[i].text);
	assert_string_equal(tdx_status_name(result.level_status),
			    case_text(expected, "level_tcb_status"));
	assert_string_equal(tdx_status_name(result.qe_status),
			    case_text(expected, "qe_tcb_status"));
	if (result.has_module)
		assert_string_equal(tdx_status_name(result.module_status),
				    case_text(expected, "module_tcb_status"));
}

/* Without collateral: a refusal for that reason alone. */
static void check_signatures_only(const char *what)
{
	static const enum check_id good[] = { CHECK_PARSE_QUOTE, CHECK_CHAIN_PCK,
					      CHECK_SIGNATURE_QE_REPORT,
					      CHECK_SIGNATURE_QE_REPORT_DATA,
					      CHECK_SIGNATURE_QUOTE };

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		const struct check *c = verdict_find(&verdict, good[i]);

		if (!c || c->outcome != CHECK_PASSED)
			fail_msg("%s: %s should pass", what, checks_row(good[i])->name);
	}
	for (size_t i = 0; i < verdict.count; i++)
		if (verdict.checks[i].outcome == CHECK_FAILED) {
			assert_true(strncmp(verdict.checks[i].name, "collateral.", 11) == 0);
			return;
		}
	fail_msg("%s: nothing failed", what);
}

static void run(const char *folder, const struct json *expected, const struct json *also)
{
	static struct tdx_case c;
	const char *wanted = case_text(also ? also : expected, "verdict_if_debug_is_never_taken");
	char what[256];
	struct err e = { 0 };

	if (!wanted)
		wanted = case_text(also ? also : expected, "verdict");
	snprintf(what, sizeof(what), "%s %s", strrchr(folder, '/') + 1,
		 also ? case_text(also, "name") : "");
	tdx_case_load(&c, folder, expected, also);
	verdict_init(&verdict, VERDICT_SCOPE_FULL);

	int rc = tdx_answer(&c.input, &result, &verdict, &e);

	if (getenv("COCOS_TEST_REASONS"))
		print_message("# %s: %s: %s [%s]\n", what, wanted, rc < 0 ? e.text : "verified",
			      case_text(also ? also : expected, "why")
				      ? case_text(also ? also : expected, "why")
				      : "");
	if ((rc == 0) != (strcmp(wanted, "accept") == 0))
		fail_msg("%s: wanted %s, got %s", what, wanted, rc < 0 ? e.text : "verified");
	if (strcmp(wanted, "signatures_only") == 0) {
		check_signatures_only(what);
		tally.signatures_only++;
	} else if (rc == 0) {
		tally.accepted++;
	} else {
		tally.refused++;
	}
	if (result.has_quote && !json_get(also, "quote"))
		check_fields(what, expected);
	check_status(what, expected, also);
	tdx_case_done(&c);
}

static void visit(const struct vector_case *c)
{
	const struct json *also = json_get(c->expected, "also");

	run(c->path, c->expected, NULL);
	for (size_t i = 0; also && i < also->count; i++)
		run(c->path, c->expected, &also->items[i]);
}

static void genuine_quotes_are_judged_as_expected(void **state)
{
	VECTORS_OR_SKIP();
	tally = (struct tally){ 0 };

	unsigned folders = vectors_walk("tdx", "v", visit);

	print_message("# genuine: %u folders, %zu accepted, %zu refused, %zu signatures only\n",
		      folders, tally.accepted, tally.refused, tally.signatures_only);
	assert_true(folders >= 12);
}

static void refusals_and_twins_are_judged_as_expected(void **state)
{
	VECTORS_OR_SKIP();
	tally = (struct tally){ 0 };

	unsigned folders = vectors_walk("tdx/negative", "", visit);

	print_message("# negative: %u folders, %zu accepted, %zu refused\n", folders,
		      tally.accepted, tally.refused);
	assert_true(folders >= 151);
}

/* The quote of one case with the collateral and time of another. */
static void crossed(const char *root, const struct json *row)
{
	static struct tdx_case c;
	char folder[CASE_PATH_MAX], collateral[CASE_PATH_MAX];
	struct json *expected;
	struct err e;

	case_path(folder, "%s/%s", root, case_text(row, "quote"));
	case_path(collateral, "%s/%s/collateral", root, case_text(row, "collateral"));
	expected = case_json(folder, "expected.json");
	tdx_case_load(&c, folder, expected, NULL);
	tdx_collateral_done(&c.collateral);
	assert_ok(tdx_collateral_load(collateral, &c.collateral, &e), e);
	c.input.endorsements.collateral = c.collateral;
	case_free(&c.root);
	c.root = case_file(collateral, "root_ca.pem");
	c.input.endorsements.trusted_root = c.root;
	assert_ok(timestamp_parse(case_text(row, "at"), &c.input.endorsements.at, &e), e);
	tdx_case_policy(&c.policy, &c.parsed, NULL);
	verdict_init(&verdict, VERDICT_SCOPE_FULL);

	int rc = tdx_answer(&c.input, &result, &verdict, &e);

	if ((rc == 0) != (strcmp(case_text(row, "verdict"), "accept") == 0))
		fail_msg("%s with %s: wanted %s, got %s", folder, collateral,
			 case_text(row, "verdict"), rc < 0 ? e.text : "verified");
	if (case_text(row, "tcb_status"))
		assert_string_equal(tdx_status_name(result.status), case_text(row, "tcb_status"));
	*(rc == 0 ? &tally.accepted : &tally.refused) += 1;
	tdx_case_done(&c);
	json_free(expected);
}

static void crossed_collateral_is_judged_as_expected(void **state)
{
	char root[CASE_PATH_MAX];

	VECTORS_OR_SKIP();
	tally = (struct tally){ 0 };
	case_path(root, "%s/tdx", vectors_folder());

	struct json *cross = case_json(root, "cross.json");
	const struct json *rows = json_get(cross, "rows");

	for (size_t i = 0; i < rows->count; i++)
		crossed(root, &rows->items[i]);
	print_message("# cross: %zu rows, %zu accepted, %zu refused\n", rows->count, tally.accepted,
		      tally.refused);
	assert_true(rows->count > 100);
	json_free(cross);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(genuine_quotes_are_judged_as_expected),
		cmocka_unit_test(refusals_and_twins_are_judged_as_expected),
		cmocka_unit_test(crossed_collateral_is_judged_as_expected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
