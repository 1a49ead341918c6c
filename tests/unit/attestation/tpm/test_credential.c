/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential activation: the secret comes back from whoever has the EK's private half, tied to that
 * AK. The TPM's side is played here by OpenSSL's own KBKDF and SSKDF; that a real TPM opens the same
 * blobs, tests/integration/credential_swtpm.py shows.
 */
#include "attestation/tpm/credential.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"

#include <openssl/core_names.h>
#include <openssl/kdf.h>
#include <openssl/rsa.h>

static struct forge_tpm forge, other;
static struct forge_tpm_parts parts, other_parts;
static EVP_PKEY *rsa, *p256, *p384;

static int setup(void **state)
{
	tpm_forge_init(&forge);
	tpm_forge_init(&other);
	tpm_forge_parts(&forge, &parts);
	tpm_forge_parts(&other, &other_parts);
	rsa = EVP_RSA_gen(2048);
	p256 = EVP_EC_gen("P-256");
	p384 = EVP_EC_gen("P-384");
	assert_non_null(rsa);
	assert_non_null(p256);
	assert_non_null(p384);
	return 0;
}

static int teardown(void **state)
{
	EVP_PKEY_free(rsa);
	EVP_PKEY_free(p256);
	EVP_PKEY_free(p384);
	tpm_forge_parts_done(&parts);
	tpm_forge_parts_done(&other_parts);
	tpm_forge_done(&forge);
	tpm_forge_done(&other);
	return 0;
}

/* SP 800-108 in counter mode is what KDFa is. */
static void kbkdf(const char *hash, const uint8_t *seed, size_t seed_len, const char *label,
		  const uint8_t *context, size_t context_len, uint8_t *out, size_t len)
{
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "KBKDF", NULL);
	EVP_KDF_CTX *ctx = EVP_KDF_CTX_new(kdf);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_MAC, (char *)(uintptr_t)"HMAC", 0),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)hash, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)(uintptr_t)seed,
						  seed_len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SALT, (void *)(uintptr_t)label,
						  strlen(label)),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)(uintptr_t)context,
						  context_len),
		OSSL_PARAM_construct_end(),
	};

	assert_int_equal(EVP_KDF_derive(ctx, out, len, params), 1);
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
}

static void rsa_open(const struct credential *c, uint8_t seed[DIGEST_MAX])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(rsa, NULL);
	size_t len = 512;
	uint8_t out[512];

	assert_int_equal(EVP_PKEY_decrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()), 1);
	assert_int_equal(EVP_PKEY_CTX_set0_rsa_oaep_label(ctx, OPENSSL_memdup("IDENTITY", 9), 9),
			 1);
	assert_int_equal(EVP_PKEY_decrypt(ctx, out, &len, c->encrypted, c->encrypted_len), 1);
	assert_int_equal(len, 32);
	memcpy(seed, out, len);
	EVP_PKEY_CTX_free(ctx);
}

static EVP_PKEY *point_key(const char *curve, const uint8_t *xy, size_t len)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	uint8_t point[1 + 96] = { 4 };
	EVP_PKEY *key = NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME,
						 (char *)(uintptr_t)curve, 0),
		OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, point, 1 + 2 * len),
		OSSL_PARAM_construct_end(),
	};

	memcpy(point + 1, xy + 2, len);
	memcpy(point + 1 + len, xy + 4 + len, len);
	assert_int_equal(EVP_PKEY_fromdata_init(ctx), 1);
	assert_int_equal(EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params), 1);
	EVP_PKEY_CTX_free(ctx);
	return key;
}

/* SP 800-56C's one-step KDF is what KDFe is. */
static void ecc_open(EVP_PKEY *ek, const char *curve, const char *hash, size_t len,
		     const struct credential *c, uint8_t *seed, size_t seed_len)
{
	EVP_PKEY *peer = point_key(curve, c->encrypted, len);
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(ek, NULL);
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
	EVP_KDF_CTX *kdf_ctx = EVP_KDF_CTX_new(kdf);
	uint8_t z[48], info[9 + 96];
	size_t z_len = sizeof(z);
	BIGNUM *x = NULL;

	assert_int_equal(c->encrypted_len, 4 + 2 * len);
	assert_int_equal(EVP_PKEY_derive_init(ctx), 1);
	assert_int_equal(EVP_PKEY_derive_set_peer(ctx, peer), 1);
	assert_int_equal(EVP_PKEY_derive(ctx, z, &z_len), 1);
	memcpy(info, "IDENTITY", 9);
	memcpy(info + 9, c->encrypted + 2, len);
	assert_int_equal(EVP_PKEY_get_bn_param(ek, OSSL_PKEY_PARAM_EC_PUB_X, &x), 1);
	assert_true(BN_bn2binpad(x, info + 9 + len, (int)len) > 0);
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)(uintptr_t)hash, 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, z, z_len),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info, 9 + 2 * len),
		OSSL_PARAM_construct_end(),
	};
	assert_int_equal(EVP_KDF_derive(kdf_ctx, seed, seed_len, params), 1);
	BN_free(x);
	EVP_KDF_CTX_free(kdf_ctx);
	EVP_KDF_free(kdf);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(peer);
}

