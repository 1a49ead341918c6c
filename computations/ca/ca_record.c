/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ca_record.h"

#include "common/base/encode.h"
#include "common/base/log.h"
#include "computations/ca/ca_row.h"
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

/* ---- those that there are ---- */

int ca_list(struct db *db, int64_t after, struct ca_record rows[CA_PAGE_MAX], size_t *count,
	    struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	size_t got = 0;
	int row = 0;

	if (db_query(db, &found, e, CA_ROW_COLUMNS "WHERE number > ? ORDER BY number LIMIT ?", "ii",
		     after, (int64_t)CA_PAGE_MAX) < 0)
		return err_code(e);
	while (got < CA_PAGE_MAX && (row = db_next(found, e)) > 0)
		if (ca_row_read(found, &rows[got++], e) < 0)
			return err_code(e);
	if (row < 0)
		return row;
	*count = got;
	return 0;
}

int ca_find(struct db *db, const char *serial, struct ca_record *r, struct err *e)
{
	int found = ca_row_find(db, serial, r, e);

	if (found)
		return found < 0 ? found : 0;
	return err_set(e, ERR_NOT_FOUND, "no certificate has the serial number %s",
		       log_quote(serial).text);
}

/* ---- a token ---- */

static int check_days(const struct ca_wish *wish, struct err *e)
{
	const struct ca_role_rule *rule = &ca_roles[wish->role];

	if (wish->days > rule->days_max)
		return err_set(e, ERR_INVALID,
			       "a certificate for role %s is for at most %u days, not %u",
			       rule->name, rule->days_max, wish->days);
	if (wish->hours > CA_TOKEN_HOURS_MAX)
		return err_set(e, ERR_INVALID, "a token ends after at most %d hours, not %u",
			       CA_TOKEN_HOURS_MAX, wish->hours);
	return 0;
}

static int check_person(struct db *db, const struct ca_wish *wish, struct err *e)
{
	int active =
		wish->role == CA_PERSON ? ca_row_is_active(db, wish->name, false, INT64_MAX, e) : 1;

	if (active == 0)
		return err_set(e, ERR_PRECONDITION,
			       "%s is no user of this service, or suspended: a person's "
			       "certificate is a user's",
			       log_quote(wish->name).text);
	return active < 0 ? active : 0;
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
		      " until, issued, key, authority, revoked, line)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, '', '', 0, ?1)",
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
	    check_person(db, wish, e) < 0 || ca_row_room(db, now, e) < 0 ||
	    authority_serial(serial, e) < 0 || random_bytes(random, sizeof(random), e) < 0)
		return err_code(e);
	hex_encode(random, sizeof(random), secret);
	OPENSSL_cleanse(random, sizeof(random));
	if (insert(db, wish, maker, now, serial, secret, e) == 0)
		found = ca_row_find(db, serial, made, e);
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
		     CA_ROW_COLUMNS "WHERE hash = ? AND issued = 0 AND revoked = 0 AND until > ?",
		     "bi", hash, (size_t)SHA256_LEN, now) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : no_token(e);
	return ca_row_read(rows, r, e);
}

static int check_worth(struct db *db, const struct ca_record *r, struct err *e)
{
	int worth = ca_row_is_worth(db, r, e);

	if (worth < 0)
		return worth;
	return worth ? 0 : no_token(e);
}

/* Once: whoever comes second, in whichever instance of the service, changes no row. */
static int keep(struct db *db, const struct authority *a, const struct ca_record *r,
		const char *tls_key, struct err *e)
{
	int64_t changed;

	if (db_change(db, &changed, e,
		      "UPDATE certificates SET hash = NULL, issued = ?, until = ?, key = ?,"
		      " tls_key = ?, authority = ? WHERE number = ? AND issued = 0 AND revoked = 0",
		      "iittti", r->issued, r->ends, r->key, tls_key, a->fingerprint, r->number) < 0)
		return err_code(e);
	return changed == 1 ? 0 : no_token(e);
}

int ca_token_find(struct db *db, const char *token, int64_t now, struct ca_record *r, struct err *e)
{
	uint8_t hash[SHA256_LEN];

	if (hash_of(token, hash, e) < 0 || find_token(db, hash, now, r, e) < 0)
		return err_code(e);
	return check_worth(db, r, e);
}

int ca_issue(struct db *db, const struct authority *a, const char *token, struct span request,
	     int64_t now, struct ca_record *issued, char **pem, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *made = NULL;
	char tls_key[2 * SHA256_LEN + 1];
	struct ca_record r;

	if (ca_token_find(db, token, now, &r, e) < 0)
		return err_code(e);
	if (signing_request_read(request.bytes, request.len, r.name, &key, e) < 0 ||
	    ca_row_sign(a, &r, key, now, tls_key, &made, e) < 0 || keep(db, a, &r, tls_key, e) < 0)
		return err_code(e);
	*issued = r;
	*pem = TAKE_PTR(made);
	return 0;
}
