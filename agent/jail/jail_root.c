/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/jail_root.h"

#include "agent/container/unpack.h"
#include "agent/jail/jail_scratch.h"
#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PLAIN_NODES = 4096 }; /* files in the root itself, where only we write */

#define LOOK (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)

/* What is taken besides the spec's mounts. */
static const struct outside {
	const char *path;
	uint64_t attributes;
	bool needed, network; /* network: only in the step that has it */
} outsides[] = {
	{ "/usr", LOOK, true, false },
	{ "/bin", LOOK, false, false },
	{ "/sbin", LOOK, false, false },
	{ "/lib", LOOK, false, false },
	{ "/lib32", LOOK, false, false },
	{ "/lib64", LOOK, false, false },
	{ "/libx32", LOOK, false, false },
	{ "/etc/alternatives", LOOK | MOUNT_ATTR_NOEXEC, false, false },
	{ "/etc/ld.so.cache", LOOK | MOUNT_ATTR_NOEXEC, false, false },
	/* Debian's matplotlib has its defaults there, and does not load without. */
	{ "/etc/matplotlibrc", LOOK | MOUNT_ATTR_NOEXEC, false, false },
	{ "/etc/resolv.conf", LOOK | MOUNT_ATTR_NOEXEC, false, true },
	{ "/etc/hosts", LOOK | MOUNT_ATTR_NOEXEC, false, true },
	{ "/etc/ssl/certs", LOOK | MOUNT_ATTR_NOEXEC, false, true },
	{ "/dev/null", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, true, false },
	{ "/dev/zero", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, true, false },
	{ "/dev/full", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, true, false },
	{ "/dev/random", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, true, false },
	{ "/dev/urandom", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC, true, false },
};

/* `how`: AT_SYMLINK_NOFOLLOW or 0. */
static int take(struct jail_trees *trees, const char *path, const char *target, uint64_t attributes,
		unsigned int how, struct err *e)
{
	struct mount_attr attr = { .attr_set = attributes };
	struct stat st;

	if (trees->count == JAIL_TREES_MAX)
		return err_set(e, ERR_EXHAUSTED, "jail: too many mounts");
	CLEANUP(close)
	int fd =
		open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | how);
	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "jail: take '%s'", path);
	if (mount_setattr(fd, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0)
		return err_errno(e, "jail: restrict '%s'", path);
	trees->trees[trees->count].target = target;
	trees->trees[trees->count].is_dir = S_ISDIR(st.st_mode);
	trees->trees[trees->count].mount = NULL;
	trees->trees[trees->count++].fd = TAKE_FD(fd);
	return 0;
}

/* A link to below `prefix` stays one, with that path inside. True if it was one. */
static bool take_link(struct jail_trees *trees, const char *source, const char *path,
		      const char *prefix)
{
	char target[sizeof(trees->links[0].target)];
	ssize_t len = readlink(source, target, sizeof(target) - 1);

	if (len <= 0 || len == sizeof(target) - 1 || trees->link_count == ARRAY_LEN(trees->links))
		return false;
	target[len] = '\0';
	const char *plain = target[0] == '/' ? target + 1 : target;
	if (strncmp(plain, prefix, strlen(prefix)) != 0)
		return false;
	trees->links[trees->link_count].path = path;
	memcpy(trees->links[trees->link_count++].target, target, (size_t)len + 1);
	return true;
}

static int take_outside(const struct outside *row, struct jail_trees *trees, struct err *e)
{
	if (access(row->path, F_OK) < 0 && !row->needed)
		return 0;
	/* /bin → usr/bin and the like */
	if (take_link(trees, row->path, row->path, "usr/"))
		return 0;
	return take(trees, row->path, row->path, row->attributes, 0, e);
}

static bool is_seen(const struct outside *row, const struct jail_spec *spec)
{
	/* an image brings its own, and who unpacks one needs nothing */
	if (spec->image || spec->unpack)
		return strncmp(row->path, "/dev/", 5) == 0;
	return !row->network || spec->network;
}

