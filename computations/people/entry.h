/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry.h — links that let somebody choose a password once: a user to whom an administrator gave one, or whoever
 * becomes the first administrator. Kept as hashes.
 */
#pragma once

#include "computations/people/token.h"

enum {
	ENTRY_SECRET_LEN = 32,
	ENTRY_TEXT_LEN = 2 * ENTRY_SECRET_LEN,
	ENTRY_MINUTES = 60,
};

/* A link for that user, or (0) for the first administrator; an older one is good for nothing from now on. */
int entry_add(struct db *db, int64_t person, int64_t now, char text[ENTRY_TEXT_LEN + 1],
	      struct err *e) MUST_CHECK;

struct entry_owner {
	int64_t person;                 /* 0: the first administrator's */
	char name[PEOPLE_NAME_MAX + 1]; /* of the user; "" */
};
/* ERR_UNAUTHENTICATED: it was used, has ended, or is none; of the first administrator's, too, once there is one. */
int entry_find(struct db *db, const char *text, int64_t now, struct entry_owner *owner,
	       struct err *e) MUST_CHECK;
/* The same, for the one time that it works. */
int entry_take(struct db *db, const char *text, int64_t now, struct entry_owner *owner,
	       struct err *e) MUST_CHECK;

/* The links of that user are good for nothing any more. */
int entry_forget(struct db *db, int64_t person, struct err *e) MUST_CHECK;

/* Nobody administers the service who is not suspended. */
int entry_first_is_wanted(struct db *db, bool *wanted, struct err *e) MUST_CHECK;
