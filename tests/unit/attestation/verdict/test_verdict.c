/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/x509.h"
#include "attestation/verdict/verdict.h"
#include "common/base/json.h"
#include "common/base/writer.h"
#include "tests/answers.h"
#include "tests/unit.h"

static void an_empty_verdict_is_a_no(void **state)
{
	struct verdict v;
	struct err e;

	verdict_init(&v, VERDICT_SCOPE_FULL);
	assert_false(verdict_ok(&v));
	assert_refused(answer(&v, &e), e, ERR_DENIED, "nothing was checked");
	verdict_check(&v, CHECK_PARSE_REPORT, true, "1", "1");
	assert_false(verdict_ok(&v)); /* nothing was required */
}

static void a_required_step_must_have_been_taken(void **state)
{
	struct verdict v;
	struct err e;

	verdict_init(&v, VERDICT_SCOPE_FULL);
	verdict_require(&v, CHECK_SIGNATURE_REPORT);
	verdict_check(&v, CHECK_PARSE_REPORT, true, "1", "1");
	assert_refused(answer(&v, &e), e, ERR_DENIED, "signature.report");
	verdict_not_asked(&v, CHECK_SIGNATURE_REPORT, "nobody asked");
	assert_false(verdict_ok(&v));
	verdict_init(&v, VERDICT_SCOPE_FULL);
	verdict_require(&v, CHECK_SIGNATURE_REPORT);
	verdict_check(&v, CHECK_SIGNATURE_REPORT, true, NULL, NULL);
	assert_true(verdict_ok(&v));
	assert_ok(answer(&v, &e), e);
	assert_string_equal(verdict_reason(&v).text, "");
}

/* A pass is taken back, and no failure ever is. */
static void what_says_nothing_after_all_is_not_asked(void **state)
{
	struct verdict v;

	verdict_init(&v, VERDICT_SCOPE_FULL);
	verdict_require(&v, CHECK_POLICY_GIVEN);
	verdict_check(&v, CHECK_POLICY_GIVEN, true, NULL, NULL);
	verdict_check(&v, CHECK_POLICY_VMPL, true, "1", "1");
	verdict_withdraw(&v, 1, "who knows");
	assert_true(verdict_ok(&v));
	assert_int_equal(v.checks[1].outcome, CHECK_NOT_ASKED);
	assert_string_equal(v.checks[1].found, "who knows");
	assert_string_equal(v.checks[1].wanted, "");
	verdict_withdraw(&v, 0, "who knows");
	assert_false(verdict_ok(&v)); /* it was required */
	verdict_require(&v, CHECK_POLICY_VMPL);
	verdict_leave(&v, CHECK_POLICY_GIVEN, "nobody");
	assert_int_equal(v.required_count, 1);
	assert_false(verdict_ok(&v));
	verdict_leave(&v, CHECK_POLICY_VMPL, "nobody");
	assert_int_equal(v.required_count, 0);
	assert_false(verdict_ok(&v)); /* nothing is left */

	verdict_init(&v, VERDICT_SCOPE_FULL);
	verdict_require(&v, CHECK_POLICY_GIVEN);
	verdict_require(&v, CHECK_POLICY_VMPL);
	verdict_check(&v, CHECK_POLICY_GIVEN, true, NULL, NULL);
	verdict_check(&v, CHECK_POLICY_VMPL, true, NULL, NULL);
	verdict_check(&v, CHECK_POLICY_VMPL, true, NULL, NULL);
	verdict_leave(&v, CHECK_POLICY_VMPL, "nobody");
	assert_true(verdict_ok(&v) && v.required_count == 1);
	assert_int_equal(v.checks[1].outcome, CHECK_NOT_ASKED);
	assert_int_equal(v.checks[2].outcome, CHECK_NOT_ASKED);
	verdict_check(&v, CHECK_POLICY_VMPL, false, "2", "1");
	verdict_leave(&v, CHECK_POLICY_VMPL, "nobody");
	verdict_withdraw(&v, 0, "who knows");
	assert_int_equal(v.checks[3].outcome, CHECK_FAILED);
	assert_string_equal(verdict_reason(&v).text, "policy.vmpl: found 2, wanted 1");
}

static void one_failure_outweighs_every_pass(void **state)
{
	struct verdict v;

	verdict_init(&v, VERDICT_SCOPE_FULL);
	verdict_require(&v, CHECK_POLICY_GIVEN);
	verdict_check(&v, CHECK_POLICY_GIVEN, true, NULL, NULL);
	assert_true(verdict_ok(&v));
	assert_false(verdict_bytes(&v, CHECK_POLICY_MEASUREMENT, "\x01\x02", "\x01\x03", 2));
	assert_string_equal(verdict_reason(&v).text, "policy.measurement: found 0102, wanted 0103");
	verdict_check(&v, CHECK_POLICY_MEASUREMENT, true, NULL, NULL);
	assert_false(verdict_ok(&v));
}

static void each_failure_has_its_line(void **state)
{
	struct verdict_reason line;
	struct verdict v;

	verdict_init(&v, VERDICT_SCOPE_FULL);
	verdict_require(&v, CHECK_POLICY_GIVEN);
	assert_false(verdict_failed(&v, 0, &line)); /* a missing one is no failed one */
	assert_non_null(strstr(verdict_reason(&v).text, "policy.given: found no such check"));
	verdict_check(&v, CHECK_POLICY_MEASUREMENT, false, "a", "b");
	verdict_check(&v, CHECK_POLICY_GIVEN, true, NULL, NULL);
	verdict_not_asked(&v, CHECK_POLICY_CHIP_ID, "nobody asked");
	verdict_check(&v, CHECK_POLICY_VMPL, false, "evil\nline", NULL);
	assert_true(verdict_failed(&v, 0, &line));
	assert_string_equal(line.text, verdict_reason(&v).text);
	assert_string_equal(line.text, "policy.measurement: found a, wanted b");
	assert_true(verdict_failed(&v, 1, &line));
	assert_string_equal(line.text, "policy.vmpl: evil?line");
	assert_false(verdict_failed(&v, 2, &line));
}

