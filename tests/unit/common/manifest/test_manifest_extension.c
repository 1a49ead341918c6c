/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/encode.h"
#include "common/manifest/manifest.h"
#include "common/manifest/manifest_extension.h"
#include "tests/unit.h"

#include <stdio.h>

/* An Ed25519 SPKI: RFC 8410's prefix and a key that OpenSSL takes. */
#define KEY  "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE="
#define ONES "[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]"
#define ALGO "\"algorithm\":{\"hash\":" ONES ",\"user_key\":\"" KEY "\"}"
#define HEAD "{\"id\":\"1\""
#define DATASET(more)                                                                           \
	",\"datasets\":[{\"hash\":" ONES ",\"user_key\":\"" KEY "\",\"filename\":\"cache.zip\"" \
	",\"decompress\":true" more "}]"
#define COCOS(inner) HEAD "," ALGO ",\"cocos\":{" inner "}}"

static Cvms__ComputationRunReq *read_json(const char *json)
{
	Cvms__ComputationRunReq *m = NULL;
	struct err e;

	assert_ok(manifest_from_json(json, strlen(json), &m, &e), e);
	return m;
}

static char *canonical(const Cvms__ComputationRunReq *m)
{
	char *text = NULL;
	size_t len;
	struct err e;

	assert_ok(manifest_canonical(m, &text, &len, &e), e);
	return text;
}

/* What is written is read as the same, from the wire as well; and it is last in its object. */
static void the_canonical_form_has_it_last(void **state)
{
	static const char *const same[] = {
		HEAD "," ALGO ",\"cocos\":{\"layout\":\"folders\"}}",
		HEAD "," ALGO ",\"cocos\":{\"layout\":\"stock\",\"logs\":\"consumers\","
		     "\"requirements_hash\":" ONES ",\"replace\":true}}",
		HEAD DATASET(",\"cache\":true") "," ALGO ",\"cocos\":{\"logs\":\"all\"}}",
	};

	for (size_t i = 0; i < ARRAY_LEN(same); i++) {
		CLEANUP(manifest_free) Cvms__ComputationRunReq *m = read_json(same[i]);
		CLEANUP(manifest_free) Cvms__ComputationRunReq *again = NULL;
		CLEANUP(free) char *text = canonical(m), *second = NULL;
		CLEANUP(free) uint8_t *wire = NULL;
		size_t len;
		struct err e;

		assert_string_equal(text, same[i]);
		assert_ok(manifest_encode(m, &wire, &len, &e), e);
		assert_ok(manifest_decode(wire, len, &again, &e), e);
		second = canonical(again);
		assert_string_equal(second, same[i]);
	}
}

/* An object that says nothing is no extension: the same form, and so the same digest. */
static void what_says_nothing_is_left_out(void **state)
{
	static const char stock[] = HEAD DATASET("") "," ALGO "}";
	static const char *const silent[] = {
		stock,
		HEAD DATASET(",\"cache\":false") "," ALGO "}",
		HEAD DATASET("") "," ALGO ",\"cocos\":{}}",
		HEAD DATASET("") "," ALGO ",\"cocos\":{\"layout\":\"\",\"logs\":\"\","
				 "\"replace\":false}}",
	};

	for (size_t i = 0; i < ARRAY_LEN(silent); i++) {
		CLEANUP(manifest_free) Cvms__ComputationRunReq *m = read_json(silent[i]);
		CLEANUP(free) char *text = canonical(m);
		struct err e;

		assert_string_equal(text, stock);
		assert_ok(manifest_check(m, &e), e);
		assert_int_equal(manifest_layout(m), MANIFEST_LAYOUT_STOCK);
		assert_int_equal(manifest_logs(m), MANIFEST_LOGS_ALL);
		assert_null(manifest_requirements_hash(m));
		assert_false(manifest_may_replace(m));
	}
}

static void each_word_is_understood(void **state)
{
	static const struct {
		const char *json;
		enum manifest_layout layout;
		enum manifest_logs logs;
	} cases[] = {
		{ COCOS("\"layout\":\"stock\""), MANIFEST_LAYOUT_STOCK, MANIFEST_LOGS_ALL },
		{ COCOS("\"layout\":\"folders\""), MANIFEST_LAYOUT_FOLDERS, MANIFEST_LOGS_ALL },
		{ COCOS("\"logs\":\"all\""), MANIFEST_LAYOUT_STOCK, MANIFEST_LOGS_ALL },
		{ COCOS("\"logs\":\"consumers\""), MANIFEST_LAYOUT_STOCK, MANIFEST_LOGS_CONSUMERS },
		{ COCOS("\"logs\":\"provider\""), MANIFEST_LAYOUT_STOCK, MANIFEST_LOGS_PROVIDER },
	};
	CLEANUP(manifest_free)
	Cvms__ComputationRunReq *whole =
		read_json(COCOS("\"requirements_hash\":" ONES ",\"replace\":true"));

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(manifest_free) Cvms__ComputationRunReq *m = read_json(cases[i].json);

		assert_int_equal(manifest_layout(m), cases[i].layout);
		assert_int_equal(manifest_logs(m), cases[i].logs);
	}
	assert_int_equal(manifest_requirements_hash(whole)[31], 1);
	assert_true(manifest_may_replace(whole));
}

