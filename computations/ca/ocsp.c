/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/ocsp.h"

#include "common/base/encode.h"
#include "computations/ca/ca_seal.h"
#include "computations/ca/certificate.h"
#include "computations/ca/ocsp_request.h"

#include <string.h>
#include <time.h>
#include <openssl/ocsp.h>
#include <openssl/x509v3.h>

DEFINE_CLEANUP(OCSP_BASICRESP *, OCSP_BASICRESP_free)
DEFINE_CLEANUP(OCSP_RESPONSE *, OCSP_RESPONSE_free)
DEFINE_CLEANUP(OCSP_CERTID *, OCSP_CERTID_free)
DEFINE_CLEANUP(ASN1_TIME *, ASN1_TIME_free)

#define HALF_MS ((int64_t)OCSP_RESPONDER_HOURS * 3600 * 1000 / 2)

/* By which a request names an issuer. */
struct issuer_hash {
	enum digest_kind kind;
	size_t len;
	uint8_t name[SHA256_LEN], key[SHA256_LEN];
};

struct ocsp_responder {
	const struct authority *authority;
	struct issuer_hash issuer[OCSP_OTHER_HASH];
	EVP_PKEY *key; /* NULL: there is none yet */
	X509 *cert;
	int64_t made;
	struct ocsp_responder *old; /* of the authority of before; NULL: there is none */
};

void ocsp_responder_free(struct ocsp_responder *r)
{
	if (!r)
		return;
	EVP_PKEY_free(r->key);
	X509_free(r->cert);
	ocsp_responder_free(r->old);
	free(r);
}

/* ---- the responder ---- */

static int hash_issuer(const struct authority *a, struct issuer_hash *h, struct err *e)
{
	const ASN1_BIT_STRING *key = X509_get0_pubkey_bitstr(a->cert);
	unsigned char *name = NULL;
	int len = i2d_X509_NAME(X509_get_subject_name(a->cert), &name), failed;

	if (len <= 0 || !key)
		return err_openssl(e, ERR_INTERNAL, "the authority's name");
	failed = digest(h->kind, name, (size_t)len, h->name, e);
	OPENSSL_free(name);
	if (failed)
		return failed;
	return digest(h->kind, ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key), h->key,
		      e);
}

int ocsp_responder_new(const struct authority *a, struct ocsp_responder **responder, struct err *e)
{
	static const enum digest_kind kinds[] = {
		[OCSP_SHA1] = DIGEST_SHA1, [OCSP_SHA256] = DIGEST_SHA256
	};
	CLEANUP(ocsp_responder_free) struct ocsp_responder *r = calloc(1, sizeof(*r));

	if (!r)
		return err_nomem(e);
	r->authority = a;
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		r->issuer[i].kind = kinds[i];
		r->issuer[i].len = digest_len(kinds[i]);
		if (hash_issuer(a, &r->issuer[i], e) < 0)
			return err_code(e);
	}
	if (a->old && ocsp_responder_new(a->old, &r->old, e) < 0)
		return err_code(e);
	*responder = TAKE_PTR(r);
	return 0;
}

