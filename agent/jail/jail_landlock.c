/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_landlock.c — the kernel's numbers are repeated here because older headers lack the newer ones
 * (Documentation/userspace-api/landlock.rst).
 */
#include "agent/jail/jail_landlock.h"

#include "common/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ASK_VERSION = 1, RULE_PATH_BENEATH = 1 };

enum {
	FS_EXECUTE = 1 << 0,
	FS_READ_FILE = 1 << 2,
	FS_READ_DIR = 1 << 3,
	FS_WRITE_FILE = 1 << 1,
	FS_TRUNCATE = 1 << 14,
	FS_LOOK = FS_EXECUTE | FS_READ_FILE | FS_READ_DIR,
	FS_OF_FILES = FS_EXECUTE | FS_READ_FILE | FS_WRITE_FILE | FS_TRUNCATE,
	FS_VERSION_2 = (1 << 14) - 1, /* all of 1, and moving between folders */
	FS_VERSION_3 = (1 << 15) - 1, /* truncate */
	FS_VERSION_5 = (1 << 16) - 1, /* ioctl on devices */
	NET_BIND = 1,                 /* TCP, with version 4 */
	NET_CONNECT = 2,
	SCOPE_VERSION_6 = 3, /* abstract sockets, signals */
};

struct ruleset {
	uint64_t fs, net, scope;
};

struct path_rule {
	uint64_t allowed;
	int32_t fd;
} __attribute__((packed));

static int allow(int ruleset, const char *path, uint64_t access, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_PATH | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(e, "landlock: open '%s'", path);
	if (!S_ISDIR(st.st_mode))
		access &= FS_OF_FILES;
	struct path_rule rule = { .allowed = access, .fd = fd };
	if (syscall(SYS_landlock_add_rule, ruleset, RULE_PATH_BENEATH, &rule, 0) < 0)
		return err_errno(e, "landlock: rule for '%s'", path);
	return 0;
}

int jail_landlock_restrict(const char *const *writable, bool network, struct err *e)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);

	/* Version 1 forbids moving a file to another folder, which programs do. */
	if (version < 2)
		return 0;
	struct ruleset what = { .fs = version >= 5   ? FS_VERSION_5
				      : version >= 3 ? FS_VERSION_3
						     : FS_VERSION_2 };
	if (version >= 4)
		what.net = network ? NET_BIND : NET_BIND | NET_CONNECT;
	if (version >= 6)
		what.scope = SCOPE_VERSION_6;
	size_t size = version >= 6 ? 24 : version >= 4 ? 16 : 8;
	CLEANUP(close) int ruleset = (int)syscall(SYS_landlock_create_ruleset, &what, size, 0);
	if (ruleset < 0)
		return err_errno(e, "landlock: rules");
	if (allow(ruleset, "/", FS_LOOK, e) < 0)
		return err_code(e);
	for (; *writable; writable++)
		if (allow(ruleset, *writable, what.fs & ~(uint64_t)(1 << 15), e) < 0)
			return err_code(e);
	if (syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		return err_errno(e, "landlock");
	return 0;
}
