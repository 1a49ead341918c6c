/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_once.h"

#include <stdlib.h>
#include <string.h>

enum { STATUS_MAX = 599 };

/* One's own, all of them: they may be at their limit. Of others a few, so that no claim takes long. */
static int forget(struct store *store, int64_t person, int64_t now, struct err *e)
{
	const int64_t over = now - ONCE_KEPT_MS;

	if (db_run(&store->db, e, "DELETE FROM once_keys WHERE person = ? AND taken <= ?", "ii",
		   person, over) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "DELETE FROM once_keys WHERE number IN (SELECT number FROM once_keys"
		      " WHERE taken <= ? ORDER BY taken, number LIMIT ?)",
		      "ii", over, (int64_t)ONCE_OTHERS_MAX);
}

static int text(struct db_rows *rows, int column, char *out, size_t size, struct err *e)
{
	CLEANUP(free) char *got = NULL;

	if (db_text(rows, column, &got, e) < 0)
		return err_code(e);
	if (strlen(got) >= size)
		return err_set(e, ERR_DATA_LOSS, "the database's once_keys.%s is too long",
			       db_column_name(rows, column));
	memcpy(out, got, strlen(got) + 1);
	return 0;
}

/* Of the row that there is. */
static int judge(struct db_rows *rows, const struct once *once, enum once_claim *claim,
		 struct once_made *made, struct err *e)
{
	char what[ONCE_WHAT_MAX + 1];
	struct once_made got;
	const void *digest;
	int64_t status;
	size_t len;

	if (text(rows, 0, what, sizeof(what), e) < 0 ||
	    db_integer(rows, 2, 0, STATUS_MAX, &status, e) < 0 ||
	    text(rows, 3, got.made, sizeof(got.made), e) < 0 ||
	    text(rows, 4, got.location, sizeof(got.location), e) < 0 ||
	    db_blob(rows, 1, SHA3_256_LEN, &digest, &len, e) < 0)
		return err_code(e);
	if (strcmp(what, once->what) != 0 || len != SHA3_256_LEN ||
	    memcmp(digest, once->digest, SHA3_256_LEN) != 0) {
		*claim = ONCE_OTHER;
		return 0;
	}
	*claim = status ? ONCE_AGAIN : ONCE_BUSY;
	got.status = (unsigned)status;
	if (status)
		*made = got;
	return 0;
}

static int check_room(struct store *store, int64_t person, struct err *e)
{
	int64_t count;

	if (db_number(&store->db, &count, e, "SELECT count(*) FROM once_keys WHERE person = ?", "i",
		      person) < 0)
		return err_code(e);
	if (count < ONCE_KEYS_MAX)
		return 0;
	return err_set(e, ERR_EXHAUSTED,
		       "you have sent %d creations with an Idempotency-Key within 24 hours: wait, "
		       "or send this one without",
		       ONCE_KEYS_MAX);
}

int store_once_claim(struct store *store, const struct once *once, int64_t now,
		     enum once_claim *claim, struct once_made *made, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (forget(store, once->person, now, e) < 0 ||
	    db_query(&store->db, &rows, e,
		     "SELECT what, digest, status, made, location FROM once_keys"
		     " WHERE person = ? AND key = ?",
		     "it", once->person, once->key) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (row > 0)
		return judge(rows, once, claim, made, e);
	if (check_room(store, once->person, e) < 0 ||
	    db_run(&store->db, e,
		   "INSERT INTO once_keys (person, key, what, digest, taken)"
		   " VALUES (?, ?, ?, ?, ?)",
		   "ittbi", once->person, once->key, once->what, once->digest, sizeof(once->digest),
		   now) < 0)
		return err_code(e);
	*claim = ONCE_FIRST;
	return 0;
}

#define CLAIMED " WHERE person = ?1 AND key = ?2 AND digest = ?3 AND status = 0"

int store_once_keep(struct store *store, const struct once *once, const struct once_made *made,
		    struct err *e)
{
	return db_run(&store->db, e,
		      "UPDATE once_keys SET status = ?4, made = ?5, location = ?6" CLAIMED,
		      "itbitt", once->person, once->key, once->digest, sizeof(once->digest),
		      (int64_t)made->status, made->made, made->location);
}

int store_once_drop(struct store *store, const struct once *once, struct err *e)
{
	return db_run(&store->db, e, "DELETE FROM once_keys" CLAIMED, "itb", once->person,
		      once->key, once->digest, sizeof(once->digest));
}
