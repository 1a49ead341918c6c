/* SPDX-License-Identifier: Apache-2.0 */
/* 'One of these values': an empty set is never 'any'. */
#include "attestation/verdict/value_set.h"
#include "tests/unit.h"

static const uint8_t two[] = { 1, 2, 3, 4 };
static struct verdict v;

static const struct check *last(void)
{
	return &v.checks[v.count - 1];
}

static void a_value_of_the_set_passes_and_another_does_not(void **state)
{
	const struct value_set set = { two, 2 }, one = { two, 1 };

	verdict_init(&v, VERDICT_SCOPE_FULL);
	assert_true(value_set_judge(&set, two + 2, 2, NULL, CHECK_POLICY_MEASUREMENT, &v));
	assert_true(value_set_judge_or_zero(&set, two, 2, NULL, CHECK_POLICY_HOST_DATA, &v));
	assert_string_equal(last()->wanted, "one of 2 values that the policy names");
	assert_false(value_set_judge(&set, two + 1, 2, NULL, CHECK_POLICY_MEASUREMENT, &v));
	assert_false(value_set_judge_or_zero(&one, two + 2, 2, "x", CHECK_POLICY_HOST_DATA, &v));
	assert_string_equal(last()->found, "0304");
	assert_string_equal(last()->wanted, "0102");
}

static void an_empty_set_refuses_or_takes_zero_alone(void **state)
{
	static const uint8_t zero[2];
	const struct value_set none = { NULL, 0 };

	verdict_init(&v, VERDICT_SCOPE_FULL);
	assert_false(value_set_has(&none, zero, 2));
	assert_false(value_set_judge(&none, zero, 2, "a value", CHECK_POLICY_MEASUREMENT, &v));
	assert_string_equal(last()->wanted, "a value");
	assert_true(value_set_judge_or_zero(&none, zero, 2, "zero", CHECK_POLICY_HOST_DATA, &v));
	assert_false(value_set_judge_or_zero(&none, two, 2, "zero", CHECK_POLICY_HOST_DATA, &v));
	assert_string_equal(last()->wanted, "zero");
}

static void zero_is_a_value_only_where_it_is_named(void **state)
{
	static const uint8_t zero[2];
	const struct value_set set = { two, 2 };

	verdict_init(&v, VERDICT_SCOPE_FULL);
	assert_false(value_set_judge_or_zero(&set, zero, 2, NULL, CHECK_POLICY_HOST_DATA, &v));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_value_of_the_set_passes_and_another_does_not),
		cmocka_unit_test(an_empty_set_refuses_or_takes_zero_alone),
		cmocka_unit_test(zero_is_a_value_only_where_it_is_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
