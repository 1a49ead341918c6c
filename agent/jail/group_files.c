/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/group_files.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GROUP_PREFIX "cocos-jail-"

DEFINE_CLEANUP(DIR *, closedir)

int group_files_put(int dir, const char *file, const char *text)
{
	CLEANUP(close) int fd = openat(dir, file, O_WRONLY | O_CLOEXEC);

	return fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
}

int group_files_put_number(int dir, const char *file, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	return group_files_put(dir, file, text);
}

/* The process that "cocos-jail-<pid>" is named for is gone, or is we. */
static bool is_stale(const char *name)
{
	if (strncmp(name, GROUP_PREFIX, strlen(GROUP_PREFIX)) != 0)
		return false;
	pid_t pid = (pid_t)strtol(name + strlen(GROUP_PREFIX), NULL, 10);
	return pid == getpid() || (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH);
}

static void remove_stale(int parent)
{
	int own = openat(parent, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(closedir) DIR *dir = dir_entries(own);
	const struct dirent *item;

	while (dir && (item = readdir(dir)))
		if (is_stale(item->d_name))
			unlinkat(parent, item->d_name, AT_REMOVEDIR);
}

int group_files_make(int parent, char name[GROUP_NAME_MAX])
{
	int made = -1;

	remove_stale(parent);
	for (int i = 0; i < GROUP_NAMES && made < 0; i++) {
		if (i == 0)
			snprintf(name, GROUP_NAME_MAX, GROUP_PREFIX "%d", getpid());
		else
			snprintf(name, GROUP_NAME_MAX, GROUP_PREFIX "%d-%d", getpid(), i);
		made = mkdirat(parent, name, 0755);
		if (made < 0 && errno != EEXIST)
			return -1;
	}
	if (made < 0)
		return -1;
	int dir = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir < 0)
		unlinkat(parent, name, AT_REMOVEDIR);
	return dir;
}

void group_files_remove(int parent, const char *name)
{
	for (int i = 0; unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno == EBUSY && i < 50; i++)
		usleep(10000);
}

uint64_t group_files_number(int dir, const char *file, const char *key)
{
	char text[1024] = "\n";
	CLEANUP(close) int fd = openat(dir, file, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, text + 1, sizeof(text) - 2) < 0)
		return 0;
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line++;
		if (!key || strncmp(line, key, strlen(key)) == 0)
			return strtoull(line + (key ? strlen(key) : 0), NULL, 10);
	}
	return 0;
}

bool group_files_oom(int dir, const char *file)
{
	return group_files_number(dir, file, "oom_kill ") > 0;
}
