/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/workflow/executor.h"

#include <string.h>
#include <openssl/crypto.h>

void executor_done(struct executor *x)
{
	free(x->workspace_name);
	free(x->user);
	x->workspace_name = x->user = NULL;
}

int executor_unknown(int64_t number, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no executor %lld: it was removed, or never registered",
		       (long long)number);
}

/* ---- rows ---- */

#define COLUMNS                                                                                \
	"SELECT x.number, x.workspace, x.person, x.created, x.seen, x.served, w.name, u.name," \
	" x.type, x.key, x.secret FROM executors x"                                            \
	" JOIN workspaces w ON w.number = x.workspace JOIN users u ON u.number = x.person "

static int read_bytes(struct db_rows *row, int column, uint8_t *to, size_t len, struct err *e)
{
	const void *bytes;
	size_t got;

	if (db_blob(row, column, len, &bytes, &got, e) < 0)
		return err_code(e);
	if (got != len)
		return err_set(e, ERR_DATA_LOSS, "database: %s has %zu bytes, not %zu",
			       db_column_name(row, column), got, len);
	memcpy(to, bytes, len);
	return 0;
}

static int read_type(struct db_rows *row, int column, struct executor *x, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	struct err why;

	if (db_text(row, column, &text, e) < 0)
		return err_code(e);
	if (workflow_name_check(text, "type", &why) < 0)
		return err_set(e, ERR_DATA_LOSS, "database: an executor without a type");
	memcpy(x->type, text, strlen(text) + 1);
	return 0;
}

