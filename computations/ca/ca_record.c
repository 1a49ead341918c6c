/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ca_record.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "computations/ca/signing_request.h"

#include <string.h>
#include <openssl/crypto.h>

const char *ca_record_state(const struct ca_record *r, int64_t now)
{
	if (r->revoked)
		return "revoked";
	if (r->ends <= now)
		return "ended";
	return r->issued ? "issued" : "open";
}

static int no_token(struct err *e)
{
	return err_set(e, ERR_UNAUTHENTICATED,
		       "this token was used or revoked, has ended, or is none of ours: ask an "
		       "administrator for another one");
}

static int hash_of(const char *text, uint8_t hash[SHA256_LEN], struct err *e)
{
	if (strlen(text) != CA_TOKEN_TEXT_LEN ||
	    strspn(text, "0123456789abcdef") != CA_TOKEN_TEXT_LEN)
		return no_token(e);
	return digest(DIGEST_SHA256, text, CA_TOKEN_TEXT_LEN, hash, e);
}

/* ---- rows ---- */

#define COLUMNS                                                                           \
	"SELECT number, created, until, issued, revoked, days, role, serial, name, maker" \
	", key FROM certificates "

static int copy_text(struct db_rows *row, int column, char *out, size_t size, struct err *e)
{
	CLEANUP(free) char *text = NULL;

	if (db_text(row, column, &text, e) < 0)
		return err_code(e);
	if (strlen(text) >= size)
		return err_set(e, ERR_DATA_LOSS, "database: a certificate's text is too long");
	memcpy(out, text, strlen(text) + 1);
	return 0;
}

static int read_role(struct db_rows *row, int column, enum ca_role *role, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	struct err ignored;

	if (db_text(row, column, &text, e) < 0)
		return err_code(e);
	if (ca_role_find(text, role, &ignored) < 0)
		return err_set(e, ERR_DATA_LOSS, "database: a certificate without a role");
	return 0;
}

static int read_row(struct db_rows *row, struct ca_record *r, struct err *e)
{
	struct ca_record got = { .number = 0 };
	int64_t days;

	if (db_integer(row, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	    db_integer(row, 1, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_integer(row, 2, 0, INT64_MAX, &got.ends, e) < 0 ||
	    db_integer(row, 3, 0, INT64_MAX, &got.issued, e) < 0 ||
	    db_integer(row, 4, 0, INT64_MAX, &got.revoked, e) < 0 ||
	    db_integer(row, 5, 1, UINT32_MAX, &days, e) < 0 ||
	    read_role(row, 6, &got.role, e) < 0 ||
	    copy_text(row, 7, got.serial, sizeof(got.serial), e) < 0 ||
	    copy_text(row, 8, got.name, sizeof(got.name), e) < 0 ||
	    copy_text(row, 9, got.maker, sizeof(got.maker), e) < 0 ||
	    copy_text(row, 10, got.key, sizeof(got.key), e) < 0)
		return err_code(e);
	got.days = (uint32_t)days;
	*r = got;
	return 0;
}

/* 1: there is a row. */
static int find_serial(struct db *db, const char *serial, struct ca_record *r, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, COLUMNS "WHERE serial = ?", "t", serial) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	return read_row(rows, r, e) < 0 ? err_code(e) : 1;
}

int ca_list(struct db *db, int64_t after, struct ca_record rows[CA_PAGE_MAX], size_t *count,
	    struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	size_t got = 0;
	int row = 0;

	if (db_query(db, &found, e, COLUMNS "WHERE number > ? ORDER BY number LIMIT ?", "ii", after,
		     (int64_t)CA_PAGE_MAX) < 0)
		return err_code(e);
	while (got < CA_PAGE_MAX && (row = db_next(found, e)) > 0)
		if (read_row(found, &rows[got++], e) < 0)
			return err_code(e);
	if (row < 0)
		return row;
	*count = got;
	return 0;
}

/* ---- a token ---- */

static int check_days(const struct ca_wish *wish, struct err *e)
{
	const struct ca_role_rule *rule = &ca_roles[wish->role];

	if (wish->days > rule->days_max)
		return err_set(e, ERR_INVALID,
			       "the certificate of a %s is for at most %u days, not %u", rule->name,
			       rule->days_max, wish->days);
	if (wish->hours > CA_TOKEN_HOURS_MAX)
		return err_set(e, ERR_INVALID, "a token ends after at most %d hours, not %u",
			       CA_TOKEN_HOURS_MAX, wish->hours);
	return 0;
}

/* 1: may have one, or let others have some; 0: not, or no more. `since`: a user who was added later is another one, who
 * has the name of who was removed. */
static int is_active(struct db *db, const char *name, bool as_administrator, int64_t since,
		     struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };
	int failed = user_find(db, name, &u, e);

	if (failed)
		return err_is(failed, ERR_NOT_FOUND) ? 0 : failed;
	return !u.suspended && u.created <= since && (u.administrator || !as_administrator);
}

