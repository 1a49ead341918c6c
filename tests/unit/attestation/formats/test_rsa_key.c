/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/rsa_key.h"
#include "common/crypto/key.h"
#include "tests/unit.h"

#include <openssl/core_names.h>

DEFINE_CLEANUP(BIGNUM *, BN_free)

static void a_modulus_makes_the_key_that_it_is_of(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *one = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
	CLEANUP(BN_free) BIGNUM *n = NULL;
	uint8_t bytes[257] = { 0 };
	struct err e;

	assert_non_null(one);
	assert_int_equal(EVP_PKEY_get_bn_param(one, OSSL_PKEY_PARAM_RSA_N, &n), 1);
	assert_int_equal(BN_bn2bin(n, bytes + 1), 256);
	for (size_t zeros = 0; zeros < 2; zeros++) {
		CLEANUP(EVP_PKEY_free) EVP_PKEY *made = NULL;

		assert_ok(rsa_key_make((struct span){ bytes + 1 - zeros, 256 + zeros }, &made, &e),
			  e);
		assert_int_equal(EVP_PKEY_eq(one, made), 1);
		assert_int_equal(EVP_PKEY_get_bits(made), 2048);
	}
	bytes[256] ^= 2;

	CLEANUP(EVP_PKEY_free) EVP_PKEY *other = NULL;

	assert_ok(rsa_key_make((struct span){ bytes, 257 }, &other, &e), e);
	assert_int_equal(EVP_PKEY_eq(one, other), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_modulus_makes_the_key_that_it_is_of),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
