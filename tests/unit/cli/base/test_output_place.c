/* SPDX-License-Identifier: Apache-2.0 */
/* Where something goes that is told once: what others do, who take what was left, while it is made. */
#include "cli/base/output.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "tests/unit.h"

#include <sys/stat.h>

enum { LEN = 16 };

static char folder[] = "/tmp/cocos-place-XXXXXX";
static char path[64];
static const struct cli_option options[] = { OUTPUT_FORCE_OPTION, { .name = NULL } };
static const struct command command = { .options = options };
static struct cli cli = { .command = &command };
static struct output_place other;
/* When a lock is asked for, of a file that is there and that nobody has yet. */
static void (*meanwhile)(void);

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);
int __wrap_flock(int fd, int how)
{
	void (*act)(void) = TAKE_PTR(meanwhile);

	if (act)
		act();
	return __real_flock(fd, how);
}

static void make(struct output_place *place)
{
	struct err e;

	assert_ok(output_place_make(&cli, path, LEN, place, &e), e);
}

static void another_makes_one(void)
{
	make(&other);
}

static void others_always_do(void)
{
	struct output_place place CLEANUP_OUTPUT_PLACE = { .fd = -1 };

	make(&place);
	meanwhile = others_always_do;
}

static void check_named(const struct output_place *place)
{
	struct stat ours, there;

	assert_int_equal(fstat(place->fd, &ours), 0);
	assert_int_equal(stat(place->temporary, &there), 0);
	assert_int_equal(ours.st_ino, there.st_ino);
}

/* The other one takes it for one that was left, before it is locked. */
static void a_place_that_was_taken_is_made_again(void **state)
{
	struct output_place place CLEANUP_OUTPUT_PLACE = { .fd = -1 };
	struct err e;

	meanwhile = another_makes_one;
	make(&place);
	check_named(&place);
	check_named(&other); /* it was locked: nobody took it */
	assert_ok(output_place_fill(&cli, &place, "kept", 4, &e), e);
	output_place_done(&other);
	assert_int_equal(unlink(path), 0);
}

static void nobody_tries_for_ever(void **state)
{
	struct output_place place CLEANUP_OUTPUT_PLACE = { .fd = -1 };
	struct err e;

	meanwhile = others_always_do;
	assert_refused(output_place_make(&cli, path, LEN, &place, &e), e, ERR_EXISTS,
		       "others take");
	meanwhile = NULL;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_place_that_was_taken_is_made_again),
		cmocka_unit_test(nobody_tries_for_ever),
	};
	int failed;

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/kept", folder);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	return rmdir(folder) || failed;
}
