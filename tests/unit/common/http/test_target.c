/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/target.h"
#include "tests/unit.h"

#include <string.h>

static int parse(const char *text, struct http_target *t)
{
	struct err e;

	return http_target_parse(text, t, &e);
}

static void a_path_and_its_query_are_taken_apart(void **state)
{
	struct http_target t;

	assert_int_equal(parse("/a/b%20c/%C3%A4?x=1&y=2%2B2&z=a+b&empty=&flag", &t), 0);
	assert_int_equal(t.segment_count, 3);
	assert_string_equal(t.segments[0], "a");
	assert_string_equal(t.segments[1], "b c");
	assert_string_equal(t.segments[2], "\xc3\xa4");
	assert_int_equal(t.query_count, 5);
	assert_string_equal(http_target_query(&t, "x"), "1");
	assert_string_equal(http_target_query(&t, "y"), "2+2");
	assert_string_equal(http_target_query(&t, "z"), "a b");
	assert_string_equal(http_target_query(&t, "empty"), "");
	assert_string_equal(http_target_query(&t, "flag"), "");
	assert_null(http_target_query(&t, "none"));
	assert_int_equal(parse("/", &t), 0);
	assert_int_equal(t.segment_count, 0);
	assert_int_equal(t.query_count, 0);
	assert_int_equal(parse("/?a=b", &t), 0);
	assert_int_equal(t.segment_count, 0);
	assert_string_equal(http_target_query(&t, "a"), "b");
	assert_int_equal(parse("/a+b/c=d&e", &t), 0);
	assert_string_equal(t.segments[0], "a+b");
	assert_string_equal(t.segments[1], "c=d&e");
}

static void another_reading_of_a_path_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"a",
		"*",
		"//",
		"/a/",
		"/a//b",
		"/.",
		"/..",
		"/a/../b",
		"/%2e",
		"/%2E%2e/b",
		"/.%2e",
		"/a%2fb",
		"/a%5cb",
		"/a%5Cb",
		"/a\\b",
		"/a%00",
		"/%00",
		"/a%0a",
		"/a%7f",
		"/%",
		"/%1",
		"/%zz",
		"/%1g",
		"/a b",
		"/a\tb",
		"/a#b",
		"/a%80",
		"/%c3",
		"/%ed%a0%80",
		"/%c0%af",
		"/a|b",
		"/\"",
		"/a?",
		"/a?&",
		"/a?x=1&",
		"/a?x=1&x=2",
		"/a?x=1&%78=2",
		"/a?=1",
		"/a?x=%00",
		"/a?x=%c0%80",
		"/a?x=#",
		"/a?x=%",
		"/a?x=1&&y=2",
		"/%e2%80%ae",
		"http://h/",
		"/a?x=[1]",
		"/\x80",
	};
	struct http_target t;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (parse(bad[i], &t) != -ERR_INVALID)
			fail_msg("'%s'", bad[i]);
}

/* "/aaa…", with so many bytes behind the slash. */
static char *long_text(const char *front, size_t len)
{
	size_t front_len = strlen(front);
	char *text = malloc(front_len + len + 1);

	assert_non_null(text);
	memcpy(text, front, front_len);
	memset(text + front_len, 'a', len);
	text[front_len + len] = 0;
	return text;
}

static void expect_long(const char *front, size_t len, int result)
{
	CLEANUP(free) char *text = long_text(front, len);
	struct http_target t;

	assert_int_equal(parse(text, &t), result);
}

static void lengths_have_limits(void **state)
{
	expect_long("/", HTTP_SEGMENT_MAX, 0);
	expect_long("/", HTTP_SEGMENT_MAX + 1, -ERR_OUT_OF_RANGE);
	expect_long("/?x=", HTTP_TARGET_MAX - 4, 0);
	expect_long("/?x=", HTTP_TARGET_MAX - 3, -ERR_OUT_OF_RANGE);
}

/* So many of a piece; the first is a slash's or a question mark's. */
static int parse_many(const char *front, const char *format, unsigned count)
{
	char text[HTTP_TARGET_MAX + 1];
	struct http_target t;
	size_t len = 0;

	len += (size_t)snprintf(text, sizeof(text), "%s", front);
	for (unsigned i = 0; i < count; i++)
		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s%u", i ? format : "",
					i ? "" : format + 1, i);
	return parse(text, &t);
}

static void counts_have_limits(void **state)
{
	assert_int_equal(parse_many("/", "/s", HTTP_SEGMENTS_MAX), 0);
	assert_int_equal(parse_many("/", "/s", HTTP_SEGMENTS_MAX + 1), -ERR_OUT_OF_RANGE);
	assert_int_equal(parse_many("/?", "&n", HTTP_PAIRS_MAX), 0);
	assert_int_equal(parse_many("/?", "&n", HTTP_PAIRS_MAX + 1), -ERR_OUT_OF_RANGE);
}

static void every_truncation_is_a_target_or_none(void **state)
{
	/* Where it ends within an escape, a character or a list it is none. */
	static const char good[] = "/ab/%C3%A4?x=%20&y";
	static const char is_whole[] = "011100000010110010";
	char text[sizeof(good)];
	struct http_target t;

	for (size_t len = 0; len < sizeof(good) - 1; len++) {
		memcpy(text, good, len);
		text[len] = 0;
		assert_int_equal(parse(text, &t), is_whole[len] == '1' ? 0 : -ERR_INVALID);
	}
}

static void a_tail_is_one_value(void **state)
{
	char longest[HTTP_TARGET_MAX + 2] = "/ocsp/";
	struct http_target t;
	struct err e;

	assert_int_equal(http_target_parse_tail("/ocsp/a/b%2Fc+d=//e", "/ocsp/", &t, &e), 0);
	assert_int_equal(t.segment_count, 2);
	assert_int_equal(t.query_count, 0);
	assert_string_equal(t.segments[0], "ocsp");
	assert_string_equal(t.segments[1], "a/b/c+d=//e");
	for (const char *const *bad =
		     (const char *const[]){ "/ocsp/", "/ocsp/?a", "/ocsp/a?", "/ocsp", "/ocspa/b",
					    "/ocsp/a%", "/ocsp/%0", "/ocsp/%00", "/ocsp/%ff",
					    "/ocsp/a#", "/ocsp/a b", "/ocsp/a%0a", "", NULL };
	     *bad; bad++)
		if (http_target_parse_tail(*bad, "/ocsp/", &t, &e) != -ERR_INVALID)
			fail_msg("%s", *bad);
	memset(longest + 6, 'a', HTTP_TARGET_MAX - 6);
	assert_int_equal(http_target_parse_tail(longest, "/ocsp/", &t, &e), 0);
	assert_int_equal(strlen(t.segments[1]), HTTP_TARGET_MAX - 6);
	longest[HTTP_TARGET_MAX] = 'a';
	assert_int_equal(http_target_parse_tail(longest, "/ocsp/", &t, &e), -ERR_OUT_OF_RANGE);
	/* Elsewhere a slash separates, however it is written. */
	assert_true(parse("/ocsp/a%2Fb", &t) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_path_and_its_query_are_taken_apart),
		cmocka_unit_test(a_tail_is_one_value),
		cmocka_unit_test(another_reading_of_a_path_is_refused),
		cmocka_unit_test(lengths_have_limits),
		cmocka_unit_test(counts_have_limits),
		cmocka_unit_test(every_truncation_is_a_target_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
