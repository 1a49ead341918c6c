/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/factor.h"

#include "common/base/encode.h"
#include "common/crypto/digest.h"
#include "computations/people/device.h"
#include "computations/people/entry.h"
#include "computations/people/login.h"
#include "computations/seal/secret_keep.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <openssl/crypto.h>

struct kept {
	bool confirmed;
	int64_t last, failed,
		failed_at; /* the step of the last code; wrong ones in a row, and when */
};

static int read_kept(struct db_rows *row, struct kept *k, struct err *e)
{
	if (db_flag(row, 0, &k->confirmed, e) < 0 ||
	    db_integer(row, 1, 0, INT64_MAX, &k->last, e) < 0 ||
	    db_integer(row, 2, 0, FACTOR_TRIES, &k->failed, e) < 0 ||
	    db_integer(row, 3, 0, INT64_MAX, &k->failed_at, e) < 0)
		return err_code(e);
	return 0;
}

/* `*found` false: there is none. */
static int find(struct db *db, int64_t person, struct kept *k, bool *found, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT confirmed, last, failed, failed_at FROM factors"
		     " WHERE person = ?",
		     "i", person) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	*found = row > 0;
	return *found ? read_kept(rows, k, e) : 0;
}

int factor_look(struct db *db, int64_t person, struct factor_state *state, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct factor_state got = { .is_on = false };
	int row;

	if (db_query(db, &rows, e,
		     "SELECT f.created, (SELECT count(*) FROM recovery_codes r WHERE"
		     " r.person = f.person) FROM factors f WHERE f.person = ? AND f.confirmed = 1",
		     "i", person) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0 || (row && (db_integer(rows, 0, 0, INT64_MAX, &got.since, e) < 0 ||
				db_integer(rows, 1, 0, FACTOR_RECOVERY, &got.left, e) < 0)))
		return err_code(e);
	got.is_on = row > 0;
	*state = got;
	return 0;
}

/* Whether `code` is one of its secret's. */
static int matches_secret(struct db *db, const struct secret_key *secrets, int64_t person,
			  const char *code, int64_t now, int64_t last, bool *matches, int64_t *step,
			  struct err *e)
{
	const struct secret_owner owner = secret_owner_of(person);
	uint8_t secret[TOTP_SECRET_LEN];
	int found = secret_get_exactly(db, secrets, &secret_totp, owner.text, secret,
				       sizeof(secret), e);

	if (found == 0)
		return err_set(e, ERR_DATA_LOSS, "database: a second factor without its key");
	if (found > 0)
		found = totp_matches(secret, code, now, last, matches, step, e);
	OPENSSL_cleanse(secret, sizeof(secret));
	return found;
}

/* ---- a new one ---- */

int factor_begin(struct db *db, const struct secret_key *secrets, int64_t person, int64_t now,
		 uint8_t secret[TOTP_SECRET_LEN], struct err *e)
{
	const struct secret_owner owner = secret_owner_of(person);
	uint8_t made[TOTP_SECRET_LEN];
	struct factor_state state;
	int failed;

	if (factor_look(db, person, &state, e) < 0)
		return err_code(e);
	if (state.is_on)
		return err_set(e, ERR_EXISTS, "there is a second factor already: remove it first");
	if (db_run(db, e, "DELETE FROM factors WHERE person = ?", "i", person) < 0 ||
	    random_bytes(made, sizeof(made), e) < 0)
		return err_code(e);
	failed = db_run(db, e, "INSERT INTO factors (person, created) VALUES (?, ?)", "ii", person,
			now);
	if (!failed)
		failed = secret_keep(db, secrets, &secret_totp, owner.text, made, sizeof(made), e);
	if (!failed)
		memcpy(secret, made, sizeof(made));
	OPENSSL_cleanse(made, sizeof(made));
	return failed;
}

/* Digits and letters of a code, without what people put between them: "" if it has more than `max`. */
static void strip(const char *typed, char *out, size_t max)
{
	size_t len = 0;

	for (; *typed; typed++) {
		if (*typed == ' ' || *typed == '-')
			continue;
		if (len == max) {
			len = 0;
			break;
		}
		out[len++] = (char)tolower((unsigned char)*typed);
	}
	out[len] = 0;
}

