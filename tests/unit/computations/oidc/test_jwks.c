/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/jws_sign.h"
#include "tests/unit.h"

static struct jwks set;

static int parse(const char *text, struct err *e)
{
	return jwks_parse(text, strlen(text), &set, e);
}

/* A set of one key of ours, in which `from` is `to`. */
static int parse_edited(enum jws_algorithm a, const char *from, const char *to, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(4096);
	CLEANUP_WRITER struct writer all = writer_up_to(4096);
	char *at;

	jws_put_key(&w, a);
	writer_u8(&w, 0);
	at = strstr((char *)w.bytes, from);
	assert_non_null(at);
	writer_text(&all, "{\"keys\":[");
	writer_bytes(&all, w.bytes, (size_t)(at - (char *)w.bytes));
	writer_text(&all, to);
	writer_text(&all, at + strlen(from));
	writer_text(&all, "]}");
	writer_u8(&all, 0);
	return parse((char *)all.bytes, e);
}

static void keys_of_each_algorithm_are_read(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(8192);
	struct err e;

	jws_put_set(&w);
	assert_ok(jwks_parse(w.bytes, w.len, &set, &e), e);
	assert_int_equal(set.count, JWS_ALGORITHMS);
	for (int a = 0; a < JWS_ALGORITHMS; a++) {
		const struct jwks_key *key =
			jwks_find(&set, jws_algorithm_name((enum jws_algorithm)a));

		assert_non_null(key);
		assert_true(key->algorithms & 1U << a);
		assert_int_equal(EVP_PKEY_eq(key->key, jws_sign_key((enum jws_algorithm)a)), 1);
		assert_int_equal(jws_algorithm_find(key->kid), a);
	}
	assert_null(jwks_find(&set, "HS256"));
	for (size_t len = 0; len < w.len; len++) {
		struct jwks cut;

		assert_true(jwks_parse(w.bytes, len, &cut, &e) < 0);
	}
	jwks_done(&set);
}

static void what_is_not_for_us_is_left_out(void **state)
{
	static const char *const others[] = {
		"\"kid\":\"RS256\",", "\"use\":\"enc\",\"kid\":\"a\",",
		"\"kid\":\"RS256\",", "\"kid\":\"RS256\",\"alg\":\"RSA-OAEP\",",
		"\"kid\":\"RS256\",", "\"kid\":\"RS256\",\"alg\":\"HS256\",",
		"\"kid\":\"RS256\",", "\"kid\":\"RS256\",\"key_ops\":[\"encrypt\",1],",
		"\"kid\":\"RS256\",", "",
		"\"kid\":\"RS256\",", "\"kid\":\"\",",
		"\"kty\":\"RSA\"",    "\"kty\":\"oct\",\"k\":\"AAAA\"",
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(others); i += 2) {
		assert_ok(parse_edited(JWS_RS256, others[i], others[i + 1], &e), e);
		assert_int_equal(set.count, 0);
	}
	assert_ok(parse_edited(JWS_ES256, "P-256", "secp256k1", &e), e);
	assert_int_equal(set.count, 0);
	assert_ok(parse("{\"keys\":[],\"more\":1}", &e), e);
	/* And what is, is for what it says alone. */
	assert_ok(parse_edited(JWS_RS256, "\"kty\"",
			       "\"alg\":\"PS256\",\"use\":\"sig\",\"key_ops\":[\"verify\"],\"kty\"",
			       &e),
		  e);
	assert_int_equal(set.keys[0].algorithms, 1 << JWS_PS256);
	jwks_done(&set);
}

