/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_line.h — lines of the log about what agents and users bring, who may go on to bring it, so often as they like: each
 * computation, user and key has a few of each kind, so that none hides what there is to say of another. With STORE_LINE_ROWS told
 * of at once, the others share what log_rate.h gives.
 */
#pragma once

#include "common/base/log_rate.h"

enum {
	STORE_LINE_ROWS = 128,
	STORE_LINE_BURST = 3,
	STORE_LINE_MS = 60000, /* for each line more */
	STORE_LINE_ID_MAX = 255,
};

enum store_line_kind {
	STORE_LINE_FULL,
	STORE_LINE_ODD_SIZE,
	STORE_LINE_BAD_HEAD,
	STORE_LINE_AUDIT_USED, /* of a user */
	STORE_LINE_FORGOT,     /* of a key */
};

struct store_line {
	enum store_line_kind kind;
	const char *id; /* of the computation, or as its kind says */
};

/* Zeroed is full. */
struct store_lines {
	struct store_line_row {
		char id[STORE_LINE_ID_MAX + 1];
		enum store_line_kind kind;
		int64_t spent_until; /* rate.h; until then the row is its */
		unsigned long skipped;
	} rows[STORE_LINE_ROWS];
};

/* As log_rate_take() for such a line; `others` is of those of its kind for which there is no row, and `*skipped` may have lines about
 * other computations in it. */
bool store_line_take(struct store_lines *lines, const struct store_line *line, int64_t now,
		     struct log_rate *others, unsigned long *skipped);
