/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/user_key.h"

#include "common/base/log.h"
#include "computations/list/list_rows.h"

#include <stdlib.h>
#include <string.h>

void user_key_done(struct user_key *k)
{
	free(k->user);
	free(k->computation);
	*k = (struct user_key){ .user = NULL };
}

/* ---- a claim ---- */

static int check_room(struct db *db, int64_t person, struct err *e)
{
	int64_t used;

	if (db_number(db, &used, e,
		      "SELECT count(*) FROM user_keys WHERE person = ? AND retired = 0", "i",
		      person) < 0)
		return err_code(e);
	return used < USER_KEYS_MAX
		       ? 0
		       : err_set(e, ERR_EXHAUSTED, "a user has at most %d keys in use: retire one",
				 USER_KEYS_MAX);
}

/* Of that user, for that. */
static int check_new(struct db *db, const struct user_key_claim *claim, struct err *e)
{
	int64_t known, retired;

	if (db_number(db, &known, e,
		      "SELECT count(*) FROM user_keys WHERE person = ? AND computation = ?"
		      " AND fingerprint = ?",
		      "itb", claim->person, claim->computation, claim->fingerprint,
		      sizeof(claim->fingerprint)) < 0 ||
	    db_number(db, &retired, e,
		      "SELECT count(*) FROM user_keys WHERE person = ? AND fingerprint = ?"
		      " AND retired > 0",
		      "ib", claim->person, claim->fingerprint, sizeof(claim->fingerprint)) < 0)
		return err_code(e);
	if (retired)
		return err_set(e, ERR_PRECONDITION,
			       "this key of yours was retired, and does not come back: make "
			       "another one ('cocos-cli keys')");
	return known ? err_set(e, ERR_EXISTS, "this key of yours is registered already") : 0;
}

int user_key_claim_check(struct db *db, struct user_key_claim *claim, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (key_parse_spki(claim->spki, claim->len, &key, e) < 0)
		return err_wrap(e, "key");
	if (key_fingerprint(claim->spki, claim->len, claim->fingerprint, e) < 0 ||
	    check_new(db, claim, e) < 0)
		return err_code(e);
	return check_room(db, claim->person, e);
}

int user_key_claim_alone(struct db *db, const struct user_key_claim *claim, struct err *e)
{
	int64_t others;

	if (db_number(db, &others, e,
		      "SELECT count(*) FROM user_keys WHERE fingerprint = ? AND person <> ?", "bi",
		      claim->fingerprint, sizeof(claim->fingerprint), claim->person) < 0)
		return err_code(e);
	return others ? err_set(e, ERR_EXISTS,
				"this key is another user's, and a key is one user's alone: make "
				"one of your own ('cocos-cli keys')")
		      : 0;
}

/* ---- challenges ---- */

int user_key_challenge(struct db *db, const struct user_key_claim *claim, int64_t now,
		       uint8_t challenge[POSSESSION_CHALLENGE_LEN], struct err *e)
{
	uint8_t made[POSSESSION_CHALLENGE_LEN];

	if (random_bytes(made, sizeof(made), e) < 0 ||
	    db_run(db, e, "DELETE FROM key_challenges WHERE ends <= ?", "i", now) < 0 ||
	    db_run(db, e,
		   "DELETE FROM key_challenges WHERE person = ?1 AND number NOT IN (SELECT number"
		   " FROM key_challenges WHERE person = ?1 ORDER BY number DESC LIMIT ?2)",
		   "ii", claim->person, (int64_t)USER_CHALLENGES_MAX - 1) < 0 ||
	    db_run(db, e,
		   "INSERT INTO key_challenges (person, computation, fingerprint, challenge, ends)"
		   " VALUES (?, ?, ?, ?, ?)",
		   "itbbi", claim->person, claim->computation, claim->fingerprint,
		   sizeof(claim->fingerprint), made, sizeof(made),
		   now + (int64_t)USER_CHALLENGE_MINUTES * 60000) < 0)
		return err_code(e);
	memcpy(challenge, made, sizeof(made));
	return 0;
}

int user_key_take_challenge(struct db *db, const struct user_key_claim *claim, int64_t now,
			    const uint8_t *challenge, size_t len, struct err *e)
{
	int64_t gone = 0;

	/* Somebody else's, or another key's, stays: whoever names it must not use it up. */
	if (len == POSSESSION_CHALLENGE_LEN &&
	    db_change(db, &gone, e,
		      "DELETE FROM key_challenges WHERE challenge = ? AND person = ?"
		      " AND computation = ? AND fingerprint = ? AND ends > ?",
		      "bitbi", challenge, len, claim->person, claim->computation,
		      claim->fingerprint, sizeof(claim->fingerprint), now) < 0)
		return err_code(e);
	if (gone == 1)
		return 0;
	return err_set(e, ERR_DENIED,
		       "this challenge was not given out for this user and key, was used, or is "
		       "older than %d minutes: register again",
		       USER_CHALLENGE_MINUTES);
}

