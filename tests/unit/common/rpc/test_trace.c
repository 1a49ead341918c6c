/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/trace.h"
#include "tests/unit.h"

#define GOOD "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

static void a_good_one_is_taken_apart(void **state)
{
	struct trace trace;

	assert_true(trace_parse(GOOD, &trace));
	assert_string_equal(trace.id, "0af7651916cd43dd8448eb211c80319c");
	assert_string_equal(trace.span, "b7ad6b7169203331");
}

static void every_truncation_is_none(void **state)
{
	for (size_t len = 0; len < TRACE_PARENT_LEN; len++) {
		char text[TRACE_PARENT_LEN + 1] = GOOD;
		struct trace trace;

		text[len] = '\0';
		assert_false(trace_parse(text, &trace));
		assert_string_equal(trace.id, "");
	}
}

/* What a byte may become without harm is another digit, or another version. */
static void every_byte_has_its_form(void **state)
{
	for (size_t at = 0; at < TRACE_PARENT_LEN; at++) {
		for (int c = 1; c < 256; c++) {
			char text[TRACE_PARENT_LEN + 1] = GOOD;
			bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
			struct trace trace;

			text[at] = (char)c;
			assert_int_equal(trace_parse(text, &trace),
					 GOOD[at] == '-' ? c == '-' : digit);
		}
	}
}

static void versions_and_lengths(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", false },
		{ "fe-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", true },
		{ "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what", true },
		{ "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01.what", false },
		{ GOOD "-", false },
		{ GOOD "0", false },
		{ "00-00000000000000000000000000000000-b7ad6b7169203331-01", false },
		{ "00-00000000000000000000000000000001-b7ad6b7169203331-01", true },
		{ "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01", false },
		{ "00-0AF7651916CD43DD8448EB211C80319C-B7AD6B7169203331-01", false },
		{ " " GOOD, false },
		{ "", false },
	};
	struct trace trace;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (trace_parse(rows[i].text, &trace) != rows[i].good)
			fail_msg("%s", rows[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_one_is_taken_apart),
		cmocka_unit_test(every_truncation_is_none),
		cmocka_unit_test(every_byte_has_its_form),
		cmocka_unit_test(versions_and_lengths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
