/* SPDX-License-Identifier: Apache-2.0 */
/* ca_line.c — a certificate, those that renew it, and the end of all of them. */
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/manifest/renewal.h"
#include "computations/ca/ca_row.h"
#include "computations/ca/signing_request.h"

#include <string.h>

enum { DAY_MS = 24 * 3600 * 1000 };

/* Nobody hears what was wrong who has not the key. */
static int no_certificate(struct err *e)
{
	return err_set(
		e, ERR_UNAUTHENTICATED,
		"this certificate has ended or was revoked, or is none of ours for this key: "
		"ask an administrator for a token");
}

/* ---- who asks ---- */

static int check_form(const struct ca_renewal *asked, struct err *e)
{
	const struct {
		const char *what;
		size_t len, min, max;
	} parts[] = {
		{ "key", asked->key.len, 1, SPKI_MAX },
		{ "request", asked->request.len, 1, SIGNING_REQUEST_MAX },
		{ "nonce", asked->nonce.len, RENEWAL_NONCE_LEN, RENEWAL_NONCE_LEN },
		{ "signature", asked->signature.len, 1, SIGNATURE_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (parts[i].len < parts[i].min || parts[i].len > parts[i].max)
			return err_set(e, ERR_INVALID,
				       "renewal: a %s of %zu bytes; wanted %zu to %zu",
				       parts[i].what, parts[i].len, parts[i].min, parts[i].max);
	return 0;
}

/* The certificate that is named, for this key, while it is good for something. */
static int find_valid(struct db *db, const struct ca_renewal *asked, int64_t now,
		      struct ca_record *r, char tls_key[2 * SHA256_LEN + 1], struct err *e)
{
	char key[AUTHORITY_FINGERPRINT_LEN + 1];
	int found = ca_row_find(db, asked->serial, r, e);

	if (found > 0 && ca_row_key(asked->key.bytes, asked->key.len, key, tls_key, e) < 0)
		return err_code(e);
	if (found > 0)
		found = r->issued && !r->revoked && r->ends > now && strcmp(r->key, key) == 0;
	if (found > 0)
		found = ca_row_is_worth(db, r, e);
	if (found < 0)
		return found;
	return found ? 0 : no_certificate(e);
}

/* Who asks has its key. `hash`: of what was signed. */
static int check_proof(const struct ca_renewal *asked, uint8_t hash[SHA256_LEN], struct err *e)
{
	const struct renewal said = { asked->serial, asked->nonce.bytes, asked->same_key,
				      asked->request };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *message = NULL;
	size_t len;

	if (key_parse_spki(asked->key.bytes, asked->key.len, &key, e) < 0 ||
	    renewal_message(&said, &message, &len, e) < 0 ||
	    digest(DIGEST_SHA256, message, len, hash, e) < 0)
		return err_code(e);
	if (key_verify(key, message, len, asked->signature.bytes, asked->signature.len, e) < 0)
		return err_wrap(e, "renewal: the certificate's key has not signed it");
	return 0;
}

/* ---- whether its line may have one more ---- */

struct line {
	int64_t revoked, others, renewals, today;
};

static int read_line(struct db *db, const struct authority *a, const struct ca_record *r,
		     int64_t now, struct line *line, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT count(CASE WHEN revoked > 0 THEN 1 END),"
		     " count(CASE WHEN authority NOT IN (?1, ?4) THEN 1 END), max(renewal),"
		     " count(CASE WHEN renewal > 0 AND issued > ?2 THEN 1 END)"
		     " FROM certificates WHERE line = ?3",
		     "titt", a->fingerprint, now - DAY_MS, r->line,
		     a->old ? a->old->fingerprint : a->fingerprint) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : no_certificate(e);
	if (db_integer(rows, 0, 0, CA_LINE_MAX, &line->revoked, e) < 0 ||
	    db_integer(rows, 1, 0, CA_LINE_MAX, &line->others, e) < 0 ||
	    db_integer(rows, 2, 0, CA_RENEWALS_MAX, &line->renewals, e) < 0 ||
	    db_integer(rows, 3, 0, CA_LINE_MAX, &line->today, e) < 0)
		return err_code(e);
	return 0;
}

static int check_line(const struct line *line, struct err *e)
{
	if (line->revoked)
		return no_certificate(e);
	if (line->others)
		return err_set(e, ERR_PRECONDITION,
			       "another authority of before has issued this certificate: ask an "
			       "administrator for a token");
	if (line->renewals >= CA_RENEWALS_MAX)
		return err_set(
			e, ERR_EXHAUSTED,
			"this certificate was renewed %d times, which is as often as one may "
			"be: ask an administrator for a token",
			CA_RENEWALS_MAX);
	if (line->today >= CA_RENEWALS_A_DAY)
		return err_set(e, ERR_EXHAUSTED,
			       "this certificate was renewed %d times within 24 hours, which is as "
			       "often as one may be: try again tomorrow",
			       CA_RENEWALS_A_DAY);
	return 0;
}

/* Once: who has overheard it gets nothing for it, and does not use up what there is for a day. */
static int check_first(struct db *db, const uint8_t hash[SHA256_LEN], struct err *e)
{
	int64_t count;

	if (db_number(db, &count, e, "SELECT count(*) FROM certificates WHERE hash = ?", "b", hash,
		      (size_t)SHA256_LEN) < 0)
		return err_code(e);
	return count ? err_set(e, ERR_EXISTS, "this renewal was answered before: sign another one")
		     : 0;
}

static int check_key(struct db *db, const struct ca_renewal *asked, const struct ca_record *old,
		     const struct ca_record *next, struct err *e)
{
	int64_t count;

	if (asked->same_key && strcmp(old->key, next->key) != 0)
		return err_set(e, ERR_INVALID,
			       "renewal: the request is for another key, and the renewal for the "
			       "same");
	if (asked->same_key)
		return 0;
	if (db_number(db, &count, e, "SELECT count(*) FROM certificates WHERE line = ? AND key = ?",
		      "tt", old->line, next->key) < 0)
		return err_code(e);
	return count ? err_set(e, ERR_INVALID,
			       "renewal: the request is for a key that this certificate had already; "
			       "make a new one, or say that it is to be the same")
		     : 0;
}

/* ---- the next one ---- */

static int keep(struct db *db, const struct authority *a, const struct ca_record *r,
		const uint8_t hash[SHA256_LEN], const char *tls_key, struct err *e)
{
	return db_run(db, e,
		      "INSERT INTO certificates (serial, name, role, days, maker, created, hash,"
		      " until, issued, key, authority, revoked, line, renewal, tls_key)"
		      " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 0, ?, ?, ?)",
		      "tttitibiitttit", r->serial, r->name, ca_roles[r->role].name,
		      (int64_t)r->days, r->maker, r->created, hash, (size_t)SHA256_LEN, r->ends,
		      r->issued, r->key, a->fingerprint, r->line, (int64_t)r->renewal, tls_key);
}

/* It says what the old one says; `created`, too, so that who made the token, and whom it is for, are who they were. */
static int issue(struct db *db, const struct authority *a, const struct ca_renewal *asked,
		 const struct ca_record *old, const uint8_t hash[SHA256_LEN], int64_t now,
		 struct ca_record *next, char **pem, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *made = NULL;
	char tls_key[2 * SHA256_LEN + 1];

	if (authority_serial(next->serial, e) < 0 ||
	    signing_request_read(asked->request.bytes, asked->request.len, next->name, &key, e) <
		    0 ||
	    ca_row_sign(a, next, key, now, tls_key, &made, e) < 0 ||
	    check_key(db, asked, old, next, e) < 0 || ca_row_room(db, now, e) < 0 ||
	    keep(db, a, next, hash, tls_key, e) < 0)
		return err_code(e);
	*pem = TAKE_PTR(made);
	return 0;
}

/* An agent knows one authority, whose certificate was measured with it, and takes no other's: its certificates go on by the
 * one that it has. */
static int find_signer(struct db *db, const struct authority *a, const struct ca_record *old,
		       const struct authority **signer, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	*signer = a;
	if (!a->old || old->role != CA_AGENT)
		return 0;
	if (db_query(db, &rows, e,
		     "SELECT number FROM certificates WHERE serial = ? AND authority = ?", "tt",
		     old->serial, a->old->fingerprint) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row > 0)
		*signer = a->old;
	return row < 0 ? row : 0;
}

/* Whose certificate it is, and that he asks, for the first time. */
static int find_asked(struct db *db, const struct ca_renewal *asked, int64_t now,
		      struct ca_record *old, char tls_key[2 * SHA256_LEN + 1],
		      uint8_t hash[SHA256_LEN], struct err *e)
{
	if (check_form(asked, e) < 0 || find_valid(db, asked, now, old, tls_key, e) < 0 ||
	    check_proof(asked, hash, e) < 0)
		return err_code(e);
	return check_first(db, hash, e);
}

/* Whether a certificate for the key of its request can follow. */
static int look_at_key(struct db *db, const struct ca_renewal *asked, const struct ca_record *old,
		       struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *spki = NULL;
	char tls_key[2 * SHA256_LEN + 1];
	struct ca_record next = *old;
	size_t len;

	if (signing_request_read(asked->request.bytes, asked->request.len, old->name, &key, e) <
		    0 ||
	    key_to_spki(key, &spki, &len, e) < 0 || ca_row_key(spki, len, next.key, tls_key, e) < 0)
		return err_code(e);
	return check_key(db, asked, old, &next, e);
}

int ca_renewal_look(struct db *db, const struct authority *a, const struct ca_renewal *asked,
		    int64_t now, struct err *e)
{
	char tls_key[2 * SHA256_LEN + 1];
	uint8_t hash[SHA256_LEN];
	struct ca_record old;
	struct line line;

	if (find_asked(db, asked, now, &old, tls_key, hash, e) < 0 ||
	    read_line(db, a, &old, now, &line, e) < 0 || check_line(&line, e) < 0)
		return err_code(e);
	return look_at_key(db, asked, &old, e);
}

int ca_renew(struct db *db, const struct authority *a, const struct ca_renewal *asked, int64_t now,
	     struct ca_record *renewed, struct ca_record *issued, char **pem, struct err *e)
{
	char tls_key[2 * SHA256_LEN + 1];
	struct ca_record old, next;
	uint8_t hash[SHA256_LEN];
	const struct authority *signer;
	struct line line;

	if (find_asked(db, asked, now, &old, tls_key, hash, e) < 0 ||
	    read_line(db, a, &old, now, &line, e) < 0 || check_line(&line, e) < 0 ||
	    find_signer(db, a, &old, &signer, e) < 0)
		return err_code(e);
	next = old;
	next.renewal = (uint32_t)line.renewals + 1;
	if (issue(db, signer, asked, &old, hash, now, &next, pem, e) < 0)
		return err_code(e);
	/* One of before there were renewals has none yet. */
	if (db_run(db, e, "UPDATE certificates SET tls_key = ? WHERE number = ?", "ti", tls_key,
		   old.number) < 0) {
		free(*pem);
		*pem = NULL;
		return err_code(e);
	}
	*renewed = old;
	*issued = next;
	return 0;
}

/* ---- the end ---- */

static int nothing_to_revoke(const char *serial, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND,
		       "no token is open, and no certificate without being revoked, under serial "
		       "%s: 'cocos-cli certificate list' has them",
		       log_quote(serial).text);
}

