/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jws_sign.h — a provider's side of jws.h: keys of its algorithms, others in each process, as a JWK Set, and tokens that
 * they sign. Written after RFC 7515, 7518 and 8037, apart from computations/oidc.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "computations/oidc/jws.h"

#include <assert.h>
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

static EVP_PKEY *jws_sign_keys[JWS_ALGORITHMS];

static inline void jws_put64(struct writer *w, const void *bytes, size_t len)
{
	CLEANUP(free) char *text = base64_encode(bytes, len);

	assert(text);
	for (const char *c = text; *c && *c != '='; c++)
		writer_u8(w, (uint8_t)(*c == '+' ? '-' : *c == '/' ? '_' : *c));
}

static inline EVP_PKEY *jws_sign_key(enum jws_algorithm a)
{
	EVP_PKEY **key = &jws_sign_keys[a];

	if (!*key)
		*key = a == JWS_ES256   ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
		       : a == JWS_EDDSA ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
					: EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	assert(*key);
	return *key;
}

static inline void jws_put_bn(struct writer *w, EVP_PKEY *key, const char *name, int len)
{
	uint8_t bytes[512];
	BIGNUM *n = NULL;

	assert(EVP_PKEY_get_bn_param(key, name, &n) == 1 && BN_bn2binpad(n, bytes, len) == len);
	jws_put64(w, bytes, (size_t)len);
	BN_free(n);
}

/* {"kid":"RS256","kty":…}: its kid is its algorithm's name. */
static inline void jws_put_key(struct writer *w, enum jws_algorithm a)
{
	EVP_PKEY *key = jws_sign_key(a);
	uint8_t raw[32];
	size_t len = sizeof(raw);

	writer_printf(w, "{\"kid\":\"%s\",", jws_algorithm_name(a));
	if (a == JWS_ES256) {
		writer_text(w, "\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"");
		jws_put_bn(w, key, OSSL_PKEY_PARAM_EC_PUB_X, 32);
		writer_text(w, "\",\"y\":\"");
		jws_put_bn(w, key, OSSL_PKEY_PARAM_EC_PUB_Y, 32);
	} else if (a == JWS_EDDSA) {
		assert(EVP_PKEY_get_raw_public_key(key, raw, &len) == 1);
		writer_text(w, "\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
		jws_put64(w, raw, len);
	} else {
		writer_text(w, "\"kty\":\"RSA\",\"e\":\"AQAB\",\"n\":\"");
		jws_put_bn(w, key, OSSL_PKEY_PARAM_RSA_N, 256);
	}
	writer_text(w, "\"}");
}

/* All of them. */
static inline void jws_put_set(struct writer *w)
{
	writer_text(w, "{\"keys\":[");
	for (int a = 0; a < JWS_ALGORITHMS; a++) {
		writer_text(w, a ? "," : "");
		jws_put_key(w, (enum jws_algorithm)a);
	}
	writer_text(w, "]}");
}

static inline void jws_sign_raw(uint8_t *sig, size_t *len)
{
	const unsigned char *der = sig;
	ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)*len);
	uint8_t raw[64];

	assert(pair && BN_bn2binpad(ECDSA_SIG_get0_r(pair), raw, 32) == 32 &&
	       BN_bn2binpad(ECDSA_SIG_get0_s(pair), raw + 32, 32) == 32);
	ECDSA_SIG_free(pair);
	*len = sizeof(raw);
	memcpy(sig, raw, sizeof(raw));
}

/* header.payload.signature, whatever the header says. */
static inline void jws_put_token(struct writer *w, enum jws_algorithm a, const char *header,
				 const void *payload, size_t payload_len)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	uint8_t sig[JWS_SIGNATURE_MAX];
	size_t len = sizeof(sig), start = w->len;
	EVP_PKEY_CTX *ctx = NULL;

	jws_put64(w, header, strlen(header));
	writer_text(w, ".");
	jws_put64(w, payload, payload_len);
	assert(!w->bad);
	assert(EVP_DigestSignInit(md, &ctx, a == JWS_EDDSA ? NULL : EVP_sha256(), NULL,
				  jws_sign_key(a)) == 1);
	if (a == JWS_PS256)
		assert(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1 &&
		       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) == 1);
	assert(EVP_DigestSign(md, sig, &len, w->bytes + start, w->len - start) == 1);
	EVP_MD_CTX_free(md);
	if (a == JWS_ES256)
		jws_sign_raw(sig, &len);
	writer_text(w, ".");
	jws_put64(w, sig, len);
	writer_u8(w, 0);
	w->len--;
	assert(!w->bad);
}

static inline void jws_sign_done(void)
{
	for (int a = 0; a < JWS_ALGORITHMS; a++) {
		EVP_PKEY_free(jws_sign_keys[a]);
		jws_sign_keys[a] = NULL;
	}
}
