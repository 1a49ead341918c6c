/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit.h"
#include "tests/unit/snp/forge.h"

#include "attestation/x509_crl.h"
#include "common/base/encode.h"
#include "common/crypto/key.h"

#include <stdio.h>

static struct forge f;

static int prepare(void **state)
{
	forge_init(&f, SNP_MILAN, 3, SNP_KEY_VCEK);
	return 0;
}

static struct x509 *load(struct span der)
{
	struct x509 *cert = NULL;
	struct err e;

	assert_ok(x509_load(der.bytes, der.len, &cert, &e), e);
	return cert;
}

static struct x509 *make(const struct forge_cert *want)
{
	uint8_t der[FORGE_CERT_MAX];
	size_t len = forge_make(want, der);

	return load((struct span){ der, len });
}

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

static void loading_is_strict(void **state)
{
	struct forge_cert want = f.leaf;

	want.version = 1;
	refused(&want, "version 3");
	want = f.leaf;
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

/* Changing any byte either breaks the form or the signature; none is read over. */
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
	assert_ok(x509_load(pem, len + 1, &cert, &e), e); /* the zero byte behind */
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

static struct x509_crl *crl_of(const long *serials, size_t count, struct err *e)
{
	uint8_t der[FORGE_CRL_MAX];
	size_t len = forge_crl(f.root_key, "ARK-Milan", serials, count, FORGE_AT - 10,
			       FORGE_AT + 10, der);
	struct x509_crl *crl = NULL;

	assert_ok(x509_crl_load(der, len, &crl, e), *e);
	return crl;
}

static void a_crl_names_the_certificates_of_its_issuer(void **state)
{
	struct x509 *root = load(f.input.ark), *ca = load(f.input.intermediate);
	struct x509 *leaf = load(f.input.vek);
	const long serials[] = { 3, 70000, 65537 };
	struct err e;
	struct x509_crl *crl = crl_of(serials, 2, &e);

	assert_int_equal(crl->revoked_count, 2);
	assert_int_equal(crl->number.bytes[0], 7);
	assert_ok(x509_crl_verify(crl, root, X509_RSA4096_PSS_SHA384, FORGE_AT, &e), e);
	assert_ok(x509_crl_check(crl, ca, &e), e);
	assert_refused(x509_crl_check(crl, leaf, &e), e, ERR_INVALID, "another issuer");
	x509_crl_free(crl);
	crl = crl_of(serials, 3, &e);
	assert_refused(x509_crl_check(crl, ca, &e), e, ERR_DENIED, "revoked");
	assert_ok(x509_crl_check(crl, root, &e), e);
	x509_crl_free(crl);
	crl = crl_of(NULL, 0, &e);
	assert_ok(x509_crl_check(crl, ca, &e), e);
	assert_refused(x509_crl_verify(crl, ca, X509_RSA4096_PSS_SHA384, FORGE_AT, &e), e,
		       ERR_DENIED, "another issuer");
	assert_refused(x509_crl_verify(crl, root, X509_P256_SHA256, FORGE_AT, &e), e, ERR_DENIED,
		       "another algorithm");
	x509_crl_free(crl);
	x509_free(root);
	x509_free(ca);
	x509_free(leaf);
}

static void a_crl_is_current_in_both_boundary_seconds(void **state)
{
	struct x509 *root = load(f.input.ark);
	struct err e;
	struct x509_crl *crl = crl_of(NULL, 0, &e);
	const unsigned pss = X509_RSA4096_PSS_SHA384;

	assert_ok(x509_crl_verify(crl, root, pss, FORGE_AT - 10, &e), e);
	assert_ok(x509_crl_verify(crl, root, pss, FORGE_AT + 10, &e), e);
	assert_refused(x509_crl_verify(crl, root, pss, FORGE_AT - 11, &e), e, ERR_DENIED, "future");
	assert_refused(x509_crl_verify(crl, root, pss, FORGE_AT + 11, &e), e, ERR_DENIED,
		       "ran out");
	x509_crl_free(crl);
	x509_free(root);
}

static void every_byte_of_a_crl_counts(void **state)
{
	struct x509 *root = load(f.input.ark);
	const long serials[] = { 3, 70000 };
	uint8_t der[FORGE_CRL_MAX];
	size_t len = forge_crl(f.root_key, "ARK-Milan", serials, 2, FORGE_AT - 10, FORGE_AT + 10,
			       der);
	struct x509_crl *crl;
	struct err e;

	for (size_t i = 0; i < len; i++) {
		der[i] ^= 0x01;
		if (x509_crl_load(der, len, &crl, &e) == 0) {
			if (x509_crl_verify(crl, root, X509_RSA4096_PSS_SHA384, FORGE_AT, &e) == 0)
				fail_msg("byte %zu counts for nothing", i);
			x509_crl_free(crl);
		}
		der[i] ^= 0x01;
	}
	for (size_t cut = 0; cut < len; cut++) {
		uint8_t *exact = malloc(cut ? cut : 1);

		memcpy(exact, der, cut);
		assert_int_equal(x509_crl_load(exact, cut, &crl, &e), -ERR_INVALID);
		free(exact);
	}
	x509_free(root);
}

/* Entries and lists with extensions, built byte by byte: RFC 5280, 5.1. */
static void crls_with_unusual_parts_are_refused(void **state)
{
	static const struct {
		const char *bytes, *words;
		size_t len;
	} entries[] = {
#define ENTRY(words, bytes) { bytes, words, sizeof(bytes) - 1 }
		/* serial 5, a time, reasonCode keyCompromise: usual */
		ENTRY(NULL, "\x30\x20\x02\x01\x05\x17\x0d" "260101000000Z"
			    "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01"),
		/* the same critical */
		ENTRY("entry", "\x30\x23\x02\x01\x05\x17\x0d" "260101000000Z"
			       "\x30\x0f\x30\x0d\x06\x03\x55\x1d\x15\x01\x01\xff\x04\x03\x0a\x01\x01"),
		/* twice */
		ENTRY("entry", "\x30\x2c\x02\x01\x05\x17\x0d" "260101000000Z"
			       "\x30\x18\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01"
			       "\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01"),
		/* none, but a list of them */
		ENTRY("entry", "\x30\x14\x02\x01\x05\x17\x0d" "260101000000Z" "\x30\x00"),
		/* no time */
		ENTRY("revoked", "\x30\x03\x02\x01\x05"),
	};
	static const uint8_t algorithm[] = { 0x30, 0x0a, 0x06, 8,    0x2a, 0x86,
					     0x48, 0xce, 0x3d, 0x04, 0x03, 0x02 };

	for (size_t i = 0; i < ARRAY_LEN(entries); i++) {
		size_t list = entries[i].len, tbs = 3 + 12 + 2 + 15 + 15 + 2 + list;
		uint8_t der[256], *at = der;
		struct x509_crl *crl = NULL;
		struct err e;

		*at++ = 0x30;
		*at++ = 0x81;
		*at++ = (uint8_t)(2 + tbs + 12 + 4);
		*at++ = 0x30;
		*at++ = (uint8_t)tbs;
		at = (uint8_t *)mempcpy(at, "\x02\x01\x01", 3);
		at = (uint8_t *)mempcpy(at, algorithm, 12);
		at = (uint8_t *)mempcpy(at, "\x30\x00", 2);
		at = (uint8_t *)mempcpy(at, "\x17\x0d" "260101000000Z", 15);
		at = (uint8_t *)mempcpy(at, "\x17\x0d" "270101000000Z", 15);
		*at++ = 0x30;
		*at++ = (uint8_t)list;
		at = (uint8_t *)mempcpy(at, entries[i].bytes, list);
		at = (uint8_t *)mempcpy(at, algorithm, 12);
		at = (uint8_t *)mempcpy(at, "\x03\x02\x00\x00", 4);
		if (entries[i].words) {
			assert_int_equal(x509_crl_load(der, (size_t)(at - der), &crl, &e),
					 -ERR_INVALID);
			assert_null(crl);
			continue;
		}
		if (der[2] < 0x80) { /* then the length has a shorter form */
			memmove(der + 1, der + 2, (size_t)(at - der) - 2);
			at--;
		}
		assert_ok(x509_crl_load(der, (size_t)(at - der), &crl, &e), e);
		assert_int_equal(crl->revoked_count, 1);
		x509_crl_free(crl);
	}
}

/* A delta (2.5.29.27) and a list for one distribution point (28) have to be critical, RFC 5280, 5.2;
 * who leaves that out doesn't make a whole list of them. */
static void a_part_of_a_list_is_not_one(void **state)
{
	static const struct {
		uint8_t extension; /* 2.5.29.x */
		bool good;
	} rows[] = { { 20, true }, { 35, true }, { 27, false }, { 28, false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t der[] = "\x30\x53\x30\x41\x02\x01\x01"
				"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x30\x00"
				"\x17\x0d" "260101000000Z" "\x17\x0d" "270101000000Z"
				"\xa0\x10\x30\x0e\x30\x0c\x06\x03\x55\x1d\x14\x04\x05\x02\x03\x01\x00\x00"
				"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02"
				"\x03\x02\x00\x00";
		struct x509_crl *crl = NULL;
		size_t len = sizeof(der) - 1;
		struct err e;

		der[len - 16 - 8] = rows[i].extension;
		if (rows[i].good) {
			assert_ok(x509_crl_load(der, len, &crl, &e), e);
			x509_crl_free(crl);
			continue;
		}
		assert_refused(x509_crl_load(der, len, &crl, &e), e, ERR_INVALID, "a part of a list");
	}
}

static void a_crl_may_be_pem(void **state)
{
	uint8_t der[FORGE_CRL_MAX];
	size_t len = forge_crl(f.root_key, "ARK-Milan", NULL, 0, FORGE_AT, FORGE_AT, der);
	char *text = base64_encode(der, len), pem[8192];
	struct x509_crl *crl = NULL;
	size_t at;
	struct err e;

	at = (size_t)snprintf(pem, sizeof(pem), "-----BEGIN X509 CRL-----\r\n");
	for (size_t i = 0; i < strlen(text); i += 64)
		at += (size_t)snprintf(pem + at, sizeof(pem) - at, "%.64s\r\n", text + i);
	at += (size_t)snprintf(pem + at, sizeof(pem) - at, "-----END X509 CRL-----");
	assert_ok(x509_crl_load(pem, at, &crl, &e), e);
	assert_int_equal(crl->len, len);
	x509_crl_free(crl);
	memcpy(pem + 11, "X509 CRX", 8);
	assert_refused(x509_crl_load(pem, at, &crl, &e), e, ERR_INVALID, "X509 CRL");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_says_what_was_put_in),
		cmocka_unit_test(a_link_holds_only_as_it_was_made),
		cmocka_unit_test(an_issuer_has_to_be_one),
		cmocka_unit_test(signatures_by_others_and_of_other_kinds_are_refused),
		cmocka_unit_test(ecdsa_chains_hold_on_their_own_curve),
		cmocka_unit_test(loading_is_strict),
		cmocka_unit_test(a_key_of_a_kind_that_we_don_t_take_is_refused),
		cmocka_unit_test(every_truncation_and_a_byte_more_is_refused),
		cmocka_unit_test(every_byte_of_a_certificate_counts),
		cmocka_unit_test(both_boundary_seconds_are_valid),
		cmocka_unit_test(pem_is_one_block_and_nothing_else),
		cmocka_unit_test(a_chain_has_1_to_8_certificates),
		cmocka_unit_test(a_crl_names_the_certificates_of_its_issuer),
		cmocka_unit_test(a_crl_is_current_in_both_boundary_seconds),
		cmocka_unit_test(every_byte_of_a_crl_counts),
		cmocka_unit_test(crls_with_unusual_parts_are_refused),
		cmocka_unit_test(a_part_of_a_list_is_not_one),
		cmocka_unit_test(a_crl_may_be_pem),
	};
	return cmocka_run_group_tests(tests, prepare, NULL);
}
