/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_group.c — version 2 (Documentation/admin-guide/cgroup-v2.rst), and which of both it is.
 */
#include "agent/jail/jail_group.h"

#include "agent/jail/jail_group1.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { CGROUP2_MAGIC = 0x63677270, PERIOD_US = 100000 };

const struct jail_group jail_group_none = {
	.of = { { -1, -1, "" }, { -1, -1, "" }, { -1, -1, "" } }
};

/* The hierarchy's root as we may see it: mounted somewhere, or a mount that we make and nobody else
 * sees. */
static int open_hierarchy(void)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
	struct statfs fs;

	for (size_t i = 0; i < ARRAY_LEN(places); i++)
		if (statfs(places[i], &fs) == 0 && fs.f_type == CGROUP2_MAGIC)
			return open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(close) int context = fsopen("cgroup2", FSOPEN_CLOEXEC);
	if (context < 0 || fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -1;
	return fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* So much of each PERIOD_US, and again in the next. */
static int put_quota(int dir, uint64_t percent)
{
	char text[48];

	snprintf(text, sizeof(text), "%llu %d", (unsigned long long)(percent * (PERIOD_US / 100)),
		 PERIOD_US);
	return group_files_put(dir, "cpu.max", text);
}

bool jail_group_set_up(int dir, const struct jail_limits *limits)
{
	if (group_files_put_number(dir, "memory.max", limits->memory) < 0 ||
	    group_files_put_number(dir, "pids.max", limits->pids + 1) < 0) /* + pid 1 */
		return false;
	if (limits->processor && put_quota(dir, limits->processor) < 0)
		return false;
	/* Both newer or optional: without swap there is no such file. */
	if (group_files_put(dir, "memory.oom.group", "1") < 0)
		return false;
	group_files_put(dir, "memory.swap.max", "0");
	return true;
}

/* Takes `parent`. */
static bool try_parent(int parent, const struct jail_limits *limits, struct jail_group *group)
{
	group_files_put(parent, "cgroup.subtree_control", "+memory +pids");
	/* with it, all of the jail together count as one when the processor is shared out */
	group_files_put(parent, "cgroup.subtree_control", "+cpu");
	int dir = group_files_make(parent, group->of[0].name);
	if (dir >= 0 && jail_group_set_up(dir, limits)) {
		group->of[0].dir = dir;
		group->of[0].parent = parent;
		group->held = JAIL_HELD_BY_2;
		return true;
	}
	if (dir >= 0) {
		close(dir);
		unlinkat(parent, group->of[0].name, AT_REMOVEDIR);
	}
	close(parent);
	return false;
}

/* Below our own group if that may have children, else beside it: a group with processes in it may
 * not hand out controllers, except the root. */
static bool make_unified(struct span groups, const struct jail_limits *limits,
			 struct jail_group *group)
{
	CLEANUP(close) int top = open_hierarchy();
	char own[CGROUP_PATH_MAX];
	struct err e;

	if (top < 0 || cgroup_lines_unified(groups, own, &e) != 0)
		return false;
	for (int tries = 0; tries < 2; tries++) {
		int parent = openat(top, own[0] ? own : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		char *slash = strrchr(own, '/');

		if (parent >= 0 && try_parent(parent, limits, group))
			return true;
		if (own[0] == '\0')
			return false;
		own[slash ? slash - own : 0] = '\0';
	}
	return false;
}

struct jail_group jail_group_make(const struct jail_limits *limits, bool strict)
{
	CLEANUP(free) uint8_t *mounts = NULL, *groups = NULL;
	struct jail_group group = jail_group_none;
	struct cgroup_places places;
	size_t mounts_len, groups_len;
	struct err e;

	if (file_read("/proc/self/cgroup", CGROUP_TEXT_MAX, &groups, &groups_len, &e) < 0 ||
	    make_unified((struct span){ groups, groups_len }, limits, &group) || strict)
		return group;
	if (file_read("/proc/self/mountinfo", CGROUP_TEXT_MAX, &mounts, &mounts_len, &e) < 0 ||
	    cgroup_lines_places((struct span){ groups, groups_len },
				(struct span){ mounts, mounts_len }, &places, &e) < 0)
		return group;
	jail_group1_make(&places, limits, &group);
	return group;
}

int jail_group_add(const struct jail_group *group, pid_t pid, struct err *e)
{
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++)
		if (group->of[i].dir >= 0 &&
		    group_files_put_number(group->of[i].dir, "cgroup.procs", (uint64_t)pid) < 0)
			return err_errno(e, "jail: move into the control group '%s' (%s)",
					 group->of[i].name,
					 group->held & JAIL_HELD_BY_1 ? cgroup_controller_names[i]
								      : "version 2");
	return 0;
}

bool jail_group_ran_out(const struct jail_group *group)
{
	if (!(group->held & JAIL_HELD_MEMORY))
		return false;
	return group->held & JAIL_HELD_BY_1 ? jail_group1_ran_out(group)
					    : group_files_oom(group->of[0].dir, "memory.events");
}

void jail_group_remove(struct jail_group *group)
{
	for (size_t i = 0; i < CGROUP_CONTROLLERS; i++) {
		if (group->of[i].dir < 0)
			continue;
		close(TAKE_FD(group->of[i].dir));
		/* The last process may still be on its way out of the group. */
		group_files_remove(group->of[i].parent, group->of[i].name);
		close(TAKE_FD(group->of[i].parent));
	}
	group->held = 0;
}
