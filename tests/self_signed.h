/* SPDX-License-Identifier: Apache-2.0 */
/*
 * self_signed.h — certificates that say no more than that somebody has the key.
 */
#pragma once

#include "common/crypto/key.h"

#include <string.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

struct self_signed_extension {
	int nid;
	const char *value; /* in OpenSSL's words: "critical,CA:TRUE" */
};

/* For `key`, signed by it, of that common name, from an hour ago for a day; the caller frees it.
 * NULL if anything fails. */
static inline X509 *self_signed(EVP_PKEY *key, const char *name,
				const struct self_signed_extension *extensions, size_t count)
{
	CLEANUP(X509_free) X509 *cert = X509_new();
	bool good = cert && X509_set_version(cert, X509_VERSION_3) == 1 &&
		    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) == 1 &&
		    X509_gmtime_adj(X509_getm_notBefore(cert), -3600) &&
		    X509_gmtime_adj(X509_getm_notAfter(cert), 24 * 3600) &&
		    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_ASC,
					       (const unsigned char *)name, -1, -1, 0) == 1 &&
		    X509_set_issuer_name(cert, X509_get_subject_name(cert)) == 1 &&
		    X509_set_pubkey(cert, key) == 1;

	for (size_t i = 0; good && i < count; i++) {
		X509_EXTENSION *made =
			X509V3_EXT_conf_nid(NULL, NULL, extensions[i].nid, extensions[i].value);

		good = made && X509_add_ext(cert, made, -1) == 1;
		X509_EXTENSION_free(made);
	}
	return good && X509_sign(cert, key, EVP_sha256()) > 0 ? TAKE_PTR(cert) : NULL;
}

/* Malloc'ed; NULL if anything fails. */
static inline char *self_signed_pem(X509 *cert)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	char *text;
	long len;

	if (!cert || !bio || PEM_write_bio_X509(bio, cert) != 1)
		return NULL;
	len = BIO_get_mem_data(bio, &text);
	return strndup(text, (size_t)len);
}
