/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_line.h"

#include "common/base/rate.h"

#include <stdio.h>
#include <string.h>

/* NULL: none is free, or its own. */
static struct store_line_row *row_of(struct store_lines *lines, const struct store_line *line,
				     int64_t now, struct log_rate *others)
{
	struct store_line_row *free_row = NULL;

	for (size_t i = 0; i < STORE_LINE_ROWS; i++) {
		struct store_line_row *row = &lines->rows[i];

		if (row->kind == line->kind && strcmp(row->id, line->id) == 0)
			return row;
		if (!free_row && row->spent_until <= now)
			free_row = row;
	}
	if (!free_row)
		return NULL;
	others->skipped += free_row->skipped;
	*free_row = (struct store_line_row){ .kind = line->kind };
	snprintf(free_row->id, sizeof(free_row->id), "%s", line->id);
	return free_row;
}

bool store_line_take(struct store_lines *lines, const struct store_line *line, int64_t now,
		     struct log_rate *others, unsigned long *skipped)
{
	static const struct rate each = { STORE_LINE_MS, STORE_LINE_BURST };
	struct store_line_row *row = row_of(lines, line, now, others);

	if (!row)
		return log_rate_take(others, (uint64_t)now, skipped);
	if (rate_take(&each, now, &row->spent_until) > 0) {
		row->skipped++;
		return false;
	}
	*skipped = row->skipped;
	row->skipped = 0;
	return true;
}
