/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/mounts.h"

#include "common/base/cleanup.h"
#include "common/base/users.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define SEALED (MS_NOSUID | MS_NODEV | MS_NOEXEC)

struct mount_row {
	const char *target, *type;
	unsigned long flags;
	const char *options;
};

static const struct mount_row early[] = {
	{ "/proc", "proc", SEALED, NULL },
	{ "/sys", "sysfs", SEALED, NULL },
	{ "/sys/kernel/security", "securityfs", SEALED, NULL },
	{ "/dev", "devtmpfs", MS_NOSUID | MS_NOEXEC, "mode=755" },
};

#define AGENTS ",uid=" USERS_TEXT(USERS_AGENT) ",gid=" USERS_TEXT(USERS_AGENT)

/* The sizes are limits, not reservations. The work folder leaves a quarter of the memory for
 * programs; algorithms are run from it, so it alone lets files be executed, and it is the agent's. */
static const struct mount_row late[] = {
	{ "/sys/fs/cgroup", "cgroup2", SEALED, NULL },
	{ "/sys/kernel/config", "configfs", SEALED, NULL },
	{ "/dev/shm", "tmpfs", SEALED, "mode=1777,size=25%" },
	{ MOUNTS_ROOT "/run", "tmpfs", SEALED, "mode=755,size=16m" },
	{ MOUNTS_ROOT "/tmp", "tmpfs", SEALED, "mode=1777,size=25%" },
	{ MOUNTS_ROOT MOUNTS_WORK, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700,size=75%" AGENTS },
};

struct setting {
	const char *path, *value;
	bool switch_off; /* its file is absent in a kernel that was built without what it is about */
};

/* From the first moment: the host holds the keyboard and the serial line. */
static const struct setting first[] = {
	{ "/proc/sys/kernel/sysrq", "0", true },
};

static int set_rows(const struct setting *rows, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		size_t len = strlen(rows[i].value);
		CLEANUP(close) int fd = open(rows[i].path, O_WRONLY | O_CLOEXEC);

		if (fd < 0 && errno == ENOENT && rows[i].switch_off)
			continue;
		if (fd < 0 || write(fd, rows[i].value, len) != (ssize_t)len)
			return err_errno(e, "write '%s'", rows[i].path);
	}
	return 0;
}

static int mount_rows(const struct mount_row *rows, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++) {
		if (mkdir(rows[i].target, 0755) < 0 && errno != EEXIST && errno != EROFS)
			return err_errno(e, "make '%s'", rows[i].target);
		if (mount(rows[i].type, rows[i].target, rows[i].type, rows[i].flags,
			  rows[i].options) < 0)
			return err_errno(e, "mount %s at '%s'", rows[i].type, rows[i].target);
	}
	return 0;
}

int mounts_early(struct err *e)
{
	if (mount_rows(early, ARRAY_LEN(early), e) < 0)
		return err_code(e);
	return set_rows(first, ARRAY_LEN(first), e);
}

int mounts_late(struct err *e)
{
	return mount_rows(late, ARRAY_LEN(late), e);
}

static const struct setting settings[] = {
	/* All that this image needs are in. */
	{ "/proc/sys/kernel/modules_disabled", "1", true },
	{ "/proc/sys/kernel/kexec_load_disabled", "1", true },
	{ "/proc/sys/kernel/dmesg_restrict", "1", false },
	{ "/proc/sys/kernel/kptr_restrict", "2", false },
	{ "/proc/sys/kernel/hostname", "cocos", false },
	/* A manifest may name any port, and nobody but the agent can listen: a jail with the
	 * network may not (agent/jail/jail_seccomp.c). */
	{ "/proc/sys/net/ipv4/ip_unprivileged_port_start", "0", false },
	{ "/proc/sys/net/ipv6/conf/all/accept_redirects", "0", false },
	{ "/proc/sys/net/ipv6/conf/default/accept_redirects", "0", false },
	{ "/proc/sys/net/ipv4/conf/all/accept_redirects", "0", false },
	{ "/proc/sys/net/ipv4/conf/default/accept_redirects", "0", false },
};

int mounts_harden(struct err *e)
{
	return set_rows(settings, ARRAY_LEN(settings), e);
}

int mounts_switch_root(struct err *e)
{
	static const char *const moved[] = { "/proc", "/sys", "/dev" };

	if (mount(NULL, MOUNTS_ROOT, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY | MS_NOSUID | MS_NODEV,
		  NULL) < 0)
		return err_errno(e, "make the root read-only");
	for (size_t i = 0; i < ARRAY_LEN(moved); i++) {
		char target[64];

		snprintf(target, sizeof(target), "%s%s", MOUNTS_ROOT, moved[i]);
		if (mount(moved[i], target, NULL, MS_MOVE, NULL) < 0)
			return err_errno(e, "move '%s' to the root", moved[i]);
	}
	if (chdir(MOUNTS_ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0)
		return err_errno(e, "switch to the root");
	return 0;
}