static int read_serials(struct db *db, const struct ca_record *r,
			char serials[CA_LINE_MAX][SERIAL_TEXT_LEN + 1], size_t *count,
			struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	size_t got = 0;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT serial FROM certificates WHERE line = ? AND revoked = 0"
		     " ORDER BY renewal",
		     "t", r->line) < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0) {
		CLEANUP(free) char *serial = NULL;

		if (db_text(rows, 0, &serial, e) < 0)
			return err_code(e);
		if (got == CA_LINE_MAX || strlen(serial) != SERIAL_TEXT_LEN)
			return err_set(e, ERR_DATA_LOSS, "database: a line of certificates");
		memcpy(serials[got++], serial, SERIAL_TEXT_LEN + 1);
	}
	*count = got;
	return row;
}

int ca_revoke(struct db *db, const char *serial, int64_t now, struct ca_record *was,
	      char serials[CA_LINE_MAX][SERIAL_TEXT_LEN + 1], size_t *count, struct err *e)
{
	struct ca_record r;
	int found = ca_row_find(db, serial, &r, e);
	size_t got;

	if (found < 0)
		return found;
	/* A certificate that has ended may have been renewed by somebody else than its owner. */
	if (!found || (!r.issued && r.ends <= now))
		return nothing_to_revoke(serial, e);
	if (read_serials(db, &r, serials, &got, e) < 0)
		return err_code(e);
	if (!got)
		return nothing_to_revoke(serial, e);
	if (db_run(db, e,
		   "UPDATE certificates SET revoked = ?, hash = NULL WHERE line = ?"
		   " AND revoked = 0",
		   "it", now, r.line) < 0 ||
	    db_run(db, e, "UPDATE certificate_lists SET fresh = 0", "") < 0)
		return err_code(e);
	*was = r;
	*count = got;
	return 0;
}

