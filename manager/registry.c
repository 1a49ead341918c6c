/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/registry.h"

#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "manager/registry_row.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/stat.h>
#include <sqlite3.h>

enum { TAG_FILE_MAX = 64 };

/* A manager that guessed would remove what it does not know. */
#define WAY_OUT                                                                             \
	"damaged; move registry.db away, with its -wal and -shm, and start again: what it " \
	"knew is listed then, and nothing removed"

struct registry {
	pthread_mutex_t lock;
	sqlite3 *db;
	bool is_copy; /* one CVM's record: nothing else is lost with it */
	char tag[REGISTRY_TAG_LEN + 1];
};

DEFINE_CLEANUP(sqlite3_stmt *, sqlite3_finalize)

static const char schema[] = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
			     "CREATE TABLE cvm ("
			     " id TEXT PRIMARY KEY,"
			     " slot INTEGER NOT NULL UNIQUE,"
			     " port INTEGER NOT NULL UNIQUE,"
			     " step INTEGER NOT NULL,"
			     " created_ms INTEGER NOT NULL,"
			     " expires_ms INTEGER NOT NULL,"
			     " tee INTEGER NOT NULL,"
			     " kvm INTEGER NOT NULL,"
			     " cpus INTEGER NOT NULL,"
			     " cpu_type TEXT NOT NULL,"
			     " firmware TEXT NOT NULL,"
			     " image TEXT NOT NULL,"
			     " cmdline TEXT NOT NULL,"
			     " boot_sha3_256 BLOB NOT NULL,"
			     " boot_sha3_384 BLOB NOT NULL,"
			     " expected TEXT NOT NULL"
			     ") STRICT;"
			     "PRAGMA user_version = 1;";

/* Younger than version 1 of the rest, and nothing that an older manager needs to know. */
static const char schema_gone[] = "CREATE TABLE IF NOT EXISTS gone ("
				  " nr INTEGER PRIMARY KEY AUTOINCREMENT,"
				  " id TEXT NOT NULL"
				  ") STRICT;";

static int damaged(const struct registry *r, const char *why, struct err *e)
{
	return err_set(e, ERR_DATA_LOSS, r->is_copy ? "damaged: %s" : "registry: " WAY_OUT ": %s",
		       why);
}

static int db_error(struct registry *r, struct err *e)
{
	int code = sqlite3_extended_errcode(r->db), kind = code & 0xff;

	if (kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB)
		return damaged(r, sqlite3_errmsg(r->db), e);
	if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
		return err_set(e, ERR_EXISTS, "registry: %s", sqlite3_errmsg(r->db));
	/* A full disk is an I/O error where SQLite shares memory in a file. */
	errno = kind == SQLITE_IOERR ? sqlite3_system_errno(r->db) : 0;
	if (errno)
		err_errno(e, "registry: %s", sqlite3_errmsg(r->db));
	else
		err_set(e, kind == SQLITE_FULL ? ERR_EXHAUSTED : ERR_INTERNAL, "registry: %s",
			sqlite3_errmsg(r->db));
	const char *where = sqlite3_db_filename(r->db, "main");
	return where && !r->is_copy ? err_wrap(e, "'%s'", where) : err_code(e);
}

static int prepare(struct registry *r, const char *sql, sqlite3_stmt **s, struct err *e)
{
	return sqlite3_prepare_v2(r->db, sql, -1, s, NULL) == SQLITE_OK ? 0 : db_error(r, e);
}

/* Runs a statement that gives no rows and must change exactly one. */
static int run(struct registry *r, sqlite3_stmt *s, const char *id, struct err *e)
{
	if (sqlite3_step(s) != SQLITE_DONE)
		return db_error(r, e);
	if (sqlite3_changes(r->db) != 1)
		return err_set(e, ERR_NOT_FOUND, "registry: no CVM '%s'", id);
	return 0;
}

