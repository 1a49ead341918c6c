/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509.h — one X.509 v3 certificate, loaded strictly, and one link of a chain, verified.
 *
 * RFC 5280 as far as vendors' chains need it. There is no path building and no store: the caller
 * says which certificate must have signed which, with which algorithms, and compares the root by
 * the digest of its key. A certificate that loads is not yet trusted.
 *
 * Refused at loading: anything that is not DER to the last byte, versions other than 3, an inner
 * and an outer signature algorithm that differ, an extension twice, more extensions than
 * X509_EXTENSIONS_MAX, any critical extension but basicConstraints, keyUsage (checked in
 * x509_verify), extKeyUsage and subjectAltName (to be checked by the caller), keys that
 * x509_key_check() does not take. The key itself is made when something is verified by it.
 */
#pragma once

#include "attestation/formats/signatures.h"
#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/base/span.h"
#include "common/crypto/digest.h"

#include <openssl/evp.h>

enum {
	X509_DER_MAX = 16384, /* bytes of one certificate */
	X509_PEM_MAX = 65536, /* characters of one PEM file */
	X509_CHAIN_MAX = 8,   /* certificates in one PEM file */
	X509_EXTENSIONS_MAX = 32,
};

/* Signature algorithms, as a set. RSA keys are rsaEncryption with exponent 65537. */
enum x509_algorithm {
	X509_RSA4096_PSS_SHA384 = 1 << 0, /* salt of 48 bytes, MGF1 with SHA-384, 4096 bits */
	X509_P256_SHA256 = 1 << 1,
	X509_P384_SHA384 = 1 << 2,
	X509_RSA_SHA256 =
		1 << 3, /* PKCS #1 v1.5, 2048 bits or more; for TPM vendors, never for TEEs */
	X509_RSA_SHA384 = 1 << 4,
	X509_RSA_SHA512 = 1 << 5,
};

/* keyUsage bits, RFC 5280, 4.2.1.3; bit 0 is the first. */
enum {
	X509_USE_DIGITAL_SIGNATURE = 1 << 0,
	X509_USE_KEY_ENCIPHERMENT = 1 << 2,
	X509_USE_KEY_AGREEMENT = 1 << 4,
	X509_USE_CERT_SIGN = 1 << 5,
	X509_USE_CRL_SIGN = 1 << 6,
};

struct x509_extension {
	struct span oid; /* contents of the OBJECT IDENTIFIER */
	bool critical;
	struct span value; /* contents of the OCTET STRING */
};

/* Read-only for everyone but x509.c. Spans point into `der`. */
struct x509 {
	uint8_t *der;
	size_t len;
	struct span tbs;       /* what is signed */
	struct span algorithm; /* AlgorithmIdentifier, whole */
	struct span signature;
	struct span serial;            /* contents of the INTEGER */
	struct span issuer, subject;   /* Name, whole */
	struct span spki;              /* SubjectPublicKeyInfo, whole */
	int64_t not_before, not_after; /* seconds since 1970, both inclusive */
	bool has_constraints, is_ca;
	int path_len; /* -1: not limited */
	bool has_usage;
	unsigned usage; /* X509_USE_… */
	size_t extension_count;
	struct x509_extension extensions[X509_EXTENSIONS_MAX];
	EVP_PKEY *key;                  /* x509_key.c's; x509_key() */
	uint8_t key_digest[SHA256_LEN]; /* SHA-256 of `spki` */
	unsigned shares; /* owners after the first, all in one thread; x509_free() counts down */
};

/* Malloc'ed copies; x509_free() them. */
int x509_from_der(const void *der, size_t len, struct x509 **cert, struct err *e) MUST_CHECK;

/* Exactly one certificate, PEM if the bytes begin with "-----", else DER. */
int x509_load(const void *bytes, size_t len, struct x509 **cert, struct err *e) MUST_CHECK;

/* A PEM file of 1 to X509_CHAIN_MAX certificates, in order, with nothing but white space (and one
 * zero byte at the end, as Intel delivers it) outside of the armour. Frees what it made on
 * failure. */
struct x509_chain {
	struct x509 *certs[X509_CHAIN_MAX];
	size_t count;
};
int x509_chain_from_pem(const void *pem, size_t len, struct x509_chain *chain,
			struct err *e) MUST_CHECK;
