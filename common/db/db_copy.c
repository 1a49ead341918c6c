/* SPDX-License-Identifier: Apache-2.0 */
#include "common/db/db_copy.h"

#include "common/base/file.h"
#include "common/base/utf8.h"
#include "common/base/writer.h"
#include "common/db/db_driver.h"

#include <string.h>

enum { SQL_MAX = 8 << 10 };

/* ---- statements ---- */

static void put_columns(const struct db_table *t, struct writer *w)
{
	for (size_t i = 0; i < t->count; i++)
		writer_printf(w, "%s%s", i ? ", " : "", t->columns[i].name);
}

static int finish(struct writer *w, char **sql, struct err *e)
{
	size_t len;

	writer_u8(w, 0);
	if (writer_check(w, "statement", e) < 0)
		return err_code(e);
	*sql = (char *)writer_take(w, &len);
	return *sql ? 0 : err_nomem(e);
}

static int select_all(const struct db_table *t, char **sql, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(SQL_MAX);

	writer_text(&w, "SELECT ");
	put_columns(t, &w);
	writer_printf(&w, " FROM %s", t->name);
	return finish(&w, sql, e);
}

/* NULL is no value of a type, so it stands in the statement. `nulls`: a bit for each column. */
static int insert_row(const struct db_table *t, uint32_t nulls, char **sql, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(SQL_MAX);

	writer_printf(&w, "INSERT INTO %s (", t->name);
	put_columns(t, &w);
	writer_text(&w, ") VALUES (");
	for (size_t i = 0; i < t->count; i++)
		writer_printf(&w, "%s%s", i ? ", " : "", nulls & (UINT32_C(1) << i) ? "NULL" : "?");
	writer_text(&w, ")");
	return finish(&w, sql, e);
}

/* ---- rows ---- */

static bool fits(const struct db_value *value, char type)
{
	static const enum db_type types[] = {
		['i'] = DB_INTEGER, ['t'] = DB_TEXT, ['b'] = DB_BLOB
	};

	if (value->type != types[(unsigned char)type])
		return false;
	return type != 't' || !value->bytes ||
	       (!memchr(value->bytes, 0, value->len) && utf8_valid(value->bytes, value->len));
}

static int take_value(struct db_rows *rows, const struct db_column *column, int at,
		      struct db_param *param, struct err *e)
{
	const struct db_value value = rows->driver->value(rows, at);

	*param = (struct db_param){
		.type = column->type, .number = value.number, .bytes = value.bytes, .len = value.len
	};
	if (!fits(&value, column->type))
		return err_set(e, ERR_DATA_LOSS,
			       "column %s has a value that is not of its type: another program "
			       "wrote or damaged it",
			       column->name);
	if (value.len > DB_VALUE_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "column %s has a value of %zu bytes, and %d are "
			       "taken",
			       column->name, value.len, DB_VALUE_MAX);
	/* Of a blob without bytes there is no address; a text has at least its end. */
	return column->type == 't' && !value.bytes ? err_nomem(e) : 0;
}

/* The values that are there, one behind the other. */
static int take_values(struct db_rows *rows, const struct db_table *t,
		       struct db_param params[DB_PARAMS_MAX], size_t *count, uint32_t *nulls,
		       struct err *e)
{
	*count = 0;
	*nulls = 0;
	for (size_t i = 0; i < t->count; i++)
		if (rows->driver->value(rows, (int)i).type == DB_NULL)
			*nulls |= UINT32_C(1) << i;
		else if (take_value(rows, &t->columns[i], (int)i, &params[(*count)++], e) < 0)
			return err_code(e);
	return 0;
}

static int put_values(struct db *to, const char *sql, const struct db_param *params, size_t count,
		      struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	if (to->driver->query(to->handle, sql, params, count, &rows, e) < 0)
		return err_code(e);
	return db_next(rows, e);
}

