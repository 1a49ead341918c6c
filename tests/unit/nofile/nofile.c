/* SPDX-License-Identifier: Apache-2.0 */
/* Both names of what takes an offset are defined here: libraries call either. */
#undef _FORTIFY_SOURCE
#undef _FILE_OFFSET_BITS
#include "tests/unit/nofile/nofile.h"

#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/crypto/digest.h"
#include "tests/unit.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { SOME = 7, TREE_MAX = 1 << 20, CONTENT_MAX = 64 << 20 };

enum kind {
	ONCE,  /* one operation fails */
	FULL,  /* from that one on, all that want room */
	SHORT, /* none: reads and writes move some bytes only */
};

static atomic_long made, fail_at;
static atomic_bool counting, failed_one;
static _Atomic(enum kind) kind;
static atomic_int failed_with;
static _Atomic(const char *) failed_call;
static _Thread_local int paused;

static bool fails(const char *call, int number)
{
	if (!counting || paused || (kind == FULL && number != ENOSPC))
		return false;
	long at = made++;
	if (kind == SHORT || at < fail_at || (kind == ONCE && at > fail_at))
		return false;
	if (!failed_one) {
		failed_call = call;
		failed_with = number;
	}
	failed_one = true;
	errno = number;
	return true;
}

/* Not what a loop waits for, nor a pipe. */
static bool is_file(int fd)
{
	int saved = errno;
	struct stat st;

	if (!counting || paused)
		return false;
	paused++;
	bool is = fstat(fd, &st) == 0 && (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode));
	paused--;
	errno = saved;
	return is;
}

static size_t some(int fd, size_t len)
{
	return kind == SHORT && len > SOME && is_file(fd) ? SOME : len;
}

static int room(int flags)
{
	return flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? ENOSPC : EMFILE;
}

/* ---- in the place of the C library's ---- */

#pragma GCC visibility push(default)

