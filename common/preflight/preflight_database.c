/* SPDX-License-Identifier: Apache-2.0 */
#include "common/preflight/preflight_database.h"

#include "common/base/cleanup.h"
#include "common/base/writer.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <sqlite3.h>

enum { URI_MAX = 3 * 4096 + 64 };

static void close_database(sqlite3 *db)
{
	sqlite3_close(db);
}
DEFINE_CLEANUP(sqlite3 *, close_database)
DEFINE_CLEANUP(sqlite3_stmt *, sqlite3_finalize)

/* A path as a URI that says: nobody changes this file, so don't lock it, and write nothing beside it. */
static char *uri_of(const char *path)
{
	struct writer w CLEANUP_WRITER = writer_up_to(URI_MAX);
	size_t len;

	writer_text(&w, "file:");
	for (; *path; path++)
		if (strchr("%?#", *path))
			writer_printf(&w, "%%%02X", (unsigned char)*path);
		else
			writer_u8(&w, (uint8_t)*path);
	writer_text(&w, "?immutable=1");
	return (char *)writer_take(&w, &len);
}

static int sqlite_error(sqlite3 *db, const char *path, struct err *e)
{
	int code = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;

	return err_set(
		e, code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? ERR_DATA_LOSS : ERR_INTERNAL,
		"'%s': %s", path, db ? sqlite3_errmsg(db) : "out of memory");
}

/* The first column of the first row of a pragma. */
static int ask(sqlite3 *db, const char *path, const char *pragma, sqlite3_stmt **row, struct err *e)
{
	if (sqlite3_prepare_v2(db, pragma, -1, row, NULL) != SQLITE_OK ||
	    sqlite3_step(*row) != SQLITE_ROW)
		return sqlite_error(db, path, e);
	return 0;
}

int preflight_database(const char *path, int form, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	CLEANUP(close_database) sqlite3 *db = NULL;
	CLEANUP(sqlite3_finalize) sqlite3_stmt *version = NULL, *whole = NULL;
	CLEANUP(free) char *uri = NULL;
	const char *answer;
	struct stat st;
	int has;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? preflight_found(found, "'%s' is made at the start", path)
				       : err_errno(e, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_PRECONDITION, "'%s' is no regular file", path);
	uri = uri_of(path);
	if (!uri)
		return err_nomem(e);
	if (sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) != SQLITE_OK ||
	    ask(db, path, "PRAGMA user_version", &version, e) < 0)
		return sqlite_error(db, path, e);
	has = sqlite3_column_int(version, 0);
	if (has < 0 || has > form)
		return err_set(e, ERR_PRECONDITION,
			       "'%s' has form %d, and this program knows those up to %d", path, has,
			       form);
	if (ask(db, path, "PRAGMA quick_check(1)", &whole, e) < 0)
		return err_code(e);
	answer = (const char *)sqlite3_column_text(whole, 0);
	if (!answer || strcmp(answer, "ok") != 0)
		return err_set(e, ERR_DATA_LOSS, "'%s' is damaged: %s", path,
			       answer ? answer : "out of memory");
	return has < form ? preflight_found(found, "'%s', form %d, becomes %d at the start", path,
					    has, form)
			  : preflight_found(found, "'%s', form %d", path, has);
}
