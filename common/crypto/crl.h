/* SPDX-License-Identifier: Apache-2.0 */
/*
 * crl.h — one certificate revocation list (RFC 5280, section 5) of those that TLS goes by: its form read strictly, its
 * signature, whom it names.
 *
 * Whole lists of one issuer's own certificates alone: what is a part of one (a delta, one with a distribution point), or
 * has a critical extension, is refused, since 'not in it' would say nothing. Versions 1 and 2 (RFC 5280, section 5).
 */
#pragma once

#include "common/base/span.h"
#include "common/crypto/key.h"

enum {
	CRL_MAX = 8 << 20, /* bytes of one */
	CRL_ENTRIES_MAX = 200000,
	CRL_SERIAL_MAX = 32, /* bytes; RFC 5280 has 20 */
	CRL_EXTENSIONS_MAX = 16,
	CRL_NUMBER_MAX = 20, /* bytes (RFC 5280, section 5.2.3) */
	CRL_NAME_TEXT_MAX = 200,
	CRL_SERIAL_TEXT_MAX = 2 * CRL_SERIAL_MAX + 1,
};

struct crl;

/* Of DER, which is copied. ERR_INVALID: it has not the form of one. Who signed it is another question. */
int crl_read(const void *der, size_t len, struct crl **crl, struct err *e) MUST_CHECK;
void crl_free(struct crl *crl);
DEFINE_CLEANUP(struct crl *, crl_free)

/* By RFC 5280, section 6.3.3 (f) and (g): `issuer` has the list's name, may sign lists, and its key signed this one, which is
 * remembered. ERR_DENIED: no. */
int crl_verify(struct crl *crl, X509 *issuer, struct err *e) MUST_CHECK;
/* The same without a signature: of a list that this process has made itself. */
int crl_vouch(struct crl *crl, X509 *issuer, struct err *e) MUST_CHECK;
/* Names are the same. */
bool crl_is_of(const struct crl *crl, X509 *issuer);
/* crl_verify() said yes to a certificate of this key; NULL: to none yet. */
X509 *crl_signer(const struct crl *crl);
bool crl_is_signed_by(const struct crl *crl, X509 *issuer);

/* It names that certificate, which is its issuer's. A reason such as 'on hold' is as good as any. */
bool crl_names(const struct crl *crl, const X509 *cert);

/* By crlNumber, where both have one, or else (and where it is the same) by thisUpdate: `crl` was made before `other`. */
bool crl_is_older(const struct crl *crl, const struct crl *other);
/* Byte by byte. */
bool crl_is_same(const struct crl *crl, const struct crl *other);

/* Seconds since 1970. */
int64_t crl_this_update(const struct crl *crl);
int64_t crl_next_update(const struct crl *crl);
size_t crl_count(const struct crl *crl);
/* Its issuer, on one line, as RFC 2253 writes names; cut where it is long. */
const char *crl_issuer(const struct crl *crl);

/* The same form of a certificate's subject, and its serial number in hexadecimal ("-" if it has more bytes than a list can
 * name). */
void crl_subject_text(X509 *cert, char text[CRL_NAME_TEXT_MAX]);
void crl_serial_text(const X509 *cert, char text[CRL_SERIAL_TEXT_MAX]);