/* `name`, which calls the next of that name; where `can`, it may fail with `number` instead. */
#define CALL(type, name, parameters, arguments, can, number, failed)   \
	type name parameters;                                          \
	type name parameters                                           \
	{                                                              \
		static _Atomic(uintptr_t) next;                        \
                                                                       \
		if ((can) && fails(#name, number))                     \
			return failed;                                 \
		if (!next)                                             \
			next = (uintptr_t)dlsym(RTLD_NEXT, #name);     \
		return ((type(*) parameters)(uintptr_t)next)arguments; \
	}

/* The mode is there or not; an int in either case. */
#define OPEN(name, parameters, arguments, last)                          \
	int name parameters                                              \
	{                                                                \
		static _Atomic(uintptr_t) next;                          \
		va_list more;                                            \
                                                                         \
		va_start(more, last);                                    \
		int mode = room(last) == ENOSPC ? va_arg(more, int) : 0; \
		va_end(more);                                            \
		if (fails(#name, room(last)))                            \
			return -1;                                       \
		if (!next)                                               \
			next = (uintptr_t)dlsym(RTLD_NEXT, #name);       \
		return ((int(*) parameters)(uintptr_t)next)arguments;    \
	}

OPEN(open, (const char *path, int flags, ...), (path, flags, mode), flags)
OPEN(open64, (const char *path, int flags, ...), (path, flags, mode), flags)
OPEN(openat, (int at, const char *path, int flags, ...), (at, path, flags, mode), flags)
OPEN(openat64, (int at, const char *path, int flags, ...), (at, path, flags, mode), flags)

/* openat2() has no function of its own. As the C library's, it takes six whether they were given or not. */
__attribute__((no_sanitize("address"))) long syscall(long number, ...)
{
	static _Atomic(uintptr_t) next;
	enum { ARGUMENTS = 6 };
	long given[ARGUMENTS];
	va_list more;

	va_start(more, number);
	for (int i = 0; i < ARGUMENTS; i++)
		given[i] = va_arg(more, long);
	va_end(more);
	if (number == SYS_openat2 &&
	    fails("openat2", room((int)((const struct open_how *)given[2])->flags)))
		return -1;
	if (!next)
		next = (uintptr_t)dlsym(RTLD_NEXT, "syscall");
	return ((long (*)(long, ...))next)(number, given[0], given[1], given[2], given[3], given[4],
					   given[5]);
}

#define BOTH(type, name, parameters, arguments, can, number, failed) \
	CALL(type, name, parameters, arguments, can, number, failed) \
	CALL(type, name##64, parameters, arguments, can, number, failed)

/* What the compiler makes of open() and read() where it knows more. */
CALL(int, __open_2, (const char *path, int flags), (path, flags), true, room(flags), -1)
CALL(int, __open64_2, (const char *path, int flags), (path, flags), true, room(flags), -1)
CALL(int, __openat_2, (int at, const char *path, int flags), (at, path, flags), true, room(flags),
     -1)
CALL(int, __openat64_2, (int at, const char *path, int flags), (at, path, flags), true, room(flags),
     -1)
CALL(ssize_t, __read_chk, (int fd, void *to, size_t len, size_t max), (fd, to, some(fd, len), max),
     is_file(fd), EIO, -1)
CALL(ssize_t, __pread_chk, (int fd, void *to, size_t len, off_t at, size_t max),
     (fd, to, some(fd, len), at, max), is_file(fd), EIO, -1)
CALL(ssize_t, __pread64_chk, (int fd, void *to, size_t len, off_t at, size_t max),
     (fd, to, some(fd, len), at, max), is_file(fd), EIO, -1)

CALL(FILE *, fopen, (const char *path, const char *mode), (path, mode), true, EMFILE, NULL)
CALL(FILE *, fopen64, (const char *path, const char *mode), (path, mode), true, EMFILE, NULL)
CALL(FILE *, fdopen, (int fd, const char *mode), (fd, mode), is_file(fd), ENOMEM, NULL)
CALL(ssize_t, read, (int fd, void *to, size_t len), (fd, to, some(fd, len)), is_file(fd), EIO, -1)
BOTH(ssize_t, pread, (int fd, void *to, size_t len, off_t at), (fd, to, some(fd, len), at),
     is_file(fd), EIO, -1)
CALL(ssize_t, readv, (int fd, const struct iovec *to, int count), (fd, to, count), is_file(fd), EIO,
     -1)
CALL(ssize_t, write, (int fd, const void *from, size_t len), (fd, from, some(fd, len)), is_file(fd),
     ENOSPC, -1)
BOTH(ssize_t, pwrite, (int fd, const void *from, size_t len, off_t at),
     (fd, from, some(fd, len), at), is_file(fd), ENOSPC, -1)
CALL(ssize_t, writev, (int fd, const struct iovec *from, int count), (fd, from, count), is_file(fd),
     ENOSPC, -1)
CALL(ssize_t, copy_file_range,
     (int from, off_t *at, int to, off_t *to_at, size_t len, unsigned flags),
     (from, at, to, to_at, some(from, len), flags), true, ENOSPC, -1)
BOTH(int, ftruncate, (int fd, off_t size), (fd, size), true, EIO, -1)
BOTH(int, fallocate, (int fd, int mode, off_t from, off_t len), (fd, mode, from, len), true, ENOSPC,
     -1)
BOTH(int, posix_fallocate, (int fd, off_t from, off_t len), (fd, from, len), true, ENOSPC, ENOSPC)
BOTH(int, mkstemp, (char *path), (path), true, ENOSPC, -1)
BOTH(int, mkostemp, (char *path, int flags), (path, flags), true, ENOSPC, -1)
CALL(int, rename, (const char *from, const char *to), (from, to), true, ENOSPC, -1)
CALL(int, renameat, (int at, const char *from, int to_at, const char *to), (at, from, to_at, to),
     true, ENOSPC, -1)
/* Nothing here outlives a power cut, and thousands would wait for a busy disk. */
int fsync(int fd)
{
	return fails("fsync", EIO) ? -1 : 0;
}

int fdatasync(int fd)
{
	return fails("fdatasync", EIO) ? -1 : 0;
}

/* What changes places needs no room. */
CALL(int, renameat2, (int at, const char *from, int to_at, const char *to, unsigned flags),
     (at, from, to_at, to, flags), true, flags &RENAME_EXCHANGE ? EIO : ENOSPC, -1)
CALL(int, link, (const char *from, const char *to), (from, to), true, ENOSPC, -1)
CALL(int, linkat, (int at, const char *from, int to_at, const char *to, int flags),
     (at, from, to_at, to, flags), true, ENOSPC, -1)
CALL(int, symlink, (const char *text, const char *path), (text, path), true, ENOSPC, -1)
CALL(int, symlinkat, (const char *text, int at, const char *path), (text, at, path), true, ENOSPC,
     -1)
CALL(int, unlink, (const char *path), (path), true, EIO, -1)
CALL(int, unlinkat, (int at, const char *path, int flags), (at, path, flags), true, EIO, -1)
CALL(int, rmdir, (const char *path), (path), true, EIO, -1)
CALL(int, mkdir, (const char *path, mode_t mode), (path, mode), true, ENOSPC, -1)
CALL(int, mkdirat, (int at, const char *path, mode_t mode), (at, path, mode), true, ENOSPC, -1)
CALL(int, stat, (const char *path, struct stat *st), (path, st), true, EIO, -1)
CALL(int, stat64, (const char *path, struct stat64 *st), (path, st), true, EIO, -1)
CALL(int, lstat, (const char *path, struct stat *st), (path, st), true, EIO, -1)
CALL(int, lstat64, (const char *path, struct stat64 *st), (path, st), true, EIO, -1)
CALL(int, fstat, (int fd, struct stat *st), (fd, st), is_file(fd), EIO, -1)
CALL(int, fstat64, (int fd, struct stat64 *st), (fd, st), is_file(fd), EIO, -1)
CALL(int, fstatat, (int at, const char *path, struct stat *st, int flags), (at, path, st, flags),
     true, EIO, -1)
CALL(int, fstatat64, (int at, const char *path, struct stat64 *st, int flags),
     (at, path, st, flags), true, EIO, -1)
CALL(int, statx, (int at, const char *path, int flags, unsigned mask, struct statx *st),
     (at, path, flags, mask, st), true, EIO, -1)
CALL(int, chmod, (const char *path, mode_t mode), (path, mode), true, EIO, -1)
CALL(int, fchmod, (int fd, mode_t mode), (fd, mode), true, EIO, -1)
CALL(int, fchmodat, (int at, const char *path, mode_t mode, int flags), (at, path, mode, flags),
     true, EIO, -1)
CALL(int, fchown, (int fd, uid_t owner, gid_t group), (fd, owner, group), true, EIO, -1)
CALL(int, fchownat, (int at, const char *path, uid_t owner, gid_t group, int flags),
     (at, path, owner, group, flags), true, EIO, -1)
CALL(int, flock, (int fd, int operation), (fd, operation), true, ENOLCK, -1)
CALL(DIR *, opendir, (const char *path), (path), true, EMFILE, NULL)
CALL(DIR *, fdopendir, (int fd), (fd), true, ENOMEM, NULL)
CALL(struct dirent *, readdir, (DIR * dir), (dir), true, EIO, NULL)
CALL(struct dirent64 *, readdir64, (DIR * dir), (dir), true, EIO, NULL)
BOTH(void *, mmap, (void *near, size_t len, int protection, int flags, int fd, off_t at),
     (near, len, protection, flags, fd, at), is_file(fd), ENODEV, MAP_FAILED)

#pragma GCC visibility pop

/* ---- what is there ---- */

static void put_content(struct writer *w, int at, const char *name)
{
	char hex[2 * SHA256_LEN + 1];
	uint8_t d[SHA256_LEN];
	static uint8_t bytes[1 << 16];
	CLEANUP(close) int fd = openat(at, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	CLEANUP_WRITER struct writer all = writer_up_to(CONTENT_MAX);
	struct err e;
	ssize_t n;

	assert_true(fd >= 0);
	while ((n = read(fd, bytes, sizeof(bytes))) > 0)
		writer_bytes(&all, bytes, (size_t)n);
	assert_int_equal(n, 0);
	assert_ok(writer_check(&all, name, &e), e);
	assert_ok(digest(DIGEST_SHA256, all.bytes, all.len, d, &e), e);
	for (size_t i = 0; i < sizeof(d); i++)
		snprintf(hex + 2 * i, 3, "%02x", d[i]);
	writer_printf(w, " %zu %.16s", all.len, hex);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* A line for each that lies below, in the order of their names. */
static void put_tree(struct writer *w, const char *path, size_t from, bool varies)
{
	CLEANUP(close) int at = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent **all;
	int count = scandir(path, &all, NULL, by_name);

	assert_true(at >= 0 && count >= 0);
	for (int i = 0; i < count; i++) {
		CLEANUP(free) char *below = NULL;
		struct stat st;
		struct err e;

		if (strcmp(all[i]->d_name, ".") == 0 || strcmp(all[i]->d_name, "..") == 0) {
			free(all[i]);
			continue;
		}
		assert_int_equal(fstatat(at, all[i]->d_name, &st, AT_SYMLINK_NOFOLLOW), 0);
		assert_ok(text_format(&below, &e, "%s/%s", path, all[i]->d_name), e);
		writer_printf(w, "  %s %o", below + from, st.st_mode);
		if (S_ISREG(st.st_mode) && !varies)
			put_content(w, at, all[i]->d_name);
		writer_text(w, "\n");
		if (S_ISDIR(st.st_mode))
			put_tree(w, below, from, varies);
		free(all[i]);
	}
	free(all);
}

static char *tree(const struct nofile *n)
{
	struct writer w = writer_up_to(TREE_MAX);
	size_t len;

	put_tree(&w, n->folder, strlen(n->folder) + 1, n->varies);
	writer_text(&w, "");
	writer_u8(&w, 0);
	assert_false(w.bad);
	return (char *)writer_take(&w, &len);
}

static int descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	int count = 0;

	assert_non_null(dir);
	while (readdir(dir))
		count++;
	closedir(dir);
	return count;
}

/* ---- attempts ---- */

void nofile_pause(void)
{
	paused++;
}

void nofile_go_on(void)
{
	paused--;
}

static void make_ready(const struct nofile *n)
{
	struct err e;

	assert_ok(dir_remove(n->folder, &e), e);
	assert_int_equal(mkdir(n->folder, 0700), 0);
	if (n->ready)
		n->ready(n->data);
}

static int run(const struct nofile *n, enum kind how, long at, struct err *e)
{
	*e = (struct err){ .code = ERR_OK };
	paused = 0;
	made = 0;
	failed_one = false;
	kind = how;
	fail_at = at;
	counting = true;
	int failed = n->attempt(n->data, e);
	counting = false;
	if (n->always)
		n->always(n->data);
	if (!failed && n->done)
		n->done(n->data);
	return failed;
}

static bool says_why(const struct nofile *n, const char *text)
{
	bool said = strstr(text, strerror(failed_with)) != NULL;

	for (const char *const *word = n->also; word && *word; word++)
		said |= strstr(text, *word) != NULL;
	return said;
}

static const char *const called[] = { [ONCE] = "once", [FULL] = "from there on", [SHORT] = "" };

/* The whole of it, once more: without a failure it ends as it does in a new folder. */
static void go_on(const struct nofile *n, long at, const char *whole, const char *why)
{
	CLEANUP(free) char *after = NULL;
	struct err e;

	if (run(n, ONCE, -1, &e) < 0)
		fail_msg(
			"%s: behind the %ld-th operation (%s), which failed ('%s'), it does not go "
			"on: %s",
			n->name, at, failed_call, why, e.text);
	after = tree(n);
	if (strcmp(after, whole) != 0)
		fail_msg("%s: behind the %ld-th operation (%s), which failed, it ends with\n%s"
			 "and not with\n%s",
			 n->name, at, failed_call, after, whole);
}

static void check(const struct nofile *n, enum kind how, long at, int failed, const struct err *e,
		  const char *before, const char *whole)
{
	CLEANUP(free) char *after = tree(n);
	const char *call = failed_call, *in = called[how];
	bool is_before = strcmp(after, before) == 0, is_whole = strcmp(after, whole) == 0;

	if (!failed && !is_whole)
		fail_msg("%s: done though the %ld-th operation (%s) failed %s, and there is\n%sand "
			 "not\n%s",
			 n->name, at, call, in, after, whole);
	if (!failed)
		return;
	if (!err_is(failed, e->code) || !says_why(n, e->text))
		fail_msg("%s: the %ld-th operation (%s) failed %s (%s), and it says %d, %s: '%s'",
			 n->name, at, call, in, strerror(failed_with), failed,
			 err_code_name(e->code), e->text);
	if (e->code != ERR_EXHAUSTED && e->code != ERR_INTERNAL &&
	    !(n->may_be_damaged && e->code == ERR_DATA_LOSS))
		fail_msg("%s: the %ld-th operation (%s) failed %s, and it is said to be %s: %s",
			 n->name, at, call, in, err_code_name(e->code), e->text);
	if (!is_before && !(n->may_be_done && is_whole) && !n->may_be_begun)
		fail_msg(
			"%s: the %ld-th operation (%s) failed %s ('%s'), and there is\n%sand not\n%s",
			n->name, at, call, in, e->text, after, before);
}

static void each(const struct nofile *n, enum kind how, const char *before, const char *whole)
{
	long refused = 0, without = 0, step = n->step ? n->step : 1, at = 0;

	for (;; at += step) {
		struct err e;

		make_ready(n);
		int open_before = descriptors();
		int failed = run(n, how, at, &e);
		if (!failed_one)
			break;
		refused += failed != 0;
		without += failed == 0;
		check(n, how, at, failed, &e, before, whole);
		if (descriptors() != open_before)
			fail_msg("%s: descriptors are left open (%d, and %d before) where the "
				 "%ld-th operation (%s) failed %s",
				 n->name, descriptors(), open_before, at, failed_call, called[how]);
		if (failed)
			go_on(n, at, whole, e.text);
	}
	if (how == ONCE && !at)
		fail_msg("%s: no operation is needed", n->name);
	print_message("# %s: %ld operations failed %s: %ld refused, %ld done without\n", n->name,
		      at / step, called[how], refused, without);
}

void nofile_each(const struct nofile *n)
{
	CLEANUP(free) char *before = NULL, *whole = NULL, *again = NULL;
	struct err e;

	for (int i = 0; i < 2; i++) { /* what libraries open for good is open, then */
		make_ready(n);
		free(before);
		free(whole);
		before = tree(n);
		assert_ok(run(n, ONCE, -1, &e), e);
		whole = tree(n);
	}
	each(n, ONCE, before, whole);
	each(n, FULL, before, whole);
	make_ready(n);
	assert_ok(run(n, SHORT, -1, &e), e);
	again = tree(n);
	assert_string_equal(again, whole);
}
