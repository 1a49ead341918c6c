/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/cose.h"
#include "common/base/encode.h"
#include "common/base/writer.h"
#include "tests/vectors.h"

static int verify(const uint8_t *msg, size_t len, EVP_PKEY *key, const uint8_t *aad, size_t aad_len,
		  struct cose *m, struct err *e)
{
	if (cose_parse(msg, len, NULL, 0, m, e) < 0)
		return err_code(e);
	if (cose_verify(m, key, aad, aad_len, e) < 0) {
		cose_done(m);
		return err_code(e);
	}
	return 0;
}

static void run_case(const struct vector_case *c)
{
	size_t len, key_len, aad_len = 0;
	CLEANUP(free) uint8_t *msg = vector_file(c, "msg.cbor", &len);
	CLEANUP(free) uint8_t *pem = vector_file(c, "key.pem", &key_len);
	CLEANUP(free)
	uint8_t *aad = vector_has(c, "aad.bin") ? vector_file(c, "aad.bin", &aad_len) : NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	uint8_t payload[256];
	struct cose m;
	struct err e;

	assert_ok(key_from_public_pem((char *)pem, key_len, &key, &e), e);
	bool yes = verify(msg, len, key, aad, aad_len, &m, &e) == 0;
	if (yes != vector_accepts(c))
		fail_msg("%s: %s", c->name, yes ? "accepted" : e.text);
	if (!yes)
		return;
	assert_string_equal(cose_algorithm_name(m.algorithm), vector_text(c, "fields.alg"));
	assert_int_equal(vector_hex(c, "fields.payload", payload, sizeof(payload)), m.payload_len);
	assert_memory_equal(payload, m.payload, m.payload_len);
	cose_done(&m);
}

static void the_published_messages_are_judged_right(void **state)
{
	VECTORS_OR_SKIP();
	assert_int_equal(vectors_walk("cose-eat", "cose-", run_case), 13);
}

static const enum key_kind kinds[] = { KEY_RSA, KEY_ECDSA, KEY_ED25519 };

static void make(EVP_PKEY *key, struct writer *w)
{
	const struct cose_content c = { .payload = "payload",
					.payload_len = 7,
					.aad = "aad",
					.aad_len = 3,
					.kid = "me",
					.kid_len = 2,
					.content_type = "text/plain" };
	struct err e;

	assert_ok(cose_sign(&c, key, w, &e), e);
}

static void what_we_sign_verifies_and_no_bit_can_change(void **state)
{
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		CLEANUP_WRITER struct writer w = writer_up_to(8192);
		CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
		struct cose m;
		struct err e;

		assert_ok(key_generate(kinds[k], &key, &e), e);
		make(key, &w);
		assert_ok(verify(w.bytes, w.len, key, (const uint8_t *)"aad", 3, &m, &e), e);
		/* The key id is outside the signature, as COSE wants; nothing reads it as proof. */
		size_t kid = (size_t)(m.unprotected->items[1].bytes - w.bytes);
		cose_done(&m);
		assert_true(verify(w.bytes, w.len, key, (const uint8_t *)"aae", 3, &m, &e) < 0);
		/* RSA is slow: it gets one bit of each byte, the others every bit. */
		for (size_t bit = 0; bit < 8 * w.len; bit += kinds[k] == KEY_RSA ? 9 : 1) {
			if (bit / 8 >= kid - 3 && bit / 8 < kid + 2)
				continue;
			w.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
			if (verify(w.bytes, w.len, key, (const uint8_t *)"aad", 3, &m, &e) == 0)
				fail_msg("bit %zu of kind %zu is not covered", bit, k);
			w.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
		}
		for (size_t len = 0; len < w.len; len++)
			assert_true(verify(w.bytes, len, key, (const uint8_t *)"aad", 3, &m, &e) <
				    0);
	}
}

static void the_algorithm_must_be_the_key_s(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *one = NULL;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *other = EVP_EC_gen("P-384");
	CLEANUP_WRITER struct writer w = writer_up_to(8192);
	struct cose m;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &one, &e), e);
	make(one, &w);
	assert_refused(verify(w.bytes, w.len, other, (const uint8_t *)"aad", 3, &m, &e), e,
		       ERR_DENIED, "algorithm ES256 is not that of the key");
	/* EdDSA names no curve, and OpenSSL takes an EC key where no hash is named. */
	CLEANUP(EVP_PKEY_free) EVP_PKEY *edwards = NULL;
	CLEANUP_WRITER struct writer signed_ = writer_up_to(8192);
	assert_ok(key_generate(KEY_ED25519, &edwards, &e), e);
	make(edwards, &signed_);
	assert_refused(verify(signed_.bytes, signed_.len, one, (const uint8_t *)"aad", 3, &m, &e),
		       e, ERR_DENIED, "algorithm EdDSA is not that of the key");
}

