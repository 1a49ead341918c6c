/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/doctor/doctor.h"
#include "tests/unit.h"

#define TODAY INT64_C(1795305600) /* 2026-11-22 */

static int look(int64_t now, int64_t newest, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	struct doctor d = { .now = now, .newest = newest, .newest_file = "snp/Milan/vcek_crl.der" };

	return doctor_clock(&d, found, e);
}

static void a_clock_of_today_is_fine(void **state)
{
	char found[PREFLIGHT_TEXT_MAX];
	struct err e;

	assert_int_equal(look(TODAY, 0, found, &e), PREFLIGHT_OK);
	assert_non_null(strstr(found, "2026-11-22T00:00:00Z"));
	assert_int_equal(look(TODAY, TODAY - 86400, found, &e), PREFLIGHT_OK);
	assert_int_equal(look(TODAY, TODAY + 300, found, &e), PREFLIGHT_OK);
}

static void a_clock_that_is_grossly_wrong_is_told(void **state)
{
	static const struct {
		int64_t now;
		const char *says;
	} rows[] = {
		{ 0, "before this program was made" },
		{ 1767225599, "before this program was made" },
		{ 2524608000, "roots are over" },
		{ INT64_MAX, "roots are over" },
	};
	char found[PREFLIGHT_TEXT_MAX];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_true(look(rows[i].now, 0, found, &e) < 0);
		assert_non_null(strstr(e.text, rows[i].says));
	}
	assert_int_equal(look(1767225600, 0, found, &e), PREFLIGHT_OK);
	assert_int_equal(look(2524607999, 0, found, &e), PREFLIGHT_OK);
}

static void a_list_of_later_says_that_the_clock_is_behind(void **state)
{
	char found[PREFLIGHT_TEXT_MAX];
	struct err e;

	assert_true(look(TODAY, TODAY + 301, found, &e) < 0);
	assert_non_null(strstr(e.text, "vcek_crl.der' was issued at 2026-11-22T00:05:01Z"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clock_of_today_is_fine),
		cmocka_unit_test(a_clock_that_is_grossly_wrong_is_told),
		cmocka_unit_test(a_list_of_later_says_that_the_clock_is_behind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
