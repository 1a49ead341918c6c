/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_page.h — what all pages have, and the parts that they are made of. For this folder only.
 */
#pragma once

#include "common/base/writer.h"
#include "computations/core/admin_access.h"
#include "computations/store/state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* From the doctype to the beginning of main. `title` is of others perhaps; `here` the nav's current one, of
 * those that this caller may ask for (NULL: it is not known who asks). */
void page_begin(struct writer *w, const struct admin_caller *caller, const char *title,
		const char *here);
void page_end(struct writer *w);

/* Markup of ours, in which each %t is a text, %a an attribute's value, %u a segment of a URL's path, %q a
 * value of its query, %s markup of ours again, %d an int64_t. */
void page_put(struct writer *w, const char *markup, ...);

void page_state(struct writer *w, enum computation_state state);
/* <time>, in UTC; a dash for a moment that has not come. */
void page_time(struct writer *w, int64_t ms);
/* A digest to be read aloud: eight groups of eight. */
void page_digest(struct writer *w, const char *id, const char *what, const uint8_t digest[32]);
/* A fingerprint's short form, which only points, with the whole behind it. */
void page_fingerprint(struct writer *w, const void *spki, size_t len);
/* The same of a key that is known by it. */
void page_key(struct writer *w, const uint8_t fingerprint[KEY_FINGERPRINT_LEN]);
/* A command to type, which can be copied; `argument` (may be NULL) is quoted for a shell. */
void page_command(struct writer *w, const char *id, const char *command, const char *argument,
		  const char *rest);
/* A table of many rows, each a card on a phone; `what` is its caption, and names it. */
struct page_column {
	const char *word;
	bool is_number;
};
void page_table_begin(struct writer *w, const char *what, const struct page_column *columns,
		      size_t count);
void page_table_end(struct writer *w);
/* The same column by column, of a table that is sorted: `sorted` is "ascending", "descending" or "none", and the caller
 * writes the link, and closes the cell. */
void page_head_begin(struct writer *w, const char *what);
void page_column(struct writer *w, const struct page_column *column);
void page_sorted_column(struct writer *w, const char *sorted);
void page_head_end(struct writer *w);
/* The first cell of a row, which names it, up to its text; the others, of that column. */
void page_row_begin(struct writer *w);
void page_cell(struct writer *w, const char *column);
void page_number_cell(struct writer *w, const char *column); /* under a column that is_number */
/* What is to be done where there is nothing yet, and the command. */
void page_empty(struct writer *w, const char *title, const char *text, const char *command);
/* An address under /c/ for it; false: its id can't stand in one. */
bool page_can_link(const char *id);
