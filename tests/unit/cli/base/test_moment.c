/* SPDX-License-Identifier: Apache-2.0 */
/* Moments as people write them, and those that there never were. */
#include "cli/base/moment.h"
#include "tests/unit.h"

#include <time.h>

static void a_moment_has_any_offset(void **state)
{
	const struct {
		const char *text;
		int64_t seconds;
	} rows[] = {
		{ "1970-01-01T00:00:00Z", 0 },
		{ "2026-06-15T00:00:00Z", 1781481600 },
		{ "2026-06-15t00:00:00z", 1781481600 },
		{ "2026-06-15T01:30:00+01:30", 1781481600 },
		{ "2026-06-14T22:00:00-02:00", 1781481600 },
		{ "2026-06-15T00:00:00.999Z", 1781481600 },
		{ "2024-02-29T23:59:59Z", 1709251199 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int64_t seconds = -1;
		struct err e;

		assert_ok(moment_parse(rows[i].text, &seconds, &e), e);
		assert_int_equal(seconds, rows[i].seconds);
	}
}

static void what_is_no_moment_is_refused(void **state)
{
	const char *const texts[] = {
		"",
		"now",
		"2026-06-15",
		"2026-06-15T00:00:00",
		"2026-06-15 00:00:00Z",
		"2026-06-15T00:00:00Z ",
		" 2026-06-15T00:00:00Z",
		"2026-06-15T00:00:00.Z",
		"2026-06-15T00:00:00+0130",
		"2026-06-15T00:00:00+24:00",
		"2026-06-15T00:00:00+00:60",
		"2026-06-15T24:00:00Z",
		"2026-06-15T23:59:60Z",
		"2026-02-30T00:00:00Z",
		"2025-02-29T00:00:00Z",
		"2026-13-01T00:00:00Z",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		int64_t seconds;
		struct err e;

		assert_refused(moment_parse(texts[i], &seconds, &e), e, ERR_INVALID, "");
	}
}

static void without_at_it_is_now(void **state)
{
	const struct command command = {
		.name = "test",
		.options = (const struct cli_option[]){ MOMENT_AT_OPTION, { .name = NULL } },
	};
	const int64_t before = time(NULL);
	int64_t seconds;
	struct cli cli;
	struct err e;

	cli_init(&cli, &command);
	assert_ok(moment_at(&cli, &seconds, &e), e);
	assert_true(seconds >= before && seconds <= time(NULL));
	assert_ok(cli_give(&cli, "at", "1970-01-01T00:00:07Z", &e), e);
	assert_ok(moment_at(&cli, &seconds, &e), e);
	assert_int_equal(seconds, 7);
	cli_done(&cli);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_moment_has_any_offset),
		cmocka_unit_test(what_is_no_moment_is_refused),
		cmocka_unit_test(without_at_it_is_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
