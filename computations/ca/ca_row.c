/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ca_row.h"

#include "common/base/encode.h"

#include <string.h>

/* ---- rows ---- */

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

int ca_row_read(struct db_rows *row, struct ca_record *r, struct err *e)
{
	struct ca_record got = { .number = 0 };
	int64_t days, renewal;

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
	    copy_text(row, 10, got.key, sizeof(got.key), e) < 0 ||
	    copy_text(row, 11, got.line, sizeof(got.line), e) < 0 ||
	    db_integer(row, 12, 0, CA_RENEWALS_MAX, &renewal, e) < 0)
		return err_code(e);
	got.days = (uint32_t)days;
	got.renewal = (uint32_t)renewal;
	*r = got;
	return 0;
}

int ca_row_find(struct db *db, const char *serial, struct ca_record *r, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, CA_ROW_COLUMNS "WHERE serial = ?", "t", serial) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	return ca_row_read(rows, r, e) < 0 ? err_code(e) : 1;
}

/* ---- whether there may be one ---- */

int ca_row_is_active(struct db *db, const char *name, bool as_administrator, int64_t since,
		     struct err *e)
{
	struct user u CLEANUP_USER = { .name = NULL };
	int failed = user_find(db, name, &u, e);

	if (failed)
		return err_is(failed, ERR_NOT_FOUND) ? 0 : failed;
	return !u.suspended && u.created <= since && (u.administrator || !as_administrator);
}

int ca_row_is_worth(struct db *db, const struct ca_record *r, struct err *e)
{
	int by = *r->maker ? ca_row_is_active(db, r->maker, true, r->created, e) : 1;

	return by > 0 && r->role == CA_PERSON ? ca_row_is_active(db, r->name, false, r->created, e)
					      : by;
}

int ca_row_room(struct db *db, int64_t now, struct err *e)
{
	int64_t count;

	/* A line's are kept while it has one of them: each is a name by which all are revoked. */
	if (db_run(db, e,
		   "DELETE FROM certificates WHERE until <= ?1 AND NOT EXISTS (SELECT 1 FROM"
		   " certificates AS other WHERE other.line = certificates.line"
		   " AND other.until > ?1)",
		   "i", now - (int64_t)CA_KEPT_MS) < 0 ||
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

/* ---- its certificate ---- */

int ca_row_key(const uint8_t *spki, size_t len, char text[AUTHORITY_FINGERPRINT_LEN + 1],
	       char tls_key[2 * SHA256_LEN + 1], struct err *e)
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN], sha256[SHA256_LEN];

	if (key_fingerprint(spki, len, fingerprint, e) < 0 ||
	    digest(DIGEST_SHA256, spki, len, sha256, e) < 0)
		return err_code(e);
	hex_encode(fingerprint, sizeof(fingerprint), text);
	hex_encode(sha256, sizeof(sha256), tls_key);
	return 0;
}

int ca_row_sign(const struct authority *a, struct ca_record *r, EVP_PKEY *key, int64_t now,
		char tls_key[2 * SHA256_LEN + 1], char **pem, struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (now >= a->ends)
		return err_set(e, ERR_PRECONDITION,
			       "the authority's own certificate has ended: an administrator makes "
			       "another one");
	if (key_to_spki(key, &spki, &len, e) < 0 || ca_row_key(spki, len, r->key, tls_key, e) < 0)
		return err_code(e);
	r->signer = a;
	r->issued = now;
	r->ends = now + (int64_t)r->days * 86400 * 1000;
	if (r->ends > a->ends)
		r->ends = a->ends;
	const struct certificate_plan plan = {
		r->name, r->serial, r->role, now - AUTHORITY_SKEW_S * 1000, r->ends,
	};
	return certificate_sign(a, &plan, key, pem, e);
}
