/* SPDX-License-Identifier: Apache-2.0 */
/*
 * half.h — who gave the password, and owes a code of the second factor: a secret, kept as its hash, which is no session and
 * good for nothing but to give that code with it.
 */
#pragma once

#include "computations/people/user.h"

enum {
	HALF_LEN = 32,
	HALF_TEXT_LEN = 2 * HALF_LEN,
	HALF_MINUTES = 5,
	/* Of a user: the oldest gives way. More than one address makes in that time (sign_in_rate.h), or whoever knows the
	 * password has the owner's forgotten before the code is typed. */
	HALVES_MAX = 64,
};

int half_add(struct db *db, int64_t person, int64_t now, char text[HALF_TEXT_LEN + 1],
	     struct err *e) MUST_CHECK;

struct half {
	int64_t person;
	char user[PEOPLE_NAME_MAX + 1];
};
/* ERR_UNAUTHENTICATED: it was used, has ended, is none, or of a user who is suspended; which, is not said. */
int half_find(struct db *db, const char *text, int64_t now, struct half *half,
	      struct err *e) MUST_CHECK;
/* The same, for the one time that it works. */
int half_take(struct db *db, const char *text, int64_t now, struct half *half,
	      struct err *e) MUST_CHECK;

/* That user's are good for nothing any more. */
int half_forget(struct db *db, int64_t person, struct err *e) MUST_CHECK;
