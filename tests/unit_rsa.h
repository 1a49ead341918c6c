/* SPDX-License-Identifier: Apache-2.0 */
/* unit_rsa.h — an RSA key that is none. */
#pragma once

#include "common/crypto/key.h"

#include <openssl/core_names.h>
#include <openssl/params.h>

/* A modulus of 2048 bits that is divisible by 3, and an exponent of so many bits; malloc'ed DER. */
static inline void unsound_rsa(int exponent_bits, uint8_t **der, size_t *len)
{
	uint8_t n[256] = { 1 }, exponent[16] = { 1 }; /* the least byte first */
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	EVP_PKEY *key = NULL;
	struct err e;

	n[255] = 0x80; /* 2^2047 + 1 */
	exponent[(exponent_bits - 1) / 8] |= (uint8_t)(1 << (exponent_bits - 1) % 8);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_N, n, sizeof(n)),
		OSSL_PARAM_construct_BN(OSSL_PKEY_PARAM_RSA_E, exponent, sizeof(exponent)),
		OSSL_PARAM_construct_end(),
	};
	assert_true(ctx && EVP_PKEY_fromdata_init(ctx) == 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	assert_ok(key_to_spki(key, der, len, &e), e);
	EVP_PKEY_free(key);
	EVP_PKEY_CTX_free(ctx);
}
