/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signatures by vendors' roots that are known: that they hold OpenSSL says here, and then they are not
 * computed. Whatever else has their names or keys is verified as ever.
 */
#include "attestation/formats/vendor_signatures.h"
#include "attestation/formats/x509.h"
#include "common/base/encode.h"
#include "tests/unit/attestation/tdx/tdx_case.h"

#include <openssl/x509.h>

#define INTEL "tdx/v4-phala-uptodate/collateral", "root_ca.pem"
#define AMD   "snp/chains"

/* In the table's order. The certificate is the first of its file. */
static const struct {
	const char *root_folder, *root, *folder, *name;
	enum x509_algorithm algorithm;
} cases[] = {
	{ INTEL, INTEL, X509_P256_SHA256 },
	{ INTEL, "tdx/v4-phala-uptodate/collateral", "pck_crl_issuer_chain.pem", X509_P256_SHA256 },
	{ INTEL, "tdx/v4-azure-sept-ve/collateral", "tcb_info_issuer_chain.pem", X509_P256_SHA256 },
	{ INTEL, "tdx/v4-phala-uptodate/collateral", "tcb_info_issuer_chain.pem",
	  X509_P256_SHA256 },
	{ AMD, "amd-milan-ark.pem", AMD, "amd-milan-ark.pem", X509_RSA4096_PSS_SHA384 },
	{ AMD, "amd-milan-ark.pem", AMD, "amd-milan-ask.pem", X509_RSA4096_PSS_SHA384 },
	{ AMD, "amd-milan-ark.pem", AMD, "amd-milan-asvk.pem", X509_RSA4096_PSS_SHA384 },
	{ AMD, "amd-genoa-ark.pem", AMD, "amd-genoa-ark.pem", X509_RSA4096_PSS_SHA384 },
	{ AMD, "amd-genoa-ark.pem", AMD, "amd-genoa-ask.pem", X509_RSA4096_PSS_SHA384 },
	{ AMD, "amd-turin-ark.pem", AMD, "amd-turin-ark.pem", X509_RSA4096_PSS_SHA384 },
	{ AMD, "amd-turin-ark.pem", AMD, "amd-turin-ask.pem", X509_RSA4096_PSS_SHA384 },
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

static struct x509 *first_of(const char *folder, const char *name)
{
	char path[CASE_PATH_MAX];
	struct x509_chain chain = { 0 };
	struct x509 *cert;
	struct err e;

	case_path(path, "%s/%s", vectors_folder(), folder);
	struct span pem = case_file(path, name);
	assert_non_null(pem.bytes);
	assert_ok(x509_chain_from_pem(pem.bytes, pem.len, &chain, &e), e);
	cert = chain.certs[0];
	cert->shares++; /* one of them the chain's */
	x509_chain_done(&chain);
	case_free(&pem);
	return cert;
}

static X509 *by_openssl(const struct x509 *cert)
{
	const uint8_t *der = cert->der;
	X509 *made = d2i_X509(NULL, &der, (long)cert->len);

	assert_non_null(made);
	return made;
}

/* As somebody needs it who adds a case. */
static void is_in_the_table(const struct x509 *cert, const struct x509 *issuer, size_t row)
{
	const struct signatures_fact fact = { issuer->key_digest, cert->algorithm, cert->tbs,
					      cert->signature };
	char hex[2 * SHA256_LEN + 1];
	uint8_t digest[SHA256_LEN];
	struct err e;

	assert_ok(signatures_digest(&fact, digest, &e), e);
	hex_encode(digest, SHA256_LEN, hex);
	if (memcmp(vendor_signatures[row], digest, SHA256_LEN) != 0)
		fail_msg("row %zu of vendor_signatures: wanted %s", row, hex);
}

static void openssl_verifies_them_and_we_need_not(void **state)
{
	VECTORS_OR_SKIP();
	/* Nothing is in the table that OpenSSL does not verify here. */
	_Static_assert(ARRAY_LEN(cases) == VENDOR_SIGNATURES, "a case for each row of the table");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct x509 *root = first_of(cases[i].root_folder, cases[i].root);
		struct x509 *cert = first_of(cases[i].folder, cases[i].name);
		X509 *above = by_openssl(root), *other = by_openssl(cert);
		struct err e;

		assert_int_equal(X509_verify(other, X509_get0_pubkey(above)), 1);
		is_in_the_table(cert, root, i);
		computed = 0;
		assert_ok(x509_verify(cert, root, cases[i].algorithm, 0, &e), e);
		assert_int_equal(computed, 0);
		/* What else is asked of a link is still asked. */
		assert_refused(x509_verify(cert, root, X509_P384_SHA384, 0, &e), e, ERR_DENIED,
			       "another algorithm");
		root->is_ca = false;
		assert_int_equal(x509_verify(cert, root, cases[i].algorithm, 0, &e), -ERR_DENIED);
		assert_int_equal(computed, 0);
		X509_free(above);
		X509_free(other);
		x509_free(cert);
		x509_free(root);
	}
}

/* All bits: where it can still be read, its signature is computed and does not hold. */
static void a_bit_more_and_it_is_none_of_them(void **state)
{
	VECTORS_OR_SKIP();
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct x509 *root = first_of(cases[i].root_folder, cases[i].root);
		struct x509 *cert = first_of(cases[i].folder, cases[i].name);
		bool own = span_equal(root->spki, cert->spki);
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
			if (x509_verify(changed, own ? changed : root, cases[i].algorithm, 0, &e) ==
			    0)
				fail_msg("%s: bit %zu counts for nothing", cases[i].name, bit);
			asked += computed;
			x509_free(changed);
		}
		assert_true(asked > 1000);
		x509_free(cert);
		x509_free(root);
	}
}

/* A root's key and the signature of another; the right one over something else; a key beside the root's. */
static void parts_of_two_are_none(void **state)
{
	VECTORS_OR_SKIP();
	struct x509 *milan = first_of(AMD, "amd-milan-ark.pem");
	struct x509 *genoa = first_of(AMD, "amd-genoa-ark.pem");
	struct x509 *ask = first_of(AMD, "amd-milan-ask.pem");
	struct x509 *asvk = first_of(AMD, "amd-milan-asvk.pem");
	const struct x509_signed others = { genoa->tbs, genoa->algorithm, genoa->signature };
	const struct x509_signed mixed = { milan->tbs, milan->algorithm, genoa->signature };
	const struct x509_signed swapped = { ask->tbs, ask->algorithm, asvk->signature };
	const struct x509_signed own = { ask->tbs, ask->algorithm, ask->signature };
	const struct {
		const struct x509_signed *what;
		const struct x509 *signer;
	} rows[] = { { &others, milan },
		     { &mixed, milan },
		     { &swapped, milan },
		     { &own, genoa },
		     { &own, ask } };
	struct err e;

	computed = 0;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(x509_verify_signature(rows[i].what, rows[i].signer,
						     X509_RSA4096_PSS_SHA384, NULL, &e),
			       e, ERR_DENIED, "does not hold");
	assert_int_equal(computed, ARRAY_LEN(rows));
	x509_free(milan);
	x509_free(genoa);
	x509_free(ask);
	x509_free(asvk);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(openssl_verifies_them_and_we_need_not),
		cmocka_unit_test(a_bit_more_and_it_is_none_of_them),
		cmocka_unit_test(parts_of_two_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
