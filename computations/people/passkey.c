/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/passkey.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "computations/people/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

static int text_to(struct db_rows *row, int column, char *out, size_t room, struct err *e)
{
	CLEANUP(free) char *text = NULL;

	if (db_text(row, column, &text, e) < 0)
		return err_code(e);
	if (strlen(text) >= room)
		return err_set(e, ERR_DATA_LOSS, "database: column %d is longer than it can be",
			       column);
	snprintf(out, room, "%s", text);
	return 0;
}

static int bytes_to(struct db_rows *row, int column, uint8_t *out, size_t min, size_t max,
		    size_t *len, struct err *e)
{
	const void *bytes;

	if (db_blob(row, column, max, &bytes, len, e) < 0)
		return err_code(e);
	if (*len < min)
		return err_set(e, ERR_DATA_LOSS, "database: column %d is shorter than it can be",
			       column);
	memcpy(out, bytes, *len);
	return 0;
}

static int handle_to(struct db_rows *row, int column, uint8_t handle[PASSKEY_HANDLE_LEN],
		     struct err *e)
{
	size_t len;

	return bytes_to(row, column, handle, PASSKEY_HANDLE_LEN, PASSKEY_HANDLE_LEN, &len, e);
}

static int read_row(struct db_rows *row, struct passkey *p, struct err *e)
{
	if (db_integer(row, 0, 1, INT64_MAX, &p->number, e) < 0 ||
	    text_to(row, 1, p->name, sizeof(p->name), e) < 0 ||
	    db_integer(row, 2, 0, INT64_MAX, &p->created, e) < 0 ||
	    db_integer(row, 3, 0, INT64_MAX, &p->used, e) < 0 ||
	    db_integer(row, 4, 0, INT64_MAX, &p->went_back, e) < 0 ||
	    db_flag(row, 5, &p->backed_up, e) < 0)
		return err_code(e);
	return bytes_to(row, 6, p->id, WEBAUTHN_ID_MIN, WEBAUTHN_ID_MAX, &p->id_len, e);
}

int passkey_list(struct db *db, int64_t person, struct passkey **rows, size_t *count, struct err *e)
{
	CLEANUP(free) struct passkey *got = calloc(PASSKEYS_MAX, sizeof(*got));
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	size_t have = 0;
	int row;

	if (!got)
		return err_nomem(e);
	if (db_query(db, &found, e,
		     "SELECT number, name, created, used, went_back, backed_up, credential FROM"
		     " passkeys WHERE person = ?1 ORDER BY number LIMIT ?2",
		     "ii", person, (int64_t)PASSKEYS_MAX) < 0)
		return err_code(e);
	while ((row = db_next(found, e)) > 0 && have < PASSKEYS_MAX)
		if (read_row(found, &got[have++], e) < 0)
			return err_code(e);
	if (row < 0)
		return row;
	*count = have;
	*rows = have ? TAKE_PTR(got) : NULL;
	return 0;
}

int passkey_count(struct db *db, int64_t person, int64_t *count, struct err *e)
{
	return db_number(db, count, e, "SELECT count(*) FROM passkeys WHERE person = ?", "i",
			 person);
}

/* ---- what is begun ---- */

static int nothing_begun(struct err *e)
{
	return err_set(e, ERR_UNAUTHENTICATED,
		       "this was used, is older than %d minutes, or its session has ended: begin "
		       "again at the page under You",
		       PASSKEY_MINUTES);
}

static int hash_of(const char *text, uint8_t hash[SHA256_LEN], struct err *e)
{
	if (strlen(text) != PASSKEY_TEXT_LEN ||
	    strspn(text, "0123456789abcdef") != PASSKEY_TEXT_LEN)
		return nothing_begun(e);
	return digest(DIGEST_SHA256, text, PASSKEY_TEXT_LEN, hash, e);
}

