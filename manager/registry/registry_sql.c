/* SPDX-License-Identifier: Apache-2.0 */
/* registry_sql.c — statements of the registry, and what SQLite says of them. */
#include "manager/registry/registry_state.h"

#include <errno.h>

int registry_damaged(const struct registry *r, const char *why, struct err *e)
{
	return err_set(e, ERR_DATA_LOSS, r->is_copy ? "damaged: %s" : "registry: " WAY_OUT ": %s",
		       why);
}

int registry_error(struct registry *r, struct err *e)
{
	int code = sqlite3_extended_errcode(r->db), kind = code & 0xff;

	if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB)
		return registry_damaged(r, sqlite3_errmsg(r->db), e);
	if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
		return err_set(e, ERR_EXISTS, "registry: %s", sqlite3_errmsg(r->db));
	/* A full disk is an I/O error where SQLite shares memory in a file. */
	errno = kind == SQLITE_IOERR ? sqlite3_system_errno(r->db) : 0;
	if (errno)
		err_errno(e, "registry: %s", sqlite3_errmsg(r->db));
	else
		err_set(e, kind == SQLITE_FULL ? ERR_EXHAUSTED : ERR_INTERNAL, "registry: %s",
			sqlite3_errmsg(r->db));
	const char *where = sqlite3_db_filename(r->db, "main");
	return where && !r->is_copy ? err_wrap(e, "'%s'", where) : err_code(e);
}

int registry_prepare(struct registry *r, const char *sql, sqlite3_stmt **s, struct err *e)
{
	return sqlite3_prepare_v2(r->db, sql, -1, s, NULL) == SQLITE_OK ? 0 : registry_error(r, e);
}

int registry_run(struct registry *r, sqlite3_stmt *s, const char *id, struct err *e)
{
	if (sqlite3_step(s) != SQLITE_DONE)
		return registry_error(r, e);
	if (sqlite3_changes(r->db) != 1)
		return err_set(e, ERR_NOT_FOUND, "registry: no CVM '%s'", id);
	return 0;
}

int registry_exec(struct registry *r, const char *sql, struct err *e)
{
	return sqlite3_exec(r->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : registry_error(r, e);
}
