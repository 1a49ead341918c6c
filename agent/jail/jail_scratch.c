/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/jail_scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

enum { OUR_NODES = 8 * JAIL_MOUNTS_MAX }; /* folders that a program does not see */

/* Where the shared file system is while layers are made: in a folder of ours, since an image may have any other name
 * in its root. It has no name afterwards. */
#define SHARED "dev/layers"

static int scratch_dir(const char *path, struct err *e)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_errno(e, "jail: make directory '/%s'", path);
	return 0;
}

int jail_scratch_tmpfs(const char *target, const char *mode, uint64_t bytes, uint64_t files,
		       unsigned long flags, struct err *e)
{
	char options[128];

	snprintf(options, sizeof(options), "mode=%s,size=%llu,nr_inodes=%llu", mode,
		 (unsigned long long)bytes, (unsigned long long)files + 1); /* + its root */
	if (mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV | flags, options) < 0)
		return err_errno(e, "jail: memory file system at '%s'", target);
	return 0;
}

/* A folder of the shared file system under its own name in the root. */
static int show_shared(const char *name, struct err *e)
{
	char path[32];

	snprintf(path, sizeof(path), SHARED "/%s", name);
	if (scratch_dir(path, e) < 0 || scratch_dir(name, e) < 0)
		return err_code(e);
	if (mount(path, name, NULL, MS_BIND, NULL) < 0)
		return err_errno(e, "jail: mount '/%s'", name);
	return 0;
}

int jail_scratch_open(const struct jail_limits *limits, struct err *e)
{
	const uint64_t files = limits->result_files;

	if (scratch_dir("tmp", e) < 0 || scratch_dir("dev", e) < 0 ||
	    scratch_dir("dev/shm", e) < 0 || scratch_dir(SHARED, e) < 0 ||
	    jail_scratch_tmpfs("tmp", "1777", limits->scratch, files, 0, e) < 0 ||
	    jail_scratch_tmpfs("dev/shm", "1777", limits->scratch, files, MS_NOEXEC, e) < 0 ||
	    jail_scratch_tmpfs(SHARED, "0755", limits->scratch, files + OUR_NODES, 0, e) < 0 ||
	    show_shared("task", e) < 0 || show_shared("home", e) < 0 ||
	    scratch_dir("task/results", e) < 0)
		return err_code(e);
	return jail_scratch_tmpfs("task/results", "0755", limits->results, files, MS_NOEXEC, e);
}

int jail_scratch_close(struct err *e)
{
	/* what is mounted elsewhere of it, and the layers, stay */
	if (umount2(SHARED, MNT_DETACH) < 0 || rmdir(SHARED) < 0)
		return err_errno(e, "jail: close the scratch");
	return 0;
}

static int cannot(const char *what, struct err *e)
{
	err_errno(e, "jail: %s (needs Linux 6.6 with overlayfs)", what);
	return JAIL_LAYER_CANNOT;
}

int jail_scratch_layer(int lower, const char *target, unsigned long flags, struct err *e)
{
	static const char *const parts[] = { "", "/lower", "/upper", "/work" };
	char top[] = SHARED "/layer-XXXXXX", path[sizeof(top) + 8], options[256];

	if (!mkdtemp(top))
		return err_errno(e, "jail: make a layer");
	for (size_t i = 1; i < ARRAY_LEN(parts); i++) {
		snprintf(path, sizeof(path), "%s%s", top, parts[i]);
		if (scratch_dir(path, e) < 0)
			return err_code(e);
	}
	/* Without these an overlay can't mark a new folder in the place of an old one as empty. */
	if (setxattr(top, "user.layer", "y", 1, 0) < 0)
		return cannot("memory file systems keep no attributes here", e);
	snprintf(path, sizeof(path), "%s/lower", top);
	if (syscall(SYS_move_mount, lower, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		return err_errno(e, "jail: mount '/%s'", path);
	snprintf(options, sizeof(options),
		 "lowerdir=%s/lower,upperdir=%s/upper,workdir=%s/work,userxattr,index=off", top,
		 top, top);
	if (mount("overlay", target, "overlay", MS_NOSUID | MS_NODEV | flags, options) < 0)
		return cannot("no layer can be made here", e);
	return 0;
}
