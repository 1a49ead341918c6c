/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/route.h"
#include "tests/unit.h"

static void serve(struct http_request *r, void *data)
{
}

#define ROW(method_, pattern_) { method_, pattern_, http_anybody, 0, NULL, NULL, serve }
static const struct http_route rows[] = {
	ROW(HTTP_GET, "/"),
	ROW(HTTP_GET, "/things"),
	ROW(HTTP_POST, "/things"),
	ROW(HTTP_GET, "/things/{id}"),
	ROW(HTTP_DELETE, "/things/{id}"),
	ROW(HTTP_PUT, "/things/{id}/parts/{part}"),
};
static const struct http_routes routes = { .first = rows, .count = ARRAY_LEN(rows) };

static const struct http_route *find(enum http_method method, const char *path,
				     char allow[HTTP_ALLOW_MAX], struct http_target *t)
{
	struct err e;

	assert_int_equal(http_target_parse(path, t, &e), 0);
	return http_route_find(&routes, method, t, allow);
}

static void a_route_is_found_by_method_and_path(void **state)
{
	static const struct {
		enum http_method method;
		const char *path;
		int row; /* -1: none */
		const char *allow;
	} cases[] = {
		{ HTTP_GET, "/", 0, "GET, HEAD, OPTIONS" },
		{ HTTP_HEAD, "/", 0, "GET, HEAD, OPTIONS" },
		{ HTTP_GET, "/things", 1, "GET, HEAD, POST, OPTIONS" },
		{ HTTP_POST, "/things", 2, "GET, HEAD, POST, OPTIONS" },
		{ HTTP_GET, "/things/7", 3, "GET, HEAD, DELETE, OPTIONS" },
		{ HTTP_DELETE, "/things/7", 4, "GET, HEAD, DELETE, OPTIONS" },
		{ HTTP_PUT, "/things/7/parts/a%20b", 5, "PUT, OPTIONS" },
		{ HTTP_PUT, "/things/7", -1, "GET, HEAD, DELETE, OPTIONS" },
		{ HTTP_HEAD, "/things/7/parts/a", -1, "PUT, OPTIONS" },
		{ HTTP_OPTIONS, "/", -1, "GET, HEAD, OPTIONS" },
		{ HTTP_GET, "/thing", -1, "" },
		{ HTTP_GET, "/thingss", -1, "" },
		{ HTTP_GET, "/things/7/parts", -1, "" },
		{ HTTP_GET, "/things/7/parts/a/b", -1, "" },
		{ HTTP_METHODS, "/things", -1, "GET, HEAD, POST, OPTIONS" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char allow[HTTP_ALLOW_MAX];
		struct http_target t;
		const struct http_route *r = find(cases[i].method, cases[i].path, allow, &t);

		assert_ptr_equal(r, cases[i].row < 0 ? NULL : &rows[cases[i].row]);
		assert_string_equal(allow, cases[i].allow);
	}
}

static void what_stands_in_a_path_has_names(void **state)
{
	char allow[HTTP_ALLOW_MAX];
	struct http_target t;
	const struct http_route *r = find(HTTP_PUT, "/things/7/parts/a%20b", allow, &t);

	assert_string_equal(http_route_param(r, &t, "id"), "7");
	assert_string_equal(http_route_param(r, &t, "part"), "a b");
	assert_null(http_route_param(r, &t, "i"));
	assert_null(http_route_param(r, &t, "parts"));
}

static void methods_are_words_of_their_own(void **state)
{
	assert_int_equal(http_method_of("GET"), HTTP_GET);
	assert_int_equal(http_method_of("OPTIONS"), HTTP_OPTIONS);
	assert_int_equal(http_method_of("get"), HTTP_METHODS);
	assert_int_equal(http_method_of("GETS"), HTTP_METHODS);
	assert_int_equal(http_method_of(""), HTTP_METHODS);
	assert_int_equal(http_method_of("TRACE"), HTTP_TRACE);
}

static int check(const struct http_route *first, size_t count)
{
	struct err e;

	return http_routes_check(&(struct http_routes){ .first = first, .count = count }, &e);
}

static void tables_that_cannot_be_meant_are_refused(void **state)
{
	static const char *const bad[] = {
		"",      "a",     "/a/",
		"//",    "/a//b", "/{}",
		"/a{b}", "/{b}c", "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17"
	};
	static const struct http_route twice[] = { ROW(HTTP_GET, "/a/{x}"),
						   ROW(HTTP_GET, "/{y}/b") };
	static const struct http_route apart[] = { ROW(HTTP_GET, "/a/{x}"), ROW(HTTP_GET, "/b/{x}"),
						   ROW(HTTP_GET, "/a"), ROW(HTTP_PUT, "/a/{x}") };
	const struct http_route head = ROW(HTTP_HEAD, "/a"), options = ROW(HTTP_OPTIONS, "/a"),
				trace = ROW(HTTP_TRACE, "/a"),
				sixteen = ROW(HTTP_GET, "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16");
	struct http_route open = ROW(HTTP_GET, "/a"), empty = open;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct http_route row = ROW(HTTP_GET, bad[i]);

		if (check(&row, 1) != -ERR_INVALID)
			fail_msg("%s", bad[i]);
	}
	assert_int_equal(check(twice, 2), -ERR_INVALID);
	assert_int_equal(check(apart, ARRAY_LEN(apart)), 0);
	assert_int_equal(check(rows, ARRAY_LEN(rows)), 0);
	assert_int_equal(check(&sixteen, 1), 0);
	assert_int_equal(check(&head, 1), -ERR_INVALID);
	assert_int_equal(check(&options, 1), -ERR_INVALID);
	assert_int_equal(check(&trace, 1), -ERR_INVALID);
	open.may = NULL;
	assert_int_equal(check(&open, 1), -ERR_INVALID);
	empty.serve = NULL;
	assert_int_equal(check(&empty, 1), -ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_route_is_found_by_method_and_path),
		cmocka_unit_test(what_stands_in_a_path_has_names),
		cmocka_unit_test(methods_are_words_of_their_own),
		cmocka_unit_test(tables_that_cannot_be_meant_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
