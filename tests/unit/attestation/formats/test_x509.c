/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates: how they are read, what signs them, and chains in PEM. */
#include "common/base/encode.h"
#include "common/crypto/key.h"
#include "tests/unit/attestation/snp/certificates.h"

#include <stdio.h>

static void refused(const struct forge_cert *want, const char *words)
{
	uint8_t der[FORGE_CERT_MAX];
	size_t len = forge_make(want, der);
	struct x509 *cert = NULL;
	struct err e;

	assert_refused(x509_from_der(der, len, &cert, &e), e, ERR_INVALID, words);
	assert_null(cert);
}

static void a_certificate_says_what_was_put_in(void **state)
{
	struct x509 *root = load(f.input.ark), *leaf = load(f.input.vek);
	char name[32];
	struct err e;

	assert_true(root->has_constraints && root->is_ca && root->path_len == -1);
	assert_int_equal(root->usage, X509_USE_CERT_SIGN | X509_USE_CRL_SIGN);
	assert_int_equal(root->not_before, f.root.not_before);
	assert_int_equal(root->not_after, f.root.not_after);
	assert_ok(x509_common_name(root->subject, name, sizeof(name), &e), e);
	assert_string_equal(name, "ARK-Milan");
	assert_false(leaf->has_constraints || leaf->has_usage);
	assert_int_equal(leaf->serial.len, 1);
	assert_non_null(x509_extension_of(leaf, "1.3.6.1.4.1.3704.1.4"));
	assert_null(x509_extension_of(leaf, "1.3.6.1.4.1.3704.1.5"));
	assert_refused(x509_common_name(root->subject, name, 9, &e), e, ERR_INVALID, "common name");
	x509_free(root);
	x509_free(leaf);
}

static void a_link_holds_only_as_it_was_made(void **state)
{
	struct x509 *root = load(f.input.ark), *ca = load(f.input.intermediate);
	struct x509 *leaf = load(f.input.vek);
	const unsigned pss = X509_RSA4096_PSS_SHA384;
	struct err e;

	assert_ok(x509_verify(root, root, pss, 1, &e), e);
	assert_ok(x509_verify(ca, root, pss, 1, &e), e);
	assert_ok(x509_verify(leaf, ca, pss, 0, &e), e);
	assert_refused(x509_verify(leaf, ca, pss, 1, &e), e, ERR_DENIED, "path length");
	assert_refused(x509_verify(leaf, root, pss, 0, &e), e, ERR_DENIED, "another issuer");
	assert_refused(x509_verify(ca, leaf, pss, 0, &e), e, ERR_DENIED, "another issuer");
	assert_refused(x509_verify(leaf, ca, X509_P256_SHA256 | X509_RSA_SHA384, 0, &e), e,
		       ERR_DENIED, "another algorithm");
	x509_free(root);
	x509_free(ca);
	x509_free(leaf);
}

/* Each with one thing wrong. */
static void an_issuer_has_to_be_one(void **state)
{
	static const struct {
		const char *constraints, *usage, *words;
	} cases[] = {
		{ NULL, "critical,keyCertSign", "not a CA" },
		{ "critical,CA:FALSE", "critical,keyCertSign", "not a CA" },
		{ "critical,CA:TRUE", "critical,digitalSignature", "keyUsage" },
	};
	struct x509 *leaf = load(f.input.vek);
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct forge_cert want = f.ca;
		struct x509 *ca;

		want.constraints = cases[i].constraints;
		want.usage = cases[i].usage;
		ca = make(&want);
		assert_refused(x509_verify(leaf, ca, X509_RSA4096_PSS_SHA384, 0, &e), e, ERR_DENIED,
			       cases[i].words);
		x509_free(ca);
	}
	x509_free(leaf);
}