static void every_rule_refuses_by_name(void **state)
{
	static const struct {
		const char *json, *words;
		enum err_code code;
	} cases[] = {
		{ COCOS("\"layout\":\"Folders\""),
		  "cocos: layout: 'Folders' is not one of folders, stock", ERR_INVALID },
		{ COCOS("\"layout\":\"folders \""), "'folders ' is not one of", ERR_INVALID },
		{ COCOS("\"layout\":\"\\u0000\""), "cocos: layout: ", ERR_INVALID },
		{ COCOS("\"logs\":\"consumer\""),
		  "cocos: logs: 'consumer' is not one of consumers, provider, all", ERR_INVALID },
		{ COCOS("\"replace\":true"), "cocos: replace: not offered", ERR_UNIMPLEMENTED },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(manifest_free) Cvms__ComputationRunReq *m = read_json(cases[i].json);

		assert_refused(manifest_check(m, &e), e, cases[i].code, cases[i].words);
	}
}

static void a_digest_of_another_length_is_refused(void **state)
{
	CLEANUP(manifest_free)
	Cvms__ComputationRunReq *m = read_json(COCOS("\"requirements_hash\":" ONES));
	CLEANUP(free) char *text = NULL;
	size_t len;
	struct err e;

	m->cocos->requirements_hash.len = 31;
	assert_refused(manifest_check(m, &e), e, ERR_INVALID,
		       "cocos: requirements_hash: 31 bytes, a SHA3-256 has 32");
	assert_refused(manifest_canonical(m, &text, &len, &e), e, ERR_INVALID, "31 bytes");
	m->cocos->requirements_hash.len = 32;
}

static void bad_json_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *json, *words;
	} cases[] = {
		{ COCOS("\"Layout\":\"stock\""), "cocos: key 'Layout' is unknown" },
		{ COCOS("\"layout\":1"), "cocos: layout: a number where a string belongs" },
		{ COCOS("\"replace\":\"true\""), "cocos: replace: a string where" },
		{ COCOS("\"requirements_hash\":\"00\""), "cocos: requirements_hash: " },
		{ COCOS("\"requirements_hash\":[]"), "0 numbers, not 32" },
		{ COCOS("\"layout\":\"stock\",\"layout\":\"stock\""), "twice" },
		{ HEAD DATASET(",\"cache\":1") "," ALGO "}",
		  "datasets: [0]: cache: a number where" },
		{ HEAD "," ALGO ",\"cocos\":[]}", "cocos: an array where an object belongs" },
	};
	Cvms__ComputationRunReq *none;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_refused(manifest_from_json(cases[i].json, strlen(cases[i].json), &none, &e),
			       e, ERR_INVALID, cases[i].words);
}

/* A field of a later extension would be measured by nobody. */
static void an_unknown_field_on_the_wire_is_refused(void **state)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	/* id "1", cocos { layout "stock" }, and cocos { 99: 1 } */
	static const uint8_t good[] = "\x0a\x01"
				      "1\xa2\x06\x07\x0a\x05stock";
	static const uint8_t more[] = "\x0a\x01"
				      "1\xa2\x06\x03\x98\x06\x01";
	struct err e;

	assert_ok(manifest_decode(good, sizeof(good) - 1, &m, &e), e);
	assert_string_equal(m->cocos->layout, "stock");
	assert_refused(
		manifest_decode(more, sizeof(more) - 1, &(Cvms__ComputationRunReq *){ NULL }, &e),
		e, ERR_INVALID, "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_canonical_form_has_it_last),
		cmocka_unit_test(what_says_nothing_is_left_out),
		cmocka_unit_test(each_word_is_understood),
		cmocka_unit_test(every_rule_refuses_by_name),
		cmocka_unit_test(a_digest_of_another_length_is_refused),
		cmocka_unit_test(bad_json_is_refused_with_its_place),
		cmocka_unit_test(an_unknown_field_on_the_wire_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
