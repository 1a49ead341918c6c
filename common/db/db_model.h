/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_model.h — which tables and columns a database has.
 */
#pragma once

#include "common/db/db_form.h"

enum {
	DB_NAME_MAX = 63, /* bytes of a table's or a column's name: what PostgreSQL keeps of it */
	DB_TABLES_MAX = 128,
};

struct db_column {
	char name[DB_NAME_MAX + 1];
	char type; /* as of db.h: t, i or b */
};

struct db_table {
	char name[DB_NAME_MAX + 1];
	struct db_column columns[DB_PARAMS_MAX];
	size_t count;
	size_t key; /* the column that alone, as a number, is the primary key; `count`: there is none */
	bool counted; /* whose numbers are never used again (db_dialect.c) */
};

/* Tables in the order in which they were made: each refers to those before it. */
struct db_model {
	struct db_table *tables;
	size_t count;
};
void db_model_done(struct db_model *model);
#define CLEANUP_MODEL __attribute__((cleanup(db_model_done)))

/* That of the newest form. */
int db_model_of(const struct db_forms *forms, struct db_model *model, struct err *e) MUST_CHECK;

/* Of a database of SQLite's. ERR_INVALID where it has what no form makes: triggers, views, other types. */
int db_model_read(struct db *sqlite, struct db_model *model, struct err *e) MUST_CHECK;

/* The same tables with the same columns, in any order; else ERR_INVALID names the first of `found` that differs. */
int db_model_compare(const struct db_model *wanted, const struct db_model *found,
		     struct err *e) MUST_CHECK;
