/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file.h"

#include "common/base/cleanup.h"
#include "common/base/writer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>

int text_format(char **text, struct err *e, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int len = vasprintf(text, fmt, args);
	va_end(args);
	return len < 0 ? err_nomem(e) : 0;
}

/* The bytes that read() gives, 0 at the end; -1 if it fails. */
static ssize_t read_some(int fd, void *to, size_t max)
{
	ssize_t n;

	do
		n = read(fd, to, max);
	while (n < 0 && errno == EINTR);
	return n;
}

static int too_large(size_t max, struct err *e)
{
	return err_set(e, ERR_EXHAUSTED, "larger than %zu bytes", max);
}

/* What did not fit into the first room. */
static int read_pieces(int fd, struct writer *w, struct err *e)
{
	uint8_t piece[16384];
	ssize_t n = 0;
	int failed;

	while (!w->bad && (n = read_some(fd, piece, sizeof(piece))) > 0)
		writer_bytes(w, piece, (size_t)n);
	failed = n < 0 ? err_errno(e, "read") : w->bad ? too_large(w->max, e) : 0;
	explicit_bzero(piece, sizeof(piece));
	return failed;
}

/* Reads straight into the room while there is some; its last byte is for the zero at the end. */
static int read_to_end(int fd, struct writer *w, struct err *e)
{
	while (w->len + 1 < w->room) {
		ssize_t n = read_some(fd, w->bytes + w->len, w->room - w->len - 1);

		if (n < 0)
			return err_errno(e, "read");
		if (n == 0)
			return 0;
		w->len += (size_t)n;
		if (w->len > w->max)
			return too_large(w->max, e);
	}
	return read_pieces(fd, w, e);
}

/* Room for the size that a regular file reports and for one byte more, so that the end is seen
 * without copying. Only a hint: the size may change, and what is read counts. */
static void make_room(int fd, struct writer *w)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 &&
	    (uint64_t)st.st_size <= w->max && (w->bytes = malloc((size_t)st.st_size + 2)))
		w->room = (size_t)st.st_size + 2;
}

int file_read(const char *path, size_t max, uint8_t **bytes, size_t *len, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(max);
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return err_errno(e, "open '%s'", path);
	make_room(fd, &w);
	if (read_to_end(fd, &w, e) < 0)
		return err_wrap(e, "'%s'", path);
	uint8_t *taken = writer_take(&w, len);
	if (!taken)
		return err_nomem(e);
	*bytes = taken;
	return 0;
}

int file_read_text(const char *path, size_t max, char **text, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (file_read(path, max, &bytes, &len, e) < 0)
		return err_code(e);
	if (memchr(bytes, 0, len)) {
		explicit_bzero(bytes, len);
		return err_set(e, ERR_INVALID, "'%s': a zero byte in a text file", path);
	}
	*text = (char *)TAKE_PTR(bytes);
	return 0;
}

int fd_write_all(int fd, const void *bytes, size_t len, struct err *e)
{
	const uint8_t *b = bytes;

	while (len) {
		ssize_t n = write(fd, b, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "write");
		b += n;
		len -= (size_t)n;
	}
	return 0;
}

int fd_read_at(int fd, void *to, size_t len, uint64_t from, struct err *e)
{
	for (size_t at = 0; at < len;) {
		ssize_t n = pread(fd, (uint8_t *)to + at, len - at, (off_t)(from + at));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "read");
		if (n == 0)
			return 0;
		at += (size_t)n;
	}
	return 1;
}

int file_sync_folder(const char *path, struct err *e)
{
	char folder[PATH_MAX];
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;

	if (len >= sizeof(folder))
		return err_set(e, ERR_INVALID, "'%s': path too long", path);
	memcpy(folder, path, len);
	folder[len] = '\0';
	CLEANUP(close)
	int fd = open(!slash ? "." : len ? folder : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || (fsync(fd) < 0 && errno != EINVAL))
		return err_errno(e, "sync the folder of '%s'", path);
	return 0;
}

static int write_beside(const char *temporary, const void *bytes, size_t len, mode_t mode,
			struct err *e)
{
	CLEANUP(close) int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_errno(e, "create '%s'", temporary);
	if (fd_write_all(fd, bytes, len, e) < 0)
		return err_wrap(e, "'%s'", temporary);
	if (fchmod(fd, mode) < 0 || fsync(fd) < 0)
		return err_errno(e, "write '%s'", temporary);
	return 0;
}

/* Some file systems have no links, and some can't keep a rename from replacing. */
static int name_new(const char *temporary, const char *path, bool *linked)
{
	*linked = link(temporary, path) == 0;
	if (*linked || (errno != EPERM && errno != EOPNOTSUPP))
		return *linked ? 0 : -1;
	return renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE);
}

int file_publish(const char *temporary, const char *path, bool replace, struct err *e)
{
	bool linked = false;
	int done = replace ? rename(temporary, path) : name_new(temporary, path, &linked);

	if (done < 0)
		return err_errno(e, "make '%s'", path);
	if (replace)
		return file_sync_folder(path, e);
	if (linked && unlink(temporary) < 0)
		done = err_errno(e, "remove '%s'", temporary);
	if (done < 0 || file_sync_folder(path, e) < 0) {
		unlink(path); /* nothing had that name before */
		return err_code(e);
	}
	return 0;
}

