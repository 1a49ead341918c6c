/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_rows.h — what a statement has found, row by row into an array, and pages of it. Each list says how one row of its own
 * is read.
 *
 * All or nothing: failed, the rows that were there are let go, and nothing is said of them.
 */
#pragma once

#include "computations/list/list_look.h"

struct list_row {
	size_t size;
	int columns; /* that it has, where list_page() is called: the place's are behind them */
	int (*read)(struct db_rows *row, void *to, struct err *e); /* on failure nothing is held */
	void (*done)(void *row);
	size_t (*texts)(const void *row); /* their bytes; NULL: they are short */
};

/* `name`: of rows that are `type`s, with the functions that they have. */
#define DEFINE_LIST_ROW(name, type, columns, read, done, texts)            \
	static int name##_to(struct db_rows *row, void *to, struct err *e) \
	{                                                                  \
		return read(row, (type *)to, e);                           \
	}                                                                  \
	static void name##_done(void *row)                                 \
	{                                                                  \
		done((type *)row);                                         \
	}                                                                  \
	static const struct list_row name = { sizeof(type), columns, name##_to, name##_done, texts }

/* At most `max`. `*more`, which may be NULL: there are some behind them. */
int list_rows(const struct list_row *kind, struct db_rows *found, size_t max, void *rows,
	      size_t *count, bool *more, struct err *e) MUST_CHECK;
/* Of what LIST_ASK() has found for `l`. `*next`: the text of the page behind, malloc'ed; NULL: there is none. */
int list_page(const struct list_row *kind, struct list_look *l, struct db_rows *found, size_t max,
	      void *rows, size_t *count, char **next, struct err *e) MUST_CHECK;
