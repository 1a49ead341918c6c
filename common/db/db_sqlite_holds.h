/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_sqlite_holds.h — texticregexeq() for SQLite: whether a text has another one in it, which stands behind DB_HOLDS, whatever
 * the case of ASCII's letters. It is PostgreSQL's name for it, so that one statement is for both.
 *
 * LIKE tries each place of a text anew: who chooses both makes one row take hundredths of a second. Here, as there, each
 * character is looked at once.
 */
#pragma once

#include "common/base/err.h"

#include <sqlite3.h>

int db_sqlite_holds(sqlite3 *sqlite, struct err *e) MUST_CHECK;
