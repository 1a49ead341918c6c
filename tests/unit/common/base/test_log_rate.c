/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/log_rate.h"
#include "tests/unit.h"

static void a_few_at_once_then_one_a_second(void **state)
{
	struct log_rate rate = { 0 };
	unsigned long skipped = 99;

	for (unsigned i = 0; i < LOG_RATE_BURST; i++) {
		assert_true(log_rate_take(&rate, 5000, &skipped));
		assert_int_equal(skipped, 0);
	}
	assert_false(log_rate_take(&rate, 5000, &skipped));
	assert_false(log_rate_take(&rate, 5999, &skipped));
	assert_true(log_rate_take(&rate, 6000, &skipped));
	assert_int_equal(skipped, 2);
	assert_false(log_rate_take(&rate, 6999, &skipped));
	assert_true(log_rate_take(&rate, 7000, &skipped));
	assert_int_equal(skipped, 1);
}

static void after_a_rest_a_few_again_and_no_more(void **state)
{
	struct log_rate rate = { 0 };
	unsigned long skipped;
	unsigned written = 0;

	for (unsigned i = 0; i < 100; i++)
		written += log_rate_take(&rate, 0, &skipped);
	for (unsigned i = 0; i < 100; i++)
		written += log_rate_take(&rate, 3600 * 1000, &skipped);
	assert_int_equal(written, 2 * LOG_RATE_BURST);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_few_at_once_then_one_a_second),
		cmocka_unit_test(after_a_rest_a_few_again_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
