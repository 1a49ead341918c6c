/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_postgres_hold.h — who has a schema for himself (struct db_postgres, `exclusive`), as another session of the same role
 * sees it, and how such a session is ended whose program does not answer any more.
 *
 * The lock is the session's: when the server has ended that, its transaction is undone or kept as a whole, and nothing more
 * is written by it. Its program gets a new one only by taking the lock like everybody else.
 */
#pragma once

#include "common/db/db.h"

/* How many sessions hold it: 0 or 1, or several who share it. */
int db_postgres_holders(struct db *db, const char *schema, int64_t *count,
			struct err *e) MUST_CHECK;

/* Whom to end: who is called `name`; and who has been there for `older_ms` and whose name begins with `kind`.
 * Both are texts that mean themselves. */
struct db_postgres_holder {
	const char *name, *kind;
	int64_t older_ms;
};
/* `*ended`: how many sessions that hold it were told to end, which they do soon. */
int db_postgres_end_holder(struct db *db, const char *schema,
			   const struct db_postgres_holder *holder, int64_t *ended,
			   struct err *e) MUST_CHECK;
