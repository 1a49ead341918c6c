/* SPDX-License-Identifier: Apache-2.0 */
/*
 * x509_resign.h — signs a parsed certificate or list again with a P-256 key of this process, so that
 * what is inside a mutated one gets past the check of its signature.
 */
#pragma once

#include "attestation/formats/x509.h"
#include "attestation/formats/x509_key.h"
#include "common/crypto/key.h"

#include <assert.h>

static inline EVP_PKEY *x509_test_key(void)
{
	static EVP_PKEY *key;

	if (!key)
		key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
	assert(key);
	return key;
}

/* The issuer of that name: a CA for anything. */
static inline struct x509 x509_test_issuer(struct span name)
{
	return (struct x509){ .subject = name,
			      .has_constraints = true,
			      .is_ca = true,
			      .path_len = -1,
			      .key = x509_test_key() };
}

/* Puts algorithm and signature in their places; `sig` holds SIGNATURE_MAX bytes. */
static inline void x509_resign(struct span tbs, struct span *algorithm, struct span *signature,
			       uint8_t *sig)
{
	static const uint8_t p256_sha256[] = { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86,
					       0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	size_t len = SIGNATURE_MAX;

	assert(md &&
	       EVP_DigestSignInit_ex(md, NULL, "SHA256", NULL, NULL, x509_test_key(), NULL) == 1);
	assert(EVP_DigestSign(md, sig, &len, tbs.bytes, tbs.len) == 1);
	EVP_MD_CTX_free(md);
	*algorithm = (struct span){ p256_sha256, sizeof(p256_sha256) };
	*signature = (struct span){ sig, len };
}
