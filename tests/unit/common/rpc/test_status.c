/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/status.h"
#include "tests/unit.h"

#include <nghttp2/nghttp2.h>

static void messages_survive_both_ways(void **state)
{
	static const char *const texts[] = {
		"", "plain", "100%",
		"\t\ntest with whitespace\r\n \xe2\x98\xba \xf0\x9f\x98\x88\t\n", "a%20b"
	};
	char encoded[STATUS_TEXT_MAX], decoded[ERR_TEXT_MAX];

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		status_encode(texts[i], encoded);
		for (const char *c = encoded; *c; c++)
			assert_true(*c >= 0x20 && *c <= 0x7e);
		status_decode(encoded, strlen(encoded), decoded);
		assert_string_equal(decoded, texts[i]);
	}
}

static void the_longest_text_fits_encoded(void **state)
{
	char text[ERR_TEXT_MAX], encoded[STATUS_TEXT_MAX];

	memset(text, 0x01, sizeof(text));
	text[sizeof(text) - 1] = 0;
	status_encode(text, encoded);
	assert_int_equal(strlen(encoded), 3 * (ERR_TEXT_MAX - 1));
}

static void broken_escapes_stay(void **state)
{
	char decoded[ERR_TEXT_MAX];

	status_decode("%", 1, decoded);
	assert_string_equal(decoded, "%");
	status_decode("%4", 2, decoded);
	assert_string_equal(decoded, "%4");
	status_decode("%4G%zz", 6, decoded);
	assert_string_equal(decoded, "%4G%zz");
	status_decode("%41%6a", 6, decoded);
	assert_string_equal(decoded, "Aj");
}

static void what_terminals_obey_is_taken_out(void **state)
{
	char decoded[ERR_TEXT_MAX];

	status_decode("a%1b[2Jb%00c%7Fd%ff%c3", 22, decoded);
	assert_string_equal(decoded, "a?[2Jb?c?d??");
	/* C1, an override of direction; white space is content */
	status_decode("%c2%9b31m%e2%80%aex%09%0a", 25, decoded);
	assert_string_equal(decoded, "?31m?x\t\n");
}

static void too_much_is_cut_between_characters(void **state)
{
	char text[3 * ERR_TEXT_MAX], decoded[ERR_TEXT_MAX];

	for (size_t i = 0; i + 2 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x98\xba", 3);
	status_decode(text, sizeof(text) - sizeof(text) % 3, decoded);
	assert_true(strlen(decoded) < ERR_TEXT_MAX);
	assert_true(strlen(decoded) > ERR_TEXT_MAX - 8);
}

static void codes_are_small_decimal_numbers(void **state)
{
	assert_int_equal(status_code("0", 1), ERR_OK);
	assert_int_equal(status_code("16", 2), ERR_UNAUTHENTICATED);
	assert_int_equal(status_code("17", 2), ERR_UNKNOWN);
	assert_int_equal(status_code("", 0), ERR_UNKNOWN);
	assert_int_equal(status_code("-1", 2), ERR_UNKNOWN);
	assert_int_equal(status_code("0x0", 3), ERR_UNKNOWN);
	assert_int_equal(status_code("00000", 5), ERR_UNKNOWN);
	assert_int_equal(status_code("99999999999999999999", 20), ERR_UNKNOWN);
}

static void timeouts_are_parsed(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} good[] = { { "1S", 1000 },
		     { "0m", 0 },
		     { "100m", 100 },
		     { "1n", 1 },
		     { "1000001n", 2 },
		     { "1999u", 2 },
		     { "2M", 120000 },
		     { "1H", 3600000 },
		     { "99999999m", 99999999 },
		     { "99999999S", 99999999000 } };
	static const char *const bad[] = { "",    "1",   "S",          "1s",  "-1S",
					   "1 S", "+1S", "123456789S", "1SS", "0x1S" };
	struct err e;
	uint64_t ms;

	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_ok(timeout_parse(good[i].text, strlen(good[i].text), &ms, &e), e);
		assert_int_equal(ms, good[i].ms);
	}
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(timeout_parse(bad[i], strlen(bad[i]), &ms, &e), e, ERR_INVALID,
			       "grpc-timeout");
	assert_ok(timeout_parse("99999999H", 9, &ms, &e), e);
	assert_true(ms > 1000ULL * 3600 * 1000);
}

static void timeouts_are_written_as_they_are_read(void **state)
{
	static const uint64_t times[] = { 0, 1, 99999999, 100000000, 99999999000, UINT64_MAX };
	char text[TIMEOUT_TEXT_MAX];
	struct err e;
	uint64_t ms;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		timeout_format(times[i], text);
		assert_ok(timeout_parse(text, strlen(text), &ms, &e), e);
		if (times[i] != UINT64_MAX)
			assert_int_equal(ms / 1000, times[i] / 1000);
	}
}

static void http2_errors_have_their_meaning(void **state)
{
	assert_int_equal(status_from_h2(NGHTTP2_REFUSED_STREAM), ERR_UNAVAILABLE);
	assert_int_equal(status_from_h2(NGHTTP2_CANCEL), ERR_CANCELLED);
	assert_int_equal(status_from_h2(NGHTTP2_ENHANCE_YOUR_CALM), ERR_EXHAUSTED);
	assert_int_equal(status_from_h2(NGHTTP2_NO_ERROR), ERR_INTERNAL);
	assert_int_equal(status_from_h2(12345), ERR_INTERNAL);
	assert_int_equal(status_from_http(503), ERR_UNAVAILABLE);
	assert_int_equal(status_from_http(404), ERR_UNIMPLEMENTED);
	assert_int_equal(status_from_http(418), ERR_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_survive_both_ways),
		cmocka_unit_test(the_longest_text_fits_encoded),
		cmocka_unit_test(broken_escapes_stay),
		cmocka_unit_test(what_terminals_obey_is_taken_out),
		cmocka_unit_test(too_much_is_cut_between_characters),
		cmocka_unit_test(codes_are_small_decimal_numbers),
		cmocka_unit_test(timeouts_are_parsed),
		cmocka_unit_test(timeouts_are_written_as_they_are_read),
		cmocka_unit_test(http2_errors_have_their_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