/* ---- keys ---- */

int user_key_add(struct db *db, const struct user_key_claim *claim, int64_t now, struct err *e)
{
	if (db_run(db, e,
		   "UPDATE user_keys SET retired = ? WHERE person = ? AND computation = ?"
		   " AND retired = 0",
		   "iit", now, claim->person, claim->computation) < 0 ||
	    db_run(db, e,
		   "DELETE FROM user_keys WHERE person = ?1 AND retired > 0 AND number NOT IN"
		   " (SELECT number FROM user_keys WHERE person = ?1"
		   " ORDER BY CASE WHEN retired = 0 THEN 0 ELSE 1 END, retired DESC, number DESC"
		   " LIMIT ?2)",
		   "ii", claim->person, (int64_t)USER_KEYS_MAX - 1) < 0)
		return err_code(e);
	return db_run(db, e,
		      "INSERT INTO user_keys (person, computation, fingerprint, spki, created)"
		      " VALUES (?, ?, ?, ?, ?)",
		      "itbbi", claim->person, claim->computation, claim->fingerprint,
		      sizeof(claim->fingerprint), claim->spki, claim->len, now);
}

static void put_words(struct user_key *k, const EVP_PKEY *key)
{
	static const char *const names[] = {
		[KEY_RSA] = "RSA", [KEY_ECDSA] = "ECDSA P-", [KEY_ED25519] = "Ed25519"
	};
	enum key_kind kind = key_kind_of(key);

	if (kind == KEY_ED25519)
		snprintf(k->words, sizeof(k->words), "%s", names[kind]);
	else
		snprintf(k->words, sizeof(k->words), "%s%s%d", names[kind],
			 kind == KEY_RSA ? " " : "", EVP_PKEY_get_bits(key));
}

#define KEY_COLUMNS "u.name, k.computation, k.spki, k.created, k.retired"
#define KEY_TABLES  " FROM user_keys k JOIN users u ON u.number = k.person "

static int read_spki(struct db_rows *row, struct user_key *k, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	const void *bytes;

	if (db_blob(row, 2, sizeof(k->spki), &bytes, &k->len, e) < 0)
		return err_code(e);
	memcpy(k->spki, bytes, k->len);
	if (key_parse_spki(k->spki, k->len, &key, e) < 0)
		return err_set(e, ERR_DATA_LOSS, "database: a user's key that is none");
	put_words(k, key);
	return key_fingerprint(k->spki, k->len, k->fingerprint, e);
}

static int read_key(struct db_rows *row, struct user_key *k, struct err *e)
{
	struct user_key got = { .user = NULL };

	if (db_integer(row, 3, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_integer(row, 4, 0, INT64_MAX, &got.retired, e) < 0 || read_spki(row, &got, e) < 0 ||
	    db_text(row, 0, &got.user, e) < 0 || db_text(row, 1, &got.computation, e) < 0) {
		user_key_done(&got);
		return err_code(e);
	}
	*k = got;
	return 0;
}

DEFINE_LIST_ROW(key_row, struct user_key, 5, read_key, user_key_done, NULL);

/* All of a user are one page: nothing is behind a place. */
#define FOUND KEY_TABLES "WHERE k.person = ?2"
#define ORDER(order, column) \
	{ order, LIST_STATEMENTS(KEY_COLUMNS, FOUND, column, "k.number", "?3", "?4"), NULL }

static const struct list_order_row orders[] = {
	ORDER(LIST_BY_CREATED, "k.created"),
	ORDER(LIST_BY_CHANGED, "CASE WHEN k.retired > 0 THEN k.retired ELSE k.created END"),
	ORDER(LIST_BY_NAME, LIST_NAME("k.computation")),
	ORDER(LIST_BY_STATE, "CASE WHEN k.retired = 0 THEN 0 ELSE 1 END"),
};
const struct list_kind user_key_orders = {
	"keys", orders, ARRAY_LEN(orders), { LIST_BY_CREATED, true }
};

int user_key_list(struct db *db, int64_t person, struct list_sort sort,
		  struct user_key rows[USER_KEYS_MAX], size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;

	if (db_query(db, &found, e,
		     list_order_of(&user_key_orders, sort.by)->find[sort.is_up][false], "ii",
		     (int64_t)USER_KEYS_MAX, person) < 0)
		return err_code(e);
	return list_rows(&key_row, found, USER_KEYS_MAX, rows, count, NULL, e);
}

int user_key_none(const char *user, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND,
		       "user %s has no key here: 'cocos-cli key register KEYFILE' by that "
		       "user comes first",
		       log_quote(user).text);
}