/* What TPM2_ActivateCredential does with the seed; the secret into `out`. */
static void open_blob(const struct credential *c, const char *hash, size_t hash_len,
		      const EVP_CIPHER *cipher, const uint8_t *seed, uint8_t out[32])
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	static const uint8_t iv[16];
	uint8_t key[64], mac[64], covered[34 + TPM_NAME_MAX], plain[34];
	size_t mac_len;
	int len;

	assert_int_equal(c->blob_len, 2 + hash_len + 34);
	assert_int_equal(c->blob[1], hash_len);
	kbkdf(hash, seed, hash_len, "INTEGRITY", (const uint8_t *)"", 0, key, hash_len);
	memcpy(covered, c->blob + 2 + hash_len, 34);
	memcpy(covered + 34, c->ak_name, c->ak_name_len);
	assert_non_null(EVP_Q_mac(NULL, "HMAC", NULL, hash, NULL, key, hash_len, covered,
				  34 + c->ak_name_len, mac, sizeof(mac), &mac_len));
	assert_memory_equal(mac, c->blob + 2, hash_len);
	kbkdf(hash, seed, hash_len, "STORAGE", c->ak_name, c->ak_name_len, key,
	      (size_t)EVP_CIPHER_get_key_length(cipher));
	assert_int_equal(EVP_DecryptInit_ex(ctx, cipher, NULL, key, iv), 1);
	assert_int_equal(EVP_DecryptUpdate(ctx, plain, &len, c->blob + 2 + hash_len, 34), 1);
	assert_int_equal(plain[0] << 8 | plain[1], 32);
	memcpy(out, plain + 2, 32);
	EVP_CIPHER_CTX_free(ctx);
}

static void each_kind_of_ek_opens_its_credential(void **state)
{
	struct credential c;
	uint8_t seed[DIGEST_MAX], out[32];
	struct err e;

	assert_ok(credential_make(rsa, tpm_forge_span(&parts.ak_public), &c, &e), e);
	rsa_open(&c, seed);
	open_blob(&c, "SHA256", 32, EVP_aes_128_cfb128(), seed, out);
	assert_memory_equal(out, c.secret, 32);
	assert_ok(credential_make(p256, tpm_forge_span(&parts.ak_public), &c, &e), e);
	ecc_open(p256, "P-256", "SHA256", 32, &c, seed, 32);
	open_blob(&c, "SHA256", 32, EVP_aes_128_cfb128(), seed, out);
	assert_memory_equal(out, c.secret, 32);
	assert_ok(credential_make(p384, tpm_forge_span(&parts.ak_public), &c, &e), e);
	ecc_open(p384, "P-384", "SHA384", 48, &c, seed, 48);
	open_blob(&c, "SHA384", 48, EVP_aes_256_cfb128(), seed, out);
	assert_memory_equal(out, c.secret, 32);
}

static void only_the_secret_for_this_ek_and_ak_counts(void **state)
{
	struct span ak = tpm_forge_span(&parts.ak_public),
		    wrong = tpm_forge_span(&other_parts.ak_public);
	struct credential c;
	struct err e;

	assert_ok(credential_make(rsa, ak, &c, &e), e);
	assert_refused(credential_check(&c, rsa, ak, &e), e, ERR_DENIED, "no TPM has answered");
	assert_refused(credential_answer(&c, c.secret, 31, &e), e, ERR_INVALID, "31 bytes");
	assert_refused(credential_answer(&c, "", 0, &e), e, ERR_INVALID, "0 bytes");
	assert_refused(credential_check(&c, rsa, ak, &e), e, ERR_DENIED, "no TPM has answered");
	assert_ok(credential_answer(&c, c.secret, 32, &e), e);
	assert_ok(credential_check(&c, rsa, ak, &e), e);
	assert_refused(credential_check(&c, p256, ak, &e), e, ERR_DENIED, "another EK");
	assert_refused(credential_check(&c, rsa, wrong, &e), e, ERR_DENIED, "another AK");
	for (size_t i = 0; i < CREDENTIAL_SECRET_LEN; i++) {
		c.answer[i] ^= 1;
		assert_refused(credential_check(&c, rsa, ak, &e), e, ERR_DENIED, "another secret");
		c.answer[i] ^= 1;
	}
	assert_ok(credential_check(&c, rsa, ak, &e), e);
}

static void two_credentials_have_nothing_in_common(void **state)
{
	struct credential a, b;
	struct err e;

	assert_ok(credential_make(p256, tpm_forge_span(&parts.ak_public), &a, &e), e);
	assert_ok(credential_make(p256, tpm_forge_span(&parts.ak_public), &b, &e), e);
	assert_memory_not_equal(a.secret, b.secret, 32);
	assert_memory_not_equal(a.encrypted, b.encrypted, a.encrypted_len);
	assert_memory_not_equal(a.blob + 2, b.blob + 2, 32);
}

static void an_ek_without_a_known_template_is_refused(void **state)
{
	EVP_PKEY *p521 = EVP_EC_gen("P-521");
	EVP_PKEY *small = EVP_RSA_gen(1024);
	struct credential c;
	struct err e;

	assert_refused(credential_make(p521, tpm_forge_span(&parts.ak_public), &c, &e), e,
		       ERR_INVALID, "521 bits");
	assert_refused(credential_make(small, tpm_forge_span(&parts.ak_public), &c, &e), e,
		       ERR_INVALID, "1024 bits");
	assert_refused(credential_make(rsa, (struct span){ (const uint8_t *)"x", 1 }, &c, &e), e,
		       ERR_INVALID, "the AK");
	EVP_PKEY_free(p521);
	EVP_PKEY_free(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_kind_of_ek_opens_its_credential),
		cmocka_unit_test(only_the_secret_for_this_ek_and_ak_counts),
		cmocka_unit_test(two_credentials_have_nothing_in_common),
		cmocka_unit_test(an_ek_without_a_known_template_is_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