static int write_file(const char *path, const void *bytes, size_t len, mode_t mode, bool replace,
		      struct err *e)
{
	CLEANUP(free) char *temporary = NULL;
	uint64_t tag;

	if (getrandom(&tag, sizeof(tag), 0) != sizeof(tag))
		return err_errno(e, "random name");
	if (text_format(&temporary, e, "%s.%016llx", path, (unsigned long long)tag) < 0)
		return err_code(e);
	if (write_beside(temporary, bytes, len, mode, e) < 0 ||
	    file_publish(temporary, path, replace, e) < 0) {
		unlink(temporary);
		return err_code(e);
	}
	return 0;
}

int file_write(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e)
{
	return write_file(path, bytes, len, mode, true, e);
}

int file_write_new(const char *path, const void *bytes, size_t len, mode_t mode, struct err *e)
{
	return write_file(path, bytes, len, mode, false, e);
}

int dir_make(const char *path, mode_t mode, struct err *e)
{
	CLEANUP(free) char *copy = strdup(path);
	struct stat st;

	if (!copy)
		return err_nomem(e);
	for (char *at = copy + 1; *copy && *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return err_errno(e, "make folder '%s'", copy);
		*at = '/';
	}
	if (mkdir(path, mode) < 0 && errno != EEXIST)
		return err_errno(e, "make folder '%s'", path);
	if (stat(path, &st) < 0)
		return err_errno(e, "folder '%s'", path);
	if (!S_ISDIR(st.st_mode))
		return err_set(e, ERR_EXISTS, "'%s' exists and is not a folder", path);
	return 0;
}

DIR *dir_entries(int fd)
{
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	int saved = errno;

	if (!dir && fd >= 0)
		close(fd);
	errno = saved;
	return dir;
}

int dir_next(DIR *dir, const struct dirent **item, struct err *e)
{
	do {
		errno = 0;
		*item = readdir(dir);
		if (!*item)
			return errno ? err_errno(e, "read a folder") : 0;
	} while (strcmp((*item)->d_name, ".") == 0 || strcmp((*item)->d_name, "..") == 0);
	return 1;
}

/* What is being removed: the device must not change, and descriptors bound the depth. */
struct removal {
	const char *path;
	dev_t device;
	int failed;
	struct err *e;
};

enum { REMOVE_DEPTH_MAX = 256 };

/* Of what names in there are the caller knows nothing: they may be data that its logs must not show. */
static void keep_first(struct removal *r, const char *what)
{
	if (!r->failed)
		r->failed = err_errno(r->e, "remove '%s': %s", r->path, what);
}

static void remove_at(struct removal *r, int parent, const char *name, int depth);

static void remove_entries(struct removal *r, int fd, int depth)
{
	DIR *dir = dir_entries(fd);
	const struct dirent *entry;
	struct err e;
	int more;

	if (!dir) {
		keep_first(r, "read a folder");
		return;
	}
	while ((more = dir_next(dir, &entry, &e)) > 0)
		remove_at(r, dirfd(dir), entry->d_name, depth + 1);
	if (more < 0)
		keep_first(r, "read a folder"); /* errno is that of readdir() */
	closedir(dir);
}

/* Root that may change owners may still be bound by modes: a daemon with few capabilities. The folder
 * above is its own by then, so nobody puts another thing in the place of this one. */
static int enter(int parent, const char *name)
{
	enum { HOW = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC };
	int fd = openat(parent, name, HOW);

	if (fd < 0 && errno == EACCES &&
	    fchownat(parent, name, geteuid(), getegid(), AT_SYMLINK_NOFOLLOW) == 0 &&
	    fchmodat(parent, name, 0700, 0) == 0)
		fd = openat(parent, name, HOW);
	return fd;
}

static void remove_at(struct removal *r, int parent, const char *name, int depth)
{
	struct stat st;

	if (unlinkat(parent, name, 0) == 0 || errno == ENOENT)
		return;
	if (errno != EISDIR && errno != EPERM) {
		keep_first(r, "take an entry away");
		return;
	}
	int fd = enter(parent, name);
	if (fd < 0 || fstat(fd, &st) < 0 || st.st_dev != r->device || depth > REMOVE_DEPTH_MAX) {
		keep_first(r, "enter a folder");
		if (fd >= 0)
			close(fd);
		return;
	}
	if (st.st_uid != geteuid() && fchown(fd, geteuid(), getegid()) == 0)
		fchmod(fd, 0700);
	else if (!(st.st_mode & S_IWUSR))
		fchmod(fd, 0700); /* an algorithm may have made it read-only for its owner */
	remove_entries(r, fd, depth);
	if (unlinkat(parent, name, AT_REMOVEDIR) < 0 && errno != ENOENT)
		keep_first(r, "take a folder away");
}

int dir_remove(const char *path, struct err *e)
{
	struct removal r = { .path = path, .e = e };
	struct stat st;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? 0 : err_errno(e, "'%s'", path);
	r.device = st.st_dev;
	remove_at(&r, AT_FDCWD, path, 0);
	return r.failed;
}
