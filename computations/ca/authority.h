/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authority.h — the key and certificate that issue certificates: made once, read at each start.
 *
 * The certificate's common name is the trust domain of the SPIFFE ids that are given out.
 */
#pragma once

#include "common/crypto/key.h"
#include "computations/ca/ca_signer.h"

enum {
	AUTHORITY_NAME_MAX = 63,
	AUTHORITY_DAYS = 5 * 365,
	AUTHORITY_FINGERPRINT_LEN = 2 * KEY_FINGERPRINT_LEN,
	AUTHORITY_SKEW_S = 300, /* that another's clock may be behind ours */
};

struct authority {
	X509 *cert;
	EVP_PKEY *key;            /* public */
	struct ca_signer *signer; /* its private one; NULL: the certificate was read alone */
	EVP_PKEY *form;           /* ca_seal.h */
	char *pem;                /* the certificate */
	char name[AUTHORITY_NAME_MAX + 1];               /* its trust domain */
	char fingerprint[AUTHORITY_FINGERPRINT_LEN + 1]; /* its key's (key.h) */
	int64_t ends;                                    /* ms since 1970 */
	/* Where others reach list and status, without the last slash; in what it issues. NULL: nobody says. */
	char *url;
	/* The one of before, which issues nothing more, but whose certificates are valid to their end: it signs lists and status
	 * answers of its own. Owned; NULL: there is none. */
	struct authority *old;
};
void authority_free(struct authority *a);
DEFINE_CLEANUP(struct authority *, authority_free)

/* A new one: its certificate in a new file, its key where ca_signer_make() has it. ERR_EXISTS: a file is there; then, as
 * after any failure, no new file is. `is_new`: the key was made now. */
int authority_make(const char *name, const char *cert_path, const char *key_where, int64_t now,
		   bool *is_new, struct err *e) MUST_CHECK;

/* The certificate alone: it signs nothing. ERR_PRECONDITION: it may not issue, or has ended. `now` 0: also one that has ended. */
int authority_read(const char *cert_path, int64_t now, struct authority **authority,
		   struct err *e) MUST_CHECK;
/* With its key, which is tried. ERR_PRECONDITION, too: the key is another's, or whoever else can read its file. A device that
 * does not answer now, or refuses the PIN, is no failure: ca_signer_is_well() says so. */
int authority_load(const char *cert_path, const char *key_where, int64_t now,
		   struct authority **authority, struct err *e) MUST_CHECK;

/* `a` or the one of before, whose revocation list has that name; NULL: neither. */
enum { AUTHORITY_LIST_NAME_LEN = 16 + 4 };
const struct authority *authority_of_list(const struct authority *a, const char *name);
void authority_list_name(const struct authority *a, char name[AUTHORITY_LIST_NAME_LEN + 1]);

/* Whether one of these PEM certificates has the authority's key. */
int authority_is_among(const struct authority *a, const char *pem, bool *is_among,
		       struct err *e) MUST_CHECK;
/* Another one signed its certificate: whoever trusts that one, or one above it, trusts what is issued here. */
bool authority_is_below(const struct authority *a);

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
