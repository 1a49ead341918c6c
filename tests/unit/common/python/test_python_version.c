/* SPDX-License-Identifier: Apache-2.0 */
#include "common/python/python_version.h"
#include "tests/unit.h"

static struct python_version parse(const char *text)
{
	struct python_version v = { 0 };
	struct err e;

	assert_ok(python_version_parse(text, strlen(text), &v, &e), e);
	return v;
}

static bool met(const char *spec, const char *version)
{
	struct python_version v = parse(version);
	struct python_spec s;
	struct err e;

	if (python_spec_parse(spec, strlen(spec), &s, &e) < 0)
		fail_msg("%s: %s", spec, e.text);
	return python_spec_met(&s, &v);
}

static bool met_by(const char *operator, const char * asked, const char *version)
{
	char spec[2 * PYTHON_VERSION_MAX];

	snprintf(spec, sizeof(spec), "%s%s", operator, asked);
	return met(spec, version);
}

/* PEP 440, "Summary of permitted suffixes and relative ordering", and packaging's own list. */
static void versions_stand_in_their_order(void **state)
{
	static const char *const ordered[] = {
		"1.0.dev456",
		"1.0a1",
		"1.0a2.dev456",
		"1.0a12.dev456",
		"1.0a12",
		"1.0b1.dev456",
		"1.0b2",
		"1.0b2.post345.dev456",
		"1.0b2.post345",
		"1.0rc1.dev456",
		"1.0rc1",
		"1.0",
		"1.0.post456.dev34",
		"1.0.post456",
		"1.1.dev1",
		"1.2",
		"1.2.r32",
		"1.2.rev33",
		"1!1.0.dev456",
		"1!1.0",
		"1!2.0",
	};

	for (size_t i = 0; i < ARRAY_LEN(ordered); i++)
		for (size_t j = 0; j < ARRAY_LEN(ordered); j++)
			if (met_by("<=", ordered[i], ordered[j]) != (j <= i) ||
			    met_by(">=", ordered[i], ordered[j]) != (j >= i) ||
			    met_by("==", ordered[i], ordered[j]) != (j == i))
				fail_msg("%s and %s in another order", ordered[i], ordered[j]);
}

static void one_version_in_many_spellings(void **state)
{
	static const char *const same[][2] = {
		{ "1.0", "1" },
		{ "1.0", "1.0.0" },
		{ "1.0", "v1.0" },
		{ "1.0a1", "1.0.alpha-1" },
		{ "1.0a0", "1.0a" },
		{ "1.0rc1", "1.0c1" },
		{ "1.0rc1", "1.0-PRE_1" },
		{ "1.0.post1", "1.0-1" },
		{ "1.0.post0", "1.0post" },
		{ "1.0.post2", "1.0.r2" },
		{ "1.0.dev0", "1.0dev" },
		{ "1.0+a.b", "1.0+A_b" },
		{ "1.0+a.01.0", "1.0+a.1.00" },
		{ "01.002", "1.2" },
		{ "0!1", "1" },
	};

	for (size_t i = 0; i < ARRAY_LEN(same); i++)
		for (size_t n = 0; n < 2; n++)
			if (!met_by("==", same[i][n], same[i][!n]))
				fail_msg("%s is not %s", same[i][n], same[i][!n]);
}

static void what_is_no_version_is_refused(void **state)
{
	static const char *const bad[] = { "",
					   "x",
					   "1.",
					   "1..2",
					   ".1",
					   "1.0+",
					   "1.0+a.",
					   "1.0 ",
					   " 1.0",
					   "1.0a1b2",
					   "1.0+a+b",
					   "1!",
					   "1!2!3",
					   "1.0.*",
					   "=1",
					   "1.0/2",
					   "1.2.3.4.5.6.7.8.9",
					   "1234567890123456789" };
	struct python_version v;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (python_version_parse(bad[i], strlen(bad[i]), &v, &e) != -ERR_INVALID)
			fail_msg("'%s' is taken", bad[i]);
}

/* The examples of PEP 440, "Version specifiers". */
static void specifiers_mean_what_the_pep_says(void **state)
{
	static const struct {
		const char *spec, *version;
		bool met;
	} rows[] = {
		{ "~=2.2", "2.2", true },
		{ "~=2.2", "2.10", true },
		{ "~=2.2", "3.0", false },
		{ "~=2.2", "2.1", false },
		{ "~= 1.4.5", "1.4.9", true },
		{ "~=1.4.5", "1.5", false },
		{ "~=2.2.post3", "2.2.post2", false },
		{ "~=2.2.post3", "2.9", true },
		{ "==1.1", "1.1.post1", false },
		{ "==1.1.*", "1.1.post1", true },
		{ "==1.1", "1.1.0", true },
		{ "==1.1", "1.1.dev1", false },
		{ "==1.1.*", "1.1a1", true },
		{ "==1.1.*", "1.10", false },
		{ "==1.1", "1.1+local", true },
		{ "==1.1+local", "1.1", false },
		{ "==1.1+local", "1.1+local", true },
		{ "==1.1+local", "1.1+loca", false },
		{ "==1.1+local.1", "1.1+local", false },
		{ "==1.1+local", "1.1+local.1", false },
		{ "==1.1+local.1", "1.1+local.10", false },
		{ "==1.1+1", "1.1+2", false },
		{ "==1.1+01a", "1.1+1a", false },
		{ "==1.1.post1", "1.1.post1", true },
		{ "!=1.1", "1.1.post1", true },
		{ "!=1.1", "1.1", false },
		{ "!=1.1.*", "1.1.post1", false },
		{ "!=1.1.*", "1.2", true },
		{ ">1.7", "1.7.1", true },
		{ ">1.7", "1.7.0.post1", false },
		{ ">1.7.post2", "1.7.1", true },
		{ ">1.7.post2", "1.7.post3", true },
		{ ">1.7", "1.7+x", false },
		{ "<1.7", "1.7rc1", false },
		{ "<1.7", "1.6.9", true },
		{ "<1.7rc2", "1.7rc1", true },
		{ ">=1.0", "1.0", true },
		{ ">=1.0", "1.0rc1", false },
		{ "<=1.0", "1.0+x", true },
		{ "<=1.0", "1.0.post1", false },
		{ ">=1", "1!0.1", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (met(rows[i].spec, rows[i].version) != rows[i].met)
			fail_msg("%s %s %s", rows[i].version,
				 rows[i].met ? "does not meet" : "meets", rows[i].spec);
}

static void specifiers_that_mean_nothing_are_refused(void **state)
{
	static const char *const bad[] = { "",    "1.0",       "=1.0",         "===1.0",   "=>1.0",
					   "~=1", ">=1.*",     "~=1.0.*",      "<1+x",     "==",
					   "==*", "==1.0+x.*", "==1.0.dev1.*", ">= 1.0 2", "<>1" };
	struct python_spec s;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (python_spec_parse(bad[i], strlen(bad[i]), &s, &e) != -ERR_INVALID)
			fail_msg("'%s' is taken", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_stand_in_their_order),
		cmocka_unit_test(one_version_in_many_spellings),
		cmocka_unit_test(what_is_no_version_is_refused),
		cmocka_unit_test(specifiers_mean_what_the_pep_says),
		cmocka_unit_test(specifiers_that_mean_nothing_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
