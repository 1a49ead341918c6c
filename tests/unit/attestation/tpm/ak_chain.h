/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ak_chain.h — an attestation key's certificate, which says that it is one's, an intermediate and a root, all of
 * P-256 and valid a year before and after FORGE_AT.
 */
#pragma once

#include "common/base/span.h"
#include "tests/forge/must.h"
#include "tests/unit/attestation/snp/forge.h"

#include <openssl/pem.h>

enum { AK_CHAIN_LEAF, AK_CHAIN_CA, AK_CHAIN_ROOT, AK_CHAIN_LEN };

struct ak_chain {
	EVP_PKEY *keys[AK_CHAIN_LEN];
	uint8_t der[AK_CHAIN_LEN][FORGE_CERT_MAX];
	size_t len[AK_CHAIN_LEN];
};

static inline void ak_chain_make(struct ak_chain *c)
{
	static const char *const names[] = { "AK", "Maker's CA", "Maker's root" };
	static const uint8_t purpose[] = { 0x30, 0x07, 0x06, 0x05, 0x67, 0x81, 0x05, 0x08, 0x03 };

	for (size_t i = 0; i < AK_CHAIN_LEN; i++)
		MUST(c->keys[i] = EVP_EC_gen("P-256"));
	for (size_t i = 0; i < AK_CHAIN_LEN; i++) {
		const size_t above = i < AK_CHAIN_ROOT ? i + 1 : i;
		struct forge_cert want = {
			.subject = names[i],
			.issuer = names[above],
			.key = c->keys[i],
			.issuer_key = c->keys[above],
			.algorithm = FORGE_ECDSA,
			.serial = 7,
			.not_before = FORGE_AT - INT64_C(365) * 86400,
			.not_after = FORGE_AT + INT64_C(365) * 86400,
			.constraints = i ? "critical,CA:TRUE" : "critical,CA:FALSE",
			.usage = i ? "critical,keyCertSign" : "critical,digitalSignature"
		};

		if (i == AK_CHAIN_LEAF)
			forge_add(&want, "2.5.29.37", purpose, sizeof(purpose));
		c->len[i] = forge_make(&want, c->der[i]);
	}
}

static inline struct span ak_chain_der(const struct ak_chain *c, size_t i)
{
	return (struct span){ c->der[i], c->len[i] };
}

/* `count` of them from the `first` on, in PEM; malloc'ed. */
static inline char *ak_chain_pem(const struct ak_chain *c, size_t first, size_t count)
{
	BIO *bio = BIO_new(BIO_s_mem());
	const char *text;
	char *copy;

	MUST(bio);
	for (size_t i = first; i < first + count; i++)
		MUST(PEM_write_bio(bio, "CERTIFICATE", "", c->der[i], (long)c->len[i]) > 0);
	const long len = BIO_get_mem_data(bio, &text);

	MUST(copy = strndup(text, (size_t)len));
	BIO_free(bio);
	return copy;
}

static inline void ak_chain_done(struct ak_chain *c)
{
	for (size_t i = 0; i < AK_CHAIN_LEN; i++)
		EVP_PKEY_free(c->keys[i]);
}
