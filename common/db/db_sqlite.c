/* SPDX-License-Identifier: Apache-2.0 */
#include "common/db/db_sqlite.h"

#include "common/db/db_driver.h"
#include "common/db/db_sqlite_holds.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

/* How long to wait for another process that reads (a backup); only ours writes. */
enum { BUSY_MS = 5000 };

struct sqlite_rows {
	struct db_rows rows;
	sqlite3 *sqlite;
	sqlite3_stmt *stmt;
};

/* What each of SQLite's codes is here; others are ERR_INTERNAL. */
static enum err_code code_of(int status)
{
	static const struct {
		int sqlite;
		enum err_code code;
	} codes[] = {
		{ SQLITE_FULL, ERR_EXHAUSTED },     { SQLITE_NOMEM, ERR_EXHAUSTED },
		{ SQLITE_TOOBIG, ERR_EXHAUSTED },   { SQLITE_BUSY, ERR_UNAVAILABLE },
		{ SQLITE_LOCKED, ERR_UNAVAILABLE }, { SQLITE_CORRUPT, ERR_DATA_LOSS },
		{ SQLITE_NOTADB, ERR_DATA_LOSS },   { SQLITE_CONSTRAINT, ERR_EXISTS },
	};

	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (codes[i].sqlite == (status & 0xff))
			return codes[i].code;
	return ERR_INTERNAL;
}

/* Which disk it is that has no room, or fails. */
static int say_where(sqlite3 *sqlite, struct err *e)
{
	const char *where = sqlite3_db_filename(sqlite, "main");

	return where ? err_wrap(e, "'%s'", where) : err_code(e);
}

static int fail(sqlite3 *sqlite, struct err *e, const char *what)
{
	int status = sqlite3_extended_errcode(sqlite) & 0xff;

	/* A full disk is the first of these, where SQLite shares memory in a file. */
	if (status == SQLITE_IOERR || status == SQLITE_CANTOPEN) {
		errno = sqlite3_system_errno(sqlite);
		if (errno) {
			err_errno(e, "database: %s: %s", what, sqlite3_errmsg(sqlite));
			if (e->code != ERR_EXHAUSTED)
				e->code =
					ERR_INTERNAL; /* who asked for a row did not ask for a file */
			return say_where(sqlite, e);
		}
	}
	err_set(e, code_of(status), "database: %s: %s", what, sqlite3_errmsg(sqlite));
	return status == SQLITE_FULL ? say_where(sqlite, e) : err_code(e);
}

static int bind(sqlite3_stmt *stmt, int at, const struct db_param *p)
{
	if (p->type == 'i')
		return sqlite3_bind_int64(stmt, at, p->number);
	if (p->type == 't')
		return sqlite3_bind_text64(stmt, at, p->bytes, p->len, SQLITE_TRANSIENT,
					   SQLITE_UTF8);
	/* NULL would bind SQL's NULL, not an empty blob. */
	return sqlite3_bind_blob64(stmt, at, p->bytes ? p->bytes : "", p->len, SQLITE_TRANSIENT);
}

static void sqlite_free_rows(struct db_rows *rows)
{
	struct sqlite_rows *r = (struct sqlite_rows *)rows;

	sqlite3_finalize(r->stmt);
	free(r);
}

static int prepare(struct sqlite_rows *r, const char *sql, const struct db_param *params,
		   size_t count, struct err *e)
{
	if (sqlite3_prepare_v2(r->sqlite, sql, -1, &r->stmt, NULL) != SQLITE_OK)
		return fail(r->sqlite, e, "prepare");
	for (size_t i = 0; i < count; i++)
		if (bind(r->stmt, (int)i + 1, &params[i]) != SQLITE_OK)
			return fail(r->sqlite, e, "bind");
	return 0;
}

static const struct db_driver driver;

static int sqlite_query(void *handle, const char *sql, const struct db_param *params, size_t count,
			struct db_rows **rows, struct err *e)
{
	struct sqlite_rows *r = calloc(1, sizeof(*r));

	if (!r)
		return err_nomem(e);
	r->rows.driver = &driver;
	r->sqlite = handle;
	if (prepare(r, sql, params, count, e) < 0) {
		sqlite_free_rows(&r->rows);
		return err_code(e);
	}
	*rows = &r->rows;
	return 0;
}

/* It steps through them anyway. */
static int sqlite_walk(void *handle, const char *sql, struct db_rows **rows, struct err *e)
{
	return sqlite_query(handle, sql, NULL, 0, rows, e);
}

static int sqlite_next(struct db_rows *rows, struct err *e)
{
	struct sqlite_rows *r = (struct sqlite_rows *)rows;

	switch (sqlite3_step(r->stmt)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return fail(r->sqlite, e, "step");
	}
}

static int64_t sqlite_changed(struct db_rows *rows)
{
	return sqlite3_changes(((struct sqlite_rows *)rows)->sqlite);
}

static struct db_value sqlite_value(struct db_rows *rows, int column)
{
	sqlite3_stmt *stmt = ((struct sqlite_rows *)rows)->stmt;
	struct db_value value = { .type = DB_OTHER };

