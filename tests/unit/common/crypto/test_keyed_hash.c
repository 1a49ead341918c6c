/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/keyed_hash.h"
#include "tests/unit.h"

/* Of its authors' paper, appendix A, and their reference code's vectors. */
static void it_is_siphash(void **state)
{
	static const struct {
		size_t len;
		uint64_t value;
	} rows[] = { { 0, 0x726fdb47dd0e0e31 },
		     { 1, 0x74f839c593dc67fd },
		     { 15, 0xa129ca6149be45e5 } };
	uint8_t bytes[KEYED_HASH_KEY_LEN];
	struct keyed_hash *hash;
	uint64_t value;
	struct err e;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)i;
	hash = keyed_hash_new(bytes, &e);
	assert_non_null(hash);
	for (int again = 0; again < 2; again++)
		for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
			assert_ok(keyed_hash_of(hash, bytes, rows[i].len, &value, &e), e);
			assert_true(value == rows[i].value);
		}
	keyed_hash_free(hash);
}

static void each_has_a_key_of_its_own(void **state)
{
	struct keyed_hash *one, *two;
	uint64_t a, b, c;
	struct err e;

	one = keyed_hash_new(NULL, &e);
	two = keyed_hash_new(NULL, &e);
	assert_true(one && two);
	assert_ok(keyed_hash_of(one, "name", 4, &a, &e), e);
	assert_ok(keyed_hash_of(two, "name", 4, &b, &e), e);
	assert_ok(keyed_hash_of(one, "name", 4, &c, &e), e);
	assert_true(a != b && a == c);
	keyed_hash_free(one);
	keyed_hash_free(two);
	keyed_hash_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_siphash),
		cmocka_unit_test(each_has_a_key_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
