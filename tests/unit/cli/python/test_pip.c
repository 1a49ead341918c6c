/* SPDX-License-Identifier: Apache-2.0 */
/* What pip is asked: all of it, or nothing. */
#include "cli/python/pip.h"
#include "common/base/file.h"
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { GLIBC_MAX = 170 /* with all other words as many as there may be */ };

static char folder[32], log_path[64];

/* In python3's place: a program that says what it is asked. */
static int enter(void **state)
{
	static const char said[] = "#!/bin/sh\nshift 2\nprintf '%s\\n' \"$@\"\n";
	char program[64];
	struct err e;

	snprintf(folder, sizeof(folder), "/tmp/test-pip-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(program, sizeof(program), "%s/python3", folder);
	snprintf(log_path, sizeof(log_path), "%s/log", folder);
	if (file_write(program, said, strlen(said), 0755, &e) < 0)
		return -1;
	return setenv("PATH", folder, 1);
}

static int leave(void **state)
{
	struct err e;

	return dir_remove(folder, &e);
}

static int resolve(unsigned int glibc, struct err *e)
{
	const struct python_target target = { .minor = 13, .glibc = glibc, .machine = "x86_64" };
	const struct pip pip = { .target = &target, .image = "IMAGE", .log = log_path };
	struct cli cli = { .out = stdout };

	unlink(log_path);
	return pip_resolve(&cli, &pip, "REQUIREMENTS", "LOCK", e);
}

static void so_many_platforms_are_all_asked_for(void **state)
{
	static const char end[] = "--platform=linux_x86_64\n--report\nLOCK\n--requirement\n"
				  "REQUIREMENTS\n";
	CLEANUP(free) char *said = NULL;
	char newest[64];
	struct err e;

	assert_ok(resolve(GLIBC_MAX, &e), e);
	assert_ok(file_read_text(log_path, 1 << 16, &said, &e), e);
	snprintf(newest, sizeof(newest), "\n--platform=manylinux_2_%d_x86_64\n", GLIBC_MAX);
	assert_non_null(strstr(said, newest));
	assert_non_null(strstr(said, "\n--platform=manylinux1_x86_64\n"));
	assert_string_equal(said + strlen(said) - strlen(end), end);
}

static void one_more_is_refused_by_name_and_nothing_asked(void **state)
{
	static const unsigned int more[] = { GLIBC_MAX + 1, 999 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(more); i++) {
		assert_refused(resolve(more[i], &e), e, ERR_EXHAUSTED, "the agent names glibc 2.");
		assert_int_equal(access(log_path, F_OK), -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(so_many_platforms_are_all_asked_for, enter, leave),
		cmocka_unit_test_setup_teardown(one_more_is_refused_by_name_and_nothing_asked,
						enter, leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