/* The same for all passkeys of a user, and says nothing of that: Web Authentication, 14.6.1. */
static int give_handle(struct db *db, int64_t person, struct err *e)
{
	uint8_t handle[PASSKEY_HANDLE_LEN];
	int64_t has;

	if (db_number(db, &has, e, "SELECT count(*) FROM passkey_handles WHERE person = ?", "i",
		      person) < 0)
		return err_code(e);
	if (has)
		return 0;
	if (random_bytes(handle, sizeof(handle), e) < 0)
		return err_code(e);
	return db_run(db, e, "INSERT INTO passkey_handles (person, handle) VALUES (?, ?)", "ib",
		      person, handle, sizeof(handle));
}

static int check_name(struct db *db, int64_t person, const char *name, struct err *e)
{
	int64_t count;

	if (people_name_check("passkey", name, e) < 0 ||
	    db_number(db, &count, e, "SELECT count(*) FROM passkeys WHERE person = ? AND name = ?",
		      "it", person, name) < 0)
		return err_code(e);
	return count ? err_set(e, ERR_EXISTS, "there is a passkey %s already: give another name",
			       log_quote(name).text)
		     : 0;
}

static int check_room(struct db *db, int64_t person, const char *name, struct err *e)
{
	int64_t count;

	if (check_name(db, person, name, e) < 0 || passkey_count(db, person, &count, e) < 0)
		return err_code(e);
	return count < PASSKEYS_MAX
		       ? 0
		       : err_set(e, ERR_EXHAUSTED, "there are %d passkeys: remove one first",
				 PASSKEYS_MAX);
}

/* What has ended, and what is too much: a new one finds a place. */
static int make_room(struct db *db, int64_t person, int64_t now, struct err *e)
{
	if (db_run(db, e, "DELETE FROM passkeys_begun WHERE ends <= ?", "i", now) < 0)
		return err_code(e);
	return db_run(
		db, e,
		"DELETE FROM passkeys_begun WHERE person = ?1 AND number NOT IN (SELECT"
		" number FROM passkeys_begun WHERE person = ?1 ORDER BY number DESC LIMIT ?2)",
		"ii", person, (int64_t)PASSKEYS_BEGUN_MAX - 1);
}

/* `b`: person, name and device count. */
static int begin(struct db *db, const struct passkey_begun *b, int64_t login, int64_t now,
		 char text[PASSKEY_TEXT_LEN + 1], struct err *e)
{
	uint8_t random[PASSKEY_SECRET_LEN], hash[SHA256_LEN];
	char made[PASSKEY_TEXT_LEN + 1] = "";
	int failed;

	if (make_room(db, b->person, now, e) < 0 || random_bytes(random, sizeof(random), e) < 0)
		return err_code(e);
	hex_encode(random, sizeof(random), made);
	failed = hash_of(made, hash, e);
	if (!failed)
		failed = db_run(db, e,
				"INSERT INTO passkeys_begun (person, login, hash, name, device,"
				" ends) VALUES (?, ?, ?, ?, ?, ?)",
				"iibtti", b->person, login, hash, sizeof(hash), b->name, b->device,
				now + (int64_t)PASSKEY_MINUTES * 60000);
	if (!failed)
		memcpy(text, made, sizeof(made));
	OPENSSL_cleanse(random, sizeof(random));
	OPENSSL_cleanse(made, sizeof(made));
	return failed;
}

int passkey_begin(struct db *db, int64_t person, int64_t login, const char *name, int64_t now,
		  char text[PASSKEY_TEXT_LEN + 1], struct err *e)
{
	struct passkey_begun b = { .person = person };

	if (check_room(db, person, name, e) < 0 || give_handle(db, person, e) < 0)
		return err_code(e);
	snprintf(b.name, sizeof(b.name), "%s", name);
	return begin(db, &b, login, now, text, e);
}

