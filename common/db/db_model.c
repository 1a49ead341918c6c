/* SPDX-License-Identifier: Apache-2.0 */
#include "common/db/db_model.h"

#include "common/db/db_sqlite.h"

#include <string.h>

void db_model_done(struct db_model *model)
{
	free(model->tables);
	*model = (struct db_model){ .tables = NULL };
}

/* Names go into statements. */
static int take_name(struct db_rows *rows, int column, char name[DB_NAME_MAX + 1], struct err *e)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";
	CLEANUP(free) char *text = NULL;
	size_t len;

	if (db_text(rows, column, &text, e) < 0)
		return err_code(e);
	len = strlen(text);
	if (!len || len > DB_NAME_MAX || strspn(text, letters) != len ||
	    strchr("0123456789", *text))
		return err_set(e, ERR_INVALID, "it has a name that no form has");
	memcpy(name, text, len + 1);
	return 0;
}

static char type_of(const char *word)
{
	static const struct {
		const char *word;
		char type;
	} types[] = { { "INTEGER", 'i' }, { "TEXT", 't' }, { "BLOB", 'b' } };

	for (size_t i = 0; i < ARRAY_LEN(types); i++)
		if (strcmp(types[i].word, word) == 0)
			return types[i].type;
	return 0;
}

static int take_column(struct db_rows *rows, struct db_table *table, bool *in_key, struct err *e)
{
	struct db_column *column = &table->columns[table->count];
	CLEANUP(free) char *type = NULL;
	int64_t hidden, key;

	if (take_name(rows, 0, column->name, e) < 0 || db_text(rows, 1, &type, e) < 0 ||
	    db_integer(rows, 2, 0, DB_PARAMS_MAX, &key, e) < 0 ||
	    db_integer(rows, 3, 0, 3, &hidden, e) < 0)
		return err_code(e);
	column->type = type_of(type);
	if (!column->type || hidden)
		return err_set(e, ERR_INVALID, "column %s is of a kind that no form has",
			       column->name);
	*in_key = key != 0;
	return 0;
}

static int read_columns(struct db *db, struct db_table *table, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	size_t keys = 0, key = 0;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT name, type, pk, hidden FROM pragma_table_xinfo(?) ORDER BY cid", "t",
		     table->name) < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0) {
		bool in_key;

		if (table->count == DB_PARAMS_MAX)
			return err_set(e, ERR_EXHAUSTED, "more than %d columns", DB_PARAMS_MAX);
		if (take_column(rows, table, &in_key, e) < 0)
			return err_code(e);
		if (in_key) {
			keys++;
			key = table->count;
		}
		table->count++;
	}
	table->key = keys == 1 && table->columns[key].type == 'i' ? key : table->count;
	return row;
}

static int take_table(struct db *db, struct db_rows *rows, struct db_table *table, struct err *e)
{
	CLEANUP(free) char *type = NULL;
	int64_t page;

	if (take_name(rows, 0, table->name, e) < 0 || db_text(rows, 1, &type, e) < 0 ||
	    db_integer(rows, 2, INT64_MIN, INT64_MAX, &page, e) < 0 ||
	    db_flag(rows, 3, &table->counted, e) < 0)
		return err_code(e);
	/* What has no page is virtual. */
	if (strcmp(type, "table") != 0 || page <= 0)
		return err_set(e, ERR_INVALID, "%s %s is none that a form has",
			       page ? "table" : "trigger, view or virtual table", table->name);
	if (read_columns(db, table, e) < 0)
		return err_wrap(e, "table %s", table->name);
	return 0;
}

int db_model_read(struct db *sqlite, struct db_model *model, struct err *e)
{
	struct db_model got CLEANUP_MODEL = { .tables = calloc(DB_TABLES_MAX,
							       sizeof(struct db_table)) };
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (!got.tables)
		return err_nomem(e);
	if (db_query(sqlite, &rows, e,
		     "SELECT name, type, rootpage, coalesce(instr(sql, 'AUTOINCREMENT') > 0, 0)"
		     " FROM sqlite_schema WHERE type <> 'index' AND substr(name, 1, 7) <> 'sqlite_'"
		     " ORDER BY rowid",
		     "") < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0) {
		if (got.count == DB_TABLES_MAX)
			return err_set(e, ERR_EXHAUSTED, "more than %d tables", DB_TABLES_MAX);
		if (take_table(sqlite, rows, &got.tables[got.count], e) < 0)
			return err_code(e);
		got.count++;
	}
	if (row < 0)
		return row;
	*model = got;
	got.tables = NULL;
	return 0;
}

int db_model_of(const struct db_forms *forms, struct db_model *model, struct err *e)
{
	sqlite3 *sqlite = NULL;
	struct db db;

	if (sqlite3_open(":memory:", &sqlite) != SQLITE_OK) {
		sqlite3_close(sqlite);
		return err_nomem(e);
	}
	db_sqlite_adopt(&db, sqlite);
	int failed = db_script(&db, forms->schema, e);
	if (!failed)
		failed = db_model_read(&db, model, e);
	db_close(&db);
	return failed;
}

/* ---- comparing ---- */

static const struct db_table *find(const struct db_model *model, const char *name)
{
	for (size_t i = 0; i < model->count; i++)
		if (strcmp(model->tables[i].name, name) == 0)
			return &model->tables[i];
	return NULL;
}

static bool has(const struct db_table *table, const struct db_column *column)
{
	for (size_t i = 0; i < table->count; i++)
		if (strcmp(table->columns[i].name, column->name) == 0)
			return table->columns[i].type == column->type;
	return false;
}

static bool is_same(const struct db_table *a, const struct db_table *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++)
		if (!has(b, &a->columns[i]))
			return false;
	return true;
}

int db_model_compare(const struct db_model *wanted, const struct db_model *found, struct err *e)
{
	for (size_t i = 0; i < found->count; i++) {
		const struct db_table *table = &found->tables[i];
		const struct db_table *known = find(wanted, table->name);

		if (!known || !is_same(known, table))
			return err_set(e, ERR_INVALID, "table %s is none of this form's",
				       table->name);
	}
	/* No name is there twice. */
	if (found->count != wanted->count)
		return err_set(e, ERR_INVALID, "it has %zu tables, and this form %zu", found->count,
			       wanted->count);
	return 0;
}
