/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/writer.h"
#include "common/python/requirements.h"
#include "tests/unit.h"

#include <stdio.h>

#define H64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SHA "--hash=sha256:" H64

static const struct python_target target = { .minor = 11, .glibc = 36, .machine = "x86_64" };

static void what_pip_compile_writes_is_read(void **state)
{
	static const char text[] = "# made by a tool\n"
				   "\n"
				   "numpy==1.24.2 \\\n"
				   "    " SHA " \\\n"
				   "    " SHA "\n"
				   "    # via -r requirements.in\n"
				   "Scikit_Learn >= 1.0, < 2  # a comment\r\n"
				   "foo.bar";
	struct requirements r;
	struct err e;

	assert_ok(requirements_parse(text, strlen(text), &target, &r, &e), e);
	assert_int_equal(r.count, 3);
	assert_string_equal(r.items[0].name, "numpy");
	assert_int_equal(r.items[0].hash_count, 2);
	assert_string_equal(r.items[0].text, "numpy==1.24.2");
	assert_string_equal(r.items[0].line, "numpy==1.24.2 " SHA " " SHA);
	assert_string_equal(r.items[1].name, "scikit-learn");
	assert_int_equal(r.items[1].spec_count, 2);
	assert_int_equal(r.items[1].hash_count, 0);
	assert_string_equal(r.items[2].name, "foo-bar");
	assert_true(requirement_met(&r.items[0], "1.24.2"));
	assert_true(requirement_met(&r.items[0], "1.24.2+debian"));
	assert_false(requirement_met(&r.items[0], "1.24.3"));
	assert_false(requirement_met(&r.items[1], "2.0"));
	assert_true(requirement_met(&r.items[1], "1.2.1"));
	assert_true(requirement_met(&r.items[2], ""));
	assert_false(requirement_met(&r.items[1], ""));
	requirements_done(&r);
}

static void extras_and_markers_are_read(void **state)
{
	static const char text[] =
		"Requests[Security, socks_5] >=2 ; python_version > '3' " SHA "\n"
		"none[]\n"
		"numpy==1.26; python_version < '3.11'\n"
		"numpy==2.0; python_version >= '3.11' and sys_platform == 'linux'\n"
		"pywin32; sys_platform == 'win32'\n";
	struct requirements r;
	struct err e;

	assert_ok(requirements_parse(text, strlen(text), &target, &r, &e), e);
	assert_int_equal(r.count, 3);
	assert_string_equal(r.items[0].name, "requests");
	assert_string_equal(r.items[0].extras, "security,socks-5");
	assert_int_equal(r.items[0].spec_count, 1);
	assert_string_equal(r.items[0].line, "Requests[Security, socks_5] >=2 " SHA);
	assert_string_equal(r.items[1].name, "none");
	assert_string_equal(r.items[1].extras, "");
	assert_string_equal(r.items[2].text, "numpy==2.0");
	const char *at = r.items[0].line;
	size_t len;
	assert_memory_equal(requirement_next_hash(&at, &len), "sha256:" H64, 7 + 64);
	assert_int_equal(len, 7 + 64);
	assert_null(requirement_next_hash(&at, &len));
	requirements_done(&r);
}

static void dependencies_are_read_as_metadata_has_them(void **state)
{
	static const struct {
		const char *text, *extra, *name;
		bool applies;
		size_t specs;
	} rows[] = {
		{ "numpy>=1.0", "", "numpy", true, 1 },
		{ "numpy (>=1.0,<2)", "", "numpy", true, 2 },
		{ "numpy", "", "numpy", true, 0 },
		{ "py_test ; extra == 'test'", "", "py-test", false, 0 },
		{ "py_test (<9) ; extra == 'test'", "test", "py-test", true, 1 },
	};
	struct requirement r;
	struct err e;
	bool applies;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(requirement_parse_dependency(rows[i].text, &target, rows[i].extra, &r,
						       &applies, &e),
			  e);
		assert_string_equal(r.name, rows[i].name);
		assert_int_equal(applies, rows[i].applies);
		assert_int_equal(r.spec_count, rows[i].specs);
		requirement_done(&r);
	}
	assert_refused(
		requirement_parse_dependency("x @ file:///etc", &target, "", &r, &applies, &e), e,
		ERR_INVALID, "address");
	assert_refused(requirement_parse_dependency("", &target, "", &r, &applies, &e), e,
		       ERR_INVALID, "name");
}

