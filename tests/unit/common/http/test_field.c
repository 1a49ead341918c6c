/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/field.h"
#include "tests/unit.h"

#define ETAG "\"abc\""

static int matches(const char *value, bool *is)
{
	struct err e;

	return http_field_matches(value, ETAG, is, &e);
}

static void an_etag_is_found_in_a_list(void **state)
{
	static const char *const yes[] = {
		ETAG, "*", " * ", "W/" ETAG, "\"x\", " ETAG, "\"x\"," ETAG "\t", "\"\"," ETAG
	};
	static const char *const no[] = { "\"x\"", "\"\"", "\"ABC\"", "\"ab\",\"c\"" };
	bool is;

	for (size_t i = 0; i < ARRAY_LEN(yes); i++) {
		is = false;
		assert_int_equal(matches(yes[i], &is), 0);
		if (!is)
			fail_msg("%s", yes[i]);
	}
	for (size_t i = 0; i < ARRAY_LEN(no); i++) {
		is = true;
		if (matches(no[i], &is) == 0 && is)
			fail_msg("%s", no[i]);
	}
}

static void what_is_no_list_of_etags_is_refused(void **state)
{
	static const char *const bad[] = {
		"",        "abc", "\"abc",       "abc\"",     "\"a b\"",
		"* x",     "*,*", "\"a\"\"b\"",  "\"a\",",    ",\"a\"",
		"w/\"a\"", "W/",  "\"a\" \"b\"", "\"a\x01\"", "\"a\x7f\""
	};
	bool is;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (matches(bad[i], &is) != -ERR_INVALID)
			fail_msg("'%s'", bad[i]);
}

static const char *const types[] = { "text/plain; version=0.0.4",
				     "application/openmetrics-text; version=1.0.0" };

static int choose(const char *value, size_t *chosen)
{
	struct err e;

	return http_field_accept(value, types, ARRAY_LEN(types), chosen, &e);
}

static void the_type_that_is_liked_most_is_chosen(void **state)
{
	static const struct {
		const char *value;
		size_t chosen;
	} rows[] = {
		{ "*/*", 0 },
		{ "text/*", 0 },
		{ "TEXT/Plain", 0 },
		{ "application/openmetrics-text", 1 },
		{ "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  1 },
		{ "application/openmetrics-text;version=0.0.1,text/plain;version=0.0.4;q=0.5,*/*;q=0.1",
		  0 },
		{ "application/openmetrics-text; version=\"1.0.0\"; charset=utf-8;q=0.8, text/plain;q=0.7",
		  1 },
		{ "text/plain;q=0, */*", 1 },
		{ "text/plain;q=0.001, application/*;q=0.000", 0 },
		{ "*/*;q=0.5, text/plain;q=0.4", 1 },
		{ "text/plain;q=1.000", 0 },
		{ "text/plain;q=0.3, text/plain;q=0.9, application/*;q=0.5", 0 },
	};
	size_t chosen;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		chosen = 9;
		assert_int_equal(choose(rows[i].value, &chosen), 0);
		if (chosen != rows[i].chosen)
			fail_msg("%s: %zu", rows[i].value, chosen);
	}
}

static void what_nobody_has_is_not_found(void **state)
{
	static const char *const none[] = { "text/html",      "*/*;q=0", "text/plain;version=1",
					    "text/plain;a=b", "*/*;a=b", "text/*;a=b" };
	size_t chosen;

	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		if (choose(none[i], &chosen) != -ERR_NOT_FOUND)
			fail_msg("'%s'", none[i]);
}

static void what_is_no_list_of_types_is_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"text",
		"text/",
		"/plain",
		"text/plain;",
		"text/plain;q",
		"text/plain;q=",
		"text/plain;q=2",
		"text/plain;q=1.1",
		"text/plain;q=0.1234",
		"text/plain;q=.5",
		"text/plain;q=x",
		"text/plain;q=0x1",
		"text/plain;q=0.x",
		"text/plain,",
		",text/plain",
		"text/plain */*",
		"text/plain;a=\"b",
		"text/plain;a=\"\\b\"",
		"text/plain;=b",
		"text/plain;a=b c",
		"text /plain",
		"text/plain;q=-1",
	};
	size_t chosen;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (choose(bad[i], &chosen) != -ERR_INVALID)
			fail_msg("'%s'", bad[i]);
}

/* `first`, and so many times `more`. */
static char *repeated(const char *first, const char *more, unsigned times)
{
	char *text = malloc(strlen(first) + times * strlen(more) + 1), *to = text;

	assert_non_null(text);
	to = stpcpy(to, first);
	for (unsigned i = 0; i < times; i++)
		to = stpcpy(to, more);
	return text;
}

static int choose_repeated(const char *first, const char *more, unsigned times)
{
	CLEANUP(free) char *text = repeated(first, more, times);
	size_t chosen;

	return choose(text, &chosen);
}

static int match_repeated(const char *first, const char *more, unsigned times)
{
	CLEANUP(free) char *text = repeated(first, more, times);
	bool is;

	return matches(text, &is);
}

