/* SPDX-License-Identifier: Apache-2.0 */
/*
 * factor.h — the second factor of users who have one: the secret of an authenticator program (totp.h), which counts once
 * a code has confirmed it, and recovery codes for who loses it.
 *
 * A code has to be computed from the secret, so that is no hash in the database, as passwords and recovery codes are: it is
 * sealed (secret_keep.h) under `secrets`. Where that is lost recovery codes are taken still, and no other code.
 */
#pragma once

#include "computations/people/totp.h"
#include "computations/people/user.h"
#include "computations/seal/secret.h"

enum {
	FACTOR_RECOVERY = 10,     /* codes, each of which works once */
	FACTOR_RECOVERY_LEN = 10, /* random bytes */
	FACTOR_RECOVERY_DIGITS = 2 * FACTOR_RECOVERY_LEN,
	FACTOR_RECOVERY_GROUP = 5, /* "0123a-4567b-89abc-def01" */
	FACTOR_RECOVERY_TEXT_LEN =
		FACTOR_RECOVERY_DIGITS + FACTOR_RECOVERY_DIGITS / FACTOR_RECOVERY_GROUP - 1,
	/* Who gets here has the password: so many wrong codes in a row, then one in so long. Recovery codes can't be
	 * guessed, and do not wait: so whoever knows Anna's password can't keep her out. */
	FACTOR_TRIES = 10,
	FACTOR_WAIT_MS = 5 * 60000,
	/* A code's step that is further ahead was taken before the clock was set back. */
	FACTOR_AHEAD_STEPS = 86400000 / TOTP_STEP_MS,
	/* A secret that no code has confirmed is good for so long. */
	FACTOR_BEGIN_MS = 30 * 60000,
};

struct factor_recovery {
	char codes[FACTOR_RECOVERY][FACTOR_RECOVERY_TEXT_LEN + 1];
};

struct factor_state {
	bool is_on;
	int64_t since, left; /* when it was set up; recovery codes that were not used */
};
int factor_look(struct db *db, int64_t person, struct factor_state *state,
		struct err *e) MUST_CHECK;

/* A new secret, which does not count yet, instead of one that does not either. ERR_EXISTS: one counts. */
int factor_begin(struct db *db, const struct secret_key *secrets, int64_t person, int64_t now,
		 uint8_t secret[TOTP_SECRET_LEN], struct err *e) MUST_CHECK;
/* From now on it counts, and who is signed in without it is out, but for the session `keep` (0: none). ERR_INVALID:
 * `code` is none of its; ERR_PRECONDITION: nothing waits for one, any more. */
int factor_confirm(struct db *db, const struct secret_key *secrets, int64_t person,
		   const char *code, int64_t keep, int64_t now, struct factor_recovery *recovery,
		   struct err *e) MUST_CHECK;

enum factor_answer {
	FACTOR_RIGHT,
	FACTOR_WRONG, /* what was counted has to be committed */
	FACTOR_LATER, /* too many were wrong */
};
/* A code of the program, of a step that none was taken of before; or a recovery code, which is used up by it. Of who has
 * no factor none is asked: whatever it is, it is right. ERR_INVALID: there is one, and no code;
 * ERR_PRECONDITION, ERR_DATA_LOSS: its secret can't be opened, and this is no recovery code's length. */
int factor_try(struct db *db, const struct secret_key *secrets, int64_t person, const char *code,
	       int64_t now, enum factor_answer *answer, struct err *e) MUST_CHECK;
/* What is said of an answer that is not FACTOR_RIGHT. */
int factor_refuse(enum factor_answer answer, struct err *e);

/* Others, all of them; the old ones are good for nothing any more. ERR_NOT_FOUND: there is no factor. */
int factor_renew(struct db *db, int64_t person, struct factor_recovery *recovery,
		 struct err *e) MUST_CHECK;

/* All of it. ERR_NOT_FOUND: there is none. */
int factor_remove(struct db *db, int64_t person, struct err *e) MUST_CHECK;