static void signatures_by_others_and_of_other_kinds_are_refused(void **state)
{
	struct forge_cert by_other = f.leaf, by_pkcs1 = f.leaf, small = f.ca;
	EVP_PKEY *rsa2048 = EVP_RSA_gen(2048);
	struct x509 *ca = load(f.input.intermediate), *cert, *weak;
	struct err e;

	by_other.issuer_key = f.root_key;
	cert = make(&by_other);
	assert_refused(x509_verify(cert, ca, X509_RSA4096_PSS_SHA384, 0, &e), e, ERR_DENIED,
		       "does not hold");
	x509_free(cert);
	by_pkcs1.algorithm = FORGE_PKCS1;
	cert = make(&by_pkcs1);
	assert_refused(x509_verify(cert, ca, X509_RSA4096_PSS_SHA384, 0, &e), e, ERR_DENIED,
		       "another algorithm");
	assert_ok(x509_verify(cert, ca, X509_RSA_SHA384, 0, &e), e);
	x509_free(cert);
	small.key = rsa2048;
	weak = make(&small);
	by_other.issuer_key = rsa2048;
	cert = make(&by_other);
	assert_refused(x509_verify(cert, weak, X509_RSA4096_PSS_SHA384, 0, &e), e, ERR_DENIED,
		       "not of the kind");
	x509_free(cert);
	x509_free(weak);
	x509_free(ca);
	EVP_PKEY_free(rsa2048);
}

static void ecdsa_chains_hold_on_their_own_curve(void **state)
{
	EVP_PKEY *p256 = EVP_EC_gen("P-256");
	struct forge_cert root = f.root;
	struct x509 *cert;
	struct err e;

	root.key = root.issuer_key = p256;
	root.algorithm = FORGE_ECDSA;
	cert = make(&root);
	assert_ok(x509_verify(cert, cert, X509_P256_SHA256, 1, &e), e);
	assert_refused(x509_verify(cert, cert, X509_P384_SHA384, 1, &e), e, ERR_DENIED,
		       "another algorithm");
	x509_free(cert);
	/* ecdsa-with-SHA256 by a key on P-384 */
	root.key = root.issuer_key = f.leaf_key;
	cert = make(&root);
	assert_refused(x509_verify(cert, cert, X509_P256_SHA256, 1, &e), e, ERR_DENIED,
		       "not of the kind");
	x509_free(cert);
	EVP_PKEY_free(p256);
}

/* Its form is right, so it loads, as a certificate by which nothing holds. */
static void a_point_beside_the_curve_verifies_nothing(void **state)
{
	EVP_PKEY *p256 = EVP_EC_gen("P-256"), *key = NULL;
	struct forge_cert root = f.root;
	uint8_t der[FORGE_CERT_MAX];
	struct x509 *good, *cert;
	struct err e;
	size_t len, at;

	root.key = root.issuer_key = p256;
	root.algorithm = FORGE_ECDSA;
	len = forge_make(&root, der);
	assert_ok(x509_from_der(der, len, &good, &e), e);
	at = (size_t)(good->spki.bytes - good->der) + good->spki.len - 1;
	der[at] ^= 1; /* y's last bit: the other y of that x differs in more */
	assert_ok(x509_from_der(der, len, &cert, &e), e);
	assert_refused(x509_verify(good, cert, X509_P256_SHA256, 1, &e), e, ERR_DENIED,
		       "the certificate's key");
	assert_refused(x509_key(cert, &key, &e), e, ERR_DENIED, "the certificate's key");
	assert_null(key);
	x509_free(cert);
	/* A point of another form, and one of another length, don't load. */
	der[at] ^= 1;
	der[at - 64] = 2;
	assert_refused(x509_from_der(der, len, &cert, &e), e, ERR_INVALID, "uncompressed point");
	x509_free(good);
	EVP_PKEY_free(p256);
}

/* What OpenSSL signs, it makes version 3 where there are extensions (3.5; 3.0 does not): so the
 * version is changed behind it. */
static void other_versions_are_refused(void **state)
{
	static const uint8_t version_3[] = { 0xa0, 3, 2, 1, 2 };
	uint8_t der[FORGE_CERT_MAX];
	size_t len = forge_make(&f.leaf, der);
	uint8_t *version = memmem(der, 16, version_3, sizeof(version_3));
	struct x509 *cert = NULL;
	struct err e;

	assert_non_null(version);
	for (uint8_t other = 0; other < 5; other++) {
		if (other == 2)
			continue;
		version[4] = other;
		assert_refused(x509_from_der(der, len, &cert, &e), e, ERR_INVALID, "version 3");
		assert_null(cert);
	}
}

