/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authority.h — the key and certificate that issue certificates: made once, read at each start.
 *
 * The certificate's common name is the trust domain of the SPIFFE ids that are given out.
 */
#pragma once

#include "common/crypto/key.h"

enum {
	AUTHORITY_NAME_MAX = 63,
	AUTHORITY_DAYS = 5 * 365,
	AUTHORITY_FINGERPRINT_LEN = 2 * KEY_FINGERPRINT_LEN,
	AUTHORITY_SKEW_S = 300, /* that another's clock may be behind ours */
};

struct authority {
	X509 *cert;
	EVP_PKEY *key;
	char *pem;                                       /* the certificate */
	char name[AUTHORITY_NAME_MAX + 1];               /* its trust domain */
	char fingerprint[AUTHORITY_FINGERPRINT_LEN + 1]; /* its key's (key.h) */
	int64_t ends;                                    /* ms since 1970 */
	/* Where others reach list and status, without the last slash; in what it issues. NULL: nobody says. */
	char *url;
};
void authority_free(struct authority *a);
DEFINE_CLEANUP(struct authority *, authority_free)

/* A new one of P-256 in two new files, the key's for its owner alone. ERR_EXISTS: one of them is there; then, as after any
 * failure, no new one is. */
int authority_make(const char *name, const char *cert_path, const char *key_path, int64_t now,
		   struct err *e) MUST_CHECK;

/* ERR_PRECONDITION: the two are no pair, it may not issue, it has ended, or whoever else can read the key's file. */
int authority_load(const char *cert_path, const char *key_path, int64_t now,
		   struct authority **authority, struct err *e) MUST_CHECK;

/* Whether one of these PEM certificates has the authority's key. */
int authority_is_among(const struct authority *a, const char *pem, bool *is_among,
		       struct err *e) MUST_CHECK;
/* Another one signed its certificate: whoever trusts that one, or one above it, trusts what is issued here. */
bool authority_is_below(const struct authority *a);

/* What signs with its key: NULL for Ed25519, which has none. */
const EVP_MD *authority_digest(const struct authority *a);

/* A number that nobody guesses: positive, always as long. */
enum { SERIAL_LEN = 16, SERIAL_TEXT_LEN = 2 * SERIAL_LEN };
int authority_serial(char text[SERIAL_TEXT_LEN + 1], struct err *e) MUST_CHECK;
/* ERR_INVALID: it has not the form of one. */
int authority_serial_read(const char *text, ASN1_INTEGER *number, struct err *e) MUST_CHECK;

/* For this folder: an extension, in OpenSSL's words, of a certificate or (cert NULL) list that it signs. `issuer` is its
 * certificate. */
int authority_extend(X509 *issuer, X509 *cert, X509_CRL *list, int nid, const char *value,
		     struct err *e) MUST_CHECK;
/* From `from` to `to`, ms since 1970. */
int authority_set_times(X509 *cert, int64_t from, int64_t to, struct err *e) MUST_CHECK;
int authority_add_name(X509_NAME *subject, int nid, const char *text, struct err *e) MUST_CHECK;
int authority_cert_pem(X509 *cert, char **pem, struct err *e) MUST_CHECK;
