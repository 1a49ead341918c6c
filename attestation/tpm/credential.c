/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tpm/credential.h"

#include "common/base/writer.h"

#include <string.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

DEFINE_CLEANUP(EVP_CIPHER_CTX *, EVP_CIPHER_CTX_free)
DEFINE_CLEANUP(BIGNUM *, BN_free)

enum { POINT_MAX = 48, KDF_INPUT_MAX = 256 };

/* TCG EK Credential Profile 2.6, annex B: templates L-1, L-2, H-1 to H-3, H-6, H-7. */
static const struct profile {
	int type, bits;
	enum digest_kind hash;
	size_t aes_len;
} profiles[] = {
	{ EVP_PKEY_RSA, 2048, DIGEST_SHA256, 16 }, { EVP_PKEY_RSA, 3072, DIGEST_SHA384, 32 },
	{ EVP_PKEY_RSA, 4096, DIGEST_SHA384, 32 }, { EVP_PKEY_EC, 256, DIGEST_SHA256, 16 },
	{ EVP_PKEY_EC, 384, DIGEST_SHA384, 32 },
};

static const struct profile *profile_of(const EVP_PKEY *ek, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(profiles); i++)
		if (EVP_PKEY_get_base_id(ek) == profiles[i].type &&
		    EVP_PKEY_get_bits(ek) == profiles[i].bits)
			return &profiles[i];
	err_set(e, ERR_INVALID, "EK of %d bits: RSA 2048, 3072, 4096, P-256 or P-384 is wanted",
		EVP_PKEY_get_bits(ek));
	return NULL;
}

/* KDFa (part 1, 11.4.10.2) for at most one round of the hash. */
static int kdf_a(const struct profile *p, const uint8_t *seed, const char *label,
		 struct span context, size_t len, uint8_t *out, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(KDF_INPUT_MAX);
	uint8_t block[DIGEST_MAX];

	writer_be32(&w, 1);
	writer_bytes(&w, label, strlen(label) + 1);
	writer_bytes(&w, context.bytes, context.len);
	writer_be32(&w, (uint32_t)len * 8);
	if (writer_check(&w, "KDFa", e) < 0 ||
	    hmac(p->hash, seed, digest_len(p->hash), w.bytes, w.len, block, e) < 0)
		return err_code(e);
	memcpy(out, block, len);
	explicit_bzero(block, sizeof(block));
	return 0;
}

/* ---- the seed, encrypted to the EK ---- */

static int rsa_seed(const struct profile *p, EVP_PKEY *ek, uint8_t *seed, struct credential *c,
		    struct err *e)
{
	/* The label's final zero is part of it (part 1, B.10.4). OpenSSL frees the copy. */
	static const char label[] = "IDENTITY";
	CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ek, NULL);
	const EVP_MD *md = p->hash == DIGEST_SHA256 ? EVP_sha256() : EVP_sha384();
	void *copy = OPENSSL_memdup(label, sizeof(label));

	c->encrypted_len = sizeof(c->encrypted);
	if (!ctx || !copy || EVP_PKEY_encrypt_init(ctx) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) <= 0 ||
	    EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, copy, sizeof(label)) <= 0) {
		OPENSSL_free(copy);
		return err_openssl(e, ERR_INTERNAL, "credential: RSA-OAEP");
	}
	if (random_bytes(seed, digest_len(p->hash), e) < 0)
		return err_code(e);
	if (EVP_PKEY_encrypt(ctx, c->encrypted, &c->encrypted_len, seed, digest_len(p->hash)) <= 0)
		return err_openssl(e, ERR_INTERNAL, "credential: RSA-OAEP");
	return 0;
}

static int coordinate(const EVP_PKEY *key, const char *name, size_t len, uint8_t *out,
		      struct err *e)
{
	CLEANUP(BN_free) BIGNUM *n = NULL;

	if (!EVP_PKEY_get_bn_param(key, name, &n) || BN_bn2binpad(n, out, (int)len) < 0)
		return err_openssl(e, ERR_INTERNAL, "credential: a point");
	return 0;
}

