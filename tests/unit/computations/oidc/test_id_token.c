/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/oidc/id_token.h"
#include "tests/jws_sign.h"
#include "tests/unit.h"

enum { NOW = 1700000000 };

static const struct id_token_want want = { "https://idp.example/x", "cocos", "n-1", NOW };
static struct jwks keys;

#define MADE "\"iss\":\"https://idp.example/x\",\"aud\":\"cocos\",\"nonce\":\"n-1\","
#define WHEN "\"iat\":1700000000,\"exp\":1700000300,"
#define GOOD "{" MADE WHEN "\"sub\":\"248289761001\"}"

static void sign(struct writer *w, enum jws_algorithm a, const char *header, const char *claims)
{
	writer_done(w);
	*w = writer_up_to(4 * JWS_MAX);
	jws_put_token(w, a, header, claims, strlen(claims));
}

static int read_token(const char *text, struct err *e)
{
	struct id_token token;

	if (id_token_read(text, &keys, &want, &token, e) < 0)
		return err_code(e);
	id_token_done(&token);
	return 0;
}

static int read_claims(const char *claims, struct err *e)
{
	CLEANUP_WRITER struct writer w = { .bytes = NULL };

	sign(&w, JWS_ES256, "{\"alg\":\"ES256\",\"kid\":\"ES256\"}", claims);
	return read_token((char *)w.bytes, e);
}

static void each_algorithm_verifies_by_its_own_key(void **state)
{
	CLEANUP_WRITER struct writer w = { .bytes = NULL };
	char header[128];
	struct id_token token;
	struct err e;

	for (int a = 0; a < JWS_ALGORITHMS; a++)
		for (int named = 0; named < JWS_ALGORITHMS; named++)
			for (int kid = 0; kid < JWS_ALGORITHMS; kid++) {
				snprintf(header, sizeof(header),
					 "{\"alg\":\"%s\",\"kid\":\"%s\",\"typ\":\"JWT\"}",
					 jws_algorithm_name((enum jws_algorithm)named),
					 jws_algorithm_name((enum jws_algorithm)kid));
				sign(&w, (enum jws_algorithm)a, header, GOOD);
				if (a == named && a == kid) {
					assert_ok(id_token_read((char *)w.bytes, &keys, &want,
								&token, &e),
						  e);
					assert_string_equal(token.subject, "248289761001");
					id_token_done(&token);
				} else if (read_token((char *)w.bytes, &e) != -ERR_DENIED) {
					fail_msg("%d as %d by key %d: %s", a, named, kid, e.text);
				}
			}
}

static void every_changed_character_is_refused(void **state)
{
	CLEANUP_WRITER struct writer w = { .bytes = NULL };
	struct err e;

	sign(&w, JWS_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\"}", GOOD);
	assert_ok(read_token((char *)w.bytes, &e), e);
	for (size_t i = 0; i < w.len; i++) {
		uint8_t kept = w.bytes[i];

		w.bytes[i] = kept == 'A' ? 'B' : 'A';
		assert_true(read_token((char *)w.bytes, &e) < 0);
		w.bytes[i] = '\0';
		assert_true(read_token((char *)w.bytes, &e) < 0);
		w.bytes[i] = kept;
	}
}

/* Whatever signed it: none of these may even be looked at. */
static void other_headers_are_refused(void **state)
{
	static const struct {
		const char *header, *words;
		enum err_code code;
	} rows[] = {
		{ "{\"alg\":\"none\",\"kid\":\"ES256\"}", "accepted", ERR_DENIED },
		{ "{\"alg\":\"None\",\"kid\":\"ES256\"}", "accepted", ERR_DENIED },
		{ "{\"alg\":\"HS256\",\"kid\":\"ES256\"}", "accepted", ERR_DENIED },
		{ "{\"alg\":\"ES384\",\"kid\":\"ES256\"}", "accepted", ERR_DENIED },
		{ "{\"alg\":\"es256\",\"kid\":\"ES256\"}", "accepted", ERR_DENIED },
		{ "{\"alg\":\"\",\"kid\":\"ES256\"}", "accepted", ERR_DENIED },
		{ "{\"alg\":[\"ES256\"],\"kid\":\"ES256\"}", "alg", ERR_INVALID },
		{ "{\"kid\":\"ES256\"}", "alg", ERR_NOT_FOUND },
		{ "{\"alg\":\"ES256\"}", "kid", ERR_NOT_FOUND },
		{ "{\"alg\":\"ES256\",\"kid\":\"\"}", "kid", ERR_DENIED },
		{ "{\"alg\":\"ES256\",\"kid\":\"other\"}", "no key of its kid 'other'",
		  ERR_NOT_FOUND },
		{ "{\"alg\":\"ES256\",\"kid\":\"ES256\",\"crit\":[\"b64\"],\"b64\":false}",
		  "critical", ERR_DENIED },
		{ "{\"alg\":\"ES256\",\"alg\":\"ES256\",\"kid\":\"ES256\"}", "header",
		  ERR_INVALID },
		{ "[]", "header", ERR_INVALID },
	};
	CLEANUP_WRITER struct writer w = { .bytes = NULL };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		sign(&w, JWS_ES256, rows[i].header, GOOD);
		if (read_token((char *)w.bytes, &e) == 0 || !strstr(e.text, rows[i].words))
			fail_msg("row %zu: %s", i, e.text);
	}
	/* A key that the token brings itself is the signer's own word. */
	sign(&w, JWS_EDDSA,
	     "{\"alg\":\"ES256\",\"kid\":\"ES256\",\"jwk\":{\"kty\":\"OKP\"},\"jku\":\"https://x\"}",
	     GOOD);
	assert_int_equal(read_token((char *)w.bytes, &e), -ERR_DENIED);
}

