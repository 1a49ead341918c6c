/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/ec_key.h"
#include "attestation/formats/ecdsa.h"
#include "tests/unit.h"

#include <pthread.h>

enum { LEN = 32, POINT = 1 + 2 * LEN };

static void make(const char *group, EVP_PKEY **key, uint8_t *point, size_t *len)
{
	*key = EVP_PKEY_Q_keygen(NULL, NULL, "EC", group);
	assert_non_null(*key);
	assert_int_equal(EVP_PKEY_get_octet_string_param(*key, "pub", point, 1 + 2 * 66, len), 1);
}

static void a_key_has_its_point_and_its_curve(void **state)
{
	static const char *const groups[] = { "prime256v1", "secp384r1", "secp521r1" };

	for (size_t i = 0; i < ARRAY_LEN(groups); i++) {
		CLEANUP(EVP_PKEY_free) EVP_PKEY *one = NULL, *other = NULL;
		uint8_t point[1 + 2 * 66], ignored[1 + 2 * 66];
		size_t len;

		make(groups[i], &other, ignored, &len);
		make(groups[i], &one, point, &len);

		struct span s = { point, len };
		CLEANUP(EVP_PKEY_free) EVP_PKEY *made = ec_key_make(groups[i], s);
		CLEANUP(EVP_PKEY_free) EVP_PKEY *again = ec_key_make(groups[i], s);

		assert_non_null(made);
		assert_non_null(again);
		assert_int_equal(EVP_PKEY_eq(one, made), 1);
		assert_int_equal(EVP_PKEY_eq(one, again), 1);
		assert_int_equal(EVP_PKEY_eq(other, made), 0);
		for (size_t k = 0; k < ARRAY_LEN(groups); k++)
			assert_int_equal(ec_key_is_on(made, groups[k]), i == k);
		assert_null(ec_key_make("secp256k1", s));
	}
}

/* Infinity, off the curve, of another curve, cut short, too long: none of them gives a key. */
static void a_point_that_is_none_gives_no_key(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *one = NULL, *foreign = NULL;
	uint8_t point[1 + 2 * 66], large[1 + 2 * 66], infinity = 0;
	size_t len, large_len;

	make("P-256", &one, point, &len);
	make("P-384", &foreign, large, &large_len);
	assert_int_equal(len, POINT);
	assert_null(ec_key_make("prime256v1", (struct span){ &infinity, 1 }));
	assert_null(ec_key_make("prime256v1", (struct span){ large, large_len }));
	point[len] = 0;
	assert_null(ec_key_make("prime256v1", (struct span){ point, len + 1 }));
	for (size_t cut = 0; cut < len; cut++)
		assert_null(ec_key_make("prime256v1", (struct span){ point, cut }));
	for (size_t i = 1; i < len; i++) {
		point[i] ^= 1;
		assert_null(ec_key_make("prime256v1", (struct span){ point, len }));
		point[i] ^= 1;
	}
}

/* Keys are made from one template: what one of them verifies, another does not. */
static void a_key_verifies_its_own_signatures_alone(void **state)
{
	static const uint8_t text[] = "signed";
	CLEANUP(EVP_PKEY_free) EVP_PKEY *one = NULL, *other = NULL;
	CLEANUP(EVP_MD_CTX_free) EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	uint8_t point[1 + 2 * 66], others[1 + 2 * 66], signature[80];
	size_t len, signed_len = sizeof(signature);

	make("P-256", &one, point, &len);
	make("P-256", &other, others, &len);
	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, other), 1);
	assert_int_equal(EVP_DigestSign(ctx, signature, &signed_len, text, sizeof(text)), 1);

	CLEANUP(EVP_PKEY_free)
	EVP_PKEY *theirs = ec_key_make("prime256v1", (struct span){ others, POINT });
	CLEANUP(EVP_PKEY_free)
	EVP_PKEY *made = ec_key_make("prime256v1", (struct span){ point, POINT });

	EVP_MD_CTX_reset(ctx);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, made), 1);
	assert_int_not_equal(EVP_DigestVerify(ctx, signature, signed_len, text, sizeof(text)), 1);
	EVP_MD_CTX_reset(ctx);
	assert_int_equal(EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, theirs), 1);
	assert_int_equal(EVP_DigestVerify(ctx, signature, signed_len, text, sizeof(text)), 1);
}

enum { THREADS = 8, KEYS = 50 };

/* NULL if each key was the one that was asked for. */
static void *makes_keys(void *arg)
{
	EVP_PKEY *one = arg;
	uint8_t point[1 + 2 * 66];
	size_t len;

	for (size_t i = 0; i < KEYS; i++) {
		CLEANUP(EVP_PKEY_free) EVP_PKEY *made = NULL;

		if (EVP_PKEY_get_octet_string_param(one, "pub", point, sizeof(point), &len) != 1 ||
		    !(made = ec_key_make("secp521r1", (struct span){ point, len })) ||
		    EVP_PKEY_eq(one, made) != 1)
			return arg;
	}
	return NULL;
}

/* The first test of this program, so that the curve's template is not made yet. */
static void threads_make_keys_at_the_same_time(void **state)
{
	pthread_t threads[THREADS];
	EVP_PKEY *keys[THREADS];

	for (size_t i = 0; i < THREADS; i++)
		assert_non_null(keys[i] = EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-521"));
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, makes_keys, keys[i]), 0);
	for (size_t i = 0; i < THREADS; i++) {
		void *failed;

		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
		EVP_PKEY_free(keys[i]);
	}
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
		cmocka_unit_test(threads_make_keys_at_the_same_time),
		cmocka_unit_test(a_key_has_its_point_and_its_curve),
		cmocka_unit_test(a_point_that_is_none_gives_no_key),
		cmocka_unit_test(a_key_verifies_its_own_signatures_alone),
		cmocka_unit_test(raw_signatures_are_read_as_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
