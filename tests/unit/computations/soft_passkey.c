/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/computations/soft_passkey.h"

#include "common/base/datum.h"
#include "tests/unit.h"

#include <stdio.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

enum { HAS_CREDENTIAL = 0x40 };

void soft_passkey_init(struct soft_passkey *p, int64_t algorithm)
{
	struct err e;

	*p = (struct soft_passkey){ .algorithm = algorithm,
				    .rp = "example.org",
				    .origin = "https://example.org",
				    .id_len = 32,
				    .flags = SOFT_PRESENT | SOFT_VERIFIED };
	if (algorithm == WEBAUTHN_RS256)
		p->key = EVP_RSA_gen(2048);
	else
		assert_ok(key_generate(algorithm == WEBAUTHN_ES256 ? KEY_ECDSA : KEY_ED25519,
				       &p->key, &e),
			  e);
	assert_non_null(p->key);
	assert_ok(random_bytes(p->id, p->id_len, &e), e);
}

void soft_passkey_done(struct soft_passkey *p)
{
	EVP_PKEY_free(p->key);
}

static size_t keep(struct writer *w, uint8_t *out, size_t room)
{
	size_t len = w->len;

	assert_false(w->bad);
	assert_true(len <= room);
	memcpy(out, w->bytes, len);
	writer_done(w);
	return len;
}

static void put_client(struct soft_passkey *p, const char *type)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
	struct writer w = writer_up_to(sizeof(p->client));
	unsigned bits = 0, have = 0;

	writer_printf(&w, "{\"type\":\"%s\",\"challenge\":\"", p->type ? p->type : type);
	for (size_t i = 0; i < sizeof(p->challenge); i++) {
		bits = bits << 8 | p->challenge[i];
		for (have += 8; have >= 6; have -= 6)
			writer_u8(&w, (uint8_t)digits[bits >> (have - 6) & 63]);
	}
	writer_u8(&w, (uint8_t)digits[bits << (6 - have) & 63]);
	writer_printf(&w, "\",\"origin\":\"%s\"%s}", p->origin,
		      p->client_more ? p->client_more : "");
	p->client_len = keep(&w, p->client, sizeof(p->client));
}

static void put_number(struct writer *w, const char *name, const EVP_PKEY *key)
{
	uint8_t bytes[WEBAUTHN_RSA_MAX];
	BIGNUM *n = NULL;
	int len;

	assert_int_equal(EVP_PKEY_get_bn_param(key, name, &n), 1);
	len = BN_num_bytes(n) < 32 && name[0] != 'e' ? 32 : BN_num_bytes(n);
	assert_true(BN_bn2binpad(n, bytes, len) == len);
	datum_put_bytes(w, bytes, (size_t)len);
	BN_free(n);
}

static void put_key(struct writer *w, const struct soft_passkey *p)
{
	uint8_t raw[32];
	size_t len = sizeof(raw);

	datum_put_map(w, p->algorithm == WEBAUTHN_ES256 ? 5 : 4);
	datum_put_int(w, 1);
	datum_put_int(w, p->algorithm == WEBAUTHN_ES256   ? 2
			 : p->algorithm == WEBAUTHN_EDDSA ? 1
							  : 3);
	datum_put_int(w, 3);
	datum_put_int(w, p->algorithm);
	datum_put_int(w, -1);
	if (p->algorithm == WEBAUTHN_RS256) {
		put_number(w, OSSL_PKEY_PARAM_RSA_N, p->key);
		datum_put_int(w, -2);
		put_number(w, OSSL_PKEY_PARAM_RSA_E, p->key);
		return;
	}
	datum_put_int(w, p->algorithm == WEBAUTHN_ES256 ? 1 : 6);
	datum_put_int(w, -2);
	if (p->algorithm == WEBAUTHN_EDDSA) {
		assert_int_equal(EVP_PKEY_get_raw_public_key(p->key, raw, &len), 1);
		datum_put_bytes(w, raw, len);
		return;
	}
	put_number(w, OSSL_PKEY_PARAM_EC_PUB_X, p->key);
	datum_put_int(w, -3);
	put_number(w, OSSL_PKEY_PARAM_EC_PUB_Y, p->key);
}

static void put_data(struct soft_passkey *p, bool with_key)
{
	struct writer w = writer_up_to(sizeof(p->data));
	uint8_t rp[SHA256_LEN];
	struct err e;

	assert_ok(digest(DIGEST_SHA256, p->rp, strlen(p->rp), rp, &e), e);
	writer_bytes(&w, rp, sizeof(rp));
	writer_u8(&w, p->flags | (with_key ? HAS_CREDENTIAL : 0));
	writer_be32(&w, p->count);
	if (with_key) {
		writer_zeros(&w, 16);
		writer_be16(&w, (uint16_t)p->id_len);
		writer_bytes(&w, p->id, p->id_len);
		put_key(&w, p);
	}
	writer_bytes(&w, p->after.bytes, p->after.len);
	p->data_len = keep(&w, p->data, sizeof(p->data));
}

static void sign(struct soft_passkey *p)
{
	uint8_t bytes[sizeof(p->data) + SHA256_LEN];
	struct err e;

	memcpy(bytes, p->data, p->data_len);
	assert_ok(digest(DIGEST_SHA256, p->client, p->client_len, bytes + p->data_len, &e), e);
	assert_ok(key_sign(p->key, p->pss, bytes, p->data_len + SHA256_LEN, p->signature,
			   &p->signature_len, &e),
		  e);
}

void soft_passkey_make(struct soft_passkey *p)
{
	struct writer w = writer_up_to(sizeof(p->object));

	put_client(p, "webauthn.create");
	put_data(p, true);
	sign(p);
	datum_put_map(&w, 3);
	datum_put_text(&w, "fmt");
	datum_put_text(&w, p->format ? p->format : "none");
	datum_put_text(&w, "attStmt");
	if (p->statement.len) {
		writer_bytes(&w, p->statement.bytes, p->statement.len);
	} else if (p->format) {
		datum_put_map(&w, 2);
		datum_put_text(&w, "alg");
		datum_put_int(&w, p->algorithm);
		datum_put_text(&w, "sig");
		datum_put_bytes(&w, p->signature, p->signature_len);
	} else {
		datum_put_map(&w, 0);
	}
	datum_put_text(&w, "authData");
	datum_put_bytes(&w, p->data, p->data_len);
	p->object_len = keep(&w, p->object, sizeof(p->object));
}

void soft_passkey_use(struct soft_passkey *p)
{
	put_client(p, "webauthn.get");
	put_data(p, false);
	sign(p);
}

struct span soft_client(const struct soft_passkey *p)
{
	return (struct span){ p->client, p->client_len };
}

struct span soft_object(const struct soft_passkey *p)
{
	return (struct span){ p->object, p->object_len };
}

struct webauthn_use soft_use(const struct soft_passkey *p)
{
	return (struct webauthn_use){ { p->client, p->client_len },
				      { p->data, p->data_len },
				      { p->signature, p->signature_len } };
}
