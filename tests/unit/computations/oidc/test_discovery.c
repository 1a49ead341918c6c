/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/oidc/discovery.h"
#include "computations/oidc/jws.h"
#include "tests/unit.h"

#include <stdio.h>

#define IDP           "https://idp.example"
#define ISSUER        "\"issuer\":\"" IDP "\","
#define AUTHORIZATION "\"authorization_endpoint\":\"" IDP "/a?tenant=1\","
#define TOKEN         "\"token_endpoint\":\"" IDP "/t\","
#define KEYS          "\"jwks_uri\":\"" IDP "/k\","
#define CODE          "\"response_types_supported\":[\"id_token\",\"code\"]"
#define METHODS       ",\"token_endpoint_auth_methods_supported\":"

static int parse(const char *text, const char *issuer, struct discovery *d, struct err *e)
{
	return discovery_parse(text, strlen(text), issuer, d, e);
}

static void a_document_is_read(void **state)
{
	static const char good[] = "{" ISSUER AUTHORIZATION TOKEN KEYS CODE ",\"other\":1}";
	struct discovery d;
	struct err e;

	assert_ok(parse(good, IDP, &d, &e), e);
	assert_string_equal(d.authorization, IDP "/a?tenant=1");
	assert_string_equal(d.token, IDP "/t");
	assert_string_equal(d.keys, IDP "/k");
	assert_true(d.takes_basic && !d.says_issuer);
	for (size_t len = 0; len < sizeof(good) - 1; len++)
		assert_true(discovery_parse(good, len, IDP, &d, &e) < 0);
	assert_ok(
		parse("{" ISSUER AUTHORIZATION TOKEN KEYS CODE METHODS
		      "[\"client_secret_post\"],\"authorization_response_iss_parameter_supported\""
		      ":true,\"code_challenge_methods_supported\":[\"plain\",\"S256\"]}",
		      IDP, &d, &e),
		e);
	assert_true(!d.takes_basic && d.says_issuer);
	assert_ok(parse("{\"issuer\":\"http://127.0.0.1:1\",\"authorization_endpoint\":"
			"\"http://127.0.0.1:1/a\",\"token_endpoint\":\"http://localhost:2/t\","
			"\"jwks_uri\":\"https://x.example/k\"," CODE "}",
			"http://127.0.0.1:1", &d, &e),
		  e);
}

static void what_leads_elsewhere_is_refused(void **state)
{
#define URL(name, url) "\"" name "\":\"" url "\","
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "{" AUTHORIZATION TOKEN KEYS CODE "}", "issuer" },
		{ "{\"issuer\":\"" IDP "/\"," AUTHORIZATION TOKEN KEYS CODE "}", "not that" },
		{ "{\"issuer\":\"https://IDP.example\"," AUTHORIZATION TOKEN KEYS CODE "}",
		  "not that" },
		{ "{" ISSUER TOKEN KEYS CODE "}", "authorization_endpoint" },
		{ "{" ISSUER AUTHORIZATION KEYS CODE "}", "token_endpoint" },
		{ "{" ISSUER AUTHORIZATION TOKEN CODE "}", "jwks_uri" },
		{ "{" ISSUER AUTHORIZATION KEYS CODE
		  "," URL("token_endpoint", "http://idp.example/t") "\"x\":1}",
		  "this machine only" },
		{ "{" ISSUER AUTHORIZATION KEYS CODE
		  "," URL("token_endpoint", "http://127.0.0.1/t") "\"x\":1}",
		  "without TLS" },
		{ "{" ISSUER AUTHORIZATION KEYS CODE
		  "," URL("token_endpoint", "file:///etc/passwd") "\"x\":1}",
		  "https://" },
		{ "{" ISSUER AUTHORIZATION KEYS CODE
		  "," URL("token_endpoint", "https://idp.example@evil.example/t") "\"x\":1}",
		  "wanted https://" },
		{ "{" ISSUER AUTHORIZATION KEYS CODE
		  "," URL("token_endpoint", "https://a/\\r\\nX: y") "\"x\":1}",
		  "no address" },
		{ "{" ISSUER AUTHORIZATION KEYS CODE
		  "," URL("token_endpoint", "https://a/#t") "\"x\":1}",
		  "no address" },
		{ "{" ISSUER TOKEN KEYS CODE
		  "," URL("authorization_endpoint", "javascript:alert(1)") "\"x\":1}",
		  "https://" },
		{ "{" ISSUER AUTHORIZATION TOKEN KEYS "\"x\":1}", "with a code" },
		{ "{" ISSUER AUTHORIZATION TOKEN KEYS "\"response_types_supported\":[1,\"token\"]}",
		  "with a code" },
		{ "{" ISSUER AUTHORIZATION TOKEN KEYS "\"response_types_supported\":\"code\"}",
		  "response_types_supported" },
		{ "{" ISSUER AUTHORIZATION TOKEN KEYS CODE
		  ",\"code_challenge_methods_supported\":[\"plain\"]}",
		  "PKCE" },
		{ "{" ISSUER AUTHORIZATION TOKEN KEYS CODE METHODS "[\"private_key_jwt\"]}",
		  "client_secret_basic" },
		{ "{" ISSUER AUTHORIZATION TOKEN KEYS CODE
		  ",\"authorization_response_iss_parameter_supported\":\"yes\"}",
		  "iss_parameter" },
		{ "{" ISSUER ISSUER AUTHORIZATION TOKEN KEYS CODE "}", "twice" },
		{ "[]", "issuer" },
	};
	struct discovery d;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (parse(rows[i].text, IDP, &d, &e) == 0)
			fail_msg("row %zu was taken", i);
		if (!strstr(e.text, rows[i].words))
			fail_msg("row %zu: '%s' does not speak of '%s'", i, e.text, rows[i].words);
	}
}

