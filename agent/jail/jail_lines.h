/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_lines.h — bytes that a program wrote as lines that are fit for a log: limited in length and
 * number, valid UTF-8 without characters that could fool a terminal or a reader (utf8.h), but tabs.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	JAIL_LINE_MAX = 4096,        /* bytes of a line; what is longer is cut and marked */
	JAIL_LINES_PER_SECOND = 500, /* more are dropped, and how many is said in a line */
};

/* `stream` is 1 for stdout, 2 for stderr. */
typedef void jail_line_fn(void *data, int stream, const char *text, size_t len);

struct jail_lines {
	int stream;
	jail_line_fn *emit;
	void *data;
	uint64_t window;    /* the second that is counted, in ms */
	unsigned int count; /* lines in it */
	uint64_t dropped;   /* not yet spoken of */
	bool cut;           /* the line is too long: the rest of it is skipped */
	size_t len;
	char line[JAIL_LINE_MAX];
};

/* `emit` is called from within the two below. `now` in milliseconds, never going back. */
void jail_lines_feed(struct jail_lines *lines, const char *bytes, size_t len, uint64_t now);

/* The last line without a newline, and what has been dropped. */
void jail_lines_end(struct jail_lines *lines, uint64_t now);