static void loading_is_strict(void **state)
{
	struct forge_cert want = f.leaf;

	forge_add(&want, "1.3.6.1.4.1.3704.1.3.8", (uint8_t[]){ 2, 1, 1 }, 3);
	refused(&want, "twice");
	want = f.leaf;
	forge_add(&want, "1.2.3.4", "x", 1);
	want.extensions[want.extension_count - 1].critical = true;
	refused(&want, "critical");
	want = f.ca;
	want.constraints = NULL;
	forge_add(&want, "2.5.29.19", (uint8_t[]){ 0x30, 3, 2, 1, 0 }, 5); /* pathLen without CA */
	refused(&want, "basicConstraints");
	want = f.ca;
	want.usage = NULL;
	forge_add(&want, "2.5.29.15", (uint8_t[]){ 3, 1, 0 }, 3);
	refused(&want, "keyUsage");
}

static void a_key_of_a_kind_that_we_don_t_take_is_refused(void **state)
{
	struct forge_cert want = f.leaf;
	EVP_PKEY *ed = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), *small = EVP_RSA_gen(1024);
	EVP_PKEY *k1 = EVP_EC_gen("secp256k1");

	want.key = ed;
	refused(&want, "another kind");
	want.key = small;
	refused(&want, "2048");
	want.key = k1;
	refused(&want, "P-256");
	EVP_PKEY_free(ed);
	EVP_PKEY_free(small);
	EVP_PKEY_free(k1);
}

static void every_truncation_and_a_byte_more_is_refused(void **state)
{
	uint8_t longer[FORGE_CERT_MAX + 1] = { 0 };
	struct x509 *cert = NULL;
	struct err e;

	for (size_t len = 0; len < f.input.vek.len; len++) {
		uint8_t *exact = malloc(len ? len : 1);

		memcpy(exact, f.input.vek.bytes, len);
		assert_int_equal(x509_from_der(exact, len, &cert, &e), -ERR_INVALID);
		free(exact);
	}
	memcpy(longer, f.input.vek.bytes, f.input.vek.len);
	assert_refused(x509_from_der(longer, f.input.vek.len + 1, &cert, &e), e, ERR_INVALID,
		       "after the end");
	assert_refused(x509_from_der(longer, X509_DER_MAX + 1, &cert, &e), e, ERR_INVALID, "16384");
}

/* Changing any byte breaks the form or the signature; no byte is ignored. */
static void every_byte_of_a_certificate_counts(void **state)
{
	struct x509 *ca = load(f.input.intermediate);
	uint8_t changed[FORGE_CERT_MAX];
	struct x509 *cert;
	struct err e;

	for (size_t i = 0; i < f.input.vek.len; i++) {
		memcpy(changed, f.input.vek.bytes, f.input.vek.len);
		changed[i] ^= 0x01;
		if (x509_from_der(changed, f.input.vek.len, &cert, &e) < 0)
			continue;
		if (x509_verify(cert, ca, X509_RSA4096_PSS_SHA384, 0, &e) == 0)
			fail_msg("byte %zu counts for nothing", i);
		x509_free(cert);
	}
	x509_free(ca);
}

static void both_boundary_seconds_are_valid(void **state)
{
	struct x509 *leaf = load(f.input.vek);
	struct err e;

	assert_ok(x509_valid_at(leaf, f.leaf.not_before, &e), e);
	assert_ok(x509_valid_at(leaf, f.leaf.not_after, &e), e);
	assert_refused(x509_valid_at(leaf, f.leaf.not_before - 1, &e), e, ERR_DENIED, "later");
	assert_refused(x509_valid_at(leaf, f.leaf.not_after + 1, &e), e, ERR_DENIED, "before");
	/* Within the skew, to the second, it is the nearest moment that is in range. */
	assert_int_equal(x509_moment(100, 9, 100, 200), 100);
	assert_int_equal(x509_moment(91, 9, 100, 200), 100);
	assert_int_equal(x509_moment(90, 9, 100, 200), 90);
	assert_int_equal(x509_moment(150, 9, 100, 200), 150);
	assert_int_equal(x509_moment(209, 9, 100, 200), 200);
	assert_int_equal(x509_moment(210, 9, 100, 200), 210);
	x509_free(leaf);
}

