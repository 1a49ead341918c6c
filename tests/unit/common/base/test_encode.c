/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/encode.h"
#include "tests/unit.h"

static void hexadecimal_has_exactly_its_length(void **state)
{
	uint8_t b[2];
	char text[5];
	struct err e;

	assert_ok(hex_decode("0aFf", b, 2, &e), e);
	hex_encode(b, 2, text);
	assert_string_equal(text, "0aff");
	assert_int_equal(hex_decode("0aF", b, 2, &e), -ERR_INVALID);
	assert_int_equal(hex_decode("0aFf0", b, 2, &e), -ERR_INVALID);
	assert_refused(hex_decode("0a g", b, 2, &e), e, ERR_INVALID, "character 3");
	assert_int_equal(hex_decode("0x0a", b, 2, &e), -ERR_INVALID);
}

/* Every byte at every place of the first group, of one in the middle, and of the last. */
static void base64_has_its_alphabet_and_no_more(void **state)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	uint8_t *bytes;
	size_t len;
	struct err e;

	for (size_t at = 0; at < 12; at++)
		for (unsigned c = 0; c < 256; c++) {
			const char *digit = c ? strchr(alphabet, (int)c) : NULL;
			char text[] = "AAAAAAAAAAAA", wanted[64];
			uint32_t value;

			if (c == '=' && at == 11)
				continue; /* padding */
			text[at] = (char)c;
			snprintf(wanted, sizeof(wanted), "character %zu is not", at + 1);
			if (!digit) {
				assert_refused(base64_decode(text, 12, &bytes, &len, &e), e,
					       ERR_INVALID, wanted);
				continue;
			}
			assert_ok(base64_decode(text, 12, &bytes, &len, &e), e);
			assert_int_equal(len, 9);
			value = (uint32_t)bytes[at / 4 * 3] << 16 |
				(uint32_t)bytes[at / 4 * 3 + 1] << 8 | bytes[at / 4 * 3 + 2];
			assert_int_equal(value, (uint32_t)(digit - alphabet)
							<< (18 - 6 * (at % 4)));
			free(bytes);
		}
}

static void base64_is_canonical(void **state)
{
	/* RFC 4648, section 10. */
	/* clang-format off */
	static const char *const pairs[][2] = {
		{ "", "" },
		{ "f", "Zg==" },
		{ "fo", "Zm8=" },
		{ "foo", "Zm9v" },
		{ "foob", "Zm9vYg==" },
		{ "foobar", "Zm9vYmFy" },
	};
	static const char *const bad[] = {
		"Zg=", "Zg", "Zh==", "Zm9=", "Zm 9v", "Z===", "====", "Zg==Zg==", "Zm-_",
	};
	/* clang-format on */
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
		CLEANUP(free) char *text = base64_encode(pairs[i][0], strlen(pairs[i][0]));
		CLEANUP(free) uint8_t *bytes = NULL;
		size_t len;

		assert_string_equal(text, pairs[i][1]);
		assert_ok(base64_decode(text, strlen(text), &bytes, &len, &e), e);
		assert_int_equal(len, strlen(pairs[i][0]));
		assert_memory_equal(bytes, pairs[i][0], len);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		uint8_t *bytes;
		size_t len;

		if (base64_decode(bad[i], strlen(bad[i]), &bytes, &len, &e) != -ERR_INVALID)
			fail_msg("'%s' was taken for base64", bad[i]);
	}
}

static void padding_may_be_left_out_where_grpc_says_so(void **state)
{
	CLEANUP(free) uint8_t *a = NULL, *b = NULL;
	size_t len;
	struct err e;

	assert_ok(base64_decode_unpadded("Zm8", 3, &a, &len, &e), e);
	assert_int_equal(len, 2);
	assert_ok(base64_decode_unpadded("Zm8=", 4, &b, &len, &e), e);
	assert_int_equal(len, 2);
}

static void base64url_has_its_own_alphabet_and_no_padding(void **state)
{
	CLEANUP(free) uint8_t *bytes = NULL, *none = NULL;
	struct err e;
	size_t len;

	assert_ok(base64url_decode("-_8", 3, &bytes, &len, &e), e);
	assert_int_equal(len, 2);
	assert_memory_equal(bytes, "\xfb\xff", 2);
	assert_ok(base64url_decode("", 0, &none, &len, &e), e);
	assert_int_equal(len, 0);
	for (size_t i = 0; i < 6; i++) {
		static const char *const bad[] = { "+/8", "-_8=", "-_8+", "-_9", "-", "-_ " };

		assert_int_equal(base64url_decode(bad[i], strlen(bad[i]), &bytes, &len, &e),
				 -ERR_INVALID);
	}
	assert_int_equal(base64url_decode("AA\0A", 4, &bytes, &len, &e), -ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hexadecimal_has_exactly_its_length),
		cmocka_unit_test(base64_is_canonical),
		cmocka_unit_test(base64url_has_its_own_alphabet_and_no_padding),
		cmocka_unit_test(base64_has_its_alphabet_and_no_more),
		cmocka_unit_test(padding_may_be_left_out_where_grpc_says_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
