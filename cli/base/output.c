/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/base/output.h"

#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/utf8.h"
#include "common/crypto/digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static bool is_file(const char *path)
{
	return path && strcmp(path, "-") != 0;
}

static int refuse(struct cli *cli, const char *path, struct err *e)
{
	cli_hint(cli, "--force replaces it");
	return err_set(e, ERR_EXISTS, "'%s' is there already", path);
}

int output_check(struct cli *cli, const char *path, struct err *e)
{
	struct stat about;

	if (!is_file(path) || lstat(path, &about) < 0)
		return 0; /* what else is wrong with it, writing tells */
	/* A device or pipe, or a link to one, would be exchanged for a file. */
	if (stat(path, &about) == 0 && !S_ISREG(about.st_mode)) {
		cli_hint(cli, "a file is written there under a name that is free");
		return err_set(e, ERR_INVALID, "'%s' is there, and no file", path);
	}
	return cli_flag(cli, "force") ? 0 : refuse(cli, path, e);
}

int output_check_options(struct cli *cli, struct err *e)
{
	for (size_t i = 0; i < cli->given_count; i++) {
		const struct cli_given *one = &cli->given[i];

		if (!one->option->writes)
			continue;
		if (output_check(cli, one->value, e) < 0)
			return err_code(e);
		for (size_t k = 0; k < i; k++)
			if (cli->given[k].option->writes && is_file(one->value) &&
			    strcmp(cli->given[k].value, one->value) == 0)
				return err_set(e, ERR_INVALID, "--%s and --%s are both '%s'",
					       cli->given[k].option->name, one->option->name,
					       one->value);
	}
	return 0;
}

int output_file(struct cli *cli, const char *path, const void *bytes, size_t len, mode_t mode,
		struct err *e)
{
	if (output_check(cli, path, e) < 0)
		return err_code(e);
	if (cli_flag(cli, "force"))
		return file_write(path, bytes, len, mode, e);
	int failed = file_write_new(path, bytes, len, mode, e);

	return err_is(failed, ERR_EXISTS) ? refuse(cli, path, e) : failed;
}

/* ---- a place ---- */

/* Its own, for what else is kept beside a file has others: results that came once, too (result_file.c). */
#define PLACE_MARK ".told-"
/* Behind it: so many digits that nobody gives a file of his own such a name, for what has one is taken for left. */
enum { PLACE_DIGITS = 16, PLACE_TRIES = 8 };

static bool is_named(int fd, int folder, const char *name, struct stat *there)
{
	struct stat ours;

	return fstat(fd, &ours) == 0 && fstatat(folder, name, there, AT_SYMLINK_NOFOLLOW) == 0 &&
	       ours.st_dev == there->st_dev && ours.st_ino == there->st_ino;
}

static bool is_own(const struct stat *about)
{
	return S_ISREG(about->st_mode) && about->st_uid == geteuid();
}

/* Of a command that was killed: nobody else leaves one without a lock. Whoever has the lock of what still has its name
 * is alone with it. */
static void remove_stale(int folder, const char *name)
{
	CLEANUP(close) int fd = -1;
	struct stat about;

	if (fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) < 0 || !is_own(&about))
		return;
	fd = openat(folder, name, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 && is_named(fd, folder, name, &about) &&
	    is_own(&about))
		unlinkat(folder, name, 0);
}

/* Of the file `base` alone. */
static bool is_place_of(const char *name, const char *base)
{
	const size_t len = strlen(base), mark = strlen(PLACE_MARK);

	return strlen(name) == len + mark + PLACE_DIGITS && strncmp(name, base, len) == 0 &&
	       strncmp(name + len, PLACE_MARK, mark) == 0 &&
	       strspn(name + len + mark, "0123456789abcdef") == PLACE_DIGITS;
}

/* What can't be removed stays: nothing depends on it. */
static void remove_all_stale(const char *path)
{
	const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path;
	CLEANUP(free)
	char *folder = slash ? strndup(path, (size_t)(slash + 1 - path)) : strdup(".");
	DIR *dir = folder ? opendir(folder) : NULL;

	for (struct dirent *entry; dir && (entry = readdir(dir));)
		if (is_place_of(entry->d_name, base))
			remove_stale(dirfd(dir), entry->d_name);
	if (dir)
		closedir(dir);
}