static void claims_are_judged_one_by_one(void **state)
{
#define WITH(iss, aud, nonce, times, sub) \
	"{\"iss\":" iss ",\"aud\":" aud ",\"nonce\":" nonce "," times ",\"sub\":" sub "}"
#define ISS   "\"https://idp.example/x\""
#define TIMES "\"iat\":1700000000,\"exp\":1700000300"
	static const struct {
		const char *claims, *words; /* NULL: taken */
	} rows[] = {
		{ GOOD, NULL },
		{ WITH("\"https://idp.example/x/\"", "\"cocos\"", "\"n-1\"", TIMES, "\"s\""),
		  "iss" },
		{ WITH("\"https://IDP.example/x\"", "\"cocos\"", "\"n-1\"", TIMES, "\"s\""),
		  "iss" },
		{ WITH("1", "\"cocos\"", "\"n-1\"", TIMES, "\"s\""), "iss" },
		{ WITH(ISS, "[\"cocos\"]", "\"n-1\"", TIMES, "\"s\""), NULL },
		{ WITH(ISS, "[\"a\",\"cocos\"],\"azp\":\"cocos\"", "\"n-1\"", TIMES, "\"s\""),
		  NULL },
		{ WITH(ISS, "[\"a\",\"cocos\"]", "\"n-1\"", TIMES, "\"s\""), "no azp" },
		{ WITH(ISS, "[\"a\",\"cocos\"],\"azp\":\"a\"", "\"n-1\"", TIMES, "\"s\""), "azp" },
		{ WITH(ISS, "\"cocos\",\"azp\":\"other\"", "\"n-1\"", TIMES, "\"s\""), "azp" },
		{ WITH(ISS, "\"other\"", "\"n-1\"", TIMES, "\"s\""), "another client" },
		{ WITH(ISS, "[]", "\"n-1\"", TIMES, "\"s\""), "another client" },
		{ WITH(ISS, "[\"cocos\",1]", "\"n-1\"", TIMES, "\"s\""), "no text" },
		{ WITH(ISS, "1", "\"n-1\"", TIMES, "\"s\""), "another client" },
		{ WITH(ISS, "\"cocos\"", "\"n-2\"", TIMES, "\"s\""), "nonce" },
		{ WITH(ISS, "\"cocos\"", "\"\"", TIMES, "\"s\""), "nonce" },
		{ "{" MADE WHEN "\"x\":\"s\"}", "sub" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", TIMES, "\"\""), "empty" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", TIMES, "7"), "sub" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", TIMES, "\"a b\""), "visible" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", TIMES, "\"\xc3\xa9\""), "visible" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", "\"iat\":1700000000,\"exp\":1699999941",
		       "\"s\""),
		  NULL },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", "\"iat\":1700000000,\"exp\":1699999940",
		       "\"s\""),
		  "expired" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", "\"iat\":1700000060,\"exp\":1700000300",
		       "\"s\""),
		  NULL },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", "\"iat\":1700000061,\"exp\":1700000300",
		       "\"s\""),
		  "future" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", "\"iat\":1699999341,\"exp\":1700000300",
		       "\"s\""),
		  NULL },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", "\"iat\":1699999340,\"exp\":1700000300",
		       "\"s\""),
		  "long ago" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", TIMES ",\"nbf\":1700000060", "\"s\""), NULL },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", TIMES ",\"nbf\":1700000061", "\"s\""),
		  "future" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", "\"exp\":1700000300", "\"s\""), "iat" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", "\"iat\":1700000000", "\"s\""), "exp" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", "\"iat\":1.7e9,\"exp\":1700000300", "\"s\""),
		  "iat" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"", "\"iat\":-1,\"exp\":1700000300", "\"s\""),
		  "iat" },
		{ WITH(ISS, "\"cocos\"", "\"n-1\"",
		       "\"iat\":1700000000,\"exp\":18446744073709551615", "\"s\""),
		  "no time" },
		{ "{" MADE WHEN "\"sub\":\"s\",\"sub\":\"t\"}", "no JSON" },
		{ "[]", "no object" },
		{ "", "no JSON" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		int failed = read_claims(rows[i].claims, &e);

		if (rows[i].words ? failed == 0 || !strstr(e.text, rows[i].words) : failed != 0)
			fail_msg("row %zu: %s", i, failed ? e.text : "taken");
		assert_false(err_is(failed, ERR_NOT_FOUND));
	}
}

