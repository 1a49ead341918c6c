/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/der.h"
#include "common/crypto/crl.h"
#include "tests/unit/common/crypto/crl_room.h"

#define SIGNS "critical,keyCertSign,cRLSign"

static void a_list_says_who_when_and_whom(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	static const long serials[] = { 300, 5, 70000, 128, 0 };
	CLEANUP(crl_free)
	struct crl *crl = crl_room_read(&ca, &(struct crl_room_list){ .serials = serials });
	char text[CRL_SERIAL_TEXT_MAX];
	struct err e;

	assert_string_equal(crl_issuer(crl), "CN=one");
	assert_int_equal(crl_this_update(crl), CRL_ROOM_NOW - 3600);
	assert_int_equal(crl_next_update(crl), CRL_ROOM_NOW + 3600);
	assert_int_equal(crl_count(crl), 4);
	assert_null(crl_signer(crl));
	assert_false(crl_is_signed_by(crl, ca.cert));
	assert_ok(crl_verify(crl, ca.cert, &e), e);
	assert_ptr_equal(crl_signer(crl), ca.cert);
	assert_true(crl_is_signed_by(crl, ca.cert));
	for (long serial = 1; serial < 70010; serial = serial < 400 ? serial + 1 : serial + 7) {
		CLEANUP(X509_free)
		X509 *cert = crl_room_cert("x", serial == 400 ? 70000 : serial, ca.key, NULL, &ca);
		bool is_named = serial == 5 || serial == 128 || serial == 300 || serial == 400;

		assert_int_equal(crl_names(crl, cert), is_named);
		crl_serial_text(cert, text);
		assert_true(*text && strspn(text, "0123456789abcdef") == strlen(text));
		if (serial > 1000)
			break;
	}
}

static void a_serial_that_no_list_can_have_is_named_by_all(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	CLEANUP(crl_free) struct crl *crl = crl_room_read(&ca, &(struct crl_room_list){ 0 });
	CLEANUP(X509_free) X509 *cert = crl_room_cert("x", 6, ca.key, NULL, &ca);
	uint8_t bytes[CRL_SERIAL_MAX + 1];
	char text[CRL_SERIAL_TEXT_MAX];

	memset(bytes, 0x11, sizeof(bytes));
	for (int len = CRL_SERIAL_MAX; len <= CRL_SERIAL_MAX + 1; len++) {
		ASN1_STRING_set(X509_get_serialNumber(cert), bytes, len);
		assert_int_equal(crl_names(crl, cert), len > CRL_SERIAL_MAX);
		crl_serial_text(cert, text);
		assert_int_equal(strlen(text), len > CRL_SERIAL_MAX ? 1 : 2 * CRL_SERIAL_MAX);
	}
}

static void both_versions_are_lists(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", NULL);
	static const long none[] = { 0 };
	CLEANUP(crl_free)
	struct crl *first = crl_room_read(&ca, &(struct crl_room_list){ .is_first = true });
	CLEANUP(crl_free)
	struct crl *empty = crl_room_read(&ca, &(struct crl_room_list){ .serials = none });
	struct err e;

	assert_int_equal(crl_count(first), 1);
	assert_int_equal(crl_count(empty), 0);
	assert_ok(crl_verify(first, ca.cert, &e), e); /* without keyUsage it may */
}

