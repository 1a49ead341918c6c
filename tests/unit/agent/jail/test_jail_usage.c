/* SPDX-License-Identifier: Apache-2.0 */
/* Groups are SIMULATED: plain folders with the files of a group. */
#include "agent/jail/group_files.h"
#include "agent/jail/jail_usage.h"
#include "common/base/file.h"
#include "tests/unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define STAT(name) "7 (" name ") S 1 7 7 0 -1 4194304 100 200 0 0 11 22 33 44 20 0 1 0 99 1 2\n"

static void ticks_are_behind_whatever_name_it_has(void **state)
{
	static const char *const good[] = { STAT("sh"), STAT("a b"), STAT(""), STAT(") S 1 2 3"),
					    STAT("x) R 1 1 1 1 1 1 1 1 1 1 9 9 9 9 (y") };
	static const char whole[] = STAT("sh");
	char text[sizeof(whole)];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_int_equal(jail_usage_ticks(good[i]), 11 + 22 + 33 + 44);
	/* cut off before the last of the four numbers has begun */
	for (size_t len = 0; len < (size_t)(strstr(whole, "44 20") - whole); len++) {
		memcpy(text, whole, len);
		text[len] = '\0';
		assert_int_equal(jail_usage_ticks(text), 0);
	}
	assert_int_equal(jail_usage_ticks("7 (sh) S 1 7 7 0 -1 4 1 2 0 0 x 2 3 4"), 0);
	assert_int_equal(jail_usage_ticks(")"), 0);
	assert_true(jail_usage_processor() < UINT64_MAX / 2);
}

static void take(struct jail_usage *known, uint64_t memory, uint64_t peak, uint64_t processor)
{
	const struct jail_usage said = { memory, peak, processor };
	uint8_t bytes[JAIL_USAGE_LEN];
	struct reader r = reader_over(bytes, sizeof(bytes));

	jail_usage_write(&said, bytes);
	jail_usage_take(known, &r);
}

static void assert_is(const struct jail_usage *u, uint64_t memory, uint64_t peak,
		      uint64_t processor)
{
	assert_int_equal(u->memory, memory);
	assert_int_equal(u->peak, peak);
	assert_int_equal(u->processor, processor);
}

static void both_halves_are_put_together(void **state)
{
	struct jail_usage known = { 0 };
	uint8_t bytes[JAIL_USAGE_LEN + 1];

	(void)state;
	take(&known, 100, 0, 0);
	assert_is(&known, 100, 100, 0);
	take(&known, 0, 0, 5); /* by who knows of no memory */
	assert_is(&known, 100, 100, 5);
	take(&known, 40, 300, 4);
	assert_is(&known, 40, 300, 5);
	take(&known, UINT64_MAX, 0, UINT64_MAX);
	assert_is(&known, UINT64_MAX, UINT64_MAX, UINT64_MAX);
	memset(bytes, 1, sizeof(bytes));
	known = (struct jail_usage){ 1, 2, 3 };
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		struct reader r = reader_over(bytes, len);

		if (len == JAIL_USAGE_LEN)
			continue;
		jail_usage_take(&known, &r);
		assert_is(&known, 1, 2, 3);
	}
}

static void put(const char *folder, const char *name, const char *text)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void a_groups_files_are_read(void **state)
{
	char folder[] = "/tmp/test-usage-XXXXXX";
	struct jail_group group = jail_group_none;
	struct jail_usage u;
	struct err e;

	(void)state;
	assert_non_null(mkdtemp(folder));
	group.of[0].dir = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	u = jail_usage_of_group(&group);
	assert_is(&u, 0, 0, 0); /* none is held */
	group.held = JAIL_HELD_BY_2;
	assert_true(jail_usage_has_processor(group.held));
	u = jail_usage_of_group(&group);
	assert_is(&u, 0, 0, 0); /* and none of the files is there */
	put(folder, "memory.current", "4096\n");
	put(folder, "memory.peak", "8192\n");
	put(folder, "cpu.stat", "nr_usage_usec 9\nusage_usec 1234567\nuser_usec 1\n");
	u = jail_usage_of_group(&group);
	assert_is(&u, 4096, 8192, 1234);
	put(folder, "cpu.stat", "user_usec 1\n");
	put(folder, "memory.peak", "max\n");
	put(folder, "memory.current", "");
	u = jail_usage_of_group(&group);
	assert_is(&u, 0, 0, 0);
	group.held = JAIL_HELD_BY_1 | JAIL_HELD_MEMORY;
	assert_false(jail_usage_has_processor(group.held));
	group.of[CGROUP_MEMORY].dir = group.of[0].dir;
	put(folder, "memory.usage_in_bytes", "5\n");
	put(folder, "memory.max_usage_in_bytes", "6\n");
	u = jail_usage_of_group(&group);
	assert_is(&u, 5, 6, 0);
	close(group.of[0].dir);
	assert_ok(dir_remove(folder, &e), e);
}

static void one_is_due_at_once_and_the_next_later(void **state)
{
	uint64_t next = 0, never = UINT64_MAX;

	(void)state;
	assert_true(jail_usage_is_due(&next));
	assert_true(next >= JAIL_USAGE_MS);
	assert_false(jail_usage_is_due(&never));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ticks_are_behind_whatever_name_it_has),
		cmocka_unit_test(both_halves_are_put_together),
		cmocka_unit_test(a_groups_files_are_read),
		cmocka_unit_test(one_is_due_at_once_and_the_next_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
