/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/timestamp.h"
#include "tests/unit.h"

/* From date -u -d @N. */
static const struct {
	int64_t seconds;
	const char *text;
} moments[] = {
	{ 0, "1970-01-01T00:00:00Z" },          { 951782399, "2000-02-28T23:59:59Z" },
	{ 951782400, "2000-02-29T00:00:00Z" },  { 951868800, "2000-03-01T00:00:00Z" },
	{ 1709164800, "2024-02-29T00:00:00Z" }, { 1781481600, "2026-06-15T00:00:00Z" },
	{ 4107542400, "2100-03-01T00:00:00Z" }, { 253402300799, "9999-12-31T23:59:59Z" },
};

static void both_ways_agree_with_the_calendar(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(moments); i++) {
		char text[TIMESTAMP_TEXT_MAX];
		int64_t seconds;
		struct err e;

		assert_ok(timestamp_parse(moments[i].text, &seconds, &e), e);
		assert_true(seconds == moments[i].seconds);
		timestamp_format(moments[i].seconds, text);
		assert_string_equal(text, moments[i].text);
	}
}

static void other_forms_and_days_that_never_were_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",
		"2026-06-15",
		"2026-06-15T00:00:00",
		"2026-06-15T00:00:00z",
		"2026-06-15 00:00:00Z",
		"2026-06-15T00:00:00.0Z",
		"2026-06-15T00:00:00+00:00",
		" 2026-06-15T00:00:00Z",
		"2026-06-15T00:00:00Z ",
		"1969-12-31T23:59:59Z",
		"2026-00-15T00:00:00Z",
		"2026-13-15T00:00:00Z",
		"2026-06-00T00:00:00Z",
		"2026-06-31T00:00:00Z",
		"2026-02-29T00:00:00Z",
		"2100-02-29T00:00:00Z",
		"2026-06-15T24:00:00Z",
		"2026-06-15T00:60:00Z",
		"2026-06-15T00:00:60Z",
		"2026-06-15T0/:00:00Z",
	};
	int64_t seconds;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(timestamp_parse(wrong[i], &seconds, &e), -ERR_INVALID);
}

static void moments_outside_are_numbers(void **state)
{
	char text[TIMESTAMP_TEXT_MAX];

	timestamp_format(-1, text);
	assert_string_equal(text, "@-1");
	timestamp_format(INT64_MAX, text);
	assert_string_equal(text, "@9223372036854775807");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_agree_with_the_calendar),
		cmocka_unit_test(other_forms_and_days_that_never_were_are_refused),
		cmocka_unit_test(moments_outside_are_numbers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