/* r and s come first, and are right: what follows them is no signature's. */
static void a_signature_has_the_length_of_its_algorithm(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(8192);
	uint8_t longer[65] = { 0 };
	struct cose m;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	make(key, &w);
	assert_ok(cose_parse(w.bytes, w.len, NULL, 0, &m, &e), e);
	assert_int_equal(m.signature_len, 64);
	memcpy(longer, m.signature, m.signature_len);
	m.signature = longer;
	assert_ok(cose_verify(&m, key, "aad", 3, &e), e);
	m.signature_len = sizeof(longer);
	assert_refused(cose_verify(&m, key, "aad", 3, &e), e, ERR_DENIED,
		       "a signature of 65 bytes");
	m.signature_len = 63;
	assert_refused(cose_verify(&m, key, "aad", 3, &e), e, ERR_DENIED,
		       "a signature of 63 bytes");
	cose_done(&m);
}

static void headers_have_one_place_and_one_meaning(void **state)
{
	static const struct {
		const char *hex, *words;
	} bad[] = {
		{ "d28443a10126a102810141705840000000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000000000"
		  "0000000000000000",
		  "crit outside" },
		{ "d28443a10126a101264170584000000000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000000000"
		  "00000000000000",
		  "wrong place" },
		{ "d28446a2012604416ba104416b41705840000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000000000"
		  "0000000000000000000000",
		  "wrong place" },
		{ "d284428101a04170584000000000000000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000000000"
		  "00000000",
		  "is not a map" },
		{ "d28440a041705840000000000000000000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000000000"
		  "0000",
		  "protected header of 0" },
		{ "d28444a104416ba0417058400000000000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000000000"
		  "000000000000",
		  "no algorithm" },
		{ "d28448a101654553323536a04170584000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000000000"
		  "00000000000000000000",
		  "no algorithm" },
		{ "d28445a201260205a04170584000000000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000000000"
		  "00000000000000",
		  "not an array" },
		{ "d28447a2012602816178a0417058400000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000000000"
		  "000000000000000000",
		  "critical header" },
		{ "d28446a20126028103a041705840000000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000000000"
		  "0000000000000000",
		  "critical header" },
		{ "d2844aa3012602811863186301a0417058400000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000000000"
		  "000000000000000000000000",
		  "critical header" },
		{ "d28446a20126616101a161610241704100", "in both places" },
		{ "d28446a20126054169a106417041704100", "exclude each other" },
		{ "d28443a10126a205416906417041704100", "exclude each other" },
		{ "d28443a10126a0f6584000000000000000000000000000000000000000000000000000"
		  "0000000000000000000000000000000000000000000000000000000000000000000000"
		  "00000000",
		  "payload is missing" },
		{ "d28340a040", "headers, payload, signature" },
		{ "d28440804040", "headers, payload, signature" },
		{ "d18440a04040", "tag 18" },
	};
	static const int64_t known[] = { 99 };
	static const char crit[] =
		"d2844ea401260282186303186301036174a04170584000000000000000000000000000"
		"0000000000000000000000000000000000000000000000000000000000000000000000"
		"00000000000000000000000000000000";
	uint8_t bytes[512];
	size_t len;
	struct cose m;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		assert_ok(hex_decode_up_to(bad[i].hex, bytes, sizeof(bytes), &len, &e), e);
		if (cose_parse(bytes, len, NULL, 0, &m, &e) == 0)
			fail_msg("%s: accepted", bad[i].words);
		if (!strstr(e.text, bad[i].words))
			fail_msg("'%s' is not '%s'", e.text, bad[i].words);
	}
	/* One that the caller understands. */
	assert_ok(hex_decode_up_to(crit, bytes, sizeof(bytes), &len, &e), e);
	assert_ok(cose_parse(bytes, len, known, 1, &m, &e), e);
	cose_done(&m);
	assert_true(cose_parse(bytes, len, NULL, 0, &m, &e) < 0);
	assert_refused(cose_parse(bytes, (size_t)COSE_MAX + 1, NULL, 0, &m, &e), e, ERR_EXHAUSTED,
		       "at most");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_published_messages_are_judged_right),
		cmocka_unit_test(what_we_sign_verifies_and_no_bit_can_change),
		cmocka_unit_test(the_algorithm_must_be_the_key_s),
		cmocka_unit_test(a_signature_has_the_length_of_its_algorithm),
		cmocka_unit_test(headers_have_one_place_and_one_meaning),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