static int read_row(struct db_rows *row, struct executor *x, struct err *e)
{
	struct executor got CLEANUP_EXECUTOR = { .number = 0 };

	if (db_integer(row, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	    db_integer(row, 1, 1, INT64_MAX, &got.workspace, e) < 0 ||
	    db_integer(row, 2, 1, INT64_MAX, &got.person, e) < 0 ||
	    db_integer(row, 3, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_integer(row, 4, 0, INT64_MAX, &got.seen, e) < 0 ||
	    db_integer(row, 5, 0, INT64_MAX, &got.served, e) < 0 ||
	    db_text(row, 6, &got.workspace_name, e) < 0 || db_text(row, 7, &got.user, e) < 0 ||
	    read_type(row, 8, &got, e) < 0 || read_bytes(row, 9, got.key, sizeof(got.key), e) < 0 ||
	    read_bytes(row, 10, got.secret, sizeof(got.secret), e) < 0)
		return err_code(e);
	*x = got;
	got.workspace_name = got.user = NULL;
	return 0;
}

int executor_find(struct db *db, int64_t number, struct executor *x, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, COLUMNS "WHERE x.number = ?", "i", number) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : executor_unknown(number, e);
	return read_row(rows, x, e);
}

int executor_list(struct db *db, int64_t workspace, int64_t after,
		  struct executor rows[EXECUTOR_PAGE_MAX], size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	int row = 0;

	*count = 0;
	if (db_query(db, &found, e,
		     COLUMNS "WHERE x.workspace = ? AND x.number > ? ORDER BY x.number LIMIT ?",
		     "iii", workspace, after, (int64_t)EXECUTOR_PAGE_MAX) < 0)
		return err_code(e);
	while (*count < EXECUTOR_PAGE_MAX && (row = db_next(found, e)) > 0) {
		if (read_row(found, &rows[*count], e) < 0)
			return err_code(e);
		(*count)++;
	}
	return row < 0 ? row : 0;
}

/* ---- its secret ---- */

static int draw(const struct executor *x, uint8_t hash[SHA256_LEN], struct executor_pass *pass,
		struct err *e)
{
	static const char info[] = EXECUTOR_SECRET_LABEL;
	const struct hpke_about about = { info, NULL, sizeof(info), 0 };
	uint8_t secret[EXECUTOR_SECRET_LEN];
	int failed = 0;

	if (random_bytes(secret, sizeof(secret), e) < 0 ||
	    digest(DIGEST_SHA256, secret, sizeof(secret), hash, e) < 0 ||
	    hpke_seal(x->key, NULL, &about, secret, sizeof(secret), pass->enc, pass->sealed, e) < 0)
		failed = err_wrap(e, "executor's key");
	OPENSSL_cleanse(secret, sizeof(secret));
	return failed;
}

/* Those that nobody runs give way to a new one; those that are run do not. */
static int make_room(struct db *db, const struct executor *x, int64_t now, struct err *e)
{
	int64_t count, oldest, removed;

	if (db_number(db, &count, e,
		      "SELECT count(*) FROM executors WHERE workspace = ? AND person = ?", "ii",
		      x->workspace, x->person) < 0)
		return err_code(e);
	if (count < EXECUTORS_MAX)
		return 0;
	if (db_number(db, &oldest, e,
		      "SELECT number FROM executors WHERE workspace = ? AND person = ?"
		      " ORDER BY seen, number LIMIT 1",
		      "ii", x->workspace, x->person) < 0 ||
	    db_change(db, &removed, e, "DELETE FROM executors WHERE number = ? AND seen < ?", "ii",
		      oldest, now - EXECUTOR_IDLE_MS) < 0)
		return err_code(e);
	if (removed)
		return 0;
	return err_set(e, ERR_EXHAUSTED,
		       "you have %d executors there that are in use: remove one of them "
		       "('cocos-cli executor list')",
		       EXECUTORS_MAX);
}

static int add(struct db *db, const struct executor *x, int64_t now, const uint8_t hash[SHA256_LEN],
	       struct err *e)
{
	int64_t changed;

	if (db_change(db, &changed, e,
		      "UPDATE executors SET secret = ?1, seen = 0 WHERE workspace = ?2 AND"
		      " person = ?3 AND type = ?4 AND key = ?5",
		      "biitb", hash, (size_t)SHA256_LEN, x->workspace, x->person, x->type, x->key,
		      sizeof(x->key)) < 0)
		return err_code(e);
	if (changed)
		return 0;
	if (make_room(db, x, now, e) < 0)
		return err_code(e);
	return db_run(db, e,
		      "INSERT INTO executors (workspace, person, type, key, secret, created)"
		      " VALUES (?, ?, ?, ?, ?, ?)",
		      "iitbbi", x->workspace, x->person, x->type, x->key, sizeof(x->key), hash,
		      (size_t)SHA256_LEN, now);
}

int executor_register(struct db *db, struct executor *x, int64_t now, struct executor_pass *pass,
		      struct err *e)
{
	uint8_t hash[SHA256_LEN];

	if (draw(x, hash, pass, e) < 0 || add(db, x, now, hash, e) < 0)
		return err_code(e);
	return db_number(db, &x->number, e,
			 "SELECT number FROM executors WHERE workspace = ? AND person = ? AND"
			 " type = ? AND key = ?",
			 "iitb", x->workspace, x->person, x->type, x->key, sizeof(x->key));
}

int executor_enter(struct db *db, struct executor *x, const uint8_t *secret, size_t len,
		   int64_t now, struct err *e)
{
	uint8_t hash[SHA256_LEN];

	if (digest(DIGEST_SHA256, secret, len, hash, e) < 0)
		return err_code(e);
	if (!bytes_equal(hash, x->secret, sizeof(hash)))
		return err_set(e, ERR_PRECONDITION,
			       "executor %lld: that is not its secret: it was registered again, by "
			       "another program with the same key",
			       (long long)x->number);
	if (now - x->seen < EXECUTOR_SEEN_MS)
		return 0;
	x->seen = now;
	return db_run(db, e, "UPDATE executors SET seen = ? WHERE number = ?", "ii", now,
		      x->number);
}

int executor_remove(struct db *db, int64_t number, struct err *e)
{
	return db_run(db, e, "DELETE FROM executors WHERE number = ?", "i", number);
}
