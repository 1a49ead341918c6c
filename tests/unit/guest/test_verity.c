/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/verity.h"
#include "tests/unit.h"

#define HASH "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void a_description_is_read(void **state)
{
	struct verity verity;
	struct err e;

	assert_ok(verity_parse("data_blocks 31234\nroot_hash " HASH "\n", &verity, &e), e);
	assert_int_equal(verity.data_blocks, 31234);
	assert_string_equal(verity.root_hash, HASH);
}

static void every_truncation_is_refused(void **state)
{
	static const char text[] = "data_blocks 31234\nroot_hash " HASH "\n";
	struct verity verity;
	struct err e;

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char cut[sizeof(text)] = "";

		memcpy(cut, text, len);
		assert_refused(verity_parse(cut, &verity, &e), e, ERR_INVALID, "root description");
	}
}

static void anything_else_is_refused(void **state)
{
	static const char *const texts[] = {
		"data_blocks 0\nroot_hash " HASH "\n",
		"data_blocks 01\nroot_hash " HASH "\n",
		"data_blocks -1\nroot_hash " HASH "\n",
		"data_blocks 1 2\nroot_hash " HASH "\n",
		"data_blocks 16777217\nroot_hash " HASH "\n",
		"data_blocks 99999999999999999999\nroot_hash " HASH "\n",
		"data_blocks 1\nroot_hash " HASH "0\n",
		"data_blocks 1\nroot_hash " HASH "\n\n",
		"data_blocks 1\nroot_hash " HASH " panic\n",
		"data_blocks 1\nroot_hash ABCDEF6789abcdef0123456789abcdef0123456789abcdef"
		"0123456789abcdef\n",
		"root_hash " HASH "\ndata_blocks 1\n",
	};
	struct verity verity;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_refused(verity_parse(texts[i], &verity, &e), e, ERR_INVALID,
			       "root description");
	assert_ok(verity_parse("data_blocks 16777216\nroot_hash " HASH "\n", &verity, &e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_description_is_read),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(anything_else_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
