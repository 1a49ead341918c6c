/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/json_edit.h"
#include "common/base/writer.h"
#include "tests/unit.h"

DEFINE_CLEANUP(struct json *, json_free)

static void is_written(const char *text, const struct json_edit *edits, size_t count,
		       const char *wanted)
{
	CLEANUP(json_free) struct json *root = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(65536);
	size_t len;
	struct err e;

	assert_ok(json_parse(text, strlen(text), &root, &e), e);
	assert_ok(json_edit_write(root, edits, count, &w, &e), e);
	CLEANUP(free) char *out = (char *)writer_take(&w, &len);
	assert_string_equal(out, wanted);
}

static void nothing_is_lost(void **state)
{
	is_written(
		"{\"a\":18446744073709551615,\"b\":[true,null,{}],\"c\":\"\\u003c\"}", NULL, 0,
		"{\n  \"a\": 18446744073709551615,\n  \"b\": [\n    true,\n    null,\n    {}\n  ],\n"
		"  \"c\": \"\\u003c\"\n}\n");
}

static void members_are_replaced_and_added(void **state)
{
	static const struct json_edit edits[] = { { "a/b", "1" },
						  { "a/c", "[2]" },
						  { "d/e/f", "3" } };

	is_written("{\"a\":{\"b\":0}}", edits, 3,
		   "{\n  \"a\": {\n    \"b\": 1,\n    \"c\": [2]\n  },\n  \"d\": {\n    \"e\": {\n"
		   "      \"f\": 3\n    }\n  }\n}\n");
}

static void two_paths_through_a_new_object_make_one(void **state)
{
	static const struct json_edit edits[] = { { "p/x/1", "1" }, { "p/y/1", "2" } };

	is_written(
		"{}", edits, 2,
		"{\n  \"p\": {\n    \"x\": {\n      \"1\": 1\n    },\n    \"y\": {\n      \"1\": 2\n    }\n"
		"  }\n}\n");
}

static void a_path_through_a_number_is_refused(void **state)
{
	static const struct json_edit edit = { "a/b", "1" };
	CLEANUP(json_free) struct json *root = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(65536);
	struct err e;

	assert_ok(json_parse("{\"a\":1}", 7, &root, &e), e);
	assert_refused(json_edit_write(root, &edit, 1, &w, &e), e, ERR_INVALID, "a number");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_lost),
		cmocka_unit_test(members_are_replaced_and_added),
		cmocka_unit_test(two_paths_through_a_new_object_make_one),
		cmocka_unit_test(a_path_through_a_number_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
