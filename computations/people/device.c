/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/device.h"

#include "common/base/encode.h"
#include "common/base/utf8.h"
#include "computations/people/action.h"
#include "computations/people/device_room.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <openssl/crypto.h>

/* No vowels, of which words are made, and nothing that looks like a digit (RFC 8628, section 6.1). */
static const char letters[] = "BCDFGHJKLMNPQRSTVWXZ";
enum { LETTERS = sizeof(letters) - 1, FAIR = 256 / LETTERS * LETTERS };

static int nobody(struct err *e)
{
	return err_set(e, ERR_UNAUTHENTICATED,
		       "this login has ended, was finished, or is none of ours: begin it again");
}

static int no_code(struct err *e)
{
	return err_set(e, ERR_INVALID,
		       "no command line waits under this code: it ends after %d minutes, and works "
		       "once; 'cocos-cli login' shows a new one",
		       DEVICE_MINUTES);
}

static int hash_of(const char *text, uint8_t hash[SHA256_LEN], struct err *e)
{
	if (strlen(text) != DEVICE_TEXT_LEN || strspn(text, "0123456789abcdef") != DEVICE_TEXT_LEN)
		return nobody(e);
	return digest(DIGEST_SHA256, text, DEVICE_TEXT_LEN, hash, e);
}

/* As it is kept. */
static int read_code(const char *typed, char code[DEVICE_CODE_TEXT_LEN + 1], struct err *e)
{
	size_t len = 0;

	for (; *typed; typed++) {
		int letter = toupper((unsigned char)*typed);

		if (letter == '-' || letter == ' ')
			continue;
		if (!strchr(letters, letter) || len == DEVICE_CODE_LEN)
			return no_code(e);
		code[len + (len >= DEVICE_CODE_LEN / 2)] = (char)letter;
		len++;
	}
	if (len != DEVICE_CODE_LEN)
		return no_code(e);
	code[DEVICE_CODE_LEN / 2] = '-';
	code[DEVICE_CODE_TEXT_LEN] = 0;
	return 0;
}

static int make_code(char code[DEVICE_CODE_TEXT_LEN + 1], struct err *e)
{
	char made[DEVICE_CODE_LEN + 1] = "";
	uint8_t byte;

	for (size_t len = 0; len < DEVICE_CODE_LEN;) {
		if (random_bytes(&byte, 1, e) < 0)
			return err_code(e);
		if (byte < FAIR)
			made[len++] = letters[byte % LETTERS];
	}
	return read_code(made, code, e);
}

static int check(const struct device *d, struct err *e)
{
	size_t len = strlen(d->about);

	if (!utf8_valid(d->about, len) || utf8_has_control(d->about, len))
		return err_set(e, ERR_INVALID, "about: a character that can't be shown");
	if (d->days > TOKEN_DAYS_MAX)
		return err_set(e, ERR_INVALID, "a token ends after 1 to %d days", TOKEN_DAYS_MAX);
	return actions_check(d->scope, e);
}

int device_ask(struct db *db, struct device *d, int64_t now, char secret[DEVICE_TEXT_LEN + 1],
	       struct err *e)
{
	uint8_t random[DEVICE_SECRET_LEN], hash[SHA256_LEN];
	char made[DEVICE_TEXT_LEN + 1] = "";
	struct device asked = *d;
	int failed;

	if (!asked.days)
		asked.days = DEVICE_DAYS;
	asked.ends = now + (int64_t)DEVICE_MINUTES * 60000;
	if (check(&asked, e) < 0 ||
	    db_run(db, e, "DELETE FROM devices WHERE ends <= ?", "i", now) < 0 ||
	    device_room_make(db, asked.peer, e) < 0 || make_code(asked.code, e) < 0 ||
	    random_bytes(random, sizeof(random), e) < 0)
		return err_code(e);
	hex_encode(random, sizeof(random), made);
	failed = hash_of(made, hash, e);
	if (!failed)
		failed = db_run(db, e,
				"INSERT INTO devices (hash, code, about, peer, scope, days, ends)"
				" VALUES (?, ?, ?, ?, ?, ?, ?)",
				"btttiii", hash, sizeof(hash), asked.code, asked.about, asked.peer,
				(int64_t)asked.scope, (int64_t)asked.days, asked.ends);
	if (!failed) {
		memcpy(secret, made, sizeof(made));
		*d = asked;
	}
	OPENSSL_cleanse(random, sizeof(random));
	OPENSSL_cleanse(made, sizeof(made));
	return failed;
}

