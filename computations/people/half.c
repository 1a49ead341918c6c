/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/half.h"

#include "common/base/encode.h"
#include "common/crypto/digest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

static int no_half(struct err *e)
{
	return err_set(
		e, ERR_UNAUTHENTICATED,
		"the password was given more than %d minutes ago, or that was used or ended: "
		"sign in again",
		HALF_MINUTES);
}

static int hash_of(const char *text, uint8_t hash[SHA256_LEN], struct err *e)
{
	if (strlen(text) != HALF_TEXT_LEN || strspn(text, "0123456789abcdef") != HALF_TEXT_LEN)
		return no_half(e);
	return digest(DIGEST_SHA256, text, HALF_TEXT_LEN, hash, e);
}

/* What has ended, and what is too much: a new one finds a place. */
static int make_room(struct db *db, int64_t person, int64_t now, struct err *e)
{
	if (db_run(db, e, "DELETE FROM halves WHERE ends <= ?", "i", now) < 0)
		return err_code(e);
	return db_run(db, e,
		      "DELETE FROM halves WHERE person = ?1 AND number NOT IN (SELECT number FROM"
		      " halves WHERE person = ?1 ORDER BY number DESC LIMIT ?2)",
		      "ii", person, (int64_t)HALVES_MAX - 1);
}

int half_add(struct db *db, int64_t person, int64_t now, char text[HALF_TEXT_LEN + 1],
	     struct err *e)
{
	uint8_t random[HALF_LEN], hash[SHA256_LEN];
	char made[HALF_TEXT_LEN + 1] = "";
	int failed;

	if (make_room(db, person, now, e) < 0 || random_bytes(random, sizeof(random), e) < 0)
		return err_code(e);
	hex_encode(random, sizeof(random), made);
	failed = hash_of(made, hash, e);
	if (!failed)
		failed = db_run(db, e, "INSERT INTO halves (person, hash, ends) VALUES (?, ?, ?)",
				"ibi", person, hash, sizeof(hash),
				now + (int64_t)HALF_MINUTES * 60000);
	if (!failed)
		memcpy(text, made, sizeof(made));
	OPENSSL_cleanse(random, sizeof(random));
	OPENSSL_cleanse(made, sizeof(made));
	return failed;
}

int half_find(struct db *db, const char *text, int64_t now, struct half *half, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *name = NULL;
	struct half got = { .person = 0 };
	uint8_t hash[SHA256_LEN];
	int row;

	if (hash_of(text, hash, e) < 0 ||
	    db_query(db, &rows, e,
		     "SELECT u.number, u.name FROM halves h JOIN users u ON u.number = h.person"
		     " WHERE h.hash = ? AND h.ends > ? AND u.suspended = 0",
		     "bi", hash, sizeof(hash), now) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : no_half(e);
	if (db_integer(rows, 0, 1, INT64_MAX, &got.person, e) < 0 || db_text(rows, 1, &name, e) < 0)
		return err_code(e);
	if (people_name_check("user", name, e) < 0)
		return err_set(e, ERR_DATA_LOSS, "database: a user without a name");
	snprintf(got.user, sizeof(got.user), "%s", name);
	*half = got;
	return 0;
}

int half_take(struct db *db, const char *text, int64_t now, struct half *half, struct err *e)
{
	uint8_t hash[SHA256_LEN];
	struct half got;
	int64_t gone;

	if (half_find(db, text, now, &got, e) < 0 || hash_of(text, hash, e) < 0 ||
	    db_change(db, &gone, e, "DELETE FROM halves WHERE hash = ?", "b", hash, sizeof(hash)) <
		    0)
		return err_code(e);
	if (gone != 1)
		return no_half(e);
	*half = got;
	return 0;
}

int half_forget(struct db *db, int64_t person, struct err *e)
{
	return db_run(db, e, "DELETE FROM halves WHERE person = ?", "i", person);
}