static int copy_rows(const struct db_table *t, struct db_rows *rows, struct db *to, int64_t *copied,
		     struct err *e)
{
	CLEANUP(free) char *insert = NULL;
	struct db_param params[DB_PARAMS_MAX];
	uint32_t nulls, last = 0;
	size_t count;
	int row;

	*copied = 0;
	while ((row = db_next(rows, e)) > 0) {
		if (take_values(rows, t, params, &count, &nulls, e) < 0)
			return err_code(e);
		if (!insert || nulls != last) {
			free(TAKE_PTR(insert));
			if (insert_row(t, nulls, &insert, e) < 0)
				return err_code(e);
			last = nulls;
		}
		if (put_values(to, insert, params, count, e) < 0)
			return err_code(e);
		++*copied;
	}
	return row;
}

/* ---- numbers that were used ---- */

static int read_counter(struct db *db, const struct db_table *t, int64_t *last, struct err *e)
{
	static const char *const ask[DB_DIALECTS] = {
		[DB_SQLITE] = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = ?1"
			      " AND ?2 <> ''",
		[DB_POSTGRES] = "SELECT coalesce(pg_sequence_last_value("
				"pg_get_serial_sequence(?1, ?2)::regclass), 0)",
	};
	CLEANUP(free) char *newest = NULL;
	const char *key = t->columns[t->key].name;
	int64_t there, used = 0;

	if (text_format(&newest, e, "SELECT coalesce(max(%s), 0) FROM %s", key, t->name) < 0 ||
	    db_number(db, &there, e, newest, "") < 0 ||
	    (t->counted &&
	     db_number(db, &used, e, ask[db->driver->dialect], "tt", t->name, key) < 0))
		return err_code(e);
	*last = there > used ? there : used;
	return 0;
}

/* Of a table of PostgreSQL's that counts nothing the sequence is NULL, and so is what is done to it. */
static int set_counter(struct db *db, const struct db_table *t, int64_t last, struct err *e)
{
	if (db->driver->dialect == DB_POSTGRES)
		return db_run(db, e,
			      "SELECT setval(pg_get_serial_sequence(?1, ?2)::regclass,"
			      " greatest(?3, 1), ?3 > 0)",
			      "tti", t->name, t->columns[t->key].name, last);
	if (!t->counted)
		return 0;
	if (db_run(db, e, "DELETE FROM sqlite_sequence WHERE name = ?", "t", t->name) < 0)
		return err_code(e);
	return db_run(db, e, "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", "ti", t->name,
		      last);
}

static int copy_counter(const struct db_table *t, struct db *from, struct db *to, struct err *e)
{
	int64_t last;

	if (t->key == t->count)
		return 0;
	return read_counter(from, t, &last, e) < 0 ? err_code(e) : set_counter(to, t, last, e);
}

/* ---- all ---- */

static int copy_table(const struct db_table *t, struct db *from, struct db *to, int64_t *copied,
		      struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *sql = NULL;

	if (select_all(t, &sql, e) < 0 || from->driver->walk(from->handle, sql, &rows, e) < 0 ||
	    copy_rows(t, rows, to, copied, e) < 0)
		return err_code(e);
	return copy_counter(t, from, to, e);
}

/* A form may begin with rows. */
static int clear(const struct db_model *model, struct db *to, struct err *e)
{
	for (size_t i = model->count; i-- > 0;) {
		CLEANUP(free) char *sql = NULL;

		if (text_format(&sql, e, "DELETE FROM %s", model->tables[i].name) < 0 ||
		    db_run(to, e, sql, "") < 0)
			return err_code(e);
	}
	return 0;
}

int db_copy(const struct db_model *model, struct db *from, struct db *to, int64_t *counts,
	    struct err *e)
{
	if (clear(model, to, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < model->count; i++)
		if (copy_table(&model->tables[i], from, to, &counts[i], e) < 0)
			return err_wrap(e, "table %s", model->tables[i].name);
	return 0;
}
