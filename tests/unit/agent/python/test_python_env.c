/* SPDX-License-Identifier: Apache-2.0 */
/* How many wheels are installed. */
#include "agent/python/python_env.h"
#include "tests/unit.h"
#include "tests/unit/agent/python/wheel_kit.h"

#include <stdio.h>

/* Wheels with a file each, `count` of them in all. */
static void fill(struct wheel_kit *k, int from, int count)
{
	for (int i = from; i < count; i++) {
		char content[64], file[32], wheel[128];
		struct err e;

		snprintf(content, sizeof(content), "%s/content", k->top);
		snprintf(file, sizeof(file), "w%d.py", i);
		snprintf(wheel, sizeof(wheel), "%s/wheels/w%d-1.0-py3-none-any.whl", k->top, i);
		wheel_kit_put(content, file, "x = 1\n");
		wheel_kit_pack(content, wheel);
		assert_ok(dir_remove(content, &e), e);
	}
}

static int install(struct wheel_kit *k, struct err *e)
{
	wheel_kit_empty(k);
	assert_ok(python_env_make(&wheel_kit_env, k->out, e), *e);
	return python_env_install(&wheel_kit_env, k->out, k->wheels, NULL, e);
}

static int has(const struct wheel_kit *k, int number)
{
	char path[96];

	snprintf(path, sizeof(path), WHEEL_KIT_SITE "/w%d.py", number);
	return faccessat(k->out, path, F_OK, 0) == 0;
}

static void as_many_wheels_as_there_may_be_and_no_more(void **state)
{
	struct wheel_kit *k = *state;
	char wheels[64];
	struct err e;

	snprintf(wheels, sizeof(wheels), "%s/wheels", k->top);
	k->wheels = wheel_kit_open(wheels);
	for (int more = -1, from = 0; more <= 1; more++, from = PYTHON_WHEELS_MAX + more - 1) {
		fill(k, from, PYTHON_WHEELS_MAX + more);
		int failed = install(k, &e);
		if (more > 0) {
			assert_refused(failed, e, ERR_EXHAUSTED, "wheels: more than 256");
			assert_false(has(k, 0));
		} else {
			assert_ok(failed, e);
			assert_true(has(k, 0) && has(k, PYTHON_WHEELS_MAX + more - 1));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WHEEL_KIT_ROW(as_many_wheels_as_there_may_be_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
