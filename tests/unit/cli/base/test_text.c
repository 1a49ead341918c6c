/* SPDX-License-Identifier: Apache-2.0 */
/* What strangers wrote can't move the cursor, turn the line around, or end its quotes. */
#include "cli/base/text.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

static char *quoted(const char *text)
{
	char *made = NULL;
	size_t len;
	FILE *out = open_memstream(&made, &len);

	assert_non_null(out);
	text_print_quoted(out, text);
	assert_int_equal(fclose(out), 0);
	return made;
}

static const struct {
	const char *text, *quoted, *plain;
} rows[] = {
	{ "", "''", "" },
	{ "iris.csv", "'iris.csv'", "iris.csv" },
	{ "größer 日本", "'größer 日本'", "größer 日本" },
	{ "a'b\\c", "\"a'b\\x5cc\"", "a'b\\c" },
	{ "'a\\x0a\\x0' \\", "\"'a\\x0a\\x5cx0' \\x5c\"", "'a\\x0a\\x0' \\" },
	{ "a\"b", "'a\"b'", "a\"b" },
	{ "a'b\"c", "'a\\x27b\"c'", "a'b\"c" },
	{ "\x1b[2J\n\x7f", "'\\x1b[2J\\x0a\\x7f'", "?[2J??" },
	{ "\xc2\x9b", "'\\xc2\\x9b'", "??" },
	{ "\xe2\x80\xae"
	  "x",
	  "'\\xe2\\x80\\xaex'", "???x" },
	{ "\xe2\x80\xa8", "'\\xe2\\x80\\xa8'", "???" },
	{ "\xd8\x9c", "'\\xd8\\x9c'", "??" },
	{ "a\xff"
	  "b",
	  "'a\\xffb'", "a?b" },
	{ "\xc0\x80", "'\\xc0\\x80'", "??" },
	{ "\xe2\x80", "'\\xe2\\x80'", "??" },
};

static void nothing_passes_for_ours(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *made = quoted(rows[i].text);

		assert_string_equal(made, rows[i].quoted);
		assert_string_equal(text_plain(rows[i].text).text, rows[i].plain);
		free(made);
	}
}

/* None of its characters stands where a line of ours begins, however wide the terminal. */
static void a_long_text_is_broken_by_us(void **state)
{
	char text[TEXT_ROW + 3], *made;

	memset(text, ' ', sizeof(text));
	text[TEXT_ROW] = '\0';
	made = quoted(text);
	assert_null(strchr(made, '\n'));
	free(made);
	text[TEXT_ROW] = 'y';
	text[TEXT_ROW + 1] = '\0';
	made = quoted(text);
	assert_string_equal(made + 1 + TEXT_ROW, "'\n            'y'");
	free(made);
}

/* A word as long as a line, or longer, is broken where a line ends. */
static void words_stay_whole_where_they_have_room(void **state)
{
	char text[3 * TEXT_ROW], *made;

	snprintf(text, sizeof(text), "%-*s word", TEXT_ROW - 4, "begins");
	made = quoted(text);
	assert_non_null(strstr(made, " '\n            'word'"));
	free(made);
	snprintf(text, sizeof(text), "%-*s word", TEXT_ROW - 5, "begins");
	made = quoted(text);
	assert_null(strchr(made, '\n'));
	free(made);
	for (unsigned more = 0; more < 2; more++) {
		memset(text, 'x', sizeof(text));
		memcpy(text, "a ", 2);
		text[2 + TEXT_ROW + more] = '\0';
		made = quoted(text);
		assert_memory_equal(made, more ? "'a x" : "'a '\n", 4);
		free(made);
	}
}

static void quotes_leave_nothing_out(void **state)
{
	enum { LONG = 70000 };
	char *text = malloc(LONG + 1), *made;

	assert_non_null(text);
	memset(text, 'x', LONG);
	text[LONG] = 0;
	made = quoted(text);
	assert_int_equal(strlen(made),
			 LONG + 2 + (LONG - 1) / TEXT_ROW * (strlen("'\n'") + TEXT_INDENT));
	assert_int_equal(strlen(text_plain(text).text), TEXT_PLAIN_MAX - 1);
	free(made);
	free(text);
}

static void columns_are_characters(void **state)
{
	assert_int_equal(text_columns(""), 0);
	assert_int_equal(text_columns("--id ID"), 7);
	assert_int_equal(text_columns("\xc3\xa4\xe2\x80\xa6|"), 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_characters),
		cmocka_unit_test(nothing_passes_for_ours),
		cmocka_unit_test(a_long_text_is_broken_by_us),
		cmocka_unit_test(words_stay_whole_where_they_have_room),
		cmocka_unit_test(quotes_leave_nothing_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
