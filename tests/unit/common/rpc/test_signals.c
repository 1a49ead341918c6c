/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/signals.h"
#include "tests/unit.h"

#include <signal.h>

static void count(void *data, int number)
{
	int *counts = data;

	counts[number == SIGTERM ? 0 : 1]++;
}

/* The test's process is its own witness: one signal that is not caught ends it. */
static void signals_are_caught_to_the_end_and_ignored_behind_it(void **state)
{
	struct signals signals;
	int counts[2] = { 0 };
	uv_loop_t loop;

	assert_int_equal(uv_loop_init(&loop), 0);
	signals_start(&signals, &loop, count, counts);
	raise(SIGTERM);
	raise(SIGPIPE);
	while (counts[0] == 0)
		uv_run(&loop, UV_RUN_ONCE);
	signals_unref(&signals);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0); /* nothing that is waited for */
	raise(SIGINT);
	raise(SIGTERM);
	signals_done(&signals);
	raise(SIGTERM);
	raise(SIGINT);
	assert_int_equal(uv_loop_close(&loop), 0);
	assert_true(counts[0] >= 1);
}

static void count_hangup(void *data)
{
	((int *)data)[2]++;
}

static void a_hangup_is_no_end(void **state)
{
	struct signals signals;
	int counts[3] = { 0 };
	uv_loop_t loop;

	assert_int_equal(uv_loop_init(&loop), 0);
	signals_start(&signals, &loop, count, counts);
	signals_on_hangup(&signals, count_hangup);
	raise(SIGHUP);
	while (counts[2] == 0)
		uv_run(&loop, UV_RUN_ONCE);
	assert_int_equal(counts[0] + counts[1], 0);
	signals_unref(&signals);
	assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
	raise(SIGHUP);
	signals_done(&signals);
	raise(SIGHUP);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(signals_are_caught_to_the_end_and_ignored_behind_it),
		cmocka_unit_test(a_hangup_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
