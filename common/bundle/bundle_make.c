/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_make.c — walks a directory and writes its files one behind the other, each read once.
 */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/bundle/bundle.h"
#include "common/bundle/bundle_header.h"
#include "common/bundle/bundle_path.h"
#include "common/crypto/digest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <zlib.h>

enum { COPY_LEN = 1 << 18 };

struct list {
	struct bundle_entry *entries; /* each owns its path */
	size_t count, room;
	size_t dirs;    /* walked; none of them is written */
	uint64_t total; /* bytes of content */
};

struct sink {
	int fd;                       /* -1: nowhere */
	struct digest_stream *digest; /* NULL: none is wanted */
	uint64_t written;
};

struct work {
	int dir;
	const struct bundle_extra *extra; /* NULL: none */
	struct list list;
	struct sink sink;
	const struct bundle_progress *progress;
	uint64_t done;
	uint8_t *buffer;
};

static void list_done(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free((char *)list->entries[i].path);
	free(list->entries);
}

static void work_done(struct work *w)
{
	list_done(&w->list);
	digest_free(w->sink.digest);
	free(w->buffer);
}

static int list_check_room(const struct list *list, struct err *e)
{
	if (list->count + list->dirs == BUNDLE_ENTRIES_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d files and directories",
			       BUNDLE_ENTRIES_MAX);
	return 0;
}

/* Takes `path`. */
static int list_add(struct list *list, char *path, const struct stat *st, struct err *e)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		struct bundle_entry *grown = realloc(list->entries, room * sizeof(*grown));

		if (!grown) {
			free(path);
			return err_nomem(e);
		}
		list->entries = grown;
		list->room = room;
	}
	uint64_t size = (uint64_t)st->st_size;
	list->entries[list->count++] =
		(struct bundle_entry){ .path = path, .mode = st->st_mode, .size = size };
	/* a sum that would wrap is enough to be refused */
	list->total = size > UINT64_MAX - list->total ? UINT64_MAX : list->total + size;
	return 0;
}

static int scan(struct list *list, int dir, const char *prefix, struct err *e);

static int scan_one(struct list *list, int dir, const char *prefix, const char *name, struct err *e)
{
	CLEANUP(free) char *path = NULL;
	struct stat st;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return err_errno(e, "%s", log_quote(name).text);
	bool is_dir = S_ISDIR(st.st_mode);
	if (S_ISLNK(st.st_mode))
		return err_set(e, ERR_INVALID,
			       "%s%s " BUNDLE_REFUSED_LINK ": copy what it points to", prefix,
			       log_quote(name).text);
	if (!is_dir && !S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID,
			       "%s%s is neither file nor directory: only these can be bundled",
			       prefix, log_quote(name).text);
	if (text_format(&path, e, "%s%s%s", prefix, name, is_dir ? "/" : "") < 0)
		return err_code(e);
	if (bundle_path_check(path, e) < 0 || list_check_room(list, e) < 0)
		return err_code(e);
	if (!is_dir)
		return list_add(list, TAKE_PTR(path), &st, e);
	list->dirs++;
	CLEANUP(close) int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return err_errno(e, "open directory %s", log_quote(path).text);
	return scan(list, sub, path, e);
}

DEFINE_CLEANUP(DIR *, closedir)

/* The depth is bounded by bundle_path_check(). */
static int scan(struct list *list, int dir, const char *prefix, struct err *e)
{
	CLEANUP(close) int own = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (own < 0)
		return err_errno(e, "open directory '%s'", prefix);
	CLEANUP(closedir) DIR *stream = fdopendir(own);
	if (!stream)
		return err_errno(e, "read directory '%s'", prefix);
	own = -1; /* the stream's now */

	const struct dirent *item;
	int more;
	while ((more = dir_next(stream, &item, e)) > 0)
		if (scan_one(list, dir, prefix, item->d_name, e) < 0)
			return err_code(e);
	return more < 0 ? err_wrap(e, "directory '%s'", prefix) : 0;
}

/* Sparse files and hard links look like more than there is, and a bundle would make it real:
 * what an algorithm leaves in a small file system must not fill a large one. */
static int check_total(int dir, uint64_t total, struct err *e)
{
	struct statvfs fs;

	if (fstatvfs(dir, &fs) < 0)
		return err_errno(e, "size of the file system");
	uint64_t holds = (uint64_t)fs.f_blocks * fs.f_frsize;
	if (holds > 0 && total > holds)
		return err_set(e, ERR_EXHAUSTED,
			       "%llu bytes of content in a file system of %llu: sparse files or "
			       "hard links are not bundled beyond that",
			       (unsigned long long)total, (unsigned long long)holds);
	return 0;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct bundle_entry *)a)->path,
		      ((const struct bundle_entry *)b)->path);
}

static int emit(struct sink *sink, const void *bytes, size_t len, struct err *e)
{
	sink->written += len;
	if (sink->digest)
		digest_add(sink->digest, bytes, len);
	return sink->fd < 0 ? 0 : fd_write_all(sink->fd, bytes, len, e);
}

static int emit_writer(struct sink *sink, struct writer *w, struct err *e)
{
	if (writer_check(w, "zip header", e) < 0)
		return err_code(e);
	return emit(sink, w->bytes, w->len, e);
}

static int put(struct sink *sink,
	       void (*header)(struct writer *w, const struct bundle_entry *entry),
	       const struct bundle_entry *entry, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(BUNDLE_HEADER_MAX);

	header(&w, entry);
	return emit_writer(sink, &w, e);
}

