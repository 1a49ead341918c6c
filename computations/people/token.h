/* SPDX-License-Identifier: Apache-2.0 */
/*
 * token.h — tokens by which users are known: shown once, kept as hashes, with an end and a scope.
 *
 * A token is "cocos_" and 32 random bytes in hexadecimal: nobody guesses it, so its plain SHA-256 is kept.
 */
#pragma once

#include "common/crypto/digest.h"
#include "computations/people/user.h"

#define TOKEN_PREFIX "cocos_"

enum {
	TOKEN_SECRET_LEN = 32,
	TOKEN_TEXT_LEN = sizeof(TOKEN_PREFIX) - 1 + 2 * TOKEN_SECRET_LEN,
	TOKENS_MAX = 32, /* of a user, those that have ended included */
	TOKEN_DAYS_MAX = 366,
	TOKEN_USED_EVERY_MS = 60000, /* how exactly it is known when a token was used */
};

/* The hash by which a token is found. ERR_UNAUTHENTICATED: it has not the form of one. */
int token_hash(const char *text, uint8_t hash[SHA256_LEN], struct err *e) MUST_CHECK;

struct token {
	char *name;
	unsigned scope;
	int64_t created, expires, used; /* ms since 1970; used 0: never */
};
void token_done(struct token *t);

/* A new token of that user, in `text`. Only `name`, `scope` and `expires` count. Where there are TOKENS_MAX, the one that
 * ended first goes; ERR_EXHAUSTED: none has ended. */
int token_add(struct db *db, int64_t person, const struct token *t, int64_t now,
	      char text[TOKEN_TEXT_LEN + 1], struct err *e) MUST_CHECK;
/* All of a user, oldest first: at most TOKENS_MAX. */
int token_list(struct db *db, int64_t person, struct token rows[TOKENS_MAX], size_t *count,
	       struct err *e) MUST_CHECK;
int token_remove(struct db *db, int64_t person, const char *name, struct err *e) MUST_CHECK;

/* The one of that hash, if there is one. */
int token_end(struct db *db, const uint8_t hash[SHA256_LEN], struct err *e) MUST_CHECK;

/* Whose it is. */
struct token_owner {
	int64_t person; /* 0: nobody's */
	char name[PEOPLE_NAME_MAX + 1];
	bool administrator, auditor;
	unsigned scope;
	int64_t expires;
};

/* ERR_UNAUTHENTICATED: it is nobody's, has ended, or its user is suspended; which, is not said. */
int token_who(struct db *db, const uint8_t hash[SHA256_LEN], int64_t now, struct token_owner *who,
	      struct err *e) MUST_CHECK;