static int ephemeral_new(EVP_PKEY *ek, EVP_PKEY **key, struct err *e)
{
	CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ek, NULL);

	if (!ctx || EVP_PKEY_keygen_init(ctx) <= 0 || EVP_PKEY_keygen(ctx, key) <= 0)
		return err_openssl(e, ERR_INTERNAL, "credential: a key beside the EK");
	return 0;
}

static int shared(EVP_PKEY *ephemeral, EVP_PKEY *ek, uint8_t z[POINT_MAX], size_t len,
		  struct err *e)
{
	CLEANUP(EVP_PKEY_CTX_free) EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ephemeral, NULL);
	size_t got = POINT_MAX;

	if (!ctx || EVP_PKEY_derive_init(ctx) <= 0 || EVP_PKEY_derive_set_peer(ctx, ek) <= 0 ||
	    EVP_PKEY_derive(ctx, z, &got) <= 0 || got != len)
		return err_openssl(e, ERR_INTERNAL, "credential: ECDH with the EK");
	return 0;
}

/* One-pass ECDH and KDFe (part 1, C.6.1 and 11.4.10.3), for one round of the hash. */
static int ecc_seed(const struct profile *p, EVP_PKEY *ek, uint8_t *seed, struct credential *c,
		    struct err *e)
{
	static const uint8_t counter[] = { 0, 0, 0, 1 };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *ephemeral = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(sizeof(c->encrypted));
	uint8_t z[POINT_MAX], x[POINT_MAX], y[POINT_MAX], ek_x[POINT_MAX];
	size_t len = (size_t)p->bits / 8;
	const struct digest_part parts[] = { { counter, sizeof(counter) },
					     { z, len },
					     { "IDENTITY", sizeof("IDENTITY") },
					     { x, len },
					     { ek_x, len } };

	if (ephemeral_new(ek, &ephemeral, e) < 0 || shared(ephemeral, ek, z, len, e) < 0 ||
	    coordinate(ephemeral, OSSL_PKEY_PARAM_EC_PUB_X, len, x, e) < 0 ||
	    coordinate(ephemeral, OSSL_PKEY_PARAM_EC_PUB_Y, len, y, e) < 0 ||
	    coordinate(ek, OSSL_PKEY_PARAM_EC_PUB_X, len, ek_x, e) < 0 ||
	    digest_parts(p->hash, parts, ARRAY_LEN(parts), seed, e) < 0)
		return err_code(e);
	explicit_bzero(z, sizeof(z));
	writer_be16(&w, (uint16_t)len);
	writer_bytes(&w, x, len);
	writer_be16(&w, (uint16_t)len);
	writer_bytes(&w, y, len);
	if (writer_check(&w, "credential", e) < 0)
		return err_code(e);
	memcpy(c->encrypted, w.bytes, w.len);
	c->encrypted_len = w.len;
	return 0;
}

/* ---- the secret under the seed ---- */

static int encrypt(const uint8_t *key, size_t key_len, uint8_t *bytes, size_t len, struct err *e)
{
	static const uint8_t iv[16];
	CLEANUP(EVP_CIPHER_CTX_free) EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	const EVP_CIPHER *cipher = key_len == 16 ? EVP_aes_128_cfb128() : EVP_aes_256_cfb128();
	int out = 0;

	if (!ctx || !EVP_EncryptInit_ex(ctx, cipher, NULL, key, iv) ||
	    !EVP_EncryptUpdate(ctx, bytes, &out, bytes, (int)len) || (size_t)out != len)
		return err_openssl(e, ERR_INTERNAL, "credential: AES-CFB");
	return 0;
}

