/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/jail/runner_files.h"

#include "agent/jail/jail_spec.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

DEFINE_CLEANUP(DIR *, closedir)

/* The mode first: of another's file we may not change it. */
static int give(int dir, const char *name, const struct stat *st, mode_t mode, struct err *e)
{
	if ((st->st_mode & 07777) != mode && fchmodat(dir, name, mode, 0) < 0)
		return err_errno(e, "make %s readable", log_quote(name).text);
	if (geteuid() == 0 && st->st_uid != JAIL_UID &&
	    fchownat(dir, name, JAIL_UID, JAIL_UID, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(e, "hand over %s", log_quote(name).text);
	return 0;
}

static int give_tree(int dir, int depth, struct err *e);

static int give_item(int dir, const char *name, int depth, struct err *e)
{
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(e, "%s", log_quote(name).text);
	if (S_ISREG(st.st_mode))
		return give(dir, name, &st, 0644, e);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_INVALID, "%s is no file that can be handed over",
			       log_quote(name).text);
	int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0 || depth == 0) {
		if (sub >= 0)
			close(sub);
		return err_set(e, ERR_INVALID, "directory %s cannot be entered",
			       log_quote(name).text);
	}
	return give_tree(sub, depth - 1, e);
}

/* Takes `dir`. */
static int give_tree(int dir, int depth, struct err *e)
{
	CLEANUP(closedir) DIR *list = dir_entries(dir);
	const struct dirent *item;
	struct stat st;
	int more;

	if (!list)
		return err_errno(e, "read directory");
	while ((more = dir_next(list, &item, e)) > 0)
		if (give_item(dirfd(list), item->d_name, depth, e) < 0)
			return err_code(e);
	if (more < 0)
		return err_code(e);
	if (fstat(dirfd(list), &st) < 0)
		return err_errno(e, "read directory");
	return give(dirfd(list), ".", &st, 0755, e);
}

int runner_files_give(const char *path, mode_t mode, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "open '%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "'%s' is no file", path);
	return give(AT_FDCWD, path, &st, mode, e);
}

int runner_files_give_tree(const char *folder, struct err *e)
{
	int dir = open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return err_errno(e, "open '%s'", folder);
	return give_tree(dir, RUNNER_FILES_DEPTH_MAX, e);
}
