/* SPDX-License-Identifier: Apache-2.0 */
#include "common/python/marker.h"
#include "tests/unit.h"

static const struct python_target target = { .minor = 11, .glibc = 36, .machine = "x86_64" };

struct row {
	const char *text;
	bool applies;
};

static void check(const struct row *rows, size_t count, const char *extra)
{
	for (size_t i = 0; i < count; i++) {
		bool applies = !rows[i].applies;
		struct err e;

		assert_ok(marker_applies(rows[i].text, strlen(rows[i].text), &target, extra,
					 &applies, &e),
			  e);
		if (applies != rows[i].applies)
			fail_msg("%s", rows[i].text);
	}
}

static void what_the_standard_has_is_understood(void **state)
{
	static const struct row rows[] = {
		{ "python_version >= '3.8'", true },
		{ "python_version<\"3.9\"", false },
		{ " python_version == '3.11' ", true },
		{ "python_version == '3.*'", true },
		{ "python_version ~= '3.9'", true },
		{ "python_version != '3.11'", false },
		{ "python_version <= '3.11'", true },
		{ "python_version > '3.11'", false },
		{ "'3.10' <= python_version", true },
		{ "'3.10' > python_version", false },
		{ "'3.12' > python_version", true },
		{ "'3.11' == python_version", true },
		{ "python_version in '3.10 3.11'", true },
		{ "python_version not in '3.10 3.11'", false },
		{ "python_full_version >= '3.8.1'", true },
		{ "python_full_version < '4'", true },
		{ "implementation_version >= '3.8.1'", true },
		{ "python_full_version == '3.12.4'", false },
		{ "python_full_version == '3.11.4' and sys_platform == 'win32'", false },
		{ "python_full_version == '3.11.4' or sys_platform == 'linux'", true },
		{ "sys_platform == 'linux'", true },
		{ "sys_platform == 'win32'", false },
		{ "platform_system != 'Windows'", true },
		{ "os_name == 'posix' and platform_machine == 'x86_64'", true },
		{ "os_name == 'nt' or platform_machine == 'aarch64'", false },
		{ "os_name == 'nt' and os_name == 'posix' or os_name == 'posix'", true },
		{ "os_name == 'nt' and (os_name == 'posix' or os_name == 'posix')", false },
		{ "implementation_name == 'cpython'", true },
		{ "platform_python_implementation == 'PyPy'", false },
		{ "((((os_name == 'posix'))))", true },
		{ "'linux' in sys_platform", true },
	};
	static const struct row extras[] = {
		{ "extra == 'dev'", true },
		{ "extra == 'Dev'", true },
		{ "'test' == extra", false },
		{ "extra != 'test'", true },
		{ "python_version >= '3' and extra == 'dev'", true },
	};
	static const struct row without[] = { { "extra == 'dev'", false } };

	check(rows, ARRAY_LEN(rows), NULL);
	check(extras, ARRAY_LEN(extras), "dev");
	check(without, ARRAY_LEN(without), "");
}

static void what_is_none_or_cannot_be_told_is_refused(void **state)
{
	static const struct {
		const char *text, *words;
	} bad[] = {
		{ "", "none" },
		{ "python_version", "none" },
		{ "python_version >=", "none" },
		{ "python_version >= '3.8", "none" },
		{ "python_version >= '3.8' and", "none" },
		{ "python_version >= '3.8' os_name == 'posix'", "none" },
		{ "(python_version >= '3.8'", "none" },
		{ "python_version >= '3.8')", "none" },
		{ "python_versions >= '3.8'", "none" },
		{ "python_version not '3.8'", "none" },
		{ "python_version === '3.8'", "none" },
		{ "true", "none" },
		{ "'a' == 'a'", "compare a variable" },
		{ "os_name == sys_platform", "compare a variable" },
		{ "os_name < 'posix'", "in order" },
		{ "python_version >= 'abc'", "in order" },
		{ "platform_release >= '5'", "platform_release" },
		{ "platform_version == 'x'", "platform_version" },
		{ "python_full_version >= '3.11.4'", "patch level" },
		{ "python_full_version == '3.11.4'", "patch level" },
		{ "python_full_version != '3.11.39'", "patch level" },
		{ "python_full_version >= '3.11.4' and python_full_version < '3.11.8'",
		  "patch level" },
		{ "implementation_version in '3.11.2 3.11.4'", "patch level" },
		{ "extra == 'dev'", "extra" },
	};
	struct err e;
	bool applies;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(marker_applies(bad[i].text, strlen(bad[i].text), &target, NULL,
					      &applies, &e),
			       e, ERR_INVALID, bad[i].words);
	assert_refused(marker_applies("extra == '-'", 12, &target, "", &applies, &e), e,
		       ERR_INVALID, "extra");
}

static void parentheses_and_values_have_limits(void **state)
{
	static const char inner[] = "os_name == 'posix'";
	char text[256 + MARKER_VALUE_MAX] = "";
	struct err e;
	bool applies = false;

	for (int count = MARKER_DEPTH_MAX; count <= MARKER_DEPTH_MAX + 1; count++) {
		size_t len =
			(size_t)snprintf(text, sizeof(text), "%.*s%s%.*s", count,
					 "((((((((((((((((((", inner, count, "))))))))))))))))))");
		int failed = marker_applies(text, len, &target, NULL, &applies, &e);

		if (count == MARKER_DEPTH_MAX)
			assert_ok(failed, e);
		else
			assert_refused(failed, e, ERR_EXHAUSTED, "parentheses");
	}
	for (int count = MARKER_VALUE_MAX - 1; count <= MARKER_VALUE_MAX; count++) {
		size_t len = (size_t)snprintf(text, sizeof(text), "os_name != '%0*d'", count, 0);
		int failed = marker_applies(text, len, &target, NULL, &applies, &e);

		if (count < MARKER_VALUE_MAX)
			assert_ok(failed, e);
		else
			assert_refused(failed, e, ERR_INVALID, "none");
	}
}

static void every_truncation_is_read_or_refused(void **state)
{
	static const char text[] =
		"(python_version >= '3.8' or extra == 'x') and os_name not in 'nt'";
	const size_t first = sizeof("(python_version >= '3.8' or extra == 'x')") - 1;
	struct err e;
	bool applies;

	for (size_t len = 0; len < sizeof(text) - 1; len++) {
		char *exact = malloc(len ? len : 1);

		memcpy(exact, text, len);
		int failed = marker_applies(exact, len, &target, "", &applies, &e);
		/* its first half is a marker, too, and a blank behind it changes nothing */
		assert_int_equal(failed == 0, len == first || len == first + 1);
		free(exact);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_standard_has_is_understood),
		cmocka_unit_test(what_is_none_or_cannot_be_told_is_refused),
		cmocka_unit_test(parentheses_and_values_have_limits),
		cmocka_unit_test(every_truncation_is_read_or_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
