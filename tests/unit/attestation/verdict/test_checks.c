/* SPDX-License-Identifier: Apache-2.0 */
/* The table of checks: whole, each name once, and found again by its name. */
#include "attestation/verdict/verdict.h"
#include "tests/unit.h"

#include <ctype.h>
#include <stdio.h>

#define CHECK(id, name, ...) { #id, name },
static const struct {
	const char *id, *name;
} listed[] = {
#include "attestation/verdict/checks_receipt.def"
#include "attestation/verdict/checks_snp.def"
#include "attestation/verdict/checks_snp_policy.def"
#include "attestation/verdict/checks_tdx.def"
#include "attestation/verdict/checks_token.def"
#include "attestation/verdict/checks_tpm.def"
};
#undef CHECK

static void an_identifier_is_its_name(void **state)
{
	assert_int_equal(ARRAY_LEN(listed), CHECK_COUNT);
	for (size_t i = 0; i < ARRAY_LEN(listed); i++) {
		const char *id = listed[i].id, *name = listed[i].name;

		for (; *name; id++, name++)
			if (*id != (*name == '.' ? '_' : toupper((unsigned char)*name)))
				fail_msg("%s is no name for %s", listed[i].id, listed[i].name);
		assert_int_equal(*id, '\0');
	}
}

static void every_row_is_whole_and_its_name_its_own(void **state)
{
	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		const struct check_row *row = checks_row((enum check_id)i);

		assert_non_null(row->name);
		assert_non_null(strchr(row->name, '.'));
		assert_true(strlen(row->name) + 3 < VERDICT_NAME_MAX);
		assert_true(row->means && row->without && row->remedy);
		for (unsigned k = 0; k < i; k++)
			if (strcmp(row->name, checks_row((enum check_id)k)->name) == 0)
				fail_msg("%s stands there twice", row->name);
	}
}

static void a_check_is_found_by_the_name_that_a_verdict_shows(void **state)
{
	static struct verdict v;

	for (unsigned i = 0; i < CHECK_COUNT; i++) {
		unsigned index = checks_row((enum check_id)i)->attributes & CHECK_FAMILY ? 16 : 0;
		enum check_id id;
		unsigned found;

		verdict_init(&v, VERDICT_SCOPE_FULL);
		assert_true(verdict_check_of(&v, (enum check_id)i, index, true, NULL, NULL));
		if (!checks_find(v.checks[0].name, &id, &found))
			fail_msg("%s is not found", v.checks[0].name);
		assert_int_equal(id, i);
		assert_int_equal(found, index);
	}
	verdict_init(&v, VERDICT_SCOPE_FULL);
	verdict_check_of(&v, CHECK_POLICY_PCR, 16, true, NULL, NULL);
	assert_string_equal(v.checks[0].name, "policy.pcr16");
}

static void what_is_like_a_name_is_none(void **state)
{
	static const char *const others[] = {
		"",
		"policy",
		"policy.",
		"policy.measurements",
		"olicy.debug",
		"policy.pcrx",
		"policy.pcr01",
		"policy.pcr-1",
		"policy.pcr99999999999999999999",
		"log.rtmr4",
		"policy.rtmr",
	};
	enum check_id id;
	unsigned index;

	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		if (checks_find(others[i], &id, &index))
			fail_msg("%s was found", others[i]);
}

/* Code decides by these; each was decided by name before. */
static void a_log_accounts_for_registers_alone(void **state)
{
	static const enum check_id registers[] = {
		CHECK_POLICY_PCR,          CHECK_POLICY_PCRS,  CHECK_POLICY_RTMR0,
		CHECK_POLICY_RTMR1,        CHECK_POLICY_RTMR2, CHECK_POLICY_RTMR3,
		CHECK_RUN_EVIDENCE_POLICY,
	};
	size_t marked = 0;

	for (unsigned i = 0; i < CHECK_COUNT; i++)
		marked += (checks_row((enum check_id)i)->attributes & CHECK_OF_REGISTERS) != 0;
	for (size_t i = 0; i < ARRAY_LEN(registers); i++)
		assert_true(checks_row(registers[i])->attributes & CHECK_OF_REGISTERS);
	assert_int_equal(marked, ARRAY_LEN(registers));
}

static void seven_notes_limit_a_yes(void **state)
{
	size_t limits = 0;

	for (unsigned i = 0; i < NOTE_COUNT; i++)
		limits += notes_limit((enum note_id)i);
	assert_int_equal(limits, 7);
	assert_true(notes_limit(NOTE_OPERATOR_TRUSTED) && notes_limit(NOTE_RELAYABLE) &&
		    notes_limit(NOTE_NO_MANIFEST_YET) && notes_limit(NOTE_HOST_CODE) &&
		    notes_limit(NOTE_LEAVES_OPEN) && notes_limit(NOTE_BOOT_UNCOMPARED) &&
		    notes_limit(NOTE_NO_RESULTS));
	assert_true(notes_inform(NOTE_OWN_KERNEL) && !notes_limit(NOTE_OWN_KERNEL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_identifier_is_its_name),
		cmocka_unit_test(every_row_is_whole_and_its_name_its_own),
		cmocka_unit_test(a_check_is_found_by_the_name_that_a_verdict_shows),
		cmocka_unit_test(what_is_like_a_name_is_none),
		cmocka_unit_test(a_log_accounts_for_registers_alone),
		cmocka_unit_test(seven_notes_limit_a_yes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
