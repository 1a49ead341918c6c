/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/ec_key.h"
#include "attestation/formats/ecdsa.h"
#include "tests/unit.h"

enum { LEN = 32, POINT = 1 + 2 * LEN };

static void make(const char *group, EVP_PKEY **key, uint8_t *point, size_t *len)
{
	*key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);
	assert_non_null(*key);
	assert_int_equal(EVP_PKEY_get_octet_string_param(*key, "pub", point, 1 + 2 * 66, len), 1);
}

static void a_key_is_the_same_with_and_without_another(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *one = NULL, *other = NULL, *foreign = NULL;
	uint8_t point[1 + 2 * 66], ignored[1 + 2 * 66];
	size_t len, ignored_len;

	make("P-256", &one, point, &len);
	make("P-256", &other, ignored, &ignored_len);
	make("P-384", &foreign, ignored, &ignored_len);
	assert_int_equal(len, POINT);

	struct span s = { point, len };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *alone = ec_key_make("prime256v1", s, NULL);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *like = ec_key_make("prime256v1", s, other);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *beside = ec_key_make("prime256v1", s, foreign);

	assert_non_null(alone);
	assert_non_null(like);
	assert_non_null(beside);
	assert_int_equal(EVP_PKEY_eq(one, alone), 1);
	assert_int_equal(EVP_PKEY_eq(one, like), 1);
	assert_int_equal(EVP_PKEY_eq(one, beside), 1);
	assert_int_equal(EVP_PKEY_eq(one, other), 0);
	assert_true(ec_key_is_on(like, "prime256v1"));
	assert_true(ec_key_is_on(foreign, "secp384r1"));
	assert_false(ec_key_is_on(foreign, "prime256v1"));
}

/* Infinity, off the curve, of another curve, cut short, too long: none of them gives the other
 * key instead. */
static void a_point_that_is_none_gives_no_key(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *one = NULL, *other = NULL, *foreign = NULL;
	uint8_t point[1 + 2 * 66], large[1 + 2 * 66], ignored[1 + 2 * 66];
	size_t len, large_len, ignored_len;

	make("P-256", &one, point, &len);
	make("P-256", &other, ignored, &ignored_len);
	make("P-384", &foreign, large, &large_len);
	for (int with = 0; with < 2; with++) {
		EVP_PKEY *like = with ? other : NULL;
		uint8_t infinity = 0;

		assert_null(ec_key_make("prime256v1", (struct span){ &infinity, 1 }, like));
		assert_null(ec_key_make("prime256v1", (struct span){ large, large_len }, like));
		for (size_t cut = 0; cut < len; cut++)
			assert_null(ec_key_make("prime256v1", (struct span){ point, cut }, like));
		for (size_t i = 1; i < len; i++) {
			point[i] ^= 1;
			assert_null(ec_key_make("prime256v1", (struct span){ point, len }, like));
			point[i] ^= 1;
		}
	}
}

/* The key that served as `like` does not change what a key verifies. */
static void a_key_verifies_its_own_signatures_alone(void **state)
{
	static const uint8_t text[] = "signed";
	CLEANUP(EVP_PKEY_free) EVP_PKEY *one = NULL, *other = NULL;
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t point[1 + 2 * 66], ignored[1 + 2 * 66], signature[80];
	size_t len, signed_len = sizeof(signature);

	make("P-256", &one, point, &len);
	make("P-256", &other, ignored, &len);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, other), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &signed_len, text, sizeof(text)), 1);

	CLEANUP(EVP_PKEY_free)
	EVP_PKEY *like = ec_key_make("prime256v1", (struct span){ point, POINT }, other);

	EVP_MD_CTX_reset(ctx);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, like), 1);
	assert_int_not_equal(EVP_DigestVerify(ctx, signature, signed_len, text, sizeof(text)), 1);
}

/* r and s as numbers of any length: with leading zeros, with the highest bit set, zero. */
static void raw_signatures_are_read_as_numbers(void **state)
{
	static const uint8_t text[] = "signed";
	struct span content = { text, sizeof(text) };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	uint8_t point[1 + 2 * 66], raw[2 * LEN];
	unsigned short_ones = 0, high_ones = 0;
	size_t len;
	struct err e;

	make("P-256", &key, point, &len);
	for (int i = 0; i < 2000 && (short_ones < 2 || high_ones < 2); i++) {
		CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
		uint8_t der[80];
		size_t der_len = sizeof(der);

		assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key), 1);
		assert_int_equal(EVP_DigestSign(ctx, der, &der_len, text, sizeof(text)), 1);
		memset(raw, 0, sizeof(raw));
		for (size_t n = 0, at = 2; n < 2; n++, at += 2 + (size_t)der[at + 1]) {
			size_t size = der[at + 1];
			size_t zero = size == LEN + 1;

			memcpy(raw + (n + 1) * LEN - (size - zero), der + at + 2 + zero,
			       size - zero);
			short_ones += size < LEN;
			high_ones += zero != 0;
		}
		assert_ok(ecdsa_verify(key, ECDSA_P256, DIGEST_SHA256, content,
				       (struct span){ raw, sizeof(raw) }, &e),
			  e);
		raw[2 * LEN - 1] ^= 1;
		assert_refused(ecdsa_verify(key, ECDSA_P256, DIGEST_SHA256, content,
					    (struct span){ raw, sizeof(raw) }, &e),
			       e, ERR_DENIED, "does not hold");
	}
	assert_true(short_ones && high_ones);
	memset(raw, 0, sizeof(raw));
	assert_refused(ecdsa_verify(key, ECDSA_P256, DIGEST_SHA256, content,
				    (struct span){ raw, sizeof(raw) }, &e),
		       e, ERR_DENIED, "does not hold");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_is_the_same_with_and_without_another),
		cmocka_unit_test(a_point_that_is_none_gives_no_key),
		cmocka_unit_test(a_key_verifies_its_own_signatures_alone),
		cmocka_unit_test(raw_signatures_are_read_as_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
