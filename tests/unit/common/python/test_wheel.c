/* SPDX-License-Identifier: Apache-2.0 */
#include "common/python/wheel.h"
#include "tests/unit.h"

static const struct python_target target = { .minor = 11, .glibc = 36, .machine = "x86_64" };

static void what_this_python_can_use_is_taken(void **state)
{
	static const char *const good[] = {
		"x-1.0-py3-none-any.whl",
		"x-1.0-py2.py3-none-any.whl",
		"x-1.0-py311-none-any.whl",
		"x-1.0-1a-py3-none-any.whl",
		"x-1.0-cp311-cp311-manylinux_2_36_x86_64.whl",
		"x-1.0-cp311-cp311-manylinux1_x86_64.whl",
		"x-1.0-cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
		"x-1.0-cp311-none-linux_x86_64.whl",
		"x-1.0-cp37-abi3-manylinux2010_x86_64.whl",
		"x-1.0-cp311-abi3-linux_x86_64.whl",
		"x-1.0-py3-none-manylinux_2_28_x86_64.whl",
	};
	struct wheel_name wheel;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(wheel_name_parse(good[i], &target, &wheel, &e), e);
	assert_ok(wheel_name_parse("Scikit_Learn-1.2.post1-py3-none-any.whl", &target, &wheel, &e),
		  e);
	assert_string_equal(wheel.name, "scikit-learn");
	assert_string_equal(wheel.version_text, "1.2.post1");
	assert_string_equal(wheel.stem, "Scikit_Learn-1.2.post1");
}

static void what_is_for_others_is_refused(void **state)
{
	static const struct {
		const char *file, *words;
	} bad[] = {
		{ "x-1.0-cp312-cp312-manylinux_2_17_x86_64.whl", "Python 3.11" },
		{ "x-1.0-cp312-abi3-manylinux_2_17_x86_64.whl", "Python 3.11" },
		{ "x-1.0-cp311-cp311-manylinux_2_37_x86_64.whl", "GNU libc 2.36" },
		{ "x-1.0-cp311-cp311-manylinux_2_17_aarch64.whl", "x86_64" },
		{ "x-1.0-cp311-cp311-manylinux_2__x86_64.whl", "Python" },
		{ "x-1.0-cp311-cp311-manylinux_2_17a_x86_64.whl", "Python" },
		{ "x-1.0-cp311-cp311-manylinux_2_00017_x86_64.whl", "Python" },
		{ "x-1.0-cp311-cp311-linuxx86_64.whl", "Python" },
		{ "x-1.0-cp311-cp311-_x86_64.whl", "Python" },
		{ "x-1.0-cp311-cp311-.whl", "Python" },
		{ "x-1.0-cp311-cp311-musllinux_1_1_x86_64.whl", "Python" },
		{ "x-1.0-cp311-cp311-win_amd64.whl", "Python" },
		{ "x-1.0-py2-none-any.whl", "Python" },
		{ "x-1.0-py3-cp311-any.whl", "Python" },
		{ "x-1.0.whl", "named" },
		{ "x-1.0-b1-py3-none-any.whl", "named" },
		{ "x-1.0-1-2-py3-none-any.whl", "named" },
		{ "x-one-py3-none-any.whl", "named" },
		{ "-1.0-py3-none-any.whl", "named" },
		{ "x-1.0-py3-none-any.zip", "named" },
		{ ".whl", "named" },
		{ "", "named" },
	};
	struct wheel_name wheel;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(wheel_name_parse(bad[i].file, &target, &wheel, &e), e, ERR_INVALID,
			       bad[i].words);
}

static void every_truncation_is_refused(void **state)
{
	static const char good[] = "x-1.0-cp311-cp311-manylinux_2_17_x86_64.whl";
	struct wheel_name wheel;
	struct err e;

	for (size_t len = 0; len < sizeof(good) - 1; len++) {
		char *exact = strndup(good, len);

		assert_refused(wheel_name_parse(exact, &target, &wheel, &e), e, ERR_INVALID,
			       "named");
		free(exact);
	}
}

static void a_name_is_as_long_as_a_file_may_be(void **state)
{
	char file[WHEEL_FILE_MAX + 2];
	struct wheel_name wheel;
	struct err e;
	/* tags that nobody knows fill it up */
	static const char head[] = "x-1.0-py3-none-any.", tail[] = ".whl";

	for (int len = WHEEL_FILE_MAX; len <= WHEEL_FILE_MAX + 1; len++) {
		memset(file, 'a', sizeof(file));
		memcpy(file, head, sizeof(head) - 1);
		snprintf(file + len - 4, 5, "%s", tail);
		int failed = wheel_name_parse(file, &target, &wheel, &e);

		if (len == WHEEL_FILE_MAX)
			assert_ok(failed, e);
		else
			assert_refused(failed, e, ERR_INVALID, "named");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_this_python_can_use_is_taken),
		cmocka_unit_test(what_is_for_others_is_refused),
		cmocka_unit_test(every_truncation_is_refused),
		cmocka_unit_test(a_name_is_as_long_as_a_file_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
