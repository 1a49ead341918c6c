/* SPDX-License-Identifier: Apache-2.0 */
/*
 * user_key.h — the public keys of users: one for all computations, and one more for any of them. Each was signed with,
 * over a challenge (common/manifest/possession.h).
 *
 * A key is one user's: its name stands beside it wherever a manifest has it. One that is retired stays, for the
 * computations that were created with it, and does not come back.
 */
#pragma once

#include "common/manifest/possession.h"
#include "computations/list/list_place.h"
#include "computations/people/user.h"

enum {
	USER_KEYS_MAX = 64,      /* of a user; the one that was retired longest ago gives way */
	USER_CHALLENGES_MAX = 8, /* of a user; the oldest gives way */
	USER_CHALLENGE_MINUTES = 5,
	USER_KEY_WORDS_MAX = 16,
};

struct user_key {
	char *user, *computation; /* "": all */
	uint8_t spki[SPKI_MAX];
	size_t len;
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	char words[USER_KEY_WORDS_MAX]; /* "ECDSA P-256" */
	int64_t created, retired;       /* ms since 1970; retired 0: in use */
};
void user_key_done(struct user_key *k);
#define CLEANUP_USER_KEY __attribute__((cleanup(user_key_done)))

/* A key that is asked about, before it is anybody's: for whom, and for which computation ("": all). */
struct user_key_claim {
	int64_t person;
	const char *computation;
	const uint8_t *spki;
	size_t len;
	uint8_t fingerprint[KEY_FINGERPRINT_LEN]; /* user_key_claim_check() fills it in */
};
/* ERR_INVALID: it is no key (whether its numbers are sound is slow, and others have to find out);
 * ERR_EXISTS: it is this user's for that already; ERR_PRECONDITION: it was retired. */
int user_key_claim_check(struct db *db, struct user_key_claim *claim, struct err *e) MUST_CHECK;
/* ERR_EXISTS: it is another user's. Public keys are known to many: to be asked for those alone who have shown that they
 * have the private one, or anybody hears which keys are registered. */
int user_key_claim_alone(struct db *db, const struct user_key_claim *claim,
			 struct err *e) MUST_CHECK;

/* Good for that claim alone, once, for USER_CHALLENGE_MINUTES. */
int user_key_challenge(struct db *db, const struct user_key_claim *claim, int64_t now,
		       uint8_t challenge[POSSESSION_CHALLENGE_LEN], struct err *e) MUST_CHECK;
/* ERR_DENIED: it is none that was given out for this claim, was used, or has ended. It is used from now on. */
int user_key_take_challenge(struct db *db, const struct user_key_claim *claim, int64_t now,
			    const uint8_t *challenge, size_t len, struct err *e) MUST_CHECK;

/* In place of the one that the user had for that, which is retired. */
int user_key_add(struct db *db, const struct user_key_claim *claim, int64_t now,
		 struct err *e) MUST_CHECK;

/* All of a user, at most USER_KEYS_MAX, in an order of `user_key_orders`: by name is by what they are for. */
int user_key_list(struct db *db, int64_t person, struct list_sort sort,
		  struct user_key rows[USER_KEYS_MAX], size_t *count, struct err *e) MUST_CHECK;
extern const struct list_kind user_key_orders;
/* The one that is used for a computation: that computation's, else that of all. ERR_NOT_FOUND, also of who is suspended: new
 * manifests don't name keys of those. */
int user_key_find(struct db *db, const char *user, const char *computation, struct user_key *k,
		  struct err *e) MUST_CHECK;
/* In its words, also of a user of whom nothing is told. */
int user_key_none(const char *user, struct err *e);
/* In each computation that it is for. ERR_NOT_FOUND: the user has no such key; retiring it again is fine. */
int user_key_retire(struct db *db, int64_t person, const uint8_t fingerprint[KEY_FINGERPRINT_LEN],
		    int64_t now, struct err *e) MUST_CHECK;
/* Whose a key is. */
struct user_key_owner {
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	char *user;   /* malloc'ed; NULL: nobody's whom the workspace has */
	bool retired; /* it is not in use any more, in the computation and in all */
};
/* Fills in `user` (NULL before, and the caller's also after a failure) and `retired` of rows whose fingerprints stand there:
 * of members of the workspace of `computation`, as those who may see it must not hear who else there is. */
int user_key_owners(struct db *db, const char *computation, struct user_key_owner *rows,
		    size_t count, struct err *e) MUST_CHECK;

/* The computation is removed. */
int user_key_forget(struct db *db, const char *computation, struct err *e) MUST_CHECK;
