/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/appraisal_rate.h"
#include "tests/unit.h"

#include <stdio.h>

static const struct rate rate = { .every = 1000, .burst = 3 };

static void a_burst_is_taken_and_then_one_at_a_time(void **state)
{
	int64_t spent = 0, now = 50000;

	for (int i = 0; i < 3; i++)
		assert_int_equal(rate_take(&rate, now, &spent), 0);
	assert_int_equal(rate_take(&rate, now, &spent), 1000);
	assert_int_equal(rate_take(&rate, now + 999, &spent), 1);
	assert_int_equal(rate_take(&rate, now + 1000, &spent), 0);
	assert_int_equal(rate_take(&rate, now + 1000, &spent), 1000);
	/* Whoever waited long has the burst again, and no more. */
	now += 1000000;
	for (int i = 0; i < 3; i++)
		assert_int_equal(rate_take(&rate, now, &spent), 0);
	assert_int_equal(rate_take(&rate, now, &spent), 1000);
}

static void each_cvm_has_its_own(void **state)
{
	static struct rate_cvms cvms;

	for (int i = 0; i < 3; i++)
		assert_int_equal(rate_cvms_take(&cvms, &rate, "a", 5), 0);
	assert_int_equal(rate_cvms_take(&cvms, &rate, "a", 5), 1000);
	assert_int_equal(rate_cvms_take(&cvms, &rate, "b", 5), 0);
	assert_int_equal(rate_cvms_take(&cvms, &rate, "a", 1005), 0);
}

static void where_there_is_no_room_the_first_is_forgotten(void **state)
{
	static struct rate_cvms cvms;
	char id[16];

	for (int i = 0; i < RATE_CVMS_MAX; i++) {
		snprintf(id, sizeof(id), "%d", i);
		assert_int_equal(rate_cvms_take(&cvms, &rate, id, 5 + i), 0);
	}
	for (int i = 0; i < 3; i++)
		assert_int_equal(rate_cvms_take(&cvms, &rate, "another", 5), 0);
	assert_int_equal(rate_cvms_take(&cvms, &rate, "another", 5), 1000);
	for (int i = 0; i < 2; i++) /* the others keep their places, and what they have spent */
		assert_int_equal(rate_cvms_take(&cvms, &rate, "7", 12), 0);
	assert_int_equal(rate_cvms_take(&cvms, &rate, "7", 12), 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_burst_is_taken_and_then_one_at_a_time),
		cmocka_unit_test(each_cvm_has_its_own),
		cmocka_unit_test(where_there_is_no_room_the_first_is_forgotten),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