/* What an extra costs is paid once. Being the beginning or the end of another is not being it. */
static void an_extra_counts_once(void **state)
{
	static const struct {
		const char *text, *extras;
	} rows[] = {
		{ "x[a,a]", "a" },
		{ "x[A,a , a_b,a.B,A--b]", "a,a-b" },
		{ "x[ab,a,b,ab,b]", "ab,a,b" },
		{ "x[a,ab,b,a]", "a,ab,b" },
	};
	char many[3 + 2 * REQUIREMENT_EXTRAS_MAX + 2] = "x[a";
	struct requirements r;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(requirements_parse(rows[i].text, strlen(rows[i].text), &target, &r, &e),
			  e);
		assert_string_equal(r.items[0].extras, rows[i].extras);
		requirements_done(&r);
	}
	/* more than would fit if each was kept */
	for (size_t i = 0; i < REQUIREMENT_EXTRAS_MAX; i++)
		memcpy(many + 3 + 2 * i, ",a", 2);
	many[3 + 2 * REQUIREMENT_EXTRAS_MAX] = ']';
	assert_ok(requirements_parse(many, strlen(many), &target, &r, &e), e);
	assert_string_equal(r.items[0].extras, "a");
	requirements_done(&r);
}

static void extras_have_a_limit(void **state)
{
	/* two of them, with a comma between, and one character more */
	for (int more = 0; more <= 1; more++) {
		char text[REQUIREMENT_EXTRAS_MAX + 16];
		struct requirements r;
		struct err e;

		snprintf(text, sizeof(text), "x[%0*d,%0*d,1]", 126, 1, 126 + more, 2);
		int failed = requirements_parse(text, strlen(text), &target, &r, &e);
		if (more) {
			assert_refused(failed, e, ERR_EXHAUSTED, "extras");
		} else {
			assert_ok(failed, e);
			assert_int_equal(strlen(r.items[0].extras), REQUIREMENT_EXTRAS_MAX - 1);
			requirements_done(&r);
		}
	}
}

static void nothing_at_all_is_fine(void **state)
{
	struct requirements r;
	struct err e;

	assert_ok(requirements_parse(NULL, 0, &target, &r, &e), e);
	assert_int_equal(r.count, 0);
	requirements_done(&r);
}

static void what_could_bring_in_something_else_is_refused(void **state)
{
	static const struct {
		const char *line, *words;
	} bad[] = {
		{ "-r other.txt", "option" },
		{ "--index-url https://example.com", "option" },
		{ "--extra-index-url=x", "option" },
		{ "-e .", "option" },
		{ "git+https://example.com/x", "address" },
		{ "pkg @ https://example.com/x.whl", "address" },
		{ "./wheel.whl", "path" },
		{ "/etc/passwd", "path" },
		{ "requests[security", "close" },
		{ "requests[se curity]", "no name" },
		{ "requests[a,]", "no name" },
		{ "requests[a]]", "specifier" },
		{ "x; python_version", "marker" },
		{ "x; extra == 'y'", "extra" },
		{ "x (>=1)", "parentheses" },
		{ "x==1.0 --global-option=y", "only --hash" },
		{ "x==1.0 --hash=md5:" H64, "only --hash" },
		{ "x==1.0 --hash=sha256:" H64 "a", "only --hash" },
		{ "x==1.0 --hash=sha256:zz" H64, "only --hash" },
		{ "x==1.0 --hash sha256:" H64, "only --hash" },
		{ "x==1.0,", "comma" },
		{ "x==1.0 y", "version" },
		{ "x = 1", "specifier" },
		{ "==1.0", "name" },
		{ "-x", "option" },
		{ "x_", "name" },
		{ "x\ty", "specifier" },
		{ "x$(id)", "parentheses" },
		{ "x`id`", "name" },
		{ "x\nX", "second time" },
		{ "a.b\na-_b", "second time" },
	};
	struct requirements r;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(
			requirements_parse(bad[i].line, strlen(bad[i].line), &target, &r, &e), e,
			ERR_INVALID, bad[i].words);
	assert_refused(requirements_parse("a\0b", 3, &target, &r, &e), e, ERR_INVALID, "UTF-8");
	assert_refused(requirements_parse("a\xff", 2, &target, &r, &e), e, ERR_INVALID, "UTF-8");
}

