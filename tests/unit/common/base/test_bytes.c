/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/bytes.h"
#include "tests/unit.h"

static void one_other_byte_is_seen_wherever_it_stands(void **state)
{
	uint8_t b[9];

	for (unsigned value = 0; value < 256; value += 0xff) {
		memset(b, (int)value, sizeof(b));
		assert_true(bytes_are(b, sizeof(b), (uint8_t)value));
		for (size_t at = 0; at < sizeof(b); at++) {
			b[at] ^= 0x10;
			assert_false(bytes_are(b, sizeof(b), (uint8_t)value));
			b[at] ^= 0x10;
		}
	}
	assert_true(bytes_are(NULL, 0, 0));
}

static void a_value_is_found_as_a_whole_in_its_place(void **state)
{
	static const uint8_t row[] = { 1, 2, 3, 4, 5, 6 };

	assert_true(bytes_among(row, 3, "\x01\x02", 2));
	assert_true(bytes_among(row, 3, "\x05\x06", 2));
	assert_false(bytes_among(row, 2, "\x05\x06", 2));
	assert_false(bytes_among(row, 3, "\x02\x03", 2));
	assert_false(bytes_among(row, 0, "\x01\x02", 2));
	assert_false(bytes_among(NULL, 0, "\x01", 1));
}

static void numbers_have_their_first_byte_at_either_end(void **state)
{
	static const uint8_t b[] = { 0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef };
	uint8_t to[sizeof(b) + 1];

	assert_true(bytes_le(b, 8) == UINT64_C(0xefcdab8967452301));
	assert_true(bytes_be(b, 8) == UINT64_C(0x0123456789abcdef));
	assert_true(bytes_le(b, 3) == 0x452301 && bytes_be(b, 3) == 0x012345);
	assert_true(bytes_le(b, 0) == 0 && bytes_be(b, 0) == 0);
	for (size_t len = 0; len <= sizeof(b); len++) {
		memset(to, 0xcc, sizeof(to));
		bytes_put_le(to, bytes_le(b, 8), len);
		assert_memory_equal(to, b, len);
		assert_int_equal(to[len], 0xcc);
		bytes_put_be(to, bytes_be(b, len), len);
		assert_memory_equal(to, b, len);
		assert_int_equal(to[len], 0xcc);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_other_byte_is_seen_wherever_it_stands),
		cmocka_unit_test(a_value_is_found_as_a_whole_in_its_place),
		cmocka_unit_test(numbers_have_their_first_byte_at_either_end),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
