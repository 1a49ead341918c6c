/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/launch/console.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/crypto/digest.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 16384 };

void console_place_write(const struct console_place *place, char text[CONSOLE_CURSOR_MAX])
{
	snprintf(text, CONSOLE_CURSOR_MAX, "%" PRIx64 ".%" PRIx64, place->file, place->at);
}

int console_place_read(const char *text, struct console_place *place, struct err *e)
{
	struct console_place read = { 0 };
	char again[CONSOLE_CURSOR_MAX] = "";

	if (strlen(text) < CONSOLE_CURSOR_MAX &&
	    sscanf(text, "%" SCNx64 ".%" SCNx64, &read.file, &read.at) == 2)
		console_place_write(&read, again);
	if (!read.file || strcmp(text, again) != 0)
		return err_set(e, ERR_INVALID, "cursor: %s is none of Console's",
			       log_quote(text).text);
	*place = read;
	return 0;
}

/* One of the files, open. */
struct kept {
	int fd;
	uint64_t file, size;
};

/* The youngest first. */
struct files {
	struct kept all[CONSOLE_FILES_MAX];
	size_t count;
};

static void files_done(struct files *files)
{
	for (size_t i = 0; i < files->count; i++)
		if (files->all[i].fd >= 0)
			close(files->all[i].fd);
}
#define CLEANUP_FILES __attribute__((cleanup(files_done)))

/* What stays of a file that is renamed. An inode's number alone would tell what else happens on the disk, and is
 * used again. */
static int number_of(const char *salt, const struct statx *st, uint64_t *number, struct err *e)
{
	const struct digest_part parts[] = {
		{ salt, strlen(salt) },
		{ &st->stx_ino, sizeof(st->stx_ino) },
		{ &st->stx_btime.tv_sec, sizeof(st->stx_btime.tv_sec) },
		{ &st->stx_btime.tv_nsec, sizeof(st->stx_btime.tv_nsec) },
	};
	uint8_t bytes[SHA256_LEN];

	if (digest_parts(DIGEST_SHA256, parts, ARRAY_LEN(parts), bytes, e) < 0)
		return err_code(e);
	memcpy(number, bytes, sizeof(*number));
	*number |= 1; /* 0 is none */
	return 0;
}

/* -1: it is not there. Nothing but a regular file, and none that somebody else's link leads to. */
static int open_file(const char *path, const char *salt, struct kept *kept, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct statx st = { 0 };

	kept->fd = -1;
	if (fd < 0)
		return errno == ENOENT ? 0 : err_errno(e, "open '%s'", path);
	if (statx(fd, "", AT_EMPTY_PATH, STATX_BASIC_STATS | STATX_BTIME, &st) < 0)
		return err_errno(e, "'%s'", path);
	if (!S_ISREG(st.stx_mode))
		return err_set(e, ERR_PRECONDITION, "'%s' is not a regular file", path);
	if (number_of(salt, &st, &kept->file, e) < 0)
		return err_code(e);
	kept->size = st.stx_size;
	kept->fd = TAKE_FD(fd);
	return 0;
}

/* From the youngest to the oldest: a file that is renamed meanwhile is met again, and none is missed. */
static int open_files(const char *path, const char *salt, struct files *files, struct err *e)
{
	for (int i = 0; i < CONSOLE_FILES_MAX; i++) {
		struct kept *kept = &files->all[files->count];
		CLEANUP(free) char *older = NULL;

		if (i > 0 && text_format(&older, e, "%s.%d", path, i - 1) < 0)
			return err_code(e);
		if (open_file(older ? older : path, salt, kept, e) < 0)
			return err_code(e);
		if (kept->fd < 0)
			continue;
		if (files->count && kept->file == kept[-1].file)
			close(TAKE_FD(kept->fd));
		else
			files->count++;
	}
	return 0;
}

static size_t find(const struct files *files, uint64_t file)
{
	size_t i = 0;

	while (i < files->count && files->all[i].file != file)
		i++;
	return i;
}

/* How many bytes before the end the place is; false if its file is not there, or not as long. */
static bool is_back(const struct files *files, const struct console_place *place, uint64_t *back)
{
	size_t i = find(files, place->file);

	if (i == files->count || place->at > files->all[i].size)
		return false;
	*back = files->all[i].size - place->at;
	while (i-- > 0)
		*back += files->all[i].size;
	return true;
}

static uint64_t size_of(const struct files *files)
{
	uint64_t size = 0;

	for (size_t i = 0; i < files->count; i++)
		size += files->all[i].size;
	return size;
}