static void a_fault_is_named_by_its_line(void **state)
{
	static const char text[] = "a\n# c\nb \\\n ==1\n-r x\n";
	struct requirements r;
	struct err e;

	assert_refused(requirements_parse(text, strlen(text), &target, &r, &e), e, ERR_INVALID,
		       "line 5");
}

static void counts_at_their_limits(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1 << 20);
	struct requirements r;
	struct err e;

	for (int i = 0; i < REQUIREMENTS_MAX; i++)
		writer_printf(&w, "p%d\n", i);
	assert_ok(requirements_parse(w.bytes, w.len, &target, &r, &e), e);
	assert_int_equal(r.count, REQUIREMENTS_MAX);
	requirements_done(&r);
	writer_text(&w, "one-more\n");
	assert_refused(requirements_parse(w.bytes, w.len, &target, &r, &e), e, ERR_EXHAUSTED,
		       "one too many");

	w.len = 0;
	writer_text(&w, "p >=1");
	for (int i = 1; i < PYTHON_SPECS_MAX; i++)
		writer_text(&w, ",>=1");
	assert_ok(requirements_parse(w.bytes, w.len, &target, &r, &e), e);
	requirements_done(&r);
	writer_text(&w, ",>=1");
	assert_refused(requirements_parse(w.bytes, w.len, &target, &r, &e), e, ERR_EXHAUSTED,
		       "specifiers");

	w.len = 0;
	writer_text(&w, "p");
	for (int i = 0; i < REQUIREMENT_HASHES_MAX; i++)
		writer_text(&w, " " SHA);
	assert_ok(requirements_parse(w.bytes, w.len, &target, &r, &e), e);
	requirements_done(&r);
	writer_text(&w, " " SHA);
	assert_refused(requirements_parse(w.bytes, w.len, &target, &r, &e), e, ERR_EXHAUSTED,
		       "hashes");

	w.len = 0;
	writer_zeros(&w, REQUIREMENTS_BYTES_MAX + 1);
	memset(w.bytes, '\n', w.len);
	assert_ok(requirements_parse(w.bytes, w.len - 1, &target, &r, &e), e);
	requirements_done(&r);
	assert_refused(requirements_parse(w.bytes, w.len, &target, &r, &e), e, ERR_EXHAUSTED,
		       "bytes");
}

static void every_truncation_is_read_or_refused(void **state)
{
	static const char text[] =
		"numpy==1.24.2 \\\n " SHA "\n# x\nb[c]>=1,<2; os_name == 'posix'\n";
	struct requirements r;
	struct err e;

	for (size_t len = 0; len < sizeof(text); len++) {
		char *exact = malloc(len ? len : 1);

		memcpy(exact, text, len);
		if (requirements_parse(exact, len, &target, &r, &e) == 0)
			requirements_done(&r);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_pip_compile_writes_is_read),
		cmocka_unit_test(extras_and_markers_are_read),
		cmocka_unit_test(dependencies_are_read_as_metadata_has_them),
		cmocka_unit_test(an_extra_counts_once),
		cmocka_unit_test(extras_have_a_limit),
		cmocka_unit_test(nothing_at_all_is_fine),
		cmocka_unit_test(what_could_bring_in_something_else_is_refused),
		cmocka_unit_test(a_fault_is_named_by_its_line),
		cmocka_unit_test(counts_at_their_limits),
		cmocka_unit_test(every_truncation_is_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
