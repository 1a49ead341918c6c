/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/container/place.h"

#include "common/base/file.h"
#include "common/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

DEFINE_CLEANUP(DIR *, closedir)

static int bad_path(const char *path, const char *why, struct err *e)
{
	return err_set(e, ERR_INVALID, "path %s %s", log_quote(path).text, why);
}

int place_clean(const char *path, char clean[TAR_PATH_MAX + 1], struct err *e)
{
	size_t used = 0, depth = 0;

	if (path[0] == '/')
		return bad_path(path, "is absolute", e);
	for (const char *at = path; *at;) {
		size_t len = strcspn(at, "/");
		bool none = len == 0 || (len == 1 && at[0] == '.');

		if (len == 2 && at[0] == '.' && at[1] == '.')
			return bad_path(path, "has '..' in it", e);
		if (len > NAME_MAX)
			return bad_path(path, "has a name of more than 255 bytes", e);
		if (!none) {
			if (++depth > PLACE_DEPTH_MAX)
				return bad_path(path, "is too deep", e);
			if (used > 0)
				clean[used++] = '/';
			memcpy(clean + used, at, len);
			used += len;
		}
		at += len + (at[len] == '/');
	}
	clean[used] = '\0';
	return 0;
}

int place_take(struct place_room *room, struct err *e)
{
	if (room->entries == 0)
		return err_set(e, ERR_EXHAUSTED, "more than %d entries and folders of paths",
			       TAR_ENTRIES_MAX);
	if (room->bytes < PLACE_COST)
		return err_set(e, ERR_EXHAUSTED,
			       "more files and folders than there is room for: each takes %d bytes",
			       PLACE_COST);
	room->entries--;
	room->bytes -= PLACE_COST;
	return 0;
}

static int open_in(int root, const char *path, uint64_t resolve)
{
	struct open_how how = { .flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
				.resolve = resolve | RESOLVE_NO_MAGICLINKS };

	return (int)syscall(SYS_openat2, root, path[0] ? path : ".", &how, sizeof(how));
}

/* Links can lead to where a path of 64 names would not: counted from there to the root. */
static int check_depth(int root, int fd, const char *path, struct err *e)
{
	struct stat top, here;
	CLEANUP(close) int at = dup(fd);

	if (at < 0 || fstat(root, &top) < 0 || fstat(at, &here) < 0)
		return err_errno(e, "%s", log_quote(path).text);
	for (int depth = 0; depth < PLACE_DEPTH_MAX; depth++) {
		if (here.st_ino == top.st_ino && here.st_dev == top.st_dev)
			return 0;
		int up = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (up < 0 || fstat(up, &here) < 0) {
			if (up >= 0)
				close(up);
			return err_errno(e, "%s", log_quote(path).text);
		}
		close(at);
		at = up;
	}
	return bad_path(path, "is too deep", e);
}

/* -1 with errno of a folder that is not there. */
static int open_folder(int root, const char *path, int *fd, struct err *e)
{
	*fd = open_in(root, path, RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
	if (*fd >= 0 || errno != ELOOP)
		return 0;
	CLEANUP(close) int there = open_in(root, path, RESOLVE_IN_ROOT);
	if (there >= 0 && check_depth(root, there, path, e) < 0)
		return err_code(e);
	*fd = TAKE_FD(there);
	return 0;
}

static int not_there(const char *path, struct err *e)
{
	if (errno == ENOTDIR)
		return bad_path(path, "leads through something that is no folder", e);
	if (errno == ELOOP)
		return bad_path(path, "leads through too many links", e);
	return err_errno(e, "%s", log_quote(path).text);
}

/* One missing folder; its parent is there. */
static int make_folder(int root, const char *path, struct place_room *room, struct err *e)
{
	CLEANUP(close) int fd = -1;
	const char *name;

	if (place_parent(root, path, NULL, &fd, &name, e) < 0 || place_take(room, e) < 0)
		return err_code(e);
	if (fd < 0 || mkdirat(fd, name, 0755) < 0 || fchmodat(fd, name, 0755, 0) < 0)
		return errno == EEXIST ? bad_path(path, "leads through a link to nothing", e)
				       : err_errno(e, "make %s", log_quote(path).text);
	return 0;
}

static int make_all(int root, const char *path, struct place_room *room, struct err *e)
{
	char part[TAR_PATH_MAX + 1];

	for (const char *slash = strchr(path, '/');; slash = strchr(slash + 1, '/')) {
		size_t len = slash ? (size_t)(slash - path) : strlen(path);
		CLEANUP(close) int fd = -1;

		memcpy(part, path, len);
		part[len] = '\0';
		if (open_folder(root, part, &fd, e) < 0)
			return err_code(e);
		if (fd < 0 && errno != ENOENT)
			return not_there(part, e);
		if (fd < 0 && make_folder(root, part, room, e) < 0)
			return err_code(e);
		if (!slash)
			return 0;
	}
}

int place_parent(int root, const char *path, struct place_room *room, int *fd, const char **name,
		 struct err *e)
{
	const char *slash = strrchr(path, '/');
	char folder[TAR_PATH_MAX + 1] = "";

	if (slash)
		memcpy(folder, path, (size_t)(slash - path));
	folder[slash ? slash - path : 0] = '\0';
	*name = slash ? slash + 1 : path;
	if (open_folder(root, folder, fd, e) < 0)
		return err_code(e);
	if (*fd >= 0)
		return 0;
	if (errno != ENOENT && !(errno == ENOTDIR && !room))
		return not_there(folder, e);
	if (!room)
		return 0;
	if (make_all(root, folder, room, e) < 0 || open_folder(root, folder, fd, e) < 0)
		return err_code(e);
	return *fd < 0 ? not_there(folder, e) : 0;
}

static int remove_in(int folder, const char *name, int depth, struct err *e);

/* Takes `own` over, a descriptor for each level. */
static int empty(int own, int depth, struct err *e)
{
	CLEANUP(closedir) DIR *list = dir_entries(own);
	const struct dirent *item;
	int more;

	if (!list)
		return err_errno(e, "list a folder");
	while ((more = dir_next(list, &item, e)) > 0)
		if (remove_in(dirfd(list), item->d_name, depth + 1, e) < 0)
			return err_code(e);
	return more;
}

static int remove_in(int folder, const char *name, int depth, struct err *e)
{
	if (unlinkat(folder, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return err_errno(e, "remove %s", log_quote(name).text);
	int fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_errno(e, "remove %s", log_quote(name).text);
	if (depth > PLACE_DEPTH_MAX) {
		close(fd);
		return bad_path(name, "is too deep", e);
	}
	if (empty(fd, depth, e) < 0)
		return err_code(e);
	return unlinkat(folder, name, AT_REMOVEDIR) < 0
		       ? err_errno(e, "remove %s", log_quote(name).text)
		       : 0;
}

int place_remove(int folder, const char *name, struct err *e)
{
	return remove_in(folder, name, 0, e);
}

int place_empty(int folder, struct err *e)
{
	int own = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return own < 0 ? err_errno(e, "list a folder") : empty(own, 0, e);
}
