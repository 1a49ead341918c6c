/* SPDX-License-Identifier: Apache-2.0 */
/* Revocation lists. */
#include "attestation/formats/x509_crl.h"
#include "common/base/encode.h"
#include "tests/unit/attestation/snp/certificates.h"

#include <stdio.h>

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
	assert_ok(x509_crl_verify_known(crl, root, X509_RSA4096_PSS_SHA384, FORGE_AT, NULL, &e), e);
	assert_ok(x509_crl_check(crl, ca, &e), e);
	assert_refused(x509_crl_check(crl, leaf, &e), e, ERR_INVALID, "another issuer");
	x509_crl_free(crl);
	crl = crl_of(serials, 3, &e);
	assert_refused(x509_crl_check(crl, ca, &e), e, ERR_DENIED, "revoked");
	assert_ok(x509_crl_check(crl, root, &e), e);
	x509_crl_free(crl);
	crl = crl_of(NULL, 0, &e);
	assert_ok(x509_crl_check(crl, ca, &e), e);
	assert_refused(x509_crl_verify_known(crl, ca, X509_RSA4096_PSS_SHA384, FORGE_AT, NULL, &e),
		       e, ERR_DENIED, "another issuer");
	assert_refused(x509_crl_verify_known(crl, root, X509_P256_SHA256, FORGE_AT, NULL, &e), e,
		       ERR_DENIED, "another algorithm");
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

	assert_ok(x509_crl_verify_known(crl, root, pss, FORGE_AT - 10, NULL, &e), e);
	assert_ok(x509_crl_verify_known(crl, root, pss, FORGE_AT + 10, NULL, &e), e);
	assert_refused(x509_crl_verify_known(crl, root, pss, FORGE_AT - 11, NULL, &e), e,
		       ERR_DENIED, "future");
	assert_refused(x509_crl_verify_known(crl, root, pss, FORGE_AT + 11, NULL, &e), e,
		       ERR_DENIED, "ran out");
	x509_crl_free(crl);
	x509_free(root);
}

static void every_byte_of_a_crl_counts(void **state)
{
	struct x509 *root = load(f.input.ark);
	const long serials[] = { 3, 70000 };
	uint8_t der[FORGE_CRL_MAX];
	size_t len =
		forge_crl(f.root_key, "ARK-Milan", serials, 2, FORGE_AT - 10, FORGE_AT + 10, der);
	struct x509_crl *crl;
	struct err e;

	for (size_t i = 0; i < len; i++) {
		der[i] ^= 0x01;
		if (x509_crl_load(der, len, &crl, &e) == 0) {
			if (x509_crl_verify_known(crl, root, X509_RSA4096_PSS_SHA384, FORGE_AT,
						  NULL, &e) == 0)
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
		ENTRY(NULL, "\x30\x20\x02\x01\x05\x17\x0d"
			    "260101000000Z"
			    "\x30\x0c\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01"),
		/* the same critical */
		ENTRY("entry",
		      "\x30\x23\x02\x01\x05\x17\x0d"
		      "260101000000Z"
		      "\x30\x0f\x30\x0d\x06\x03\x55\x1d\x15\x01\x01\xff\x04\x03\x0a\x01\x01"),
		/* twice */
		ENTRY("entry", "\x30\x2c\x02\x01\x05\x17\x0d"
			       "260101000000Z"
			       "\x30\x18\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01"
			       "\x30\x0a\x06\x03\x55\x1d\x15\x04\x03\x0a\x01\x01"),
		/* none, but a list of them */
		ENTRY("entry", "\x30\x14\x02\x01\x05\x17\x0d"
			       "260101000000Z"
			       "\x30\x00"),
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
		at = (uint8_t *)mempcpy(at,
					"\x17\x0d"
					"260101000000Z",
					15);
		at = (uint8_t *)mempcpy(at,
					"\x17\x0d"
					"270101000000Z",
					15);
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

/* A delta (2.5.29.27) and a list for one distribution point (28) have to be critical, RFC
 * 5280, 5.2; leaving that out does not make them complete lists. */
static void a_part_of_a_list_is_not_one(void **state)
{
	static const struct {
		uint8_t extension; /* 2.5.29.x */
		bool good;
	} rows[] = { { 20, true }, { 35, true }, { 27, false }, { 28, false } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		uint8_t der[] =
			"\x30\x53\x30\x41\x02\x01\x01"
			"\x30\x0a\x06\x08\x2a\x86\x48\xce\x3d\x04\x03\x02\x30\x00"
			"\x17\x0d"
			"260101000000Z"
			"\x17\x0d"
			"270101000000Z"
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
		assert_refused(x509_crl_load(der, len, &crl, &e), e, ERR_INVALID,
			       "a part of a list");
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
		cmocka_unit_test(a_crl_names_the_certificates_of_its_issuer),
		cmocka_unit_test(a_crl_is_current_in_both_boundary_seconds),
		cmocka_unit_test(every_byte_of_a_crl_counts),
		cmocka_unit_test(crls_with_unusual_parts_are_refused),
		cmocka_unit_test(a_part_of_a_list_is_not_one),
		cmocka_unit_test(a_crl_may_be_pem),
	};

	return cmocka_run_group_tests(tests, prepare, NULL);
}
