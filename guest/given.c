/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/given.h"

#include "common/base/cleanup.h"
#include "common/base/users.h"

#include <fcntl.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define SEALED (MS_NOSUID | MS_NODEV | MS_NOEXEC)

int given_open(const char *target, struct err *e)
{
	if (mount("tmpfs", target, "tmpfs", SEALED,
		  "mode=700,size=20m,uid=" USERS_TEXT(USERS_AGENT)) < 0)
		return err_errno(e, "mount tmpfs at '%s'", target);
	return 0;
}

int given_make(int dir, const char *name, uid_t owner, struct err *e)
{
	CLEANUP(close)
	int fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0400);

	if (fd < 0)
		return err_errno(e, "make '%s'", name);
	if (fchown(fd, owner, owner) < 0)
		return err_errno(e, "give '%s' to the agent", name);
	return TAKE_FD(fd);
}

int given_seal(const char *target, struct err *e)
{
	if (mount(NULL, target, NULL, MS_REMOUNT | MS_RDONLY | SEALED, NULL) < 0)
		return err_errno(e, "make '%s' read-only", target);
	return 0;
}
