/* SPDX-License-Identifier: Apache-2.0 */
/*
 * db_postgres.h — a database on a PostgreSQL server (13 or newer).
 *
 * Each call has a time limit, on the server and here. A connection that is gone is made anew by the next
 * transaction, at growing intervals while that fails; a transaction never outlives its connection. Where
 * the answer to a commit got lost, a row that it wrote says what became of it.
 */
#pragma once

#include "common/db/db.h"

struct db_postgres {
	const char *place;  /* a URI or a connection string */
	const char *schema; /* its tables are in there: lower-case letters and _ */
	/* Nobody else who says so uses that schema while this connection lasts. */
	bool exclusive;
	/* Others who say so use it, too; none who is exclusive. */
	bool shared;
	/* What the server calls the connection (application_name), for who looks for its holder
	 * (db_postgres_hold.h): letters, digits, blanks and -, at most 63. NULL: what the place says. */
	const char *name;
	/* Nothing is made or changed: without tables its form is 0. */
	bool look;
};

/* "postgresql://…", "postgres://…" or "key=value …"; else it is a path. */
bool db_postgres_is_place(const char *place);

/* Looks at the place alone. Refused: passwords in it, what is not known to be harmless, libpq's variables in
 * the environment, TLS below verify-full off this machine. */
int db_postgres_check(const char *place, struct err *e) MUST_CHECK;

/* ERR_PRECONDITION for a server that is too old, has another encoding than UTF-8, or where another program
 * is exclusive, or where other roles own the schema or what is in it, or may create there. Its words say where it is, and no password. */
int db_postgres_open(struct db *db, const struct db_postgres *how, struct err *e) MUST_CHECK;
