/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl_room.h — authorities and lists of our own making, by OpenSSL: for tests of what reads and judges lists.
 */
#pragma once

#include "common/crypto/crl_set.h"
#include "tests/unit.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { CRL_ROOM_NOW = 1750000000 }; /* within what is made here */

struct crl_room_ca {
	EVP_PKEY *key;
	X509 *cert;
};

DEFINE_CLEANUP(X509_CRL *, X509_CRL_free)
DEFINE_CLEANUP(X509_REVOKED *, X509_REVOKED_free)
DEFINE_CLEANUP(X509_EXTENSION *, X509_EXTENSION_free)
DEFINE_CLEANUP(ASN1_INTEGER *, ASN1_INTEGER_free)
DEFINE_CLEANUP(ASN1_TIME *, ASN1_TIME_free)
DEFINE_CLEANUP(ASN1_OBJECT *, ASN1_OBJECT_free)
DEFINE_CLEANUP(ASN1_OCTET_STRING *, ASN1_OCTET_STRING_free)

/* `usage` NULL: without keyUsage. Signed by `above` or (NULL) by itself. */
static inline X509 *crl_room_cert(const char *name, long serial, EVP_PKEY *key, const char *usage,
				  const struct crl_room_ca *above)
{
	X509 *cert = X509_new();
	X509_EXTENSION *extension;

	assert_non_null(cert);
	X509_set_version(cert, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(cert), serial);
	X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
				   (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, X509_get_subject_name(above ? above->cert : cert));
	ASN1_TIME_set(X509_getm_notBefore(cert), CRL_ROOM_NOW - 86400);
	ASN1_TIME_set(X509_getm_notAfter(cert), CRL_ROOM_NOW + 86400);
	X509_set_pubkey(cert, key);
	if (usage) {
		extension = X509V3_EXT_conf_nid(NULL, NULL, NID_key_usage, usage);
		assert_non_null(extension);
		X509_add_ext(cert, extension, -1);
		X509_EXTENSION_free(extension);
	}
	assert_true(X509_sign(cert, above ? above->key : key, EVP_sha256()) > 0);
	return cert;
}

static inline struct crl_room_ca crl_room_ca(const char *name, const char *usage)
{
	struct crl_room_ca ca = { .key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256") };

	assert_non_null(ca.key);
	ca.cert = crl_room_cert(name, 1, ca.key, usage, NULL);
	return ca;
}

static inline void crl_room_ca_free(struct crl_room_ca *ca)
{
	X509_free(ca->cert);
	EVP_PKEY_free(ca->key);
}
#define CLEANUP_CA __attribute__((cleanup(crl_room_ca_free)))

/* What differs from a list of one entry, number 7, from an hour ago until in an hour. */
struct crl_room_list {
	long number;         /* 0: 7; negative: none */
	const long *serials; /* ends with 0; NULL: 5 alone */
	int64_t from, until; /* 0: as above */
	const char *oid;     /* an extension of NULL, or of `value`, */
	const uint8_t *value;
	int value_len;
	bool critical; /* which is so */
	bool in_entry; /* of the entries */
	bool is_first; /* version 1, without extensions */
	const EVP_MD *digest;
	bool pss; /* the key is of RSA */
};

static inline void crl_room_sign(X509_CRL *list, EVP_PKEY *key, const struct crl_room_list *l)
{
	const EVP_MD *digest = l->digest ? l->digest : EVP_sha256();
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL; /* owned by md */

	assert_true(md && EVP_DigestSignInit(md, &ctx, digest, NULL, key) == 1);
	if (l->pss)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING), 1);
	assert_true(X509_CRL_sign_ctx(list, md) > 0);
}

static inline X509_EXTENSION *crl_room_extension(const struct crl_room_list *l)
{
	CLEANUP(ASN1_OBJECT_free) ASN1_OBJECT *oid = OBJ_txt2obj(l->oid, 1);
	CLEANUP(ASN1_OCTET_STRING_free) ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();

	assert_true(oid && value &&
		    ASN1_OCTET_STRING_set(value, l->value ? l->value : (const uint8_t *)"\5\0",
					  l->value ? l->value_len : 2));
	return X509_EXTENSION_create_by_OBJ(NULL, oid, l->critical, value);
}

static inline void crl_room_add(X509_CRL *list, const struct crl_room_list *l, long serial,
				ASN1_TIME *when)
{
	X509_REVOKED *entry = X509_REVOKED_new();
	CLEANUP(ASN1_INTEGER_free) ASN1_INTEGER *number = ASN1_INTEGER_new();

	assert_true(entry && number && ASN1_INTEGER_set(number, serial));
	assert_true(X509_REVOKED_set_serialNumber(entry, number));
	assert_true(X509_REVOKED_set_revocationDate(entry, when));
	if (l->oid && l->in_entry) {
		CLEANUP(X509_EXTENSION_free) X509_EXTENSION *x = crl_room_extension(l);

		assert_true(X509_REVOKED_add_ext(entry, x, -1));
	}
	assert_true(X509_CRL_add0_revoked(list, entry));
}

/* Its DER, for the caller to free with OPENSSL_free(). */
static inline uint8_t *crl_room_der(const struct crl_room_ca *ca, const struct crl_room_list *l,
				    size_t *len)
{
	static const long five[] = { 5, 0 };
	CLEANUP(X509_CRL_free) X509_CRL *list = X509_CRL_new();
	CLEANUP(ASN1_TIME_free)
	ASN1_TIME *from = ASN1_TIME_set(NULL, l->from ? l->from : CRL_ROOM_NOW - 3600);
	CLEANUP(ASN1_TIME_free)
	ASN1_TIME *until = ASN1_TIME_set(NULL, l->until ? l->until : CRL_ROOM_NOW + 3600);
	CLEANUP(ASN1_INTEGER_free) ASN1_INTEGER *number = ASN1_INTEGER_new();
	uint8_t *der = NULL;
	int size;

	if (!l->is_first) /* which has no version in it at all */
		X509_CRL_set_version(list, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(list, X509_get_subject_name(ca->cert));
	X509_CRL_set1_lastUpdate(list, from);
	X509_CRL_set1_nextUpdate(list, until);
	for (const long *s = l->serials ? l->serials : five; *s; s++)
		crl_room_add(list, l, *s, from);
	if (!l->is_first && l->number >= 0) {
		ASN1_INTEGER_set(number, l->number ? l->number : 7);
		assert_true(X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, 0));
	}
	if (l->oid && !l->in_entry) {
		CLEANUP(X509_EXTENSION_free) X509_EXTENSION *x = crl_room_extension(l);

		assert_true(X509_CRL_add_ext(list, x, -1));
	}
	assert_true(X509_CRL_sort(list));
	crl_room_sign(list, ca->key, l);
	size = i2d_X509_CRL(list, &der);
	assert_true(size > 0);
	*len = (size_t)size;
	return der;
}

/* The same, read. */
static inline struct crl *crl_room_read(const struct crl_room_ca *ca, const struct crl_room_list *l)
{
	struct crl *crl = NULL;
	size_t len;
	uint8_t *der = crl_room_der(ca, l, &len);
	struct err e;

	assert_ok(crl_read(der, len, &crl, &e), e);
	OPENSSL_free(der);
	return crl;
}
