/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/jail_lines.h"
#include "tests/unit.h"

#include <stdio.h>

static struct {
	char text[65536];
	size_t len, count, longest;
} got;

static void take(void *data, int stream, const char *text, size_t len)
{
	got.count++;
	got.longest = len > got.longest ? len : got.longest;
	if (got.len + len + 2 > sizeof(got.text))
		return;
	memcpy(got.text + got.len, text, len);
	got.len += len;
	got.text[got.len++] = '|';
	got.text[got.len] = '\0';
}

static struct jail_lines fresh(void)
{
	memset(&got, 0, sizeof(got));
	return (struct jail_lines){ .stream = 1, .emit = take };
}

static void feed(struct jail_lines *lines, const char *text)
{
	jail_lines_feed(lines, text, strlen(text), 0);
}

static void lines_end_where_they_end(void **state)
{
	struct jail_lines lines = fresh();

	feed(&lines, "one\ntw");
	feed(&lines, "o\n\nfo");
	feed(&lines, "ur\r\nlast");
	assert_string_equal(got.text, "one|two||four|");
	jail_lines_end(&lines, 0);
	assert_string_equal(got.text, "one|two||four|last|");
	jail_lines_end(&lines, 0);
	assert_int_equal(got.count, 5);
}

static void what_is_no_text_is_replaced(void **state)
{
	struct jail_lines lines = fresh();
	static const char nul[] = "a\0b\n";

	jail_lines_feed(&lines, nul, 4, 0);
	feed(&lines, "\x1b[31m\tred\n");
	feed(&lines, "\xff\xfe \xc3\xa9 \xc3\n");
	feed(&lines, "\xc2\x9b x\xed\xa0\x80\n"); /* a C1 control, a surrogate */
	feed(&lines, "\u202E turned \u2066\n");   /* an override, an isolate */
	assert_string_equal(got.text, "a\uFFFDb|\uFFFD[31m\tred|\uFFFD\uFFFD é \uFFFD|"
				      "\uFFFD x\uFFFD\uFFFD\uFFFD|\uFFFD turned \uFFFD|");
}

static void a_line_at_its_limit(void **state)
{
	struct jail_lines lines = fresh();
	char text[JAIL_LINE_MAX + 2];

	memset(text, 'x', sizeof(text));
	/* the mark needs room, and a line that has room for it is whole */
	jail_lines_feed(&lines, text, JAIL_LINE_MAX - 3, 0);
	feed(&lines, "\n");
	assert_int_equal(got.longest, JAIL_LINE_MAX - 3);
	assert_null(strstr(got.text, "…"));
	jail_lines_feed(&lines, text, JAIL_LINE_MAX + 1, 0);
	feed(&lines, "\nnext\n");
	assert_int_equal(got.longest, JAIL_LINE_MAX);
	assert_non_null(strstr(got.text, "x…|next|"));
}

static void a_cut_never_splits_a_character(void **state)
{
	struct jail_lines lines = fresh();

	for (int i = 0; i < JAIL_LINE_MAX; i++)
		feed(&lines, "é");
	feed(&lines, "\n");
	assert_true(got.longest <= JAIL_LINE_MAX);
	assert_non_null(strstr(got.text, "é…|"));
}

static void too_many_are_dropped_and_counted(void **state)
{
	struct jail_lines lines = fresh();

	for (int i = 0; i < JAIL_LINES_PER_SECOND; i++)
		jail_lines_feed(&lines, "x\n", 2, 10);
	assert_int_equal(got.count, JAIL_LINES_PER_SECOND);
	for (int i = 0; i < 7; i++)
		jail_lines_feed(&lines, "x\n", 2, 999);
	assert_int_equal(got.count, JAIL_LINES_PER_SECOND);
	jail_lines_feed(&lines, "again\n", 6, 1000);
	assert_int_equal(got.count, JAIL_LINES_PER_SECOND + 2);
	assert_non_null(strstr(got.text, "(7 lines dropped: more than 500 in a second)|again|"));
	for (int i = 0; i < JAIL_LINES_PER_SECOND; i++)
		jail_lines_feed(&lines, "x\n", 2, 1500);
	jail_lines_end(&lines, 1500);
	assert_non_null(strstr(got.text, "(1 lines dropped"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_end_where_they_end),
		cmocka_unit_test(what_is_no_text_is_replaced),
		cmocka_unit_test(a_line_at_its_limit),
		cmocka_unit_test(a_cut_never_splits_a_character),
		cmocka_unit_test(too_many_are_dropped_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
