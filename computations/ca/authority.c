/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/ca/authority.h"

#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "computations/ca/ca_seal.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { CERTS_MAX = 64 /* in a file of authorities */ };

void authority_free(struct authority *a)
{
	if (!a)
		return;
	ca_signer_free(a->signer);
	X509_free(a->cert);
	EVP_PKEY_free(a->key);
	EVP_PKEY_free(a->form);
	free(a->pem);
	free(a->url);
	authority_free(a->old);
	free(a);
}

/* ---- parts of what is signed ---- */

int authority_serial(char text[SERIAL_TEXT_LEN + 1], struct err *e)
{
	uint8_t bytes[SERIAL_LEN];

	if (random_bytes(bytes, sizeof(bytes), e) < 0)
		return err_code(e);
	bytes[0] = (uint8_t)((bytes[0] & 0x3f) | 0x40); /* RFC 5280, section 4.1.2.2 */
	hex_encode(bytes, sizeof(bytes), text);
	return 0;
}

int authority_serial_read(const char *text, ASN1_INTEGER *number, struct err *e)
{
	BIGNUM *read = NULL;
	int failed = 0;

	if (strlen(text) != SERIAL_TEXT_LEN || strspn(text, "0123456789abcdef") != SERIAL_TEXT_LEN)
		return err_set(e, ERR_INVALID,
			       "serial %s: it is %d hexadecimal digits in lower case; 'certificate "
			       "list' has them",
			       log_quote(text).text, SERIAL_TEXT_LEN);
	if (BN_hex2bn(&read, text) != SERIAL_TEXT_LEN || !BN_to_ASN1_INTEGER(read, number))
		failed = err_openssl(e, ERR_INTERNAL, "serial number");
	BN_free(read);
	return failed;
}

int authority_extend(X509 *issuer, X509 *cert, X509_CRL *list, int nid, const char *value,
		     struct err *e)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;
	int done;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, list, 0);
	extension = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	if (!extension)
		return err_openssl(e, ERR_INTERNAL, "extension %s", OBJ_nid2sn(nid));
	done = cert ? X509_add_ext(cert, extension, -1) : X509_CRL_add_ext(list, extension, -1);
	X509_EXTENSION_free(extension);
	return done ? 0 : err_openssl(e, ERR_INTERNAL, "extension %s", OBJ_nid2sn(nid));
}

int authority_set_times(X509 *cert, int64_t from, int64_t to, struct err *e)
{
	if (!ASN1_TIME_set(X509_getm_notBefore(cert), (time_t)(from / 1000)) ||
	    !ASN1_TIME_set(X509_getm_notAfter(cert), (time_t)(to / 1000)))
		return err_openssl(e, ERR_INTERNAL, "certificate's times");
	return 0;
}

int authority_add_name(X509_NAME *subject, int nid, const char *text, struct err *e)
{
	if (!X509_NAME_add_entry_by_NID(subject, nid, MBSTRING_ASC, (const unsigned char *)text, -1,
					-1, 0))
		return err_openssl(e, ERR_INTERNAL, "certificate's name");
	return 0;
}

int authority_cert_pem(X509 *cert, char **pem, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	char *text, *copy;
	long len;

	if (!bio || !PEM_write_bio_X509(bio, cert))
		return err_openssl(e, ERR_INTERNAL, "certificate as PEM");
	len = BIO_get_mem_data(bio, &text);
	copy = strndup(text, (size_t)len);
	if (!copy)
		return err_nomem(e);
	*pem = copy;
	return 0;
}

/* ---- a new one ---- */

/* As SPIFFE-ID 2.1 has it. */
static bool is_trust_domain(const char *name)
{
	size_t len = strlen(name);

	return len >= 1 && len <= AUTHORITY_NAME_MAX &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789.-_") == len;
}

static int add_extensions(X509 *cert, const char *name, struct err *e)
{
	char uri[AUTHORITY_NAME_MAX + 16];

	snprintf(uri, sizeof(uri), "URI:spiffe://%s", name);
	const struct {
		int nid;
		const char *value;
	} all[] = {
		{ NID_basic_constraints, "critical,CA:TRUE,pathlen:0" },
		{ NID_key_usage, "critical,keyCertSign,cRLSign" },
		{ NID_subject_key_identifier, "hash" },
		{ NID_subject_alt_name, uri },
	};

	for (size_t i = 0; i < ARRAY_LEN(all); i++)
		if (authority_extend(cert, cert, NULL, all[i].nid, all[i].value, e) < 0)
			return err_code(e);
	return 0;
}

