/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h — what peers send, made fit for a terminal: control characters could move the cursor,
 * change the title or hide other text.
 */
#pragma once

#include <stddef.h>
#include <stdio.h>

enum {
	TEXT_PLAIN_MAX = 1024,
	TEXT_ROW = 60, /* bytes of a quoted text in one line: no terminal is to break it */
	TEXT_INDENT = 12
}; /* of the lines that follow */

struct text_plain {
	char text[TEXT_PLAIN_MAX];
};

/* `text` with every character that does not stand for itself (utf8.h) and everything that is not UTF-8 as '?', cut with "…" when
 * long. Usable within one expression. */
struct text_plain text_plain(const char *text);

/* The same for a whole line of any length, in place. */
void text_make_plain(char *text);

/* As many columns as it takes in a terminal, near enough: one for each character. */
size_t text_columns(const char *text);

/* All of it, in single quotes (double ones, where it has apostrophes and none of those), so that nothing of it
 * passes for ours: its quotes, backslashes, what is not UTF-8, and every character that does not stand for
 * itself or is not seen (utf8.h) as \xNN, and what it has so already, as it is (log_escape.h). A long one goes on in further lines, each in quotes and indented, from the
 * next word on where there is one: where a terminal breaks a line is not the text's to say. */
void text_print_quoted(FILE *out, const char *text);
