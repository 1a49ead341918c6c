/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/web/web_input.h"
#include "computations/web/web_page.h"
#include "computations/web/web_words.h"
#include "tests/unit.h"

#include <string.h>

static void each_place_has_its_own_escapes(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1000);

	page_put(&w, "<a href=\"/c/%u\" title=\"%a\">%t</a>%s%d", "a/b\"", "a\nb\"", "<a\nb>",
		 "<i>", (int64_t)-7);
	writer_u8(&w, 0);
	assert_string_equal(
		(const char *)w.bytes,
		"<a href=\"/c/a%2Fb%22\" title=\"a&#10;b&quot;\">&lt;a\nb&gt;</a><i>-7");
}

static void markup_that_is_wrong_makes_no_page(void **state)
{
	struct writer w = writer_up_to(1000);

	page_put(&w, "100%!");
	assert_true(w.bad);
	writer_done(&w);
}

static void a_command_is_one_word_for_a_shell(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1000);

	page_command(&w, "run", "run", "a'; rm -rf ~ #", "");
	writer_u8(&w, 0);
	assert_non_null(
		strstr((const char *)w.bytes, "run 'a&#39;\\&#39;&#39;; rm -rf ~ #'</code>"));
}

static void ids_that_no_path_can_have_are_not_linked(void **state)
{
	assert_true(page_can_link("a"));
	assert_true(page_can_link("..."));
	assert_false(page_can_link("."));
	assert_false(page_can_link(".."));
	assert_false(page_can_link("a\\b"));
}

static void states_have_words_in_addresses(void **state)
{
	struct err e;
	int found = 9;

	for (int i = 0; i < COMPUTATION_STATES; i++) {
		const char *word = web_state_word((enum computation_state)i);

		assert_ok(web_state_of(word, &found, &e), e);
		assert_int_equal(found, i);
		assert_non_null(web_state_class((enum computation_state)i));
		assert_non_null(web_state_icon((enum computation_state)i));
		assert_non_null(web_state_waits((enum computation_state)i));
	}
	assert_ok(web_state_of("", &found, &e), e);
	assert_int_equal(found, -1);
	assert_int_equal(web_state_of("Running", &found, &e), -ERR_INVALID);
}

static void numbers_in_addresses_are_whole_ones(void **state)
{
	static const char *const none[] = { "-1",
					    "+1",
					    " 1",
					    "1 ",
					    "0x1",
					    "1.0",
					    "\xd9\xa1",
					    "9223372036854775808",
					    "99999999999999999999" };

	assert_true(web_input_number(NULL) == 0 && web_input_number("") == 0);
	assert_true(web_input_number("0") == 0 && web_input_number("0042") == 42);
	assert_true(web_input_number("9223372036854775807") == INT64_MAX);
	assert_true(web_input_number("9223372036854775806") == INT64_MAX - 1);
	for (size_t i = 0; i < ARRAY_LEN(none); i++)
		assert_true(web_input_number(none[i]) == -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_place_has_its_own_escapes),
		cmocka_unit_test(markup_that_is_wrong_makes_no_page),
		cmocka_unit_test(a_command_is_one_word_for_a_shell),
		cmocka_unit_test(ids_that_no_path_can_have_are_not_linked),
		cmocka_unit_test(states_have_words_in_addresses),
		cmocka_unit_test(numbers_in_addresses_are_whole_ones),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
