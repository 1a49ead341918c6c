/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text.h — what peers send, made fit for a terminal: control characters could move the cursor,
 * change the title or hide other text.
 */
#pragma once

enum { TEXT_PLAIN_MAX = 1024 };

struct text_plain {
	char text[TEXT_PLAIN_MAX];
};

/* `text` with every control character and everything that is not UTF-8 as '?', cut with "…" when
 * long. Usable within one expression. */
struct text_plain text_plain(const char *text);

/* The same for a whole line of any length, in place. */
void text_make_plain(char *text);
