/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/identity.h"
#include "tests/self_signed.h"
#include "tests/unit.h"

#include <openssl/pem.h>

static EVP_PKEY *key;

static int make_key(void **state)
{
	key = EVP_EC_gen("P-256");
	return key ? 0 : -1;
}

static int free_key(void **state)
{
	EVP_PKEY_free(key);
	return 0;
}

/* The SPIFFE id of a certificate with those alternative names, which the caller frees. */
static char *spiffe_of(const char *names)
{
	const struct self_signed_extension extension = { NID_subject_alt_name, names };
	CLEANUP(X509_free) X509 *cert = self_signed(key, "x", &extension, names ? 1 : 0);

	assert_non_null(cert);
	return identity_spiffe(cert);
}

static void one_uri_is_an_id(void **state)
{
	static const struct {
		const char *names, *id;
	} rows[] = {
		{ "URI:spiffe://example.org/ns/a/sa/b", "spiffe://example.org/ns/a/sa/b" },
		{ "URI:spiffe://example.org", "spiffe://example.org" },
		{ "DNS:a.example,URI:spiffe://a/b", "spiffe://a/b" },
		{ "URI:spiffe://a/b,URI:spiffe://a/c", NULL },
		{ "URI:spiffe://a/b,URI:https://a", NULL },
		{ "URI:https://example.org", NULL },
		{ "URI:spiffe://", NULL },
		{ "URI:spiffe:///a", NULL },
		{ "URI:spiffe://a/", NULL },
		{ "URI:SPIFFE://a/b", NULL },
		{ "URI:spiffe://a/b c", NULL },
		{ "URI:spiffe://a/b?c", NULL },
		{ "DNS:spiffe", NULL },
		{ NULL, NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free) char *id = spiffe_of(rows[i].names);

		if (rows[i].id ? !id || strcmp(id, rows[i].id) != 0 : id != NULL)
			fail_msg("%s: %s", rows[i].names ? rows[i].names : "none",
				 id ? id : "none");
	}
}

static void an_id_has_a_length(void **state)
{
	char names[RPC_SPIFFE_MAX + 16] = "URI:spiffe://";
	size_t at = strlen(names);
	char *id;

	memset(names + at, 'a', RPC_SPIFFE_MAX + 4 - at);
	id = spiffe_of(names);
	assert_non_null(id);
	assert_int_equal(strlen(id), RPC_SPIFFE_MAX);
	free(id);
	names[RPC_SPIFFE_MAX + 4] = 'a';
	assert_null(spiffe_of(names));
}

/* An id that a C string would cut short is none. */
static void a_zero_within_is_no_id(void **state)
{
	static const char with_zero[] = "spiffe://a/b\0/c";
	CLEANUP(X509_free) X509 *cert = self_signed(key, "x", NULL, 0);
	GENERAL_NAMES *names = sk_GENERAL_NAME_new_null();
	GENERAL_NAME *name = GENERAL_NAME_new();
	ASN1_IA5STRING *uri = ASN1_IA5STRING_new();

	assert_int_equal(ASN1_STRING_set(uri, with_zero, sizeof(with_zero) - 1), 1);
	GENERAL_NAME_set0_value(name, GEN_URI, uri);
	sk_GENERAL_NAME_push(names, name);
	assert_int_equal(X509_add1_ext_i2d(cert, NID_subject_alt_name, names, 0, 0), 1);
	sk_GENERAL_NAME_pop_free(names, GENERAL_NAME_free);
	assert_null(identity_spiffe(cert));
}

static void a_subject_is_text_without_control_characters(void **state)
{
	CLEANUP(X509_free) X509 *cert = self_signed(key, "anna\n, O=evil", NULL, 0);
	CLEANUP(free) char *subject = identity_subject(cert), *issuer = identity_issuer(cert);

	assert_string_equal(subject, "CN=anna\\0A\\, O=evil");
	assert_string_equal(issuer, subject);
}

static void a_subject_has_a_length(void **state)
{
	CLEANUP(X509_free) X509 *cert = self_signed(key, "a", NULL, 0);
	char part[64 + 1];
	CLEANUP(free) char *subject = NULL;

	memset(part, 'b', 64);
	part[64] = '\0';
	/* "CN=a" and seven times ",OU=" with 64, and one with 24: 512 */
	for (int i = 0; i < 8; i++) {
		X509_NAME *name = X509_get_subject_name(cert);

		if (i == 7)
			part[RPC_SUBJECT_MAX - 4 - 7 * 68 - 4] = '\0';
		assert_int_equal(X509_NAME_add_entry_by_txt(name, "OU", MBSTRING_ASC,
							    (const unsigned char *)part, -1, -1, 0),
				 1);
	}
	subject = identity_subject(cert);
	assert_non_null(subject);
	assert_int_equal(strlen(subject), RPC_SUBJECT_MAX);
	assert_int_equal(X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "C", MBSTRING_ASC,
						    (const unsigned char *)"DE", -1, -1, 0),
			 1);
	assert_null(identity_subject(cert));
}

/* Those that nobody else has given: only they are trusted for themselves. */
static void authorities_are_those_of_no_other(void **state)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	CLEANUP(X509_free) X509 *one = self_signed(key, "one", NULL, 0);
	CLEANUP(X509_free) X509 *two = self_signed(key, "two", NULL, 0);
	CLEANUP(X509_free) X509 *between = self_signed(key, "between", NULL, 0);
	unsigned count;
	struct err e;

	assert_ok(identity_authorities(NULL, &count, &e), e);
	assert_int_equal(count, 0);
	assert_true(X509_set_issuer_name(between, X509_get_subject_name(one)) &&
		    X509_sign(between, key, EVP_sha256()));
	for (unsigned i = 0; i < 3; i++) {
		X509 *const certs[] = { one, between, two };
		char *text;
		long len;

		assert_true(PEM_write_bio_X509(bio, certs[i]));
		len = BIO_get_mem_data(bio, &text);
		CLEANUP(free) char *pem = strndup(text, (size_t)len);
		assert_ok(identity_authorities(pem, &count, &e), e);
		assert_int_equal(count, i == 2 ? 2 : 1);
	}
}

/* One that stands there twice, or was renewed, is one. */
static void an_authority_counts_once(void **state)
{
	CLEANUP(BIO_free_all) BIO *bio = BIO_new(BIO_s_mem());
	CLEANUP(X509_free) X509 *one = self_signed(key, "one", NULL, 0);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *other_key = EVP_EC_gen("P-256");
	CLEANUP(X509_free) X509 *other = self_signed(other_key, "one", NULL, 0);
	unsigned count;
	struct err e;

	for (unsigned i = 0; i < 3; i++) {
		char *text;
		long len;

		assert_true(PEM_write_bio_X509(bio, i < 2 ? one : other));
		assert_true(ASN1_INTEGER_set(X509_get_serialNumber(one), 2) &&
			    X509_sign(one, key, EVP_sha256()));
		len = BIO_get_mem_data(bio, &text);
		CLEANUP(free) char *pem = strndup(text, (size_t)len);
		assert_ok(identity_authorities(pem, &count, &e), e);
		assert_int_equal(count, i == 2 ? 2 : 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_uri_is_an_id),
		cmocka_unit_test(authorities_are_those_of_no_other),
		cmocka_unit_test(an_authority_counts_once),
		cmocka_unit_test(an_id_has_a_length),
		cmocka_unit_test(a_zero_within_is_no_id),
		cmocka_unit_test(a_subject_is_text_without_control_characters),
		cmocka_unit_test(a_subject_has_a_length),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
