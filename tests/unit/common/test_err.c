/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit.h"

#include <errno.h>

#include "common/base/encode.h"

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

static void a_long_text_ends_on_a_character(void **state)
{
	struct err e;
	char text[2 * ERR_TEXT_MAX];

	for (size_t shift = 0; shift < 3; shift++) {
		memset(text, 'a', shift);
		for (size_t i = shift; i + 3 < sizeof(text); i += 3)
			memcpy(text + i, "\xE2\x82\xAC", 4);
		err_set(&e, ERR_INVALID, "%s", text);
		assert_true(strlen(e.text) >= ERR_TEXT_MAX - 4);
		assert_true(utf8_valid(e.text, strlen(e.text)));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(context_stands_before_the_cause),
		cmocka_unit_test(every_code_has_its_name),
		cmocka_unit_test(a_long_text_ends_on_a_character),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
