/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/entry.h"

#include "common/base/encode.h"

#include <string.h>
#include <openssl/crypto.h>

static int no_entry(struct err *e)
{
	return err_set(e, ERR_UNAUTHENTICATED,
		       "this link was used, is older than %d minutes, or is none of ours: ask an "
		       "administrator for another one",
		       ENTRY_MINUTES);
}

static int hash_of(const char *text, uint8_t hash[SHA256_LEN], struct err *e)
{
	if (strlen(text) != ENTRY_TEXT_LEN)
		return no_entry(e);
	return digest(DIGEST_SHA256, text, ENTRY_TEXT_LEN, hash, e);
}

static int keep(struct db *db, int64_t person, const uint8_t hash[SHA256_LEN], int64_t ends,
		struct err *e)
{
	if (!person)
		return db_run(db, e, "INSERT INTO entry_links (hash, ends) VALUES (?, ?)", "bi",
			      hash, (size_t)SHA256_LEN, ends);
	return db_run(db, e, "INSERT INTO entry_links (person, hash, ends) VALUES (?, ?, ?)", "ibi",
		      person, hash, (size_t)SHA256_LEN, ends);
}

int entry_add(struct db *db, int64_t person, int64_t now, char text[ENTRY_TEXT_LEN + 1],
	      struct err *e)
{
	uint8_t secret[ENTRY_SECRET_LEN], hash[SHA256_LEN];
	char made[ENTRY_TEXT_LEN + 1] = "";
	int failed;

	if (db_run(db, e, "DELETE FROM entry_links WHERE coalesce(person, 0) = ? OR ends <= ?",
		   "ii", person, now) < 0 ||
	    random_bytes(secret, sizeof(secret), e) < 0)
		return err_code(e);
	hex_encode(secret, sizeof(secret), made);
	failed = hash_of(made, hash, e);
	if (!failed)
		failed = keep(db, person, hash, now + (int64_t)ENTRY_MINUTES * 60000, e);
	if (!failed)
		memcpy(text, made, sizeof(made));
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(made, sizeof(made));
	return failed;
}

int entry_first_is_wanted(struct db *db, bool *wanted, struct err *e)
{
	int64_t known;

	if (db_number(db, &known, e,
		      "SELECT count(*) FROM users WHERE administrator = 1 AND suspended = 0",
		      "") < 0)
		return err_code(e);
	*wanted = known == 0;
	return 0;
}

static int find(struct db *db, const uint8_t hash[SHA256_LEN], int64_t now,
		struct entry_owner *owner, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *name = NULL;
	struct entry_owner got = { .person = 0 };
	int row;

	if (db_query(db, &rows, e,
		     "SELECT coalesce(l.person, 0), coalesce(u.name, '') FROM entry_links l"
		     " LEFT JOIN users u ON u.number = l.person"
		     " WHERE l.hash = ? AND l.ends > ? AND coalesce(u.suspended, 0) = 0",
		     "bi", hash, (size_t)SHA256_LEN, now) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : no_entry(e);
	if (db_integer(rows, 0, 0, INT64_MAX, &got.person, e) < 0 || db_text(rows, 1, &name, e) < 0)
		return err_code(e);
	if (got.person && people_name_check("user", name, e) < 0)
		return err_set(e, ERR_DATA_LOSS, "database: a user without a name");
	snprintf(got.name, sizeof(got.name), "%s", name);
	*owner = got;
	return 0;
}

int entry_find(struct db *db, const char *text, int64_t now, struct entry_owner *owner,
	       struct err *e)
{
	struct entry_owner got = { .person = 0 };
	uint8_t hash[SHA256_LEN];
	bool wanted = true;

	if (hash_of(text, hash, e) < 0 || find(db, hash, now, &got, e) < 0 ||
	    (!got.person && entry_first_is_wanted(db, &wanted, e) < 0))
		return err_code(e);
	if (!wanted)
		return no_entry(e);
	*owner = got;
	return 0;
}

int entry_take(struct db *db, const char *text, int64_t now, struct entry_owner *owner,
	       struct err *e)
{
	uint8_t hash[SHA256_LEN];
	int64_t gone;

	if (entry_find(db, text, now, owner, e) < 0 || hash_of(text, hash, e) < 0 ||
	    db_change(db, &gone, e, "DELETE FROM entry_links WHERE hash = ?", "b", hash,
		      sizeof(hash)) < 0)
		return err_code(e);
	return gone == 1 ? 0 : no_entry(e);
}

int entry_forget(struct db *db, int64_t person, struct err *e)
{
	return db_run(db, e, "DELETE FROM entry_links WHERE person = ?", "i", person);
}
