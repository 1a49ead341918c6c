/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups of version 1: those of the machine, where it has them and lets us make some; and
 * SIMULATED ones, plain folders with the files of a group, for kernels that have other files.
 */
#include "agent/jail/jail_group1.h"
#include "agent/jail/jail_limits.h"
#include "common/base/file.h"
#include "tests/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct jail_limits limits = { .memory = 64 << 20, .pids = 7, .processor = 150 };

struct folder {
	char path[64];
	int dir;
};

static int enter(void **state)
{
	struct folder *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	snprintf(f->path, sizeof(f->path), "/tmp/test-group1-XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->dir = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = f;
	return 0;
}

static int leave(void **state)
{
	struct folder *f = *state;
	struct err e;

	close(f->dir);
	int result = dir_remove(f->path, &e);
	free(f);
	return result;
}

static void add_file(const struct folder *f, const char *name)
{
	CLEANUP(close) int fd = openat(f->dir, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
}

static void has(int dir, const char *name, const char *text)
{
	char got[256] = "";
	CLEANUP(close) int fd = openat(dir, name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0 && read(fd, got, sizeof(got) - 1) >= 0);
	got[strcspn(got, "\n")] = '\0';
	assert_string_equal(got, text);
}

static void has_size(int dir, const char *name, size_t size)
{
	struct stat st;

	assert_int_equal(fstatat(dir, name, &st, 0), 0);
	assert_int_equal(st.st_size, size);
}

/* SIMULATED: what is written is what a kernel would be told. */
static void memory_and_swap_are_one_limit(void **state)
{
	const struct folder *f = *state;

	assert_false(jail_group1_set_up(f->dir, CGROUP_MEMORY, &limits));
	add_file(f, "memory.limit_in_bytes");
	assert_false(jail_group1_set_up(f->dir, CGROUP_MEMORY, &limits));
	add_file(f, "memory.oom_control");
	/* neither counts swap nor can be kept from it */
	assert_false(jail_group1_set_up(f->dir, CGROUP_MEMORY, &limits));
	add_file(f, "memory.swappiness");
	assert_true(jail_group1_set_up(f->dir, CGROUP_MEMORY, &limits));
	has(f->dir, "memory.limit_in_bytes", "67108864");
	has(f->dir, "memory.swappiness", "0");
	has(f->dir, "memory.oom_control", "0");
	add_file(f, "memory.memsw.limit_in_bytes");
	add_file(f, "memory.kmem.tcp.limit_in_bytes");
	assert_true(jail_group1_set_up(f->dir, CGROUP_MEMORY, &limits));
	has(f->dir, "memory.memsw.limit_in_bytes", "67108864");
	has(f->dir, "memory.kmem.tcp.limit_in_bytes", "67108864");
}

/* SIMULATED, as above. */
static void processes_and_processor_are_limited(void **state)
{
	const struct folder *f = *state;
	struct jail_limits all = limits;

	assert_false(jail_group1_set_up(f->dir, CGROUP_PIDS, &limits));
	add_file(f, "pids.max");
	assert_true(jail_group1_set_up(f->dir, CGROUP_PIDS, &limits));
	has(f->dir, "pids.max", "8"); /* and pid 1 */
	assert_false(jail_group1_set_up(f->dir, CGROUP_CPU, &limits));
	add_file(f, "cpu.cfs_period_us");
	assert_false(jail_group1_set_up(f->dir, CGROUP_CPU, &limits));
	add_file(f, "cpu.cfs_quota_us");
	assert_true(jail_group1_set_up(f->dir, CGROUP_CPU, &limits));
	has(f->dir, "cpu.cfs_period_us", "100000");
	has(f->dir, "cpu.cfs_quota_us", "150000");
	all.processor = 0; /* all of them: there is nothing to write, whatever is there */
	CLEANUP(close) int empty = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(jail_group1_set_up(empty, CGROUP_CPU, &all));
}

/* SIMULATED: the line that says a process was killed, and its neighbours. */
static void a_kill_is_read_from_its_line(void **state)
{
	const struct folder *f = *state;
	struct jail_group group = jail_group_none;
	char path[128];
	struct err e;

	group.of[CGROUP_MEMORY].dir = f->dir;
	group.held = JAIL_HELD_MEMORY | JAIL_HELD_BY_1;
	assert_false(jail_group_ran_out(&group));
	snprintf(path, sizeof(path), "%s/memory.oom_control", f->path);
	static const char none[] = "oom_kill_disable 0\nunder_oom 1\noom_kill 0\n",
			  one[] = "oom_kill_disable 0\nunder_oom 0\noom_kill 1\n";
	assert_ok(file_write(path, none, sizeof(none) - 1, 0600, &e), e);
	assert_false(jail_group_ran_out(&group));
	assert_ok(file_write(path, one, sizeof(one) - 1, 0600, &e), e);
	assert_true(jail_group_ran_out(&group));
	group.held &= ~(unsigned int)JAIL_HELD_MEMORY;
	assert_false(jail_group_ran_out(&group));
}

/* A folder that no kernel watches would keep no limit, whatever its files say. */
static void a_plain_folder_is_no_group(void **state)
{
	const struct folder *f = *state;
	struct jail_group group = jail_group_none;
	struct cgroup_places places = { 0 };
	struct stat st;

	add_file(f, "pids.max");
	snprintf(places.of[CGROUP_PIDS].path, CGROUP_PATH_MAX, "%s", f->path);
	assert_int_equal(fstat(f->dir, &st), 0);
	jail_group1_make(&places, &limits, &group);
	assert_int_equal(group.held, 0);
	snprintf(places.of[CGROUP_PIDS].path, CGROUP_PATH_MAX, "%s/none", f->path);
	jail_group1_make(&places, &limits, &group);
	assert_int_equal(group.held, 0);
	jail_group_remove(&group); /* of nothing */
}

/* SIMULATED. Left by jails that were killed; no process has a number over 2^22 (PID_MAX_LIMIT). */
static void what_killed_jails_left_goes(void **state)
{
	static const struct {
		const char *name;
		bool stays;
	} rows[] = {
		{ "cocos-jail-4194305", false },   { "cocos-jail-4194305-3", false },
		{ "cocos-jail-1", true },          { "cocos-jail-1-3", true },
		{ "cocos-jail-", true },           { "cocos-jail-x", true },
		{ "other-4194305", true },         { "cocos-jail-0", true },
		{ "cocos-jail-4294967297", true }, /* process 1 and 2^32 */
	};
	const struct folder *f = *state;
	char name[GROUP_NAME_MAX];

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		assert_int_equal(mkdirat(f->dir, rows[i].name, 0700), 0);
	CLEANUP(close) int dir = group_files_make(f->dir, name);
	assert_true(dir >= 0);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if ((faccessat(f->dir, rows[i].name, F_OK, 0) == 0) != rows[i].stays)
			fail_msg("%s", rows[i].name);
}

/* SIMULATED. Of a killed jail with our number something may still be in its group, and processes of another
 * PID namespace have our numbers. */
static void a_name_that_is_taken_is_no_obstacle(void **state)
{
	const struct folder *f = *state;
	char taken[GROUP_NAME_MAX], name[GROUP_NAME_MAX], busy[96];

	snprintf(taken, sizeof(taken), "cocos-jail-%d", getpid());
	snprintf(busy, sizeof(busy), "%s/busy", taken);
	assert_int_equal(mkdirat(f->dir, taken, 0700), 0);
	assert_int_equal(mkdirat(f->dir, busy, 0700), 0);
	CLEANUP(close) int second = group_files_make(f->dir, name);
	assert_true(second >= 0);
	assert_string_not_equal(name, taken);
	group_files_remove(f->dir, name);
	assert_int_equal(faccessat(f->dir, name, F_OK, 0), -1);
	/* nothing in it: it goes, and its name is taken again */
	assert_int_equal(unlinkat(f->dir, busy, AT_REMOVEDIR), 0);
	CLEANUP(close) int first = group_files_make(f->dir, name);
	assert_true(first >= 0);
	assert_string_equal(name, taken);
}

/* SIMULATED. A list that was cut would name other processors than the group above has. */
static void a_cpuset_is_taken_whole_or_not_at_all(void **state)
{
	const struct folder *f = *state;
	const size_t longest = 4095; /* bytes, with the line's end */
	char path[128], text[4097];
	struct err e;

	assert_int_equal(mkdirat(f->dir, "group", 0700), 0);
	CLEANUP(close) int group = openat(f->dir, "group", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct folder below = { .dir = group };
	assert_true(group >= 0);
	assert_true(
		jail_group1_inherit(f->dir, group)); /* without such files there is nothing to do */
	add_file(&below, "cpuset.cpus");
	snprintf(path, sizeof(path), "%s/cpuset.cpus", f->path);
	memset(text, '1', sizeof(text));
	text[longest - 1] = '\n';
	assert_ok(file_write(path, text, longest, 0600, &e), e);
	assert_true(jail_group1_inherit(f->dir, group));
	has_size(group, "cpuset.cpus", longest);
	text[longest - 1] = '1';
	text[longest] = '\n';
	assert_ok(file_write(path, text, longest + 1, 0600, &e), e);
	assert_false(jail_group1_inherit(f->dir, group));
	/* the second one says nothing: not even those of the parent */
	assert_ok(file_write(path, "0\n", 2, 0600, &e), e);
	add_file(f, "cpuset.mems");
	assert_false(jail_group1_inherit(f->dir, group));
}

/* ---- what the machine has ---- */

static void read_places(struct cgroup_places *places)
{
	CLEANUP(free) uint8_t *groups = NULL, *mounts = NULL;
	size_t groups_len, mounts_len;
	struct err e;

	assert_ok(file_read("/proc/self/cgroup", CGROUP_TEXT_MAX, &groups, &groups_len, &e), e);
	assert_ok(file_read("/proc/self/mountinfo", CGROUP_TEXT_MAX, &mounts, &mounts_len, &e), e);
	assert_ok(cgroup_lines_places((struct span){ groups, groups_len },
				      (struct span){ mounts, mounts_len }, places, &e),
		  e);
}

/* Whether the machine has the controller and lets us make groups: tried without the code under test. */
static bool can_make(const struct cgroup_place *place)
{
	char path[CGROUP_PATH_MAX + 64], file[CGROUP_PATH_MAX + 96];

	snprintf(path, sizeof(path), "%s/cocos-test-%d", place->path, getpid());
	snprintf(file, sizeof(file), "%s/cgroup.procs", path);
	if (!place->path[0] || mkdir(path, 0755) < 0)
		return false;
	bool is_group = access(file, F_OK) == 0;
	assert_int_equal(rmdir(path), 0);
	return is_group;
}

/* Whether the process is in a group of this name, in whichever hierarchy. */
static bool is_in(pid_t pid, const char *name)
{
	CLEANUP(free) char *text = NULL;
	char path[64], end[GROUP_NAME_MAX + 2];
	struct err e;

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	snprintf(end, sizeof(end), "/%s\n", name);
	assert_ok(file_read_text(path, CGROUP_TEXT_MAX, &text, &e), e);
	return strstr(text, end) != NULL;
}

/* Each controller alone, by leaving out the others: what it holds is said, and no more. */
static void a_controller_that_is_there_holds_its_limit(void **state)
{
	static const struct {
		enum cgroup_controller controller;
		const char *file, *value;
	} rows[] = {
		{ CGROUP_MEMORY, "memory.limit_in_bytes", "67108864" },
		{ CGROUP_PIDS, "pids.max", "8" },
		{ CGROUP_CPU, "cpu.cfs_quota_us", "5000" },
	};
	struct jail_limits little = limits;
	struct cgroup_places all, one;
	struct err e;

	little.processor = 5; /* a group above us may have a quota of its own */
	read_places(&all);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		enum cgroup_controller c = rows[i].controller;
		struct jail_group group = jail_group_none;

		memset(&one, 0, sizeof(one));
		one.of[c] = all.of[c];
		jail_group1_make(&one, &little, &group);
		if (!can_make(&all.of[c])) {
			assert_int_equal(group.held, 0);
			continue;
		}
		assert_int_equal(group.held, 1U << c | JAIL_HELD_BY_1);
		has(group.of[c].dir, rows[i].file, rows[i].value);
		pid_t child = fork();
		if (child == 0)
			for (;;)
				pause();
		assert_ok(jail_group_add(&group, child, &e), e);
		bool in = is_in(child, group.of[c].name);
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		assert_true(in);
		CLEANUP(close) int parent = dup(group.of[c].parent);
		jail_group_remove(&group);
		assert_int_equal(faccessat(parent, group.of[c].name, F_OK, 0), -1);
		assert_int_equal(group.held, 0);
		/* it is another file system than the table says: something was mounted over it */
		one.of[c].minor++;
		jail_group1_make(&one, &little, &group);
		assert_int_equal(group.held, 0);
	}
}

/* Mounted together they are one folder, and have one group. */
static void controllers_in_one_folder_share_a_group(void **state)
{
	struct jail_group group = jail_group_none;
	struct jail_limits no_quota = limits;
	struct cgroup_places places;

	read_places(&places);
	memset(&places.of[CGROUP_MEMORY], 0, sizeof(places.of[0]));
	if (strcmp(places.of[CGROUP_CPU].path, places.of[CGROUP_PIDS].path) == 0)
		memset(&places.of[CGROUP_PIDS], 0, sizeof(places.of[0])); /* really together */
	places.of[CGROUP_CPU] = places.of[CGROUP_PIDS];
	no_quota.processor = 0; /* which needs no file of its own */
	jail_group1_make(&places, &no_quota, &group);
	if (!can_make(&places.of[CGROUP_PIDS])) {
		assert_int_equal(group.held, 0);
		return;
	}
	unsigned int held = group.held;
	int dir = group.of[CGROUP_CPU].dir;
	jail_group_remove(&group);
	assert_int_equal(held, JAIL_HELD_PIDS | JAIL_HELD_CPU | JAIL_HELD_BY_1);
	assert_int_equal(dir, -1);
	/* one that can't hold its limit in there is not said to */
	jail_group1_make(&places, &limits, &group);
	held = group.held;
	jail_group_remove(&group);
	assert_int_equal(held, JAIL_HELD_PIDS | JAIL_HELD_BY_1);
}

/* A group that was taken away before the run is in it, as a host that tidies up may do. */
static void a_group_that_is_gone_is_named(void **state)
{
	struct jail_group group = jail_group_none;
	struct cgroup_places places, one = { 0 };
	struct err e;

	read_places(&places);
	one.of[CGROUP_PIDS] = places.of[CGROUP_PIDS];
	if (!can_make(&one.of[CGROUP_PIDS]))
		skip();
	jail_group1_make(&one, &limits, &group);
	assert_int_equal(group.held, JAIL_HELD_PIDS | JAIL_HELD_BY_1);
	assert_int_equal(
		unlinkat(group.of[CGROUP_PIDS].parent, group.of[CGROUP_PIDS].name, AT_REMOVEDIR),
		0);
	assert_int_not_equal(jail_group_add(&group, getpid(), &e), 0);
	assert_non_null(strstr(e.text, group.of[CGROUP_PIDS].name));
	assert_non_null(strstr(e.text, "(pids)"));
	jail_group_remove(&group);
}

static void what_no_group_holds_is_lowered_or_refused(void **state)
{
	struct jail_limits l = { .files = 1024 };
	struct err e;

	assert_ok(jail_limits_ungrouped(false, JAIL_HELD_BY_1 | JAIL_HELD_MEMORY, &l, &e), e);
	assert_int_equal(l.files, 1024);
	assert_ok(jail_limits_ungrouped(false, JAIL_HELD_BY_1 | JAIL_HELD_PIDS, &l, &e), e);
	assert_int_equal(l.files, JAIL_UNGROUPED_FILES);
	l.processor = 50;
	assert_ok(jail_limits_ungrouped(false, JAIL_HELD_BY_1 | JAIL_HELD_CPU, &l, &e), e);
	assert_refused(jail_limits_ungrouped(false, JAIL_HELD_BY_1 | JAIL_HELD_MEMORY, &l, &e), e,
		       ERR_UNAVAILABLE, "AGENT_RUN_PROCESSOR=50");
	assert_refused(jail_limits_ungrouped(true, JAIL_HELD_BY_1 | JAIL_HELD_BY_2, &l, &e), e,
		       ERR_UNAVAILABLE, "nothing is run without one");
	assert_ok(jail_limits_ungrouped(true, JAIL_HELD_BY_2, &l, &e), e);
}

/* What the log says of it, from the other end of a pipe in place of stderr. */
static void says(unsigned int held, size_t lines, const char *const *words)
{
	char text[2048] = "";
	int ends[2], saved = dup(STDERR_FILENO);
	size_t count = 0;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	jail_limits_tell(held);
	dup2(saved, STDERR_FILENO);
	close(saved);
	for (ssize_t n, len = 0;
	     (n = read(ends[0], text + len, sizeof(text) - 1 - (size_t)len)) > 0; len += n)
		;
	close(ends[0]);
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		count++;
	assert_int_equal(count, lines);
	for (size_t i = 0; words[i]; i++)
		if (!strstr(text, words[i]))
			fail_msg("'%s' is not in:\n%s", words[i], text);
}

static void what_holds_and_what_does_not_is_said(void **state)
{
#define SAYS(held, lines, ...) says(held, lines, (const char *const[]){ __VA_ARGS__, NULL })
	SAYS(JAIL_HELD_BY_2, 0, "");
	SAYS(0, 1, "no control group here", "at most 128 descriptors");
	SAYS(JAIL_HELD_BY_1 | JAIL_HELD_BY_2, 1,
	     "control groups of version 1 hold the run: memory processes processor\n");
	SAYS(JAIL_HELD_BY_1 | JAIL_HELD_MEMORY, 3, "version 1 hold the run: memory\n",
	     "no control group for processes here: they are counted by their user",
	     "no control group for the processor here: the run has a lower priority");
	SAYS(JAIL_HELD_BY_1 | JAIL_HELD_PIDS | JAIL_HELD_CPU, 2, "run: processes processor\n",
	     "no control group for memory here: it is counted now and then");
#undef SAYS
}

#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, enter, leave)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(memory_and_swap_are_one_limit),
		IN_FOLDER(processes_and_processor_are_limited),
		IN_FOLDER(a_kill_is_read_from_its_line),
		IN_FOLDER(a_plain_folder_is_no_group),
		IN_FOLDER(a_cpuset_is_taken_whole_or_not_at_all),
		IN_FOLDER(what_killed_jails_left_goes),
		IN_FOLDER(a_name_that_is_taken_is_no_obstacle),
		cmocka_unit_test(a_controller_that_is_there_holds_its_limit),
		cmocka_unit_test(controllers_in_one_folder_share_a_group),
		cmocka_unit_test(a_group_that_is_gone_is_named),
		cmocka_unit_test(what_no_group_holds_is_lowered_or_refused),
		cmocka_unit_test(what_holds_and_what_does_not_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
