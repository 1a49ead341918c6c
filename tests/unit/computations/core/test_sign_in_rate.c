/* SPDX-License-Identifier: Apache-2.0 */
/* Who may try passwords, and how often: strangers take nothing from others. */
#include "computations/core/sign_in_rate.h"
#include "tests/unit.h"

#include <string.h>

static struct rpc_source address(unsigned number)
{
	struct rpc_source source = { { 4 } };

	memcpy(source.bytes + 1, &number, sizeof(number));
	return source;
}

static struct sign_in_rate *enter(void)
{
	struct sign_in_rate *rate = NULL;
	struct err e;

	assert_ok(sign_in_rate_new(&rate, &e), e);
	return rate;
}

static unsigned tries(struct sign_in_rate *rate, unsigned from, const char *name, int64_t now,
		      unsigned most)
{
	const struct rpc_source source = address(from);
	unsigned count = 0;
	struct err e;

	while (count < most && sign_in_rate_take(rate, &source, name, now, &e) == 0)
		count++;
	if (count < most)
		assert_int_equal(e.code, ERR_EXHAUSTED);
	return count;
}

static void some_at_once_then_one_after_the_other(void **state)
{
	struct sign_in_rate *rate = enter();
	const struct rpc_source source = address(1);
	struct err e;

	assert_int_equal(tries(rate, 1, "anna", 0, 100), SIGN_IN_NAME_BURST);
	assert_refused(sign_in_rate_take(rate, &source, "anna", 0, &e), e, ERR_EXHAUSTED,
		       "the next is in 30 seconds");
	assert_int_equal(tries(rate, 1, "anna", SIGN_IN_NAME_EVERY_MS - 1, 100), 0);
	assert_int_equal(tries(rate, 1, "anna", SIGN_IN_NAME_EVERY_MS, 100), 1);
	sign_in_rate_free(rate);
}

static void who_tries_anna_s_takes_nothing_from_anna(void **state)
{
	struct sign_in_rate *rate = enter();

	assert_int_equal(tries(rate, 1, "anna", 0, 100), SIGN_IN_NAME_BURST);
	assert_int_equal(tries(rate, 2, "anna", 0, 100), SIGN_IN_NAME_BURST);
	/* Others behind the same address are not Anna. */
	assert_int_equal(tries(rate, 1, "bert", 0, 100), SIGN_IN_NAME_BURST);
	sign_in_rate_free(rate);
}

static void one_address_does_not_try_all_names(void **state)
{
	struct sign_in_rate *rate = enter();
	unsigned sum = 0;
	char name[8] = "a";

	for (char c = 'a'; c <= 'z'; c++) {
		name[0] = c;
		sum += tries(rate, 1, name, 0, 100);
	}
	assert_int_equal(sum, SIGN_IN_SOURCE_BURST);
	assert_int_equal(tries(rate, 1, "new", SIGN_IN_SOURCE_EVERY_MS - 1, 100), 0);
	assert_int_equal(tries(rate, 1, "new", SIGN_IN_SOURCE_EVERY_MS, 100), 1);
	sign_in_rate_free(rate);
}

static void a_good_password_gives_back_its_tries(void **state)
{
	struct sign_in_rate *rate = enter();
	const struct rpc_source source = address(1);

	for (int i = 0; i < 10 * SIGN_IN_SOURCE_BURST; i++) {
		assert_int_equal(tries(rate, 1, "anna", 0, 1), 1);
		sign_in_rate_good(rate, &source, "anna");
	}
	assert_int_equal(tries(rate, 1, "anna", 0, 100), SIGN_IN_NAME_BURST);
	sign_in_rate_free(rate);
}

/* More addresses than there are places: some of them are forgotten, and nobody waits for others. */
static void many_addresses_lock_nobody_out(void **state)
{
	struct sign_in_rate *rate = enter();

	for (unsigned from = 100; from < 100 + 3 * SIGN_IN_SETS * SIGN_IN_WAYS; from++)
		assert_int_equal(tries(rate, from, "anna", 0, 1), 1);
	assert_int_equal(tries(rate, 1, "anna", 0, 1), 1);
	sign_in_rate_free(rate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(some_at_once_then_one_after_the_other),
		cmocka_unit_test(who_tries_anna_s_takes_nothing_from_anna),
		cmocka_unit_test(one_address_does_not_try_all_names),
		cmocka_unit_test(a_good_password_gives_back_its_tries),
		cmocka_unit_test(many_addresses_lock_nobody_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
