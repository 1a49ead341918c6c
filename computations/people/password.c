/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/password.h"

#include "common/base/utf8.h"
#include "common/crypto/digest.h"

#include <argon2.h>
#include <ctype.h>
#include <string.h>
#include <openssl/crypto.h>

/* What the first guesses are made of. */
static const char *const words[] = {
	"password", "passw0rd",    "passwort", "passphrase",
	"qwerty",   "qwertz",      "azerty",   "asdf",
	"zxcv",     "yxcv",        "letmein",  "welcome",
	"admin",    "changeme",    "default",  "secret",
	"login",    "iloveyou",    "monkey",   "dragon",
	"football", "baseball",    "sunshine", "princess",
	"master",   "shadow",      "superman", "batman",
	"trustno1", "hello",       "freedom",  "whatever",
	"summer",   "winter",      "spring",   "autumn",
	"cocos",    "computation", "hospital", "confidential",
	"test",     "user",        "root",     "correcthorsebatterystaple",
};

/* As the first guesses are made: without regard to capitals. */
static void to_lower(const char *text, char *out)
{
	for (; *text; text++)
		*out++ = (char)tolower((unsigned char)*text);
	*out = 0;
}

/* Each place where the word stands becomes one zero byte's width of nothing. */
static void strike(char *text, const char *word)
{
	size_t len = strlen(word);
	char *at;

	while (len >= 3 && (at = strstr(text, word)) != NULL)
		memmove(at, at + len, strlen(at + len) + 1);
}

/* Characters that do not merely go on: up, down or the same as the one before. */
static unsigned weight_of(const char *text)
{
	unsigned weight = 0;
	int before = -2;

	for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
		int step = *c - before;

		if ((*c & 0xc0) != 0x80 && (step < -1 || step > 1))
			weight++;
		before = *c;
	}
	return weight;
}

static size_t characters(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += ((unsigned char)*text & 0xc0) != 0x80;
	return count;
}

int password_check(const char *user, const char *text, struct err *e)
{
	size_t len = strlen(text);
	char left[PASSWORD_MAX + 1];
	unsigned weight;

	if (len > PASSWORD_MAX)
		return err_set(e, ERR_INVALID, "password: it has %zu bytes, and may have %d", len,
			       PASSWORD_MAX);
	if (!utf8_valid(text, len) || utf8_has_control(text, len))
		return err_set(e, ERR_INVALID,
			       "password: it has a character that can't be typed: leave it out");
	if (characters(text) < PASSWORD_MIN)
		return err_set(e, ERR_INVALID,
			       "password: it has %zu characters, and needs %d: some words that do "
			       "not belong together are easy to keep in mind",
			       characters(text), PASSWORD_MIN);
	to_lower(text, left);
	strike(left, user);
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		strike(left, words[i]);
	weight = weight_of(left);
	OPENSSL_cleanse(left, sizeof(left));
	if (weight < PASSWORD_WEIGHT)
		return err_set(e, ERR_INVALID,
			       "password: besides its user's name, words that everybody tries and "
			       "runs such as 345 it has %u characters, and needs %d: choose others",
			       weight, PASSWORD_WEIGHT);
	return 0;
}

static int compute(const struct password *p, const char *text, uint8_t hash[PASSWORD_HASH_LEN],
		   struct err *e)
{
	int status = argon2id_hash_raw(p->passes, p->memory, 1, text, strlen(text), p->salt,
				       sizeof(p->salt), hash, PASSWORD_HASH_LEN);

	if (status == ARGON2_OK)
		return 0;
	if (status == ARGON2_MEMORY_ALLOCATION_ERROR)
		return err_set(e, ERR_EXHAUSTED, "a password takes %u KiB, which are not there",
			       p->memory);
	return err_set(e, ERR_INTERNAL, "argon2id: %s", argon2_error_message(status));
}

int password_make(const char *text, struct password *p, struct err *e)
{
	struct password made = { .memory = PASSWORD_MEMORY_KIB, .passes = PASSWORD_PASSES };

	if (random_bytes(made.salt, sizeof(made.salt), e) < 0 ||
	    compute(&made, text, made.hash, e) < 0)
		return err_code(e);
	*p = made;
	return 0;
}

int password_matches(const struct password *p, const char *text, bool *matches, struct err *e)
{
	uint8_t hash[PASSWORD_HASH_LEN];

	if (compute(p, text, hash, e) < 0)
		return err_code(e);
	*matches = bytes_equal(hash, p->hash, sizeof(hash));
	OPENSSL_cleanse(hash, sizeof(hash));
	return 0;
}

int password_set(struct db *db, int64_t person, const struct password *p, int64_t now,
		 struct err *e)
{
	if (db_run(db, e, "DELETE FROM passwords WHERE person = ?", "i", person) < 0)
		return err_code(e);
	return db_run(db, e,
		      "INSERT INTO passwords (person, salt, hash, memory, passes, changed)"
		      " VALUES (?, ?, ?, ?, ?, ?)",
		      "ibbiii", person, p->salt, sizeof(p->salt), p->hash, sizeof(p->hash),
		      (int64_t)p->memory, (int64_t)p->passes, now);
}

static int read_bytes(struct db_rows *row, int column, uint8_t *out, size_t len, struct err *e)
{
	const void *bytes;
	size_t got;

	if (db_blob(row, column, len, &bytes, &got, e) < 0)
		return err_code(e);
	if (got != len)
		return err_set(e, ERR_DATA_LOSS, "database: a password of another length");
	memcpy(out, bytes, len);
	return 0;
}

static int read_owner(struct db_rows *row, struct password_owner *owner, struct err *e)
{
	struct password_owner got = { .person = 0 };
	int64_t memory, passes;

	if (db_integer(row, 0, 1, INT64_MAX, &got.person, e) < 0 ||
	    read_bytes(row, 1, got.password.salt, PASSWORD_SALT_LEN, e) < 0 ||
	    read_bytes(row, 2, got.password.hash, PASSWORD_HASH_LEN, e) < 0 ||
	    db_integer(row, 3, 8, PASSWORD_MEMORY_KIB_MAX, &memory, e) < 0 ||
	    db_integer(row, 4, 1, PASSWORD_PASSES_MAX, &passes, e) < 0)
		return err_code(e);
	got.password.memory = (uint32_t)memory;
	got.password.passes = (uint32_t)passes;
	*owner = got;
	return 0;
}

int password_find(struct db *db, const char *user, struct password_owner *owner, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT u.number, p.salt, p.hash, p.memory, p.passes FROM users u"
		     " JOIN passwords p ON p.person = u.number"
		     " WHERE u.name = ? AND u.suspended = 0",
		     "t", user) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row)
		return row < 0 ? row : read_owner(rows, owner, e);
	*owner = (struct password_owner){ .password = { .memory = PASSWORD_MEMORY_KIB,
							.passes = PASSWORD_PASSES } };
	return 0;
}