static void limits_are_exact(void **state)
{
	char claims[1024], sub[ID_TOKEN_SUBJECT_MAX + 2];
	CLEANUP_WRITER struct writer w = { .bytes = NULL };
	CLEANUP(free) char *text = calloc(1, JWS_MAX + 2);
	struct err e;

	for (int over = 0; over < 2; over++) {
		memset(sub, 's', sizeof(sub));
		sub[ID_TOKEN_SUBJECT_MAX + over] = '\0';
		snprintf(claims, sizeof(claims), "{" MADE WHEN "\"sub\":\"%s\"}", sub);
		assert_int_equal(read_claims(claims, &e) == 0, !over);
		size_t len = (size_t)snprintf(claims, sizeof(claims),
					      "{" WHEN "\"iss\":" ISS ",\"nonce\":\"n-1\",\"azp\":"
					      "\"cocos\",\"sub\":\"s\",\"aud\":[\"cocos\"");

		for (int i = 1; i < ID_TOKEN_AUDIENCES_MAX + over; i++)
			len += (size_t)snprintf(claims + len, sizeof(claims) - len, ",\"a\"");
		snprintf(claims + len, sizeof(claims) - len, "]}");
		assert_int_equal(read_claims(claims, &e) == 0, !over);
	}
	memset(text, 'A', JWS_MAX + 1);
	assert_refused(read_token(text, &e), e, ERR_DENIED, "at most");
	text[JWS_MAX] = '\0';
	assert_refused(read_token(text, &e), e, ERR_DENIED, "three parts");
	assert_refused(read_token("", &e), e, ERR_DENIED, "three parts");
	assert_refused(read_token("a.b", &e), e, ERR_DENIED, "three parts");
	/* A fourth part, as of what is encrypted. */
	sign(&w, JWS_EDDSA, "{\"alg\":\"EdDSA\",\"kid\":\"EdDSA\"}", GOOD);
	snprintf(text, JWS_MAX, "%s.AA", (char *)w.bytes);
	assert_true(read_token(text, &e) < 0);
	snprintf(text, JWS_MAX, "%s==", (char *)w.bytes);
	assert_true(read_token(text, &e) < 0);
}

static void claims_map_by_whole_values(void **state)
{
	CLEANUP_WRITER struct writer w = { .bytes = NULL };
	struct id_token token;
	struct err e;

	sign(&w, JWS_PS256, "{\"alg\":\"PS256\",\"kid\":\"PS256\"}",
	     "{" MADE WHEN "\"sub\":\"s\",\"groups\":[\"a\",1,\"staff\"],\"hd\":\"x.example\","
	     "\"email\":\"a@x.example\",\"n\":5,\"o\":{\"staff\":1}}");
	assert_ok(id_token_read((char *)w.bytes, &keys, &want, &token, &e), e);
	assert_true(id_token_has(&token, "groups", "staff"));
	assert_true(id_token_has(&token, "hd", "x.example"));
	assert_false(id_token_has(&token, "groups", "staf"));
	assert_false(id_token_has(&token, "groups", "1"));
	assert_false(id_token_has(&token, "n", "5"));
	assert_false(id_token_has(&token, "o", "staff"));
	assert_false(id_token_has(&token, "none", ""));
	assert_false(id_token_has(&token, "email", "a@x.example")); /* nobody has verified it */
	assert_string_equal(id_token_text(&token, "hd"), "x.example");
	assert_null(id_token_text(&token, "groups"));
	assert_null(id_token_text(&token, "none"));
	id_token_done(&token);
	for (int yes = 0; yes < 2; yes++) {
		sign(&w, JWS_RS256, "{\"alg\":\"RS256\",\"kid\":\"RS256\"}",
		     yes ? "{" MADE WHEN "\"sub\":\"s\",\"email\":\"a@x\",\"email_verified\":true}"
			 : "{" MADE WHEN
			   "\"sub\":\"s\",\"email\":\"a@x\",\"email_verified\":\"true\"}");
		assert_ok(id_token_read((char *)w.bytes, &keys, &want, &token, &e), e);
		assert_int_equal(id_token_has(&token, "email", "a@x"), yes);
		id_token_done(&token);
	}
}

static int enter(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(8192);
	struct err e;

	jws_put_set(&w);
	return jwks_parse(w.bytes, w.len, &keys, &e);
}

static int leave(void **state)
{
	jwks_done(&keys);
	jws_sign_done();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_algorithm_verifies_by_its_own_key),
		cmocka_unit_test(every_changed_character_is_refused),
		cmocka_unit_test(other_headers_are_refused),
		cmocka_unit_test(claims_are_judged_one_by_one),
		cmocka_unit_test(limits_are_exact),
		cmocka_unit_test(claims_map_by_whole_values),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
