/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/help.h"
#include "cli/cmd/commands.h"
#include "tests/unit.h"

#include <stdio.h>

static const struct command *find(const char *const *words, int *matched)
{
	int count = 0;

	while (words[count])
		count++;
	return command_find(count, words, matched);
}

static void a_command_is_found_by_all_its_words(void **state)
{
	int matched;

	for (const struct command *const *row = commands; *row; row++) {
		char name[64];
		const char *words[8] = { "cocos-cli" };
		int count = 1;

		snprintf(name, sizeof(name), "%s", (*row)->name);
		for (char *rest = name, *word; (word = strsep(&rest, " ")) != NULL;)
			words[count++] = word;
		words[count] = "operand";
		assert_ptr_equal(find(words, &matched), *row);
		assert_int_equal(matched, count - 1);
	}
}

static void half_a_name_finds_nothing(void **state)
{
	int matched;

	assert_null(find((const char *[]){ "cocos-cli", "versio", NULL }, &matched));
	assert_null(find((const char *[]){ "cocos-cli", "versions", NULL }, &matched));
	assert_null(find((const char *[]){ "cocos-cli", "", NULL }, &matched));
	assert_null(find((const char *[]){ "cocos-cli", NULL }, &matched));
}

/* What the table promises to help, completion and getopt. */
static void every_row_is_whole(void **state)
{
	for (const struct command *const *row = commands; *row; row++) {
		assert_non_null((*row)->args);
		assert_true((*row)->help[0]);
		assert_int_not_equal((*row)->help[strlen((*row)->help) - 1], '.');
		assert_non_null((*row)->run);
		assert_true((*row)->operands_max == CLI_ANY ||
			    (*row)->operands_max >= (*row)->operands_min);
		for (const struct cli_option *a = (*row)->options; a && a->name; a++) {
			assert_non_null(a->help);
			assert_true(a->value || !a->words);
			assert_true(a->letter != 'h' && a->letter != 'v');
			for (const struct cli_option *b = a + 1; b->name; b++) {
				assert_string_not_equal(a->name, b->name);
				assert_true(!a->letter || a->letter != b->letter);
			}
		}
	}
}

static void every_name_is_there_once(void **state)
{
	for (const struct command *const *a = commands; *a; a++)
		for (const struct command *const *b = a + 1; *b; b++)
			assert_string_not_equal((*a)->name, (*b)->name);
}

static const char *const sizes[] = { "small", "large", NULL };
static const struct command try_me = {
	.name = "try",
	.args = "",
	.help = "nothing",
	.options =
		(const struct cli_option[]){
			{ .letter = 's',
			  .name = "size",
			  .value = "SIZE",
			  .help = "x",
			  .words = sizes },
			{ .name = "arg", .value = "ARG", .help = "x", .times = CLI_MANY },
			{ .name = "wait", .value = "TIME", .help = "x", .optional = true },
			CLI_JSON_OPTION,
			{ .name = NULL },
		},
};

static void options_are_given_by_name(void **state)
{
	struct err e;
	struct cli cli;

	cli_init(&cli, &try_me);
	assert_ok(cli_give(&cli, "size", "large", &e), e);
	assert_ok(cli_give(&cli, "arg", "one", &e), e);
	assert_ok(cli_give(&cli, "arg", "", &e), e);
	assert_ok(cli_give(&cli, "json", NULL, &e), e);
	assert_string_equal(cli_value(&cli, "size"), "large");
	assert_string_equal(cli_value_at(&cli, "arg", 1), "");
	assert_null(cli_value_at(&cli, "arg", 2));
	assert_true(cli_flag(&cli, "json"));
	assert_refused(cli_give(&cli, "size", "small", &e), e, ERR_INVALID, "twice");
	assert_refused(cli_give(&cli, "bogus", "x", &e), e, ERR_INVALID, "unknown");
	assert_refused(cli_give(&cli, "arg", NULL, &e), e, ERR_INVALID, "needs a value");
	assert_refused(cli_give(&cli, "json", "x", &e), e, ERR_INVALID, "takes no value");
	cli_done(&cli);
}

static void a_value_may_be_left_out(void **state)
{
	struct err e;
	struct cli cli;

	cli_init(&cli, &try_me);
	assert_false(cli_flag(&cli, "wait"));
	assert_ok(cli_give(&cli, "wait", NULL, &e), e);
	assert_true(cli_flag(&cli, "wait"));
	assert_null(cli_value(&cli, "wait"));
	assert_refused(cli_give(&cli, "wait", "5m", &e), e, ERR_INVALID, "twice");
	cli_done(&cli);
	cli_init(&cli, &try_me);
	assert_ok(cli_give(&cli, "wait", "5m", &e), e);
	assert_string_equal(cli_value(&cli, "wait"), "5m");
	cli_done(&cli);
}

static void a_value_is_one_of_the_words(void **state)
{
	struct err e;
	struct cli cli;

	cli_init(&cli, &try_me);
	assert_refused(cli_give(&cli, "size", "huge", &e), e, ERR_INVALID, "small, large");
	assert_ok(cli_give(&cli, "size", "small", &e), e);
	cli_done(&cli);
}

static void options_have_a_limit(void **state)
{
	struct err e;
	struct cli cli;

	cli_init(&cli, &try_me);
	for (int i = 0; i < CLI_GIVEN_MAX; i++)
		assert_ok(cli_give(&cli, "arg", "x", &e), e);
	assert_refused(cli_give(&cli, "arg", "x", &e), e, ERR_INVALID, "more than");
	cli_done(&cli);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_command_is_found_by_all_its_words),
		cmocka_unit_test(half_a_name_finds_nothing),
		cmocka_unit_test(every_row_is_whole),
		cmocka_unit_test(every_name_is_there_once),
		cmocka_unit_test(options_are_given_by_name),
		cmocka_unit_test(a_value_may_be_left_out),
		cmocka_unit_test(a_value_is_one_of_the_words),
		cmocka_unit_test(options_have_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
