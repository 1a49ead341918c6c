/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/key.h"
#include "tests/unit.h"
#include "tests/unit_rsa.h"

#include <openssl/ec.h>
#include <openssl/pem.h>

static void every_kind_signs_and_verifies(void **state)
{
	static const enum key_kind kinds[] = { KEY_RSA, KEY_ECDSA, KEY_ED25519 };

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
		CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
		CLEANUP(free) uint8_t *der = NULL;
		uint8_t sig[SIGNATURE_MAX];
		size_t len, sig_len;
		struct err e;

		assert_ok(key_generate(kinds[i], &key, &e), e);
		assert_ok(key_to_spki(key, &der, &len, &e), e);
		assert_ok(key_from_spki(der, len, &public, &e), e);
		assert_int_equal(key_kind_of(public), kinds[i]);
		for (int pss = 0; pss < 2; pss++) {
			assert_ok(key_sign(key, pss, "text", 4, sig, &sig_len, &e), e);
			assert_ok(key_verify(public, "text", 4, sig, sig_len, &e), e);
			assert_int_equal(key_verify(public, "tex", 3, sig, sig_len, &e),
					 -ERR_DENIED);
			assert_int_equal(key_verify(public, "text", 4, sig, sig_len - 1, &e),
					 -ERR_DENIED);
			assert_int_equal(key_verify(public, "text", 4, sig, 0, &e), -ERR_DENIED);
			sig[sig_len / 2] ^= 1;
			assert_int_equal(key_verify(public, "text", 4, sig, sig_len, &e),
					 -ERR_DENIED);
		}
	}
}

static void spki_has_no_bytes_too_few_or_too_many(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *der = NULL;
	EVP_PKEY *read;
	uint8_t longer[SPKI_MAX];
	size_t len;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	assert_ok(key_to_spki(key, &der, &len, &e), e);
	for (size_t n = 0; n < len; n++)
		assert_int_equal(key_from_spki(der, n, &read, &e), -ERR_INVALID);
	memset(longer, 0, sizeof(longer));
	memcpy(longer, der, len);
	assert_int_equal(key_from_spki(longer, len + 1, &read, &e), -ERR_INVALID);
}

static void weak_and_strange_keys_are_refused(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *weak = EVP_RSA_gen(1024);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *strange = EVP_EC_gen("secp256k1");
	EVP_PKEY *const keys[] = { weak, strange };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		CLEANUP(free) uint8_t *der = NULL;
		EVP_PKEY *read;
		size_t len;

		assert_ok(key_to_spki(keys[i], &der, &len, &e), e);
		assert_int_equal(key_from_spki(der, len, &read, &e), -ERR_INVALID);
	}
}

/* Whoever names a key makes nobody test its numbers for primes: that is asked for apart. */
static void parsing_alone_asks_not_whether_a_key_is_sound(void **state)
{
	CLEANUP(free) uint8_t *der = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *read = NULL;
	EVP_PKEY *none;
	size_t len;
	struct err e;

	unsound_rsa(17, &der, &len);
	assert_refused(key_from_spki(der, len, &none, &e), e, ERR_INVALID, "not a sound one");
	assert_ok(key_parse_spki(der, len, &read, &e), e);
	assert_int_equal(key_verify(read, "text", 4, der, 256, &e), -ERR_DENIED);
	assert_int_equal(key_parse_spki(der, len - 1, &none, &e), -ERR_INVALID);
}

static void nor_does_the_parsing_of_pem(void **state)
{
	CLEANUP(free) uint8_t *der = NULL;
	CLEANUP(free) char *pem = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *read = NULL, *again = NULL;
	EVP_PKEY *none;
	size_t len;
	struct err e;

	unsound_rsa(17, &der, &len);
	assert_ok(key_parse_spki(der, len, &read, &e), e);
	assert_ok(key_to_public_pem(read, &pem, &e), e);
	assert_refused(key_from_public_pem(pem, strlen(pem), &none, &e), e, ERR_INVALID,
		       "not a sound one");
	assert_ok(key_parse_public_pem(pem, strlen(pem), &again, &e), e);
	assert_int_equal(EVP_PKEY_eq(read, again), 1);
	assert_int_equal(key_parse_public_pem(pem, strlen(pem) / 2, &none, &e), -ERR_INVALID);
}

/* What a verification costs grows with the exponent. */
static void an_exponent_has_a_limit(void **state)
{
	for (int bits = 64; bits <= 65; bits++) {
		CLEANUP(free) uint8_t *der = NULL;
		CLEANUP(EVP_PKEY_free) EVP_PKEY *read = NULL;
		size_t len;
		struct err e;

		unsound_rsa(bits, &der, &len);
		if (bits == 64)
			assert_ok(key_parse_spki(der, len, &read, &e), e);
		else
			assert_refused(key_parse_spki(der, len, &read, &e), e, ERR_INVALID,
				       "an exponent of 65 bits; the limit is 64");
	}
}

