/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/client/kept_login.h"

#include "cli/base/profile.h"
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands for itself; another byte is %XX, so that no two addresses have one file. */
static int file_name(const char *address, char name[NAME_MAX + 1], struct err *e)
{
	size_t len = 0;

	for (const unsigned char *c = (const unsigned char *)address; *c; c++) {
		bool plain = isalnum(*c) || *c == '-' || *c == '_' || (*c == '.' && len);
		/* Room for file_write()'s temporary one. */
		if (len + 3 > NAME_MAX - 16)
			return err_set(e, ERR_INVALID, "address %s is too long to keep a login for",
				       log_quote(address).text);
		len += (size_t)snprintf(name + len, NAME_MAX + 1 - len, plain ? "%c" : "%%%02X",
					*c);
	}
	name[len] = 0;
	return 0;
}

static int folder(char **path, struct err *e)
{
	CLEANUP(free) char *above = NULL;

	if (profile_folder(&above, e) < 0)
		return err_code(e);
	return text_format(path, e, "%s/logins", above);
}

int kept_login_path(const char *address, char **path, struct err *e)
{
	CLEANUP(free) char *dir = NULL;
	char name[NAME_MAX + 1];

	if (file_name(address, name, e) < 0 || folder(&dir, e) < 0)
		return err_code(e);
	return text_format(path, e, "%s/%s", dir, name);
}

/* Who could put another token there would have this one's user act as somebody else. */
static int check_owners(const char *path, struct err *e)
{
	CLEANUP(free) char *above = NULL, *dir = NULL;

	if (profile_folder(&above, e) < 0 || profile_owner_check(above, e) < 0 ||
	    folder(&dir, e) < 0 || profile_owner_check(dir, e) < 0)
		return err_code(e);
	return path ? profile_owner_check(path, e) : 0;
}

int kept_login_find(const char *address, char **path, struct err *e)
{
	CLEANUP(free) char *found = NULL;

	*path = NULL;
	/* For such an address, or without a place, none was ever kept. */
	if (kept_login_path(address, &found, e) < 0)
		return e->code == ERR_PRECONDITION || e->code == ERR_INVALID ? 0 : err_code(e);
	if (access(found, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR))
		return 0;
	if (check_owners(found, e) < 0)
		return err_wrap(e, "the login for %s", address);
	*path = TAKE_PTR(found);
	return 0;
}

static int make_folder(const char *address, char **dir, char **path, struct err *e)
{
	if (folder(dir, e) < 0 || kept_login_path(address, path, e) < 0 ||
	    dir_make(*dir, 0700, e) < 0)
		return err_code(e);
	return check_owners(NULL, e);
}

/* No address has a file of that name. */
int kept_login_try(const char *address, struct err *e)
{
	CLEANUP(free) char *dir = NULL, *path = NULL, *tried = NULL;
	static const char room[256] = "";
	struct stat about;

	if (make_folder(address, &dir, &path, e) < 0 || text_format(&tried, e, "%s/.try", dir) < 0)
		return err_code(e);
	if (lstat(path, &about) == 0 && S_ISDIR(about.st_mode))
		return err_set(e, ERR_PRECONDITION, "'%s' is a folder", path);
	if (file_write(tried, room, sizeof(room), 0600, e) < 0)
		return err_code(e);
	unlink(tried); /* another one that tries may have done it */
	return 0;
}

int kept_login_write(const char *address, const char *token, struct err *e)
{
	CLEANUP(free) char *dir = NULL, *path = NULL, *line = NULL;
	int failed;

	if (make_folder(address, &dir, &path, e) < 0 || text_format(&line, e, "%s\n", token) < 0)
		return err_code(e);
	failed = file_write(path, line, strlen(line), 0600, e);
	explicit_bzero(line, strlen(line));
	return failed;
}

int kept_login_remove(const char *address, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (kept_login_path(address, &path, e) < 0)
		return err_code(e);
	if (unlink(path) < 0 && errno != ENOENT && errno != ENOTDIR)
		return err_errno(e, "'%s'", path);
	return 0;
}
