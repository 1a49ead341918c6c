/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and digests in the place of names; everything else stays to the byte. */
#include "common/manifest/manifest_names.h"
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>

static struct asked {
	unsigned keys, digests;
	char last_type[16];
	bool refuse;
} asked;

static int key_of(void *data, const char *user, uint8_t **spki, size_t *len, struct err *e)
{
	struct asked *a = data;

	a->keys++;
	if (a->refuse)
		return err_set(e, ERR_NOT_FOUND, "no user '%s'", user);
	*len = strlen(user);
	*spki = malloc(*len + 1);
	assert_non_null(*spki);
	memcpy(*spki, user, *len + 1);
	return 0;
}

static int digest_of(void *data, const char *asset, const char *type,
		     uint8_t out[MANIFEST_HASH_LEN], struct err *e)
{
	struct asked *a = data;

	a->digests++;
	snprintf(a->last_type, sizeof(a->last_type), "%s", type);
	if (a->refuse)
		return err_set(e, ERR_NOT_FOUND, "no asset '%s'", asset);
	memset(out, asset[0], MANIFEST_HASH_LEN);
	return 0;
}

static const struct manifest_names names = { .key = key_of, .digest = digest_of, .data = &asked };

static int fill(const char *text, char **out, struct err *e)
{
	uint8_t *bytes = NULL;
	size_t len = 0;

	*out = NULL;
	if (manifest_names_fill((const uint8_t *)text, strlen(text), &names, &bytes, &len, e) < 0) {
		assert_null(bytes);
		return err_code(e);
	}
	if (bytes) {
		*out = strndup((const char *)bytes, len);
		assert_non_null(*out);
		assert_int_equal(strlen(*out), len);
	}
	free(bytes);
	return 0;
}

static int fresh(void **state)
{
	asked = (struct asked){ 0 };
	return 0;
}

#define A32 "6161616161616161616161616161616161616161616161616161616161616161"
#define B32 "6262626262626262626262626262626262626262626262626262626262626262"

static void names_are_filled_and_nothing_else_changes(void **state)
{
	static const struct {
		const char *text, *filled; /* NULL: there is no name in it */
	} cases[] = {
		{ "{\"user_key\":\"user:anna\"}", "{\"user_key\":\"YW5uYQ==\"}" },
		{ "{ \"user_key\" :\n\t\"user:anna\" , \"x\":1.50e1 }",
		  "{ \"user_key\" :\n\t\"YW5uYQ==\" , \"x\":1.50e1 }" },
		{ "{\"hash\":\"asset:a\"}", "{\"hash\":\"" A32 "\"}" },
		{ "{\"datasets\":[{\"hash\":\"asset:a\",\"user_key\":\"user:b\"},{\"hash\":\"asset:b\"}]}",
		  "{\"datasets\":[{\"hash\":\"" A32 "\",\"user_key\":\"Yg==\"},{\"hash\":\"" B32
		  "\"}]}" },
		/* a name is one only where a key or a digest is wanted */
		{ "{\"name\":\"user:anna\",\"user_key\":\"asset:a\",\"hash\":\"user:a\"}",
		  "{\"name\":\"user:anna\",\"user_key\":\"asset:a\",\"hash\":\"user:a\"}" },
		{ "{\"user_key\":\"User:anna\",\"hash\":\"\"}", NULL },
		{ "{}", NULL },
		{ "", NULL },
		/* what is no JSON, or not all of it, is for manifest_from_json() to refuse */
		{ "{\"user_key\":\"user:anna\"", NULL },
		{ "{\"user_key\":\"user:anna\"} {}", NULL },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err e = { 0 };
		char *out;

		if (fill(cases[i].text, &out, &e) < 0)
			fail_msg("%s: %s", cases[i].text, e.text);
		if (!cases[i].filled)
			assert_null(out);
		else
			assert_string_equal(out, cases[i].filled);
		free(out);
	}
}

static void each_name_is_asked_for_once(void **state)
{
	struct err e = { 0 };
	char *out;

	assert_int_equal(
		fill("{\"hash\":\"asset:a\",\"user_key\":\"user:b\",\"datasets\":["
		     "{\"hash\":\"asset:a\",\"user_key\":\"user:b\"},{\"hash\":\"asset:a\",\"user_key\":\"user:b\"}]}",
		     &out, &e),
		0);
	assert_non_null(out);
	free(out);
	assert_int_equal(asked.keys, 1);
	/* as an algorithm, and as a dataset: an asset's type is looked at in both places */
	assert_int_equal(asked.digests, 2);
	assert_string_equal(asked.last_type, "dataset");
}

/* What a name means must not hang on who reads it: with an escape, our reader and another may differ. */
static void a_name_with_escapes_is_refused(void **state)
{
	static const char *const texts[] = {
		"{\"user_key\":\"user:\\u0061nna\"}",
		"{\"user_key\":\"\\u0075ser:anna\",\"x\":\"user:\"}",
		"{\"hash\":\"asset:a\\/b\"}",
		"{\"datasets\":[{\"hash\":\"asset:\\\"\"}]}",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err e = { 0 };
		char *out;

		assert_int_equal(fill(texts[i], &out, &e), -ERR_INVALID);
		assert_non_null(strstr(e.text, "write the name without escapes"));
	}
	assert_int_equal(asked.keys + asked.digests, 0);
}

static void whoever_does_not_know_says_so(void **state)
{
	struct err e = { 0 };
	char *out;

	asked.refuse = true;
	assert_int_equal(fill("{\"user_key\":\"user:anna\"}", &out, &e), -ERR_NOT_FOUND);
	assert_string_equal(e.text, "no user 'anna'");
	assert_int_equal(fill("{\"hash\":\"asset:a\"}", &out, &e), -ERR_NOT_FOUND);
	assert_string_equal(e.text, "no asset 'a'");
}

/* As many different names as a manifest has places for, and one more. */
static void there_are_no_more_names_than_places(void **state)
{
	enum { PLACES = 2 * (1 + MANIFEST_DATASETS_MAX) + MANIFEST_CONSUMERS_MAX };
	char *text = malloc((PLACES + 1) * 48 + 8), *out;

	assert_non_null(text);
	for (int more = 0; more <= 1; more++) {
		struct err e = { 0 };
		size_t len = 1;

		text[0] = '[';
		for (int i = 0; i < PLACES + more; i++)
			len += (size_t)sprintf(text + len, "%s{\"user_key\":\"user:u%d\"}",
					       i ? "," : "", i);
		memcpy(text + len, "]", 2);
		assert_int_equal(fill(text, &out, &e), more ? -ERR_INVALID : 0);
		if (more)
			assert_non_null(strstr(e.text, "users and assets"));
		else
			assert_non_null(out);
		free(out);
	}
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names_are_filled_and_nothing_else_changes, fresh),
		cmocka_unit_test_setup(each_name_is_asked_for_once, fresh),
		cmocka_unit_test_setup(a_name_with_escapes_is_refused, fresh),
		cmocka_unit_test_setup(whoever_does_not_know_says_so, fresh),
		cmocka_unit_test_setup(there_are_no_more_names_than_places, fresh),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