void x509_chain_done(struct x509_chain *chain);

/* The same, and a certificate that one of the `known` chains has, byte for byte, is shared with
 * it and not read again. All of them stay in one thread. */
int x509_chain_from_pem_known(const void *pem, size_t len, const struct x509_chain *known,
			      size_t known_count, struct x509_chain *chain,
			      struct err *e) MUST_CHECK;

void x509_free(struct x509 *cert);
DEFINE_CLEANUP(struct x509 *, x509_free)

/* The key of a certificate, which keeps it. It is made when it is first asked for, since making one takes half
 * as long as a signature, and most CAs' are never used: what they signed is known (signatures.h). So
 * a certificate belongs to one thread. ERR_DENIED for a point beside the curve. */
int x509_key(const struct x509 *cert, EVP_PKEY **key, struct err *e) MUST_CHECK;

/* `issuer` signed `cert` with one of `algorithms` (a set): names chain byte for byte, the issuer's
 * basicConstraints say CA (they must be there), its path length allows `cas_below` CAs between it
 * and the leaf, its keyUsage, if any, says keyCertSign, the identifiers of the algorithm are
 * exactly those expected, and the signature holds. Time is not looked at. ERR_DENIED if not. */
int x509_verify(const struct x509 *cert, const struct x509 *issuer, unsigned algorithms,
		unsigned cas_below, struct err *e) MUST_CHECK;

/* The same, but a signature that `known` remembers is not computed again, and one that holds is
 * remembered there; see signatures.h. `known` may be NULL. */
struct x509_known {
	struct signatures *signatures;
	enum signatures_shelf shelf;
};
int x509_verify_known(const struct x509 *cert, const struct x509 *issuer, unsigned algorithms,
		      unsigned cas_below, const struct x509_known *known, struct err *e) MUST_CHECK;

/* Only the signature, by the key of any certificate, of one of the algorithms. */
struct x509_signed {
	struct span bytes, algorithm, signature;
};
int x509_verify_signature(const struct x509_signed *what, const struct x509 *signer,
			  unsigned algorithms, const struct x509_known *known,
			  struct err *e) MUST_CHECK;

/* The moment at which to judge something that is valid from `first` to `last`, when clocks may
 * differ by `skew` seconds: `at`, or the nearest moment in range if it is that close. */
int64_t x509_moment(int64_t at, int64_t skew, int64_t first, int64_t last);

/* notBefore <= at <= notAfter: both boundary seconds count (RFC 5280, 4.1.2.5; for OpenSSL the
 * last one is expired). ERR_DENIED says which side and by how much. */
int x509_valid_at(const struct x509 *cert, int64_t at, struct err *e) MUST_CHECK;

/* The extension of that OID ("2.5.29.15"), or NULL. */
const struct x509_extension *x509_extension_of(const struct x509 *cert, const char *oid);

/* For certificates that should have neither: refuses a critical extKeyUsage or subjectAltName,
 * which loading leaves to the caller (RFC 5280, 4.2: what is critical and not processed is
 * refused). */
int x509_nothing_unjudged(const struct x509 *cert, struct err *e) MUST_CHECK;

/* The only commonName (2.5.4.3) of a Name, as a string: "ARK-Milan". ERR_INVALID if there is none
 * or more than one, if it is too long or has bytes outside of printable ASCII. */
int x509_common_name(struct span name, char *text, size_t size, struct err *e) MUST_CHECK;

/* Whether one of the Name's texts begins with `word`; false where the Name is malformed. */
bool x509_name_has(struct span name, const char *word);

/* "-----BEGIN LABEL-----" armour around exactly one block; malloc'ed DER. For other modules that
 * read PEM of another label ("X509 CRL"). White space may come before it; `*next`, if not NULL,
 * gets the place where the text after the block begins (else only white space and one zero byte
 * may follow). Inside, lines are of one length but for the last, and base64 is canonical: a
 * block has one spelling. */
int x509_pem_decode(const char *pem, size_t len, const char *label, uint8_t **der, size_t *der_len,
		    size_t *next, struct err *e) MUST_CHECK;
