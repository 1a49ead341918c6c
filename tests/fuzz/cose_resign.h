/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cose_resign.h — signs a parsed COSE_Sign1 again, so that what is inside a mutated message gets past
 * the check of its signature. Written after RFC 9052, section 4.4, apart from cose.c: where they
 * differ, a target finds it.
 */
#pragma once

#include "attestation/formats/cose.h"
#include "common/base/writer.h"

#include <assert.h>
#include <openssl/ec.h>
#include <openssl/rsa.h>

struct cose_test_key {
	enum cose_algorithm algorithm;
	const char *kind, *curve; /* curve: of EC keys; OpenSSL's names */
	const char *hash;
	size_t coordinate; /* bytes of r and of s; 0: the signature is OpenSSL's */
	EVP_PKEY *key;
};

static struct cose_test_key cose_test_keys[] = {
	{ COSE_ES256, "EC", "P-256", "SHA256", 32, NULL },
	{ COSE_ES384, "EC", "P-384", "SHA384", 48, NULL },
	{ COSE_ES512, "EC", "P-521", "SHA512", 66, NULL },
	{ COSE_EDDSA, "ED25519", NULL, NULL, 0, NULL },
	{ COSE_PS256, "RSA", NULL, "SHA256", 0, NULL },
};

/* Nobody's keys, other ones in each process: no input holds a signature of theirs. */
static inline const struct cose_test_key *cose_test_key(int64_t algorithm)
{
	for (size_t i = 0; i < ARRAY_LEN(cose_test_keys); i++) {
		struct cose_test_key *k = &cose_test_keys[i];

		if (k->algorithm != algorithm)
			continue;
		if (!k->key)
			k->key = k->curve  ? EVP_PKEY_Q_keygen(NULL, NULL, k->kind, k->curve)
				 : k->hash ? EVP_PKEY_Q_keygen(NULL, NULL, k->kind, (size_t)2048)
					   : EVP_PKEY_Q_keygen(NULL, NULL, k->kind);
		assert(k->key);
		return k;
	}
	return NULL;
}

static inline void cose_resign_raw(const struct cose_test_key *k, uint8_t *sig, size_t *len)
{
	const unsigned char *der = sig;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)*len);
	uint8_t raw[2 * 66];

	assert(pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, (int)k->coordinate) > 0 &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + k->coordinate, (int)k->coordinate) > 0);
	ECDSA_SIG_free(pair);
	*len = 2 * k->coordinate;
	memcpy(sig, raw, *len);
}

/* Puts the signature of the message's own algorithm, by the test's key, in its place; `sig` holds
 * SIGNATURE_MAX bytes and has to outlive the message. */
static inline const struct cose_test_key *cose_resign(struct cose *m, const void *aad,
						      size_t aad_len, uint8_t *sig)
{
	const struct cose_test_key *k = cose_test_key(m->algorithm);
	struct writer w = writer_up_to(COSE_MAX + COSE_HEADERS_MAX);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;
	size_t len = SIGNATURE_MAX;

	assert(k && md);
	datum_put_array(&w, 4);
	datum_put_text(&w, "Signature1");
	datum_put_bytes(&w, m->protected_bytes, m->protected_len);
	datum_put_bytes(&w, aad, aad_len);
	datum_put_bytes(&w, m->payload, m->payload_len);
	assert(!w.bad && EVP_DigestSignInit_ex(md, &ctx, k->hash, NULL, NULL, k->key, NULL) == 1);
	if (k->algorithm == COSE_PS256)
		assert(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
	assert(EVP_DigestSign(md, sig, &len, w.bytes, w.len) == 1);
	if (k->coordinate)
		cose_resign_raw(k, sig, &len);
	m->signature = sig;
	m->signature_len = len;
	EVP_MD_CTX_free(md);
	writer_done(&w);
	return k;
}
