/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/json_out.h"
#include "cli/base/table.h"
#include "tests/unit.h"

static const struct table_column columns[] = {
	{ "NAME", "name", false },    { "SIZE", "size", false }, { "MADE", "made", true },
	{ "LABELS", "labels", true }, { NULL, NULL, false },
};

static const struct cli_option options[] = { TABLE_OPTIONS, { .name = NULL } };
static const struct command command = { .name = "list", .options = options };

static void fill(struct table *t)
{
	table_init(t, columns);
	table_text(t, "a\x1b[2J\"b");
	table_number(t, 2048, "2 KiB");
	table_moment(t, 1700000000000);
	table_pairs(t, "a=1,b=");
	table_text(t, "");
	table_number(t, 0, "0 KiB");
	table_moment(t, 0);
	table_pairs(t, "");
}

/* What is printed in that form; "": none was asked for. */
static char *print(struct table *t, const char *format, bool one)
{
	struct cli_given given = { &options[0], format };
	struct cli cli = { .command = &command, .given = &given, .given_count = *format != '\0' };
	char *text = NULL;
	size_t len = 0;
	struct err e;

	cli.out = open_memstream(&text, &len);
	assert_ok(one ? table_print_one(t, &cli, &e) : table_print(t, &cli, "nothing", &e), e);
	fclose(cli.out);
	return text;
}

static void prints(struct table *t, const char *format, bool one, const char *wanted)
{
	char *text = print(t, format, one);

	assert_string_equal(text, wanted);
	free(text);
}

static void rows_come_in_every_form(void **state)
{
	struct table t CLEANUP_TABLE;

	fill(&t);
	prints(&t, "", false, "NAME     SIZE\na?[2J\"b  2 KiB\n-        -\n");
	prints(&t, "table", false, "NAME     SIZE\na?[2J\"b  2 KiB\n-        -\n");
	prints(&t, "wide", false,
	       "NAME     SIZE   MADE                  LABELS\n"
	       "a?[2J\"b  2 KiB  2023-11-14T22:13:20Z  a=1,b=\n"
	       "-        -      -                     -\n");
	prints(&t, "json", false,
	       "[{\"name\":\"a\\u001b[2J\\\"b\",\"size\":2048,\"made\":\"2023-11-14T22:13:20Z\","
	       "\"labels\":{\"a\":\"1\",\"b\":\"\"}},"
	       "{\"name\":\"\",\"size\":0,\"made\":null,\"labels\":{}}]\n");
	prints(&t, "yaml", false,
	       "- name: \"a\\u001b[2J\\\"b\"\n  size: 2048\n  made: \"2023-11-14T22:13:20Z\"\n"
	       "  labels: {\"a\":\"1\",\"b\":\"\"}\n"
	       "- name: \"\"\n  size: 0\n  made: null\n  labels: {}\n");
}

static void none_is_said(void **state)
{
	struct table t CLEANUP_TABLE;

	fill(&t);
	table_clear(&t);
	prints(&t, "", false, "nothing\n");
	prints(&t, "json", false, "[]\n");
	prints(&t, "yaml", false, "[]\n");
}

static void one_is_shown_whole(void **state)
{
	struct table t CLEANUP_TABLE;

	table_init(&t, columns);
	table_text(&t, "\xc3\xa4");
	table_number(&t, UINT64_MAX, NULL);
	table_moment(&t, 0);
	table_pairs(&t, "a=1");
	prints(&t, "", true,
	       "name    \xc3\xa4\nsize    18446744073709551615\nmade    -\nlabels  a=1\n");
	t.labels = (const char *const[]){ "name", "bytes", "when", "labels" };
	prints(&t, "", true,
	       "name    \xc3\xa4\nbytes   18446744073709551615\nwhen    -\nlabels  a=1\n");
	prints(&t, "json", true,
	       "{\"name\":\"\xc3\xa4\",\"size\":18446744073709551615,\"made\":null,\"labels\":{\"a\":\"1\"}}\n");
	prints(&t, "yaml", true,
	       "name: \"\xc3\xa4\"\nsize: 18446744073709551615\nmade: null\nlabels: {\"a\":\"1\"}\n");
}

