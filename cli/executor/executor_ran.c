/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/executor/executor_ran.h"

#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/writer.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { LINE_MAX_ = WORKFLOW_ID_TEXT_LEN + 64, LOCK_TRIES = 8 };

void executor_ran_done(struct executor_ran *ran)
{
	cleanup_close(&ran->fd);
	free(ran->rows);
	*ran = (struct executor_ran){ .fd = -1 };
}

static int put(struct executor_ran *ran, const struct executor_ran_row *row, struct err *e)
{
	if (ran->count == EXECUTOR_RAN_MAX)
		return err_set(
			e, ERR_EXHAUSTED,
			"%d nodes were begun whose orders have not expired: no more are taken",
			EXECUTOR_RAN_MAX);
	if (ran->count == ran->room) {
		size_t room = ran->room ? 2 * ran->room : 64;
		struct executor_ran_row *rows = realloc(ran->rows, room * sizeof(*rows));

		if (!rows)
			return err_nomem(e);
		ran->rows = rows;
		ran->room = room;
	}
	ran->rows[ran->count++] = *row;
	return 0;
}

/* ---- its lines ---- */

/* No workflow's ID: the line of what is forgotten, with the latest end of an order of it. */
static const struct workflow_place forgotten_place;

static bool is_forgotten_line(const struct executor_ran_row *row)
{
	return memcmp(row->place.id, forgotten_place.id, sizeof(row->place.id)) == 0;
}

static int line_of(const struct executor_ran_row *row, char line[LINE_MAX_])
{
	char id[WORKFLOW_ID_TEXT_LEN + 1];

	hex_encode(row->place.id, sizeof(row->place.id), id);
	return snprintf(line, LINE_MAX_, "%s %" PRIu32 " %" PRIu32 " %" PRId64 "\n", id,
			row->place.node, row->place.attempt, row->expires);
}

/* Exactly as line_of() writes it. */
static bool read_line(const char *line, size_t len, struct executor_ran_row *row)
{
	char id[WORKFLOW_ID_TEXT_LEN + 1], again[LINE_MAX_], copy[LINE_MAX_];
	struct err ignored;

	if (len >= sizeof(copy))
		return false;
	memcpy(copy, line, len);
	copy[len] = '\0';
	return sscanf(copy, "%64[0-9a-f] %" SCNu32 " %" SCNu32 " %" SCNd64, id, &row->place.node,
		      &row->place.attempt, &row->expires) == 4 &&
	       hex_decode(id, row->place.id, sizeof(row->place.id), &ignored) == 0 &&
	       line_of(row, again) == (int)len && memcmp(copy, again, len) == 0;
}

static int keep_or_forget(struct executor_ran *ran, const struct executor_ran_row *row,
			  int64_t now_ms, struct err *e)
{
	if (!is_forgotten_line(row) && row->expires > now_ms - EXECUTOR_RAN_KEPT_MS)
		return put(ran, row, e);
	if (row->expires > ran->forgotten)
		ran->forgotten = row->expires;
	return 0;
}

/* The last line may be half: power went while it was written, and its node was not begun. */
static int read_lines(const char *text, size_t len, int64_t now_ms, struct executor_ran *ran,
		      struct err *e)
{
	const char *end = text + len;
	size_t number = 1;

	for (; text < end; number++) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		struct executor_ran_row row;

		if (!stop)
			break;
		stop++;
		if (!read_line(text, (size_t)(stop - text), &row))
			return err_set(e, ERR_DATA_LOSS, "line %zu is none of an executor's",
				       number);
		if (keep_or_forget(ran, &row, now_ms, e) < 0)
			return err_code(e);
		text = stop;
	}
	return 0;
}

/* ---- the file ---- */

/* Whoever had it may have put another file there (write_again()) between our look and his end: a lock of the old one keeps nobody out. */
static bool is_named(int fd, const char *path)
{
	struct stat ours, there;

	return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
	       ours.st_ino == there.st_ino;
}