/* TPMS_ID_OBJECT: the HMAC with its size, and TPM2B(secret) encrypted as a whole (part 1, 24.4). */
static int protect(const struct profile *p, const uint8_t *seed, struct credential *c,
		   struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(sizeof(c->blob));
	uint8_t key[DIGEST_MAX], outer[DIGEST_MAX], inner[2 + CREDENTIAL_SECRET_LEN],
		covered[sizeof(inner) + TPM_NAME_MAX];
	size_t hash_len = digest_len(p->hash);
	int failed;

	inner[0] = 0;
	inner[1] = CREDENTIAL_SECRET_LEN;
	memcpy(inner + 2, c->secret, CREDENTIAL_SECRET_LEN);
	failed = kdf_a(p, seed, "STORAGE", (struct span){ c->ak_name, c->ak_name_len }, p->aes_len,
		       key, e);
	if (failed == 0)
		failed = encrypt(key, p->aes_len, inner, sizeof(inner), e);
	memcpy(covered, inner, sizeof(inner));
	memcpy(covered + sizeof(inner), c->ak_name, c->ak_name_len);
	if (failed == 0)
		failed = kdf_a(p, seed, "INTEGRITY", (struct span){ NULL, 0 }, hash_len, key, e);
	if (failed == 0)
		failed = hmac(p->hash, key, hash_len, covered, sizeof(inner) + c->ak_name_len,
			      outer, e);
	explicit_bzero(key, sizeof(key));
	if (failed < 0)
		return failed;
	writer_be16(&w, (uint16_t)hash_len);
	writer_bytes(&w, outer, hash_len);
	writer_bytes(&w, inner, sizeof(inner));
	if (writer_check(&w, "credential", e) < 0)
		return err_code(e);
	memcpy(c->blob, w.bytes, w.len);
	c->blob_len = w.len;
	return 0;
}

static int name_of(struct span ak, uint8_t name[TPM_NAME_MAX], size_t *len, struct err *e)
{
	struct tpm_public pub;

	if (tpm_public_parse(ak, &pub, e) < 0 || tpm_public_name(&pub, name, len, e) < 0)
		return err_wrap(e, "the AK");
	return 0;
}

static int ek_digest(const EVP_PKEY *ek, uint8_t out[SHA256_LEN], struct err *e)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;

	if (key_to_spki(ek, &spki, &len, e) < 0)
		return err_code(e);
	return digest(DIGEST_SHA256, spki, len, out, e);
}

int credential_make(EVP_PKEY *ek, struct span ak, struct credential *c, struct err *e)
{
	const struct profile *p = profile_of(ek, e);
	uint8_t seed[DIGEST_MAX];
	int failed;

	memset(c, 0, sizeof(*c));
	if (!p || name_of(ak, c->ak_name, &c->ak_name_len, e) < 0 || ek_digest(ek, c->ek, e) < 0 ||
	    random_bytes(c->secret, sizeof(c->secret), e) < 0)
		return err_code(e);
	failed =
		p->type == EVP_PKEY_RSA ? rsa_seed(p, ek, seed, c, e) : ecc_seed(p, ek, seed, c, e);
	if (failed == 0)
		failed = protect(p, seed, c, e);
	explicit_bzero(seed, sizeof(seed));
	return failed;
}

int credential_answer(struct credential *c, const void *bytes, size_t len, struct err *e)
{
	if (len != CREDENTIAL_SECRET_LEN)
		return err_set(e, ERR_INVALID, "the TPM's answer has %zu bytes; the secret %d", len,
			       CREDENTIAL_SECRET_LEN);
	memcpy(c->answer, bytes, len);
	c->answered = true;
	return 0;
}

int credential_check(const struct credential *c, const EVP_PKEY *ek, struct span ak, struct err *e)
{
	uint8_t ek_is[SHA256_LEN], name[TPM_NAME_MAX];
	size_t len;

	if (ek_digest(ek, ek_is, e) < 0 || name_of(ak, name, &len, e) < 0)
		return err_code(e);
	if (memcmp(ek_is, c->ek, sizeof(ek_is)) != 0)
		return err_set(e, ERR_DENIED, "the credential was made for another EK");
	if (!len || len != c->ak_name_len || memcmp(name, c->ak_name, len) != 0)
		return err_set(e, ERR_DENIED, "the credential was made for another AK");
	if (!c->answered || !bytes_equal(c->answer, c->secret, sizeof(c->secret)))
		return err_set(e, ERR_DENIED,
			       c->answered ? "the TPM returned another secret"
					   : "no TPM has answered");
	return 0;
}
