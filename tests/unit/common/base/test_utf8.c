/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/utf8.h"
#include "tests/unit.h"

static void utf8_has_one_form(void **state)
{
	/* clang-format off */
	static const char *const good[] = {
		"",
		"a",
		"\xC2\x80",
		"\xE0\xA0\x80",
		"\xED\x9F\xBF",
		"\xEE\x80\x80",
		"\xF0\x90\x80\x80",
		"\xF4\x8F\xBF\xBF",
	};
	static const char *const bad[] = {
		"\x80",             /* no first byte */
		"\xC0\x80",         /* overlong */
		"\xC1\xBF",
		"\xC2",             /* cut short */
		"\xE0\x9F\xBF",     /* overlong */
		"\xED\xA0\x80",     /* a surrogate */
		"\xF0\x8F\xBF\xBF", /* overlong */
		"\xF4\x90\x80\x80", /* past U+10FFFF */
		"\xF5\x80\x80\x80",
		"\xFF",
		"\xE2\x82",         /* cut short */
		"\xC2\xC2",
	};
	/* clang-format on */

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_true(utf8_valid(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(utf8_valid(bad[i], strlen(bad[i])));
}

static void utf8_is_looked_at_everywhere(void **state)
{
	enum { LEN = 40 };
	char text[LEN];

	for (size_t len = 0; len <= LEN; len++) {
		memset(text, 'a', LEN);
		assert_true(utf8_valid(text, len));
		for (size_t at = 0; at < len; at++) {
			text[at] = '\xC2';
			assert_false(utf8_valid(text, len));
			if (at + 1 < len) {
				text[at + 1] = '\x80';
				assert_true(utf8_valid(text, len));
				text[at + 1] = 'a';
			}
			text[at] = 'a';
		}
	}
}

/* Each range at its ends, and what is next to them. */
static void what_fools_a_reader_is_known(void **state)
{
	/* clang-format off */
	static const char *const bad[] = {
		"\x01", "\x1F", "\x7F",
		"\xC2\x80", "\xC2\x9F",         /* C1 */
		"\xD8\x9C",                     /* Arabic letter mark */
		"\xE2\x80\x8E", "\xE2\x80\x8F", /* marks of direction */
		"\xE2\x80\xA8", "\xE2\x80\xA9", /* separators of lines and paragraphs */
		"\xE2\x80\xAA", "\xE2\x80\xAE", /* embeddings and overrides */
		"\xE2\x81\xA6", "\xE2\x81\xA9", /* isolates */
	};
	static const char *const good[] = {
		" ", "~", "\xC2\xA0", "\xD8\x9B", "\xD8\x9D", "\xE2\x80\x8D", "\xE2\x80\x90",
		"\xE2\x80\xA7", "\xE2\x80\xAF", "\xE2\x81\xA5", "\xE2\x81\xAA",
		"\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80",
	};
	static const char *const unseen[] = {
		"\xC2\xAD", "\xE1\xA0\x8E", "\xE2\x80\x8B", "\xE2\x80\x8D", "\xE2\x81\xA0", "\xE2\x81\xA4",
		"\xEF\xBB\xBF", "\xEF\xBF\xB9", "\xEF\xBF\xBB", "\xF3\xA0\x80\x80", "\xF3\xA0\x81\xBF",
	};
	static const char *const seen[] = {
		"a", "\xC2\xAC", "\xC2\xAE", "\xE1\xA0\x8F", "\xE2\x80\x8A", "\xE2\x81\x9F", "\xEF\xBB\xBE",
		"\xEF\xBF\xBC", "\xF3\xA0\x82\x80", "\xF0\x9F\x98\x80",
	};
	/* clang-format on */

	assert_true(utf8_is_control("", 1)); /* a zero */
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		char text[8] = "a";

		assert_int_equal(utf8_char(bad[i], strlen(bad[i])), strlen(bad[i]));
		assert_true(utf8_is_control(bad[i], strlen(bad[i])));
		assert_int_equal(utf8_shown(bad[i], strlen(bad[i])), 0);
		memcpy(text + 1, bad[i], strlen(bad[i]));
		assert_true(utf8_has_control(text, strlen(text)));
	}
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		assert_false(utf8_is_control(good[i], strlen(good[i])));
		assert_false(utf8_has_control(good[i], strlen(good[i])));
	}
	for (size_t i = 0; i < ARRAY_LEN(unseen); i++) {
		assert_int_equal(utf8_shown(unseen[i], strlen(unseen[i])), 0);
		assert_false(utf8_is_control(unseen[i], strlen(unseen[i])));
	}
	for (size_t i = 0; i < ARRAY_LEN(seen); i++)
		assert_int_equal(utf8_shown(seen[i], strlen(seen[i])), strlen(seen[i]));
	assert_int_equal(utf8_shown("\xFF", 1), 0);
	assert_int_equal(utf8_shown("", 0), 0);
	assert_true(utf8_has_control("a\xFF", 2)); /* no text at all */
	assert_false(utf8_has_control("", 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_has_one_form),
		cmocka_unit_test(utf8_is_looked_at_everywhere),
		cmocka_unit_test(what_fools_a_reader_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
