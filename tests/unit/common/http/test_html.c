/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/html.h"
#include "tests/unit.h"

#include <string.h>

static void check(void (*put)(struct writer *w, const char *text), const char *text,
		  const char *wanted)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1000);

	put(&w, text);
	writer_u8(&w, 0);
	assert_false(w.bad);
	assert_string_equal((const char *)w.bytes, wanted);
}

static void a_text_opens_no_tag(void **state)
{
	check(html_text, "", "");
	check(html_text, "a <b>&amp;</b>\n\t\"'`",
	      "a &lt;b&gt;&amp;amp;&lt;/b&gt;\n\t&quot;&#39;&#96;");
	check(html_text, "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x8E\x89",
	      "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x8E\x89");
}

static void an_attribute_stays_within_its_quotes(void **state)
{
	check(html_attribute, "\"><script>", "&quot;&gt;&lt;script&gt;");
	check(html_attribute, "a'b`c\nd\te", "a&#39;b&#96;c&#10;d&#9;e");
}

static void what_fools_the_eye_is_shown(void **state)
{
	check(html_text,
	      "a\xE2\x80\xAE"
	      "b\xE2\x80\x8B"
	      "c\rd\x1B"
	      "e\x7F",
	      "a\\u202eb\\u200bc\\u000dd\\u001be\\u007f");
	check(html_attribute, "\xEF\xBB\xBF", "\\ufeff");
}

static void bytes_that_are_no_text_are_replaced(void **state)
{
	check(html_text, "\xFF<\xC3", "\xEF\xBF\xBD&lt;\xEF\xBF\xBD");
	check(html_text, "\xC0\xBC", "\xEF\xBF\xBD\xEF\xBF\xBD"); /* an overlong '<' */
	check(html_attribute, "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
}

static void a_url_keeps_to_its_segment(void **state)
{
	check(html_url, "aZ09-._~", "aZ09-._~");
	check(html_url, "a/b?c#d&e=f\"<>", "a%2Fb%3Fc%23d%26e%3Df%22%3C%3E");
	check(html_url, "\xC3\xA4 %", "%C3%A4%20%25");
	check(html_url, "...", "...");
}

static void dot_segments_can_not_be_written(void **state)
{
	struct writer one = writer_up_to(10), two = writer_up_to(10);

	html_url(&one, ".");
	html_url(&two, "..");
	assert_true(one.bad && two.bad);
	check(html_query, "..", "..");
	check(html_query, "a&b=.", "a%26b%3D.");
	writer_done(&one);
	writer_done(&two);
}

static void the_writers_maximum_bounds_a_page(void **state)
{
	struct writer exact = writer_up_to(8), over = writer_up_to(7);

	html_text(&exact, "<>");
	html_text(&over, "<>");
	assert_false(exact.bad);
	assert_true(over.bad);
	writer_done(&exact);
	writer_done(&over);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_text_opens_no_tag),
		cmocka_unit_test(an_attribute_stays_within_its_quotes),
		cmocka_unit_test(what_fools_the_eye_is_shown),
		cmocka_unit_test(bytes_that_are_no_text_are_replaced),
		cmocka_unit_test(a_url_keeps_to_its_segment),
		cmocka_unit_test(dot_segments_can_not_be_written),
		cmocka_unit_test(the_writers_maximum_bounds_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
