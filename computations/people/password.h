/* SPDX-License-Identifier: Apache-2.0 */
/*
 * password.h — users' passwords, kept as argon2id (RFC 9106) with what it was computed with.
 *
 * A password is its bytes as they were typed: valid UTF-8 without control characters. Nothing is normalized: what
 * keyboards of one script give is composed alike nearly everywhere, and a library for the rest would read what
 * strangers send.
 */
#pragma once

#include "computations/people/user.h"

#include <stddef.h>

enum {
	PASSWORD_MIN = 12,  /* characters */
	PASSWORD_MAX = 256, /* bytes */
	PASSWORD_WEIGHT = 6,
	PASSWORD_SALT_LEN = 16,
	PASSWORD_HASH_LEN = 32,
	/* What a new one is computed with (RFC 9106, section 4, second choice, in one lane), and the most that is
	 * believed of one that is kept. */
	PASSWORD_MEMORY_KIB = 64 << 10,
	PASSWORD_PASSES = 3,
	PASSWORD_MEMORY_KIB_MAX = 256 << 10,
	PASSWORD_PASSES_MAX = 16,
};

struct password {
	uint8_t salt[PASSWORD_SALT_LEN], hash[PASSWORD_HASH_LEN];
	uint32_t memory, passes; /* KiB */
};

/* Whether somebody may choose it: its length; and characters that are neither the user's name, nor a word of our
 * small list, nor go on with a run such as "345" or "aaa". */
int password_check(const char *user, const char *text, struct err *e) MUST_CHECK;

/* These take PASSWORD_MEMORY_KIB, and tenths of a second: password_line.h. */
int password_make(const char *text, struct password *p, struct err *e) MUST_CHECK;
int password_matches(const struct password *p, const char *text, bool *matches,
		     struct err *e) MUST_CHECK;

/* Replaces the one that he had. */
int password_set(struct db *db, int64_t person, const struct password *p, int64_t now,
		 struct err *e) MUST_CHECK;

/* Whose password is to be compared. */
struct password_owner {
	int64_t person; /* 0: of nobody who can sign in, and no password matches */
	struct password password;
};
/* Nobody's takes as long as anybody's. */
int password_find(struct db *db, const char *user, struct password_owner *owner,
		  struct err *e) MUST_CHECK;