int passkey_begin_device(struct db *db, int64_t person, int64_t login, const char *code,
			 int64_t now, char text[PASSKEY_TEXT_LEN + 1], struct err *e)
{
	struct passkey_begun b = { .person = person };
	int64_t count;

	if (passkey_count(db, person, &count, e) < 0)
		return err_code(e);
	if (!count)
		return err_set(e, ERR_PRECONDITION,
			       "you have no passkey: add one at the page under You");
	snprintf(b.device, sizeof(b.device), "%s", code);
	return begin(db, &b, login, now, text, e);
}

static int read_begun(struct db_rows *row, struct passkey_begun *b, struct err *e)
{
	if (db_integer(row, 0, 1, INT64_MAX, &b->number, e) < 0 ||
	    db_integer(row, 1, 1, INT64_MAX, &b->person, e) < 0 ||
	    text_to(row, 2, b->user, sizeof(b->user), e) < 0 ||
	    text_to(row, 3, b->name, sizeof(b->name), e) < 0 ||
	    text_to(row, 4, b->host, sizeof(b->host), e) < 0 ||
	    text_to(row, 6, b->device, sizeof(b->device), e) < 0)
		return err_code(e);
	return handle_to(row, 5, b->handle, e);
}

int passkey_begun_find(struct db *db, const char *text, int64_t now, struct passkey_begun *begun,
		       struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	uint8_t hash[SHA256_LEN];
	int row;

	if (hash_of(text, hash, e) < 0 ||
	    db_query(db, &rows, e,
		     "SELECT b.number, b.person, u.name, b.name, l.host, h.handle, b.device FROM"
		     " passkeys_begun b JOIN users u ON u.number = b.person JOIN logins l ON"
		     " l.number = b.login AND l.person = b.person JOIN passkey_handles h ON"
		     " h.person = b.person WHERE b.hash = ? AND b.ends > ? AND l.ends > ? AND"
		     " l.seen > ? AND u.suspended = 0",
		     "biii", hash, sizeof(hash), now, now, now - LOGIN_IDLE_MS) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : nothing_begun(e);
	return read_begun(rows, begun, e);
}

int passkey_begun_end(struct db *db, const struct passkey_begun *begun, struct err *e)
{
	int64_t gone;

	if (db_change(db, &gone, e, "DELETE FROM passkeys_begun WHERE number = ?", "i",
		      begun->number) < 0)
		return err_code(e);
	return gone == 1 ? 0 : nothing_begun(e);
}

int passkey_add(struct db *db, const struct passkey_begun *begun, const struct webauthn_new *made,
		int64_t now, struct err *e)
{
	int64_t known;

	if (check_room(db, begun->person, begun->name, e) < 0 ||
	    db_number(db, &known, e, "SELECT count(*) FROM passkeys WHERE credential = ?", "b",
		      made->id, made->id_len) < 0)
		return err_code(e);
	if (known)
		return err_set(e, ERR_EXISTS,
			       "this passkey is known already: let the device make a new one");
	return db_run(db, e,
		      "INSERT INTO passkeys (person, name, credential, spki, count, eligible,"
		      " backed_up, created) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		      "itbbiiii", begun->person, begun->name, made->id, made->id_len, made->spki,
		      made->spki_len, (int64_t)made->count, (int64_t)made->eligible,
		      (int64_t)made->backed_up, now);
}

/* ---- one that is used ---- */

static int read_owner(struct db_rows *row, struct passkey_owner *o, struct err *e)
{
	int64_t count;

	if (db_integer(row, 0, 1, INT64_MAX, &o->number, e) < 0 ||
	    db_integer(row, 1, 1, INT64_MAX, &o->person, e) < 0 ||
	    text_to(row, 2, o->user, sizeof(o->user), e) < 0 ||
	    text_to(row, 3, o->name, sizeof(o->name), e) < 0 ||
	    handle_to(row, 4, o->handle, e) < 0 ||
	    bytes_to(row, 5, o->spki, 1, SPKI_MAX, &o->spki_len, e) < 0 ||
	    db_integer(row, 6, 0, UINT32_MAX, &count, e) < 0 ||
	    db_flag(row, 7, &o->eligible, e) < 0)
		return err_code(e);
	o->count = (uint32_t)count;
	return 0;
}

int passkey_find(struct db *db, struct span id, struct passkey_owner *owner, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT p.number, p.person, u.name, p.name, h.handle, p.spki, p.count,"
		     " p.eligible FROM passkeys p JOIN users u ON u.number = p.person JOIN"
		     " passkey_handles h ON h.person = p.person WHERE p.credential = ? AND"
		     " u.suspended = 0",
		     "b", id.bytes, id.len) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row
			       : err_set(e, ERR_UNAUTHENTICATED,
					 "this passkey is none of this service, was removed, or may "
					 "not sign in");
	return read_owner(rows, owner, e);
}