/* PEM of one certificate, lines of 64 characters. */
static size_t pem_of(struct span der, char *pem, size_t size)
{
	char *text = base64_encode(der.bytes, der.len);
	size_t len = (size_t)snprintf(pem, size, "-----BEGIN CERTIFICATE-----\n");

	assert_non_null(text);
	for (size_t at = 0; at < strlen(text); at += 64)
		len += (size_t)snprintf(pem + len, size - len, "%.64s\n", text + at);
	len += (size_t)snprintf(pem + len, size - len, "-----END CERTIFICATE-----\n");
	free(text);
	return len;
}

static void pem_is_one_block_and_nothing_else(void **state)
{
	char pem[8192], changed[8300];
	size_t len = pem_of(f.input.vek, pem, sizeof(pem));
	struct x509 *cert = NULL;
	struct err e;

	assert_ok(x509_load(pem, len, &cert, &e), e);
	assert_int_equal(cert->len, f.input.vek.len);
	x509_free(cert);
	assert_ok(x509_load(pem, len + 1, &cert, &e), e); /* the zero byte after it */
	x509_free(cert);
	cert = NULL;
	snprintf(changed, sizeof(changed), "%sx", pem);
	assert_refused(x509_load(changed, len + 1, &cert, &e), e, ERR_INVALID, "after the end");
	snprintf(changed, sizeof(changed), "-----BEGIN X509-----%s", pem + 27);
	assert_int_equal(x509_load(changed, strlen(changed), &cert, &e), -ERR_INVALID);
	snprintf(changed, sizeof(changed), "%.28s\n%s", pem, pem + 28);
	assert_refused(x509_load(changed, len + 1, &cert, &e), e, ERR_INVALID, "line of 0");
	snprintf(changed, sizeof(changed), "%.40s%s", pem, pem + 41);
	assert_int_equal(x509_load(changed, len - 1, &cert, &e), -ERR_INVALID);
	for (size_t cut = 0; cut < len - 1; cut++)
		if (x509_load(pem, cut, &cert, &e) == 0)
			fail_msg("PEM cut at %zu is taken", cut);
	assert_null(cert);
}

static void a_chain_has_1_to_8_certificates(void **state)
{
	static char pem[10 * 8192];
	size_t len = 0;
	struct x509_chain chain = { 0 };
	struct err e;

	for (size_t n = 1; n <= X509_CHAIN_MAX + 1; n++) {
		len += pem_of(f.input.vek, pem + len, sizeof(pem) - len);
		if (n > X509_CHAIN_MAX) {
			assert_refused(x509_chain_from_pem(pem, len, &chain, &e), e, ERR_INVALID,
				       "more than 8");
			break;
		}
		assert_ok(x509_chain_from_pem(pem, len, &chain, &e), e);
		assert_int_equal(chain.count, n);
		x509_chain_done(&chain);
	}
	assert_int_equal(x509_chain_from_pem(pem, 0, &chain, &e), -ERR_INVALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_says_what_was_put_in),
		cmocka_unit_test(a_link_holds_only_as_it_was_made),
		cmocka_unit_test(an_issuer_has_to_be_one),
		cmocka_unit_test(signatures_by_others_and_of_other_kinds_are_refused),
		cmocka_unit_test(ecdsa_chains_hold_on_their_own_curve),
		cmocka_unit_test(a_point_beside_the_curve_verifies_nothing),
		cmocka_unit_test(other_versions_are_refused),
		cmocka_unit_test(loading_is_strict),
		cmocka_unit_test(a_key_of_a_kind_that_we_don_t_take_is_refused),
		cmocka_unit_test(every_truncation_and_a_byte_more_is_refused),
		cmocka_unit_test(every_byte_of_a_certificate_counts),
		cmocka_unit_test(both_boundary_seconds_are_valid),
		cmocka_unit_test(pem_is_one_block_and_nothing_else),
		cmocka_unit_test(a_chain_has_1_to_8_certificates),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
