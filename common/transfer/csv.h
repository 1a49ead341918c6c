/* SPDX-License-Identifier: Apache-2.0 */
/*
 * csv.h — computations as CSV (RFC 4180, CRLF or LF, a byte order mark is fine): as JSON, and its cells.
 *
 * Columns are members of the flat form of such documents (docs/operators.md); what is no text in it is JSON in its
 * cell. A cell never begins what a spreadsheet takes for a formula: such a text is led by an apostrophe, which
 * reading takes off again.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/writer.h"

enum { CSV_ROWS_MAX = 256 };

/* A list of objects, malloc'ed. At most `max` bytes are read; an empty cell is a member that is not there. */
int csv_to_json(const void *bytes, size_t len, size_t max, uint8_t **json, size_t *json_len,
		struct err *e) MUST_CHECK;

/* In quotes. */
void csv_put(struct writer *w, const char *text);
