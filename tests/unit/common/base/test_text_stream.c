/* SPDX-License-Identifier: Apache-2.0 */
/* What a machine writes, cut anywhere, obeys no terminal. */
#include "common/base/text_stream.h"
#include "tests/unit.h"

static const struct {
	const char *bytes, *printed;
} rows[] = {
	{ "", "" },
	{ "Linux version 6.1\r\n[    0.000000] ok\tyes\n",
	  "Linux version 6.1\n[    0.000000] ok\tyes\n" },
	{ "größer 日本 𝄞", "größer 日本 𝄞" },
	{ "a\rb", "ab" },
	{ "\x1b[2J\x1b]0;title\x07", "?[2J?]0;title?" },
	{ "\x7f\x08", "??" },
	{ "\xc2\x9b", "??" },
	{ "\xe2\x80\xae"
	  "x",
	  "???x" },
	{ "\xe2\x82"
	  "A",
	  "??A" },
	{ "\xff\xfe\xc0\x80\xed\xa0\x80", "???????" },
	{ "\xe2\x82", "??" },
	{ "\xf0\x9d\x84", "???" },
	{ "\xf4\x90\x80\x80", "????" },
};

/* Each in two pieces, cut at every byte; and byte by byte. */
static char *print(const char *bytes, size_t len, size_t cut)
{
	struct text_stream stream = { .count = 0 };
	char *made = NULL;
	size_t made_len;
	FILE *out = open_memstream(&made, &made_len);

	assert_non_null(out);
	if (cut > len) {
		for (size_t i = 0; i < len; i++)
			text_stream_print(&stream, out, bytes + i, 1);
	} else {
		text_stream_print(&stream, out, bytes, cut);
		text_stream_print(&stream, out, bytes + cut, len - cut);
	}
	text_stream_end(&stream, out);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(made_len, strlen(made));
	return made;
}

static void wherever_it_is_cut_it_is_the_same(void **state)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].bytes);

		for (size_t cut = 0; cut <= len + 1; cut++) {
			char *made = print(rows[i].bytes, len, cut);

			assert_string_equal(made, rows[i].printed);
			free(made);
		}
	}
}

static void a_zero_is_no_end(void **state)
{
	char *made = print("a\0b", 3, 1);

	assert_string_equal(made, "a?b");
	free(made);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wherever_it_is_cut_it_is_the_same),
		cmocka_unit_test(a_zero_is_no_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