static int take_mount(const struct jail_mount *mount, bool image, struct jail_trees *trees,
		      struct err *e)
{
	uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

	/* it means something in there, and is not followed here */
	if (image && take_link(trees, mount->source, mount->target, ""))
		return 0;
	attributes |= mount->access == JAIL_WRITE ? 0 : MOUNT_ATTR_RDONLY;
	attributes |= mount->executable ? 0 : MOUNT_ATTR_NOEXEC;
	if (take(trees, mount->source, mount->target, attributes, AT_SYMLINK_NOFOLLOW, e) < 0)
		return err_code(e);
	trees->trees[trees->count - 1].mount = mount;
	return 0;
}

int jail_root_take(const struct jail_spec *spec, struct jail_trees *trees, struct err *e)
{
	/* else what we mount would show outside */
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return err_errno(e, "jail: make mounts private");
	for (size_t i = 0; i < ARRAY_LEN(outsides); i++)
		if (is_seen(&outsides[i], spec) && take_outside(&outsides[i], trees, e) < 0)
			return err_code(e);
	for (size_t i = 0; i < spec->mount_count; i++)
		if (take_mount(&spec->mounts[i], spec->image, trees, e) < 0)
			return err_code(e);
	return 0;
}

/* In the new root, where paths are relative: "/task/x" is "task/x". */
static const char *relative(const char *path)
{
	return path + 1;
}

static int make_dir(const char *path, struct err *e)
{
	if (mkdir(path, 0755) < 0 && errno != EEXIST)
		return err_errno(e, "jail: make directory '%s'", path);
	return 0;
}

static int make_parents(const char *path, struct err *e)
{
	char parent[256];

	for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
		size_t len = (size_t)(slash - path);

		if (len >= sizeof(parent))
			return err_set(e, ERR_INVALID, "jail: path too long");
		memcpy(parent, path, len);
		parent[len] = '\0';
		if (make_dir(parent, e) < 0)
			return err_code(e);
	}
	return 0;
}

static int make_file(const char *path, const char *text, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	ssize_t len = (ssize_t)strlen(text);

	if (fd < 0 || write(fd, text, (size_t)len) != len)
		return err_errno(e, "jail: make file '%s'", path);
	return 0;
}

/* No link leads to it: below an image's folder is what somebody put there who unpacked it. */
static int open_place(const char *target)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				      .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS };

	return (int)syscall(SYS_openat2, AT_FDCWD, target, &how, sizeof(how));
}

