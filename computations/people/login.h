/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login.h — sessions of users who signed in with a browser: kept as hashes of a random secret, so that they last
 * over a restart, each with an end by silence, an end in any case, and the host that it is for.
 */
#pragma once

#include "computations/people/token.h"

enum {
	LOGIN_SECRET_LEN = 32,
	LOGIN_TEXT_LEN = 2 * LOGIN_SECRET_LEN,
	LOGINS_MAX = 16, /* of a user: the one that was used longest ago gives way */
	LOGIN_IDLE_MS = 2 * 3600 * 1000,
	LOGIN_LONGEST_MS = 12 * 3600 * 1000,
	LOGIN_SEEN_EVERY_MS = 60000, /* how exactly it is known when it was used */
	LOGIN_PEER_MAX = 64,         /* bytes; what is longer is cut */
	LOGIN_ABOUT_MAX = 160,
	LOGIN_FRESH_MINUTES = 5, /* so long it stands for the password of who has none */
};

/* The hash by which a session is found. ERR_UNAUTHENTICATED: it has not the form of one. */
int login_hash(const char *text, uint8_t hash[SHA256_LEN], struct err *e) MUST_CHECK;

struct login {
	int64_t number, created, seen; /* ms since 1970 */
	char *peer, *about;            /* where it began, and what the browser says that it is */
};
void login_done(struct login *l);

/* A new session of that user, in `text`. `host` "": of the name that the certificate has. */
int login_add(struct db *db, int64_t person, const char *host, const struct login *from,
	      int64_t now, char text[LOGIN_TEXT_LEN + 1], struct err *e) MUST_CHECK;
/* Whose it is, and its number. ERR_UNAUTHENTICATED: nobody's, has ended, is for another host, or of a user who is
 * suspended; which, is not said. */
int login_who(struct db *db, const uint8_t hash[SHA256_LEN], const char *host, int64_t now,
	      struct token_owner *who, int64_t *number, struct err *e) MUST_CHECK;
/* ERR_INVALID: it began earlier than that. */
int login_check_fresh(struct db *db, int64_t number, int64_t now, struct err *e) MUST_CHECK;
/* Those of a user that have not ended, oldest first. */
int login_list(struct db *db, int64_t person, int64_t now, struct login rows[LOGINS_MAX],
	       size_t *count, struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND: he has none of that number. */
int login_end(struct db *db, int64_t person, int64_t number, struct err *e) MUST_CHECK;
/* The one of that hash, if there is one. */
int login_forget(struct db *db, const uint8_t hash[SHA256_LEN], struct err *e) MUST_CHECK;
/* All of his but that one (0: all), and those that wait for a code (half.h). */
int login_end_others(struct db *db, int64_t person, int64_t number, struct err *e) MUST_CHECK;
