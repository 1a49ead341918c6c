/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_make.c — writes the zip by hand: libzip's headers differ between its releases, and every
 * machine has to arrive at the same digest. Format: PKWARE APPNOTE 6.3.10.
 */
#include "common/base/cleanup.h"
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/writer.h"
#include "common/bundle/bundle.h"
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

enum {
	COPY_LEN = 1 << 18,
	HEADER_MAX = 256 + BUNDLE_PATH_MAX,
	DOS_EPOCH = 0x0021,  /* 1980-01-01: year 0, month 1, day 1 */
	FLAG_UTF8 = 1 << 11, /* 4.4.4 */
	NEEDS_PLAIN = 20,    /* 4.4.3: version 2.0 knows directories */
	NEEDS_ZIP64 = 45,
	MADE_ON_UNIX = 3 << 8, /* 4.4.2 */
	DOS_DIRECTORY = 0x10,  /* in the external attributes */
	ZIP64_TAG = 0x0001,    /* 4.5.3 */
};
#define IN_ZIP64 0xFFFFFFFFu

struct entry {
	char *path; /* a directory's ends with a slash */
	uint64_t size, offset;
	uint32_t crc;
	bool is_dir;
};

struct list {
	struct entry *entries;
	size_t count, room;
	uint64_t total;
};

struct sink {
	int fd;
	struct digest_stream *digest; /* instead of fd, if not NULL */
	uint64_t written;
};

struct work {
	int dir;
	struct list list;
	struct sink sink;
	const struct bundle_progress *progress;
	uint64_t done;
	uint8_t *buffer;
};

static void list_done(struct list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->entries[i].path);
	free(list->entries);
}

static void work_done(struct work *w)
{
	list_done(&w->list);
	digest_free(w->sink.digest);
	free(w->buffer);
}

/* Takes `path`. */
static int list_add(struct list *list, char *path, bool is_dir, uint64_t size, struct err *e)
{
	if (list->count == BUNDLE_ENTRIES_MAX) {
		free(path);
		return err_set(e, ERR_EXHAUSTED, "more than %d files and directories",
			       BUNDLE_ENTRIES_MAX);
	}
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		struct entry *grown = realloc(list->entries, room * sizeof(*grown));

		if (!grown) {
			free(path);
			return err_nomem(e);
		}
		list->entries = grown;
		list->room = room;
	}
	if (size > UINT64_MAX - list->total)
		size = UINT64_MAX - list->total; /* enough to be refused */
	list->entries[list->count++] =
		(struct entry){ .path = path, .is_dir = is_dir, .size = size };
	list->total += size;
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
	if (!is_dir && !S_ISREG(st.st_mode))
		return err_set(e, ERR_INVALID,
			       "%s%s is neither file nor directory: only these can be bundled",
			       prefix, log_quote(name).text);
	if (text_format(&path, e, "%s%s%s", prefix, name, is_dir ? "/" : "") < 0)
		return err_code(e);
	if (bundle_path_check(path, e) < 0)
		return err_code(e);

	const char *kept = path; /* lives in the list, and its entries move but not their paths */
	if (list_add(list, TAKE_PTR(path), is_dir, is_dir ? 0 : (uint64_t)st.st_size, e) < 0)
		return err_code(e);
	if (!is_dir)
		return 0;
	CLEANUP(close) int sub = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (sub < 0)
		return err_errno(e, "open directory %s", log_quote(kept).text);
	return scan(list, sub, kept, e);
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

	for (;;) {
		errno = 0;
		const struct dirent *item = readdir(stream);
		if (!item)
			return errno ? err_errno(e, "read directory '%s'", prefix) : 0;
		if (strcmp(item->d_name, ".") == 0 || strcmp(item->d_name, "..") == 0)
			continue;
		if (scan_one(list, dir, prefix, item->d_name, e) < 0)
			return err_code(e);
	}
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
	return strcmp(((const struct entry *)a)->path, ((const struct entry *)b)->path);
}

static int emit(struct sink *sink, const void *bytes, size_t len, struct err *e)
{
	sink->written += len;
	if (sink->digest) {
		digest_add(sink->digest, bytes, len);
		return 0;
	}
	return fd_write_all(sink->fd, bytes, len, e);
}

