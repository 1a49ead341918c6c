/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_limits.c — the control group interface is files: Documentation/admin-guide/cgroup-v2.rst.
 */
#include "agent/jail/jail_limits.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define GROUP_PREFIX "cocos-jail-"

enum { CGROUP2_MAGIC = 0x63677270, STACK_MAX = 8 << 20, NICE = 10, PERIOD_US = 100000 };

DEFINE_CLEANUP(DIR *, closedir)

static int put(int dir, const char *file, const char *text)
{
	CLEANUP(close) int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

static int put_number(int dir, const char *file, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return put(dir, file, text);
}

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

/* "0::/path" of /proc/self/cgroup: our own group, relative to the hierarchy's root. */
static int own_group(char *path, size_t size)
{
	CLEANUP(free) char *text = NULL;
	struct err e;

	if (file_read_text("/proc/self/cgroup", 65536, &text, &e) < 0)
		return -1;
	for (char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "0::/", 4) != 0)
			continue;
		size_t len = strcspn(line + 4, "\n");
		if (len >= size)
			return -1;
		memcpy(path, line + 4, len);
		path[len] = '\0';
		return 0;
	}
	return -1;
}

/* The process that "cocos-jail-<pid>" is named for is gone, or is we. */
static bool is_stale(const char *name)
{
	if (strncmp(name, GROUP_PREFIX, strlen(GROUP_PREFIX)) != 0)
		return false;
	pid_t pid = (pid_t)strtol(name + strlen(GROUP_PREFIX), NULL, 10);
	return pid == getpid() || (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH);
}

/* Groups of jails whose process was killed before it could remove them. */
static void remove_stale(int parent)
{
	int own = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedir) DIR *dir = dir_entries(own);
	const struct dirent *item;

	while (dir && (item = readdir(dir)))
		if (is_stale(item->d_name))
			unlinkat(parent, item->d_name, AT_REMOVEDIR);
}

/* So much of each PERIOD_US, and again in the next. */
static int put_quota(int dir, uint64_t percent)
{
	char text[48];

	snprintf(text, sizeof(text), "%llu %d", (unsigned long long)(percent * (PERIOD_US / 100)),
		 PERIOD_US);
	return put(dir, "cpu.max", text);
}

bool jail_group_set_up(int dir, const struct jail_limits *limits)
{
	if (put_number(dir, "memory.max", limits->memory) < 0 ||
	    put_number(dir, "pids.max", limits->pids + 1) < 0) /* + pid 1 */
		return false;
	if (limits->processor && put_quota(dir, limits->processor) < 0)
		return false;
	/* Both newer or optional: without swap there is no such file. */
	if (put(dir, "memory.oom.group", "1") < 0)
		return false;
	put(dir, "memory.swap.max", "0");
	return true;
}

int jail_limits_ungrouped(bool group_required, struct jail_limits *limits, struct err *e)
{
	if (group_required)
		return err_set(e, ERR_UNAVAILABLE,
			       "jail: no control group (v2, with memory and pids) can be made, and "
			       "in an image nothing is run without one");
	if (limits->processor)
		return err_set(e, ERR_UNAVAILABLE,
			       "jail: no control group (v2, with cpu, memory and pids) can be made "
			       "to hold AGENT_RUN_PROCESSOR=%llu; leave it out on this machine",
			       (unsigned long long)limits->processor);
	if (limits->files > JAIL_UNGROUPED_FILES)
		limits->files = JAIL_UNGROUPED_FILES;
	return 0;
}

