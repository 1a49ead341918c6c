/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/form.h"
#include "tests/unit.h"

#include <stdlib.h>
#include <string.h>

static const char *const lines[] = { "text", "more", NULL };

static int parse(const char *text, struct http_form *form)
{
	struct err e;

	return http_form_parse((const uint8_t *)text, strlen(text), lines, form, &e);
}

static void fields_are_taken_apart(void **state)
{
	struct http_form f CLEANUP_HTTP_FORM = { .count = 0 };

	assert_int_equal(parse("a=1&b=2%2B2+3&empty=&flag&%C3%A4=%26%3D", &f), 0);
	assert_int_equal(f.count, 5);
	assert_string_equal(http_form_value(&f, "a"), "1");
	assert_string_equal(http_form_value(&f, "b"), "2+2 3");
	assert_string_equal(http_form_value(&f, "empty"), "");
	assert_string_equal(http_form_value(&f, "flag"), "");
	assert_string_equal(http_form_value(&f, "\xc3\xa4"), "&=");
	assert_null(http_form_value(&f, "none"));
}

static void an_empty_one_has_no_field(void **state)
{
	struct http_form f CLEANUP_HTTP_FORM = { .count = 1 };
	struct err e;

	assert_int_equal(http_form_parse(NULL, 0, NULL, &f, &e), 0);
	assert_int_equal(f.count, 0);
}

static void lines_are_where_they_may_be(void **state)
{
	static const char *const bad[] = {
		"a=1%0A2",        "a=1%0D%0A2", "text=1%0D2",    "text=%0D",       "text=%0D%0D%0A",
		"text=a%0A%1B",   "text=%09",   "text=%00",      "%0Atext=1",      "text%0A=1",
		"text=%0A%ff%0A", "a=%0D",      "texts=%0D%0A1", "text=%0A%C2%85",
	};
	struct http_form f;

	assert_int_equal(parse("text=%0Aa%0D%0A%0Ab%0D%0A&more=%0A&a=1", &f), 0);
	assert_string_equal(http_form_value(&f, "text"), "\na\n\nb\n");
	assert_string_equal(http_form_value(&f, "more"), "\n");
	http_form_done(&f);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (parse(bad[i], &f) != -ERR_INVALID)
			fail_msg("'%s'", bad[i]);
}

static void what_is_no_form_is_refused(void **state)
{
	static const char *const bad[] = {
		"&",         "a=1&",        "&a=1",  "a=1&&b=2", "=1",     "a=1&a=2",
		"a=1&%61=2", "a=%",         "a=%4",  "a=%4g",    "a=#",    "a=%ff",
		"a b=1",     "a=%ed%a0%80", "a=[1]", "a=\"",     "a=\x80", "a=1=2",
	};
	struct http_form f;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (parse(bad[i], &f) != -ERR_INVALID)
			fail_msg("'%s'", bad[i]);
	assert_refused(http_form_parse((const uint8_t *)"a=1\0b", 5, NULL, &f, &e), e, ERR_INVALID,
		       "zero byte");
	assert_null(f.text);
}

/* Every piece has its room: an answer is written where its text was, and no further. */
static void limits_hold(void **state)
{
	CLEANUP(free) char *text = malloc(HTTP_FORM_MAX + 2);
	struct http_form f;

	assert_non_null(text);
	memset(text, 'a', HTTP_FORM_MAX + 1);
	text[HTTP_FORM_MAX + 1] = 0;
	assert_int_equal(parse(text, &f), -ERR_OUT_OF_RANGE);
	text[HTTP_FORM_MAX] = 0;
	assert_int_equal(parse(text, &f), 0);
	http_form_done(&f);
	for (int count = HTTP_FORM_PAIRS_MAX; count <= HTTP_FORM_PAIRS_MAX + 1; count++) {
		int failed;

		*text = 0;
		for (int i = 0; i < count; i++)
			sprintf(text + strlen(text), "%sn%d", i ? "&" : "", i);
		failed = parse(text, &f);
		assert_int_equal(failed, count > HTTP_FORM_PAIRS_MAX ? -ERR_OUT_OF_RANGE : 0);
		if (!failed)
			assert_int_equal(f.count, count);
		http_form_done(&f);
	}
}

static void every_truncation_is_a_form_or_none(void **state)
{
	static const char whole[] = "a=1&text=%0D%0Ab+c&%C3%A4=%E2%82%AC&flag";
	struct err e;

	for (size_t len = 0; len < sizeof(whole); len++) {
		CLEANUP(free) uint8_t *part = malloc(len + 1);
		struct http_form f;

		assert_non_null(part);
		memcpy(part, whole, len);
		if (http_form_parse(part, len, lines, &f, &e) == 0)
			http_form_done(&f);
		else
			assert_null(f.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fields_are_taken_apart),
		cmocka_unit_test(an_empty_one_has_no_field),
		cmocka_unit_test(lines_are_where_they_may_be),
		cmocka_unit_test(what_is_no_form_is_refused),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(every_truncation_is_a_form_or_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
