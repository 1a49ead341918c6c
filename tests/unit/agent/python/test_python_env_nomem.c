/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation fails once while requirements with their wheels are opened, judged and installed:
 * what there is no memory to look at is never taken for right, nor for missing.
 */
#include "agent/python/python_judge.h"
#include "agent/python/requirement_bundle.h"
#include "common/base/file.h"
#include "tests/unit.h"
#include "tests/unit/agent/python/wheel_kit.h"
#include "tests/unit/nomem/nomem.h"

#include <stdio.h>

#define METADATA                                          \
	"Provides-Extra: a\nRequires-Dist: x; extra=='a'" \
	"\nRequires-Dist: gone>1; extra == 'a'\n"

static int open_bundle(void *data, struct err *e)
{
	struct wheel_kit *k = data;
	struct requirement_wheels wheels = { .count = 0 };
	int failed =
		requirement_bundle_open(k->zip, k->out, &wheel_kit_env.target, NULL, &wheels, e);

	nomem_pause();
	assert_int_equal(wheels.count, !failed);
	requirement_wheels_done(&wheels);
	wheel_kit_empty(k);
	nomem_go_on();
	return failed;
}

static int install(void *data, struct err *e)
{
	struct wheel_kit *k = data;
	int failed = python_env_make(&wheel_kit_env, k->out, e);

	if (!failed)
		failed = python_env_install(&wheel_kit_env, k->out, k->wheels, NULL, e);
	nomem_pause();
	if (!failed)
		assert_int_equal(faccessat(k->out, WHEEL_KIT_SITE "/pure.py", F_OK, 0), 0);
	wheel_kit_empty(k);
	nomem_go_on();
	return failed;
}

static int judge(void *data, struct err *e)
{
	static const char text[] = "x[a]>=1\ny==2 --hash=sha256:"
				   "00000000000000000000000000000000"
				   "00000000000000000000000000000000\n";
	__attribute__((cleanup(requirements_done))) struct requirements r = { 0 };
	__attribute__((cleanup(python_missing_done))) struct python_missing m = { 0 };
	struct wheel_kit *k = data;

	if (requirements_parse(text, strlen(text), &wheel_kit_env.target, &r, e) < 0 ||
	    python_judge(&wheel_kit_env, k->out, &r, NULL, &m, e) < 0)
		return err_code(e);
	assert_int_equal(m.count, 2); /* what the extra stands for, and y */
	return writer_check(&m.text, "missing", e) < 0 ? err_code(e)
						       : writer_check(&m.lines, "missing", e);
}

static int list(void *data, struct err *e)
{
	struct python_packages all;
	struct wheel_kit *k = data;
	struct python_env env = wheel_kit_env;
	int failed;

	env.system = k->image;
	failed = python_packages_list(&env, &all, e);
	if (failed)
		return failed;
	assert_int_equal(all.count, 1);
	python_packages_done(&all);
	return 0;
}

static void a_bundle_is_opened_whole_or_refused(void **state)
{
	wheel_kit_bundle(*state, "x.py", NULL);
	nomem_each("bundle", open_bundle, *state, 1);
}

/* A lock that names nothing: without a look at the folder there is nothing wrong. */
static int open_unnamed(void *data, struct err *e)
{
	struct wheel_kit *k = data;
	struct requirement_wheels wheels = { .count = 0 };
	int failed =
		requirement_bundle_open(k->zip, k->out, &wheel_kit_env.target, NULL, &wheels, e);

	assert_true(failed);
	assert_null(wheels.items);
	nomem_pause();
	wheel_kit_empty(k);
	nomem_go_on();
	return err_is(failed, ERR_INVALID) ? 0 : failed;
}

static void wheels_beyond_the_lock_are_seen_or_it_is_refused(void **state)
{
	wheel_kit_bundle(*state, "x.py", "# nothing\n");
	nomem_each("wheels beyond the lock", open_unnamed, *state, 1);
}

static void wheels_are_installed_whole_or_refused(void **state)
{
	wheel_kit_bundle(*state, "x-1.0.data/purelib/pure.py", NULL);
	nomem_each("installed", install, *state, 1);
}

static void nothing_is_missing_for_want_of_memory(void **state)
{
	struct wheel_kit *k = *state;

	wheel_kit_package(k->out_path, WHEEL_KIT_SITE, METADATA);
	nomem_each("judged", judge, k, 1);
	wheel_kit_empty(k);
}

static void a_list_of_packages_is_whole(void **state)
{
	struct wheel_kit *k = *state;

	wheel_kit_package(k->image, "usr/lib/python3/dist-packages", METADATA);
	nomem_each("listed", list, k, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WHEEL_KIT_ROW(a_bundle_is_opened_whole_or_refused),
		WHEEL_KIT_ROW(wheels_beyond_the_lock_are_seen_or_it_is_refused),
		WHEEL_KIT_ROW(wheels_are_installed_whole_or_refused),
		WHEEL_KIT_ROW(nothing_is_missing_for_want_of_memory),
		WHEEL_KIT_ROW(a_list_of_packages_is_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