static int add_recovery(struct db *db, int64_t person, char text[FACTOR_RECOVERY_TEXT_LEN + 1],
			struct err *e)
{
	uint8_t random[FACTOR_RECOVERY_LEN], hash[SHA256_LEN];
	char digits[FACTOR_RECOVERY_DIGITS + 1];
	size_t len = 0;
	int failed;

	if (random_bytes(random, sizeof(random), e) < 0)
		return err_code(e);
	hex_encode(random, sizeof(random), digits);
	failed = digest(DIGEST_SHA256, digits, FACTOR_RECOVERY_DIGITS, hash, e);
	if (!failed)
		failed = db_run(db, e, "INSERT INTO recovery_codes (person, hash) VALUES (?, ?)",
				"ib", person, hash, sizeof(hash));
	for (size_t i = 0; i < FACTOR_RECOVERY_DIGITS; i++) {
		if (i && i % FACTOR_RECOVERY_GROUP == 0)
			text[len++] = '-';
		text[len++] = digits[i];
	}
	text[len] = 0;
	OPENSSL_cleanse(random, sizeof(random));
	OPENSSL_cleanse(digits, sizeof(digits));
	return failed;
}

static int make_recovery(struct db *db, int64_t person, struct factor_recovery *recovery,
			 struct err *e)
{
	if (db_run(db, e, "DELETE FROM recovery_codes WHERE person = ?", "i", person) < 0)
		return err_code(e);
	for (int i = 0; i < FACTOR_RECOVERY; i++)
		if (add_recovery(db, person, recovery->codes[i], e) < 0)
			return err_code(e);
	return 0;
}

/* What was begun by the password alone: sessions, a command line that was let in, a link for another password. */
static int end_others(struct db *db, int64_t person, int64_t keep, struct err *e)
{
	if (login_end_others(db, person, keep, e) < 0 || device_forget(db, person, e) < 0)
		return err_code(e);
	return entry_forget(db, person, e);
}

/* What was begun and left must not wait for whoever finds the session open, and guesses. */
static int check_begun(struct db *db, int64_t person, int64_t now, struct err *e)
{
	int64_t waits;

	if (db_number(db, &waits, e,
		      "SELECT count(*) FROM factors WHERE person = ? AND confirmed = 0"
		      " AND created > ?",
		      "ii", person, now - FACTOR_BEGIN_MS) < 0)
		return err_code(e);
	return waits ? 0
		     : err_set(e, ERR_PRECONDITION,
			       "no second factor waits for its first code: set one up");
}

int factor_confirm(struct db *db, const struct secret_key *secrets, int64_t person,
		   const char *code, int64_t keep, int64_t now, struct factor_recovery *recovery,
		   struct err *e)
{
	char typed[TOTP_DIGITS + 1];
	int64_t step = 0;
	bool matches;

	if (check_begun(db, person, now, e) < 0)
		return err_code(e);
	strip(code, typed, TOTP_DIGITS);
	if (matches_secret(db, secrets, person, typed, now, 0, &matches, &step, e) < 0)
		return err_code(e);
	if (!matches)
		return err_set(
			e, ERR_INVALID,
			"this is not the code that the program shows now: type the next one, "
			"or compare the time of both machines");
	if (db_run(db, e, "UPDATE factors SET confirmed = 1, last = ? WHERE person = ?", "ii", step,
		   person) < 0 ||
	    end_others(db, person, keep, e) < 0)
		return err_code(e);
	return make_recovery(db, person, recovery, e);
}

/* ---- its codes ---- */

static int try_recovery(struct db *db, int64_t person, const char *typed,
			enum factor_answer *answer, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	int64_t gone;

	if (digest(DIGEST_SHA256, typed, FACTOR_RECOVERY_DIGITS, hash, e) < 0 ||
	    db_change(db, &gone, e, "DELETE FROM recovery_codes WHERE person = ? AND hash = ?",
		      "ib", person, hash, sizeof(hash)) < 0)
		return err_code(e);
	*answer = gone == 1 ? FACTOR_RIGHT : FACTOR_WRONG;
	return 0;
}