static int fill_cert(const char *name, EVP_PKEY *key, int64_t now, X509 *cert, struct err *e)
{
	char serial[SERIAL_TEXT_LEN + 1];

	if (authority_serial(serial, e) < 0 ||
	    authority_serial_read(serial, X509_get_serialNumber(cert), e) < 0 ||
	    authority_set_times(cert, now - AUTHORITY_SKEW_S * 1000,
				now + (int64_t)AUTHORITY_DAYS * 86400 * 1000, e) < 0 ||
	    authority_add_name(X509_get_subject_name(cert), NID_commonName, name, e) < 0)
		return err_code(e);
	if (!X509_set_version(cert, X509_VERSION_3) || !X509_set_pubkey(cert, key) ||
	    !X509_set_issuer_name(cert, X509_get_subject_name(cert)))
		return err_openssl(e, ERR_INTERNAL, "certificate");
	return add_extensions(cert, name, e);
}

/* Of the same kind as the authority's, to be thrown away (ca_seal.h). */
static int make_form(struct authority *a, struct err *e)
{
	CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(a->key, NULL);

	if (!ctx || EVP_PKEY_keygen_init(ctx) != 1 || EVP_PKEY_keygen(ctx, &a->form) != 1)
		return err_openssl(e, ERR_INTERNAL, "a key to form what is signed");
	return 0;
}

static int make_cert(const char *name, const char *where, EVP_PKEY *key, int64_t now, char **pem,
		     struct err *e)
{
	CLEANUP(authority_free) struct authority *a = calloc(1, sizeof(*a));

	if (!a || !(a->cert = X509_new()))
		return err_nomem(e);
	EVP_PKEY_up_ref(key);
	a->key = key;
	if (make_form(a, e) < 0 || ca_signer_new(where, key, &a->signer, e) < 0 ||
	    fill_cert(name, key, now, a->cert, e) < 0 || ca_seal_cert(a, &a->cert, e) < 0)
		return err_code(e);
	return authority_cert_pem(a->cert, pem, e);
}

int authority_make(const char *name, const char *cert_path, const char *key_where, int64_t now,
		   bool *is_new, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *pem = NULL;
	bool made;

	if (!is_trust_domain(name))
		return err_set(e, ERR_INVALID,
			       "authority %s: its name is 1 to %d of a-z 0-9 . - _, such as "
			       "example.org",
			       log_quote(name).text, AUTHORITY_NAME_MAX);
	if (access(cert_path, F_OK) == 0)
		return err_set(e, ERR_EXISTS,
			       "'%s' is there already: an authority stays as it is; name a new "
			       "file for another one",
			       cert_path);
	if (ca_signer_make(key_where, &key, &made, e) < 0)
		return err_code(e);
	/* Both or none; what a device has made is taken the next time. */
	if (make_cert(name, key_where, key, now, &pem, e) < 0 ||
	    file_write_new(cert_path, pem, strlen(pem), 0644, e) < 0) {
		if (key_where[0] == '/')
			unlink(key_where);
		return err_code(e);
	}
	*is_new = made;
	return 0;
}

/* ---- one that there is ---- */

static int read_cert(const char *path, struct authority *a, struct err *e)
{
	CLEANUP(free) char *text = NULL;

	if (file_read_text(path, PEM_MAX, &text, e) < 0)
		return err_code(e);
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(text, -1);
	if (!bio)
		return err_nomem(e);
	a->cert = PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL);
	if (!a->cert)
		return err_openssl(e, ERR_INVALID, "'%s' holds no certificate in PEM", path);
	CLEANUP(X509_free) X509 *more = PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL);
	ERR_clear_error();
	if (more)
		return err_set(e, ERR_INVALID, "'%s' holds more than the authority's certificate",
			       path);
	a->key = X509_get_pubkey(a->cert);
	if (!a->key)
		return err_openssl(e, ERR_INVALID, "'%s': its key can't be read", path);
	return authority_cert_pem(a->cert, &a->pem, e);
}

/* Its one common name. */
static int take_name(struct authority *a, struct err *e)
{
	const X509_NAME *subject = X509_get_subject_name(a->cert);
	char name[AUTHORITY_NAME_MAX + 2];
	int len = X509_NAME_get_text_by_NID((X509_NAME *)(uintptr_t)subject, NID_commonName, name,
					    sizeof(name));

	if (len < 1 || X509_NAME_entry_count(subject) != 1 || (size_t)len != strlen(name) ||
	    !is_trust_domain(name))
		return err_set(e, ERR_PRECONDITION,
			       "its subject is not one common name of 1 to %d of a-z 0-9 . - _",
			       AUTHORITY_NAME_MAX);
	memcpy(a->name, name, (size_t)len + 1);
	return 0;
}

