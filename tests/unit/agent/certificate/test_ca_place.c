/* SPDX-License-Identifier: Apache-2.0 */
/* Where the agent's certificate comes from, as the boot configuration says it. */
#include "agent/certificate/ca_place.h"
#include "tests/unit.h"

#include <stdio.h>
#include <string.h>

static void what_is_meant_is_read(void **state)
{
	static const struct {
		const char *url, *token, *id, *target, *name, *secret;
	} rows[] = {
		{ "https://ca.example.org", "abc", "cvm-1", "ca.example.org:443", "cvm-1", "abc" },
		{ "https://ca.example.org/", "n:abc", "cvm-1", "ca.example.org:443", "n", "abc" },
		{ "https://10.0.2.2:7002", "n.1_-Z:a~!", NULL, "10.0.2.2:7002", "n.1_-Z", "a~!" },
		{ "https://[::1]", "t", "a", "[::1]:443", "a", "t" },
		{ "https://[::1]:1/", "t", "a", "[::1]:1", "a", "t" },
	};
	struct ca_place place, empty = { 0 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(ca_place_read(rows[i].url, rows[i].token, rows[i].id, &place, &e), e);
		assert_string_equal(place.target, rows[i].target);
		assert_string_equal(place.name, rows[i].name);
		assert_string_equal(place.token, rows[i].secret);
	}
	ca_place_wipe(&place);
	assert_memory_equal(&place, &empty, sizeof(place));
}

static void the_rest_is_refused(void **state)
{
	static const struct {
		const char *url, *token, *id, *words;
	} rows[] = {
		{ "http://h", "t", "a", "AGENT_CVM_CA_URL: 'http://h' is not https://" },
		{ "h:443", "t", "a", "is not https://HOST[:PORT]" },
		{ "HTTPS://h", "t", "a", "is not https://HOST[:PORT]" },
		{ "https://", "t", "a", "AGENT_CVM_CA_URL: " },
		{ "https:///", "t", "a", "AGENT_CVM_CA_URL: " },
		{ "https://h/x", "t", "a", "a path, '/x'" },
		{ "https://h//", "t", "a", "a path" },
		{ "https://unix:/run/x", "t", "a", "a path" },
		{ "https://h?x", "t", "a", "AGENT_CVM_CA_URL: " },
		{ "https://u@h", "t", "a", "AGENT_CVM_CA_URL: " },
		{ "https://h:0", "t", "a", "AGENT_CVM_CA_URL: " },
		{ "https://h:65536", "t", "a", "AGENT_CVM_CA_URL: " },
		{ "https://h:", "t", "a", "AGENT_CVM_CA_URL: " },
		{ "https://[::1", "t", "a", "AGENT_CVM_CA_URL: " },
		{ "https://::1", "t", "a", "AGENT_CVM_CA_URL: " },
		{ "https://h", "t", NULL, "set AGENT_CVM_ID" },
		{ "https://h", "t", "a b", "AGENT_CVM_ID: the name 'a b' is not" },
		{ "https://h", "t", "", "AGENT_CVM_ID: the name '' is not" },
		{ "https://h", ":t", "a",
		  "AGENT_CERTS_TOKEN: the name in front of the ':' is not" },
		{ "https://h", "a/b:t", "a",
		  "AGENT_CERTS_TOKEN: the name in front of the ':' is not" },
		{ "https://h", "n:", "a", "a token of 0 characters" },
		{ "https://h", "n:a:b", "a", "a character that none has (at 1)" },
		{ "https://h", "a b", "a", "a character that none has (at 1)" },
		{ "https://h", "ab\x7f", "a", "a character that none has (at 2)" },
		{ "https://h", "\xc3\xa4", "a", "a character that none has (at 0)" },
	};
	struct ca_place place;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_refused(ca_place_read(rows[i].url, rows[i].token, rows[i].id, &place, &e), e,
			       ERR_INVALID, rows[i].words);
}

/* `len` letters behind what stands in front. */
static const char *longer(char out[512], const char *front, size_t len)
{
	const size_t at = strlen(front);

	assert_true(at + len < 512);
	memcpy(out, front, at);
	memset(out + at, 'a', len);
	out[at + len] = '\0';
	return out;
}

/* Nor where it stands in the name's place: the host and the service read what the agent says. */
static void the_token_is_in_no_text(void **state)
{
	static const char *const swapped[] = { "", "/", "=" };
	char text[512], token[70];
	struct ca_place place;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(swapped); i++) {
		snprintf(token, sizeof(token), "%064d%s", 7, swapped[i]);
		snprintf(text, sizeof(text), "%s:web-1", token);
		assert_refused(ca_place_read("https://h", text, "a", &place, &e), e, ERR_INVALID,
			       "AGENT_CERTS_TOKEN: the name in front of the ':' is not");
		assert_null(strstr(e.text, "0000"));
	}
}

static void lengths_have_limits(void **state)
{
	char text[512];
	struct ca_place place;
	struct err e;

	assert_ok(ca_place_read("https://h", longer(text, "", 256), "a", &place, &e), e);
	assert_refused(ca_place_read("https://h", longer(text, "", 257), "a", &place, &e), e,
		       ERR_INVALID, "a token of 257 characters; wanted 1 to 256");
	assert_ok(ca_place_read("https://h", "t", longer(text, "", 63), &place, &e), e);
	assert_refused(ca_place_read("https://h", "t", longer(text, "", 64), &place, &e), e,
		       ERR_INVALID, "is not 1 to 63 of");
	assert_ok(ca_place_read(longer(text, "https://", 255), "t", "a", &place, &e), e);
	assert_refused(ca_place_read(longer(text, "https://", 277), "t", "a", &place, &e), e,
		       ERR_INVALID, "host and port of 281 bytes, the limit is 280");
	assert_refused(ca_place_read(longer(text, "https://", 281), "t", "a", &place, &e), e,
		       ERR_INVALID, "host and port of 281 bytes, the limit is 280");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_meant_is_read),
		cmocka_unit_test(the_rest_is_refused),
		cmocka_unit_test(the_token_is_in_no_text),
		cmocka_unit_test(lengths_have_limits),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