/* A clock that was set back makes nobody wait for ever. */
static bool has_to_wait(const struct kept *k, int64_t now)
{
	int64_t passed = now - k->failed_at;

	return k->failed >= FACTOR_TRIES && passed >= 0 && passed < FACTOR_WAIT_MS;
}

/* Nor does he whose last code was of a day that is still to come: what was taken on it is no code of today's. */
static int64_t last_step(const struct kept *k, int64_t now)
{
	return k->last > now / TOTP_STEP_MS + FACTOR_AHEAD_STEPS ? 0 : k->last;
}

static int try_code(struct db *db, const struct secret_key *secrets, int64_t person,
		    const struct kept *k, const char *typed, int64_t now,
		    enum factor_answer *answer, struct err *e)
{
	int64_t step = k->last, failed = k->failed < FACTOR_TRIES ? k->failed + 1 : FACTOR_TRIES;
	bool matches;

	if (has_to_wait(k, now)) {
		*answer = FACTOR_LATER;
		return 0;
	}
	if (matches_secret(db, secrets, person, typed, now, last_step(k, now), &matches, &step, e) <
	    0)
		return err_code(e);
	*answer = matches ? FACTOR_RIGHT : FACTOR_WRONG;
	return db_run(db, e,
		      "UPDATE factors SET last = ?, failed = ?, failed_at = ? WHERE person = ?",
		      "iiii", step, matches ? (int64_t)0 : failed, now, person);
}

int factor_try(struct db *db, const struct secret_key *secrets, int64_t person, const char *code,
	       int64_t now, enum factor_answer *answer, struct err *e)
{
	char typed[FACTOR_RECOVERY_DIGITS + 1];
	struct kept k = { .confirmed = false };
	bool found;
	int failed;

	if (find(db, person, &k, &found, e) < 0)
		return err_code(e);
	if (!found || !k.confirmed) {
		*answer = FACTOR_RIGHT;
		return 0;
	}
	if (!*code)
		return err_set(e, ERR_INVALID,
			       "this account has a second factor: give its code as well");
	strip(code, typed, FACTOR_RECOVERY_DIGITS);
	failed = strlen(typed) == FACTOR_RECOVERY_DIGITS
			 ? try_recovery(db, person, typed, answer, e)
			 : try_code(db, secrets, person, &k, typed, now, answer, e);
	OPENSSL_cleanse(typed, sizeof(typed));
	return failed;
}

int factor_refuse(enum factor_answer answer, struct err *e)
{
	if (answer == FACTOR_LATER)
		return err_set(e, ERR_EXHAUSTED,
			       "too many wrong codes: the next is taken %d minutes after the last, "
			       "and a recovery code at once",
			       FACTOR_WAIT_MS / 60000);
	return err_set(e, ERR_UNAUTHENTICATED,
		       "this code is wrong, or was used: wait for the next one");
}

/* ---- the rest ---- */

static int no_factor(struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "this user has no second factor");
}

int factor_renew(struct db *db, int64_t person, struct factor_recovery *recovery, struct err *e)
{
	struct factor_state state;

	if (factor_look(db, person, &state, e) < 0)
		return err_code(e);
	return state.is_on ? make_recovery(db, person, recovery, e) : no_factor(e);
}

int factor_remove(struct db *db, int64_t person, struct err *e)
{
	const struct secret_owner owner = secret_owner_of(person);
	int64_t gone;

	if (db_run(db, e, "DELETE FROM recovery_codes WHERE person = ?", "i", person) < 0 ||
	    db_change(db, &gone, e, "DELETE FROM factors WHERE person = ? AND confirmed = 1", "i",
		      person) < 0)
		return err_code(e);
	return gone ? secret_forget(db, &secret_totp, owner.text, e) : no_factor(e);
}
