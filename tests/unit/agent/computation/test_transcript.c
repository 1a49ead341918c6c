/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/transcript.h"
#include "common/base/utf8.h"
#include "tests/unit.h"

#include <stdio.h>

static void add(struct transcript *t, const char *line)
{
	transcript_add(t, line, strlen(line));
}

static char *text_of(const struct transcript *t, size_t *len)
{
	char *text = NULL;
	struct err e;

	assert_ok(transcript_text(t, &text, len, &e), e);
	assert_int_equal(strlen(text), *len);
	return text;
}

static void lines_come_back_as_they_were(void **state)
{
	struct transcript t = { 0 };
	char last[TRANSCRIPT_LAST_MAX + 1];
	size_t len;
	char *text = text_of(&t, &len);

	assert_string_equal(text, "");
	free(text);
	transcript_last(&t, last);
	assert_string_equal(last, "");
	add(&t, "one");
	add(&t, "");
	add(&t, "three");
	text = text_of(&t, &len);
	assert_string_equal(text, "one\n\nthree\n");
	free(text);
	transcript_last(&t, last);
	assert_string_equal(last, "one\n\nthree\n");
	transcript_done(&t);
	assert_null(t.head);
}

/* Lines of a size that fills the head to the byte, and one byte that does not fit any more. */
static void the_head_is_filled_to_its_limit(void **state)
{
	static char line[TRANSCRIPT_HEAD_MAX];
	struct transcript t = { 0 };
	size_t len;
	char *text;

	memset(line, 'h', sizeof(line));
	transcript_add(&t, line, sizeof(line) - 1);
	assert_int_equal(t.head_len, TRANSCRIPT_HEAD_MAX);
	assert_int_equal(t.tail_written, 0);
	add(&t, "");
	assert_int_equal(t.tail_written, 1);
	add(&t, "end");
	text = text_of(&t, &len);
	assert_int_equal(len, TRANSCRIPT_HEAD_MAX + 1 + 4);
	assert_string_equal(text + TRANSCRIPT_HEAD_MAX - 1, "\n\nend\n");
	free(text);
	transcript_done(&t);
}

/* Numbered lines far beyond what is kept: first and last are there, whole, and how much is not. */
static void what_is_between_is_left_out_and_told(void **state)
{
	enum { LINES = 200000 };
	struct transcript t = { 0 };
	char line[64], last[TRANSCRIPT_LAST_MAX + 1];
	unsigned first = 0, from = 0, to = 0;
	unsigned long long bytes = 0;
	size_t len, counted = 0;
	char *text, *note, *end;

	for (unsigned i = 0; i < LINES; i++) {
		snprintf(line, sizeof(line), "line %u of it", i);
		counted += strlen(line) + 1;
		add(&t, line);
	}
	text = text_of(&t, &len);
	assert_int_equal(sscanf(text, "line %u of it\n", &first), 1);
	assert_int_equal(first, 0);
	note = strstr(text, "\n[");
	assert_non_null(note);
	assert_int_equal(sscanf(note, "\n[%llu bytes and 0 lines are left out here]\n", &bytes), 1);
	end = strchr(note + 1, '\n');
	assert_int_equal(sscanf(end, "\nline %u of it\n", &from), 1);
	assert_true(from > 0 && from < LINES);
	assert_true(len <= TRANSCRIPT_HEAD_MAX + TRANSCRIPT_TAIL_MAX + 128);
	assert_int_equal(counted, len - (size_t)(end - note) + bytes);
	snprintf(line, sizeof(line), "line %u of it\n", LINES - 1);
	assert_string_equal(text + len - strlen(line), line);
	free(text);
	transcript_last(&t, last);
	assert_int_equal(sscanf(last, "line %u of it\n", &to), 1);
	assert_int_equal(to, LINES - TRANSCRIPT_LAST_LINES);
	transcript_done(&t);
}

static void the_last_lines_are_whole_and_few(void **state)
{
	char last[TRANSCRIPT_LAST_MAX + 1], line[TRANSCRIPT_LAST_MAX / 2];
	struct transcript t = { 0 };

	memset(line, 'l', sizeof(line));
	for (size_t i = 0; i < 4; i++)
		transcript_add(&t, line, sizeof(line) - 1);
	transcript_last(&t, last);
	assert_int_equal(strlen(last), TRANSCRIPT_LAST_MAX); /* two of them, to the byte */
	add(&t, "");
	transcript_last(&t, last);
	assert_int_equal(strlen(last), TRANSCRIPT_LAST_MAX / 2 + 1);
	transcript_done(&t);
}

/* A single long line of two-byte characters: its end, and no half of one. */
static void a_long_line_is_cut_between_characters(void **state)
{
	for (size_t more = 0; more < 2; more++) {
		char last[TRANSCRIPT_LAST_MAX + 1], line[4001];
		struct transcript t = { 0 };

		for (size_t i = 0; i < 4000; i += 2)
			memcpy(line + i, "\xC3\xBC", 2);
		line[4000] = 'x';
		transcript_add(&t, line, 4000 + more);
		transcript_last(&t, last);
		assert_true(strlen(last) >= TRANSCRIPT_LAST_MAX - 1);
		assert_true(utf8_valid(last, strlen(last)));
		transcript_done(&t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_come_back_as_they_were),
		cmocka_unit_test(the_head_is_filled_to_its_limit),
		cmocka_unit_test(what_is_between_is_left_out_and_told),
		cmocka_unit_test(the_last_lines_are_whole_and_few),
		cmocka_unit_test(a_long_line_is_cut_between_characters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
