/* SPDX-License-Identifier: Apache-2.0 */
#include "common/preflight/preflight.h"
#include "tests/unit.h"

static unsigned looked;

static int good(void *subject, char *found, struct err *e)
{
	looked++;
	return preflight_found(found, "%s is there", (const char *)subject);
}

static int not_asked(void *subject, char *found, struct err *e)
{
	looked++;
	return preflight_not_asked(found, "nobody wants it");
}

static int bad(void *subject, char *found, struct err *e)
{
	looked++;
	preflight_found(found, "what a failure must not say");
	return err_set(e, ERR_NOT_FOUND, "it is \"gone\"");
}

static int hostile(void *subject, char *found, struct err *e)
{
	return preflight_found(found, "one\nline \033[2J");
}

static const struct preflight_check checks[] = {
	{ "disk", good, "buy one" },
	{ "tls", not_asked, "make one" },
	{ "image", bad, "install it" },
};

/* The exit status; what was printed is in `text`. */
static int run(const struct preflight_check *table, size_t count, enum preflight_form form,
	       char text[2048])
{
	FILE *out = fmemopen(text, 2048, "w");
	int status = preflight_run("cocos-test", table, count, (char[]){ "a disk" }, form, out);

	fclose(out);
	return status;
}

static void every_check_is_made_and_told(void **state)
{
	char text[2048];

	looked = 0;
	assert_int_equal(run(checks, ARRAY_LEN(checks), PREFLIGHT_TEXT, text), 1);
	assert_int_equal(looked, 3);
	assert_string_equal(text, "disk            ok         a disk is there\n"
				  "tls             not asked  nobody wants it\n"
				  "image           failed     it is \"gone\"\n"
				  "                           to do: install it\n"
				  "cocos-test: 1 of 3 checks failed\n");
}

static void what_is_not_asked_is_no_failure(void **state)
{
	char text[2048];

	assert_int_equal(run(checks, 2, PREFLIGHT_TEXT, text), 0);
	assert_non_null(strstr(text, "0 of 2 checks failed"));
	assert_int_equal(run(checks, 2, PREFLIGHT_JSON, text), 0);
	assert_non_null(strstr(text, "\"ok\":true"));
}

static void programs_read_json(void **state)
{
	char text[2048];

	assert_int_equal(run(checks, ARRAY_LEN(checks), PREFLIGHT_JSON, text), 1);
	assert_string_equal(
		text,
		"{\"program\":\"cocos-test\",\"version\":\"" COCOS_VERSION
		"\",\"ok\":false,\"checks\":["
		"{\"check\":\"disk\",\"outcome\":\"ok\",\"found\":\"a disk is there\"},"
		"{\"check\":\"tls\",\"outcome\":\"not asked\",\"found\":\"nobody wants it\"},"
		"{\"check\":\"image\",\"outcome\":\"failed\",\"found\":\"it is \\\"gone\\\"\","
		"\"remedy\":\"install it\"}]}\n");
}

static void what_was_found_is_one_line(void **state)
{
	static const struct preflight_check table[] = { { "words", hostile, "" } };
	char text[2048];

	assert_int_equal(run(table, 1, PREFLIGHT_TEXT, text), 0);
	assert_string_equal(text, "words           ok         one line  [2J\n"
				  "cocos-test: 0 of 1 checks failed\n");
}

static void a_long_name_moves_the_columns_of_all(void **state)
{
	static const struct preflight_check table[] = {
		{ "agents' revocation lists", not_asked, "" },
		{ "image", bad, "install it" },
	};
	char text[2048];

	assert_int_equal(run(table, ARRAY_LEN(table), PREFLIGHT_TEXT, text), 1);
	assert_string_equal(text, "agents' revocation lists not asked  nobody wants it\n"
				  "image                    failed     it is \"gone\"\n"
				  "                                    to do: install it\n"
				  "cocos-test: 1 of 2 checks failed\n");
}

static const char *better(const void *subject)
{
	return *(const char *)subject ? subject : NULL;
}

/* What the look found out comes first, and the table's remedy where it found nothing out. */
static void a_better_remedy_stands_in_the_tables_place(void **state)
{
	static const char *const found[] = { "chmod it", "" }, *const told[] = { "chmod it",
										 "install it" };

	for (size_t i = 0; i < ARRAY_LEN(found); i++) {
		char subject[16], text[2048];
		FILE *out = fmemopen(text, sizeof(text), "w");

		snprintf(subject, sizeof(subject), "%s", found[i]);
		assert_int_equal(preflight_run_better("cocos-test", checks, ARRAY_LEN(checks),
						      subject, better, PREFLIGHT_TEXT, out),
				 1);
		fclose(out);
		assert_non_null(strstr(strstr(text, "to do: "), told[i]));
	}
}

static void output_that_cannot_be_written_is_no_success(void **state)
{
	FILE *full = fopen("/dev/full", "w");

	assert_non_null(full);
	assert_int_equal(
		preflight_run("cocos-test", checks, 2, (char[]){ "x" }, PREFLIGHT_TEXT, full), 1);
	fclose(full);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_check_is_made_and_told),
		cmocka_unit_test(what_is_not_asked_is_no_failure),
		cmocka_unit_test(programs_read_json),
		cmocka_unit_test(what_was_found_is_one_line),
		cmocka_unit_test(a_long_name_moves_the_columns_of_all),
		cmocka_unit_test(a_better_remedy_stands_in_the_tables_place),
		cmocka_unit_test(output_that_cannot_be_written_is_no_success),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
