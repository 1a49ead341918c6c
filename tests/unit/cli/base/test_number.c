/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers as a person writes them, and as a peer does. */
#include "cli/base/number.h"
#include "tests/unit.h"

static void a_number_is_decimal_or_hexadecimal(void **state)
{
	uint64_t n;
	struct err e;

	assert_ok(number_text("0", 0, &n, &e), e);
	assert_int_equal(n, 0);
	assert_ok(number_text("255", 255, &n, &e), e);
	assert_int_equal(n, 255);
	assert_ok(number_text("0xfF", 255, &n, &e), e);
	assert_int_equal(n, 255);
	assert_ok(number_text("18446744073709551615", UINT64_MAX, &n, &e), e);
	assert_true(n == UINT64_MAX);
	assert_refused(number_text("256", 255, &n, &e), e, ERR_INVALID, "");
	assert_refused(number_text("18446744073709551616", UINT64_MAX, &n, &e), e, ERR_INVALID, "");
}

static void a_peers_number_is_decimal(void **state)
{
	uint64_t n;

	assert_true(number_decimal("0", &n));
	assert_int_equal(n, 0);
	assert_true(number_decimal("18446744073709551615", &n));
	assert_true(n == UINT64_MAX);
	assert_false(number_decimal("18446744073709551616", &n));
	assert_false(number_decimal("0x10", &n));
}

static void signs_spaces_and_words_are_no_numbers(void **state)
{
	const char *const texts[] = { "", " 1", "1 ", "+1", "-1", "1.0", "1e3", "ten", "0x" };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		uint64_t n;
		struct err e;

		assert_false(number_decimal(texts[i], &n));
		assert_refused(number_text(texts[i], UINT64_MAX, &n, &e), e, ERR_INVALID, "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_is_decimal_or_hexadecimal),
		cmocka_unit_test(a_peers_number_is_decimal),
		cmocka_unit_test(signs_spaces_and_words_are_no_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
