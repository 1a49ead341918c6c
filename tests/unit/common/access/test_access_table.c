/* SPDX-License-Identifier: Apache-2.0 */
#include "common/access/access_table.h"
#include "tests/unit.h"

#define KEY "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

static int parse(const char *text, struct access_table **table, struct err *e)
{
	return access_table_parse(text, strlen(text), "t", table, e);
}

static void a_table_is_read(void **state)
{
	static const char text[] = "# who may\n\n"
				   "operator uid 0\n"
				   "\toperator  gid\t27\n"
				   "tenant ward-7 subject CN=anna b\\, c,O=Clinic\n"
				   "tenant ward-7 key " KEY "\n"
				   "limit ward-7 cvms 5\n"
				   "limit ward-7 memory 16G\n"
				   "tenant b.2 spiffe spiffe://a.example/b";
	CLEANUP(access_table_free) struct access_table *t = NULL;
	struct err e;

	assert_ok(parse(text, &t, &e), e);
	assert_int_equal(t->rule_count, 5);
	assert_int_equal(t->tenant_count, 2);
	assert_null(t->rules[0].tenant);
	assert_int_equal(t->rules[1].kind, ACCESS_GID);
	assert_int_equal(t->rules[1].number, 27);
	assert_string_equal(t->rules[2].text, "CN=anna b\\, c,O=Clinic");
	assert_ptr_equal(t->rules[2].tenant, &t->tenants[0]);
	assert_ptr_equal(t->rules[3].tenant, &t->tenants[0]);
	assert_string_equal(t->rules[3].text, KEY);
	assert_string_equal(t->tenants[0].name, "ward-7");
	assert_int_equal(t->tenants[0].limits[ACCESS_CVMS], 5);
	assert_int_equal(t->tenants[0].limits[ACCESS_MEMORY], 16ULL << 30);
	assert_true(t->tenants[0].limits[ACCESS_CPUS] == ACCESS_NO_LIMIT);
	assert_string_equal(t->rules[4].text, "spiffe://a.example/b");
	assert_true(t->tenants[1].limits[ACCESS_CVMS] == ACCESS_NO_LIMIT);
}

static void what_is_not_right_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *words;
	} rows[] = {
		{ "", "t: nobody is operator" },
		{ "# operator uid 0\n", "nobody is operator" },
		{ "tenant a uid 1\n", "nobody is operator" },
		{ "operator\n", "t:1: nothing: an identity is" },
		{ "operator uid\n", "t:1: uid '': it has to be a number" },
		{ "operator uid 0x0\n", "t:1: uid '0x0'" },
		{ "operator uid 00\n", "t:1: uid '00'" },
		{ "operator uid -1\n", "t:1: uid '-1'" },
		{ "operator uid 0 1\n", "t:1: uid '0 1'" },
		{ "operator uid 0 \n", "t:1: uid '0 '" },
		{ "operator uid 4294967295\n", "t:1: uid '4294967295'" },
		{ "operator gid 18446744073709551616\n", "t:1: gid" },
		{ "operator UID 0\n", "t:1: 'UID': an identity is" },
		{ "Operator uid 0\n", "t:1: 'Operator': a line begins" },
		{ "\noperators uid 0\n", "t:2: 'operators'" },
		{ "operator subject anna\n", "t:1: subject 'anna'" },
		{ "operator subject CN=anna \n", "t:1: subject 'CN=anna '" },
		{ "operator spiffe https://a/b\n", "t:1: spiffe" },
		{ "operator spiffe spiffe://a/b/\n", "t:1: spiffe" },
		{ "operator spiffe SPIFFE://a/b\n", "t:1: spiffe" },
		{ "operator spiffe spiffe://a/*?\n", "t:1: spiffe" },
		{ "operator key abc\n", "t:1: key 'abc': it has to be 64 hexadecimal" },
		{ "operator key " KEY "0\n", "t:1: key" },
		{ "operator key 00112233445566778899AABBCCDDEEFF00112233445566778899aabbccddeeff\n",
		  "t:1: key" },
		{ "operator uid 0\noperator uid 0\n", "t:2: this uid is in line 1 already" },
		{ "operator uid 0\ntenant a uid 0\n", "t:2: this uid is in line 1 already" },
		{ "tenant a subject CN=a\ntenant b subject CN=a\n", "t:2: this subject" },
		{ "tenant A uid 1\n", "t:1: tenant 'A': a name is" },
		{ "tenant -a uid 1\n", "t:1: tenant '-a'" },
		{ "tenant a/b uid 1\n", "t:1: tenant 'a/b'" },
		{ "tenant\n", "t:1: tenant ''" },
		{ "tenant a\n", "t:1: nothing: an identity is" },
		{ "limit a cvms 1\n", "t:1: limit: no line above says who tenant 'a' is" },
		{ "tenant a uid 1\nlimit a disks 1\n", "t:2: limit a: 'disks' is none" },
		{ "tenant a uid 1\nlimit a cvms\n", "t:2: limit a cvms: '' is no number" },
		{ "tenant a uid 1\nlimit a cvms 1G\n", "t:2: limit a cvms: '1G' is no number" },
		{ "tenant a uid 1\nlimit a memory 1X\n", "t:2: limit a memory: '1X' is no size" },
		{ "tenant a uid 1\nlimit a cpus 1 2\n", "t:2: limit a cpus: '2' is one word" },
		{ "tenant a uid 1\nlimit a cpus 4294967296\n", "is no number" },
		{ "tenant a uid 1\nlimit a cpus 1\nlimit a cpus 2\n",
		  "t:3: limit a cpus: is there twice" },
		{ "operator uid 0\r\n", "t:1: a character that is not printable ASCII" },
		{ "operator subject CN=\xd0\xb0nna\n", "t:1: a character that is not" },
	};
	struct access_table *t = NULL;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_refused(parse(rows[i].text, &t, &e), e, ERR_INVALID, rows[i].words);
		assert_null(t);
	}
	assert_refused(access_table_parse("operator uid 0\0\n", 16, "t", &t, &e), e, ERR_INVALID,
		       "t:1: a character");
}

