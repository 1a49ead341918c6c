/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resign.h — signs again what was edited, with keys that nobody trusts: certificates and revocation
 * lists (what is signed in them without its head, whose length follows), and raw ECDSA.
 */
#pragma once

#include "common/base/der.h"
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "tests/forge/must.h"
#include "tests/fuzz/edits.h"

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

enum { RESIGN_SIGNATURE_MAX = 1024, RESIGN_DER_MAX = 2 * EDITED_ROOM };

/* The head of a DER value. */
static inline void resign_head(struct writer *w, uint8_t tag, size_t len)
{
	writer_u8(w, tag);
	if (len >= 0x10000) {
		writer_u8(w, 0x83);
		writer_be24(w, (uint32_t)len);
	} else if (len >= 0x100) {
		writer_u8(w, 0x82);
		writer_be16(w, (uint16_t)len);
	} else if (len >= 0x80) {
		writer_u8(w, 0x81);
		writer_u8(w, (uint8_t)len);
	} else {
		writer_u8(w, (uint8_t)len);
	}
}

/* What is signed in a certificate or list, to be edited; and the algorithm behind it. */
static inline struct span resign_open(struct span der, struct edited *inside)
{
	struct reader whole = span_reader(der), r = der_enter(&whole, DER_SEQUENCE);
	struct span body = der_body(&r, DER_SEQUENCE), algorithm = der_whole(&r, DER_SEQUENCE);

	MUST(reader_ok(&r));
	edited_take(inside, body.bytes, body.len);
	return algorithm;
}

/* By the algorithms of AMD's and Intel's certificates. */
static inline size_t resign_bytes(EVP_PKEY *key, struct span bytes,
				  uint8_t out[RESIGN_SIGNATURE_MAX])
{
	bool rsa = EVP_PKEY_is_a(key, "RSA");
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;
	size_t len = RESIGN_SIGNATURE_MAX;

	MUST(EVP_DigestSignInit(md, &ctx, rsa ? EVP_sha384() : EVP_sha256(), NULL, key) == 1);
	if (rsa) {
		MUST(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) == 1);
		MUST(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, 48) == 1);
	}
	MUST(EVP_DigestSign(md, out, &len, bytes.bytes, bytes.len) == 1);
	EVP_MD_CTX_free(md);
	return len;
}

/* The certificate or list around it, appended. */
static inline void resign_close(const struct edited *inside, struct span algorithm, EVP_PKEY *key,
				struct writer *out)
{
	struct writer w = writer_up_to(RESIGN_DER_MAX), body = writer_up_to(RESIGN_DER_MAX);
	uint8_t signature[RESIGN_SIGNATURE_MAX];
	size_t len;

	resign_head(&w, DER_SEQUENCE, inside->len);
	writer_bytes(&w, inside->bytes, inside->len);
	len = resign_bytes(key, (struct span){ w.bytes, w.len }, signature);
	writer_bytes(&body, w.bytes, w.len);
	writer_bytes(&body, algorithm.bytes, algorithm.len);
	resign_head(&body, DER_BIT_STRING, 1 + len);
	writer_u8(&body, 0);
	writer_bytes(&body, signature, len);
	resign_head(out, DER_SEQUENCE, body.len);
	writer_bytes(out, body.bytes, body.len);
	MUST(!out->bad);
	writer_done(&w);
	writer_done(&body);
}

/* As PEM, in lines of 64. */
static inline void resign_pem(struct span der, struct writer *w)
{
	static const char begin[] = "-----BEGIN CERTIFICATE-----\n";
	char *text = base64_encode(der.bytes, der.len);

	MUST(text);
	writer_text(w, begin);
	for (size_t i = 0; i < strlen(text); i += 64) {
		writer_bytes(w, text + i, strnlen(text + i, 64));
		writer_u8(w, '\n');
	}
	writer_text(w, "-----END CERTIFICATE-----\n");
	free(text);
}

/* ECDSA as r and s of `part` bytes each, big-endian. */
static inline void resign_raw(EVP_PKEY *key, const EVP_MD *hash, struct span bytes, int part,
			      uint8_t *out)
{
	uint8_t der[RESIGN_SIGNATURE_MAX];
	const uint8_t *at = der;
	size_t len = sizeof(der);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	ECDSA_SIG *sig;

	MUST(EVP_DigestSignInit(md, NULL, hash, NULL, key) == 1);
	MUST(EVP_DigestSign(md, der, &len, bytes.bytes, bytes.len) == 1);
	sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	MUST(sig);
	MUST(BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, part) == part);
	MUST(BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + part, part) == part);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(md);
}
