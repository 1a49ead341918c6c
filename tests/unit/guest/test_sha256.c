/* SPDX-License-Identifier: Apache-2.0 */
/* Against the library's, at every length around a block, however the input is cut in two. */
#include "common/base/encode.h"
#include "common/crypto/digest.h"
#include "guest/sha256.h"
#include "tests/unit.h"

enum { MOST = 200 };

static void it_is_the_standards(void **state)
{
	/* FIPS 180-4's examples. */
	static const struct {
		const char *text, *sum;
	} rows[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t sum[SHA256_SUM];
		char hex[2 * SHA256_SUM + 1];

		sha256_two(NULL, 0, rows[i].text, strlen(rows[i].text), sum);
		hex_encode(sum, sizeof(sum), hex);
		assert_string_equal(hex, rows[i].sum);
	}
}

static void it_is_the_librarys(void **state)
{
	uint8_t bytes[MOST], wanted[SHA256_LEN], sum[SHA256_SUM];
	struct err e;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(37 * i + 11);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		assert_ok(digest(DIGEST_SHA256, bytes, len, wanted, &e), e);
		for (size_t cut = 0; cut <= len; cut++) {
			sha256_two(bytes, cut, bytes + cut, len - cut, sum);
			assert_memory_equal(sum, wanted, sizeof(sum));
		}
	}
}

static void a_long_input_is_the_librarys(void **state)
{
	enum { LONG = 300000 };
	CLEANUP(free) uint8_t *bytes = calloc(LONG, 1);
	uint8_t wanted[SHA256_LEN], sum[SHA256_SUM];
	struct err e;

	assert_non_null(bytes);
	assert_ok(digest(DIGEST_SHA256, bytes, LONG, wanted, &e), e);
	sha256_two(bytes, 28, bytes + 28, LONG - 28, sum);
	assert_memory_equal(sum, wanted, sizeof(sum));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_is_the_standards),
		cmocka_unit_test(it_is_the_librarys),
		cmocka_unit_test(a_long_input_is_the_librarys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
