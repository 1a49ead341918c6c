/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_line.h"
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>

static struct log_rate others;

static struct store_lines *enter(void)
{
	struct store_lines *lines = calloc(1, sizeof(*lines));

	assert_non_null(lines);
	others = (struct log_rate){ .skipped = 0 };
	return lines;
}

static unsigned taken(struct store_lines *lines, enum store_line_kind kind, const char *id,
		      int64_t now, unsigned tries)
{
	unsigned long skipped;
	unsigned count = 0;

	while (tries-- > 0)
		count += store_line_take(lines, &(struct store_line){ kind, id }, now, &others,
					 &skipped);
	return count;
}

static void none_hides_what_there_is_to_say_of_another(void **state)
{
	struct store_lines *lines = enter();
	unsigned long skipped = 7;

	assert_int_equal(taken(lines, STORE_LINE_FULL, "a", 5000, STORE_LINE_BURST),
			 STORE_LINE_BURST);
	assert_int_equal(taken(lines, STORE_LINE_FULL, "a", 5000, 100000), 0);
	assert_int_equal(taken(lines, STORE_LINE_FULL, "b", 5000, 100), STORE_LINE_BURST);
	assert_int_equal(taken(lines, STORE_LINE_ODD_SIZE, "a", 5000, 100), STORE_LINE_BURST);
	/* One more in its time, which tells how many were not written. */
	assert_int_equal(taken(lines, STORE_LINE_FULL, "a", 5000 + STORE_LINE_MS - 1, 1), 0);
	assert_true(store_line_take(lines, &(struct store_line){ STORE_LINE_FULL, "a" },
				    5000 + STORE_LINE_MS, &others, &skipped));
	assert_int_equal(skipped, 100001);
	assert_int_equal(taken(lines, STORE_LINE_FULL, "a", 5000 + STORE_LINE_MS, 1), 0);
	free(lines);
}

static void a_crowd_shares_what_is_left(void **state)
{
	struct store_lines *lines = enter();
	unsigned count = 0;
	char id[16];

	for (unsigned i = 0; i < STORE_LINE_ROWS; i++) {
		snprintf(id, sizeof(id), "%u", i);
		count += taken(lines, STORE_LINE_FULL, id, 0, STORE_LINE_BURST + 1);
	}
	assert_int_equal(count, STORE_LINE_ROWS * STORE_LINE_BURST);
	assert_int_equal(taken(lines, STORE_LINE_FULL, "x", 0, 100), LOG_RATE_BURST);
	assert_int_equal(taken(lines, STORE_LINE_FULL, "y", 0, 100), 0);
	/* A row is free again when all is as if nothing had been told. */
	assert_int_equal(
		taken(lines, STORE_LINE_FULL, "y", STORE_LINE_BURST * STORE_LINE_MS - 1, 100),
		LOG_RATE_BURST);
	assert_int_equal(taken(lines, STORE_LINE_FULL, "z", STORE_LINE_BURST * STORE_LINE_MS, 100),
			 STORE_LINE_BURST);
	free(lines);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(none_hides_what_there_is_to_say_of_another),
		cmocka_unit_test(a_crowd_shares_what_is_left),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
