/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transcript.h — what the algorithm wrote to stdout and stderr: its first lines and its last ones, in
 * memory, for those to whom the manifest shows them.
 */
#pragma once

#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum {
	TRANSCRIPT_HEAD_MAX = 512 << 10, /* bytes of the first lines */
	TRANSCRIPT_TAIL_MAX = 512 << 10, /* and of the last ones; what is between is left out */
	TRANSCRIPT_LAST_LINES = 12,      /* of transcript_last() */
	TRANSCRIPT_LAST_MAX = 2048,      /* bytes of it */
};

struct transcript {
	char *head, *tail; /* NULL before the first line */
	size_t head_len;
	uint64_t tail_written; /* ever; the tail is a ring */
	uint64_t lost;         /* lines for which there was no memory */
};

void transcript_done(struct transcript *t);

/* A line without its newline, as jail_lines.h makes them: UTF-8, at most TRANSCRIPT_HEAD_MAX. */
void transcript_add(struct transcript *t, const char *line, size_t len);

/* All that is kept, each line with its newline, and a line that says how much is left out; malloc'ed,
 * followed by a zero byte. */
int transcript_text(const struct transcript *t, char **text, size_t *len, struct err *e) MUST_CHECK;

/* The last lines, as a traceback ends with what went wrong; "" if there are none. */
void transcript_last(const struct transcript *t, char text[TRANSCRIPT_LAST_MAX + 1]);