/* 1: it was another file by then. */
static int try_lock(const char *path, int *fd, struct err *e)
{
	CLEANUP(close) int opened = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (opened < 0)
		return err_errno(e, "open '%s'", path);
	if (flock(opened, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK
			       ? err_set(e, ERR_EXISTS, "another executor has '%s'", path)
			       : err_errno(e, "lock '%s'", path);
	if (!is_named(opened, path))
		return 1;
	*fd = TAKE_FD(opened);
	return 0;
}

static int take_lock(const char *path, int *fd, struct err *e)
{
	int failed = 1;

	for (int tries = 0; failed > 0 && tries < LOCK_TRIES; tries++)
		failed = try_lock(path, fd, e);
	return failed > 0 ? err_set(e, ERR_EXISTS, "other executors take '%s' all the time", path)
			  : failed;
}

static int read_file(struct executor_ran *ran, int64_t now_ms, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	struct stat about;
	int got;

	if (fstat(ran->fd, &about) < 0)
		return err_errno(e, "look at it");
	if (about.st_size > EXECUTOR_RAN_FILE_MAX)
		return err_set(e, ERR_DATA_LOSS, "%lld bytes; at most %d", (long long)about.st_size,
			       EXECUTOR_RAN_FILE_MAX);
	ran->size = about.st_size;
	text = malloc((size_t)ran->size + 1);
	if (!text)
		return err_nomem(e);
	got = fd_read_at(ran->fd, text, (size_t)ran->size, 0, e);
	if (got < 0)
		return err_code(e);
	return read_lines(text, got ? (size_t)ran->size : 0, now_ms, ran, e);
}

/* Between a file's coming under its name and its lock another executor may have had it, and begun a node. */
static int check_untouched(int fd, const char *path, const struct writer *w, struct err *e)
{
	CLEANUP(free) char *found = malloc(w->len + 1);
	struct stat about;
	int got = 0;

	if (!found)
		return err_nomem(e);
	if (fstat(fd, &about) < 0)
		return err_errno(e, "look at it");
	if (about.st_size == (off_t)w->len && w->len)
		got = fd_read_at(fd, found, w->len, 0, e);
	if (got < 0)
		return err_code(e);
	return about.st_size == (off_t)w->len &&
			       (!w->len || (got && memcmp(found, w->bytes, w->len) == 0))
		       ? 0
		       : err_set(e, ERR_EXISTS,
				 "another executor has had '%s' meanwhile: start again", path);
}

/* Without what has expired, and without half a line: another file under that name, which has to be locked again. */
static int write_again(const char *path, struct executor_ran *ran, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(EXECUTOR_RAN_FILE_MAX);
	const struct executor_ran_row forgotten = { forgotten_place, ran->forgotten };
	char line[LINE_MAX_];
	int fd = -1;

	if (ran->forgotten)
		writer_bytes(&w, line, (size_t)line_of(&forgotten, line));
	for (size_t i = 0; i < ran->count; i++)
		writer_bytes(&w, line, (size_t)line_of(&ran->rows[i], line));
	if (writer_check(&w, "nodes that were begun", e) < 0)
		return err_code(e);
	if ((off_t)w.len == ran->size)
		return 0;
	if (file_write(path, w.bytes ? (const void *)w.bytes : "", w.len, 0600, e) < 0 ||
	    take_lock(path, &fd, e) < 0)
		return err_code(e);
	if (check_untouched(fd, path, &w, e) < 0) {
		close(fd);
		return err_code(e);
	}
	close(ran->fd);
	ran->fd = fd;
	ran->size = (off_t)w.len;
	return 0;
}

int executor_ran_open(const char *path, int64_t now_ms, struct executor_ran *ran, struct err *e)
{
	struct executor_ran opened CLEANUP_EXECUTOR_RAN = { .fd = -1 };

	if (take_lock(path, &opened.fd, e) < 0)
		return err_code(e);
	if (read_file(&opened, now_ms, e) < 0 || write_again(path, &opened, e) < 0)
		return err_wrap(e, "nodes that were begun: '%s'", path);
	*ran = opened;
	opened = (struct executor_ran){ .fd = -1 };
	return 0;
}

/* What was forgotten may have been begun: it was forgotten because its order had ended by this machine's clock. */
static int check_remembered(const struct executor_ran *ran, int64_t expires, struct err *e)
{
	if (expires > ran->forgotten)
		return 0;
	return err_set(
		e, ERR_EXISTS,
		"it may have been begun here before: its order ends no later than one that "
		"was forgotten as ended, so this machine's clock was ahead or is behind; it is "
		"run under an order that ends later");
}

int executor_ran_check(const struct executor_ran *ran, const struct workflow_place *place,
		       int64_t expires, struct err *e)
{
	for (size_t i = 0; i < ran->count; i++) {
		const struct workflow_place *p = &ran->rows[i].place;

		if (p->node == place->node && p->attempt >= place->attempt &&
		    memcmp(p->id, place->id, sizeof(p->id)) == 0)
			return err_set(e, ERR_EXISTS,
				       "attempt %" PRIu32 " of it was begun here before",
				       p->attempt);
	}
	return check_remembered(ran, expires, e);
}

int executor_ran_add(struct executor_ran *ran, const struct workflow_place *place, int64_t expires,
		     struct err *e)
{
	const struct executor_ran_row row = { .place = *place, .expires = expires };
	char line[LINE_MAX_];
	int len = line_of(&row, line);

	if (executor_ran_check(ran, place, expires, e) < 0 || put(ran, &row, e) < 0)
		return err_code(e);
	if (lseek(ran->fd, ran->size, SEEK_SET) < 0 ||
	    fd_write_all(ran->fd, line, (size_t)len, e) < 0 || fsync(ran->fd) < 0) {
		err_errno(e, "keep that node %" PRIu32 " is begun", place->node);
		ran->count--;
		(void)!ftruncate(ran->fd, ran->size);
		return err_code(e);
	}
	ran->size += len;
	return 0;
}