static int exec(struct registry *r, const char *sql, struct err *e)
{
	return sqlite3_exec(r->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : db_error(r, e);
}

static bool tag_is_valid(const char *tag)
{
	return strlen(tag) == REGISTRY_TAG_LEN &&
	       strspn(tag, "0123456789abcdef") == REGISTRY_TAG_LEN;
}

/* The tag is beside the database, too: a database that is lost or emptied gets the same again, and
 * the domains of before are still known for ours. `tag` is empty if there is no file. */
static int read_tag_file(const char *path, char tag[REGISTRY_TAG_LEN + 1], struct err *e)
{
	CLEANUP(free) char *text = NULL;

	tag[0] = '\0';
	if (file_read_text(path, TAG_FILE_MAX, &text, e) < 0)
		return e->code == ERR_NOT_FOUND ? 0 : err_code(e);
	text[strcspn(text, "\n")] = '\0';
	if (!tag_is_valid(text))
		return err_set(e, ERR_DATA_LOSS,
			       "'%s' does not hold a manager's tag, %d hexadecimal digits: remove "
			       "it, and it is made again from the registry",
			       path, REGISTRY_TAG_LEN);
	memcpy(tag, text, REGISTRY_TAG_LEN + 1);
	return 0;
}

static int make_tag(char tag[REGISTRY_TAG_LEN + 1], struct err *e)
{
	uint8_t bytes[REGISTRY_TAG_LEN / 2];

	if (random_bytes(bytes, sizeof(bytes), e) < 0)
		return err_code(e);
	hex_encode(bytes, sizeof(bytes), tag);
	return 0;
}

static int make_tables(struct registry *r, const char *tag, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;

	if (exec(r, schema, e) < 0 || prepare(r, "INSERT INTO meta VALUES ('tag', ?)", &s, e) < 0)
		return err_code(e);
	sqlite3_bind_text(s, 1, tag, -1, SQLITE_STATIC);
	return run(r, s, "tag", e);
}

static int read_version(struct registry *r, int *version, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;

	if (prepare(r, "PRAGMA user_version", &s, e) < 0)
		return err_code(e);
	if (sqlite3_step(s) != SQLITE_ROW)
		return db_error(r, e);
	*version = sqlite3_column_int(s, 0);
	return 0;
}

static int read_tag(struct registry *r, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	const char *tag;

	if (prepare(r, "SELECT value FROM meta WHERE key = 'tag'", &s, e) < 0)
		return err_code(e);
	if (sqlite3_step(s) != SQLITE_ROW || !(tag = (const char *)sqlite3_column_text(s, 0)) ||
	    !tag_is_valid(tag))
		return err_set(e, ERR_DATA_LOSS,
			       "registry: the manager's tag is missing: " WAY_OUT);
	memcpy(r->tag, tag, sizeof(r->tag));
	return 0;
}

/* Pages, indexes and uniqueness; a registry has few of them. */
static int check_integrity(struct registry *r, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	const char *answer;

	if (prepare(r, "PRAGMA integrity_check(1)", &s, e) < 0)
		return err_code(e);
	if (sqlite3_step(s) != SQLITE_ROW || !(answer = (const char *)sqlite3_column_text(s, 0)))
		return db_error(r, e);
	if (strcmp(answer, "ok") != 0)
		return damaged(r, log_quote(answer).text, e);
	return 0;
}

/* Tables and tag are made in one transaction, so that a file is either empty or complete; then
 * they go from the write-ahead log to the file itself, which is complete without its log. */
static int set_up(struct registry *r, const char *tag, struct err *e)
{
	int version;

	if (exec(r, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE", e) <
		    0 ||
	    read_version(r, &version, e) < 0)
		return err_code(e);
	if (version == 0 && make_tables(r, tag, e) < 0)
		return err_code(e);
	if (version > REGISTRY_VERSION)
		return err_set(e, ERR_PRECONDITION,
			       "registry: version %d was written by a newer manager", version);
	if (version < 0)
		return damaged(r, "its version is negative", e);
	if (exec(r, schema_gone, e) < 0 || exec(r, "COMMIT", e) < 0 || check_integrity(r, e) < 0 ||
	    read_tag(r, e) < 0)
		return err_code(e);
	return exec(r, "PRAGMA wal_checkpoint(TRUNCATE)", e);
}

static int open_database(struct registry *r, const char *path, const char *tag, struct err *e)
{
	if (sqlite3_open_v2(path, &r->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		return db_error(r, e);
	return set_up(r, tag, e);
}

/* The same tag in both places; the file is made from a registry that is older than it. */
static int keep_tag(const struct registry *r, const char *path, const char *kept, struct err *e)
{
	char line[REGISTRY_TAG_LEN + 2];

	if (strcmp(kept, r->tag) == 0)
		return 0;
	if (*kept)
		return err_set(
			e, ERR_DATA_LOSS,
			"'%s' says %s, the registry %s: one of them is another manager's, or "
			"from a copy; remove the one that is wrong",
			path, kept, r->tag);
	snprintf(line, sizeof(line), "%s\n", r->tag);
	return file_write(path, line, strlen(line), 0600, e);
}

int registry_open(const char *dir, struct registry **registry, struct err *e)
{
	CLEANUP(registry_close) struct registry *r = calloc(1, sizeof(*r));
	CLEANUP(free) char *path = NULL, *tag_path = NULL;
	char kept[REGISTRY_TAG_LEN + 1], tag[REGISTRY_TAG_LEN + 1];

	if (!r)
		return err_nomem(e);
	pthread_mutex_init(&r->lock, NULL);
	if (text_format(&path, e, "%s/registry.db", dir) < 0 ||
	    text_format(&tag_path, e, "%s/tag", dir) < 0 || read_tag_file(tag_path, kept, e) < 0)
		return err_code(e);
	memcpy(tag, kept, sizeof(tag));
	if (!*tag && make_tag(tag, e) < 0)
		return err_code(e);
	if (open_database(r, path, tag, e) < 0)
		return err_wrap(e, "'%s'", path);
	if (keep_tag(r, tag_path, kept, e) < 0)
		return err_code(e);
	*registry = TAKE_PTR(r);
	return 0;
}

void registry_close(struct registry *registry)
{
	if (!registry)
		return;
	sqlite3_close(registry->db);
	pthread_mutex_destroy(&registry->lock);
	free(registry);
}

const char *registry_tag(const struct registry *registry)
{
	return registry->tag;
}

static int add(struct registry *r, const struct cvm *cvm, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;

	if (prepare(r, "INSERT INTO cvm (" REGISTRY_COLUMNS ") VALUES (" REGISTRY_PARAMETERS ")",
		    &s, e) < 0)
		return err_code(e);
	registry_row_bind(s, cvm);
	return run(r, s, cvm->id, e);
}

int registry_add(struct registry *r, const struct cvm *cvm, struct err *e)
{
	int failed;

	pthread_mutex_lock(&r->lock);
	failed = add(r, cvm, e);
	pthread_mutex_unlock(&r->lock);
	return failed;
}

/* `sql` takes the value and the id. */
static int change(struct registry *r, const char *sql, int64_t value, const char *id, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;

	if (prepare(r, sql, &s, e) < 0)
		return err_code(e);
	sqlite3_bind_int64(s, 1, value);
	sqlite3_bind_text(s, 2, id, -1, SQLITE_STATIC);
	return run(r, s, id, e);
}

static int change_locked(struct registry *r, const char *sql, int64_t value, const char *id,
			 struct err *e)
{
	int failed;

	pthread_mutex_lock(&r->lock);
	failed = change(r, sql, value, id, e);
	pthread_mutex_unlock(&r->lock);
	return failed;
}

int registry_set_step(struct registry *r, const char *id, enum cvm_step step, struct err *e)
{
	return change_locked(r, "UPDATE cvm SET step = ? WHERE id = ?", step, id, e);
}

int registry_set_port(struct registry *r, const char *id, uint16_t port, struct err *e)
{
	return change_locked(r, "UPDATE cvm SET port = ? WHERE id = ?", port, id, e);
}

/* REGISTRY_GONE_MAX of them stay. */
#define PRUNE_GONE "DELETE FROM gone WHERE nr <= (SELECT max(nr) FROM gone) - 1024;"
#define LIST_GONE  "SELECT id FROM (SELECT * FROM gone ORDER BY nr DESC LIMIT 1024) ORDER BY nr"
_Static_assert(REGISTRY_GONE_MAX == 1024, "as PRUNE_GONE and LIST_GONE say");

static int delete(struct registry *r, const char *id, struct err *e)
{
	return change(r, "DELETE FROM cvm WHERE ? = 0 AND id = ?", 0, id, e) < 0 ||
			       change(r, "INSERT INTO gone (id) SELECT ?2 WHERE ?1 = 0", 0, id, e) <
				       0
		       ? err_code(e)
		       : 0;
}

int registry_delete(struct registry *r, const char *id, struct err *e)
{
	struct err undo;
	int failed;

	pthread_mutex_lock(&r->lock);
	failed = exec(r, "BEGIN IMMEDIATE", e);
	if (!failed) {
		failed = delete (r, id, e);
		if (!failed)
			failed = exec(r, PRUNE_GONE "COMMIT", e);
		if (failed)
			(void)!exec(r, "ROLLBACK", &undo);
	}
	pthread_mutex_unlock(&r->lock);
	return failed;
}

static int list_gone(struct registry *r, char ids[][CVM_ID_LEN + 1], size_t *count, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	size_t n = 0;
	int code = SQLITE_DONE;

	if (prepare(r, LIST_GONE, &s, e) < 0)
		return err_code(e);
	while (n < REGISTRY_GONE_MAX && (code = sqlite3_step(s)) == SQLITE_ROW) {
		const char *id = (const char *)sqlite3_column_text(s, 0);

		if (id && cvm_id_is_valid(id)) /* another one names no domain of ours */
			memcpy(ids[n++], id, CVM_ID_LEN + 1);
	}
	if (n < REGISTRY_GONE_MAX && code != SQLITE_DONE)
		return db_error(r, e);
	*count = n;
	return 0;
}

int registry_gone(struct registry *r, char ids[REGISTRY_GONE_MAX][CVM_ID_LEN + 1], size_t *count,
		  struct err *e)
{
	int failed;

	pthread_mutex_lock(&r->lock);
	failed = list_gone(r, ids, count, e);
	pthread_mutex_unlock(&r->lock);
	return failed;
}

static int list(struct registry *r, struct cvm **cvms, size_t *count, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	CLEANUP(free) struct cvm *all = NULL;
	size_t n = 0, room = 0;
	int code;

	if (prepare(r, "SELECT " REGISTRY_COLUMNS " FROM cvm ORDER BY slot", &s, e) < 0)
		return err_code(e);
	while ((code = sqlite3_step(s)) == SQLITE_ROW) {
		if (n == room) {
			struct cvm *more;

			room = room ? 2 * room : 16;
			if (room > REGISTRY_ROWS_MAX)
				return err_set(e, ERR_EXHAUSTED, "registry: too many CVMs");
			more = reallocarray(all, room, sizeof(*all));
			if (!more)
				return err_nomem(e);
			all = more;
		}
		if (registry_row_take(s, &all[n], e) < 0)
			return err_wrap(e, "registry: " WAY_OUT);
		if (n && all[n].slot == all[n - 1].slot)
			return err_set(e, ERR_DATA_LOSS,
				       "registry: " WAY_OUT ": CVMs %s and %s have one slot",
				       all[n - 1].id, all[n].id);
		n++;
	}
	if (code != SQLITE_DONE)
		return db_error(r, e);
	*cvms = TAKE_PTR(all);
	*count = n;
	return 0;
}

int registry_list(struct registry *r, struct cvm **cvms, size_t *count, struct err *e)
{
	int failed;

	pthread_mutex_lock(&r->lock);
	failed = list(r, cvms, count, e);
	pthread_mutex_unlock(&r->lock);
	return failed;
}

int registry_save(const struct registry *registry, const char *path, const struct cvm *cvm,
		  struct err *e)
{
	CLEANUP(registry_close) struct registry *r = calloc(1, sizeof(*r));
	struct cvm running = *cvm;
	struct stat st;

	if (!r)
		return err_nomem(e);
	if (lstat(path, &st) == 0)
		return err_set(e, ERR_EXISTS, "'%s' exists", path);
	pthread_mutex_init(&r->lock, NULL);
	running.step = CVM_RUNNING;
	/* The CVM does not outlive a crash of the machine, so the copy need not. */
	if (sqlite3_open_v2(path, &r->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK ||
	    exec(r, "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; BEGIN", e) < 0 ||
	    make_tables(r, registry->tag, e) < 0 || add(r, &running, e) < 0 ||
	    exec(r, "COMMIT", e) < 0) {
		db_error(r, e);
		return err_wrap(e, "'%s'", path);
	}
	return 0;
}

static int take_one(struct registry *r, const char *id, struct cvm *cvm, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;

	if (prepare(r, "SELECT " REGISTRY_COLUMNS " FROM cvm WHERE id = ?", &s, e) < 0)
		return err_code(e);
	sqlite3_bind_text(s, 1, id, -1, SQLITE_STATIC);
	if (sqlite3_step(s) != SQLITE_ROW)
		return err_set(e, ERR_DATA_LOSS, "no record of CVM %s is in it", id);
	return registry_row_take(s, cvm, e);
}

int registry_saved(const char *path, const char *id, struct cvm *cvm, struct err *e)
{
	CLEANUP(registry_close) struct registry *r = calloc(1, sizeof(*r));

	if (!r)
		return err_nomem(e);
	pthread_mutex_init(&r->lock, NULL);
	r->is_copy = true;
	if (sqlite3_open_v2(path, &r->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) !=
	    SQLITE_OK)
		return db_error(r, e);
	if (check_integrity(r, e) < 0)
		return err_code(e);
	return take_one(r, id, cvm, e);
}
