/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/login.h"

#include "common/base/encode.h"
#include "common/base/utf8.h"
#include "computations/list/list_rows.h"
#include "computations/people/action.h"
#include "computations/people/half.h"

#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

static int no_login(struct err *e)
{
	return err_set(e, ERR_UNAUTHENTICATED, "sign in: there is no session, or it has ended");
}

int login_hash(const char *text, uint8_t hash[SHA256_LEN], struct err *e)
{
	if (strlen(text) != LOGIN_TEXT_LEN || strspn(text, "0123456789abcdef") != LOGIN_TEXT_LEN)
		return no_login(e);
	return digest(DIGEST_SHA256, text, LOGIN_TEXT_LEN, hash, e);
}

void login_done(struct login *l)
{
	free(l->peer);
	free(l->about);
	*l = (struct login){ .number = 0 };
}

/* What has ended, and what is too much: a new one finds a place. */
static int make_room(struct db *db, int64_t person, int64_t now, struct err *e)
{
	if (db_run(db, e, "DELETE FROM logins WHERE ends <= ? OR seen <= ?", "ii", now,
		   now - LOGIN_IDLE_MS) < 0)
		return err_code(e);
	return db_run(db, e,
		      "DELETE FROM logins WHERE person = ?1 AND number NOT IN (SELECT number FROM"
		      " logins WHERE person = ?1 ORDER BY seen DESC, number DESC LIMIT ?2)",
		      "ii", person, (int64_t)LOGINS_MAX - 1);
}

/* The front of `text` that is in UTF-8 and fits; "" if nothing is. */
static void cut(const char *text, size_t max, char *out)
{
	size_t len = strnlen(text, max), at = 0, step;

	while (at < len && (step = utf8_char(text + at, len - at)) > 0)
		at += step;
	memcpy(out, text, at);
	out[at] = 0;
}

int login_add(struct db *db, int64_t person, const char *host, const struct login *from,
	      int64_t now, char text[LOGIN_TEXT_LEN + 1], struct err *e)
{
	char made[LOGIN_TEXT_LEN + 1] = "", peer[LOGIN_PEER_MAX + 1], about[LOGIN_ABOUT_MAX + 1];
	uint8_t secret[LOGIN_SECRET_LEN], hash[SHA256_LEN];
	int failed;

	if (make_room(db, person, now, e) < 0 || random_bytes(secret, sizeof(secret), e) < 0)
		return err_code(e);
	hex_encode(secret, sizeof(secret), made);
	cut(from->peer, LOGIN_PEER_MAX, peer);
	cut(from->about, LOGIN_ABOUT_MAX, about);
	failed = login_hash(made, hash, e);
	if (!failed)
		failed =
			db_run(db, e,
			       "INSERT INTO logins (person, hash, host, peer, about, created, seen,"
			       " ends) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			       "ibtttiii", person, hash, sizeof(hash), host, peer, about, now, now,
			       now + LOGIN_LONGEST_MS);
	if (!failed)
		memcpy(text, made, sizeof(made));
	OPENSSL_cleanse(secret, sizeof(secret));
	OPENSSL_cleanse(made, sizeof(made));
	return failed;
}

struct found {
	struct token_owner who;
	int64_t number, seen;
};

static int read_found(struct db_rows *row, const uint8_t hash[SHA256_LEN], struct found *f,
		      struct err *e)
{
	CLEANUP(free) char *name = NULL;
	const void *kept;
	size_t len;

	if (db_integer(row, 0, 1, INT64_MAX, &f->number, e) < 0 ||
	    db_integer(row, 1, 1, INT64_MAX, &f->who.person, e) < 0 ||
	    db_flag(row, 3, &f->who.administrator, e) < 0 ||
	    db_flag(row, 7, &f->who.auditor, e) < 0 ||
	    db_integer(row, 4, 0, INT64_MAX, &f->seen, e) < 0 ||
	    db_integer(row, 5, 0, INT64_MAX, &f->who.expires, e) < 0 ||
	    db_blob(row, 6, SHA256_LEN, &kept, &len, e) < 0)
		return err_code(e);
	if (len != SHA256_LEN || !bytes_equal(kept, hash, SHA256_LEN))
		return no_login(e);
	if (db_text(row, 2, &name, e) < 0)
		return err_code(e);
	if (people_name_check("user", name, e) < 0)
		return err_set(e, ERR_DATA_LOSS, "database: a user without a name");
	snprintf(f->who.name, sizeof(f->who.name), "%s", name);
	f->who.scope = ACTIONS_ALL;
	return 0;
}

