/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.h — what commands list or show, in the form that the caller asks for: a table for people, all its
 * columns with "wide", JSON or YAML for programs.
 *
 * Rows are given cell by cell, in the order of the columns. A table takes its widths from its cells; control
 * characters of what peers say become '?'. What memory does not hold is told when it is printed.
 */
#pragma once

#include "cli/base/command.h"

#include <stdint.h>

enum { TABLE_COLUMNS_MAX = 24 };

struct table_column {
	const char *head; /* for people: "MEMORY" */
	const char *key;  /* for programs: "memory" */
	bool wide;        /* only people who ask for all of it see it */
};

struct table_cell;
struct json_out;

struct table {
	const struct table_column *columns; /* borrowed; the last has no head */
	size_t width;                       /* columns */
	const char *const *labels;          /* of one row, for people; NULL: the keys */
	struct table_cell *cells;
	size_t count, room;
	char **objects; /* of rows that are another for programs; NULL: there are none */
	size_t object_count;
	bool failed;
};

void table_init(struct table *t, const struct table_column *columns);
void table_done(struct table *t);
#define CLEANUP_TABLE __attribute__((cleanup(table_done)))

/* Forgets the rows. */
void table_clear(struct table *t);

/* The next cell. Empty text and a number or moment of 0 are "-" for people; `shown` (NULL: the number)
 * is what they see of a number. Moments are milliseconds since 1970; programs see text in RFC 3339, or null.
 * Pairs are "key=value,key=value", an object for programs. */
void table_text(struct table *t, const char *text);
void table_number(struct table *t, uint64_t number, const char *shown);
void table_moment(struct table *t, int64_t ms);
void table_pairs(struct table *t, const char *pairs);

/* With commas between them for people, a list for programs. */
void table_words(struct table *t, char *const *words, size_t count);

/* The row whose last cell was just given is this object for programs, not one of its cells. Of all rows, or of
 * none. */
void table_object(struct table *t, const struct json_out *object);

/* "-o FORMAT", with --json in its place for those who are used to it. */
extern const char *const table_formats[];
/* clang-format off */
#define TABLE_OPTIONS \
	{ .letter = 'o', .name = "output", .value = "FORMAT", \
	  .help = "table, wide (all columns), json or yaml (table)", .words = table_formats }, \
	{ .name = "json", .help = "the same as -o json" }
/* clang-format on */

/* Both options and that they agree: CLI_USAGE's error otherwise. */
int table_check(const struct cli *cli, struct err *e) MUST_CHECK;

/* All rows as a list; `none` is said to people when there is none. */
int table_print(const struct table *t, const struct cli *cli, const char *none,
		struct err *e) MUST_CHECK;

/* The one row that there is, by itself: each cell in a line, for people with all columns. */
int table_print_one(const struct table *t, const struct cli *cli, struct err *e) MUST_CHECK;

/* The one row as a JSON object in one line. */
int table_print_line(const struct table *t, FILE *out, struct err *e) MUST_CHECK;