int passkey_note(struct db *db, const struct passkey_owner *owner, const struct webauthn_used *used,
		 int64_t now, struct err *e)
{
	if (used->went_back)
		return db_run(db, e, "UPDATE passkeys SET went_back = ? WHERE number = ?", "ii",
			      now, owner->number);
	return db_run(db, e,
		      "UPDATE passkeys SET count = ?, backed_up = ?, used = ? WHERE number = ?",
		      "iiii", (int64_t)used->count, (int64_t)used->backed_up, now, owner->number);
}

int passkey_answer(struct db *db, const uint8_t challenge[WEBAUTHN_CHALLENGE_LEN], int64_t now,
		   struct err *e)
{
	int64_t answered;

	if (db_run(db, e, "DELETE FROM passkey_answers WHERE ends <= ?", "i", now) < 0 ||
	    db_number(db, &answered, e, "SELECT count(*) FROM passkey_answers WHERE challenge = ?",
		      "b", challenge, (size_t)WEBAUTHN_CHALLENGE_LEN) < 0)
		return err_code(e);
	if (answered)
		return err_set(e, ERR_UNAUTHENTICATED,
			       "this was sent before: sign in again from the page");
	return db_run(db, e, "INSERT INTO passkey_answers (challenge, ends) VALUES (?, ?)", "bi",
		      challenge, (size_t)WEBAUTHN_CHALLENGE_LEN, now + PASSKEY_ANSWER_MS);
}

/* ---- the rest ---- */

static int find_name(struct db *db, int64_t person, int64_t number, char name[PEOPLE_NAME_MAX + 1],
		     struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, "SELECT name FROM passkeys WHERE person = ? AND number = ?",
		     "ii", person, number) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row
			       : err_set(e, ERR_NOT_FOUND, "you have no such passkey any more");
	return text_to(rows, 0, name, PEOPLE_NAME_MAX + 1, e);
}

int passkey_rename(struct db *db, int64_t person, int64_t number, const char *name,
		   char old[PEOPLE_NAME_MAX + 1], struct err *e)
{
	if (find_name(db, person, number, old, e) < 0)
		return err_code(e);
	if (strcmp(name, old) == 0)
		return 0;
	return check_name(db, person, name, e) < 0
		       ? err_code(e)
		       : db_run(db, e, "UPDATE passkeys SET name = ? WHERE number = ?", "ti", name,
				number);
}

int passkey_remove(struct db *db, int64_t person, int64_t number, char name[PEOPLE_NAME_MAX + 1],
		   struct err *e)
{
	if (find_name(db, person, number, name, e) < 0 ||
	    db_run(db, e, "DELETE FROM passkeys WHERE number = ?", "i", number) < 0)
		return err_code(e);
	return user_check_way_in(db, person, e);
}

int passkey_remove_all(struct db *db, int64_t person, struct err *e)
{
	int64_t gone;

	if (db_run(db, e, "DELETE FROM passkeys_begun WHERE person = ?", "i", person) < 0 ||
	    db_change(db, &gone, e, "DELETE FROM passkeys WHERE person = ?", "i", person) < 0)
		return err_code(e);
	return gone ? 0 : err_set(e, ERR_NOT_FOUND, "this user has no passkey");
}
