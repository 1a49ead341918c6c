/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_dialect.h — where the databases' SQL differs: one table of words, and how values are numbered.
 *
 * All else is written so that each of them understands it.
 */
#pragma once

#include "common/base/err.h"

enum db_dialect { DB_SQLITE, DB_POSTGRES, DB_DIALECTS };

/* The text with its {words} in that dialect, malloc'ed. A word that the table lacks is ERR_INTERNAL. */
int db_dialect_words(enum db_dialect dialect, const char *sql, char **out,
		     struct err *e) MUST_CHECK;

/* A statement's ? and ?1 as $1, malloc'ed; what stands in quotes stays. ERR_INTERNAL if it needs other than
 * `params` values. */
int db_dialect_dollars(const char *sql, size_t params, char **out, struct err *e) MUST_CHECK;
