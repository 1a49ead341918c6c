/* SPDX-License-Identifier: Apache-2.0 */
/* Codes of authenticator programs: the vectors of RFC 4226 and RFC 6238, the window, each step once, how programs take it. */
#include "computations/people/totp.h"
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

/* RFC 6238, appendix B, for SHA-1; RFC 4226, appendix D. */
static const uint8_t secret[TOTP_SECRET_LEN] = "12345678901234567890";

static void the_vectors_of_rfc_4226(void **state)
{
	static const char *const codes[] = { "755224", "287082", "359152", "969429", "338314",
					     "254676", "287922", "162583", "399871", "520489" };
	char code[TOTP_DIGITS + 1];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(codes); i++) {
		assert_ok(totp_code(secret, (int64_t)i, code, &e), e);
		assert_string_equal(code, codes[i]);
	}
}

static const struct {
	int64_t seconds;
	const char *code; /* the last six digits of the eight there */
} vectors[] = {
	{ 59, "287082" },         { 1111111109, "081804" }, { 1111111111, "050471" },
	{ 1234567890, "005924" }, { 2000000000, "279037" }, { 20000000000, "353130" },
};

static void the_vectors_of_rfc_6238(void **state)
{
	char code[TOTP_DIGITS + 1];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
		int64_t now = vectors[i].seconds * 1000, step = -1;
		bool matches;

		assert_ok(totp_code(secret, now / TOTP_STEP_MS, code, &e), e);
		assert_string_equal(code, vectors[i].code);
		assert_ok(totp_matches(secret, code, now, 0, &matches, &step, &e), e);
		assert_true(matches);
		assert_int_equal(step, now / TOTP_STEP_MS);
	}
}

/* The code of step 1000, at other times. */
static bool matches_at(int64_t now, int64_t last)
{
	char code[TOTP_DIGITS + 1];
	int64_t step = -1;
	bool matches;
	struct err e;

	assert_ok(totp_code(secret, 1000, code, &e), e);
	assert_ok(totp_matches(secret, code, now, last, &matches, &step, &e), e);
	assert_int_equal(step, matches ? 1000 : -1);
	return matches;
}

static void it_is_taken_one_step_before_and_after(void **state)
{
	assert_false(matches_at(999 * TOTP_STEP_MS - 1, 0));
	assert_true(matches_at(999 * TOTP_STEP_MS, 0));
	assert_true(matches_at(1000 * TOTP_STEP_MS, 0));
	assert_true(matches_at(1002 * TOTP_STEP_MS - 1, 0));
	assert_false(matches_at(1002 * TOTP_STEP_MS, 0));
}

static void a_step_that_was_taken_is_not_taken_again(void **state)
{
	assert_true(matches_at(1000 * TOTP_STEP_MS, 999));
	assert_false(matches_at(1000 * TOTP_STEP_MS, 1000));
	assert_false(matches_at(1000 * TOTP_STEP_MS, 1001));
}

static void what_is_no_code_does_not_match(void **state)
{
	static const char *const wrong[] = { "",       "0",      "28708",  "2870820",
					     "28708x", "-87082", "287083", "94287082" };
	bool matches = true;
	int64_t step = 7;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_ok(totp_matches(secret, wrong[i], 59000, 0, &matches, &step, &e), e);
		assert_false(matches);
		assert_int_equal(step, 7);
	}
}

static void programs_get_it_as_they_take_it(void **state)
{
	static const char *const names[][2] = { { "anna", "anna" },
						{ "a.b_c-d@e+f", "a.b_c-d%40e%2Bf" } };
	char text[TOTP_BASE32_LEN + 1], uri[TOTP_URI_MAX], wanted[TOTP_URI_MAX];
	char longest[64];

	totp_base32(secret, text);
	assert_string_equal(text, "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		totp_uri(text, names[i][0], uri);
		snprintf(wanted, sizeof(wanted),
			 "otpauth://totp/cocos:%s?secret=%s&issuer=cocos&algorithm=SHA1&digits=6&"
			 "period=30",
			 names[i][1], text);
		assert_string_equal(uri, wanted);
	}
	memset(longest, '@', 63);
	longest[63] = 0;
	totp_uri(text, longest, uri);
	assert_non_null(strstr(uri, "&period=30"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_vectors_of_rfc_4226),
		cmocka_unit_test(the_vectors_of_rfc_6238),
		cmocka_unit_test(it_is_taken_one_step_before_and_after),
		cmocka_unit_test(a_step_that_was_taken_is_not_taken_again),
		cmocka_unit_test(what_is_no_code_does_not_match),
		cmocka_unit_test(programs_get_it_as_they_take_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
