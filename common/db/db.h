/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db.h — a relational database with our errors: open, ask, read rows.
 *
 * Statements are constants of the program with ?, or ?1, ?2 and so on, where values go. Values are bound by
 * a string of letters: t text (const char *, NULL allowed), i int64_t, b bytes (const void *, size_t).
 * Which database it is, only who opens it knows (db_sqlite.h, db_postgres.h); what their SQL calls
 * differently is in db_dialect.h.
 *
 * One connection, used by one caller at a time, and blocking: not for the loop's thread.
 *
 * Errors: ERR_UNAVAILABLE is the one answer to what may pass: locked by somebody else, lost to another
 * transaction, too slow, the server is gone. Nothing was done then, and whoever tries again begins with
 * the transaction; of a statement outside of one, whose answer got lost, nobody knows. ERR_EXISTS: a
 * constraint. ERR_EXHAUSTED: no room. ERR_DATA_LOSS: damaged. ERR_PRECONDITION: it is another program's, or
 * not what this one can use.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum { DB_PARAMS_MAX = 32 }; /* values of a statement */

/* texticregexeq(TEXT, ?1), where the value is this and then some text: whether TEXT has that in it, whatever its case (of
 * ASCII, where the database knows no other). LIKE takes time by the product of their lengths, this by their sum. */
#define DB_HOLDS "***="

struct db_driver;

struct db {
	const struct db_driver *driver;
	void *handle; /* the driver's */
};
void db_close(struct db *db);

/* Rows on their way. */
struct db_rows;
void db_rows_free(struct db_rows *rows);
DEFINE_CLEANUP(struct db_rows *, db_rows_free)

/* A statement with its values, ready for db_next(); the caller frees it. */
int db_query(struct db *db, struct db_rows **rows, struct err *e, const char *sql,
	     const char *types, ...) MUST_CHECK;

/* 1: there is a row; 0: no more; negative: failed. */
int db_next(struct db_rows *rows, struct err *e) MUST_CHECK;

/* A statement without rows. */
int db_run(struct db *db, struct err *e, const char *sql, const char *types, ...) MUST_CHECK;

/* The same; `*changed`: how many rows it has changed. */
int db_change(struct db *db, int64_t *changed, struct err *e, const char *sql, const char *types,
	      ...) MUST_CHECK;

/* The first column of the first row, a number; ERR_NOT_FOUND without a row. */
int db_number(struct db *db, int64_t *number, struct err *e, const char *sql, const char *types,
	      ...) MUST_CHECK;

/* Several statements without values, in which {words} stand for what databases call differently. */
int db_script(struct db *db, const char *sql, struct err *e) MUST_CHECK;

/* A transaction that no other one can be seen to have interfered with. What db_commit() has
 * acknowledged is on disk. Failed, nothing of it is there, and no transaction is open; ERR_UNKNOWN alone
 * says that the server's answer got lost, and it may be there. */
int db_begin(struct db *db, struct err *e) MUST_CHECK;
int db_commit(struct db *db, struct err *e) MUST_CHECK;
void db_rollback(struct db *db);

/* The database's clock, ms since 1970: one for all who use a server. */
int db_clock(struct db *db, int64_t *ms, struct err *e) MUST_CHECK;

/* A transaction that only reads, all of it as of one moment, whoever writes meanwhile; db_rollback() ends it. */
int db_snapshot(struct db *db, struct err *e) MUST_CHECK;

/* ---- a row's columns, from 0. What this program would not have written there is ERR_DATA_LOSS, which names
 * the column: rows become messages, and loops count by them. ---- */

/* Its name, lent until the rows are freed. */
const char *db_column_name(struct db_rows *rows, int column);
/* A malloc'ed string: UTF-8, without a zero byte. */
int db_text(struct db_rows *rows, int column, char **text, struct err *e) MUST_CHECK;
/* From `min` to `max`. */
int db_integer(struct db_rows *rows, int column, int64_t min, int64_t max, int64_t *number,
	       struct err *e) MUST_CHECK;
/* 0 or 1. */
int db_flag(struct db_rows *rows, int column, bool *flag, struct err *e) MUST_CHECK;
/* Lent until the next row; at most `max` bytes. Never NULL, of an empty one neither. */
int db_blob(struct db_rows *rows, int column, size_t max, const void **bytes, size_t *len,
	    struct err *e) MUST_CHECK;