static int copy_text(struct db_rows *row, int column, char *out, size_t size, struct err *e)
{
	CLEANUP(free) char *text = NULL;

	if (db_text(row, column, &text, e) < 0)
		return err_code(e);
	if (strlen(text) >= size)
		return err_set(e, ERR_DATA_LOSS, "database: a login's text is too long");
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

/* Columns: code, about, peer, scope, days, ends. */
static int read_device(struct db_rows *row, struct device *d, struct err *e)
{
	struct device got = { .scope = 0 };
	int64_t scope, days;

	if (copy_text(row, 0, got.code, sizeof(got.code), e) < 0 ||
	    copy_text(row, 1, got.about, sizeof(got.about), e) < 0 ||
	    copy_text(row, 2, got.peer, sizeof(got.peer), e) < 0 ||
	    db_integer(row, 3, 0, ACTIONS_ALL, &scope, e) < 0 ||
	    db_integer(row, 4, 1, TOKEN_DAYS_MAX, &days, e) < 0 ||
	    db_integer(row, 5, 0, INT64_MAX, &got.ends, e) < 0)
		return err_code(e);
	got.scope = (unsigned)scope;
	got.days = (uint32_t)days;
	*d = got;
	return 0;
}

int device_find(struct db *db, const char *code, int64_t now, struct device *d, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	char kept[DEVICE_CODE_TEXT_LEN + 1];
	int row;

	if (read_code(code, kept, e) < 0 ||
	    db_query(db, &rows, e,
		     "SELECT code, about, peer, scope, days, ends FROM devices WHERE code = ?"
		     " AND ends > ? AND person IS NULL AND refused <> 1",
		     "ti", kept, now) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : no_code(e);
	return read_device(rows, d, e);
}

int device_see(struct db *db, const struct device *d, int64_t person, struct err *e)
{
	return db_run(db, e, "UPDATE devices SET refused = ? WHERE code = ? AND refused = ?", "iti",
		      DEVICE_SEEN + person, d->code, (int64_t)DEVICE_ASKED);
}

int device_answer(struct db *db, const char *code, int64_t person, int64_t now, struct err *e)
{
	char kept[DEVICE_CODE_TEXT_LEN + 1];
	int64_t done;

	if (read_code(code, kept, e) < 0)
		return err_code(e);
	if (person ? db_change(db, &done, e,
			       "UPDATE devices SET person = ? WHERE code = ? AND ends > ?"
			       " AND person IS NULL AND refused <> 1",
			       "iti", person, kept, now) < 0
		   : db_change(db, &done, e,
			       "UPDATE devices SET refused = 1 WHERE code = ? AND ends > ?"
			       " AND person IS NULL AND refused <> 1",
			       "ti", kept, now) < 0)
		return err_code(e);
	return done == 1 ? 0 : no_code(e);
}

/* What is behind the secret: its row's number, and who let it in (0: nobody yet), with that user's name. */
struct asker {
	struct device device;
	int64_t number, person;
	char user[PEOPLE_NAME_MAX + 1];
};

static int read_asker(struct db_rows *row, struct asker *a, struct err *e)
{
	int64_t state;

	if (read_device(row, &a->device, e) < 0 ||
	    db_integer(row, 6, 1, INT64_MAX, &a->number, e) < 0 ||
	    db_integer(row, 7, 0, INT64_MAX, &a->person, e) < 0 ||
	    copy_text(row, 8, a->user, sizeof(a->user), e) < 0 ||
	    db_integer(row, 9, DEVICE_ASKED, INT64_MAX, &state, e) < 0)
		return err_code(e);
	return state == DEVICE_REFUSED
		       ? err_set(e, ERR_DENIED, "whoever was asked at the page has refused it")
		       : 0;
}

static int find_asker(struct db *db, const char *secret, int64_t now, struct asker *a,
		      struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	uint8_t hash[SHA256_LEN];
	int row;

	if (hash_of(secret, hash, e) < 0 ||
	    db_query(db, &rows, e,
		     "SELECT d.code, d.about, d.peer, d.scope, d.days, d.ends, d.number,"
		     " coalesce(d.person, 0), coalesce(u.name, ''), d.refused FROM devices d"
		     " LEFT JOIN users u ON u.number = d.person"
		     " WHERE d.hash = ? AND d.ends > ? AND coalesce(u.suspended, 0) = 0",
		     "bi", hash, sizeof(hash), now) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : nobody(e);
	return read_asker(rows, a, e);
}

int device_look(struct db *db, const char *secret, int64_t now, enum device_state *state,
		struct err *e)
{
	struct asker a = { .number = 0 };

	if (find_asker(db, secret, now, &a, e) < 0)
		return err_code(e);
	*state = a.person ? DEVICE_IS_IN : DEVICE_WAITS;
	return 0;
}

/* "login-bcdfghjk": its user knows it again by the code that he typed. */
static void name_token(const char *code, char name[PEOPLE_NAME_MAX + 1])
{
	size_t len = (size_t)snprintf(name, PEOPLE_NAME_MAX + 1, "login-");

	for (; *code; code++)
		if (*code != '-')
			name[len++] = (char)tolower((unsigned char)*code);
	name[len] = 0;
}

static int check_in(const struct asker *a, struct err *e)
{
	return a->person ? 0 : err_set(e, ERR_PRECONDITION, "nobody has let this login in yet");
}

int device_may_take(struct db *db, const char *secret, int64_t now, struct err *e)
{
	struct asker a = { .number = 0 };

	if (find_asker(db, secret, now, &a, e) < 0)
		return err_code(e);
	return check_in(&a, e);
}

int device_take(struct db *db, const char *secret, int64_t now, struct device_token *token,
		struct err *e)
{
	struct device_token made = { .person = 0 };
	struct asker a = { .number = 0 };
	int64_t gone;

	if (find_asker(db, secret, now, &a, e) < 0 || check_in(&a, e) < 0)
		return err_code(e);
	made.person = a.person;
	made.expires = now + (int64_t)a.device.days * 86400 * 1000;
	memcpy(made.user, a.user, sizeof(made.user));
	name_token(a.device.code, made.name);
	if (db_change(db, &gone, e, "DELETE FROM devices WHERE number = ?", "i", a.number) < 0)
		return err_code(e);
	if (gone != 1)
		return nobody(e);
	if (token_add(db, a.person,
		      &(struct token){
			      .name = made.name, .scope = a.device.scope, .expires = made.expires },
		      now, made.text, e) < 0)
		return err_code(e);
	*token = made;
	OPENSSL_cleanse(&made, sizeof(made));
	return 0;
}

int device_forget(struct db *db, int64_t person, struct err *e)
{
	return db_run(db, e, "DELETE FROM devices WHERE person = ?", "i", person);
}
