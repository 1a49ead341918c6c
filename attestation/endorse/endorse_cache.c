/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/endorse/endorse_cache.h"

#include "attestation/endorse/endorse_http.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { LOCK_PAUSE_MS = 50 };

static const char lock_name[] = ".lock";

int endorse_cache_folder(const char *named, char **folder, struct err *e)
{
	const char *cache = secure_getenv("XDG_CACHE_HOME"), *home = secure_getenv("HOME");

	if (named && *named)
		return text_format(folder, e, "%s", named);
	if (named)
		return err_set(e, ERR_INVALID, "the cache's name is empty");
	/* A relative one is to be ignored (XDG base directory specification). */
	if (cache && *cache == '/')
		return text_format(folder, e, "%s/cocos", cache);
	if (home && *home == '/')
		return text_format(folder, e, "%s/.cache/cocos", home);
	return err_set(e, ERR_PRECONDITION,
		       "nothing says where the cache is: set HOME, or name it (--cache DIR)");
}

int endorse_group_open(struct endorse_group *group, const char *cache, const char *name,
		       struct err *e)
{
	char *folder;

	if (text_format(&folder, e, "%s/%s", cache, name) < 0)
		return err_code(e);
	*group = (struct endorse_group){ .folder = folder, .lock = -1 };
	return 0;
}

void endorse_group_done(struct endorse_group *group)
{
	if (group->folder && group->lock >= 0)
		close(group->lock);
	free(group->folder);
	*group = (struct endorse_group){ .folder = NULL, .lock = -1 };
}

int endorse_group_read(const struct endorse_group *group, const char *file, size_t max,
		       uint8_t **bytes, size_t *len, int64_t *written, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(free) uint8_t *read = NULL;
	struct stat st;
	size_t count;

	if (text_format(&path, e, "%s/%s", group->folder, file) < 0)
		return err_code(e);
	/* A pipe in its place would block who opens it. */
	if (lstat(path, &st) < 0 || !S_ISREG(st.st_mode) ||
	    file_read(path, max, &read, &count, e) < 0 || !count)
		return err_set(e, ERR_NOT_FOUND, "%s is not in the cache", file);
	*bytes = TAKE_PTR(read);
	*len = count;
	*written = st.st_mtime; /* docs/policy.md, crl.max_age, says so to who copies a cache */
	return 0;
}

int endorse_group_lock(struct endorse_group *group, int64_t deadline, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	CLEANUP(close) int fd = -1;

	if (group->lock >= 0)
		return 0;
	if (dir_make(group->folder, 0700, e) < 0)
		return err_wrap(e, "cache");
	if (text_format(&path, e, "%s/%s", group->folder, lock_name) < 0)
		return err_code(e);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
	if (fd < 0)
		return err_errno(e, "cache: %s", log_quote(path).text);
	while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_errno(e, "cache: lock %s", log_quote(path).text);
		if (clock_ms(CLOCK_MONOTONIC) >= deadline)
			return err_set(e, ERR_DEADLINE, "cache: another process holds %s",
				       log_quote(path).text);
		poll(NULL, 0, LOCK_PAUSE_MS);
	}
	group->lock = TAKE_FD(fd);
	return 0;
}

int endorse_group_write(const struct endorse_group *group, const char *file, const void *bytes,
			size_t len, struct err *e)
{
	CLEANUP(free) char *path = NULL;

	if (text_format(&path, e, "%s/%s", group->folder, file) < 0 ||
	    file_write(path, bytes, len, 0600, e) < 0)
		return err_wrap(e, "cache");
	return 0;
}
