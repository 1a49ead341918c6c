/* SPDX-License-Identifier: Apache-2.0 */
#include "common/db/db.h"

#include "common/base/utf8.h"
#include "common/db/db_driver.h"

#include <stdarg.h>
#include <string.h>

void db_close(struct db *db)
{
	if (db->driver)
		db->driver->close(db->handle);
	*db = (struct db){ .driver = NULL };
}

void db_rows_free(struct db_rows *rows)
{
	if (rows)
		rows->driver->free_rows(rows);
}

static struct db_param take_param(char type, va_list *args)
{
	struct db_param p = { .type = type };

	if (type == 'i') {
		p.number = va_arg(*args, int64_t);
	} else if (type == 't') {
		p.bytes = va_arg(*args, const char *);
		p.len = p.bytes ? strlen(p.bytes) : 0;
	} else {
		p.bytes = va_arg(*args, const void *);
		p.len = va_arg(*args, size_t);
	}
	return p;
}

static int query(struct db *db, struct db_rows **rows, const char *sql, const char *types,
		 va_list *args, struct err *e)
{
	struct db_param params[DB_PARAMS_MAX];
	size_t count = strlen(types);

	if (count > DB_PARAMS_MAX || strspn(types, "tib") != count)
		return err_set(e, ERR_INTERNAL, "database: no values: %s", types);
	for (size_t i = 0; i < count; i++)
		params[i] = take_param(types[i], args);
	return db->driver->query(db->handle, sql, params, count, rows, e);
}

int db_query(struct db *db, struct db_rows **rows, struct err *e, const char *sql,
	     const char *types, ...)
{
	va_list args;

	va_start(args, types);
	int failed = query(db, rows, sql, types, &args, e);
	va_end(args);
	return failed;
}

int db_next(struct db_rows *rows, struct err *e)
{
	return rows->driver->next(rows, e);
}

static int change(struct db *db, int64_t *changed, const char *sql, const char *types,
		  va_list *args, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (query(db, &rows, sql, types, args, e) < 0)
		return err_code(e);
	do
		row = db_next(rows, e);
	while (row > 0);
	if (!row && changed)
		*changed = rows->driver->changed(rows);
	return row;
}

int db_run(struct db *db, struct err *e, const char *sql, const char *types, ...)
{
	va_list args;

	va_start(args, types);
	int failed = change(db, NULL, sql, types, &args, e);
	va_end(args);
	return failed;
}

int db_change(struct db *db, int64_t *changed, struct err *e, const char *sql, const char *types,
	      ...)
{
	va_list args;

	va_start(args, types);
	int failed = change(db, changed, sql, types, &args, e);
	va_end(args);
	return failed;
}

int db_number(struct db *db, int64_t *number, struct err *e, const char *sql, const char *types,
	      ...)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	va_list args;

	va_start(args, types);
	int found = query(db, &rows, sql, types, &args, e);
	va_end(args);
	if (!found)
		found = db_next(rows, e);
	if (found < 0)
		return found;
	if (!found)
		return err_set(e, ERR_NOT_FOUND, "not there");
	return db_integer(rows, 0, INT64_MIN, INT64_MAX, number, e);
}

int db_script(struct db *db, const char *sql, struct err *e)
{
	CLEANUP(free) char *said = NULL;

	if (db_dialect_words(db->driver->dialect, sql, &said, e) < 0)
		return err_code(e);
	return db->driver->script(db->handle, said, e);
}

int db_clock(struct db *db, int64_t *ms, struct err *e)
{
	static const char *const clocks[DB_DIALECTS] = {
		[DB_SQLITE] = "SELECT CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)",
		[DB_POSTGRES] = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint",
	};

	return db_number(db, ms, e, clocks[db->driver->dialect], "");
}

int db_begin(struct db *db, struct err *e)
{
	return db->driver->begin(db->handle, e);
}

int db_snapshot(struct db *db, struct err *e)
{
	return db->driver->snapshot(db->handle, e);
}

int db_commit(struct db *db, struct err *e)
{
	return db->driver->commit(db->handle, e);
}

void db_rollback(struct db *db)
{
	db->driver->rollback(db->handle);
}

/* ---- columns ---- */

const char *db_column_name(struct db_rows *rows, int column)
{
	return rows->driver->name(rows, column);
}

static int foreign(struct db_rows *rows, int column, const char *what, struct err *e)
{
	return err_set(
		e, ERR_DATA_LOSS,
		"database: column %s is not %s: another program wrote or damaged it; restore "
		"the database from a copy",
		rows->driver->name(rows, column), what);
}

int db_text(struct db_rows *rows, int column, char **text, struct err *e)
{
	const struct db_value found = rows->driver->value(rows, column);

	if (found.type != DB_TEXT)
		return foreign(rows, column, "a text", e);
	if (!found.bytes)
		return err_nomem(e);
	if (memchr(found.bytes, 0, found.len) || !utf8_valid(found.bytes, found.len))
		return foreign(rows, column, "UTF-8", e);
	*text = strdup(found.bytes);
	return *text ? 0 : err_nomem(e);
}

int db_integer(struct db_rows *rows, int column, int64_t min, int64_t max, int64_t *number,
	       struct err *e)
{
	const struct db_value found = rows->driver->value(rows, column);

	if (found.type != DB_INTEGER)
		return foreign(rows, column, "a number", e);
	if (found.number < min || found.number > max)
		return foreign(rows, column, "in its range", e);
	*number = found.number;
	return 0;
}

int db_flag(struct db_rows *rows, int column, bool *flag, struct err *e)
{
	int64_t found;

	if (db_integer(rows, column, 0, 1, &found, e) < 0)
		return err_code(e);
	*flag = found != 0;
	return 0;
}

int db_blob(struct db_rows *rows, int column, size_t max, const void **bytes, size_t *len,
	    struct err *e)
{
	const struct db_value found = rows->driver->value(rows, column);

	if (found.type != DB_BLOB)
		return foreign(rows, column, "a blob", e);
	if (found.len > max)
		return foreign(rows, column, "of its length", e);
	/* SQLite has no address for none, and memcpy needs one. */
	*bytes = found.len ? found.bytes : "";
	*len = found.len;
	return 0;
}
