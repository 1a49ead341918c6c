/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Vendors' roots whose own signature is known: that it holds OpenSSL says here, and then it is not
 * computed. Whatever else has their name or key is verified as ever.
 */
#include "attestation/formats/x509.h"
#include "tests/unit/attestation/tdx/tdx_case.h"

#include <openssl/x509.h>

static const struct {
	const char *folder, *name;
	enum x509_algorithm algorithm;
} roots[] = {
	{ "tdx/v4-phala-uptodate/collateral", "root_ca.pem", X509_P256_SHA256 },
	{ "snp/milan-v2-automata", "ark.pem", X509_RSA4096_PSS_SHA384 },
	{ "snp/genoa-v3-azure", "ark.pem", X509_RSA4096_PSS_SHA384 },
	{ "snp/turin-v5-azure", "ark.pem", X509_RSA4096_PSS_SHA384 },
};

static size_t computed;

int __real_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t sig_len,
			    const unsigned char *bytes, size_t len);
int __wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t sig_len,
			    const unsigned char *bytes, size_t len);
int __wrap_EVP_DigestVerify(EVP_MD_CTX *ctx, const unsigned char *sig, size_t sig_len,
			    const unsigned char *bytes, size_t len)
{
	computed++;
	return __real_EVP_DigestVerify(ctx, sig, sig_len, bytes, len);
}

static struct x509 *root(const char *folder, const char *name)
{
	char path[CASE_PATH_MAX];
	struct x509 *cert = NULL;
	struct err e;

	case_path(path, "%s/%s", vectors_folder(), folder);
	struct span pem = case_file(path, name);
	assert_non_null(pem.bytes);
	assert_ok(x509_load(pem.bytes, pem.len, &cert, &e), e);
	case_free(&pem);
	return cert;
}

static void openssl_verifies_them_and_we_need_not(void **state)
{
	VECTORS_OR_SKIP();
	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		struct x509 *cert = root(roots[i].folder, roots[i].name);
		const uint8_t *der = cert->der;
		X509 *other = d2i_X509(NULL, &der, (long)cert->len);
		struct err e;

		assert_non_null(other);
		assert_int_equal(X509_verify(other, X509_get0_pubkey(other)), 1);
		computed = 0;
		assert_ok(x509_verify(cert, cert, roots[i].algorithm, 0, &e), e);
		assert_int_equal(computed, 0);
		/* What else is asked of a link is still asked. */
		assert_refused(x509_verify(cert, cert, X509_P384_SHA384, 0, &e), e, ERR_DENIED,
			       "another algorithm");
		X509_free(other);
		x509_free(cert);
	}
}

/* All bits: where it can still be read, its signature is computed and does not hold. */
static void a_bit_more_and_it_is_none_of_them(void **state)
{
	VECTORS_OR_SKIP();
	for (size_t i = 0; i < ARRAY_LEN(roots); i++) {
		struct x509 *cert = root(roots[i].folder, roots[i].name);
		size_t asked = 0;

		for (size_t bit = 0; bit < 8 * cert->len; bit++) {
			CLEANUP(free) uint8_t *der = malloc(cert->len);
			struct x509 *changed = NULL;
			struct err e;

			assert_non_null(der);
			memcpy(der, cert->der, cert->len);
			der[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (x509_from_der(der, cert->len, &changed, &e) < 0)
				continue;
			computed = 0;
			if (x509_verify(changed, changed, roots[i].algorithm, 0, &e) == 0)
				fail_msg("%s: bit %zu counts for nothing", roots[i].folder, bit);
			asked += computed;
			x509_free(changed);
		}
		assert_true(asked > 1000);
		x509_free(cert);
	}
}

/* One root's key, and the signature of another; and what a root signed that is not itself. */
static void it_is_itself_alone_that_it_signed(void **state)
{
	VECTORS_OR_SKIP();
	struct x509 *milan = root(roots[1].folder, roots[1].name);
	struct x509 *genoa = root(roots[2].folder, roots[2].name);
	struct x509 *ask = root(roots[1].folder, "ask.pem");
	const struct x509_signed others = { genoa->tbs, genoa->algorithm, genoa->signature };
	const struct x509_signed mixed = { milan->tbs, milan->algorithm, genoa->signature };
	struct err e;

	computed = 0;
	assert_refused(x509_verify_signature(&others, milan, X509_RSA4096_PSS_SHA384, NULL, &e), e,
		       ERR_DENIED, "does not hold");
	assert_refused(x509_verify_signature(&mixed, milan, X509_RSA4096_PSS_SHA384, NULL, &e), e,
		       ERR_DENIED, "does not hold");
	assert_ok(x509_verify(ask, milan, X509_RSA4096_PSS_SHA384, 0, &e), e);
	assert_int_equal(computed, 3);
	x509_free(milan);
	x509_free(genoa);
	x509_free(ask);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_verifies_them_and_we_need_not),
		cmocka_unit_test(a_bit_more_and_it_is_none_of_them),
		cmocka_unit_test(it_is_itself_alone_that_it_signed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