/* 1: another command took it for one that was left, before it was locked. */
static int try_place(struct output_place *place, struct err *e)
{
	struct stat about;
	uint64_t tag;

	if (random_bytes(&tag, sizeof(tag), e) < 0 ||
	    text_format(&place->temporary, e, "%s" PLACE_MARK "%0*" PRIx64, place->path,
			PLACE_DIGITS, tag) < 0)
		return err_code(e);
	place->fd = open(place->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (place->fd < 0) {
		err_errno(e, "write beside '%s'", place->path);
		free(TAKE_PTR(place->temporary));
		return err_code(e);
	}
	/* Where a file system has no locks nothing is taken for left, either. */
	if ((flock(place->fd, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK) &&
	    is_named(place->fd, AT_FDCWD, place->temporary, &about))
		return 0;
	close(TAKE_FD(place->fd));
	free(TAKE_PTR(place->temporary));
	return 1;
}

int output_place_make(struct cli *cli, const char *path, size_t len, struct output_place *place,
		      struct err *e)
{
	int failed = 1;

	if (output_check(cli, path, e) < 0)
		return err_code(e);
	*place = (struct output_place){ .path = path, .fd = -1 };
	remove_all_stale(path);
	for (int tries = 0; failed > 0 && tries < PLACE_TRIES; tries++)
		failed = try_place(place, e);
	if (failed > 0)
		return err_set(e, ERR_EXISTS, "others take what is written beside '%s'", path);
	if (failed)
		return failed;
	errno = posix_fallocate(place->fd, 0, (off_t)len);
	return errno ? err_errno(e, "room beside '%s'", path) : 0;
}

int output_place_fill(struct cli *cli, struct output_place *place, const void *bytes, size_t len,
		      struct err *e)
{
	int failed;

	if (fd_write_all(place->fd, bytes, len, e) < 0)
		return err_wrap(e, "'%s'", place->temporary);
	if (ftruncate(place->fd, (off_t)len) < 0 || fsync(place->fd) < 0)
		return err_errno(e, "write '%s'", place->temporary);
	failed = file_publish(place->temporary, place->path, cli_flag(cli, "force"), e);
	if (!failed)
		free(TAKE_PTR(place->temporary));
	return err_is(failed, ERR_EXISTS) ? refuse(cli, place->path, e) : failed;
}

void output_place_done(struct output_place *place)
{
	if (place->temporary)
		unlink(place->temporary);
	free(place->temporary);
	if (place->fd >= 0)
		close(place->fd);
}

/* Lines that stand for themselves: what a peer made might have a terminal write over what stands there. */
static bool is_for_terminal(const char *text, size_t len)
{
	size_t n;

	for (size_t i = 0; i < len; i += n) {
		n = utf8_char(text + i, len - i);
		if (!n || (utf8_is_control(text + i, n) && text[i] != '\n' && text[i] != '\t'))
			return false;
	}
	return true;
}

int output_write(struct cli *cli, const char *path, const void *bytes, size_t len, struct err *e)
{
	if (is_file(path))
		return output_file(cli, path, bytes, len, 0644, e);
	if (cli->out == stdout && isatty(STDOUT_FILENO) && !is_for_terminal(bytes, len)) {
		cli_hint(cli, "send it to a file or a program");
		return err_set(e, ERR_INVALID, "it is no text that a terminal only shows");
	}
	if (fwrite(bytes, 1, len, cli->out) != len)
		return err_errno(e, "standard output");
	return 0;
}

int output_digest(const struct cli *cli, const uint8_t *bytes, size_t len, bool base64,
		  struct err *e)
{
	CLEANUP(free) char *text = base64 ? base64_encode(bytes, len) : malloc(2 * len + 1);

	if (!text)
		return err_nomem(e);
	if (!base64)
		hex_encode(bytes, len, text);
	fprintf(cli->out, "%s\n", text);
	return 0;
}
