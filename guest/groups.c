/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/groups.h"

#include "common/base/cleanup.h"
#include "common/base/users.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CONTROLLERS "+memory +pids +cpu"
#define OWN         GROUPS_AGENT "/processes" /* a group with processes hands out no controllers */

static int put(const char *path, const char *text, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		return err_errno(e, "write '%s'", path);
	return 0;
}

static int make(const char *path, struct err *e)
{
	return mkdir(path, 0755) < 0 ? err_errno(e, "make '%s'", path) : 0;
}

int groups_delegate(struct err *e)
{
	/* Its limits stay init's. */
	static const char *const given[] = { GROUPS_AGENT, GROUPS_AGENT "/cgroup.procs",
					     GROUPS_AGENT "/cgroup.threads",
					     GROUPS_AGENT "/cgroup.subtree_control" };

	if (put("/sys/fs/cgroup/cgroup.subtree_control", CONTROLLERS, e) < 0 ||
	    make(USERS_KEEPER_GROUP, e) < 0 || make(GROUPS_AGENT, e) < 0 || make(OWN, e) < 0 ||
	    put(GROUPS_AGENT "/cgroup.subtree_control", CONTROLLERS, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(given); i++)
		if (chown(given[i], USERS_AGENT, USERS_AGENT) < 0)
			return err_errno(e, "give away '%s'", given[i]);
	return 0;
}

int groups_enter(struct err *e)
{
	return put(OWN "/cgroup.procs", "0", e);
}
