/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/db.h"

#include "common/base/utf8.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>

/* How long to wait for another process that reads (a backup); only ours writes. */
enum { BUSY_MS = 5000 };

/* Which disk it is that has no room, or fails. */
static int say_where(struct db *db, struct err *e)
{
	const char *where = sqlite3_db_filename(db->sqlite, "main");

	return where ? err_wrap(e, "'%s'", where) : err_code(e);
}

static int db_error(struct db *db, struct err *e, const char *what)
{
	int code = sqlite3_extended_errcode(db->sqlite);
	enum err_code as = ERR_INTERNAL;

	switch (code & 0xff) {
	case SQLITE_FULL:
	case SQLITE_NOMEM:
	case SQLITE_TOOBIG:
		as = ERR_EXHAUSTED;
		break;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		as = ERR_UNAVAILABLE;
		break;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		as = ERR_DATA_LOSS;
		break;
	case SQLITE_CONSTRAINT:
		as = ERR_EXISTS;
		break;
	case SQLITE_IOERR: /* a full disk is one, where SQLite shares memory in a file */
	case SQLITE_CANTOPEN:
		errno = sqlite3_system_errno(db->sqlite);
		if (!errno)
			break;
		err_errno(e, "database: %s: %s", what, sqlite3_errmsg(db->sqlite));
		if (e->code != ERR_EXHAUSTED)
			e->code = ERR_INTERNAL; /* whoever asked for a row did not ask for a file */
		return say_where(db, e);
	}
	err_set(e, as, "database: %s: %s", what, sqlite3_errmsg(db->sqlite));
	return (code & 0xff) == SQLITE_FULL ? say_where(db, e) : err_code(e);
}

static int bind_all(struct db *db, sqlite3_stmt *stmt, const char *types, va_list args,
		    struct err *e)
{
	for (int at = 1; *types; types++, at++) {
		int status = SQLITE_MISUSE;

		if (*types == 't') {
			status = sqlite3_bind_text(stmt, at, va_arg(args, const char *), -1,
						   SQLITE_TRANSIENT);
		} else if (*types == 'i') {
			status = sqlite3_bind_int64(stmt, at, va_arg(args, int64_t));
		} else if (*types == 'b') {
			const void *bytes = va_arg(args, const void *);

			/* NULL would bind SQL's NULL, not an empty blob. */
			status = sqlite3_bind_blob64(stmt, at, bytes ? bytes : "",
						     va_arg(args, size_t), SQLITE_TRANSIENT);
		}
		if (status != SQLITE_OK)
			return db_error(db, e, "bind");
	}
	return 0;
}

static int query(struct db *db, sqlite3_stmt **stmt, const char *sql, const char *types,
		 va_list args, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *ready = NULL;

	if (sqlite3_prepare_v2(db->sqlite, sql, -1, &ready, NULL) != SQLITE_OK)
		return db_error(db, e, "prepare");
	if (bind_all(db, ready, types, args, e) < 0)
		return err_code(e);
	*stmt = TAKE_PTR(ready);
	return 0;
}

int db_query(struct db *db, sqlite3_stmt **stmt, struct err *e, const char *sql, const char *types,
	     ...)
{
	va_list args;
	int failed;

	va_start(args, types);
	failed = query(db, stmt, sql, types, args, e);
	va_end(args);
	return failed;
}

int db_next(struct db *db, sqlite3_stmt *stmt, struct err *e)
{
	switch (sqlite3_step(stmt)) {
	case SQLITE_ROW:
		return 1;
	case SQLITE_DONE:
		return 0;
	default:
		return db_error(db, e, "step");
	}
}

int db_run(struct db *db, struct err *e, const char *sql, const char *types, ...)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	va_list args;
	int failed;

	va_start(args, types);
	failed = query(db, &stmt, sql, types, args, e);
	va_end(args);
	return failed ? failed : db_next(db, stmt, e);
}