static int put_end(struct sink *sink, size_t count, uint64_t start, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(BUNDLE_HEADER_MAX);

	bundle_header_end(&w, count, start, sink->written);
	return emit_writer(sink, &w, e);
}

/* Exactly as many bytes as the file had when the directory was walked. */
static int put_content(struct work *w, int fd, struct bundle_entry *entry, struct err *e)
{
	uint64_t seen = 0;
	uLong sum = crc32(0, NULL, 0);

	for (;;) {
		ssize_t n = pread(fd, w->buffer, COPY_LEN, (off_t)seen);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "read %s", log_quote(entry->path).text);
		seen += (uint64_t)n;
		if (n == 0 || seen > entry->size)
			break;
		sum = crc32_z(sum, w->buffer, (size_t)n);
		if (emit(&w->sink, w->buffer, (size_t)n, e) < 0)
			return err_code(e);
		w->done += (uint64_t)n;
		if (w->progress)
			w->progress->update(w->done, w->list.total, w->progress->data);
	}
	if (seen != entry->size)
		return err_set(e, ERR_ABORTED, "%s changed while it was read: try again",
			       log_quote(entry->path).text);
	entry->crc = (uint32_t)sum;
	return 0;
}

static int put_extra(struct work *w, struct bundle_entry *entry, struct err *e)
{
	const struct bundle_extra *x = w->extra;

	entry->offset = w->sink.written;
	entry->crc = (uint32_t)crc32_z(crc32(0, NULL, 0), x->bytes, x->len);
	if (put(&w->sink, bundle_header_local, entry, e) < 0 ||
	    emit(&w->sink, x->bytes, x->len, e) < 0)
		return err_code(e);
	return put(&w->sink, bundle_header_descriptor, entry, e);
}

static int put_file(struct work *w, struct bundle_entry *entry, struct err *e)
{
	if (w->extra && strcmp(entry->path, w->extra->path) == 0)
		return put_extra(w, entry, e);
	/* If somebody replaced the file by a pipe, we must not wait for its writer. */
	CLEANUP(close) int fd = bundle_open_beneath(w->dir, entry->path, O_RDONLY | O_NONBLOCK, 0);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "open %s", log_quote(entry->path).text);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_ABORTED, "%s changed while it was read: try again",
			       log_quote(entry->path).text);
	entry->offset = w->sink.written;
	if (put(&w->sink, bundle_header_local, entry, e) < 0 || put_content(w, fd, entry, e) < 0)
		return err_code(e);
	return put(&w->sink, bundle_header_descriptor, entry, e);
}

static int put_all(struct work *w, struct err *e)
{
	struct list *list = &w->list;

	for (size_t i = 0; i < list->count; i++)
		if (put_file(w, &list->entries[i], e) < 0)
			return err_code(e);
	uint64_t start = w->sink.written;
	for (size_t i = 0; i < list->count; i++)
		if (put(&w->sink, bundle_header_central, &list->entries[i], e) < 0)
			return err_code(e);
	return put_end(&w->sink, list->count, start, e);
}

/* Once the sizes in the directory have been judged: this one takes no room there. */
static int list_add_extra(struct work *w, struct err *e)
{
	const struct bundle_extra *x = w->extra;
	const struct stat about = { .st_mode = S_IFREG | 0644, .st_size = (off_t)x->len };
	CLEANUP(free) char *path = strdup(x->path);
	struct stat there;

	if (!path)
		return err_nomem(e);
	if (bundle_path_check(path, e) < 0 || list_check_room(&w->list, e) < 0)
		return err_code(e);
	if (strchr(path, '/') || fstatat(w->dir, path, &there, AT_SYMLINK_NOFOLLOW) == 0)
		return err_set(e, ERR_EXISTS, "'%s' is there already", path);
	return list_add(&w->list, TAKE_PTR(path), &about, e);
}

static int make(struct work *w, struct err *e)
{
	w->buffer = malloc(COPY_LEN);
	if (!w->buffer)
		return err_nomem(e);
	if (scan(&w->list, w->dir, "", e) < 0 || check_total(w->dir, w->list.total, e) < 0)
		return err_wrap(e, "bundle");
	if (w->extra && list_add_extra(w, e) < 0)
		return err_wrap(e, "bundle");
	if (w->list.count)
		qsort(w->list.entries, w->list.count, sizeof(*w->list.entries), by_path);
	if (put_all(w, e) < 0)
		return err_wrap(e, "bundle");
	return 0;
}

int bundle_make(int dir, int fd, const struct bundle_progress *progress, uint64_t *size,
		uint8_t digest[BUNDLE_DIGEST_LEN], struct err *e)
{
	__attribute__((cleanup(work_done))) struct work w = {
		.dir = dir,
		.progress = progress,
		.sink = { .fd = fd },
	};

	if (digest)
		w.sink.digest = digest_new(DIGEST_SHA3_256, e);
	if ((digest && !w.sink.digest) || make(&w, e) < 0)
		return err_code(e);
	if (size)
		*size = w.sink.written;
	return digest ? digest_finish(w.sink.digest, digest, e) : 0;
}

int bundle_make_with(int dir, const struct bundle_extra *extra, int fd, uint64_t *size,
		     struct err *e)
{
	__attribute__((cleanup(work_done))) struct work w = {
		.dir = dir,
		.extra = extra,
		.sink = { .fd = fd },
	};

	if (make(&w, e) < 0)
		return err_code(e);
	if (size)
		*size = w.sink.written;
	return 0;
}

int bundle_digest(int dir, const struct bundle_progress *progress, uint8_t out[BUNDLE_DIGEST_LEN],
		  struct err *e)
{
	return bundle_make(dir, -1, progress, NULL, out, e);
}
