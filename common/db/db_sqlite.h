/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_sqlite.h — a database in a file, by SQLite.
 */
#pragma once

#include "common/db/db.h"

#include <sqlite3.h>

/* Opens or creates `path` (0600) in WAL mode, where a commit is on disk before it returns.
 * Refuses a file that is not a database, or is damaged. */
int db_sqlite_open(struct db *db, const char *path, struct err *e) MUST_CHECK;

/* The same of a file that is there, which nobody else uses and which counts for nothing if anything fails: it has no
 * log, and nothing waits for the disk. */
int db_sqlite_open_alone(struct db *db, const char *path, struct err *e) MUST_CHECK;

/* A connection that is open already, as it is set; `db` owns it from now on. */
void db_sqlite_adopt(struct db *db, sqlite3 *sqlite);
/* Its connection, lent; NULL if it is no SQLite's. */
sqlite3 *db_sqlite_of(struct db *db);