static void words_are_a_list_for_programs(void **state)
{
	static const struct table_column lists[] = { { "IDS", "ids", false },
						     { NULL, NULL, false } };
	char one[] = "a,b", two[] = "c\"\x1b";
	char *const words[] = { one, two };
	struct table t CLEANUP_TABLE;

	table_init(&t, lists);
	table_words(&t, words, 2);
	table_words(&t, words, 1);
	table_words(&t, NULL, 0);
	prints(&t, "", false, "IDS\na,b,c\"?\na,b\n-\n");
	prints(&t, "json", false,
	       "[{\"ids\":[\"a,b\",\"c\\\"\\u001b\"]},{\"ids\":[\"a,b\"]},{\"ids\":[]}]\n");
	prints(&t, "yaml", false,
	       "- ids: [\"a,b\",\"c\\\"\\u001b\"]\n- ids: [\"a,b\"]\n- ids: []\n");
}

static void two_forms_at_once_are_refused(void **state)
{
	struct cli_given given[] = { { &options[0], "yaml" }, { &options[1], NULL } };
	struct cli cli = { .command = &command, .given = given, .given_count = 2 };
	struct err e;

	assert_refused(table_check(&cli, &e), e, ERR_INVALID, "exclude each other");
	given[0].value = "json";
	assert_ok(table_check(&cli, &e), e);
	cli.given_count = 1;
	assert_ok(table_check(&cli, &e), e);
}

static void a_cell_that_was_lost_is_told(void **state)
{
	struct cli cli = { .command = &command, .out = stdout };
	struct table t CLEANUP_TABLE;
	struct err e;

	fill(&t);
	t.failed = true;
	assert_refused(table_print(&t, &cli, "", &e), e, ERR_EXHAUSTED, "memory");
	assert_refused(table_print_one(&t, &cli, &e), e, ERR_EXHAUSTED, "memory");
	assert_refused(table_print_line(&t, stdout, &e), e, ERR_EXHAUSTED, "memory");
}

/* For programs a row is its object, whatever is in it; people see the cells. */
static void a_row_may_be_another_object_for_programs(void **state)
{
	static const struct table_column two[] = {
		{ "ID", "id", false },
		{ "UP", "up", false },
		{ NULL, NULL, false },
	};
	struct table t CLEANUP_TABLE;

	table_init(&t, two);
	for (unsigned i = 0; i < 3; i++) {
		struct json_out object CLEANUP_JSON_OUT;

		table_text(&t, "x");
		table_text(&t, "yes");
		json_out_init(&object);
		json_out_object(&object, NULL);
		json_out_text(&object, "id", i ? "x" : "a: \"b\\\", {c}\n- d # e");
		json_out_bool(&object, "up", true);
		json_out_list(&object, "of");
		json_out_number(&object, NULL, 1);
		json_out_number(&object, NULL, i);
		json_out_end(&object);
		json_out_end(&object);
		table_object(&t, &object);
	}
	prints(&t, "", false, "ID  UP\nx   yes\nx   yes\nx   yes\n");
	prints(&t, "json", false,
	       "[{\"id\":\"a: \\\"b\\\\\\\", {c}\\n- d # e\",\"up\":true,\"of\":[1,0]},"
	       "{\"id\":\"x\",\"up\":true,\"of\":[1,1]},{\"id\":\"x\",\"up\":true,\"of\":[1,2]}]\n");
	prints(&t, "yaml", false,
	       "- \"id\": \"a: \\\"b\\\\\\\", {c}\\n- d # e\"\n  \"up\": true\n  \"of\": [1,0]\n"
	       "- \"id\": \"x\"\n  \"up\": true\n  \"of\": [1,1]\n"
	       "- \"id\": \"x\"\n  \"up\": true\n  \"of\": [1,2]\n");
	table_clear(&t);
	prints(&t, "yaml", false, "[]\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_come_in_every_form),
		cmocka_unit_test(none_is_said),
		cmocka_unit_test(one_is_shown_whole),
		cmocka_unit_test(words_are_a_list_for_programs),
		cmocka_unit_test(two_forms_at_once_are_refused),
		cmocka_unit_test(a_cell_that_was_lost_is_told),
		cmocka_unit_test(a_row_may_be_another_object_for_programs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
