/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/python/python_judge.h"
#include "common/base/file.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define SITE    "lib/python3.11/site-packages"
#define EXTRA_A "Provides-Extra: a\n"

static struct python_env env = {
	.target = { .minor = 11, .glibc = 36, .machine = "x86_64" },
	.site = SITE,
};
static char root[] = "/tmp/cocos-judge-XXXXXX";
static char none[sizeof(root) + 8]; /* the machine's own packages: there are none */
static int dir = -1;

static int make_env(void **state)
{
	static const char *const folders[] = { "lib",
					       "lib/python3.11",
					       SITE,
					       SITE "/p0-1.0.dist-info",
					       SITE "/p1-1.0.dist-info",
					       SITE "/p2-1.0.dist-info",
					       SITE "/p3-1.0.dist-info",
					       SITE "/p4-1.0.dist-info" };

	if (!mkdtemp(root))
		return -1;
	snprintf(none, sizeof(none), "%s/none", root);
	env.system = none;
	dir = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	for (size_t i = 0; i < ARRAY_LEN(folders); i++)
		if (mkdirat(dir, folders[i], 0755) < 0)
			return -1;
	return 0;
}

static int remove_env(void **state)
{
	struct err e;

	close(dir);
	return dir_remove(root, &e);
}

/* The headers, and then `filler` until there are `lines` of them. */
static void install(const char *name, const char *headers, const char *filler, size_t lines)
{
	CLEANUP_WRITER struct writer text = writer_up_to(PYTHON_METADATA_MAX);
	char path[256];
	struct err e;

	writer_printf(&text, "%s", headers);
	for (const char *c = headers; *c; c++)
		lines -= *c == '\n';
	while (lines-- > 0)
		writer_printf(&text, "%s\n", filler);
	writer_printf(&text, "\nRequires-Dist: of the description; extra == 'a'\n");
	assert_ok(writer_check(&text, "METADATA", &e), e);
	snprintf(path, sizeof(path), "%s/" SITE "/%s-1.0.dist-info/METADATA", root, name);
	assert_ok(file_write(path, text.bytes, text.len, 0644, &e), e);
}

/* `missing`: as the text tells. */
static int judge(const char *text, const atomic_bool *cancel, const char *missing, struct err *e)
{
	__attribute__((cleanup(requirements_done))) struct requirements r = { 0 };
	__attribute__((cleanup(python_missing_done))) struct python_missing m = { 0 };

	assert_ok(requirements_parse(text, strlen(text), &env.target, &r, e), *e);
	int failed = python_judge(&env, dir, &r, cancel, &m, e);
	if (!failed) {
		assert_int_equal(m.text.len, strlen(missing));
		assert_memory_equal(m.text.len ? (const char *)m.text.bytes : "", missing,
				    m.text.len);
	}
	return failed;
}

static void what_an_extra_stands_for_is_asked_for(void **state)
{
	static const struct {
		const char *text, *missing;
	} rows[] = {
		{ "p0", "" },
		{ "p0[a]", "q>=2, p1>2 (there is 1.0)" },
		{ "p0[a, A ,a]", "q>=2, p1>2 (there is 1.0)" },
		{ "p0[b]", "p1[c] (what is there has no such extra)" },
		{ "p0[d]", "p0[d] (what is there has no such extra)" },
		{ "p0>1.0\nz", "p0>1.0 (there is 1.0), z" },
	};
	struct err e;

	install("p0",
		EXTRA_A "Provides-Extra: b\n"
			"Requires-Dist: always\n"
			"Requires-Dist: q>=2; extra == 'a'\n"
			"Requires-Dist: p1>2; extra == 'a'\n"
			"Requires-Dist: p1[c]; extra == 'b'\n",
		"", 6);
	install("p1", EXTRA_A, "", 1);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_ok(judge(rows[i].text, NULL, rows[i].missing, &e), e);
}