	switch (sqlite3_column_type(stmt, column)) {
	case SQLITE_NULL:
		value.type = DB_NULL;
		break;
	case SQLITE_INTEGER:
		value.type = DB_INTEGER;
		value.number = sqlite3_column_int64(stmt, column);
		break;
	case SQLITE_TEXT:
		value.type = DB_TEXT;
		value.bytes = (const char *)sqlite3_column_text(stmt, column);
		value.len = (size_t)sqlite3_column_bytes(stmt, column);
		break;
	case SQLITE_BLOB:
		value.type = DB_BLOB;
		value.bytes = sqlite3_column_blob(stmt, column);
		value.len = (size_t)sqlite3_column_bytes(stmt, column);
		break;
	}
	return value;
}

static const char *sqlite_name(struct db_rows *rows, int column)
{
	const char *name = sqlite3_column_name(((struct sqlite_rows *)rows)->stmt, column);

	return name ? name : "?";
}

static int sqlite_script(void *handle, const char *sql, struct err *e)
{
	if (sqlite3_exec(handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return fail(handle, e, "run");
	return 0;
}

static int sqlite_begin(void *handle, struct err *e)
{
	return sqlite_script(handle, "BEGIN IMMEDIATE", e);
}

static void sqlite_rollback(void *handle)
{
	struct err ignored;

	(void)!sqlite_script(handle, "ROLLBACK", &ignored);
}

/* The first read makes the moment. Where that fails, BEGIN has not: nobody else would end it. */
static int sqlite_snapshot(void *handle, struct err *e)
{
	if (sqlite_script(handle, "BEGIN; SELECT 1 FROM sqlite_schema LIMIT 1", e) == 0)
		return 0;
	sqlite_rollback(handle);
	return err_code(e);
}

static int sqlite_commit(void *handle, struct err *e)
{
	if (sqlite_script(handle, "COMMIT", e) == 0)
		return 0;
	sqlite_rollback(handle);
	return err_code(e);
}

static int sqlite_form(void *handle, int64_t *form, struct err *e)
{
	struct db db = { &driver, handle };

	return db_number(&db, form, e, "PRAGMA user_version", "");
}

static int sqlite_set_form(void *handle, int form, struct err *e)
{
	char pragma[48];

	snprintf(pragma, sizeof(pragma), "PRAGMA user_version=%d", form);
	return sqlite_script(handle, pragma, e);
}

static void sqlite_close(void *handle)
{
	sqlite3_close(handle);
}

static const struct db_driver driver = {
	.dialect = DB_SQLITE,
	.query = sqlite_query,
	.walk = sqlite_walk,
	.next = sqlite_next,
	.changed = sqlite_changed,
	.value = sqlite_value,
	.name = sqlite_name,
	.free_rows = sqlite_free_rows,
	.script = sqlite_script,
	.begin = sqlite_begin,
	.snapshot = sqlite_snapshot,
	.commit = sqlite_commit,
	.rollback = sqlite_rollback,
	.form = sqlite_form,
	.set_form = sqlite_set_form,
	.close = sqlite_close,
};

void db_sqlite_adopt(struct db *db, sqlite3 *sqlite)
{
	*db = (struct db){ &driver, sqlite };
}

sqlite3 *db_sqlite_of(struct db *db)
{
	return db->driver == &driver ? db->handle : NULL;
}

static int check_whole(struct db *db, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *verdict = NULL;
	int row;

	if (db_query(db, &rows, e, "PRAGMA quick_check(1)", "") < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0 || (row > 0 && db_text(rows, 0, &verdict, e) < 0))
		return err_code(e);
	if (!verdict || strcmp(verdict, "ok") != 0)
		return err_set(e, ERR_DATA_LOSS, "damaged: %s", verdict ? verdict : "no verdict");
	return 0;
}

/* SQLite would create the file with the umask's mode, but it holds private keys of listeners. */
static int make_private(const char *path, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return err_errno(e, "open '%s'", path);
	if (fchmod(fd, 0600) < 0)
		return err_errno(e, "chmod '%s'", path);
	return 0;
}

static int open_as(struct db *db, const char *path, const char *settings, struct err *e)
{
	struct db opened;
	sqlite3 *sqlite = NULL;

	if (sqlite3_open_v2(path, &sqlite,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
			    NULL) != SQLITE_OK) {
		err_set(e, ERR_INTERNAL, "database '%s': %s", path,
			sqlite ? sqlite3_errmsg(sqlite) : "out of memory");
		sqlite3_close(sqlite);
		return err_code(e);
	}
	db_sqlite_adopt(&opened, sqlite);
	sqlite3_busy_timeout(sqlite, BUSY_MS);
	if (db_sqlite_holds(sqlite, e) < 0 || db_script(&opened, settings, e) < 0 ||
	    check_whole(&opened, e) < 0) {
		err_wrap(e, "database '%s'", path);
		db_close(&opened);
		return err_code(e);
	}
	*db = opened;
	return 0;
}

int db_sqlite_open(struct db *db, const char *path, struct err *e)
{
	static const char settings[] =
		"PRAGMA journal_mode=WAL;"
		"PRAGMA synchronous=FULL;"
		"PRAGMA foreign_keys=ON;"
		/* What is deleted is gone, whatever SQLite was built with. */
		"PRAGMA secure_delete=ON;"
		"PRAGMA trusted_schema=OFF;";

	return make_private(path, e) < 0 ? err_code(e) : open_as(db, path, settings, e);
}

int db_sqlite_open_alone(struct db *db, const char *path, struct err *e)
{
	static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE;"
				       "PRAGMA journal_mode=OFF;"
				       "PRAGMA synchronous=OFF;"
				       "PRAGMA cell_size_check=ON;"
				       "PRAGMA trusted_schema=OFF;";

	return open_as(db, path, settings, e);
}
