/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/source_rate.h"
#include "tests/unit.h"

#include <string.h>

static const struct source_rates rates = { .source = { 100, 3 }, .all = { 5, 6 } };

static struct rpc_source source(uint8_t number)
{
	struct rpc_source s = { { 0 } };

	s.bytes[RPC_SOURCE_LEN - 1] = number;
	return s;
}

static void each_address_has_its_own(void **state)
{
	struct rpc_source one = source(1), two = source(2);
	struct source_rate *rate;
	struct err e;

	assert_int_equal(source_rate_new(&rates, &rate, &e), 0);
	for (int i = 0; i < 3; i++)
		assert_true(source_rate_take(rate, &one, 1000));
	assert_false(source_rate_take(rate, &one, 1000));
	assert_false(source_rate_take(rate, &one, 1099));
	assert_true(source_rate_take(rate, &two, 1000));
	assert_true(source_rate_take(rate, &one, 1100));
	assert_false(source_rate_take(rate, &one, 1100));
	source_rate_free(rate);
}

static void all_together_have_theirs(void **state)
{
	struct source_rate *rate;
	struct err e;

	assert_int_equal(source_rate_new(&rates, &rate, &e), 0);
	for (uint8_t i = 1; i <= 6; i++) {
		struct rpc_source s = source(i);

		assert_true(source_rate_take(rate, &s, 1000));
	}
	struct rpc_source next = source(7);
	assert_false(source_rate_take(rate, &next, 1000));
	/* Who was refused has lost nothing of his own. */
	for (int64_t now = 1005; now <= 1015; now += 5)
		assert_true(source_rate_take(rate, &next, now));
	assert_false(source_rate_take(rate, &next, 1099));
	source_rate_free(rate);
	source_rate_free(NULL);
}

static void crowds_make_nobody_wait_for_others(void **state)
{
	static const struct source_rates wide = { .source = { 100, 1 }, .all = { 1, 1000000 } };
	struct source_rate *rate;
	struct err e;

	assert_int_equal(source_rate_new(&wide, &rate, &e), 0);
	for (unsigned i = 0; i < 100000; i++) {
		struct rpc_source s = { { 0 } };

		memcpy(s.bytes, &i, sizeof(i));
		assert_true(source_rate_take(rate, &s, 1000));
	}
	source_rate_free(rate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_address_has_its_own),
		cmocka_unit_test(all_together_have_theirs),
		cmocka_unit_test(crowds_make_nobody_wait_for_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
