/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/list/list_rows.h"

#include <stdlib.h>

static void *row_at(const struct list_row *kind, void *rows, size_t n)
{
	return (char *)rows + n * kind->size;
}

static void let_go(const struct list_row *kind, void *rows, size_t count)
{
	while (count > 0)
		kind->done(row_at(kind, rows, --count));
}

/* Until the page is full, which is 1: its last row is the one that `found` is at. 0: there are no more. */
static int fill(const struct list_row *kind, struct db_rows *found, size_t max, void *rows,
		size_t *got, struct err *e)
{
	size_t bytes = 0;
	int row = 0;

	while (*got < max && bytes < LIST_PAGE_BYTES && (row = db_next(found, e)) > 0) {
		void *to = row_at(kind, rows, *got);

		if (kind->read(found, to, e) < 0)
			return err_code(e);
		++*got;
		bytes += kind->texts ? kind->texts(to) : 0;
	}
	return row;
}

int list_rows(const struct list_row *kind, struct db_rows *found, size_t max, void *rows,
	      size_t *count, bool *more, struct err *e)
{
	size_t got = 0;
	int row = fill(kind, found, max, rows, &got, e);

	if (row > 0 && more)
		row = db_next(found, e);
	if (row < 0) {
		let_go(kind, rows, got);
		return row;
	}
	*count = got;
	if (more)
		*more = row > 0;
	return 0;
}

int list_page(const struct list_row *kind, struct list_look *l, struct db_rows *found, size_t max,
	      void *rows, size_t *count, char **next, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	size_t got = 0;
	int row = fill(kind, found, max, rows, &got, e);

	if (row > 0)
		row = list_look_behind(l, found, kind->columns, &text, e) < 0 ? err_code(e)
									      : db_next(found, e);
	if (row < 0) {
		let_go(kind, rows, got);
		return row;
	}
	*count = got;
	*next = row > 0 ? TAKE_PTR(text) : NULL;
	return 0;
}