int db_number(struct db *db, int64_t *number, struct err *e, const char *sql, const char *types,
	      ...)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	va_list args;
	int failed, found;

	va_start(args, types);
	failed = query(db, &stmt, sql, types, args, e);
	va_end(args);
	if (failed)
		return failed;
	found = db_next(db, stmt, e);
	if (found < 0)
		return found;
	if (!found)
		return err_set(e, ERR_NOT_FOUND, "not there");
	*number = sqlite3_column_int64(stmt, 0);
	return 0;
}

int db_script(struct db *db, const char *sql, struct err *e)
{
	if (sqlite3_exec(db->sqlite, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_error(db, e, "run");
	return 0;
}

static int foreign(sqlite3_stmt *stmt, int column, const char *what, struct err *e)
{
	return err_set(
		e, ERR_DATA_LOSS,
		"database: column %s is not %s: another program wrote or damaged it; restore "
		"the database from a copy",
		sqlite3_column_name(stmt, column), what);
}

int db_text(sqlite3_stmt *stmt, int column, char **text, struct err *e)
{
	const char *found;
	size_t len;

	if (sqlite3_column_type(stmt, column) != SQLITE_TEXT)
		return foreign(stmt, column, "a text", e);
	found = (const char *)sqlite3_column_text(stmt, column);
	if (!found)
		return err_nomem(e);
	len = (size_t)sqlite3_column_bytes(stmt, column);
	if (memchr(found, 0, len) || !utf8_valid(found, len))
		return foreign(stmt, column, "UTF-8", e);
	*text = strdup(found);
	return *text ? 0 : err_nomem(e);
}

int db_integer(sqlite3_stmt *stmt, int column, int64_t min, int64_t max, int64_t *number,
	       struct err *e)
{
	int64_t found = sqlite3_column_int64(stmt, column);

	if (sqlite3_column_type(stmt, column) != SQLITE_INTEGER)
		return foreign(stmt, column, "a number", e);
	if (found < min || found > max)
		return foreign(stmt, column, "in its range", e);
	*number = found;
	return 0;
}

int db_flag(sqlite3_stmt *stmt, int column, bool *flag, struct err *e)
{
	int64_t found;

	if (db_integer(stmt, column, 0, 1, &found, e) < 0)
		return err_code(e);
	*flag = found != 0;
	return 0;
}

int db_blob(sqlite3_stmt *stmt, int column, size_t max, const void **bytes, size_t *len,
	    struct err *e)
{
	if (sqlite3_column_type(stmt, column) != SQLITE_BLOB)
		return foreign(stmt, column, "a blob", e);
	if ((size_t)sqlite3_column_bytes(stmt, column) > max)
		return foreign(stmt, column, "of its length", e);
	*bytes = sqlite3_column_blob(stmt, column);
	*len = (size_t)sqlite3_column_bytes(stmt, column);
	return 0;
}

static int check_whole(struct db *db, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
	const char *verdict;

	if (db_query(db, &stmt, e, "PRAGMA quick_check(1)", "") < 0)
		return err_code(e);
	if (db_next(db, stmt, e) < 0)
		return err_code(e);
	verdict = (const char *)sqlite3_column_text(stmt, 0);
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

int db_open(struct db *db, const char *path, struct err *e)
{
	static const char settings[] = "PRAGMA journal_mode=WAL;"
				       "PRAGMA synchronous=FULL;"
				       "PRAGMA foreign_keys=ON;"
				       "PRAGMA trusted_schema=OFF;";
	struct db opened = { .sqlite = NULL };

	if (make_private(path, e) < 0)
		return err_code(e);
	if (sqlite3_open_v2(path, &opened.sqlite,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
			    NULL) != SQLITE_OK) {
		err_set(e, ERR_INTERNAL, "database '%s': %s", path,
			opened.sqlite ? sqlite3_errmsg(opened.sqlite) : "out of memory");
		db_close(&opened);
		return err_code(e);
	}
	sqlite3_busy_timeout(opened.sqlite, BUSY_MS);
	if (db_script(&opened, settings, e) < 0 || check_whole(&opened, e) < 0) {
		err_wrap(e, "database '%s'", path);
		db_close(&opened);
		return err_code(e);
	}
	*db = opened;
	return 0;
}

void db_close(struct db *db)
{
	sqlite3_close(db->sqlite);
	db->sqlite = NULL;
}
