/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_state.h — what the parts of the registry share: the open database, and how it is asked.
 * Private to registry*.c. The caller has locked it, or is the only one that knows it.
 */
#pragma once

#include "manager/registry/registry_row.h"

#include <pthread.h>

/* A manager that guessed would remove what it does not know. */
#define WAY_OUT                                                                             \
	"damaged; move registry.db away, with its -wal and -shm, and start again: what it " \
	"knew is listed then, and nothing removed"

struct registry {
	pthread_mutex_t lock;
	sqlite3 *db;
	bool is_copy; /* one CVM's record: nothing else is lost with it */
	char tag[REGISTRY_TAG_LEN + 1];
	uint64_t epoch;
};

DEFINE_CLEANUP(sqlite3_stmt *, sqlite3_finalize)

/* registry_open.c. Empty tables of the newest form, with the tag; and those of an older version made
 * to be of that form, in the caller's transaction. */
int registry_make_tables(struct registry *r, const char *tag, struct err *e) MUST_CHECK;
int registry_migrate(struct registry *r, int version, struct err *e) MUST_CHECK;
int registry_version(struct registry *r, int *version, struct err *e) MUST_CHECK;
int registry_check_integrity(struct registry *r, struct err *e) MUST_CHECK;

/* registry_sql.c. What SQLite says, as an error of ours. */
int registry_error(struct registry *r, struct err *e);
int registry_damaged(const struct registry *r, const char *why, struct err *e);
int registry_prepare(struct registry *r, const char *sql, sqlite3_stmt **s,
		     struct err *e) MUST_CHECK;
int registry_exec(struct registry *r, const char *sql, struct err *e) MUST_CHECK;

/* Runs a statement that gives no rows and must change exactly one, that of `id`. */
int registry_run(struct registry *r, sqlite3_stmt *s, const char *id, struct err *e) MUST_CHECK;

/* registry_cvms.c. */
int registry_insert(struct registry *r, const struct cvm *cvm, struct err *e) MUST_CHECK;
