/* SPDX-License-Identifier: Apache-2.0 */
#include "common/preflight/preflight_database.h"

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/db/db_form.h"
#include "common/db/db_postgres.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <sqlite3.h>

enum {
	URI_MAX = 3 * 4096 + 64,
	HEADER_LEN = 20,
	HEADER_READS = 19, /* by which way the file is read */
	HEADER_WAL = 2,
	BUSY_MS = 5000, /* while another one puts the index together */
	TRIES = 50,
	PAUSE_MS = 20,
};

static void close_database(sqlite3 *db)
{
	sqlite3_close(db);
}
DEFINE_CLEANUP(sqlite3 *, close_database)
DEFINE_CLEANUP(sqlite3_stmt *, sqlite3_finalize)

/* Where SQLite's readers and those who close a database meet: "Locking" in the description of its file format. */
static const struct flock shared = {
	.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 0x40000002, .l_len = 510
};

/* One way to read the file. */
enum way {
	WAY_ALONE, /* it has no write-ahead log: don't lock it, and make nothing beside it */
	WAY_LOG, /* with its log, by an index that is only read; without a writer it is made in memory */
	WAY_NOWHERE, /* a log whose index is gone: reading it would make another one */
};

struct place {
	const char *path;
	char *log, *index;
	int fd;
	const char *sql; /* what is asked instead of whether it is whole */
	int64_t *number; /* where its answer goes */
};

static void place_done(struct place *p)
{
	free(p->log);
	free(p->index);
	if (p->fd >= 0)
		close(p->fd);
}
#define CLEANUP_PLACE __attribute__((cleanup(place_done)))

static char *uri_of(const char *path, enum way way)
{
	struct writer w CLEANUP_WRITER = writer_up_to(URI_MAX);
	size_t len;

	writer_text(&w, "file:");
	for (; *path; path++)
		if (strchr("%?#", *path))
			writer_printf(&w, "%%%02X", (unsigned char)*path);
		else
			writer_u8(&w, (uint8_t)*path);
	writer_text(&w, way == WAY_LOG ? "?readonly_shm=1" : "?immutable=1");
	return (char *)writer_take(&w, &len);
}

/* A daemon that ends now leaves its log and the index: it could not remove them beside any other reader, either. A
 * file that is not yet written by way of a log is not locked, for who makes it waits for nobody. */
