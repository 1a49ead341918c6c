/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/shares.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/users.h"
#include "common/manifest/bootdisk.h"
#include "guest/disks.h"
#include "guest/given.h"
#include "guest/mounts.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>

#define SEALED      (MS_NOSUID | MS_NODEV | MS_NOEXEC)
#define SHARE_POINT "/share"

struct share {
	const char *tag, *target;
};

static const struct share shares[] = {
	{ "env_share", GIVEN_CONFIG },
	{ "certs_share", GIVEN_CERTS },
};

DEFINE_CLEANUP(DIR *, closedir)

static bool name_ok(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	return name[0] != '.' && name[strspn(name, letters)] == '\0';
}

/* Reads up to SHARES_FILE_MAX bytes, whatever size the host claims. */
static int copy_bytes(int from, int to, const char *name, struct err *e)
{
	size_t total = 0;

	for (;;) {
		uint8_t block[16384];
		ssize_t got = read(from, block, sizeof(block));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(e, "read '%s'", name);
		if (got == 0)
			return 0;
		total += (size_t)got;
		if (total > SHARES_FILE_MAX)
			return err_set(e, ERR_EXHAUSTED, "'%s' is larger than %d bytes", name,
				       SHARES_FILE_MAX);
		if (fd_write_all(to, block, (size_t)got, e) < 0)
			return err_wrap(e, "copy '%s'", name);
	}
}

static int copy_file(int from_dir, int to_dir, const char *name, uid_t owner, struct err *e)
{
	CLEANUP(close) int from = -1;
	CLEANUP(close) int to = -1;
	struct stat st;

	if (!name_ok(name))
		return err_set(e, ERR_INVALID, "file name %s: letters, digits, '-', '_', '.' only",
			       log_quote(name).text);
	from = openat(from_dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	if (from < 0 || fstat(from, &st) < 0)
		return err_errno(e, "open '%s'", name);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID, "'%s' is not a plain file", name);
	to = given_make(to_dir, name, owner, e);
	if (to < 0)
		return err_code(e);
	return copy_bytes(from, to, name, e);
}

int shares_copy(const char *from, const char *to, uid_t owner, struct err *e)
{
	CLEANUP(closedir) DIR *dir = opendir(from);
	CLEANUP(close) int to_dir = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int count = 0, folders = 0;

	if (!dir)
		return err_errno(e, "open '%s'", from);
	if (to_dir < 0)
		return err_errno(e, "open '%s'", to);
	for (;;) {
		struct dirent *entry;

		errno = 0;
		entry = readdir(dir);
		if (!entry && errno)
			return err_errno(e, "list '%s'", from);
		if (!entry)
			return 0;
		/* The host may list its own folder, or the one above, without end. */
		bool folder = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
		if (folder ? ++folders > 2 : ++count > SHARES_FILES_MAX)
			return err_set(e, ERR_EXHAUSTED, "more than %d files", SHARES_FILES_MAX);
		if (folder)
			continue;
		if (copy_file(dirfd(dir), to_dir, entry->d_name, owner, e) < 0)
			return err_code(e);
	}
}

static int share_take(const struct share *share, struct err *e)
{
	if (mount(share->tag, SHARE_POINT, "9p", SEALED | MS_RDONLY,
		  "trans=virtio,version=9p2000.L,cache=none") < 0) {
		if (errno == ENOENT)
			return err_set(e, ERR_NOT_FOUND,
				       "the 9p share '%s' is missing: launch with it", share->tag);
		return err_errno(e, "mount the 9p share '%s'", share->tag);
	}
	if (given_open(share->target, e) < 0)
		return err_code(e);
	if (shares_copy(SHARE_POINT, share->target, USERS_AGENT, e) < 0)
		return err_wrap(e, "9p share '%s'", share->tag);
	if (umount2(SHARE_POINT, 0) < 0)
		return err_errno(e, "let go of the 9p share '%s'", share->tag);
	return given_seal(share->target, e);
}

int shares_take(struct err *e)
{
	char disk[DISKS_PATH_MAX];

	if (disks_find(DISKS_FOLDER, BOOTDISK_SERIAL, disk, e) < 0)
		return err_code(e);
	if (*disk)
		return err_set(e, ERR_INVALID,
			       "there is a boot disk, and this image takes the shares: launch with "
			       "one of both, as its image.json says");
	if (mkdir(SHARE_POINT, 0700) < 0)
		return err_errno(e, "make '%s'", SHARE_POINT);
	for (size_t i = 0; i < ARRAY_LEN(shares); i++)
		if (share_take(&shares[i], e) < 0)
			return err_code(e);
	return 0;
}