static int emit_writer(struct sink *sink, struct writer *w, struct err *e)
{
	if (writer_check(w, "zip header", e) < 0)
		return err_code(e);
	return emit(sink, w->bytes, w->len, e);
}

static bool is_long(uint64_t v)
{
	return v >= IN_ZIP64;
}

static uint32_t short_or_mark(uint64_t v)
{
	return is_long(v) ? IN_ZIP64 : (uint32_t)v;
}

/* 4.3.7 from "version needed" to "extra field length", as 4.3.12 has it too. */
static void put_common(struct writer *w, const struct entry *entry, bool zip64, size_t extra)
{
	writer_le16(w, zip64 ? NEEDS_ZIP64 : NEEDS_PLAIN);
	writer_le16(w, FLAG_UTF8);
	writer_le16(w, 0); /* stored */
	writer_le16(w, 0); /* midnight */
	writer_le16(w, DOS_EPOCH);
	writer_le32(w, entry->crc);
	writer_le32(w, short_or_mark(entry->size));
	writer_le32(w, short_or_mark(entry->size));
	writer_le16(w, (uint16_t)strlen(entry->path));
	writer_le16(w, (uint16_t)extra);
}

static int put_local(struct sink *sink, const struct entry *entry, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(HEADER_MAX);
	bool zip64 = is_long(entry->size);

	writer_le32(&w, 0x04034b50);
	put_common(&w, entry, zip64, zip64 ? 20 : 0);
	writer_text(&w, entry->path);
	if (zip64) {
		writer_le16(&w, ZIP64_TAG);
		writer_le16(&w, 16);
		writer_le64(&w, entry->size);
		writer_le64(&w, entry->size);
	}
	return emit_writer(sink, &w, e);
}

/* 4.3.12; the zip64 extra holds exactly the fields that did not fit, in this order (4.5.3). */
static int put_central(struct sink *sink, const struct entry *entry, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(HEADER_MAX);
	bool size64 = is_long(entry->size), offset64 = is_long(entry->offset);
	size_t extra = (size64 ? 16u : 0u) + (offset64 ? 8u : 0u);
	bool zip64 = extra > 0;
	uint32_t mode = entry->is_dir ? S_IFDIR | 0755 : S_IFREG | 0644;

	writer_le32(&w, 0x02014b50);
	writer_le16(&w, MADE_ON_UNIX | (zip64 ? NEEDS_ZIP64 : NEEDS_PLAIN));
	put_common(&w, entry, zip64, zip64 ? extra + 4 : 0);
	writer_le16(&w, 0); /* comment */
	writer_le16(&w, 0); /* disk */
	writer_le16(&w, 0); /* internal attributes */
	writer_le32(&w, mode << 16 | (entry->is_dir ? DOS_DIRECTORY : 0));
	writer_le32(&w, short_or_mark(entry->offset));
	writer_text(&w, entry->path);
	if (zip64) {
		writer_le16(&w, ZIP64_TAG);
		writer_le16(&w, (uint16_t)extra);
	}
	if (size64) {
		writer_le64(&w, entry->size);
		writer_le64(&w, entry->size);
	}
	if (offset64)
		writer_le64(&w, entry->offset);
	return emit_writer(sink, &w, e);
}

static int put_end(struct sink *sink, size_t count, uint64_t start, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(HEADER_MAX);
	uint64_t end = sink->written, len = end - start;

	if (is_long(start) || is_long(len)) {
		writer_le32(&w, 0x06064b50); /* 4.3.14 */
		writer_le64(&w, 44);
		writer_le16(&w, MADE_ON_UNIX | NEEDS_ZIP64);
		writer_le16(&w, NEEDS_ZIP64);
		writer_le32(&w, 0);
		writer_le32(&w, 0);
		writer_le64(&w, count);
		writer_le64(&w, count);
		writer_le64(&w, len);
		writer_le64(&w, start);
		writer_le32(&w, 0x07064b50); /* 4.3.15 */
		writer_le32(&w, 0);
		writer_le64(&w, end);
		writer_le32(&w, 1);
	}
	writer_le32(&w, 0x06054b50); /* 4.3.16 */
	writer_le16(&w, 0);
	writer_le16(&w, 0);
	writer_le16(&w, (uint16_t)count);
	writer_le16(&w, (uint16_t)count);
	writer_le32(&w, short_or_mark(len));
	writer_le32(&w, short_or_mark(start));
	writer_le16(&w, 0);
	return emit_writer(sink, &w, e);
}