/* ---- what follows whom ---- */

int ca_follows(struct db *db, const char *key, const char *next, int64_t now, bool *follows,
	       struct err *e)
{
	int64_t count;

	*follows = false;
	if (!*key || !*next)
		return 0;
	if (db_number(db, &count, e,
		      "SELECT count(*) FROM certificates AS parent JOIN certificates AS child"
		      " ON child.line = parent.line AND child.renewal > parent.renewal"
		      " WHERE parent.tls_key = ?1 AND child.tls_key = ?2 AND child.until > ?3"
		      " AND NOT EXISTS (SELECT 1 FROM certificates AS bad"
		      " WHERE bad.line = parent.line AND bad.revoked > 0)",
		      "tti", key, next, now) < 0)
		return err_code(e);
	*follows = count > 0;
	return 0;
}

/* ---- whose name is whose ---- */

#define GOOD "revoked = 0 AND until > "

int ca_agent_check(struct db *db, const char *key, const char *cvm, int64_t now, struct err *e)
{
	const char *role = ca_roles[CA_AGENT].name;
	int64_t all, its, others = 0;

	/* Whose was revoked, or has ended, is no other authority's: its connection may be older than that. */
	if (db_number(db, &all, e,
		      "SELECT count(*) FROM certificates WHERE tls_key = ? AND issued > 0", "t",
		      key) < 0 ||
	    db_number(
		    db, &its, e,
		    "SELECT count(*) FROM certificates WHERE tls_key = ? AND name = ? AND role = ?"
		    " AND issued > 0 AND " GOOD "?",
		    "ttti", key, cvm, role, now) < 0)
		return err_code(e);
	if (its)
		return 0;
	if (all)
		return err_set(
			e, ERR_DENIED,
			"the client certificate is of this service's authority, and no agent's "
			"of the name %s: each CVM comes with its own",
			log_quote(cvm).text);
	if (db_number(db, &others, e,
		      "SELECT count(*) FROM certificates WHERE name = ? AND role = ?"
		      " AND (issued = 0 OR tls_key <> '') AND " GOOD "?",
		      "tti", cvm, role, now) < 0)
		return err_code(e);
	return others ? err_set(e, ERR_DENIED,
				"CVM %s has a certificate of this service's authority, or a token for one, "
				"and this client certificate is of another: 'cocos-cli certificate "
				"revoke' gives the former up",
				log_quote(cvm).text)
		      : 0;
}