static int check_person(struct db *db, const struct ca_wish *wish, struct err *e)
{
	int active = wish->role == CA_PERSON ? is_active(db, wish->name, false, INT64_MAX, e) : 1;

	if (active == 0)
		return err_set(e, ERR_PRECONDITION,
			       "%s is no user of this service, or suspended: a person's "
			       "certificate is a user's",
			       log_quote(wish->name).text);
	return active < 0 ? active : 0;
}

static int check_room(struct db *db, int64_t now, struct err *e)
{
	int64_t count;

	if (db_run(db, e, "DELETE FROM certificates WHERE until <= ?", "i",
		   now - (int64_t)CA_KEPT_MS) < 0 ||
	    db_number(db, &count, e, "SELECT count(*) FROM certificates WHERE until > ?", "i",
		      now) < 0)
		return err_code(e);
	if (count < CA_RECORDS_MAX)
		return 0;
	return err_set(e, ERR_EXHAUSTED,
		       "there are %d tokens and certificates that have not ended: 'cocos-cli "
		       "certificate list' shows them",
		       CA_RECORDS_MAX);
}

static int insert(struct db *db, const struct ca_wish *wish, const char *maker, int64_t now,
		  const char *serial, const char *text, struct err *e)
{
	const struct ca_role_rule *rule = &ca_roles[wish->role];
	const int64_t hours = wish->hours ? wish->hours : CA_TOKEN_HOURS;
	uint8_t hash[SHA256_LEN];

	if (hash_of(text, hash, e) < 0)
		return err_code(e);
	return db_run(db, e,
		      "INSERT INTO certificates (serial, name, role, days, maker, created, hash,"
		      " until, issued, key, authority, revoked)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, '', '', 0)",
		      "tttitibi", serial, wish->name, rule->name,
		      (int64_t)(wish->days ? wish->days : rule->days), maker, now, hash,
		      sizeof(hash), now + hours * 3600 * 1000);
}

int ca_token_add(struct db *db, const struct ca_wish *wish, const char *maker, int64_t now,
		 struct ca_record *made, char text[CA_TOKEN_TEXT_LEN + 1], struct err *e)
{
	uint8_t random[CA_TOKEN_SECRET_LEN];
	char secret[CA_TOKEN_TEXT_LEN + 1];
	char serial[SERIAL_TEXT_LEN + 1];
	int found = 0;

	if (ca_name_check(wish->name, wish->role, e) < 0 || check_days(wish, e) < 0 ||
	    check_person(db, wish, e) < 0 || check_room(db, now, e) < 0 ||
	    authority_serial(serial, e) < 0 || random_bytes(random, sizeof(random), e) < 0)
		return err_code(e);
	hex_encode(random, sizeof(random), secret);
	OPENSSL_cleanse(random, sizeof(random));
	if (insert(db, wish, maker, now, serial, secret, e) == 0)
		found = find_serial(db, serial, made, e);
	if (found > 0)
		memcpy(text, secret, sizeof(secret));
	OPENSSL_cleanse(secret, sizeof(secret));
	return found > 0 ? 0 : err_code(e);
}

