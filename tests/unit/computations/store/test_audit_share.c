/* SPDX-License-Identifier: Apache-2.0 */
/* Whose rows are counted, and who is forgotten. */
#include "computations/store/audit_share.h"
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

static void count(struct audit_shares *shares, const char *who, unsigned times)
{
	while (times--)
		audit_share_count(shares, who);
}

static void each_is_counted_by_himself(void **state)
{
	struct audit_shares shares = { 0 };

	assert_int_equal(audit_share_rows(&shares, "user anna"), 0);
	assert_int_equal(audit_share_rows(&shares, ""), 0);
	count(&shares, "user anna", 3);
	count(&shares, "user ann", 2);
	count(&shares, "user anna2", 1);
	assert_int_equal(audit_share_rows(&shares, "user anna"), 3);
	assert_int_equal(audit_share_rows(&shares, "user ann"), 2);
	assert_int_equal(audit_share_rows(&shares, "user anna2"), 1);
	assert_int_equal(audit_share_rows(&shares, "user bert"), 0);
}

/* Others come and go as they like: he who has many stays known. */
static void who_has_most_is_not_forgotten(void **state)
{
	struct audit_shares shares = { 0 };
	char who[32];

	count(&shares, "user eve", 5);
	for (unsigned user = 0; user < 3 * AUDIT_SHARES; user++) {
		snprintf(who, sizeof(who), "user u%u", user);
		count(&shares, who, 2);
		assert_int_equal(audit_share_rows(&shares, who), 2);
		assert_int_equal(audit_share_rows(&shares, "user eve"), 5);
	}
	/* One place, which the last one has: the others were there before him. */
	assert_int_equal(audit_share_rows(&shares, "user u0"), 0);
	assert_int_equal(audit_share_rows(&shares, "user u1"), 2);
}

static void of_a_long_name_the_beginning_counts(void **state)
{
	struct audit_shares shares = { 0 };
	char who[AUDIT_SHARE_WHO_MAX + 2];

	memset(who, 'x', sizeof(who));
	for (size_t len = AUDIT_SHARE_WHO_MAX - 1; len < sizeof(who); len++) {
		who[len] = '\0';
		count(&shares, who, 1);
		who[len] = 'x';
	}
	who[AUDIT_SHARE_WHO_MAX - 1] = '\0';
	assert_int_equal(audit_share_rows(&shares, who), 1);
	who[AUDIT_SHARE_WHO_MAX - 1] = 'x';
	who[AUDIT_SHARE_WHO_MAX] = '\0';
	assert_int_equal(audit_share_rows(&shares, who), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_is_counted_by_himself),
		cmocka_unit_test(who_has_most_is_not_forgotten),
		cmocka_unit_test(of_a_long_name_the_beginning_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