static int passphrase(char *out, int max, void *data)
{
	memcpy(out, data, strlen(data));
	return (int)strlen(data);
}

static void an_encrypted_key_wants_its_passphrase(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *read = NULL;
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	char right[] = "open", wrong[] = "shut", *pem;
	struct err e;

	assert_ok(key_generate(KEY_ED25519, &key, &e), e);
	assert_int_equal(
		PEM_write_bio_PKCS8PrivateKey(bio, key, EVP_aes_256_cbc(), right, 4, NULL, NULL),
		1);
	size_t len = (size_t)BIO_get_mem_data(bio, &pem);
	assert_int_equal(key_from_private_pem(pem, len, NULL, NULL, &read, &e), -ERR_INVALID);
	assert_int_equal(key_from_private_pem(pem, len, passphrase, wrong, &read, &e),
			 -ERR_INVALID);
	assert_ok(key_from_private_pem(pem, len, passphrase, right, &read, &e), e);
}

static void pem_texts_read_back(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *public = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *private = NULL;
	CLEANUP(free) char *public_pem = NULL;
	CLEANUP(free) char *private_pem = NULL;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	assert_ok(key_to_public_pem(key, &public_pem, &e), e);
	assert_ok(key_to_private_pem(key, &private_pem, &e), e);
	assert_non_null(strstr(private_pem, "-----BEGIN PRIVATE KEY-----"));
	assert_ok(key_from_public_pem(public_pem, strlen(public_pem), &public, &e), e);
	assert_ok(key_from_private_pem(private_pem, strlen(private_pem), NULL, NULL, &private, &e),
		  e);
	assert_int_equal(EVP_PKEY_eq(public, private), 1);
}

static void two_public_keys_are_none(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL, *read = NULL;
	CLEANUP(free) char *pem = NULL, *twice = NULL;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	assert_ok(key_to_public_pem(key, &pem, &e), e);
	assert_true(asprintf(&twice, "%s%s", pem, pem) > 0);
	assert_refused(key_from_public_pem(twice, strlen(twice), &read, &e), e, ERR_INVALID,
		       "more than one public key");
	assert_null(read);
}

/* As the stock CLI writes RSA keys: PKCS#1's bytes under PKCS#8's label. */
static void pkcs1_under_the_label_of_pkcs8_is_read(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = EVP_RSA_gen(2048);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *ec = EVP_EC_gen("P-256");
	EVP_PKEY *const kinds[] = { key, ec };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
		CLEANUP(EVP_PKEY_free) EVP_PKEY *read = NULL;
		uint8_t *der = NULL;
		char *pem;
		int len = i2d_PrivateKey(kinds[i], &der);

		assert_true(len > 0);
		assert_true(PEM_write_bio(bio, "PRIVATE KEY", "", der, len) > 0);
		long pem_len = BIO_get_mem_data(bio, &pem);
		if (kinds[i] == key) {
			assert_ok(key_from_private_pem(pem, (size_t)pem_len, NULL, NULL, &read, &e),
				  e);
			assert_int_equal(EVP_PKEY_eq(read, key), 1);
		} else { /* nobody writes SEC 1 so */
			assert_int_equal(
				key_from_private_pem(pem, (size_t)pem_len, NULL, NULL, &read, &e),
				-ERR_INVALID);
		}
		BIO_reset(bio);
		assert_true(PEM_write_bio(bio, "PRIVATE KEY", "", der, len - 1) > 0);
		pem_len = BIO_get_mem_data(bio, &pem);
		assert_int_equal(key_from_private_pem(pem, (size_t)pem_len, NULL, NULL, &read, &e),
				 -ERR_INVALID);
		OPENSSL_free(der);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind_signs_and_verifies),
		cmocka_unit_test(spki_has_no_bytes_too_few_or_too_many),
		cmocka_unit_test(weak_and_strange_keys_are_refused),
		cmocka_unit_test(parsing_alone_asks_not_whether_a_key_is_sound),
		cmocka_unit_test(nor_does_the_parsing_of_pem),
		cmocka_unit_test(an_exponent_has_a_limit),
		cmocka_unit_test(an_encrypted_key_wants_its_passphrase),
		cmocka_unit_test(pem_texts_read_back),
		cmocka_unit_test(two_public_keys_are_none),
		cmocka_unit_test(pkcs1_under_the_label_of_pkcs8_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