int user_key_find(struct db *db, const char *user, const char *computation, struct user_key *k,
		  struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(
		    db, &rows, e,
		    "SELECT " KEY_COLUMNS KEY_TABLES
		    "WHERE u.name = ?1 AND k.computation IN ('', ?2)"
		    " AND k.retired = 0 AND u.suspended = 0 ORDER BY CASE WHEN k.computation = '' THEN 1 ELSE 0 END"
		    " LIMIT 1",
		    "tt", user, computation) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row == 0)
		return user_key_none(user, e);
	return row < 0 ? row : read_key(rows, k, e);
}

int user_key_retire(struct db *db, int64_t person, const uint8_t fingerprint[KEY_FINGERPRINT_LEN],
		    int64_t now, struct err *e)
{
	int64_t known;

	if (db_number(db, &known, e,
		      "SELECT count(*) FROM user_keys WHERE person = ? AND fingerprint = ?", "ib",
		      person, fingerprint, (size_t)KEY_FINGERPRINT_LEN) < 0)
		return err_code(e);
	if (!known)
		return err_set(e, ERR_NOT_FOUND, "the user has no key of this fingerprint");
	return db_run(db, e,
		      "UPDATE user_keys SET retired = ? WHERE person = ? AND fingerprint = ?"
		      " AND retired = 0",
		      "iib", now, person, fingerprint, (size_t)KEY_FINGERPRINT_LEN);
}

/* ---- whose they are ---- */

/* KEY_FINGERPRINT_LEN */
#define EACH "32"
_Static_assert(KEY_FINGERPRINT_LEN == 32, "EACH");

#define IS_FOR_IT " k.computation IN ('', ?2)"

/* Of a key that was never for this computation or all, the rows for others tell. */
#define IS_RETIRED                                                                  \
	"CASE WHEN max(CASE WHEN" IS_FOR_IT " AND k.retired = 0 THEN 1 ELSE 0 END)" \
	" = 1 THEN 0 WHEN max(CASE WHEN" IS_FOR_IT " THEN 1 ELSE 0 END) = 1 THEN 1" \
	" ELSE min(CASE WHEN k.retired = 0 THEN 0 ELSE 1 END) END"

/* Each of them, one behind the other: a statement has room for fewer values. */
static uint8_t *join_fingerprints(const struct user_key_owner *rows, size_t count)
{
	uint8_t *joined = malloc(count * KEY_FINGERPRINT_LEN);

	for (size_t i = 0; joined && i < count; i++)
		memcpy(joined + i * KEY_FINGERPRINT_LEN, rows[i].fingerprint, KEY_FINGERPRINT_LEN);
	return joined;
}

static int read_owner(struct db_rows *found, struct user_key_owner *rows, size_t count,
		      struct err *e)
{
	int64_t n;
	bool retired;

	if (db_integer(found, 0, 0, (int64_t)count - 1, &n, e) < 0 ||
	    db_flag(found, 2, &retired, e) < 0)
		return err_code(e);
	/* It is one user's: user_key_claim_alone(). */
	if (rows[n].user)
		return 0;
	rows[n].retired = retired;
	return db_text(found, 1, &rows[n].user, e);
}

int user_key_owners(struct db *db, const char *computation, struct user_key_owner *rows,
		    size_t count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	CLEANUP(free) uint8_t *joined = NULL;
	int row;

	if (count == 0)
		return 0;
	joined = join_fingerprints(rows, count);
	if (!joined)
		return err_nomem(e);
	if (db_query(
		    db, &found, e,
		    "WITH RECURSIVE asked (n) AS (SELECT 0 UNION ALL"
		    " SELECT n + 1 FROM asked WHERE (n + 2) * " EACH " <= length(?1))"
		    " SELECT a.n, u.name, " IS_RETIRED " FROM asked a"
		    " JOIN user_keys k ON k.fingerprint = substr(?1, a.n * " EACH " + 1, " EACH ")"
		    " JOIN users u ON u.number = k.person"
		    " JOIN workspace_computations h ON h.computation = ?2"
		    " JOIN workspace_members w ON w.workspace = h.workspace AND w.person = k.person"
		    " GROUP BY a.n, u.name ORDER BY a.n, u.name",
		    "bt", joined, count * KEY_FINGERPRINT_LEN, computation) < 0)
		return err_code(e);
	while ((row = db_next(found, e)) > 0)
		if (read_owner(found, rows, count, e) < 0)
			return err_code(e);
	return row;
}

int user_key_forget(struct db *db, const char *computation, struct err *e)
{
	if (db_run(db, e, "DELETE FROM key_challenges WHERE computation = ?", "t", computation) < 0)
		return err_code(e);
	return db_run(db, e, "DELETE FROM user_keys WHERE computation = ?", "t", computation);
}