static void nothing_equals_nothing_is_no_match(void **state)
{
	struct verdict v;

	verdict_init(&v, VERDICT_SCOPE_FULL);
	assert_false(verdict_bytes(&v, CHECK_POLICY_MEASUREMENT, "", "", 0));
}

static void overflow_spoils_the_verdict(void **state)
{
	struct verdict v;

	verdict_init(&v, VERDICT_SCOPE_FULL);
	verdict_require(&v, CHECK_POLICY_GIVEN);
	for (int i = 0; i < VERDICT_CHECKS_MAX; i++)
		verdict_check(&v, CHECK_POLICY_GIVEN, true, NULL, NULL);
	assert_true(verdict_ok(&v));
	verdict_check(&v, CHECK_POLICY_GIVEN, true, NULL, NULL);
	assert_false(verdict_ok(&v));
}

/* A policy's no takes nothing from it; a step of it that failed, or was never taken, does, and so does a list
 * that had no room for it. */
static void genuine_is_what_passed_every_step_that_says_so(void **state)
{
	struct verdict v;

	verdict_init(&v, VERDICT_SCOPE_FULL);
	assert_false(verdict_is_genuine(&v)); /* nothing was required */
	verdict_require(&v, CHECK_SIGNATURE_REPORT);
	verdict_require(&v, CHECK_POLICY_VMPL);
	assert_false(verdict_is_genuine(&v));
	verdict_check(&v, CHECK_SIGNATURE_REPORT, true, NULL, NULL);
	verdict_check(&v, CHECK_POLICY_VMPL, false, "1", "0");
	assert_true(verdict_is_genuine(&v));
	assert_false(verdict_ok(&v));
	verdict_check(&v, CHECK_CHAIN_ROOT, false, "another", "AMD's"); /* that nobody required */
	assert_false(verdict_is_genuine(&v));
	v.count--;
	assert_true(verdict_is_genuine(&v));
	v.overflow = true;
	assert_false(verdict_is_genuine(&v));
	v.overflow = false;
	v.checks[0].outcome = CHECK_FAILED;
	assert_false(verdict_is_genuine(&v));
}

static void json_output_reads_back(void **state)
{
	struct verdict v;
	struct err e;
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	char text[3 * VERDICT_TEXT_MAX];

	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xE2\x82\xAC", 4);
	verdict_init(&v, VERDICT_SCOPE_GENUINE_ONLY);
	verdict_require(&v, CHECK_POLICY_GIVEN);
	verdict_check(&v, CHECK_POLICY_GIVEN, true, text, "\"quoted\"\n");
	verdict_note(&v, NOTE_OPERATOR_TRUSTED, "operator trusted");
	verdict_json(&v, (struct span){ NULL, 0 }, &w);
	struct json *root;
	assert_ok(json_parse(w.bytes, w.len, &root, &e), e);
	const char *word;
	assert_ok(json_get_string(root, "verdict", &word, &e), e);
	assert_string_equal(word, "genuine");
	json_free(root);
}

static void a_simulated_root_is_said_first_whatever_the_answer(void **state)
{
	/* Name of one RDN: O = "SIMULATED, …", CN = "not SIMULATED". */
	static const uint8_t simulated[] = "\x30\x17\x31\x15\x30\x13\x06\x03\x55\x04\x0a\x0c\x0c"
					   "SIMULATED, x";
	static const uint8_t other[] = "\x30\x18\x31\x16\x30\x14\x06\x03\x55\x04\x03\x0c\x0d"
				       "not SIMULATED";
	const struct x509 real = { .subject = { other, sizeof(other) - 1 } };
	const struct x509 root = { .subject = { simulated, sizeof(simulated) - 1 } };
	struct verdict v;

	verdict_init(&v, VERDICT_SCOPE_FULL);
	assert_string_equal(verdict_word(&v), "refused");
	verdict_require(&v, CHECK_POLICY_GIVEN);
	verdict_check(&v, CHECK_POLICY_GIVEN, true, NULL, NULL);
	verdict_root(&v, &real);
	assert_string_equal(verdict_word(&v), "verified");
	verdict_root(&v, &root);
	assert_string_equal(verdict_word(&v), "SIMULATED verified");
	verdict_root(&v, &real);
	assert_string_equal(verdict_word(&v), "SIMULATED verified");
	v.scope = VERDICT_SCOPE_GENUINE_ONLY;
	assert_string_equal(verdict_word(&v), "SIMULATED genuine");
	verdict_check(&v, CHECK_INPUT_USED, false, NULL, NULL);
	assert_string_equal(verdict_word(&v), "SIMULATED refused");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_verdict_is_a_no),
		cmocka_unit_test(a_required_step_must_have_been_taken),
		cmocka_unit_test(what_says_nothing_after_all_is_not_asked),
		cmocka_unit_test(one_failure_outweighs_every_pass),
		cmocka_unit_test(each_failure_has_its_line),
		cmocka_unit_test(nothing_equals_nothing_is_no_match),
		cmocka_unit_test(overflow_spoils_the_verdict),
		cmocka_unit_test(genuine_is_what_passed_every_step_that_says_so),
		cmocka_unit_test(json_output_reads_back),
		cmocka_unit_test(a_simulated_root_is_said_first_whatever_the_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
