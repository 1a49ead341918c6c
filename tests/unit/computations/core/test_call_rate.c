/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/call_rate.h"
#include "tests/unit.h"

#define SECOND INT64_C(1000000000)

enum { PLACES = CALL_RATE_SETS * CALL_RATE_WAYS };

static struct call_rate *enter(uint64_t each_second)
{
	struct call_rate *rate = NULL;
	struct err e;

	assert_ok(call_rate_new(each_second, &rate, &e), e);
	return rate;
}

/* How many are taken at that moment, of `most`. */
static uint64_t calls(struct call_rate *rate, uint64_t account, int64_t now, uint64_t most)
{
	uint64_t count = 0;
	int64_t seconds;
	struct err e;

	while (count < most && call_rate_take(rate, account, "192.0.2.1:1", now, &seconds, &e) == 0)
		count++;
	return count;
}

static void a_minute_at_once_and_then_one_by_one(void **state)
{
	static const uint64_t rows[] = { 1, 2, 3, 7, 500, 501 };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct call_rate *rate = enter(rows[i]);
		const uint64_t anna = 1;
		const uint64_t burst = CALL_RATE_SECONDS * rows[i];
		const int64_t each = SECOND / (int64_t)rows[i], now = 5 * SECOND;
		int64_t seconds = 0;
		struct err e;

		assert_int_equal(calls(rate, anna, now, burst - 1), burst - 1);
		assert_int_equal(calls(rate, anna, now, 2), 1);
		assert_refused(call_rate_take(rate, anna, "x", now, &seconds, &e), e, ERR_EXHAUSTED,
			       "your account");
		assert_int_equal(seconds, 1);
		assert_int_equal(calls(rate, anna, now + each - 1, 2), 0);
		assert_int_equal(calls(rate, anna, now + each, 2), 1);
		assert_int_equal(calls(rate, anna, now + 2 * each - 1, 2), 0);
		assert_int_equal(calls(rate, anna, now + 2 * each, 2), 1);
		/* After a minute of quiet all is as if nothing had been; more of it brings no more. */
		assert_int_equal(calls(rate, anna, now + 1000 * SECOND, burst + 1), burst);
		call_rate_free(rate);
	}
	call_rate_free(NULL);
}

static void each_has_its_own(void **state)
{
	struct call_rate *rate = enter(2);
	int64_t seconds = 0;
	struct err e;

	assert_int_equal(calls(rate, 1, 0, 1000), 120);
	assert_int_equal(calls(rate, 2, 0, 1000), 120);
	assert_int_equal(calls(rate, UINT64_MAX, 0, 1000), 120);
	assert_refused(call_rate_take(rate, 2, "x", 0, &seconds, &e), e, ERR_EXHAUSTED,
		       "your account: the next is in 1 second. Make fewer than 2");
	call_rate_free(rate);
}

/* As many as make the table full several times over: none waits for others, as none of these has used up his own. */
static void crowds_make_nobody_wait(void **state)
{
	struct call_rate *rate = enter(500);

	for (uint32_t i = 1; i <= 3 * PLACES; i++)
		assert_int_equal(calls(rate, i, SECOND, 1), 1);
	assert_int_equal(calls(rate, PLACES, SECOND, 1000), 1000);
	call_rate_free(rate);
}

/* Whoever has used up his own gains nothing by others that come in his place: neither he, nor they, who take over what is
 * to be waited off. */
static void nobody_is_freed_by_others(void **state)
{
	struct call_rate *rate = enter(1);
	uint64_t taken = 0;

	for (int round = 0; round < 2; round++)
		for (uint32_t i = 1; i <= 4 * PLACES; i++)
			taken += calls(rate, i, SECOND, 2 * CALL_RATE_SECONDS);
	assert_int_equal(taken, (uint64_t)PLACES * CALL_RATE_SECONDS);
	call_rate_free(rate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_minute_at_once_and_then_one_by_one),
		cmocka_unit_test(each_has_its_own),
		cmocka_unit_test(crowds_make_nobody_wait),
		cmocka_unit_test(nobody_is_freed_by_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