static int add_extensions(const struct authority *a, X509 *cert, struct err *e)
{
	static const struct {
		int nid;
		const char *value;
	} all[] = {
		{ NID_basic_constraints, "critical,CA:FALSE" },
		{ NID_key_usage, "critical,digitalSignature" },
		{ NID_ext_key_usage, "OCSPSigning" },
		{ NID_id_pkix_OCSP_noCheck, "yes" }, /* section 4.2.2.2.1: it ends soon by itself */
		{ NID_subject_key_identifier, "hash" },
		{ NID_authority_key_identifier, "keyid:always" },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (authority_extend(a->cert, cert, NULL, all[i].nid, all[i].value, e) < 0)
			return err_code(e);
	return 0;
}

static int sign_cert(const struct authority *a, EVP_PKEY *key, int64_t now, X509 **signed_cert,
		     struct err *e)
{
	X509 *cert = *signed_cert;
	int64_t until = now + 2 * HALF_MS;
	char serial[SERIAL_TEXT_LEN + 1];

	if (until > a->ends)
		until = a->ends;
	if (authority_serial(serial, e) < 0 ||
	    authority_serial_read(serial, X509_get_serialNumber(cert), e) < 0 ||
	    authority_set_times(cert, now - AUTHORITY_SKEW_S * 1000, until, e) < 0 ||
	    authority_add_name(X509_get_subject_name(cert), NID_organizationalUnitName, "status",
			       e) < 0 ||
	    authority_add_name(X509_get_subject_name(cert), NID_commonName, a->name, e) < 0)
		return err_code(e);
	if (!X509_set_version(cert, X509_VERSION_3) || !X509_set_pubkey(cert, key) ||
	    !X509_set_issuer_name(cert, X509_get_subject_name(a->cert)))
		return err_openssl(e, ERR_INTERNAL, "the responder's certificate");
	if (add_extensions(a, cert, e) < 0)
		return err_code(e);
	return ca_seal_cert(a, signed_cert, e);
}

static int replace(struct ocsp_responder *r, int64_t now, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(X509_free) X509 *cert = NULL;

	cert = X509_new();
	if (!cert)
		return err_nomem(e);
	if (key_generate(KEY_ECDSA, &key, e) < 0 || sign_cert(r->authority, key, now, &cert, e) < 0)
		return err_code(e);
	EVP_PKEY_free(r->key);
	X509_free(r->cert);
	r->key = TAKE_PTR(key);
	r->cert = TAKE_PTR(cert);
	r->made = now;
	return 0;
}

/* A clock that went back makes another one, too. Where the authority's key is away the old one goes on, to its end, but for
 * the time of an answer. */
static int refresh(struct ocsp_responder *r, int64_t now, struct err *e)
{
	const bool is_good = r->cert && now >= r->made;

	if (is_good && now < r->made + HALF_MS)
		return 0;
	if (replace(r, now, e) == 0)
		return 0;
	return is_good && ca_signer_may_wait(e) &&
			       now < r->made + 2 * HALF_MS - (int64_t)OCSP_FRESH_S * 1000
		       ? 0
		       : err_code(e);
}

/* ---- one certificate ---- */

static bool is_ours(const struct ocsp_responder *r, const struct ocsp_cert *c)
{
	const struct issuer_hash *h;

	if (c->hash == OCSP_OTHER_HASH)
		return false;
	h = &r->issuer[c->hash];
	return span_equal(c->issuer_name, (struct span){ h->name, h->len }) &&
	       span_equal(c->issuer_key, (struct span){ h->key, h->len });
}

/* 1: it was issued; 0: it was not. `revoked`: when, or 0. */
static int find_status(struct db *db, const struct authority *a, struct span serial,
		       int64_t *revoked, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	char text[SERIAL_TEXT_LEN + 1];
	int row;

	if (serial.len != SERIAL_LEN)
		return 0;
	hex_encode(serial.bytes, serial.len, text);
	if (db_query(db, &rows, e,
		     "SELECT revoked FROM certificates WHERE serial = ? AND authority = ?"
		     " AND issued > 0",
		     "tt", text, a->fingerprint) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	return db_integer(rows, 0, 0, INT64_MAX, revoked, e) < 0 ? err_code(e) : 1;
}

struct moment {
	ASN1_TIME *from, *until;
};

static int add_status(struct db *db, const struct ocsp_responder *r, const struct ocsp_cert *c,
		      const struct moment *m, OCSP_BASICRESP *basic, struct err *e)
{
	CLEANUP(OCSP_CERTID_free) OCSP_CERTID *id = NULL;
	CLEANUP(ASN1_TIME_free) ASN1_TIME *when = NULL;
	const uint8_t *at = c->id.bytes;
	int status = V_OCSP_CERTSTATUS_UNKNOWN;
	int64_t revoked = 0;
	int found = find_status(db, r->authority, c->serial, &revoked, e);

	if (found < 0)
		return found;
	if (found)
		status = revoked ? V_OCSP_CERTSTATUS_REVOKED : V_OCSP_CERTSTATUS_GOOD;
	id = d2i_OCSP_CERTID(NULL, &at, (long)c->id.len);
	when = ASN1_TIME_set(NULL, (time_t)(revoked / 1000));
	if (!id || !when ||
	    !OCSP_basic_add1_status(basic, id, status, OCSP_REVOKED_STATUS_NOSTATUS,
				    revoked ? when : NULL, m->from, m->until))
		return err_openssl(e, ERR_INTERNAL, "the status of a certificate");
	return 0;
}

/* ---- answers ---- */

void ocsp_answer_done(struct ocsp_answer *answer)
{
	free(answer->der);
	*answer = (struct ocsp_answer){ .der = NULL };
}

static int encode(OCSP_RESPONSE *response, struct ocsp_answer *answer, struct err *e)
{
	unsigned char *made = NULL;
	int len = i2d_OCSP_RESPONSE(response, &made);
	uint8_t *copy;

	if (len <= 0 || len > OCSP_ANSWER_MAX) {
		OPENSSL_free(made);
		return err_openssl(e, ERR_INTERNAL, "a status answer of %d bytes", len);
	}
	copy = malloc((size_t)len);
	if (copy)
		memcpy(copy, made, (size_t)len);
	OPENSSL_free(made);
	if (!copy)
		return err_nomem(e);
	answer->der = copy;
	answer->len = (size_t)len;
	return 0;
}

int ocsp_answer_refuse(enum ocsp_outcome outcome, struct ocsp_answer *answer, struct err *e)
{
	/* SEQUENCE { ENUMERATED } */
	const uint8_t der[] = { 0x30, 3, 0x0a, 1, (uint8_t)outcome };
	uint8_t *copy = malloc(sizeof(der));

	if (!copy)
		return err_nomem(e);
	memcpy(copy, der, sizeof(der));
	*answer = (struct ocsp_answer){ .outcome = outcome, .der = copy, .len = sizeof(der) };
	return 0;
}

static int sign(struct ocsp_responder *r, const struct ocsp_request *asked, OCSP_BASICRESP *basic,
		struct ocsp_answer *answer, struct err *e)
{
	CLEANUP(OCSP_RESPONSE_free) OCSP_RESPONSE *response = NULL;

	if (asked->nonce.len &&
	    !OCSP_basic_add1_nonce(basic, (unsigned char *)(uintptr_t)asked->nonce.bytes,
				   (int)asked->nonce.len))
		return err_openssl(e, ERR_INTERNAL, "the answer's nonce");
	if (!OCSP_basic_sign(basic, r->cert, r->key, EVP_sha256(), NULL, OCSP_RESPID_KEY))
		return err_openssl(e, ERR_INTERNAL, "sign a status answer");
	response = OCSP_response_create(OCSP_RESPONSE_STATUS_SUCCESSFUL, basic);
	if (!response)
		return err_openssl(e, ERR_INTERNAL, "a status answer");
	return encode(response, answer, e);
}

static int make(struct db *db, struct ocsp_responder *r, const struct ocsp_request *asked,
		struct ocsp_answer *answer, struct err *e)
{
	CLEANUP(ASN1_TIME_free) ASN1_TIME *from = NULL, *until = NULL;
	CLEANUP(OCSP_BASICRESP_free) OCSP_BASICRESP *basic = OCSP_BASICRESP_new();

	from = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(answer->from / 1000));
	until = ASN1_GENERALIZEDTIME_set(NULL, (time_t)(answer->until / 1000));
	if (!basic || !from || !until)
		return err_nomem(e);
	for (size_t i = 0; i < asked->count; i++)
		if (add_status(db, r, &asked->certs[i], &(struct moment){ from, until }, basic, e) <
		    0)
			return err_code(e);
	return sign(r, asked, basic, answer, e);
}

int ocsp_answer_make(struct db *db, struct ocsp_responder *r, struct span request, int64_t now,
		     struct ocsp_answer *answer, struct err *e)
{
	struct ocsp_answer made = { .outcome = OCSP_SUCCESSFUL,
				    .from = now - AUTHORITY_SKEW_S * 1000,
				    .until = now + (int64_t)OCSP_FRESH_S * 1000 };
	struct ocsp_request asked;
	struct err ignored;

	if (ocsp_request_read(request.bytes, request.len, &asked, &ignored) < 0)
		return ocsp_answer_refuse(OCSP_MALFORMED, answer, e);
	/* One answer has one signer: what asks about both is of another, too. */
	if (r->old && asked.count && is_ours(r->old, &asked.certs[0]))
		r = r->old;
	for (size_t i = 0; i < asked.count; i++)
		if (!is_ours(r, &asked.certs[i]))
			return ocsp_answer_refuse(OCSP_UNAUTHORIZED, answer, e);
	if (now >= r->authority->ends)
		return ocsp_answer_refuse(OCSP_INTERNAL, answer, e);
	if (made.until > r->authority->ends)
		made.until = r->authority->ends;
	if (refresh(r, now, e) < 0 || make(db, r, &asked, &made, e) < 0)
		return err_code(e);
	made.is_cacheable = !asked.nonce.len;
	*answer = made;
	return 0;
}