static int hold(const struct place *p, struct err *e)
{
	uint8_t header[HEADER_LEN];
	struct flock lock = shared;

	if (pread(p->fd, header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    header[HEADER_READS] != HEADER_WAL)
		return 0;
	if (fcntl(p->fd, F_OFD_SETLK, &lock) == 0)
		return 0;
	return errno == EAGAIN || errno == EACCES ? 1 : err_errno(e, "lock '%s'", p->path);
}

static enum way way_of(const struct place *p)
{
	struct stat st;

	if (stat(p->log, &st) < 0)
		return WAY_ALONE;
	if (access(p->index, F_OK) == 0)
		return WAY_LOG;
	return st.st_size ? WAY_NOWHERE : WAY_ALONE;
}

/* ERR_ABORTED: who has it open is just making its index, or taking it away. */
static int sqlite_error(sqlite3 *db, const char *path, struct err *e)
{
	static const struct {
		int code;
		enum err_code is;
	} kinds[] = {
		{ SQLITE_CORRUPT, ERR_DATA_LOSS },    { SQLITE_NOTADB, ERR_DATA_LOSS },
		{ SQLITE_READONLY, ERR_ABORTED },     { SQLITE_BUSY, ERR_ABORTED },
		{ SQLITE_CANTOPEN, ERR_UNAVAILABLE }, { SQLITE_NOMEM, ERR_EXHAUSTED },
	};
	int code = db ? sqlite3_errcode(db) & 0xff : SQLITE_NOMEM;
	enum err_code is = ERR_INTERNAL;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (kinds[i].code == code)
			is = kinds[i].is;
	return err_set(e, is, "'%s': %s", path, db ? sqlite3_errmsg(db) : "out of memory");
}

/* The first column of the first row. */
static int ask(sqlite3 *db, const char *path, const char *sql, sqlite3_stmt **row, struct err *e)
{
	if (sqlite3_prepare_v2(db, sql, -1, row, NULL) != SQLITE_OK ||
	    sqlite3_step(*row) != SQLITE_ROW)
		return sqlite_error(db, path, e);
	return 0;
}

/* The form that it has, and that its pages hold together: both as of one moment. */
static int read_all(const struct place *p, enum way way, int *has, struct err *e)
{
	CLEANUP(close_database) sqlite3 *db = NULL;
	CLEANUP(sqlite3_finalize) sqlite3_stmt *version = NULL, *whole = NULL;
	CLEANUP(free) char *uri = uri_of(p->path, way);
	const char *answer;

	if (!uri)
		return err_nomem(e);
	if (sqlite3_open_v2(uri, &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(db, BUSY_MS) != SQLITE_OK ||
	    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
	    ask(db, p->path, "PRAGMA user_version", &version, e) < 0)
		return sqlite_error(db, p->path, e);
	*has = sqlite3_column_int(version, 0);
	if (p->sql) {
		if (ask(db, p->path, p->sql, &whole, e) < 0)
			return err_code(e);
		*p->number = sqlite3_column_int64(whole, 0);
		return 0;
	}
	if (ask(db, p->path, "PRAGMA quick_check(1)", &whole, e) < 0)
		return err_code(e);
	answer = (const char *)sqlite3_column_text(whole, 0);
	if (!answer || strcmp(answer, "ok") != 0)
		return err_set(e, ERR_DATA_LOSS, "'%s' is damaged: %s", p->path,
			       answer ? answer : "out of memory");
	return 0;
}

static bool is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

/* 1: somebody changed it meanwhile, so that whatever was found counts for nothing. */
static int look_once(struct place *p, enum way *way, int *has, struct err *e)
{
	struct stat before, after;
	int held, failed;

	p->fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (p->fd < 0 || fstat(p->fd, &before) < 0)
		return err_errno(e, "'%s'", p->path);
	held = hold(p, e);
	if (held)
		return held;
	*way = way_of(p);
	if (*way == WAY_NOWHERE)
		return 0;
	failed = read_all(p, *way, has, e);
	if (*way == WAY_ALONE &&
	    (stat(p->path, &after) < 0 || !is_same(&before, &after) || way_of(p) != WAY_ALONE))
		return 1;
	return failed && e->code == ERR_ABORTED ? 1 : failed;
}

/* What is asked of the file of that name, and nothing else of `q`. */
static int look(const struct place *q, enum way *way, int *has, struct err *e)
{
	const char *path = q->path;
	const struct timespec pause = { .tv_nsec = PAUSE_MS * 1000000L };

	for (int i = 0; i < TRIES; i++) {
		struct place place CLEANUP_PLACE = {
			.path = path, .fd = -1, .sql = q->sql, .number = q->number
		};
		int again;

		if (text_format(&place.log, e, "%s-wal", path) < 0 ||
		    text_format(&place.index, e, "%s-shm", path) < 0)
			return err_code(e);
		again = look_once(&place, way, has, e);
		if (again <= 0)
			return again;
		nanosleep(&pause, NULL);
	}
	return err_set(e, ERR_UNAVAILABLE, "'%s' is being made or replaced: look again", path);
}

/* Whether who serves may write it, which reading it does not say. */
static int try_opening(const char *path, struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);

	return fd < 0 ? err_errno(e, "write '%s'", path) : 0;
}

int preflight_database(const char *path, int form, char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	const struct place place = { .path = path };
	enum way way = WAY_ALONE;
	struct stat st;
	int has = 0;

	if (lstat(path, &st) < 0)
		return errno == ENOENT ? preflight_found(found, "'%s' is made at the start", path)
				       : err_errno(e, "'%s'", path);
	if (!S_ISREG(st.st_mode))
		return err_set(e, ERR_PRECONDITION, "'%s' is no regular file", path);
	if (look(&place, &way, &has, e) < 0 || try_opening(path, e) < 0)
		return err_code(e);
	if (way == WAY_NOWHERE)
		return preflight_not_asked(found,
					   "'%s-wal' has no index ('-shm') beside it: the start "
					   "makes one, and looks",
					   path);
	if (has < 0 || has > form)
		return err_set(e, ERR_PRECONDITION,
			       "'%s' has form %d, and this program knows those up to %d", path, has,
			       form);
	return has < form ? preflight_found(found, "'%s', form %d, becomes %d at the start", path,
					    has, form)
			  : preflight_found(found, "'%s', form %d", path, has);
}

int preflight_number(const char *path, const char *sql, int64_t *number, struct err *e)
{
	int64_t found = 0;
	const struct place place = { .path = path, .sql = sql, .number = &found };
	enum way way = WAY_ALONE;
	int has = 0;

	if (look(&place, &way, &has, e) < 0)
		return err_code(e);
	if (way == WAY_NOWHERE)
		return err_set(e, ERR_UNAVAILABLE, "'%s-wal' has no index ('-shm') beside it",
			       path);
	*number = found;
	return 0;
}

int preflight_server(const char *place, const char *schema, int form,
		     char found[PREFLIGHT_TEXT_MAX], struct err *e)
{
	const struct db_postgres how = { .place = place, .schema = schema, .look = true };
	struct db db;
	int64_t has;

	if (db_postgres_open(&db, &how, e) < 0)
		return err_code(e);
	int failed = db_form(&db, &has, e);
	db_close(&db);
	if (failed)
		return failed;
	if (has < 0 || has > form)
		return err_set(e, ERR_PRECONDITION,
			       "it has form %lld, and this program knows those up to %d",
			       (long long)has, form);
	return has ? preflight_found(found, "PostgreSQL, form %lld", (long long)has)
		   : preflight_found(found, "PostgreSQL, its tables are made at the start");
}
