/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h — SQLite with our errors: open, ask, step.
 *
 * Parameters are bound by a string of letters: t text (NULL allowed), i int64_t, b blob (pointer,
 * size_t). One connection, used by one caller at a time (store_queue.h sees to that).
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>
#include <sqlite3.h>

DEFINE_CLEANUP(sqlite3_stmt *, sqlite3_finalize)

struct db {
	sqlite3 *sqlite;
};

/* Opens or creates `path` (0600) in WAL mode, where a commit is on disk before it returns.
 * Refuses a file that is not a database, is damaged, or belongs to a newer program. */
int db_open(struct db *db, const char *path, struct err *e) MUST_CHECK;
void db_close(struct db *db);

/* A statement with its parameters, ready for db_next(); the caller finalizes it. */
int db_query(struct db *db, sqlite3_stmt **stmt, struct err *e, const char *sql, const char *types,
	     ...) MUST_CHECK;

/* 1: there is a row; 0: no more; negative: failed. */
int db_next(struct db *db, sqlite3_stmt *stmt, struct err *e) MUST_CHECK;

/* A statement without rows. */
int db_run(struct db *db, struct err *e, const char *sql, const char *types, ...) MUST_CHECK;

/* The first column of the first row; ERR_NOT_FOUND without a row. */
int db_number(struct db *db, int64_t *number, struct err *e, const char *sql, const char *types,
	      ...) MUST_CHECK;

/* Several statements without parameters. */
int db_script(struct db *db, const char *sql, struct err *e) MUST_CHECK;

/* ---- a row's columns. What this program would not have written there is ERR_DATA_LOSS, which names the
 * column: rows become messages, and loops count by them. ---- */

/* A malloc'ed string: UTF-8, without a zero byte. */
int db_text(sqlite3_stmt *stmt, int column, char **text, struct err *e) MUST_CHECK;
/* From `min` to `max`. */
int db_integer(sqlite3_stmt *stmt, int column, int64_t min, int64_t max, int64_t *number,
	       struct err *e) MUST_CHECK;
/* 0 or 1. */
int db_flag(sqlite3_stmt *stmt, int column, bool *flag, struct err *e) MUST_CHECK;
/* Lent until the statement goes on; at most `max` bytes. */
int db_blob(sqlite3_stmt *stmt, int column, size_t max, const void **bytes, size_t *len,
	    struct err *e) MUST_CHECK;
