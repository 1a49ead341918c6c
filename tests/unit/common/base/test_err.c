/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/utf8.h"
#include "tests/unit.h"

#include <errno.h>

static void context_stands_before_the_cause(void **state)
{
	struct err e;

	errno = ENOENT;
	assert_int_equal(err_errno(&e, "open '%s'", "policy.json"), -ERR_NOT_FOUND);
	assert_int_equal(err_wrap(&e, "load policy"), -ERR_NOT_FOUND);
	assert_string_equal(e.text, "load policy: open 'policy.json': No such file or directory");
}

static void every_code_has_its_name(void **state)
{
	assert_string_equal(err_code_name(ERR_PRECONDITION), "FAILED_PRECONDITION");
	assert_string_equal(err_code_name(ERR_UNAUTHENTICATED), "UNAUTHENTICATED");
	assert_string_equal(err_code_name((enum err_code)17), "UNKNOWN");
}

/* "€" takes three bytes: each of its places is tried at both cuts. */
static void a_long_text_is_cut_between_characters(void **state)
{
	struct err e;
	char text[3 * ERR_TEXT_MAX];

	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xE2\x82\xAC", 4);
		err_set(&e, ERR_INVALID, "%s", text);
		assert_in_range(strlen(e.text), ERR_TEXT_MAX - 6, ERR_TEXT_MAX - 1);
		assert_true(utf8_valid(e.text, strlen(e.text)));
	}
}

static void the_longest_text_is_not_cut(void **state)
{
	char text[ERR_TEXT_MAX + 1];
	struct err e;

	memset(text, 'x', sizeof(text));
	text[ERR_TEXT_MAX - 1] = '\0';
	err_set(&e, ERR_INVALID, "%s", text);
	assert_string_equal(e.text, text);
	text[ERR_TEXT_MAX - 1] = 'x';
	text[ERR_TEXT_MAX] = '\0';
	err_set(&e, ERR_INVALID, "%s", text);
	assert_non_null(strstr(e.text, "x…x"));
}

static void a_long_path_does_not_hide_why(void **state)
{
	char path[4096], longer[20000];
	struct err e;

	memset(path, 'p', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	errno = ENAMETOOLONG;
	err_errno(&e, "open '%s'", path);
	assert_ptr_equal(strstr(e.text, "open 'ppp"), e.text);
	assert_non_null(strstr(e.text, "pp': File name too long"));
	err_wrap(&e, "load policy");
	err_wrap(&e, "%s", path);
	assert_ptr_equal(strstr(e.text, "ppp"), e.text);
	assert_non_null(strstr(e.text, "pp': File name too long"));
	memset(longer, 'q', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	errno = ENAMETOOLONG;
	err_errno(&e, "%s", longer);
	assert_non_null(strstr(e.text, "qq: File name too long"));
}

/* Content of a manifest gets into texts that go to its sender, to logs and to terminals. */
static void a_text_is_one_line_for_terminals(void **state)
{
	struct err e;

	err_set(&e, ERR_INVALID, "file '%s'", "a/\nb\x1b[31m\r\t\x7f");
	assert_string_equal(e.text, "file 'a/?b?[31m?\?\?'");
	/* C1, which terminals obey, too; a character that was cut; bytes that never were a
	 * character. */
	err_set(&e, ERR_INVALID, "%s",
		"\xc2\x9b"
		"31m \xc2\xa0\xe2\x82\xac \xc3' \xe2\x82' \xff\xed\xa0\x80");
	assert_string_equal(e.text, "?\?31m \xc2\xa0\xe2\x82\xac ?' ?\?' ?\?\?\?");
	err_set(&e, ERR_INVALID, "file '%s'", "a/\nb\x1b[31m\r\t\x7f");
	e.text[1] = '\n'; /* as in a status that was received */
	err_wrap(&e, "%s", "x\ny");
	assert_string_equal(e.text, "x?y: f\nle 'a/?b?[31m?\?\?'");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(context_stands_before_the_cause),
		cmocka_unit_test(every_code_has_its_name),
		cmocka_unit_test(a_long_text_is_cut_between_characters),
		cmocka_unit_test(the_longest_text_is_not_cut),
		cmocka_unit_test(a_long_path_does_not_hide_why),
		cmocka_unit_test(a_text_is_one_line_for_terminals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
