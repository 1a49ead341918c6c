/* SPDX-License-Identifier: Apache-2.0 */
/*
 * passkey.h — the passkeys of users: public keys whose private halves are in their devices (webauthn.h), by which they sign
 * in without name and password, or which they show instead of a code of the second factor.
 *
 * One is added in two steps: whoever gave the password gets a secret, which is good for that one passkey at a page under
 * the name that passkeys are for, as long as the session lasts in which the password was given. So is a command line let
 * in (device.h), where the session needs no more than to have begun: there a passkey of the same user is shown.
 */
#pragma once

#include "computations/people/device.h"
#include "computations/people/user.h"
#include "computations/people/webauthn.h"

enum {
	PASSKEYS_MAX = 16, /* of a user */
	PASSKEY_HANDLE_LEN = 32,
	PASSKEY_SECRET_LEN = 32,
	PASSKEY_TEXT_LEN = 2 * PASSKEY_SECRET_LEN,
	PASSKEY_MINUTES = 10,   /* from one step to the other */
	PASSKEYS_BEGUN_MAX = 8, /* of a user: the oldest gives way */
	PASSKEY_HOST_MAX = 64,
	/* How long it is remembered that a challenge was answered: longer than any is taken, and clocks may be set. */
	PASSKEY_ANSWER_MS = 86400000,
};

struct passkey {
	int64_t number, created, used; /* ms since 1970; used 0: never */
	int64_t went_back;             /* when its count did last; 0: never */
	bool backed_up;
	char name[PEOPLE_NAME_MAX + 1];
	uint8_t id[WEBAUTHN_ID_MAX];
	size_t id_len;
};
/* All of a user, oldest first. Malloc'ed, for the caller to free; NULL: none. */
int passkey_list(struct db *db, int64_t person, struct passkey **rows, size_t *count,
		 struct err *e) MUST_CHECK;

int passkey_count(struct db *db, int64_t person, int64_t *count, struct err *e) MUST_CHECK;

/* ---- what is begun ---- */

/* A new one. ERR_EXISTS: there is one of that name; ERR_EXHAUSTED: there are PASSKEYS_MAX. */
int passkey_begin(struct db *db, int64_t person, int64_t login, const char *name, int64_t now,
		  char text[PASSKEY_TEXT_LEN + 1], struct err *e) MUST_CHECK;
/* One that is there lets a command line in, by its code. ERR_PRECONDITION: there is none. */
int passkey_begin_device(struct db *db, int64_t person, int64_t login, const char *code,
			 int64_t now, char text[PASSKEY_TEXT_LEN + 1], struct err *e) MUST_CHECK;

struct passkey_begun {
	int64_t number, person;
	char user[PEOPLE_NAME_MAX + 1], name[PEOPLE_NAME_MAX + 1];
	char host[PASSKEY_HOST_MAX + 1];       /* of the session (login.h) */
	char device[DEVICE_CODE_TEXT_LEN + 1]; /* to be let in; "": a new one is begun */
	uint8_t handle[PASSKEY_HANDLE_LEN];
};
/* ERR_UNAUTHENTICATED: it was used, has ended, its session has, or its user is suspended; which, is not said. */
int passkey_begun_find(struct db *db, const char *text, int64_t now, struct passkey_begun *begun,
		       struct err *e) MUST_CHECK;
/* It is good for nothing any more. ERR_UNAUTHENTICATED: somebody was faster. */
int passkey_begun_end(struct db *db, const struct passkey_begun *begun, struct err *e) MUST_CHECK;
/* ERR_EXISTS: its id is known, of whatever user. */
int passkey_add(struct db *db, const struct passkey_begun *begun, const struct webauthn_new *made,
		int64_t now, struct err *e) MUST_CHECK;

/* ---- one that is used ---- */

struct passkey_owner {
	int64_t number, person;
	char user[PEOPLE_NAME_MAX + 1], name[PEOPLE_NAME_MAX + 1];
	uint8_t handle[PASSKEY_HANDLE_LEN], spki[SPKI_MAX];
	size_t spki_len;
	uint32_t count;
	bool eligible;
};
/* ERR_UNAUTHENTICATED: nobody's, or of a user who is suspended; which, is not said. */
int passkey_find(struct db *db, struct span id, struct passkey_owner *owner,
		 struct err *e) MUST_CHECK;
/* Its signature holds. What came of it is kept, also if its count went back: then nobody is in. */
int passkey_note(struct db *db, const struct passkey_owner *owner, const struct webauthn_used *used,
		 int64_t now, struct err *e) MUST_CHECK;
/* Each challenge once. ERR_UNAUTHENTICATED: it was answered. */
int passkey_answer(struct db *db, const uint8_t challenge[WEBAUTHN_CHALLENGE_LEN], int64_t now,
		   struct err *e) MUST_CHECK;

/* ---- the rest ---- */

/* Another name for one; its name was `old`. ERR_NOT_FOUND: that user has none of that number; ERR_EXISTS: another one has
 * the name. */
int passkey_rename(struct db *db, int64_t person, int64_t number, const char *name,
		   char old[PEOPLE_NAME_MAX + 1], struct err *e) MUST_CHECK;
/* Its name was that. ERR_NOT_FOUND: that user has none of that number; ERR_PRECONDITION: it is the last way in. */
int passkey_remove(struct db *db, int64_t person, int64_t number, char name[PEOPLE_NAME_MAX + 1],
		   struct err *e) MUST_CHECK;
/* All of a user, and what was begun. ERR_NOT_FOUND: there is none. */
int passkey_remove_all(struct db *db, int64_t person, struct err *e) MUST_CHECK;