static void counts_and_lengths_have_limits(void **state)
{
	assert_int_equal(choose_repeated("a/b", ",*/*", HTTP_MEMBERS_MAX - 1), 0);
	assert_int_equal(choose_repeated("a/b", ",*/*", HTTP_MEMBERS_MAX), -ERR_INVALID);
	assert_int_equal(match_repeated("\"a\"", ",\"a\"", HTTP_MEMBERS_MAX - 1), 0);
	assert_int_equal(match_repeated("\"a\"", ",\"a\"", HTTP_MEMBERS_MAX), -ERR_INVALID);
	assert_int_equal(choose_repeated("text/plain", ";charset=u", HTTP_PARAMETERS_MAX), 0);
	assert_int_equal(choose_repeated("text/plain", ";charset=u", HTTP_PARAMETERS_MAX + 1),
			 -ERR_INVALID);
	assert_int_equal(choose_repeated("*/*", " ", HTTP_FIELD_MAX - 3), 0);
	assert_int_equal(choose_repeated("*/*", " ", HTTP_FIELD_MAX - 2), -ERR_INVALID);
	assert_int_equal(match_repeated("*", " ", HTTP_FIELD_MAX - 1), 0);
	assert_int_equal(match_repeated("*", " ", HTTP_FIELD_MAX), -ERR_INVALID);
}

static void a_content_type_is_compared(void **state)
{
	static const struct {
		const char *value;
		int result; /* 1: yes, 0: no */
	} rows[] = {
		{ "application/json", 1 },
		{ "Application/JSON; charset=utf-8", 1 },
		{ "application/jsonx", 0 },
		{ "text/json", 0 },
		{ "application/json, text/plain", -ERR_INVALID },
		{ "application/json;", -ERR_INVALID },
		{ "", -ERR_INVALID },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool is = false;
		struct err e;
		int r = http_field_is_type(rows[i].value, "application/json", &is, &e);

		if ((r < 0 ? r : is) != rows[i].result)
			fail_msg("'%s'", rows[i].value);
	}
}

static void a_cookie_is_found_once(void **state)
{
	static const struct {
		const char *field, *value; /* NULL: `result` */
		int result;
	} rows[] = {
		{ "s=abcdefg", "abcdefg", 0 },
		{ "a=b; s=1;c=d", "1", 0 },
		{ "s=", "", 0 },
		{ "s==;", "=", 0 },
		{ "ss=1; as=2; s", NULL, -ERR_NOT_FOUND },
		{ "", NULL, -ERR_NOT_FOUND },
		{ "S=1", NULL, -ERR_NOT_FOUND },
		{ "s=1; s=1", NULL, -ERR_INVALID },
		{ "s=abcdefgh", NULL, -ERR_INVALID }, /* no room for its end */
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char value[8] = "";
		struct err e;
		int r = http_field_cookie(rows[i].field, "s", value, sizeof(value), &e);

		assert_int_equal(r, rows[i].result);
		if (rows[i].value)
			assert_string_equal(value, rows[i].value);
	}
}

static void cookies_have_limits(void **state)
{
	CLEANUP(free) char *most = repeated("s=1", ";a", HTTP_MEMBERS_MAX - 1);
	CLEANUP(free) char *more = repeated("s=1", ";a", HTTP_MEMBERS_MAX);
	CLEANUP(free) char *wide = repeated("s=1;", "a", HTTP_FIELD_MAX - 4);
	CLEANUP(free) char *wider = repeated("s=1;", "a", HTTP_FIELD_MAX - 3);
	char value[8];
	struct err e;

	assert_int_equal(http_field_cookie(most, "s", value, sizeof(value), &e), 0);
	assert_int_equal(http_field_cookie(more, "s", value, sizeof(value), &e), -ERR_INVALID);
	assert_int_equal(http_field_cookie(wide, "s", value, sizeof(value), &e), 0);
	assert_int_equal(http_field_cookie(wider, "s", value, sizeof(value), &e), -ERR_INVALID);
}

static void the_number_of_an_event_is_read(void **state)
{
	static const char *const bad[] = { "",
					   "-1",
					   "+1",
					   " 1",
					   "1 ",
					   "1.0",
					   "0x1",
					   "a",
					   "9223372036854775808",
					   "99999999999999999999" };
	int64_t number = 7;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(http_field_event_id(bad[i], &number, &e), -ERR_INVALID);
	assert_int_equal(number, 7);
	assert_int_equal(http_field_event_id("0", &number, &e), 0);
	assert_int_equal(number, 0);
	assert_int_equal(http_field_event_id("9223372036854775807", &number, &e), 0);
	assert_true(number == INT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_etag_is_found_in_a_list),
		cmocka_unit_test(what_is_no_list_of_etags_is_refused),
		cmocka_unit_test(the_type_that_is_liked_most_is_chosen),
		cmocka_unit_test(what_nobody_has_is_not_found),
		cmocka_unit_test(what_is_no_list_of_types_is_refused),
		cmocka_unit_test(counts_and_lengths_have_limits),
		cmocka_unit_test(a_content_type_is_compared),
		cmocka_unit_test(a_cookie_is_found_once),
		cmocka_unit_test(cookies_have_limits),
		cmocka_unit_test(the_number_of_an_event_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
