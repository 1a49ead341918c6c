/* SPDX-License-Identifier: Apache-2.0 */
/*
 * list_look.h — what people look for in a list, in an order, page by page: what all lists have in common. Each has its own
 * statements, made of these parts, and asks them with the values of its own in front.
 *
 * Blocking, inside a transaction of the caller's.
 */
#pragma once

#include "common/db/db.h"
#include "common/manifest/manifest.h"
#include "computations/list/list_form.h"
#include "computations/list/list_place.h"

enum {
	LIST_TEXT_MAX = 4 * 128,   /* bytes that may be searched for */
	LIST_PAGE_BYTES = 1 << 20, /* of text in a page, after its first row */
};

/* What is asked for. */
struct list_search {
	const char *text;   /* "": anything */
	const char *before; /* the page behind this place, of this list; "": the first */
	struct list_sort sort;
};

/* The same, as statements take it. */
struct list_look {
	const struct list_order_row *order;
	const char *sql;
	char *pattern;
	uint8_t digest[MANIFEST_HASH_LEN];
	size_t digest_len; /* 0: the text is none */
	bool is_behind;
	struct list_place place; /* its tag alone, of the first page */
};
void list_look_done(struct list_look *l);
#define CLEANUP_LIST_LOOK __attribute__((cleanup(list_look_done)))

/* `scope`: whose list it is, and what else it is of. A place is of no use for another one. */
int list_look_begin(const struct list_kind *list, const struct list_search *search,
		    const int64_t *scope, size_t count, struct list_look *l,
		    struct err *e) MUST_CHECK;
/* Of a row whose place begins in that column: the text of the page behind, malloc'ed. */
int list_look_behind(struct list_look *l, struct db_rows *row, int column, char **next,
		     struct err *e) MUST_CHECK;

/* ---- statements: `number` and `value` are the two last values, of a place ---- */

/* Not LIKE, which takes hundredths of a second for a row that was made for it (db.h). */
#define LIST_HOLDS(column, what) "texticregexeq(" column ", " what ")"
/* Of a row that is behind another one SQLite finds the first by the column alone, PostgreSQL by the pair. */
#define LIST_BEHIND(column, row, sign, number, value)                                    \
	" AND " column " " sign "= " value " AND (" column ", " row ") " sign " (" value \
	", " number ")"
#define LIST_ORDERED(column, row, way)          " ORDER BY " column way ", " row way " LIMIT ?1"
#define LIST_FIND(columns, tables, column, row) "SELECT " columns ", " row ", " column " " tables
/* `columns`: a row's, and the place's come behind them; `tables`: from FROM to the last condition. */
#define LIST_STATEMENTS(columns, tables, column, row, number, value)                          \
	{                                                                                     \
		{ LIST_FIND(columns, tables, column, row) LIST_ORDERED(column, row, " DESC"), \
		  LIST_FIND(columns, tables, column, row)                                     \
			  LIST_BEHIND(column, row, "<", number, value)                        \
				  LIST_ORDERED(column, row, " DESC") },                       \
		{                                                                             \
			LIST_FIND(columns, tables, column, row)                               \
			LIST_ORDERED(column, row, ""),                                        \
				LIST_FIND(columns, tables, column, row)                       \
					LIST_BEHIND(column, row, ">", number, value)          \
						LIST_ORDERED(column, row, "")                 \
		}                                                                             \
	}

/* One row more than `max`, which says whether there is a page behind; then the values of `types`, and the place's. */
#define LIST_ASK(db, found, l, max, e, types, ...)                                                \
	(!(l)->is_behind                                                                          \
		 ? db_query(db, found, e, (l)->sql, "i" types, (int64_t)(max) + 1, __VA_ARGS__)   \
	 : (l)->place.name ? db_query(db, found, e, (l)->sql, "i" types "it", (int64_t)(max) + 1, \
				      __VA_ARGS__, (l)->place.number, (l)->place.name)            \
			   : db_query(db, found, e, (l)->sql, "i" types "ii", (int64_t)(max) + 1, \
				      __VA_ARGS__, (l)->place.number, (l)->place.value))
