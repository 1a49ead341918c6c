/* SPDX-License-Identifier: Apache-2.0 */
#include "common/preflight/preflight_place.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>

#define MIB ((uint64_t)1 << 20)

enum { BLOCK = 4096 }; /* what the smallest file takes of a disk */

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

/* A file system without blocks (ramfs, a tmpfs without a size) does not say how much it takes. */
static int check_room(const char *path, uint64_t wanted, uint64_t *left, struct err *e)
{
	struct statvfs disk;

	if (statvfs(path, &disk) < 0)
		return err_errno(e, "'%s'", path);
	if (disk.f_flag & ST_RDONLY)
		return err_set(e, ERR_PRECONDITION, "'%s' is on a read-only file system", path);
	*left = (uint64_t)disk.f_bavail * disk.f_frsize;
	if (*left < wanted && disk.f_blocks)
		return err_set(e, ERR_EXHAUSTED,
			       "'%s' has %llu MiB left of the %llu MiB that are needed", path,
			       (unsigned long long)(*left / MIB),
			       (unsigned long long)(wanted / MIB));
	return 0;
}

static int check_memory(const char *path, struct err *e)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return err_errno(e, "'%s'", path);
	if (fs.f_type != TMPFS_MAGIC && fs.f_type != RAMFS_MAGIC)
		return err_set(e, ERR_PRECONDITION,
			       "'%s' is not on tmpfs, so secrets would reach a disk", path);
	return 0;
}

/* A file without a name, which is gone when it is closed; or one with a name, where the file system has no others. */
static int open_passing(const char *folder)
{
	CLEANUP(free) char *path = NULL;
	struct err nomem;
	int fd = open(folder, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);

	if (fd >= 0 || (errno != EOPNOTSUPP && errno != EISDIR))
		return fd;
	if (text_format(&path, &nomem, "%s/.cocos-check-XXXXXX", folder) < 0)
		return -1;
	fd = mkostemp(path, O_CLOEXEC);
	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

/* What permissions say is not all: a quota, a file system that takes nothing, or a disk that is full refuse as well. */
static int try_writing(const char *folder, struct err *e)
{
	static const char block[BLOCK];
	CLEANUP(close) int fd = open_passing(folder);

	ssize_t written = fd < 0 ? -1 : write(fd, block, sizeof(block));

	if (written == (ssize_t)sizeof(block))
		return 0;
	if (written >= 0)
		errno = ENOSPC; /* a part of it found room */
	return err_errno(e, "write into '%s'", folder);
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
	    (wanted->in_memory && check_memory(at, e) < 0) ||
	    check_room(at, wanted->free_bytes, &left, e) < 0)
		return err_code(e);
	if (faccessat(AT_FDCWD, at, R_OK | W_OK | X_OK, AT_EACCESS) < 0)
		return err_errno(e, "write into '%s'", at);
	if (try_writing(at, e) < 0)
		return err_code(e);
	return preflight_found(found, "'%s'%s, %llu MiB free", path, is_there ? "" : " can be made",
			       (unsigned long long)(left / MIB));
}

int preflight_folder_of(const char *path, uint64_t free_bytes, char found[PREFLIGHT_TEXT_MAX],
			struct err *e)
{
	const struct preflight_folder wanted = { .free_bytes = free_bytes };
	CLEANUP(free) char *copy = strdup(path);
	const char *folder;
	struct stat st;

	if (!copy)
		return err_nomem(e);
	folder = dirname(copy);
	if (lstat(folder, &st) < 0) /* nobody makes it */
		return err_errno(e, "'%s'", folder);
	return preflight_folder(folder, &wanted, found, e);
}

/* Opened as by who writes it, which changes nothing. */
static int look_written(const char *path, struct err *e)
{
	CLEANUP(close)
	int fd = open(path, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd < 0 ? err_errno(e, "'%s'", path) : 0;
}

int preflight_log(const char *path, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	struct stat st;
	uint64_t left;

	if (!path)
		return preflight_not_asked(found, "it goes to the normal log");
	if (lstat(path, &st) < 0)
		return errno == ENOENT ? preflight_folder_of(path, PREFLIGHT_LOG_FREE_MIN, found, e)
				       : err_errno(e, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_PRECONDITION, "'%s' is no regular file", path);
	if (look_written(path, e) < 0 || check_room(path, PREFLIGHT_LOG_FREE_MIN, &left, e) < 0)
		return err_code(e);
	return preflight_found(found, "'%s', %llu MiB free", path,
			       (unsigned long long)(left / MIB));
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
