/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/token.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "computations/list/list_rows.h"
#include "computations/people/action.h"

#include <stdlib.h>
#include <string.h>

static int no_token(struct err *e)
{
	return err_set(e, ERR_UNAUTHENTICATED,
		       "the token is none, was revoked, or has ended: ask for a new one");
}

int token_hash(const char *text, uint8_t hash[SHA256_LEN], struct err *e)
{
	static const char digits[] = "0123456789abcdef";
	size_t prefix = sizeof(TOKEN_PREFIX) - 1;

	if (strlen(text) != TOKEN_TEXT_LEN || strncmp(text, TOKEN_PREFIX, prefix) != 0 ||
	    strspn(text + prefix, digits) != 2 * TOKEN_SECRET_LEN)
		return no_token(e);
	return digest(DIGEST_SHA256, text, TOKEN_TEXT_LEN, hash, e);
}

void token_done(struct token *t)
{
	free(t->name);
	*t = (struct token){ .name = NULL };
}

/* Where there is no more room, the one that ended first goes: it lets nobody in, and must not keep out a new one. */
static int forget_ended(struct db *db, int64_t person, int64_t now, struct err *e)
{
	return db_run(db, e,
		      "DELETE FROM tokens WHERE number IN"
		      " (SELECT number FROM tokens WHERE person = ?1 AND expires <= ?2"
		      " AND (SELECT count(*) FROM tokens WHERE person = ?1) >= ?3"
		      " ORDER BY expires, number LIMIT 1)",
		      "iii", person, now, (int64_t)TOKENS_MAX);
}

static int check_room(struct db *db, int64_t person, const char *name, struct err *e)
{
	int64_t known;

	if (db_number(db, &known, e, "SELECT count(*) FROM tokens WHERE person = ? AND name = ?",
		      "it", person, name) < 0)
		return err_code(e);
	if (known)
		return err_set(e, ERR_EXISTS, "there is a token %s already: revoke it first",
			       log_quote(name).text);
	if (db_number(db, &known, e, "SELECT count(*) FROM tokens WHERE person = ?", "i", person) <
	    0)
		return err_code(e);
	if (known >= TOKENS_MAX)
		return err_set(e, ERR_EXHAUSTED, "a user has at most %d tokens: revoke one",
			       TOKENS_MAX);
	return 0;
}

int token_add(struct db *db, int64_t person, const struct token *t, int64_t now,
	      char text[TOKEN_TEXT_LEN + 1], struct err *e)
{
	uint8_t secret[TOKEN_SECRET_LEN], hash[SHA256_LEN];
	char made[TOKEN_TEXT_LEN + 1] = TOKEN_PREFIX;
	int failed;

	if (people_name_check("token", t->name, e) < 0 || actions_check(t->scope, e) < 0)
		return err_code(e);
	if (t->expires <= now || t->expires - now > (int64_t)TOKEN_DAYS_MAX * 86400 * 1000)
		return err_set(e, ERR_INVALID, "a token ends after 1 to %d days", TOKEN_DAYS_MAX);
	if (forget_ended(db, person, now, e) < 0 || check_room(db, person, t->name, e) < 0 ||
	    random_bytes(secret, sizeof(secret), e) < 0)
		return err_code(e);
	hex_encode(secret, sizeof(secret), made + strlen(TOKEN_PREFIX));
	failed = token_hash(made, hash, e);
	if (!failed)
		failed = db_run(db, e,
				"INSERT INTO tokens (person, name, hash, scope, created, expires)"
				" VALUES (?, ?, ?, ?, ?, ?)",
				"itbiii", person, t->name, hash, sizeof(hash), (int64_t)t->scope,
				now, t->expires);
	if (!failed)
		memcpy(text, made, sizeof(made));
	explicit_bzero(secret, sizeof(secret));
	explicit_bzero(made, sizeof(made));
	return failed;
}

