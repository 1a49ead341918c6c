/* SPDX-License-Identifier: Apache-2.0 */
/* A whole token is found wherever it stands, and nothing else is taken for one. */
#include "cli/base/token_text.h"
#include "tests/unit.h"

#define HALF   "0123456789abcdef0123456789abcdef"
#define DIGITS HALF HALF

static const struct {
	const char *text;
	bool is_in;
} rows[] = {
	{ "", false },
	{ "cocos_", false },
	{ "cocos_cvm.pem", false },
	{ DIGITS, false },
	{ "cocos_" HALF, false },
	{ "cocos_" HALF "0123456789abcdef0123456789abcde", false },
	{ "cocos_" HALF "0123456789abcdef0123456789abcdeg", false },
	{ "Cocos_" DIGITS, false },
	{ "cocos_" DIGITS, true },
	{ "cocos_" DIGITS "0", true },
	{ "Bearer cocos_" DIGITS "\n", true },
	{ "--token=cocos_" DIGITS, true },
	{ "cocos_cocos_" DIGITS, true },
	{ "cocos_" HALF " cocos_" DIGITS, true },
};

static void a_whole_one_is_found(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_true(token_text_is_in(rows[i].text) == rows[i].is_in);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_one_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