static int take_end(struct authority *a, int64_t now, struct err *e)
{
	time_t at = (time_t)(now / 1000);
	struct tm end;

	if ((now && (X509_cmp_time(X509_get0_notBefore(a->cert), &at) >= 0 ||
		     X509_cmp_time(X509_get0_notAfter(a->cert), &at) <= 0)) ||
	    !ASN1_TIME_to_tm(X509_get0_notAfter(a->cert), &end))
		return err_set(e, ERR_PRECONDITION, "it is not valid today");
	a->ends = (int64_t)timegm(&end) * 1000;
	return 0;
}

static int check_cert(const struct authority *a, struct err *e)
{
	const uint32_t usage = KU_KEY_CERT_SIGN | KU_CRL_SIGN;

	if (key_kind_of(a->key) == KEY_RSA)
		return err_set(e, ERR_PRECONDITION,
			       "its key is RSA: an authority's is ECDSA or Ed25519");
	if (X509_check_ca(a->cert) != 1 || (X509_get_key_usage(a->cert) & usage) != usage)
		return err_set(e, ERR_PRECONDITION,
			       "it may not sign certificates and revocation lists");
	return 0;
}

/* What it signs names it: RFC 5280, sections 4.2.1.1 and 5.2.1. */
static int check_key_id(const struct authority *a, struct err *e)
{
	if (!X509_get0_subject_key_id(a->cert))
		return err_set(e, ERR_PRECONDITION, "it has no subject key identifier");
	return 0;
}

static int take_fingerprint(struct authority *a, struct err *e)
{
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (key_to_spki(a->key, &spki, &len, e) < 0 ||
	    key_fingerprint(spki, len, fingerprint, e) < 0)
		return err_code(e);
	hex_encode(fingerprint, sizeof(fingerprint), a->fingerprint);
	return 0;
}

int authority_read(const char *cert_path, int64_t now, struct authority **authority, struct err *e)
{
	CLEANUP(authority_free) struct authority *a = calloc(1, sizeof(*a));

	if (!a)
		return err_nomem(e);
	if (read_cert(cert_path, a, e) < 0)
		return err_code(e);
	if (check_cert(a, e) < 0 || take_name(a, e) < 0 || take_end(a, now, e) < 0 ||
	    check_key_id(a, e) < 0 || take_fingerprint(a, e) < 0 || make_form(a, e) < 0)
		return err_wrap(e, "'%s'", cert_path);
	*authority = TAKE_PTR(a);
	return 0;
}

int authority_load(const char *cert_path, const char *key_where, int64_t now,
		   struct authority **authority, struct err *e)
{
	CLEANUP(authority_free) struct authority *a = NULL;
	struct err ignored;

	if (authority_read(cert_path, now, &a, e) < 0 ||
	    ca_signer_new(key_where, a->key, &a->signer, e) < 0)
		return err_code(e);
	if (ca_signer_prove(a->signer, e) < 0 &&
	    (!ca_signer_may_wait(e) || ca_signer_is_well(a->signer, &ignored)))
		return err_wrap(e, "'%s'", cert_path);
	*authority = TAKE_PTR(a);
	return 0;
}

void authority_list_name(const struct authority *a, char name[AUTHORITY_LIST_NAME_LEN + 1])
{
	snprintf(name, AUTHORITY_LIST_NAME_LEN + 1, "%.16s.crl", a->fingerprint);
}

const struct authority *authority_of_list(const struct authority *a, const char *name)
{
	char own[AUTHORITY_LIST_NAME_LEN + 1];

	for (; a; a = a->old) {
		authority_list_name(a, own);
		if (strcmp(name, own) == 0)
			return a;
	}
	return NULL;
}

bool authority_is_below(const struct authority *a)
{
	bool is_own = X509_self_signed(a->cert, 1) == 1;

	ERR_clear_error();
	return !is_own;
}

int authority_is_among(const struct authority *a, const char *pem, bool *is_among, struct err *e)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new_mem_buf(pem, -1);
	bool found = false;

	if (!bio)
		return err_nomem(e);
	for (int i = 0; i < CERTS_MAX; i++) {
		CLEANUP(X509_free)
		X509 *cert = PEM_read_bio_X509(bio, NULL, key_no_passphrase, NULL);

		if (!cert) {
			ERR_clear_error();
			*is_among = found;
			return 0;
		}
		found = found || EVP_PKEY_eq(X509_get0_pubkey(cert), a->key) == 1;
	}
	return err_set(e, ERR_EXHAUSTED, "more than %d authorities in one file", CERTS_MAX);
}
