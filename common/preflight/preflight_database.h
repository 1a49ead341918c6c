/* SPDX-License-Identifier: Apache-2.0 */
/*
 * preflight_database.h — whether a daemon's database can be used by this program, without touching it.
 */
#pragma once

#include "common/preflight/preflight.h"

#include <stdint.h>

/* Its `user_version` is from 0 to `form`, its pages hold together, and it can be opened for writing. A missing file is
 * fine: it is made at the start (preflight_folder_of() says whether it can be). A daemon may use it meanwhile, and is not held up: what its write-ahead log holds counts, nothing is written,
 * and no file is made. Not for a process that has the file open itself. */
int preflight_database(const char *path, int form, char found[PREFLIGHT_TEXT_MAX],
		       struct err *e) MUST_CHECK;

/* The same of a database at a place of PostgreSQL's (db_postgres.h), where the tables are in `schema`. Nobody is kept
 * from it, and nothing is made. */
int preflight_server(const char *place, const char *schema, int form,
		     char found[PREFLIGHT_TEXT_MAX], struct err *e) MUST_CHECK;

/* A number that a statement asks of a file, in the same way. ERR_UNAVAILABLE: only a start can read it. */
int preflight_number(const char *path, const char *sql, int64_t *number, struct err *e) MUST_CHECK;
