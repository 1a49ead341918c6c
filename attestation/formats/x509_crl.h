/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509_crl.h — one certificate revocation list (RFC 5280, section 5), loaded strictly.
 *
 * Only complete, direct lists: any critical extension of the list or of an entry (an indirect or
 * partial list has one) is refused, since ignoring it would read 'not revoked' out of a list that
 * says nothing about the certificate. nextUpdate must be there.
 */
#pragma once

#include "attestation/formats/x509.h"

enum {
	X509_CRL_MAX = 8 << 20,
	X509_CRL_ENTRIES_MAX = 200000,
};

struct x509_crl {
	uint8_t *der;
	size_t len;
	struct span tbs, algorithm, signature;
	struct span issuer;  /* Name, whole */
	struct span revoked; /* contents of revokedCertificates; empty if there is none */
	size_t revoked_count;
	int64_t this_update, next_update; /* seconds since 1970 */
	struct span number; /* contents of the cRLNumber INTEGER; empty if there is none */
};

/* DER, or PEM if the bytes begin with "-----". Malloc'ed; x509_crl_free() it. */
int x509_crl_load(const void *bytes, size_t len, struct x509_crl **crl, struct err *e) MUST_CHECK;
void x509_crl_free(struct x509_crl *crl);
DEFINE_CLEANUP(struct x509_crl *, x509_crl_free)

/* The list is the issuer's: name, cRLSign in keyUsage if the issuer has a keyUsage (AMD's ASK has
 * one without: it can issue no list), signature with one of `algorithms`; and current:
 * thisUpdate <= at <= nextUpdate. ERR_DENIED if not. `signatures`: what was verified before, or NULL: as
 * x509_verify_known(). */
int x509_crl_verify_known(const struct x509_crl *crl, const struct x509 *issuer,
			  unsigned algorithms, int64_t at, struct signatures *signatures,
			  struct err *e) MUST_CHECK;

/* Whether the list names that certificate: its issuer is the list's and its serial is in it.
 * ERR_DENIED "revoked …" if so, ERR_INVALID if the list is another issuer's. */
int x509_crl_check(const struct x509_crl *crl, const struct x509 *cert, struct err *e) MUST_CHECK;
