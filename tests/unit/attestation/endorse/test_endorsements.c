/* SPDX-License-Identifier: Apache-2.0 */
/* Complete, verify, note: one call for all who judge with endorsements that they may have to fetch. */
#include "attestation/endorse/endorsements.h"
#include "tests/unit/attestation/verify/verify_build.h"

#include <string.h>

/* Nothing can be fetched, and nothing is in the cache. */
static const struct endorsements_config nothing = { .cache = "/proc/nowhere", .offline = true };

static struct verify_build build;
static struct endorsements *fetching;
static struct verdict verdict;

static int begin(void **state)
{
	struct err e;

	verify_kind_snp.setup();
	verify_build_begin(&build, &verify_kind_snp);
	verify_build_seal(&build);
	return endorsements_new(&nothing, &fetching, &e);
}

static int end(void **state)
{
	endorsements_free(fetching);
	verify_build_end(&build);
	verify_kind_snp.teardown();
	return 0;
}

static size_t notes_about_endorsements(void)
{
	size_t found = 0;

	for (size_t i = 0; i < verdict.note_count; i++)
		found += strncmp(verdict.notes[i].text, "endorsements: ", 14) == 0;
	return found;
}

static void what_is_there_is_judged(void **state)
{
	struct err e, missing = { .text = "old" };

	assert_ok(endorsements_verify(fetching, &build.in, &verdict, NULL, &missing, &e), e);
	assert_true(verdict_ok(&verdict));
	assert_true(verdict_ok(&verdict));
	assert_string_equal(missing.text, "");
	assert_int_equal(notes_about_endorsements(), 0);
}

static void what_could_not_be_had_is_noted_beside_a_refusal(void **state)
{
	const struct verify_input whole = build.in;
	struct err e, missing = { 0 };

	build.in.snp.intermediate = (struct span){ NULL, 0 };
	(void)!endorsements_verify(fetching, &build.in, &verdict, NULL, &missing, &e);
	assert_false(verdict_ok(&verdict));
	assert_int_equal(notes_about_endorsements(), 1);
	assert_true(missing.text[0]);
	assert_non_null(strstr(verdict.notes[verdict.note_count - 1].text, missing.text));
	/* Nobody has to ask for the reason. */
	(void)!endorsements_verify(fetching, &build.in, &verdict, NULL, NULL, &e);
	assert_int_equal(notes_about_endorsements(), 1);
	build.in = whole;
}

/* A refusal for another reason, with everything at hand, has no such note. */
static void what_was_there_is_not_noted(void **state)
{
	const struct verify_input whole = build.in;
	struct err e, missing = { 0 };

	build.in.policy = NULL;
	(void)!endorsements_verify(fetching, &build.in, &verdict, NULL, &missing, &e);
	assert_false(verdict_ok(&verdict));
	assert_int_equal(notes_about_endorsements(), 0);
	assert_string_equal(missing.text, "");
	build.in = whole;
}

/* A call that makes no sense is no reason to ask a service. */
static void without_a_binding_nothing_is_asked_for(void **state)
{
	const struct verify_input whole = build.in;
	struct err e, missing = { 0 };

	build.in.snp.intermediate = (struct span){ NULL, 0 };
	build.in.binding = (struct verify_binding){ .report_data = NULL };
	assert_refused(endorsements_verify(fetching, &build.in, &verdict, NULL, &missing, &e), e,
		       ERR_INVALID, "nothing says what the evidence is bound to");
	assert_false(verdict_ok(&verdict));
	assert_int_equal(notes_about_endorsements(), 0);
	assert_string_equal(missing.text, "");
	build.in = whole;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_there_is_judged),
		cmocka_unit_test(what_could_not_be_had_is_noted_beside_a_refusal),
		cmocka_unit_test(what_was_there_is_not_noted),
		cmocka_unit_test(without_a_binding_nothing_is_asked_for),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, begin, end);
}