/* ---- a certificate for it ---- */

static int find_token(struct db *db, const uint8_t hash[SHA256_LEN], int64_t now,
		      struct ca_record *r, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     COLUMNS "WHERE hash = ? AND issued = 0 AND revoked = 0 AND until > ?", "bi",
		     hash, (size_t)SHA256_LEN, now) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : no_token(e);
	return read_row(rows, r, e);
}

/* It is worth something while whoever made it may make one. */
static int check_worth(struct db *db, const struct ca_record *r, struct err *e)
{
	int by = *r->maker ? is_active(db, r->maker, true, r->created, e) : 1;
	int who =
		by > 0 && r->role == CA_PERSON ? is_active(db, r->name, false, r->created, e) : by;

	if (who < 0)
		return who;
	return who ? 0 : no_token(e);
}

static int take_key(EVP_PKEY *key, char text[AUTHORITY_FINGERPRINT_LEN + 1], struct err *e)
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (key_to_spki(key, &spki, &len, e) < 0 || key_fingerprint(spki, len, fingerprint, e) < 0)
		return err_code(e);
	hex_encode(fingerprint, sizeof(fingerprint), text);
	return 0;
}

/* Once: whoever comes second, in whichever instance of the service, changes no row. */
static int keep(struct db *db, const struct authority *a, const struct ca_record *r, struct err *e)
{
	int64_t changed;

	if (db_change(db, &changed, e,
		      "UPDATE certificates SET hash = NULL, issued = ?, until = ?, key = ?,"
		      " authority = ? WHERE number = ? AND issued = 0 AND revoked = 0",
		      "iitti", r->issued, r->ends, r->key, a->fingerprint, r->number) < 0)
		return err_code(e);
	return changed == 1 ? 0 : no_token(e);
}

int ca_issue(struct db *db, const struct authority *a, const char *token, struct span request,
	     int64_t now, struct ca_record *issued, char **pem, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *made = NULL;
	uint8_t hash[SHA256_LEN];
	struct ca_record r;

	if (hash_of(token, hash, e) < 0 || find_token(db, hash, now, &r, e) < 0 ||
	    check_worth(db, &r, e) < 0)
		return err_code(e);
	if (now >= a->ends)
		return err_set(e, ERR_PRECONDITION,
			       "the authority's own certificate has ended: an administrator makes "
			       "another one");
	if (signing_request_read(request.bytes, request.len, r.name, &key, e) < 0 ||
	    take_key(key, r.key, e) < 0)
		return err_code(e);
	r.issued = now;
	r.ends = now + (int64_t)r.days * 86400 * 1000;
	if (r.ends > a->ends)
		r.ends = a->ends;
	const struct certificate_plan plan = {
		r.name, r.serial, r.role, now - AUTHORITY_SKEW_S * 1000, r.ends,
	};
	if (certificate_sign(a, &plan, key, &made, e) < 0 || keep(db, a, &r, e) < 0)
		return err_code(e);
	*issued = r;
	*pem = TAKE_PTR(made);
	return 0;
}

/* ---- the end of one ---- */

int ca_revoke(struct db *db, const char *serial, int64_t now, struct ca_record *was, struct err *e)
{
	struct ca_record r;
	int found = find_serial(db, serial, &r, e);

	if (found < 0)
		return found;
	if (!found || r.revoked || r.ends <= now)
		return err_set(e, ERR_NOT_FOUND,
			       "no token is open, and no certificate valid, under serial %s: "
			       "'cocos-cli certificate list' has them",
			       log_quote(serial).text);
	if (db_run(db, e, "UPDATE certificates SET revoked = ?, hash = NULL WHERE number = ?", "ii",
		   now, r.number) < 0 ||
	    db_run(db, e, "UPDATE certificate_lists SET fresh = 0", "") < 0)
		return err_code(e);
	*was = r;
	return 0;
}
