/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/cmdline.h"
#include "tests/unit.h"

#include <stdbool.h>

#define CHECK(text, e) cmdline_check(text, strlen(text), e)

static void the_words_of_the_table_pass_in_any_order(void **state)
{
	struct err e;
	char all[CMDLINE_MAX] = "";

	for (size_t i = cmdline_words_count; i-- > 0;) {
		assert_ok(CHECK(cmdline_words[i].word, &e), e);
		strncat(all, cmdline_words[i].word, sizeof(all) - strlen(all) - 2);
		strncat(all, i ? "  " : " \n", 3);
	}
	assert_ok(CHECK(all, &e), e);
	assert_ok(CHECK("", &e), e);
	assert_ok(CHECK("\n", &e), e);
}

static void any_other_word_is_named(void **state)
{
	/* clang-format off */
	static const char *const lines[] = {
		"init=/bin/sh", "quiet init=/bin/sh", "quiet rdinit=/x",
		"Quiet", "quietly", "quie", "\"quiet\"", "quiet\tquiet", "quiet\nquiet", "quiet\n\n",
		"console=ttyS", "console=ttyS00", "console=ttyS1", "panic=-1 1", "panic=-10",
		"--", "module.sig_enforce=0", "mitigations=off", "cocos.role_signature=1",
	};
	/* clang-format on */
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		assert_refused(CHECK(lines[i], &e), e, ERR_INVALID, "unknown word");
	assert_refused(cmdline_check("quiet\0", 6, &e), e, ERR_INVALID, "unknown word");
	assert_refused(CHECK("quiet\x1b[2J", &e), e, ERR_INVALID, "\\x1b");
}

static void a_word_stands_there_once(void **state)
{
	struct err e;

	for (size_t i = 0; i < cmdline_words_count; i++) {
		char twice[256];

		snprintf(twice, sizeof(twice), "%s %s", cmdline_words[i].word,
			 cmdline_words[i].word);
		assert_refused(CHECK(twice, &e), e, ERR_INVALID, "twice");
	}
}

static void length_has_a_limit(void **state)
{
	char line[CMDLINE_MAX + 1];
	struct err e;

	memset(line, ' ', sizeof(line));
	assert_ok(cmdline_check(line, CMDLINE_MAX, &e), e);
	assert_refused(cmdline_check(line, CMDLINE_MAX + 1, &e), e, ERR_INVALID, "longer");
}

static void every_cut_of_a_line_is_judged_by_its_words(void **state)
{
	static const char line[] = "console=ttyS0 quiet";
	struct err e;

	for (size_t len = 0; len < sizeof(line); len++) {
		bool whole = len == 0 || len == 13 || len == 14 || len == 19;

		assert_int_equal(cmdline_check(line, len, &e), whole ? 0 : -ERR_INVALID);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_words_of_the_table_pass_in_any_order),
		cmocka_unit_test(any_other_word_is_named),
		cmocka_unit_test(a_word_stands_there_once),
		cmocka_unit_test(length_has_a_limit),
		cmocka_unit_test(every_cut_of_a_line_is_judged_by_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