static int read_token(struct db_rows *row, struct token *t, struct err *e)
{
	struct token got = { .name = NULL };
	int64_t scope;

	if (db_integer(row, 1, 0, ACTIONS_ALL, &scope, e) < 0 ||
	    db_integer(row, 2, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_integer(row, 3, 0, INT64_MAX, &got.expires, e) < 0 ||
	    db_integer(row, 4, 0, INT64_MAX, &got.used, e) < 0 || db_text(row, 0, &got.name, e) < 0)
		return err_code(e);
	got.scope = (unsigned)scope;
	*t = got;
	return 0;
}

DEFINE_LIST_ROW(token_row, struct token, 0, read_token, token_done, NULL);

int token_list(struct db *db, int64_t person, struct token rows[TOKENS_MAX], size_t *count,
	       struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;

	if (db_query(db, &found, e,
		     "SELECT name, scope, created, expires, used FROM tokens WHERE person = ?"
		     " ORDER BY number LIMIT ?",
		     "ii", person, (int64_t)TOKENS_MAX) < 0)
		return err_code(e);
	return list_rows(&token_row, found, TOKENS_MAX, rows, count, NULL, e);
}

int token_remove(struct db *db, int64_t person, const char *name, struct err *e)
{
	int64_t gone;

	if (db_change(db, &gone, e, "DELETE FROM tokens WHERE person = ? AND name = ?", "it",
		      person, name) < 0)
		return err_code(e);
	return gone ? 0 : err_set(e, ERR_NOT_FOUND, "no token %s", log_quote(name).text);
}

int token_end(struct db *db, const uint8_t hash[SHA256_LEN], struct err *e)
{
	return db_run(db, e, "DELETE FROM tokens WHERE hash = ?", "b", hash, (size_t)SHA256_LEN);
}

struct found {
	struct token_owner who;
	int64_t number, used;
};

static int read_owner(struct db_rows *row, const uint8_t hash[SHA256_LEN], struct found *f,
		      struct err *e)
{
	CLEANUP(free) char *name = NULL;
	const void *kept;
	size_t len;
	int64_t scope;

	if (db_integer(row, 0, 1, INT64_MAX, &f->number, e) < 0 ||
	    db_integer(row, 1, 1, INT64_MAX, &f->who.person, e) < 0 ||
	    db_flag(row, 3, &f->who.administrator, e) < 0 ||
	    db_flag(row, 8, &f->who.auditor, e) < 0 ||
	    db_integer(row, 4, 0, ACTIONS_ALL, &scope, e) < 0 ||
	    db_integer(row, 5, 0, INT64_MAX, &f->who.expires, e) < 0 ||
	    db_integer(row, 6, 0, INT64_MAX, &f->used, e) < 0 ||
	    db_blob(row, 7, SHA256_LEN, &kept, &len, e) < 0)
		return err_code(e);
	if (len != SHA256_LEN || !bytes_equal(kept, hash, SHA256_LEN))
		return no_token(e);
	if (db_text(row, 2, &name, e) < 0)
		return err_code(e);
	if (people_name_check("user", name, e) < 0)
		return err_set(e, ERR_DATA_LOSS, "database: a user without a name");
	snprintf(f->who.name, sizeof(f->who.name), "%s", name);
	f->who.scope = (unsigned)scope;
	return 0;
}

static int find_owner(struct db *db, const uint8_t hash[SHA256_LEN], int64_t now, struct found *f,
		      struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT t.number, u.number, u.name, u.administrator, t.scope, t.expires,"
		     " t.used, t.hash, u.auditor FROM tokens t JOIN users u ON u.number = t.person"
		     " WHERE t.hash = ? AND t.expires > ? AND u.suspended = 0",
		     "bi", hash, (size_t)SHA256_LEN, now) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row == 0)
		return no_token(e);
	return row < 0 ? row : read_owner(rows, hash, f, e);
}

int token_who(struct db *db, const uint8_t hash[SHA256_LEN], int64_t now, struct token_owner *who,
	      struct err *e)
{
	struct found f = { .number = 0 };

	if (find_owner(db, hash, now, &f, e) < 0)
		return err_code(e);
	/* A clock that was set back must not keep an old moment for ever. */
	if ((now - f.used >= TOKEN_USED_EVERY_MS || now < f.used) &&
	    db_run(db, e, "UPDATE tokens SET used = ? WHERE number = ?", "ii", now, f.number) < 0)
		return err_code(e);
	*who = f.who;
	return 0;
}
