/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/registry/cvm_labels.h"
#include "tests/unit.h"

static void names_have_one_form(void **state)
{
	static const char *const good[] = { "", "a", "0", "ward-7.st-mary", "a.b", "7a" };
	static const char *const bad[] = {
		"A",   "a b", "-a",       "a-",  ".a",    "a.",
		"a_b", "a/b", "\xc3\xa4", "a\n", "a\x7f", "00000000-0000-4000-8000-000000000001",
	};
	char name[CVM_NAME_MAX + 2];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(cvm_name_check(good[i], &e), e);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(cvm_name_check(bad[i], &e), e, ERR_INVALID, "name: ");
	memset(name, 'x', sizeof(name));
	name[CVM_NAME_MAX] = '\0';
	assert_ok(cvm_name_check(name, &e), e);
	name[CVM_NAME_MAX] = 'x';
	name[CVM_NAME_MAX + 1] = '\0';
	assert_refused(cvm_name_check(name, &e), e, ERR_INVALID, "63");
}

static int make(const char *const pairs[][2], size_t count, char *out, struct err *e)
{
	Manager__Label labels[CVM_LABELS_COUNT_MAX + 1], *rows[CVM_LABELS_COUNT_MAX + 1] = { NULL };

	for (size_t i = 0; i < count; i++) {
		manager__label__init(&labels[i]);
		labels[i].key = (char *)(uintptr_t)pairs[i][0];
		labels[i].value = (char *)(uintptr_t)pairs[i][1];
		rows[i] = &labels[i];
	}
	return cvm_labels_make(rows, count, out, e);
}

static void labels_are_sorted_and_found(void **state)
{
	static const char *const pairs[][2] = {
		{ "study", "7" },
		{ "owner/mail", "a@b.c:1+2" },
		{ "empty", "" },
		{ "own", "x" },
	};
	char text[CVM_LABELS_MAX + 1];
	Manager__Label parts[CVM_LABELS_COUNT_MAX];
	struct err e;

	assert_ok(make(pairs, 0, text, &e), e);
	assert_string_equal(text, "");
	assert_ok(make(pairs, 4, text, &e), e);
	assert_string_equal(text, "empty=,own=x,owner/mail=a@b.c:1+2,study=7");
	assert_true(cvm_labels_are_valid(text));
	assert_true(cvm_labels_have(text, ""));
	assert_true(cvm_labels_have(text, "own=x,study=7"));
	assert_true(cvm_labels_have(text, "empty="));
	assert_false(cvm_labels_have(text, "empty=x"));
	assert_false(cvm_labels_have(text, "study="));
	assert_false(cvm_labels_have(text, "study=77"));
	assert_false(cvm_labels_have(text, "own=x,zoo=1"));
	assert_false(cvm_labels_have("", "own=x"));
	assert_int_equal(cvm_labels_split(text, parts), 4);
	assert_string_equal(parts[0].key, "empty");
	assert_string_equal(parts[0].value, "");
	assert_string_equal(parts[2].key, "owner/mail");
	assert_string_equal(parts[3].value, "7");
}

static void labels_of_another_form_are_refused(void **state)
{
	static const struct {
		const char *key, *value, *words;
	} rows[] = {
		{ "", "1", "not a key" },        { "A", "1", "not a key" },
		{ "a=b", "1", "not a key" },     { "a,b", "1", "not a key" },
		{ "-a", "1", "not a key" },      { "a/", "1", "not a key" },
		{ "a", "b,c=d", "not a value" }, { "a", "b=c", "not a value" },
		{ "a", "b c", "not a value" },   { "a", "\x1b[2J", "not a value" },
	};
	static const char *const twice[][2] = { { "b", "1" }, { "a", "1" }, { "b", "2" } };
	char text[CVM_LABELS_MAX + 1] = "untouched";
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		const char *const pair[][2] = { { rows[i].key, rows[i].value } };

		assert_refused(make(pair, 1, text, &e), e, ERR_INVALID, rows[i].words);
	}
	assert_refused(make(twice, 3, text, &e), e, ERR_INVALID, "b comes twice");
	assert_string_equal(text, "untouched");
}

static void labels_have_limits(void **state)
{
	static char keys[CVM_LABELS_COUNT_MAX + 1][8], word[80];
	const char *pairs[CVM_LABELS_COUNT_MAX + 1][2];
	char text[CVM_LABELS_MAX + 1], bigger[CVM_LABELS_MAX + 2];
	struct err e;

	for (unsigned i = 0; i <= CVM_LABELS_COUNT_MAX; i++) {
		snprintf(keys[i], sizeof(keys[i]), "k%02u", i);
		pairs[i][0] = keys[i];
		pairs[i][1] = "";
	}
	assert_ok(make(pairs, CVM_LABELS_COUNT_MAX, text, &e), e);
	assert_refused(make(pairs, CVM_LABELS_COUNT_MAX + 1, text, &e), e, ERR_INVALID,
		       "more than 16");
	/* A key and a value. */
	memset(word, 'x', sizeof(word));
	word[CVM_LABEL_KEY_MAX] = '\0';
	pairs[0][0] = pairs[0][1] = word;
	assert_ok(make(pairs, 1, text, &e), e);
	word[CVM_LABEL_KEY_MAX] = 'x';
	word[CVM_LABEL_KEY_MAX + 1] = '\0';
	pairs[0][0] = "k00";
	assert_refused(make(pairs, 1, text, &e), e, ERR_INVALID, "not a value");
	pairs[0][0] = word;
	pairs[0][1] = "";
	assert_refused(make(pairs, 1, text, &e), e, ERR_INVALID, "not a key");
	/* All of them: eight of 4 + 59 bytes and seven commas are 511, and one more fits. */
	word[59] = '\0';
	for (unsigned i = 0; i < 8; i++) {
		pairs[i][0] = keys[i];
		pairs[i][1] = word;
	}
	assert_ok(make(pairs, 8, text, &e), e);
	assert_int_equal(strlen(text), CVM_LABELS_MAX - 1);
	pairs[7][0] = "k077";
	assert_ok(make(pairs, 8, text, &e), e);
	assert_int_equal(strlen(text), CVM_LABELS_MAX);
	assert_true(cvm_labels_are_valid(text));
	snprintf(bigger, sizeof(bigger), "%sx", text);
	assert_false(cvm_labels_are_valid(bigger));
	pairs[7][0] = "k0777";
	assert_refused(make(pairs, 8, text, &e), e, ERR_INVALID, "longer than 512");
}

static void texts_of_another_form_are_known(void **state)
{
	static const char *const bad[] = { "a",        "=b",      "a=1,",    ",a=1",
					   "a=1,,b=2", "b=1,a=1", "a=1,a=2", "ab=1,a=1",
					   "A=1",      "a=1 ",    "a=1\n",   "a=1=2" };

	assert_true(cvm_labels_are_valid("a=1,ab=1"));
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_false(cvm_labels_are_valid(bad[i]));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_have_one_form),
		cmocka_unit_test(labels_are_sorted_and_found),
		cmocka_unit_test(labels_of_another_form_are_refused),
		cmocka_unit_test(labels_have_limits),
		cmocka_unit_test(texts_of_another_form_are_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