static void limits_are_exact(void **state)
{
	static const char head[] =
		"{" ISSUER TOKEN KEYS CODE ",\"authorization_endpoint\":\"" IDP "/?";
	CLEANUP(free) char *text = malloc(DISCOVERY_MAX + 1);
	char issuer[DISCOVERY_ISSUER_MAX + 2] = "https://";
	struct discovery d;
	struct err e;

	for (int over = 0; over < 2; over++) {
		size_t used = strlen(IDP "/?"), len = sizeof(head) - 1;

		memcpy(text, head, len);
		memset(text + len, 'q', DISCOVERY_URL_MAX - used + (size_t)over);
		len += DISCOVERY_URL_MAX - used + (size_t)over;
		memcpy(text + len, "\"}", 2);
		memset(text + len + 2, ' ', DISCOVERY_MAX + 1 - len - 2);
		if (over) {
			assert_refused(discovery_parse(text, DISCOVERY_MAX, IDP, &d, &e), e,
				       ERR_INVALID, "more than 511");
		} else {
			assert_ok(discovery_parse(text, DISCOVERY_MAX, IDP, &d, &e), e);
			assert_refused(discovery_parse(text, DISCOVERY_MAX + 1, IDP, &d, &e), e,
				       ERR_INVALID, "at most");
		}
		memset(issuer + 8, 'i', sizeof(issuer) - 8);
		issuer[DISCOVERY_ISSUER_MAX + over] = '\0';
		assert_int_equal(discovery_issuer_check(issuer, &e) == 0, !over);
	}
	assert_ok(discovery_issuer_check("https://idp.example/realm/", &e), e);
	assert_ok(discovery_issuer_check("http://localhost:1", &e), e);
	assert_true(discovery_issuer_check("http://idp.example", &e) < 0);
	assert_true(discovery_issuer_check("https://", &e) < 0);
	assert_true(discovery_issuer_check("https://x/?q", &e) < 0);
	assert_true(discovery_issuer_check("", &e) < 0);
}

static void the_answer_for_a_code_is_read(void **state)
{
	static const char good[] = "{\"token_type\":\"bearer\",\"id_token\":\"a.b.c\",\"x\":1}";
	CLEANUP(free) char *token = NULL;
	CLEANUP(free) char *text = malloc(TOKEN_ANSWER_MAX + 1);
	struct err e;

	assert_ok(token_answer_parse(good, strlen(good), &token, &e), e);
	assert_string_equal(token, "a.b.c");
	for (size_t len = 0; len < strlen(good); len++)
		assert_true(token_answer_parse(good, len, &token, &e) < 0);
	static const char *const bad[] = {
		"{\"token_type\":\"mac\",\"id_token\":\"a\"}",
		"{\"id_token\":\"a\"}",
		"{\"token_type\":\"Bearer\"}",
		"{\"token_type\":\"Bearer\",\"id_token\":[\"a\"]}",
		"{\"error\":\"invalid_grant\"}",
		"null",
	};
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_true(token_answer_parse(bad[i], strlen(bad[i]), &token, &e) < 0);
	for (int over = 0; over < 2; over++) {
		int len = snprintf(text, 64, "{\"token_type\":\"Bearer\",\"id_token\":\"");

		memset(text + len, 'a', JWS_MAX + (size_t)over);
		memcpy(text + len + JWS_MAX + over, "\"}", 2);
		CLEANUP(free) char *long_token = NULL;
		assert_int_equal(token_answer_parse(text, (size_t)len + JWS_MAX + (size_t)over + 2,
						    &long_token, &e) == 0,
				 !over);
	}
	assert_refused(token_answer_parse(text, TOKEN_ANSWER_MAX + 1, &token, &e), e, ERR_INVALID,
		       "at most");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_document_is_read),
		cmocka_unit_test(what_leads_elsewhere_is_refused),
		cmocka_unit_test(limits_are_exact),
		cmocka_unit_test(the_answer_for_a_code_is_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