static void metadata_has_a_limit_over_all_that_is_read(void **state)
{
	enum { MOST = PYTHON_JUDGED_LINES_MAX };
	static const char deep[] = EXTRA_A "Requires-Dist: p1[a]; extra == 'a'\n"
					   "Requires-Dist: p1[A]; extra == 'a'\n";
	static const char four[] = EXTRA_A "Provides-Extra: b\nProvides-Extra: c\n"
					   "Provides-Extra: d\n";
	static const char other[] = "Requires-Dist: q; extra == 'z'";
	static const struct {
		const char *text, *headers, *filler;
		size_t lines, lines1; /* of p0 and of p1 */
		bool refused;
	} rows[] = {
		{ "p0[a]", EXTRA_A, "K: v", MOST, 1, false },
		{ "p0[a]", EXTRA_A, "K: v", MOST + 1, 1, true },
		{ "p0[a,a,A]", EXTRA_A, "K: v", MOST, 1, false },
		{ "p0[a]\np1[a]", EXTRA_A, "K: v", MOST - 1, 1, false },
		{ "p0[a]\np1[a]", EXTRA_A, "K: v", MOST - 1, 2, true },
		/* lines that do not apply, again for each extra */
		{ "p0[a,b,c,d]", four, other, MOST / 4, 1, false },
		{ "p0[a,b,c,d]", four, other, MOST / 4 + 1, 1, true },
		/* extras of extras */
		{ "p0[a]", deep, "K: v", 3, (MOST - 4) / 2, false },
		{ "p0[a]", deep, "K: v", 3, (MOST - 4) / 2 + 1, true },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		install("p0", rows[i].headers, rows[i].filler, rows[i].lines);
		install("p1", EXTRA_A, "K: v", rows[i].lines1);
		int failed = judge(rows[i].text, NULL, "", &e);
		if (rows[i].refused)
			assert_refused(failed, e, ERR_EXHAUSTED, "lines of packages' metadata");
		else
			assert_ok(failed, e);
	}
}

static void a_long_line_counts_for_several(void **state)
{
	struct err e;

	for (int more = 0; more <= 1; more++) {
		char headers[PYTHON_JUDGED_LINE_BYTES + 64];

		snprintf(headers, sizeof(headers), EXTRA_A "%0*d\n",
			 PYTHON_JUDGED_LINE_BYTES - 1 + more, 1);
		install("p0", headers, "K: v", PYTHON_JUDGED_LINES_MAX);
		int failed = judge("p0[a]", NULL, "", &e);
		if (more)
			assert_refused(failed, e, ERR_EXHAUSTED, "lines of packages' metadata");
		else
			assert_ok(failed, e);
	}
}

/* p0's extra asks for p1's, and so on, `deep` packages in all. */
static void install_chain(int deep)
{
	for (int i = 0; i < deep; i++) {
		char name[8], headers[128];

		snprintf(name, sizeof(name), "p%d", i);
		snprintf(headers, sizeof(headers), EXTRA_A "Requires-Dist: p%d%s; extra == 'a'\n",
			 i + 1 < deep ? i + 1 : 0, i + 1 < deep ? "[a]" : "");
		install(name, headers, "", 2);
	}
}

static void extras_of_extras_have_a_depth(void **state)
{
	struct err e;

	for (int deep = 1; deep <= PYTHON_JUDGE_DEPTH_MAX; deep++) {
		install_chain(deep);
		assert_ok(judge("p0[a]", NULL, "", &e), e);
	}
	install_chain(PYTHON_JUDGE_DEPTH_MAX + 1);
	assert_refused(judge("p0[a]", NULL, "", &e), e, ERR_EXHAUSTED,
		       "'p4[a]': extras of extras, more than 4 deep");
	/* Deep is what hangs on one another, and not how many there are. */
	assert_ok(judge("p1[a]\np2[a]\np3[a]\np4[a]", NULL, "", &e), e);
}

static void packages_that_are_looked_for_have_a_number(void **state)
{
	struct err e;

	/* p0 itself is the first of them. */
	for (int more = -1; more <= 1; more++) {
		install("p0", EXTRA_A, "Requires-Dist: p1; extra == 'a'",
			(size_t)(PYTHON_JUDGED_MAX + more));
		install("p1", "", "", 0);
		int failed = judge("p0[a]", NULL, "", &e);
		if (more > 0)
			assert_refused(failed, e, ERR_EXHAUSTED,
				       "more than 4096 packages to look for");
		else
			assert_ok(failed, e);
	}
}

static void it_gives_up_when_it_is_cancelled(void **state)
{
	atomic_bool cancel = false;
	struct err e;

	install("p0", EXTRA_A, "", 1);
	assert_ok(judge("p0[a]", &cancel, "", &e), e);
	atomic_store(&cancel, true);
	assert_refused(judge("p0[a]", &cancel, "", &e), e, ERR_CANCELLED, "cancelled");
	assert_refused(judge("p0", &cancel, "", &e), e, ERR_CANCELLED, "cancelled");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_an_extra_stands_for_is_asked_for),
		cmocka_unit_test(metadata_has_a_limit_over_all_that_is_read),
		cmocka_unit_test(a_long_line_counts_for_several),
		cmocka_unit_test(extras_of_extras_have_a_depth),
		cmocka_unit_test(packages_that_are_looked_for_have_a_number),
		cmocka_unit_test(it_gives_up_when_it_is_cancelled),
	};

	return cmocka_run_group_tests(tests, make_env, remove_env);
}
