/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user.h — the people whom the service knows, by name.
 *
 * Blocking, inside a transaction of the caller's, like the rest of this room.
 */
#pragma once

#include "common/db/db.h"

enum {
	PEOPLE_NAME_MAX = 63,
	USERS_MAX = 10000,
};

/* A name of a user, token or role: a-z 0-9 . _ @ + -, with a letter or digit first. No two look the same, and
 * none has to be escaped anywhere. `what` begins the refusal. */
int people_name_check(const char *what, const char *name, struct err *e) MUST_CHECK;

struct user {
	int64_t number, created; /* ms since 1970 */
	char *name;
	bool administrator, suspended, auditor, has_factor;
	uint32_t passkeys;
};
void user_done(struct user *u);
#define CLEANUP_USER __attribute__((cleanup(user_done)))

/* ERR_EXISTS if the name is taken. */
int user_add(struct db *db, const char *name, bool administrator, int64_t now,
	     struct err *e) MUST_CHECK;
/* Reads the service's logs, or no more. */
int user_audit(struct db *db, const char *name, bool auditor, struct err *e) MUST_CHECK;
int user_find(struct db *db, const char *name, struct user *u, struct err *e) MUST_CHECK;
int user_numbered(struct db *db, int64_t number, struct user *u, struct err *e) MUST_CHECK;
/* At most `max` after `after` ("" for the first), oldest first. */
int user_list(struct db *db, const char *after, size_t max, struct user *rows, size_t *count,
	      struct err *e) MUST_CHECK;
/* His tokens are good for nothing meanwhile. Calling it again is fine. */
int user_suspend(struct db *db, const char *name, bool suspended, struct err *e) MUST_CHECK;
/* Once one is gone: he still has a password, an account at a provider, or a passkey. ERR_PRECONDITION: it was the last,
 * and the caller's transaction has to take it back. */
int user_check_way_in(struct db *db, int64_t person, struct err *e) MUST_CHECK;
/* With his tokens and roles. ERR_PRECONDITION: some computation would have no owner any more. */
int user_remove(struct db *db, const char *name, struct err *e) MUST_CHECK;
