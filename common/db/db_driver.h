/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_driver.h — what a database has to do for db.h. A driver's rows begin with struct db_rows.
 */
#pragma once

#include "common/db/db.h"
#include "common/db/db_dialect.h"

struct db_param {
	char type;         /* t, i or b */
	int64_t number;    /* i */
	const void *bytes; /* t, b; NULL of a text: SQL's NULL, of bytes: none */
	size_t len;
};

enum db_type { DB_NULL, DB_INTEGER, DB_TEXT, DB_BLOB, DB_OTHER };

struct db_value {
	enum db_type type;
	int64_t number;
	const char *bytes; /* of a text: a zero byte is behind them. NULL: out of memory */
	size_t len;
};

struct db_rows {
	const struct db_driver *driver;
};

struct db_driver {
	enum db_dialect dialect;
	int (*query)(void *handle, const char *sql, const struct db_param *params, size_t count,
		     struct db_rows **rows, struct err *e);
	/* All rows of a SELECT without values, however many: some at a time. Within a transaction, one at a time. */
	int (*walk)(void *handle, const char *sql, struct db_rows **rows, struct err *e);
	int (*next)(struct db_rows *rows, struct err *e);
	/* After the last row: how many it has changed. */
	int64_t (*changed)(struct db_rows *rows);
	struct db_value (*value)(struct db_rows *rows, int column);
	const char *(*name)(struct db_rows *rows, int column);
	void (*free_rows)(struct db_rows *rows);
	int (*script)(void *handle, const char *sql, struct err *e);
	int (*begin)(void *handle, struct err *e);
	int (*snapshot)(void *handle, struct err *e);
	int (*commit)(void *handle, struct err *e);
	void (*rollback)(void *handle);
	/* The number of its tables' form; 0: none yet. */
	int (*form)(void *handle, int64_t *form, struct err *e);
	int (*set_form)(void *handle, int form, struct err *e);
	void (*close)(void *handle);
};