static int find(struct db *db, const uint8_t hash[SHA256_LEN], const char *host, int64_t now,
		struct found *f, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT l.number, u.number, u.name, u.administrator, l.seen, l.ends, l.hash,"
		     " u.auditor"
		     " FROM logins l JOIN users u ON u.number = l.person WHERE l.hash = ?"
		     " AND l.host = ? AND l.ends > ? AND l.seen > ? AND u.suspended = 0",
		     "btii", hash, (size_t)SHA256_LEN, host, now, now - LOGIN_IDLE_MS) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row == 0)
		return no_login(e);
	return row < 0 ? row : read_found(rows, hash, f, e);
}

int login_who(struct db *db, const uint8_t hash[SHA256_LEN], const char *host, int64_t now,
	      struct token_owner *who, int64_t *number, struct err *e)
{
	struct found f = { .number = 0 };

	if (find(db, hash, host, now, &f, e) < 0)
		return err_code(e);
	/* A clock that was set back must not keep an old moment for ever. */
	if ((now - f.seen >= LOGIN_SEEN_EVERY_MS || now < f.seen) &&
	    db_run(db, e, "UPDATE logins SET seen = ? WHERE number = ?", "ii", now, f.number) < 0)
		return err_code(e);
	*who = f.who;
	*number = f.number;
	return 0;
}

int login_check_fresh(struct db *db, int64_t number, int64_t now, struct err *e)
{
	int64_t fresh;

	if (db_number(db, &fresh, e,
		      "SELECT count(*) FROM logins WHERE number = ? AND created > ? AND"
		      " created <= ?",
		      "iii", number, now - (int64_t)LOGIN_FRESH_MINUTES * 60000, now) < 0)
		return err_code(e);
	return fresh ? 0
		     : err_set(e, ERR_INVALID,
			       "you signed in more than %d minutes ago: sign out, sign in again, "
			       "and come back here",
			       LOGIN_FRESH_MINUTES);
}

static int read_login(struct db_rows *row, struct login *l, struct err *e)
{
	struct login got = { .number = 0 };

	if (db_integer(row, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	    db_integer(row, 1, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_integer(row, 2, 0, INT64_MAX, &got.seen, e) < 0 ||
	    db_text(row, 3, &got.peer, e) < 0 || db_text(row, 4, &got.about, e) < 0) {
		login_done(&got);
		return err_code(e);
	}
	*l = got;
	return 0;
}

DEFINE_LIST_ROW(login_row, struct login, 0, read_login, login_done, NULL);

int login_list(struct db *db, int64_t person, int64_t now, struct login rows[LOGINS_MAX],
	       size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;

	if (db_query(db, &found, e,
		     "SELECT number, created, seen, peer, about FROM logins WHERE person = ?"
		     " AND ends > ? AND seen > ? ORDER BY number LIMIT ?",
		     "iiii", person, now, now - LOGIN_IDLE_MS, (int64_t)LOGINS_MAX) < 0)
		return err_code(e);
	return list_rows(&login_row, found, LOGINS_MAX, rows, count, NULL, e);
}

int login_end(struct db *db, int64_t person, int64_t number, struct err *e)
{
	int64_t gone;

	if (db_change(db, &gone, e, "DELETE FROM logins WHERE person = ? AND number = ?", "ii",
		      person, number) < 0)
		return err_code(e);
	return gone ? 0
		    : err_set(e, ERR_NOT_FOUND, "no session %lld: it has ended, perhaps",
			      (long long)number);
}

int login_end_others(struct db *db, int64_t person, int64_t number, struct err *e)
{
	if (db_run(db, e, "DELETE FROM logins WHERE person = ? AND number <> ?", "ii", person,
		   number) < 0)
		return err_code(e);
	return half_forget(db, person, e);
}

int login_forget(struct db *db, const uint8_t hash[SHA256_LEN], struct err *e)
{
	return db_run(db, e, "DELETE FROM logins WHERE hash = ?", "b", hash, (size_t)SHA256_LEN);
}
