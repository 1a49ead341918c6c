/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/progress.h"
#include "tests/unit.h"

static void sizes_are_for_people(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0 bytes" },          { 1023, "1023 bytes" },       { 1024, "1.0 KiB" },
		{ 1536, "1.5 KiB" },       { 1048576, "1.0 MiB" },       { 1ULL << 30, "1.0 GiB" },
		{ 1ULL << 40, "1.0 TiB" }, { 1ULL << 52, "4096.0 TiB" },
	};
	char text[32];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		progress_size(cases[i].bytes, text, sizeof(text));
		assert_string_equal(text, cases[i].text);
	}
}

static void the_bar_fills_the_line(void **state)
{
	struct progress p = { .label = "sending x", .total = 4096 };
	char line[400];

	progress_line(&p, 1024, 0, 60, line, sizeof(line));
	assert_string_equal(line, "sending x [#####.................]  25% 1.0 KiB of 4.0 KiB");
	progress_line(&p, 1 << 20, 2000, 80, line, sizeof(line));
	assert_non_null(strstr(line, "100% 1.0 MiB of 4.0 KiB 512.0 KiB/s"));
	assert_true(strlen(line) < 80);
}

static void a_narrow_terminal_gets_no_bar(void **state)
{
	struct progress p = { .label = "sending x", .total = 4096 };
	char line[400];

	progress_line(&p, 1024, 0, 20, line, sizeof(line));
	assert_string_equal(line, "sending x  1.0 KiB");
}

static void the_rate_counts_what_moved_now(void **state)
{
	struct progress p = { .label = "x", .first = 1 << 20 };
	char line[400];

	progress_line(&p, 2 << 20, 1000, 80, line, sizeof(line));
	assert_string_equal(line, "x  2.0 MiB 1.0 MiB/s");
}

static void the_time_left_is_by_the_rate_until_now(void **state)
{
	static const struct {
		uint64_t done, ms;
		const char *left; /* NULL: none is told */
	} cases[] = {
		{ 100, 500, NULL },
		{ 50, 2000, NULL },
		{ 100, 1000, " 19s left" },
		{ 60, 1000, " 1m35s left" },
		{ 51, 60000, " 15h49m left" },
		{ 1000, 2000, NULL },
		{ 51, 600000, NULL }, /* no one believes in weeks */
	};
	struct progress p = { .label = "x", .total = 1000, .first = 50 };
	char line[400];

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		progress_line(&p, cases[i].done, cases[i].ms, 100, line, sizeof(line));
		if (cases[i].left)
			assert_non_null(strstr(line, cases[i].left));
		else
			assert_null(strstr(line, "left"));
		assert_true(strlen(line) < 100);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_are_for_people),
		cmocka_unit_test(the_bar_fills_the_line),
		cmocka_unit_test(a_narrow_terminal_gets_no_bar),
		cmocka_unit_test(the_rate_counts_what_moved_now),
		cmocka_unit_test(the_time_left_is_by_the_rate_until_now),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