static void parts_and_what_is_critical_are_refused(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	static const struct {
		struct crl_room_list list;
		const char *words;
	} rows[] = {
		{ { .oid = "2.5.29.27", .critical = true }, "delta list" },
		{ { .oid = "2.5.29.27" }, "delta list" },
		{ { .oid = "2.5.29.28", .critical = true }, "one distribution point" },
		{ { .oid = "2.5.29.28" }, "one distribution point" },
		{ { .oid = "1.2.3.4", .critical = true }, "critical extension" },
		{ { .oid = "2.5.29.20" }, "twice" },
		{ { .oid = "2.5.29.20", .number = -1 }, "malformed crlNumber" },
		{ { .oid = "2.5.29.29", .critical = true, .in_entry = true },
		  "critical extension" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct crl *crl = NULL;
		size_t len;
		uint8_t *der = crl_room_der(&ca, &rows[i].list, &len);
		struct err e;

		assert_refused(crl_read(der, len, &crl, &e), e, ERR_INVALID, rows[i].words);
		assert_non_null(strstr(e.text, "CN=one"));
		OPENSSL_free(der);
	}
	crl_free(crl_room_read(&ca, &(struct crl_room_list){ .oid = "1.2.3.4" }));
	crl_free(crl_room_read(&ca, &(struct crl_room_list){ .oid = "1.2.3.4", .in_entry = true }));
}

/* DER's only form: one with a zero in front would be a larger one than it is, and one without a byte none at all. */
static void a_number_has_one_form(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	static const struct {
		uint8_t bytes[4];
		int len;
		bool is_good;
	} rows[] = {
		{ { 2, 1, 5 }, 3, true },        { { 2, 2, 0, 0x80 }, 4, true },
		{ { 2, 0 }, 2, false },          { { 2, 2, 0, 5 }, 4, false },
		{ { 2, 0x81, 1, 5 }, 4, false }, { { 2, 1, 0x80 }, 3, false },
		{ { 2, 1, 5, 0 }, 4, false },    { { 4, 1, 5 }, 3, false },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const struct crl_room_list list = { .number = -1,
						    .oid = "2.5.29.20",
						    .value = rows[i].bytes,
						    .value_len = rows[i].len };
		CLEANUP(crl_free) struct crl *crl = NULL;
		size_t len;
		uint8_t *der = crl_room_der(&ca, &list, &len);
		struct err e;

		if (rows[i].is_good)
			assert_ok(crl_read(der, len, &crl, &e), e);
		else
			assert_refused(crl_read(der, len, &crl, &e), e, ERR_INVALID,
				       "malformed crlNumber");
		OPENSSL_free(der);
	}
}

static void what_is_cut_or_has_more_is_refused(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	struct crl *crl = NULL;
	size_t len;
	uint8_t *der = crl_room_der(&ca, &(struct crl_room_list){ 0 }, &len);
	CLEANUP(free) uint8_t *more = calloc(1, len + 1);
	struct err e;

	for (size_t cut = 0; cut < len; cut++)
		assert_int_equal(crl_read(der, cut, &crl, &e), -ERR_INVALID);
	memcpy(more, der, len);
	assert_int_equal(crl_read(more, len + 1, &crl, &e), -ERR_INVALID);
	assert_refused(crl_read(more, CRL_MAX + (size_t)1, &crl, &e), e, ERR_INVALID, "1 to");
	assert_null(crl);
	OPENSSL_free(der);
}

/* A bit that differs leads to no list, or to none that the authority signed. */
static void each_bit_counts(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	size_t len;
	uint8_t *der = crl_room_der(&ca, &(struct crl_room_list){ 0 }, &len);
	unsigned read = 0;
	struct err e;

	for (size_t bit = 0; bit < 8 * len; bit++) {
		CLEANUP(crl_free) struct crl *crl = NULL;

		der[bit / 8] ^= (uint8_t)(1 << bit % 8);
		if (crl_read(der, len, &crl, &e) == 0) {
			read++;
			assert_int_equal(crl_verify(crl, ca.cert, &e), -ERR_DENIED);
			assert_null(crl_signer(crl));
		}
		der[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	assert_true(read > 100);
	OPENSSL_free(der);
}

static void only_its_authority_signs_it(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	struct crl_room_ca other CLEANUP_CA = crl_room_ca("other", SIGNS);
	struct crl_room_ca twin CLEANUP_CA = crl_room_ca("one", SIGNS);
	CLEANUP(crl_free) struct crl *crl = crl_room_read(&ca, &(struct crl_room_list){ 0 });
	CLEANUP(crl_free)
	struct crl *weak = crl_room_read(&ca, &(struct crl_room_list){ .digest = EVP_sha1() });
	CLEANUP(X509_free)
	X509 *no_lists = crl_room_cert("one", 1, ca.key, "critical,keyCertSign", NULL);
	struct err e;

	assert_refused(crl_verify(crl, other.cert, &e), e, ERR_DENIED, "another issuer");
	assert_refused(crl_verify(crl, twin.cert, &e), e, ERR_DENIED, "did not sign it");
	assert_refused(crl_verify(crl, no_lists, &e), e, ERR_DENIED, "keyUsage");
	assert_refused(crl_verify(weak, ca.cert, &e), e, ERR_DENIED, "weaker than SHA-256");
	assert_ok(crl_verify(crl, ca.cert, &e), e);
	assert_false(crl_is_signed_by(crl, no_lists));
	assert_false(crl_is_signed_by(crl, twin.cert));
}

/* With PSS, the digest is a parameter of the signature, and SHA-1 where none is named. */
static void nor_does_a_weak_digest_within_pss(void **state)
{
	const struct {
		const EVP_MD *digest;
		bool is_sound;
	} rows[] = { { EVP_sha256(), true },
		     { EVP_sha384(), true },
		     { EVP_sha1(), false },
		     { EVP_sha224(), false } };
	struct crl_room_ca ca CLEANUP_CA = { .key = EVP_RSA_gen(2048) };
	struct err e;

	assert_non_null(ca.key);
	ca.cert = crl_room_cert("one", 1, ca.key, SIGNS, NULL);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(crl_free)
		struct crl *crl = crl_room_read(
			&ca, &(struct crl_room_list){ .digest = rows[i].digest, .pss = true });

		if (rows[i].is_sound)
			assert_ok(crl_verify(crl, ca.cert, &e), e);
		else
			assert_refused(crl_verify(crl, ca.cert, &e), e, ERR_DENIED,
				       "weaker than SHA-256");
	}
}

static void numbers_say_which_is_older(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	static const struct crl_room_list lists[] = {
		{ .number = 7 },
		{ .number = 200, .from = CRL_ROOM_NOW - 7200 },
		{ .number = 200 },
		{ .number = 70000, .from = CRL_ROOM_NOW - 7200 },
	};
	CLEANUP(crl_free)
	struct crl *none = crl_room_read(&ca, &(struct crl_room_list){ .number = -1 });
	struct crl *all[ARRAY_LEN(lists)];

	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		all[i] = crl_room_read(&ca, &lists[i]);
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		for (size_t k = 0; k < ARRAY_LEN(lists); k++) {
			assert_int_equal(crl_is_older(all[i], all[k]), i < k);
			assert_int_equal(crl_is_same(all[i], all[k]), i == k);
		}
	/* Without one it is the time. */
	assert_true(crl_is_older(all[3], none));
	assert_false(crl_is_older(none, all[3]));
	assert_false(crl_is_older(none, all[0]) || crl_is_older(all[0], none));
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		crl_free(all[i]);
}

/* Entries of 21 bytes, one more than may be. */
static void more_entries_than_may_be_are_refused(void **state)
{
	struct crl_room_ca ca CLEANUP_CA = crl_room_ca("one", SIGNS);
	CLEANUP(free) long *serials = calloc(CRL_ENTRIES_MAX + 2, sizeof(*serials));
	struct crl *crl = NULL;
	struct err e;

	for (size_t i = 0; i <= CRL_ENTRIES_MAX; i++)
		serials[i] = (long)i + 1;
	for (size_t more = 0; more < 2; more++) {
		serials[CRL_ENTRIES_MAX] = more ? CRL_ENTRIES_MAX + 1 : 0;
		size_t len;
		uint8_t *der =
			crl_room_der(&ca, &(struct crl_room_list){ .serials = serials }, &len);

		if (more)
			assert_refused(crl_read(der, len, &crl, &e), e, ERR_INVALID,
				       "more than 200000 entries");
		else
			assert_ok(crl_read(der, len, &crl, &e), e);
		OPENSSL_free(der);
	}
	assert_int_equal(crl_count(crl), CRL_ENTRIES_MAX);
	crl_free(crl);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_list_says_who_when_and_whom),
		cmocka_unit_test(a_serial_that_no_list_can_have_is_named_by_all),
		cmocka_unit_test(both_versions_are_lists),
		cmocka_unit_test(parts_and_what_is_critical_are_refused),
		cmocka_unit_test(a_number_has_one_form),
		cmocka_unit_test(what_is_cut_or_has_more_is_refused),
		cmocka_unit_test(each_bit_counts),
		cmocka_unit_test(only_its_authority_signs_it),
		cmocka_unit_test(nor_does_a_weak_digest_within_pss),
		cmocka_unit_test(numbers_say_which_is_older),
		cmocka_unit_test(more_entries_than_may_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
