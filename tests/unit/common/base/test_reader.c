/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/reader.h"
#include "tests/unit.h"

static const uint8_t bytes[] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static void numbers_come_in_both_orders(void **state)
{
	struct reader r = reader_over(bytes, sizeof(bytes));

	assert_int_equal(reader_be64(&r), 0x0102030405060708);
	assert_int_equal(reader_u8(&r), 9);
	assert_true(reader_done(&r));
	r = reader_over(bytes, sizeof(bytes));
	assert_int_equal(reader_le32(&r), 0x04030201);
	assert_int_equal(reader_be24(&r), 0x050607);
	assert_int_equal(reader_le16(&r), 0x0908);
	assert_true(reader_done(&r));
}

static void a_read_past_the_end_is_remembered(void **state)
{
	struct reader r = reader_over(bytes, 3);

	assert_int_equal(reader_be32(&r), 0);
	assert_int_equal(reader_u8(&r), 0);
	assert_false(reader_ok(&r));
	assert_false(reader_done(&r));
	assert_null(reader_take(&r, 0));
}

static void a_part_cannot_leave_its_bounds(void **state)
{
	struct reader r = reader_over(bytes, sizeof(bytes)), part = reader_sub(&r, 2);

	assert_int_equal(reader_be24(&part), 0);
	assert_false(reader_ok(&part));
	assert_true(reader_ok(&r));
	part = reader_sub(&r, 8);
	assert_false(reader_ok(&part));
	assert_false(reader_ok(&r));
}

static void reserved_bytes_must_be_zero(void **state)
{
	const uint8_t zeros[] = { 0, 0, 0, 1 };
	struct reader r = reader_over(zeros, sizeof(zeros));

	reader_zeros(&r, 3);
	assert_true(reader_ok(&r));
	reader_zeros(&r, 1);
	assert_false(reader_ok(&r));
}

static void nothing_is_a_whole_input(void **state)
{
	struct reader r = reader_over(NULL, 0), none;

	assert_true(reader_done(&r));
	none = reader_sub(&r, 0);
	assert_true(reader_done(&none));
	assert_int_equal(reader_u8(&r), 0);
	assert_false(reader_done(&r));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_come_in_both_orders),
		cmocka_unit_test(a_read_past_the_end_is_remembered),
		cmocka_unit_test(a_part_cannot_leave_its_bounds),
		cmocka_unit_test(reserved_bytes_must_be_zero),
		cmocka_unit_test(nothing_is_a_whole_input),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
