/* SPDX-License-Identifier: Apache-2.0 */
#include "common/preflight/preflight_place.h"

#include "common/base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#define MIB ((uint64_t)1 << 20)

/* The folder itself, or the nearest above it that is there, in `*at`, malloc'ed. */
static int nearest(const char *path, char **at, struct stat *st, struct err *e)
{
	CLEANUP(free) char *copy = strdup(path);
	char *here = copy;

	if (!copy)
		return err_nomem(e);
	while (stat(here, st) < 0) {
		if (errno != ENOENT || strcmp(here, "/") == 0 || strcmp(here, ".") == 0)
			return err_errno(e, "'%s'", here);
		here = dirname(here);
	}
	*at = strdup(here);
	return *at ? 0 : err_nomem(e);
}

static int check_mode(const char *path, const struct stat *st,
		      const struct preflight_folder *wanted, struct err *e)
{
	if (wanted->is_ours && st->st_uid != geteuid())
		return err_set(e, ERR_PRECONDITION, "'%s' belongs to user %u, not to %u", path,
			       (unsigned)st->st_uid, (unsigned)geteuid());
	if (st->st_mode & wanted->must_not || (st->st_mode & wanted->must) != wanted->must)
		return err_set(e, ERR_PRECONDITION, "'%s' has mode %04o", path,
			       (unsigned)st->st_mode & 07777);
	return 0;
}

static int check_disk(const char *path, const struct preflight_folder *wanted, uint64_t *left,
		      struct err *e)
{
	struct statvfs disk;
	struct statfs fs;

	if (statfs(path, &fs) < 0 || statvfs(path, &disk) < 0)
		return err_errno(e, "'%s'", path);
	if (wanted->in_memory && fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC)
		return err_set(e, ERR_PRECONDITION,
			       "'%s' is not on tmpfs, so secrets would reach a disk", path);
	if (disk.f_flag & ST_RDONLY)
		return err_set(e, ERR_PRECONDITION, "'%s' is on a read-only file system", path);
	*left = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (*left < wanted->free_bytes && fs.f_type != RAMFS_MAGIC)
		return err_set(e, ERR_EXHAUSTED,
			       "'%s' has %llu MiB left of the %llu MiB that are needed", path,
			       (unsigned long long)(*left / MIB),
			       (unsigned long long)(wanted->free_bytes / MIB));
	return 0;
}

int preflight_folder(const char *path, const struct preflight_folder *wanted,
		     char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	CLEANUP(free) char *at = NULL;
	struct stat st;
	uint64_t left;
	bool is_there;

	if (nearest(path, &at, &st, e) < 0)
		return err_code(e);
	is_there = strcmp(at, path) == 0;
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_PRECONDITION, "'%s' is no folder", at);
	if ((is_there && check_mode(at, &st, wanted, e) < 0) ||
	    check_disk(at, wanted, &left, e) < 0)
		return err_code(e);
	if (faccessat(AT_FDCWD, at, R_OK | W_OK | X_OK, AT_EACCESS) < 0)
		return err_errno(e, "write into '%s'", at);
	return preflight_found(found, "'%s'%s, %llu MiB free", path, is_there ? "" : " can be made",
			       (unsigned long long)(left / MIB));
}

int preflight_log(const char *path, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	CLEANUP(free) char *copy = NULL;
	char *end;
	struct stat st;

	if (!path)
		return preflight_not_asked(found, "it goes to the normal log");
	if (lstat(path, &st) == 0) {
		if (!S_ISREG(st.st_mode))
			return err_set(e, ERR_PRECONDITION, "'%s' is no regular file", path);
		if (faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) < 0)
			return err_errno(e, "'%s'", path);
		return preflight_found(found, "'%s'", path);
	}
	copy = strdup(path);
	if (!copy)
		return err_nomem(e);
	end = strrchr(copy, '/');
	end[end == copy] = '\0';
	if (lstat(copy, &st) < 0) /* the folder is not made */
		return err_errno(e, "'%s'", copy);
	return preflight_folder(copy, &(struct preflight_folder){ 0 }, found, e);
}

int preflight_file(const char *path, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	struct stat st;

	if (stat(path, &st) < 0 || faccessat(AT_FDCWD, path, R_OK, AT_EACCESS) < 0)
		return err_errno(e, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "'%s' is no regular file", path);
	return preflight_found(found, "'%s'", path);
}
