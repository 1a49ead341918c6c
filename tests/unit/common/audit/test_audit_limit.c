/* SPDX-License-Identifier: Apache-2.0 */
#include "common/audit/audit_limit.h"
#include "tests/unit.h"

#include <string.h>

static unsigned taken(struct audit_limit *limit, const char *who, unsigned tries, uint64_t now)
{
	unsigned count = 0;

	while (tries--)
		count += audit_limit_take(limit, who, strlen(who), now);
	return count;
}

static void one_caller_has_so_many_and_then_one_in_a_while(void **state)
{
	struct audit_limit limit = { 0 };
	const uint64_t now = 1000 * 1000;

	assert_int_equal(taken(&limit, "anna", 100, now), AUDIT_LIMIT_BURST);
	assert_int_equal(taken(&limit, "anna", 100, now + AUDIT_LIMIT_MS - 1), 0);
	assert_int_equal(taken(&limit, "anna", 100, now + AUDIT_LIMIT_MS), 1);
	assert_int_equal(taken(&limit, "anna", 100, now + 3 * AUDIT_LIMIT_MS), 2);
	/* What was not used is not kept. */
	assert_int_equal(taken(&limit, "anna", 100, now + 1000 * AUDIT_LIMIT_MS),
			 AUDIT_LIMIT_BURST);
}

static void a_flood_of_one_leaves_the_others_theirs(void **state)
{
	struct audit_limit limit = { 0 };

	assert_int_equal(taken(&limit, "anna", 100000, 5), AUDIT_LIMIT_BURST);
	assert_int_equal(taken(&limit, "bert", 1, 5), 1);
}

static void all_together_have_so_many(void **state)
{
	struct audit_limit limit = { 0 };
	unsigned count = 0;
	char who[16];

	for (unsigned i = 0; i < 10000; i++) {
		snprintf(who, sizeof(who), "%u", i);
		count += taken(&limit, who, 10, 7);
	}
	assert_int_equal(count, AUDIT_LIMIT_ALL_BURST);
	assert_int_equal(taken(&limit, "anna", 10, 7 + AUDIT_LIMIT_ALL_MS), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_caller_has_so_many_and_then_one_in_a_while),
		cmocka_unit_test(a_flood_of_one_leaves_the_others_theirs),
		cmocka_unit_test(all_together_have_so_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
