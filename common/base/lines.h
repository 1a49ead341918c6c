/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lines.h — tables that operators write: a row to a line, words with spaces or tabs between; '#' begins a comment.
 */
#pragma once

#include "common/base/err.h"

#include <stddef.h>

enum { LINE_MAX_LIMIT = 4096 }; /* that any table may set itself */

struct line {
	const char *where; /* the file; NULL: none, and what is refused says no line */
	unsigned number;
	char *rest; /* that nobody has taken yet; begins with no space */
};

/* ERR_INVALID, with file and number before the text if there is a file. */
int line_refuse(const struct line *l, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The next word, which ends there; empty if there is none. */
char *line_word(struct line *l);

/* Each line that says something, in its order, until one is refused. Characters are those of ASCII that can be seen:
 * no other may look like one of them. */
int lines_read(const char *text, size_t len, size_t line_max, const char *where,
	       int (*take)(void *data, struct line *l, struct err *e), void *data,
	       struct err *e) MUST_CHECK;