/* Takes `parent`. */
static bool try_parent(int parent, const struct jail_limits *limits, struct jail_group *group)
{
	remove_stale(parent);
	put(parent, "cgroup.subtree_control", "+memory +pids");
	/* with it, all of the jail together count as one when the processor is shared out */
	put(parent, "cgroup.subtree_control", "+cpu");
	snprintf(group->name, sizeof(group->name), GROUP_PREFIX "%d", getpid());
	if (mkdirat(parent, group->name, 0755) == 0) {
		group->dir = openat(parent, group->name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		group->parent = parent;
		if (group->dir >= 0 && jail_group_set_up(group->dir, limits))
			return true;
		unlinkat(parent, group->name, AT_REMOVEDIR);
		if (group->dir >= 0)
			close(group->dir);
	}
	close(parent);
	group->dir = group->parent = -1;
	return false;
}

/* Below our own group if that may have children, else beside it: a group with processes in it may
 * not hand out controllers, except the root. */
struct jail_group jail_group_make(const struct jail_limits *limits)
{
	struct jail_group group = { .dir = -1, .parent = -1 };
	CLEANUP(close) int top = open_hierarchy();
	char own[1024];

	if (top < 0 || own_group(own, sizeof(own)) < 0)
		return group;
	for (;;) {
		int parent = openat(top, own[0] ? own : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		char *slash = strrchr(own, '/');
		bool at_top = own[0] == '\0', once_up = group.name[0] != '\0';

		if (parent >= 0 && try_parent(parent, limits, &group))
			return group;
		if (at_top || once_up)
			return group;
		own[slash ? slash - own : 0] = '\0';
	}
}

int jail_group_add(const struct jail_group *group, pid_t pid, struct err *e)
{
	if (group->dir >= 0 && put_number(group->dir, "cgroup.procs", (uint64_t)pid) < 0)
		return err_errno(e, "jail: move into control group");
	return 0;
}

bool jail_group_ran_out(const struct jail_group *group)
{
	char text[512] = "";

	if (group->dir < 0)
		return false;
	CLEANUP(close) int fd = openat(group->dir, "memory.events", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return false;
	const char *kills = strstr(text, "oom_kill ");
	return kills && strtoull(kills + strlen("oom_kill "), NULL, 10) > 0;
}

void jail_group_remove(struct jail_group *group)
{
	if (group->dir < 0)
		return;
	close(group->dir);
	/* The last process may still be on its way out of the group. */
	for (int i = 0;
	     unlinkat(group->parent, group->name, AT_REMOVEDIR) < 0 && errno == EBUSY && i < 50;
	     i++)
		usleep(10000);
	close(group->parent);
	group->dir = group->parent = -1;
}

static int limit(__rlimit_resource_t what, uint64_t value, struct err *e)
{
	struct rlimit now, wanted = { .rlim_cur = value, .rlim_max = value };

	/* raising a limit takes a right that we do not have outside */
	if (getrlimit(what, &now) == 0 && now.rlim_max < wanted.rlim_max)
		wanted.rlim_cur = wanted.rlim_max = now.rlim_max;
	if (setrlimit(what, &wanted) < 0)
		return err_errno(e, "jail: limit %d", (int)what);
	return 0;
}

int jail_limits_apply(const struct jail_limits *limits, bool grouped, struct err *e)
{
	uint64_t largest = limits->results > limits->scratch ? limits->results : limits->scratch;
	const struct {
		__rlimit_resource_t what;
		uint64_t value;
	} rows[] = {
		{ RLIMIT_AS, grouped ? RLIM_INFINITY : limits->memory + limits->reserve },
		{ RLIMIT_NPROC, limits->pids },
		{ RLIMIT_NOFILE, limits->files },
		{ RLIMIT_FSIZE, largest + (1 << 20) }, /* 'no space' comes before the signal */
		{ RLIMIT_STACK, STACK_MAX },
		{ RLIMIT_CORE, 1 }, /* core(5): with 1, not even a handler is started */
		{ RLIMIT_MSGQUEUE, 0 },
		{ RLIMIT_MEMLOCK, 1 << 20 },
		{ RLIMIT_SIGPENDING, 4096 },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (limit(rows[i].what, rows[i].value, e) < 0)
			return err_code(e);
	/* The agent has to answer whatever the algorithm does. If someone has lowered
	 * us already by more than that, it is as good. */
	(void)!nice(NICE);
	return 0;
}