static int put_tree(int tree, const char *target, bool is_dir, struct err *e)
{
	if (make_parents(target, e) < 0 ||
	    (is_dir ? make_dir(target, e) : make_file(target, "", e)) < 0)
		return err_code(e);
	CLEANUP(close) int place = open_place(target);
	if (place < 0 ||
	    move_mount(tree, "", place, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_errno(e, "jail: mount '/%s'", target);
	return 0;
}

/* The folder as it is, and a private layer over it where the spec wants that and the kernel can. */
static int put_layer(const struct jail_spec *spec, int tree, const char *target,
		     unsigned long flags, struct jail_trees *trees, struct err *e)
{
	struct err why;

	if (make_parents(target, e) < 0 || make_dir(target, e) < 0)
		return err_code(e);
	CLEANUP(close) int place = open_place(target);
	if (place < 0)
		return err_errno(e, "jail: mount '/%s'", target);
	int made = jail_scratch_layer(tree, target, flags, &why);
	if (made == JAIL_LAYER_CANNOT && !spec->strict) {
		snprintf(trees->unlayered, sizeof(trees->unlayered), "%s", why.text);
		return put_tree(tree, target, true, e);
	}
	if (made != 0) {
		*e = why;
		return err_code(e);
	}
	return 0;
}

static int put_proc(struct err *e)
{
	if (make_dir("proc", e) < 0)
		return err_code(e);
	/* Processes alone, and of these only one's own: no kernel's insides, no pid 1. */
	if (mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_RDONLY,
		  "hidepid=invisible,subset=pid") < 0)
		return err_errno(e, "jail: mount /proc (in a container, its own /proc must not be "
				    "covered)");
	return 0;
}

static int put_links(const struct jail_trees *trees, struct err *e)
{
	static const struct {
		const char *target, *path;
	} fixed[] = { { "/proc/self/fd", "dev/fd" },
		      { "/proc/self/fd/0", "dev/stdin" },
		      { "/proc/self/fd/1", "dev/stdout" },
		      { "/proc/self/fd/2", "dev/stderr" } };

	for (size_t i = 0; i < ARRAY_LEN(fixed); i++)
		if (symlink(fixed[i].target, fixed[i].path) < 0)
			return err_errno(e, "jail: link '%s'", fixed[i].path);
	for (size_t i = 0; i < trees->link_count; i++)
		if (symlink(trees->links[i].target, relative(trees->links[i].path)) < 0)
			return err_errno(e, "jail: link '%s'", trees->links[i].path);
	return 0;
}

static int put_etc(const struct jail_spec *spec, struct err *e)
{
	if (make_dir("etc", e) < 0 ||
	    make_file("etc/passwd", "nobody:x:65534:65534:nobody:/home:/usr/sbin/nologin\n", e) <
		    0 ||
	    make_file("etc/group", "nogroup:x:65534:\n", e) < 0)
		return err_code(e);
	return make_file("etc/nsswitch.conf",
			 spec->network ? "passwd: files\ngroup: files\nhosts: files dns\n"
				       : "passwd: files\ngroup: files\nhosts: files\n",
			 e);
}

/* results/ once more, where images look for it. */
static int put_results_of_image(struct err *e)
{
	CLEANUP(close)
	int results = open_tree(AT_FDCWD, "task/results", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (results < 0)
		return err_errno(e, "jail: take results/");
	return put_tree(results, UNPACK_RESULTS, true, e);
}

static int build(const struct jail_spec *spec, const struct jail_limits *limits,
		 struct jail_trees *trees, struct err *e)
{
	if ((!spec->image && put_etc(spec, e) < 0) || jail_scratch_open(limits, e) < 0 ||
	    put_proc(e) < 0)
		return err_code(e);
	for (size_t i = 0; i < trees->count; i++) {
		const struct jail_mount *mount = trees->trees[i].mount;
		const char *target = relative(trees->trees[i].target);
		int fd = trees->trees[i].fd;

		if ((mount && mount->access == JAIL_LAYER
			     ? put_layer(spec, fd, target, mount->executable ? 0 : MS_NOEXEC, trees,
					 e)
			     : put_tree(fd, target, trees->trees[i].is_dir, e)) < 0)
			return err_code(e);
	}
	if ((spec->image && put_results_of_image(e) < 0) || jail_scratch_close(e) < 0)
		return err_code(e);
	return put_links(trees, e);
}

/* The old root is stacked on the new one for a moment (pivot_root(2), Notes), then gone. */
static int leave_old_root(struct err *e)
{
	struct mount_attr attr = { .attr_set = LOOK };

	if (syscall(SYS_pivot_root, ".", ".") < 0)
		return err_errno(e, "jail: pivot_root (the root must not be an initramfs)");
	if (umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		return err_errno(e, "jail: leave the old root");
	if (mount_setattr(AT_FDCWD, "/", 0, &attr, sizeof(attr)) < 0)
		return err_errno(e, "jail: make the root read-only");
	return 0;
}

int jail_root_enter(const struct jail_spec *spec, const struct jail_limits *limits,
		    struct jail_trees *trees, int *results, struct err *e)
{
	/* Any directory will do; this one is there, because devices are. */
	if (jail_scratch_tmpfs("/dev", "0755", 1 << 20, PLAIN_NODES, 0, e) < 0)
		return err_code(e);
	if (chdir("/dev") < 0)
		return err_errno(e, "jail: enter the new root");
	if (build(spec, limits, trees, e) < 0 || leave_old_root(e) < 0)
		return err_code(e);
	int fd = open("/task/results", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "jail: open results/");
	*results = fd;
	return 0;
}
