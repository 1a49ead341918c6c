/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "common/manifest/manifest.h"
#include "tests/unit.h"

#include <stdio.h>

DEFINE_CLEANUP(struct json *, json_free)

static char *key_text; /* base64 of an Ed25519 SPKI */

static int make_key(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *der = NULL;
	size_t len;
	struct err e;

	assert_ok(key_generate(KEY_ED25519, &key, &e), e);
	assert_ok(key_to_spki(key, &der, &len, &e), e);
	key_text = base64_encode(der, len);
	return key_text ? 0 : -1;
}

static int free_key(void **state)
{
	free(key_text);
	return 0;
}

#define HASH_A "\"0101010101010101010101010101010101010101010101010101010101010101\""
#define HASH_B "\"0202020202020202020202020202020202020202020202020202020202020202\""

/* From JSON, with every K replaced by the key's base64, and K2 by an empty text. */
static int check_json(const char *json, struct err *e)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(free) char *text = calloc(1, 262144);
	char *out = text;

	for (const char *c = json; *c; c++) {
		if (*c == '@')
			out += sprintf(out, "%s", key_text);
		else
			*out++ = *c;
	}
	*out = '\0';
	if (manifest_from_json(text, strlen(text), &m, e) < 0)
		return err_code(e);
	return manifest_check(m, e);
}

#define ALGO "\"algorithm\":{\"hash\":" HASH_A ",\"user_key\":\"@\"}"

#define WITH_ALGO(more) \
	"{\"id\":\"1\",\"algorithm\":{\"hash\":" HASH_A ",\"user_key\":\"@\"," more "}}"

