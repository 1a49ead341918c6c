/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h — the tab-separated tables of the shared vectors, row by row with cells by column name,
 * and the files that they name.
 */
#pragma once

#include "common/base/span.h"
#include "tests/unit.h"

enum { TABLE_COLUMNS_MAX = 24 };

struct table {
	char *text;
	char *columns[TABLE_COLUMNS_MAX];
	char *cells[TABLE_COLUMNS_MAX];
	size_t count;
	char *next;
};

/* Comment lines (#) before the heading are stepped over. Fails the test if it can't be read. */
void table_open(struct table *t, const char *path);
bool table_row(struct table *t);
/* The cell, "" for "-"; fails the test if there is no such column. */
const char *table_cell(const struct table *t, const char *column);
void table_done(struct table *t);

/* The whole file, or what `xz -dc` makes of the file with ".xz" behind its name. The caller frees
 * the bytes. */
struct span table_file(const char *folder, const char *name);