/* Reads the file from its start. With `out`, writes it too; without, only sums up. */
static int pass(struct work *w, int fd, const struct entry *entry, struct sink *out, uint32_t *crc,
		struct err *e)
{
	uint64_t seen = 0;
	uLong sum = crc32(0, NULL, 0);

	for (;;) {
		ssize_t n = pread(fd, w->buffer, COPY_LEN, (off_t)seen);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_errno(e, "read %s", log_quote(entry->path).text);
		if (n == 0)
			break;
		seen += (uint64_t)n;
		if (seen > entry->size)
			break;
		sum = crc32_z(sum, w->buffer, (size_t)n);
		if (!out)
			continue;
		if (emit(out, w->buffer, (size_t)n, e) < 0)
			return err_code(e);
		w->done += (uint64_t)n;
		if (w->progress)
			w->progress->update(w->done, w->list.total, w->progress->data);
	}
	if (seen != entry->size || (out && sum != entry->crc))
		return err_set(e, ERR_ABORTED, "%s changed while it was read: try again",
			       log_quote(entry->path).text);
	*crc = (uint32_t)sum;
	return 0;
}

/* The checksum comes before the content, and a stream can't go back: so the file is read twice. */
static int put_file(struct work *w, struct entry *entry, struct err *e)
{
	/* If somebody replaced the file by a pipe, we must not wait for its writer. */
	CLEANUP(close) int fd = bundle_open_beneath(w->dir, entry->path, O_RDONLY | O_NONBLOCK, 0);
	struct stat st;
	uint32_t again;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(e, "open %s", log_quote(entry->path).text);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_ABORTED, "%s changed while it was read: try again",
			       log_quote(entry->path).text);
	if (pass(w, fd, entry, NULL, &entry->crc, e) < 0 || put_local(&w->sink, entry, e) < 0)
		return err_code(e);
	return pass(w, fd, entry, &w->sink, &again, e);
}

static int put_all(struct work *w, struct err *e)
{
	struct list *list = &w->list;

	for (size_t i = 0; i < list->count; i++) {
		struct entry *entry = &list->entries[i];

		entry->offset = w->sink.written;
		if ((entry->is_dir ? put_local(&w->sink, entry, e) : put_file(w, entry, e)) < 0)
			return err_code(e);
	}
	uint64_t start = w->sink.written;
	for (size_t i = 0; i < list->count; i++)
		if (put_central(&w->sink, &list->entries[i], e) < 0)
			return err_code(e);
	return put_end(&w->sink, list->count, start, e);
}

static int make(struct work *w, struct err *e)
{
	w->buffer = malloc(COPY_LEN);
	if (!w->buffer)
		return err_nomem(e);
	if (scan(&w->list, w->dir, "", e) < 0 || check_total(w->dir, w->list.total, e) < 0)
		return err_wrap(e, "bundle");
	if (w->list.count)
		qsort(w->list.entries, w->list.count, sizeof(*w->list.entries), by_path);
	if (put_all(w, e) < 0)
		return err_wrap(e, "bundle");
	return 0;
}

int bundle_make(int dir, int fd, const struct bundle_progress *progress, uint64_t *size,
		struct err *e)
{
	__attribute__((cleanup(work_done))) struct work w = {
		.dir = dir,
		.progress = progress,
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
	__attribute__((cleanup(work_done))) struct work w = {
		.dir = dir,
		.progress = progress,
		.sink = { .fd = -1 },
	};

	w.sink.digest = digest_new(DIGEST_SHA3_256, e);
	if (!w.sink.digest || make(&w, e) < 0)
		return err_code(e);
	return digest_finish(w.sink.digest, out, e);
}
