/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key.h — the keys of users and of our own identities, on OpenSSL's EVP_PKEY.
 *
 * Accepted: RSA 2048 to 8192 with an exponent of up to 64 bits, ECDSA P-256, P-384, P-521 (named
 * curves), Ed25519. Anything else is refused when it is loaded, so that later code does not have to
 * check.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"
#include "common/crypto/digest.h"

#include <stdbool.h>
#include <stdint.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

DEFINE_CLEANUP(EVP_PKEY *, EVP_PKEY_free)
DEFINE_CLEANUP(EVP_PKEY_CTX *, EVP_PKEY_CTX_free)
DEFINE_CLEANUP(EVP_MD_CTX *, EVP_MD_CTX_free)
DEFINE_CLEANUP(X509 *, X509_free)
DEFINE_CLEANUP(BIO *, BIO_free_all)

enum { SPKI_MAX = 2048, SIGNATURE_MAX = 1024, PEM_MAX = 65536 };

enum key_kind { KEY_RSA, KEY_ECDSA, KEY_ED25519 };

/* How an encrypted private key gets its passphrase: writes at most `max` bytes and returns their
 * count, negative to give up. NULL means that encrypted keys are refused. */
typedef int key_passphrase_fn(char *out, int max, void *data);

/* A pem_password_cb that gives up: without one OpenSSL asks on the terminal and waits. */
int key_no_passphrase(char *out, int max, int writing, void *data);

/* DER SubjectPublicKeyInfo, exactly `len` bytes, in the encoding that OpenSSL would write again. */
int key_from_spki(const uint8_t *der, size_t len, EVP_PKEY **key, struct err *e) MUST_CHECK;

/* The same, but for whether the numbers in it are sound, which takes up to half a second for an RSA key
 * that is chosen for that. For a key that was checked before, or that gives nobody a right: it verifies
 * signatures in a millisecond, whoever chose it. */
int key_parse_spki(const uint8_t *der, size_t len, EVP_PKEY **key, struct err *e) MUST_CHECK;

/* "-----BEGIN PUBLIC KEY-----", once; or a private key in PKCS#8, PKCS#1 (also under PKCS#8's label,
 * as the stock CLI writes it) or SEC 1. */
int key_from_public_pem(const char *pem, size_t len, EVP_PKEY **key, struct err *e) MUST_CHECK;
/* As key_parse_spki(): its numbers are not looked at. */
int key_parse_public_pem(const char *pem, size_t len, EVP_PKEY **key, struct err *e) MUST_CHECK;
int key_from_private_pem(const char *pem, size_t len, key_passphrase_fn *ask, void *data,
			 EVP_PKEY **key, struct err *e) MUST_CHECK;

/* Malloc'ed DER of the public half. */
int key_to_spki(const EVP_PKEY *key, uint8_t **der, size_t *len, struct err *e) MUST_CHECK;
/* What tells people's keys apart, in status, journal, receipts and refusals, and in what owners compare:
 * the SHA3-256 of the DER SubjectPublicKeyInfo, written in lower-case hexadecimal. */
enum { KEY_FINGERPRINT_LEN = SHA3_256_LEN };
int key_fingerprint(const void *spki, size_t len, uint8_t fingerprint[KEY_FINGERPRINT_LEN],
		    struct err *e) MUST_CHECK;
/* Malloc'ed PEM texts: PUBLIC KEY, and PKCS#8 PRIVATE KEY (wipe the latter). */
int key_to_public_pem(const EVP_PKEY *key, char **pem, struct err *e) MUST_CHECK;
int key_to_private_pem(const EVP_PKEY *key, char **pem, struct err *e) MUST_CHECK;

int key_generate(enum key_kind kind, EVP_PKEY **key, struct err *e) MUST_CHECK; /* 4096, P-256 */
enum key_kind key_kind_of(const EVP_PKEY *key);

/* Signatures of users: RSA PKCS#1 v1.5 with SHA-256 (`pss`: PSS, MGF1 and salt of 32 bytes),
 * ECDSA (DER) with SHA-256, Ed25519. `sig` holds SIGNATURE_MAX bytes. */
int key_sign(EVP_PKEY *key, bool pss, const void *bytes, size_t len, uint8_t *sig, size_t *sig_len,
	     struct err *e) MUST_CHECK;

/* 0 only if the signature is right; ERR_DENIED if it is not. RSA has that one padding, or key_verify() tries both. */
int key_verify_as(EVP_PKEY *key, bool pss, const void *bytes, size_t len, const uint8_t *sig,
		  size_t sig_len, struct err *e) MUST_CHECK;
int key_verify(EVP_PKEY *key, const void *bytes, size_t len, const uint8_t *sig, size_t sig_len,
	       struct err *e) MUST_CHECK;

/* Fills `e` from OpenSSL's error queue and empties it. Returns -code; ERR_EXHAUSTED where OpenSSL had no
 * memory, whatever `code` says. */
int err_openssl(struct err *e, enum err_code code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
