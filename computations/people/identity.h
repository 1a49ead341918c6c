/* SPDX-License-Identifier: Apache-2.0 */
/*
 * identity.h — accounts at providers of identities that sign a user in here: by issuer and subject, which together name
 * one account for ever; never by a name or an address for mail, which others may have tomorrow.
 */
#pragma once

#include "computations/people/user.h"

enum {
	IDENTITIES_MAX = 8, /* of a user */
	IDENTITY_ISSUER_MAX = 255,
	IDENTITY_SUBJECT_MAX = 255,
	IDENTITY_PROVIDER_MAX = 32,
};

struct identity {
	int64_t number, created, used; /* ms since 1970; used 0: never */
	char provider[IDENTITY_PROVIDER_MAX + 1];
	char issuer[IDENTITY_ISSUER_MAX + 1];
	char subject[IDENTITY_SUBJECT_MAX + 1];
};

/* Whose it is; person 0: nobody's. ERR_DENIED: he is suspended. It is noted when. */
struct identity_owner {
	int64_t person;
	char user[PEOPLE_NAME_MAX + 1];
};
int identity_sign_in(struct db *db, const char *issuer, const char *subject, int64_t now,
		     struct identity_owner *owner, struct err *e) MUST_CHECK;

/* ERR_EXISTS: it is somebody's; ERR_EXHAUSTED: this user has IDENTITIES_MAX. */
int identity_add(struct db *db, int64_t person, const char *provider, const char *issuer,
		 const char *subject, int64_t now, struct err *e) MUST_CHECK;
/* Whether an account of that issuer may make a user, where all of `issuers` do: they share USERS_MAX as users that of
 * computations (creator.h), and a tenth is for whoever is made by administrators and invitations. ERR_EXHAUSTED. */
int identity_room(struct db *db, const char *issuer, const char *const *issuers, size_t count,
		  struct err *e) MUST_CHECK;
/* Oldest first. */
int identity_list(struct db *db, int64_t person, struct identity rows[IDENTITIES_MAX],
		  size_t *count, struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND: he has none of that number; ERR_PRECONDITION: without a password it is the last way in. */
int identity_remove(struct db *db, int64_t person, int64_t number, struct err *e) MUST_CHECK;
/* The same by whoever administers the service, also of the last way in; and what it was. ERR_NOT_FOUND. */
int identity_part(struct db *db, int64_t person, int64_t number, struct identity *was,
		  struct err *e) MUST_CHECK;
