/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_group1.c — a run is moved in before it executes and dies with its pid 1, so no freezer is
 * needed to kill it.
 */
#include "agent/jail/jail_group1.h"

#include "common/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

enum {
	CGROUP1_MAGIC = 0x27e0eb,
	PERIOD_US = 100000,
	TCP_MAX = 64 << 20, /* buffers of TCP, which version 1 counts apart from memory */
	CPUSET_MAX = 4096,
};

/* The kernel's part is counted with it (since Linux 4.5), so memory.kmem.limit_in_bytes, which is
 * on its way out, is left alone. */
static bool set_memory(int dir, const struct jail_limits *limits)
{
	if (group_files_put_number(dir, "memory.limit_in_bytes", limits->memory) < 0)
		return false;
	/* Memory and swap together, which may not be less than memory alone: hence the order. Where
	 * swap is not counted there is no such file; then none of the group's goes there. */
	if (group_files_put_number(dir, "memory.memsw.limit_in_bytes", limits->memory) < 0 &&
	    (errno != ENOENT || group_files_put(dir, "memory.swappiness", "0") < 0))
		return false;
	/* A parent may have it off, and then what runs out waits for ever. */
	if (group_files_put(dir, "memory.oom_control", "0") < 0)
		return false;
	/* Not there: nothing that it would count, or counted with the rest. */
	return group_files_put_number(dir, "memory.kmem.tcp.limit_in_bytes", TCP_MAX) == 0 ||
	       errno == ENOENT;
}

static bool set_pids(int dir, const struct jail_limits *limits)
{
	return group_files_put_number(dir, "pids.max", limits->pids + 1) == 0; /* + pid 1 */
}

/* Without a quota, all of the jail together still count as one when the processor is shared out. */
static bool set_cpu(int dir, const struct jail_limits *limits)
{
	return !limits->processor ||
	       (group_files_put_number(dir, "cpu.cfs_period_us", PERIOD_US) == 0 &&
		group_files_put_number(dir, "cpu.cfs_quota_us",
				       limits->processor * (PERIOD_US / 100)) == 0);
}

bool jail_group1_set_up(int dir, enum cgroup_controller controller,
			const struct jail_limits *limits)
{
	static bool (*const set[CGROUP_CONTROLLERS])(int, const struct jail_limits *) = {
		[CGROUP_MEMORY] = set_memory,
		[CGROUP_PIDS] = set_pids,
		[CGROUP_CPU] = set_cpu,
	};

	return set[controller](dir, limits);
}

bool jail_group1_inherit(int parent, int dir)
{
	static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };

	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		char text[CPUSET_MAX] = "";
		CLEANUP(close) int fd = openat(parent, files[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT)
			continue;
		ssize_t len = fd < 0 ? -1 : read(fd, text, sizeof(text));

		if (len < 2 || len == (ssize_t)sizeof(text) ||
		    group_files_put(dir, files[i], text) < 0)
			return false;
	}
	return true;
}

/* Something else may be mounted over it since, or be a plain folder that keeps no limit at all. */
static int open_place(const struct cgroup_place *place)
{
	struct statfs fs;
	struct stat st;

	if (!place->path[0])
		return -1;
	CLEANUP(close) int fd = open(place->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || fstatfs(fd, &fs) < 0 || fs.f_type != CGROUP1_MAGIC || fstat(fd, &st) < 0 ||
	    st.st_dev != makedev(place->major, place->minor))
		return -1;
	return TAKE_FD(fd);
}

static void make_one(const struct cgroup_place *place, enum cgroup_controller controller,
		     const struct jail_limits *limits, struct jail_group *group)
{
	CLEANUP(close) int parent = open_place(place);

	if (parent < 0)
		return;
	CLEANUP(close) int dir = group_files_make(parent, group->of[controller].name);
	if (dir < 0)
		return;
	if (!jail_group1_inherit(parent, dir) || !jail_group1_set_up(dir, controller, limits)) {
		unlinkat(parent, group->of[controller].name, AT_REMOVEDIR);
		return;
	}
	group->of[controller].dir = TAKE_FD(dir);
	group->of[controller].parent = TAKE_FD(parent);
	group->held |= (1U << controller) | JAIL_HELD_BY_1;
}

/* The group that another controller has in the same folder, if they are mounted together. */
static int shared_with(const struct cgroup_places *places, enum cgroup_controller controller,
		       const struct jail_group *group)
{
	for (size_t i = 0; i < controller; i++)
		if (group->of[i].dir >= 0 &&
		    strcmp(places->of[i].path, places->of[controller].path) == 0)
			return group->of[i].dir;
	return -1;
}

void jail_group1_make(const struct cgroup_places *places, const struct jail_limits *limits,
		      struct jail_group *group)
{
	for (enum cgroup_controller i = 0; i < CGROUP_CONTROLLERS; i++) {
		int shared = shared_with(places, i, group);

		if (shared < 0)
			make_one(&places->of[i], i, limits, group);
		else if (jail_group1_set_up(shared, i, limits))
			group->held |= 1U << i;
	}
}

/* Memory comes first, so its group is never another's. */
bool jail_group1_ran_out(const struct jail_group *group)
{
	return group_files_oom(group->of[CGROUP_MEMORY].dir, "memory.oom_control");
}