static void good_manifests_pass(void **state)
{
	static const char *const good[] = {
		"{\"id\":\"1\"," ALGO "}",
		WITH_ALGO("\"algo_type\":\"wasm\""),
		"{\"id\":\"1\"," ALGO ",\"datasets\":[{\"hash\":" HASH_A ",\"user_key\":\"@\"}]}",
		"{\"id\":\"1\"," ALGO ",\"datasets\":[{\"hash\":" HASH_A ",\"user_key\":\"@\"},"
		"{\"hash\":" HASH_B
		",\"user_key\":\"@\"}],\"result_consumers\":[{\"user_key\":\"@\"}]}",
		"{\"id\":\"1\"," ALGO ",\"datasets\":[{\"hash\":" HASH_A ",\"user_key\":\"@\","
		"\"filename\":\"a\",\"source\":{},\"kbs\":{}},"
		"{\"hash\":" HASH_A ",\"user_key\":\"@\",\"filename\":\"b\",\"decompress\":true}]}",
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(check_json(good[i], &e), e);
}

#define DATASETS(inner) "{\"id\":\"1\"," ALGO ",\"datasets\":[" inner "]}"
#define NAMED(name)     DATASETS("{\"hash\":" HASH_A ",\"user_key\":\"@\",\"filename\":\"" name "\"}")
static void every_rule_refuses_by_name(void **state)
{
	static const struct {
		const char *json, *words;
		enum err_code code;
	} cases[] = {
		{ "{\"id\":\"1\"}", "algorithm: missing", ERR_INVALID },
		{ "{" ALGO "}", "id: missing", ERR_INVALID },
		{ "{\"id\":\".\"," ALGO "}", "id: '.' would name a folder", ERR_INVALID },
		{ "{\"id\":\"..\"," ALGO "}", "id: '..' would name a folder", ERR_INVALID },
		{ "{\"id\":\"../a\"," ALGO "}", "id: '/' in it would name", ERR_INVALID },
		{ "{\"id\":\"a\\n\"," ALGO "}", "id: a control character", ERR_INVALID },
		{ "{\"id\":\"1\",\"algorithm\":{\"user_key\":\"@\"}}", "algorithm: hash: 0 bytes",
		  ERR_INVALID },
		{ "{\"id\":\"1\",\"algorithm\":{\"hash\":" HASH_A "}}",
		  "algorithm: user_key: missing", ERR_INVALID },
		{ "{\"id\":\"1\",\"algorithm\":{\"hash\":" HASH_A ",\"user_key\":\"AQ==\"}}",
		  "algorithm: user_key:", ERR_INVALID },
		{ "{\"id\":\"1\",\"algorithm\":{\"hash\":" HASH_A ",\"user_key\":\"user:anna\"}}",
		  "user_key: a user's name is for 'computation create'", ERR_INVALID },
		{ "{\"id\":\"1\"," ALGO ",\"result_consumers\":[{\"user_key\":\"AQ==\"}]}",
		  "result_consumers[0]: user_key:", ERR_INVALID },
		{ "{\"id\":\"1\"," ALGO
		  ",\"result_consumers\":[{\"user_key\":\"@\"},{\"user_key\":\"@\"}]}",
		  "that of result_consumers[0]", ERR_INVALID },
		{ NAMED("a/b"), "datasets[0]: filename: a file name with '/'", ERR_INVALID },
		{ NAMED(".."), "'..' is not a plain file name", ERR_INVALID },
		{ NAMED("."), "'.' is not a plain file name", ERR_INVALID },
		{ NAMED("a\\u0000b"), "UTF-8", ERR_INVALID },
		{ NAMED("a\\nb"), "control character", ERR_INVALID },
		{ NAMED("a\\u009bb"), "control character", ERR_INVALID },
		{ NAMED("a\\u202ebat.csv"), "control character", ERR_INVALID },
		{ DATASETS("{\"hash\":" HASH_A ",\"user_key\":\"@\",\"filename\":\"a\"},"
			   "{\"hash\":" HASH_A ",\"user_key\":\"@\",\"filename\":\"a\"}"),
		  "datasets[1]: digest and file name are those of datasets[0]", ERR_INVALID },
		{ DATASETS("{\"hash\":" HASH_A ",\"user_key\":\"@\"},"
			   "{\"hash\":" HASH_A ",\"user_key\":\"@\"}"),
		  "digest and file name", ERR_INVALID },
		{ DATASETS("{\"hash\":" HASH_A ",\"user_key\":\"@\",\"filename\":\"a\"},"
			   "{\"hash\":" HASH_B ",\"user_key\":\"@\",\"filename\":\"a\"}"),
		  "is the name of datasets[0] too", ERR_INVALID },
		{ DATASETS("{\"hash\":" HASH_A
			   ",\"user_key\":\"@\",\"source\":{\"url\":\"s3://b\"}}"),
		  "remote source", ERR_UNIMPLEMENTED },
		{ DATASETS("{\"hash\":" HASH_A ",\"user_key\":\"@\",\"kbs\":{\"enabled\":true}}"),
		  "key broker", ERR_UNIMPLEMENTED },
		{ WITH_ALGO("\"algo_type\":\"perl\""), "'perl' is not one of", ERR_INVALID },
		{ WITH_ALGO("\"algo_args\":[\"a\",\"\\u0000\"]"), "algo_args[1]:", ERR_INVALID },
		{ WITH_ALGO("\"source\":{\"type\":\"s3\"}"), "remote source", ERR_UNIMPLEMENTED },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_refused(check_json(cases[i].json, &e), e, cases[i].code, cases[i].words);
}

static void bad_json_is_refused_with_its_place(void **state)
{
	static const struct {
		const char *json, *words;
	} cases[] = {
		{ "", "json" },
		{ "[]", "an array where an object belongs" },
		{ "{\"Id\":\"1\"}", "key 'Id' is unknown" },
		{ "{\"datasets\":[{},{\"size\":1}]}", "datasets: [1]: key 'size' is unknown" },
		{ "{\"agent_config\":{\"key_file\":\"x\",\"server_key\":\"\"}}",
		  "agent_config: 'server_key' is another word for 'key_file': give one" },
		{ "{\"agent_config\":{\"server_key\":\"x\",\"key_file\":\"x\"}}", "give one" },
		{ "{\"id\":1}", "id: a number where a string belongs" },
		{ "{\"id\":null}", "id: null where a string belongs" },
		{ "{\"algorithm\":{\"hash\":[1,2]}}", "algorithm: hash: 2 numbers, not 32" },
		{ "{\"algorithm\":{\"hash\":\"00\"}}", "algorithm: hash: " },
		{ "{\"algorithm\":{\"user_key\":\"-----BEGIN PUBLIC KEY-----\"}}",
		  "algorithm: user_key: " },
		{ "{\"algorithm\":{\"hash\":[256,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,"
		  "1,"
		  "1,1,1,1,1]}}",
		  "number 0 is over 255" },
		{ "{\"id\":\"1\",\"id\":\"1\"}", "twice" },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		assert_refused(check_json(cases[i].json, &e), e, ERR_INVALID, cases[i].words);
}

static char *repeated(const char *before, const char *item, size_t count, const char *after)
{
	size_t room = strlen(before) + count * (strlen(item) + 1) + strlen(after) + 1;
	char *text = calloc(1, room), *out = text + sprintf(text, "%s", before);

	for (size_t i = 0; i < count; i++)
		out += sprintf(out, i ? ",%s" : "%s", item);
	sprintf(out, "%s", after);
	return text;
}

/* Each limit passes at its value and is refused one above. */
static void limits_hold(void **state)
{
	struct err e;

	for (size_t over = 0; over < 2; over++) {
		int expected = over ? -ERR_INVALID : 0;
		CLEANUP(free)
		char *args = repeated("{\"id\":\"1\",\"algorithm\":{\"hash\":" HASH_A
				      ",\"user_key\":\"@\",\"algo_args\":[",
				      "\"a\"", MANIFEST_ARGS_MAX + over, "]}}");
		CLEANUP(free) char *name = calloc(1, 2000), *json = NULL;
		CLEANUP(free) char *id = NULL;

		assert_int_equal(check_json(args, &e), expected);
		memset(name, 'n', MANIFEST_FILENAME_MAX + over);
		assert_ok(text_format(&json, &e,
				      DATASETS("{\"hash\":" HASH_A
					       ",\"user_key\":\"@\",\"filename\":\"%s\"}"),
				      name),
			  e);
		assert_int_equal(check_json(json, &e), expected);
		assert_ok(text_format(&id, &e, "{\"id\":\"%s\"," ALGO "}", name), e);
		assert_int_equal(check_json(id, &e), expected);
	}
}

static void a_key_may_be_spelled_as_backends_do(void **state)
{
	static const char json[] = "{\"agent_config\":{\"server_key\":\"a key\"}}";
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	struct err e;

	assert_ok(manifest_from_json(json, strlen(json), &m, &e), e);
	assert_string_equal(m->agent_config->key_file, "a key");
}

/* Of a manifest that was kept; that there is one is asked all the same. */
static void keys_that_were_judged_are_not_read_again(void **state)
{
	static const char json[] =
		"{\"id\":\"1\",\"algorithm\":{\"hash\":" HASH_A ",\"user_key\":\"AQ==\"}}";
	static const struct manifest_keys parse = { manifest_key_parse, NULL },
					  kept = { manifest_key_kept, NULL };
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	struct err e;

	assert_ok(manifest_from_json(json, strlen(json), &m, &e), e);
	assert_refused(manifest_check_by(m, &parse, &e), e, ERR_INVALID, "algorithm: user_key:");
	assert_ok(manifest_check_by(m, &kept, &e), e);
	m->algorithm->userkey.len = 0;
	assert_refused(manifest_check_by(m, &kept, &e), e, ERR_INVALID, "user_key: missing");
	m->algorithm->userkey.len = 1;
}

static void the_count_of_datasets_is_limited(void **state)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(free) char *json = repeated("{\"datasets\":[", "{}", MANIFEST_DATASETS_MAX, "]}");
	CLEANUP(free)
	char *more = repeated("{\"datasets\":[", "{}", MANIFEST_DATASETS_MAX + 1, "]}");
	Cvms__ComputationRunReq *none;
	struct err e;

	assert_ok(manifest_from_json(json, strlen(json), &m, &e), e);
	assert_refused(manifest_from_json(more, strlen(more), &none, &e), e, ERR_INVALID,
		       "257 of them, the limit is 256");
}

static void wire_and_json_say_the_same(void **state)
{
	static const char json[] =
		"{\"id\":\"1\",\"name\":\"n\",\"datasets\":[{\"hash\":" HASH_A
		",\"user_key\":\"AQ==\",\"kbs\":{}}],\"algorithm\":{\"hash\":" HASH_B
		",\"algo_args\":[\"\",\"x\"]},\"agent_config\":{\"port\":\"7002\"}}";
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL, *again = NULL;
	CLEANUP(free) uint8_t *wire = NULL;
	CLEANUP(free) char *a = NULL, *b = NULL;
	size_t len;
	struct err e;

	assert_ok(manifest_from_json(json, strlen(json), &m, &e), e);
	assert_ok(manifest_encode(m, &wire, &len, &e), e);
	assert_ok(manifest_decode(wire, len, &again, &e), e);
	assert_string_equal(again->agent_config->port, "7002");
	assert_ok(manifest_canonical(m, &a, &len, &e), e);
	assert_ok(manifest_canonical(again, &b, &len, &e), e);
	assert_string_equal(a, b);
	assert_null(strstr(a, "agent_config"));
}

static void pem_keys_become_spki(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(free) char *pem = NULL;
	CLEANUP(free) uint8_t *der = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(8192);
	size_t len;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	assert_ok(key_to_public_pem(key, &pem, &e), e);
	assert_ok(key_to_spki(key, &der, &len, &e), e);
	writer_text(&w, "{\"result_consumers\":[{\"user_key\":");
	json_quote(&w, pem, strlen(pem));
	writer_text(&w, "}]}");
	assert_ok(manifest_from_json(w.bytes, w.len, &m, &e), e);
	assert_int_equal(m->result_consumers[0]->userkey.len, len);
	assert_memory_equal(m->result_consumers[0]->userkey.data, der, len);
}

static void same_hex(const struct json *vector, const char *key, const uint8_t *bytes, size_t len)
{
	char text[2 * DIGEST_MAX + 1];
	const char *expected;
	struct err e;

	hex_encode(bytes, len, text);
	assert_ok(json_get_string(vector, key, &expected, &e), e);
	assert_string_equal(text, expected);
}

static void one_vector(const char *folder, const struct json *vector, const char *form)
{
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(free) char *path = NULL, *canonical_path = NULL, *canonical = NULL;
	CLEANUP(free) uint8_t *input = NULL, *expected = NULL;
	struct manifest_digests d;
	size_t len, expected_len;
	struct err e;

	assert_ok(text_format(&path, &e, "%s/%s.%s.json", folder, vector->key, form), e);
	assert_ok(text_format(&canonical_path, &e, "%s/%s.canonical.json", folder, vector->key), e);
	assert_ok(file_read(canonical_path, MANIFEST_MAX, &expected, &expected_len, &e), e);
	assert_ok(file_read(path, MANIFEST_MAX, &input, &len, &e), e);
	assert_ok(manifest_from_json(input, len, &m, &e), e);
	assert_ok(manifest_canonical(m, &canonical, &len, &e), e);
	assert_int_equal(len, expected_len);
	assert_memory_equal(canonical, expected, len);
	assert_ok(manifest_digest(m, &d, &e), e);
	same_hex(vector, "sha3_256", d.sha3_256, sizeof(d.sha3_256));
	same_hex(vector, "sha3_384", d.sha3_384, sizeof(d.sha3_384));
	same_hex(vector, "pcr16_sha256", d.pcr16_sha256, sizeof(d.pcr16_sha256));
	same_hex(vector, "pcr16_sha384", d.pcr16_sha384, sizeof(d.pcr16_sha384));
}

static void all_vectors_pass(void **state)
{
	const char *vectors = getenv("COCOS_VECTORS");
	CLEANUP(json_free) struct json *expected = NULL;
	CLEANUP(free) char *folder = NULL, *path = NULL;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	if (!vectors || access(vectors, R_OK) < 0)
		skip();
	assert_ok(text_format(&folder, &e, "%s/manifest", vectors), e);
	assert_ok(text_format(&path, &e, "%s/expected.json", folder), e);
	assert_ok(file_read(path, MANIFEST_MAX, &bytes, &len, &e), e);
	assert_ok(json_parse(bytes, len, &expected, &e), e);
	assert_true(expected->count >= 6);
	for (size_t i = 0; i < expected->count; i++) {
		one_vector(folder, &expected->items[i], "pretty");
		one_vector(folder, &expected->items[i], "canonical");
	}
}

/* Our own example, so that the rule is tested even without the vectors. */
static void the_canonical_form_is_gos(void **state)
{
	static const char json[] = "{ \"name\": \"<a>&\\u2028\\/\\u0001\", \"id\": \"\",\n"
				   "\"algorithm\": {\"kbs\": {}, \"hash\": " HASH_A "} }";
	static const char canonical[] =
		"{\"name\":\"\\u003ca\\u003e\\u0026\\u2028/"
		"\\u0001\",\"algorithm\":{\"hash\":[1,1,1,1,1,"
		"1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],\"kbs\":{}}}";
	CLEANUP(manifest_free) Cvms__ComputationRunReq *m = NULL;
	CLEANUP(free) char *text = NULL;
	size_t len;
	struct err e;

	assert_ok(manifest_from_json(json, strlen(json), &m, &e), e);
	assert_ok(manifest_canonical(m, &text, &len, &e), e);
	assert_string_equal(text, canonical);
	assert_int_equal(len, strlen(canonical));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_manifests_pass),
		cmocka_unit_test(every_rule_refuses_by_name),
		cmocka_unit_test(bad_json_is_refused_with_its_place),
		cmocka_unit_test(limits_hold),
		cmocka_unit_test(a_key_may_be_spelled_as_backends_do),
		cmocka_unit_test(keys_that_were_judged_are_not_read_again),
		cmocka_unit_test(the_count_of_datasets_is_limited),
		cmocka_unit_test(wire_and_json_say_the_same),
		cmocka_unit_test(pem_keys_become_spki),
		cmocka_unit_test(all_vectors_pass),
		cmocka_unit_test(the_canonical_form_is_gos),
	};

	return cmocka_run_group_tests(tests, make_key, free_key);
}
