/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/json_out.h"
#include "tests/unit.h"

static void assert_is(struct json_out *out, const char *want)
{
	CLEANUP(free) char *text = (char *)writer_take(&out->w, &(size_t){ 0 });

	assert_non_null(text);
	assert_string_equal(text, want);
	json_out_done(out);
}

static void members_are_separated(void **state)
{
	struct json_out out;

	json_out_init(&out);
	json_out_object(&out, NULL);
	json_out_text(&out, "a", "x\"y");
	json_out_number(&out, "b", UINT64_MAX);
	json_out_list(&out, "c");
	json_out_end(&out);
	json_out_list(&out, "d");
	json_out_bool(&out, NULL, true);
	json_out_object(&out, NULL);
	json_out_hex(&out, "e", "\x01\xff", 2);
	json_out_end(&out);
	json_out_end(&out);
	json_out_end(&out);
	assert_is(&out, "{\"a\":\"x\\\"y\",\"b\":18446744073709551615,\"c\":[],"
			"\"d\":[true,{\"e\":\"01ff\"}]}");
}

static void what_is_no_utf8_stays_out(void **state)
{
	struct json_out out;

	json_out_init(&out);
	json_out_list(&out, NULL);
	json_out_text(&out, NULL, "\xff");
	json_out_end(&out);
	assert_is(&out, "[\"(not UTF-8)\"]");
}

static void a_reader_is_not_fooled(void **state)
{
	struct json_out out;

	json_out_init(&out);
	json_out_list(&out, NULL);
	json_out_text(&out, NULL, "\xC2\x9B\xE2\x80\xAE\xE2\x80\x8Bx");
	json_out_end(&out);
	assert_is(&out, "[\"\\u009b\\u202e\\u200bx\"]");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(members_are_separated),
		cmocka_unit_test(what_is_no_utf8_stays_out),
		cmocka_unit_test(a_reader_is_not_fooled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