/* Whatever is cut off at the end, what is read is a beginning of what stood there, or refused. */
static void every_truncation_is_a_table_or_refused(void **state)
{
	static const char text[] = "operator uid 10\ntenant a key " KEY "\nlimit a cpus 12\n";
	unsigned whole = 0;
	struct err e;

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		struct access_table *t = NULL;

		if (access_table_parse(text, len, "t", &t, &e) < 0)
			continue;
		whole++;
		assert_true(t->rule_count >= 1 && t->rule_count <= 2);
		access_table_free(t);
	}
	/* "operator uid 1", "…10", its newline, then behind the key, its newline, and "1", "12" */
	assert_int_equal(whole, 7);
}

/* A text of so many lines, which the caller frees. */
static char *lines_of(const char *first, const char *fmt, unsigned count)
{
	char *text = malloc((size_t)count * 48 + 64);
	size_t at = (size_t)sprintf(text, "%s", first);

	for (unsigned i = 0; i < count; i++) {
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		at += (size_t)sprintf(text + at, fmt, i, i);
#pragma GCC diagnostic pop
	}
	return text;
}

static void there_is_an_end_to_each(void **state)
{
	static const struct {
		const char *first, *fmt;
		unsigned most;
		const char *words;
	} rows[] = {
		{ "", "operator uid %u\n", ACCESS_RULES_MAX, "more than 4096 identities" },
		{ "operator uid 100000\n", "tenant t%u uid %u\n", ACCESS_TENANTS_MAX,
		  "more than 256 tenants" },
	};
	struct access_table *t;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP(free) char *most = lines_of(rows[i].first, rows[i].fmt, rows[i].most);
		CLEANUP(free) char *more = lines_of(rows[i].first, rows[i].fmt, rows[i].most + 1);

		assert_ok(parse(most, &t, &e), e);
		access_table_free(t);
		assert_refused(parse(more, &t, &e), e, ERR_INVALID, rows[i].words);
	}
}

static void lines_names_and_files_have_a_length(void **state)
{
	static char text[ACCESS_FILE_MAX + 2];
	char line[ACCESS_LINE_MAX + 32] = "operator uid 0\n#";
	char name[ACCESS_NAME_MAX + 32] = "operator uid 0\ntenant ";
	struct access_table *t;
	struct err e;

	memset(line + 16, 'x', ACCESS_LINE_MAX - 1);
	assert_ok(parse(line, &t, &e), e);
	access_table_free(t);
	line[15 + ACCESS_LINE_MAX] = 'x';
	assert_refused(parse(line, &t, &e), e, ERR_INVALID, "t:2: a line of more than");

	memset(name + 22, 'n', ACCESS_NAME_MAX);
	strcpy(name + 22 + ACCESS_NAME_MAX, " uid 1");
	assert_ok(parse(name, &t, &e), e);
	access_table_free(t);
	strcpy(name + 22 + ACCESS_NAME_MAX, "n uid");
	assert_refused(parse(name, &t, &e), e, ERR_INVALID, "t:2: tenant");

	memset(text, '\n', sizeof(text) - 1);
	memcpy(text, "operator uid 0", 14);
	assert_ok(access_table_parse(text, ACCESS_FILE_MAX, "t", &t, &e), e);
	access_table_free(t);
	assert_refused(access_table_parse(text, ACCESS_FILE_MAX + 1, "t", &t, &e), e, ERR_INVALID,
		       "t: more than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_table_is_read),
		cmocka_unit_test(what_is_not_right_is_refused_with_its_line),
		cmocka_unit_test(every_truncation_is_a_table_or_refused),
		cmocka_unit_test(there_is_an_end_to_each),
		cmocka_unit_test(lines_names_and_files_have_a_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