/* Goes back over lines in one file. `*back` grows until the line is found that is the last to be told. */
static int count_lines(const struct kept *kept, uint32_t *lines, uint64_t *back, struct err *e)
{
	char block[BLOCK];
	uint64_t end = kept->size;

	while (end && *back < CONSOLE_BACK_MAX) {
		size_t want = end < BLOCK ? (size_t)end : BLOCK;
		ssize_t got = pread(kept->fd, block, want, (off_t)(end - want));

		if (got < 0)
			return err_errno(e, "read the console");
		/* What was cut off meanwhile has no lines. */
		if ((size_t)got < want)
			memset(block + got, 0, want - (size_t)got);
		for (size_t i = want; i-- > 0; (*back)++)
			if (block[i] == '\n' && *back > 0 && --*lines == 0)
				return 0;
		end -= want;
	}
	return 0;
}

/* The last line has an end, or none yet. */
static int back_over_lines(const struct files *files, uint32_t lines, uint64_t *back, struct err *e)
{
	*back = 0;
	for (size_t i = 0; i < files->count && lines; i++)
		if (count_lines(&files->all[i], &lines, back, e) < 0)
			return err_code(e);
	return 0;
}

/* Takes one of the files, from its beginning. */
static void take(struct console *c, struct files *files, size_t i)
{
	if (c->fd >= 0)
		close(c->fd);
	c->fd = TAKE_FD(files->all[i].fd);
	c->next = (struct console_place){ .file = files->all[i].file };
}

static void go_back(struct console *c, struct files *files, uint64_t back)
{
	size_t i = 0;
	uint64_t behind = 0;

	c->there = back;
	if (!files->count)
		return;
	while (i + 1 < files->count && behind + files->all[i].size < back)
		behind += files->all[i++].size;
	take(c, files, i);
	c->next.at = files->all[i].size - (back - behind);
}

static int find_start(struct console *c, const struct console_from *from, struct err *e)
{
	struct files files CLEANUP_FILES = { .count = 0 };
	uint64_t back;

	if (open_files(c->path, c->salt, &files, e) < 0)
		return err_code(e);
	back = size_of(&files);
	if (from->place.file)
		c->skipped = !is_back(&files, &from->place, &back);
	else if (from->lines && back_over_lines(&files, from->lines, &back, e) < 0)
		return err_code(e);
	if (back > CONSOLE_BACK_MAX) {
		back = CONSOLE_BACK_MAX;
		c->skipped = true;
	}
	go_back(c, &files, back);
	return 0;
}

int console_open(const char *path, const char *salt, const struct console_from *from,
		 struct console *console, struct err *e)
{
	struct console c = { .path = strdup(path), .salt = salt, .fd = -1 };

	if (!c.path)
		return err_nomem(e);
	if (find_start(&c, from, e) < 0) {
		console_close(&c);
		return err_code(e);
	}
	*console = c;
	return 0;
}

void console_close(struct console *c)
{
	if (!c->path)
		return;
	if (c->fd >= 0)
		close(TAKE_FD(c->fd));
	free(TAKE_PTR(c->path));
}

static int read_some(struct console *c, void *bytes, size_t room, size_t *len, struct err *e)
{
	struct stat st;
	ssize_t got;

	if (fstat(c->fd, &st) < 0)
		return err_errno(e, "look at the console");
	if ((uint64_t)st.st_size < c->next.at) { /* somebody emptied it */
		c->next.at = 0;
		c->skipped = true;
	}
	got = pread(c->fd, bytes, room, (off_t)c->next.at);
	if (got < 0)
		return err_errno(e, "read the console");
	c->next.at += (uint64_t)got;
	*len = (size_t)got;
	return 0;
}

/* At a file's end. What was written to it before it was renamed may not have been read. */
static int go_on(struct console *c, struct files *files, void *bytes, size_t room, size_t *len,
		 struct err *e)
{
	size_t i = find(files, c->next.file);

	if (!files->count || i == 0)
		return 0;
	if (c->fd >= 0 && read_some(c, bytes, room, len, e) < 0)
		return err_code(e);
	if (*len)
		return 0;
	if (i == files->count)
		c->skipped |= c->fd >= 0; /* or nothing had been said */
	take(c, files, i - 1);
	return read_some(c, bytes, room, len, e);
}

int console_read(struct console *c, void *bytes, size_t room, size_t *len, bool *skipped,
		 struct err *e)
{
	size_t got = 0;

	if (c->fd >= 0 && read_some(c, bytes, room, &got, e) < 0)
		return err_code(e);
	/* The next files may be empty. */
	for (int i = 0; !got && i < CONSOLE_FILES_MAX; i++) {
		struct files files CLEANUP_FILES = { .count = 0 };
		const struct console_place before = c->next;

		if (open_files(c->path, c->salt, &files, e) < 0 ||
		    go_on(c, &files, bytes, room, &got, e) < 0)
			return err_code(e);
		if (c->next.file == before.file)
			break;
	}
	*len = got;
	*skipped = got && c->skipped;
	if (got)
		c->skipped = false;
	return 0;
}