static void malformed_sets_are_refused_whole(void **state)
{
	static const struct {
		enum jws_algorithm a;
		const char *from, *to, *words;
	} rows[] = {
		{ JWS_RS256, "AQAB", "Aw", "exponent" },
		{ JWS_RS256, "\"e\":\"AQAB\",", "", "'e' is missing" },
		{ JWS_RS256, "\"n\":\"", "\"n\":\"AAAA", "modulus" },
		{ JWS_RS256, "\"n\":\"", "\"n\":\"\",\"m\":\"", "modulus of 0 bytes" },
		{ JWS_RS256, "\"n\":\"", "\"n\":\"wAAB\",\"m\":\"", "modulus of 3 bytes" },
		{ JWS_RS256, "\"n\":\"", "\"n\":\"+", "base64url" },
		{ JWS_RS256, "\"n\":\"", "\"n\":\"=", "base64url" },
		{ JWS_RS256, "\"n\":\"", "\"n\":1,\"m\":\"", "'n'" },
		{ JWS_RS256, "\"kty\"", "\"d\":\"AQ\",\"kty\"", "private key" },
		{ JWS_RS256, "\"kty\"", "\"use\":1,\"kty\"", "use" },
		{ JWS_RS256, "\"kty\"", "\"key_ops\":1,\"kty\"", "key_ops" },
		{ JWS_RS256, "\"RS256\"", "1", "kid" },
		{ JWS_RS256, "\"kty\":\"RSA\",", "", "kty" },
		{ JWS_ES256, "\"x\":\"", "\"x\":\"AAAA", "coordinates" },
		{ JWS_ES256, "\"x\":\"",
		  "\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"z\":\"", "not a point" },
		{ JWS_ES256, "\"y\"", "\"z\"", "y" },
		{ JWS_EDDSA, "\"x\":\"", "\"x\":\"AAAA", "Ed25519" },
		{ JWS_EDDSA, "\"x\"", "\"z\"", "x" },
	};
	CLEANUP_WRITER struct writer w = writer_up_to(8192);
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (parse_edited(rows[i].a, rows[i].from, rows[i].to, &e) == 0)
			fail_msg("row %zu was taken", i);
		if (!strstr(e.text, rows[i].words))
			fail_msg("row %zu: '%s' does not speak of '%s'", i, e.text, rows[i].words);
		assert_int_equal(set.count, 0);
	}
	assert_true(parse("[]", &e) < 0);
	assert_true(parse("{}", &e) < 0);
	assert_refused(parse("{\"keys\":[1]}", &e), e, ERR_INVALID, "no object");
	writer_text(&w, "{\"keys\":[");
	jws_put_key(&w, JWS_ES256);
	writer_text(&w, ",");
	jws_put_key(&w, JWS_ES256);
	writer_text(&w, "]}");
	assert_refused(jwks_parse(w.bytes, w.len, &set, &e), e, ERR_INVALID, "two keys");
}

static void limits_are_exact(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(JWKS_MAX + 1);
	char kid[JWKS_KID_MAX + 16];
	struct err e;

	for (int over = 0; over < 2; over++) {
		writer_text(&w, "{\"keys\":[{\"kty\":\"x\"}");
		for (int i = 1; i < JWKS_KEYS_MAX + over; i++)
			writer_text(&w, ",{\"kty\":\"x\"}");
		writer_text(&w, "]}");
		if (over)
			assert_refused(jwks_parse(w.bytes, w.len, &set, &e), e, ERR_INVALID,
				       "65 keys");
		else
			assert_ok(jwks_parse(w.bytes, w.len, &set, &e), e);
		writer_done(&w);
		w.max = JWKS_MAX + 1;
		memset(kid, 'k', sizeof(kid));
		kid[0] = kid[1 + JWKS_KID_MAX + over] = '"';
		kid[2 + JWKS_KID_MAX + over] = '\0';
		if (over)
			assert_refused(parse_edited(JWS_EDDSA, "\"EdDSA\"", kid, &e), e,
				       ERR_INVALID, "a kid of more");
		else
			assert_ok(parse_edited(JWS_EDDSA, "\"EdDSA\"", kid, &e), e);
		jwks_done(&set);
	}
	writer_text(&w, "{\"keys\":[]}");
	while (w.len < JWKS_MAX)
		writer_text(&w, " ");
	assert_ok(jwks_parse(w.bytes, w.len, &set, &e), e);
	writer_text(&w, " ");
	assert_refused(jwks_parse(w.bytes, w.len, &set, &e), e, ERR_INVALID, "at most");
}

static int leave(void **state)
{
	jws_sign_done();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_each_algorithm_are_read),
		cmocka_unit_test(what_is_not_for_us_is_left_out),
		cmocka_unit_test(malformed_sets_are_refused_whole),
		cmocka_unit_test(limits_are_exact),
	};

	return cmocka_run_group_tests(tests, NULL, leave);
}
