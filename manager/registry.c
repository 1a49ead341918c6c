/* SPDX-License-Identifier: Apache-2.0 */
#include "manager/registry.h"

#include "common/base/encode.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sqlite3.h>

enum { REGISTRY_VERSION = 1, REGISTRY_ROWS_MAX = 4096 };

struct registry {
	pthread_mutex_t lock;
	sqlite3 *db;
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

static int db_error(struct registry *r, struct err *e)
{
	int code = sqlite3_extended_errcode(r->db);

	if (code == SQLITE_CONSTRAINT_UNIQUE || code == SQLITE_CONSTRAINT_PRIMARYKEY)
		return err_set(e, ERR_EXISTS, "registry: %s", sqlite3_errmsg(r->db));
	/* A full disk is an I/O error where SQLite shares memory in a file. */
	errno = (code & 0xff) == SQLITE_IOERR ? sqlite3_system_errno(r->db) : 0;
	if (errno)
		return err_errno(e, "registry: %s", sqlite3_errmsg(r->db));
	return err_set(e, (code & 0xff) == SQLITE_FULL ? ERR_EXHAUSTED : ERR_INTERNAL,
		       "registry: %s", sqlite3_errmsg(r->db));
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

static int make(struct registry *r, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	uint8_t bytes[REGISTRY_TAG_LEN / 2];
	char tag[REGISTRY_TAG_LEN + 1];

	if (random_bytes(bytes, sizeof(bytes), e) < 0 || exec(r, schema, e) < 0 ||
	    prepare(r, "INSERT INTO meta VALUES ('tag', ?)", &s, e) < 0)
		return err_code(e);
	hex_encode(bytes, sizeof(bytes), tag);
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
	    strlen(tag) != REGISTRY_TAG_LEN)
		return err_set(e, ERR_DATA_LOSS, "registry: the manager's tag is missing");
	memcpy(r->tag, tag, sizeof(r->tag));
	return 0;
}

/* Tables and tag are made in one transaction, so that a file is either empty or complete. */
static int set_up(struct registry *r, struct err *e)
{
	int version;

	if (exec(r, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE", e) <
		    0 ||
	    read_version(r, &version, e) < 0)
		return err_code(e);
	if (version == 0 && make(r, e) < 0)
		return err_code(e);
	if (version > REGISTRY_VERSION)
		return err_set(e, ERR_PRECONDITION,
			       "registry: version %d was written by a newer manager", version);
	if (exec(r, "COMMIT", e) < 0)
		return err_code(e);
	return read_tag(r, e);
}

int registry_open(const char *path, struct registry **registry, struct err *e)
{
	CLEANUP(registry_close) struct registry *r = calloc(1, sizeof(*r));

	if (!r)
		return err_nomem(e);
	pthread_mutex_init(&r->lock, NULL);
	if (sqlite3_open_v2(path, &r->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK) {
		db_error(r, e);
		return err_wrap(e, "'%s'", path);
	}
	if (set_up(r, e) < 0)
		return err_wrap(e, "'%s'", path);
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

static void bind_cvm(sqlite3_stmt *s, const struct cvm *cvm)
{
	int i = 0;

	sqlite3_bind_text(s, ++i, cvm->id, -1, SQLITE_STATIC);
	sqlite3_bind_int64(s, ++i, cvm->slot);
	sqlite3_bind_int64(s, ++i, cvm->port);
	sqlite3_bind_int64(s, ++i, cvm->step);
	sqlite3_bind_int64(s, ++i, cvm->created_ms);
	sqlite3_bind_int64(s, ++i, cvm->expires_ms);
	sqlite3_bind_int64(s, ++i, cvm->tee);
	sqlite3_bind_int64(s, ++i, cvm->kvm);
	sqlite3_bind_int64(s, ++i, cvm->cpus);
	sqlite3_bind_text(s, ++i, cvm->cpu_type, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, ++i, cvm->firmware, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, ++i, cvm->image, -1, SQLITE_STATIC);
	sqlite3_bind_text(s, ++i, cvm->cmdline, -1, SQLITE_STATIC);
	sqlite3_bind_blob(s, ++i, cvm->boot_sha3_256, SHA3_256_LEN, SQLITE_STATIC);
	sqlite3_bind_blob(s, ++i, cvm->boot_sha3_384, SHA3_384_LEN, SQLITE_STATIC);
	sqlite3_bind_text(s, ++i, cvm->expected, -1, SQLITE_STATIC);
}

static int add(struct registry *r, const struct cvm *cvm, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;

	if (prepare(r, "INSERT INTO cvm VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)", &s, e) < 0)
		return err_code(e);
	bind_cvm(s, cvm);
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

int registry_delete(struct registry *r, const char *id, struct err *e)
{
	return change_locked(r, "DELETE FROM cvm WHERE ? = 0 AND id = ?", 0, id, e);
}

static void take_text(sqlite3_stmt *s, int column, char *out, size_t room)
{
	const char *text = (const char *)sqlite3_column_text(s, column);

	snprintf(out, room, "%s", text ? text : "");
}

static void take_blob(sqlite3_stmt *s, int column, uint8_t *out, size_t len)
{
	const void *blob = sqlite3_column_blob(s, column);

	if (blob && (size_t)sqlite3_column_bytes(s, column) == len)
		memcpy(out, blob, len);
}

/* Columns in the order of the table. */
static int take_cvm(sqlite3_stmt *s, struct cvm *cvm, struct err *e)
{
	int64_t tee = sqlite3_column_int64(s, 6);

	take_text(s, 0, cvm->id, sizeof(cvm->id));
	cvm->slot = (unsigned)sqlite3_column_int64(s, 1);
	cvm->port = (uint16_t)sqlite3_column_int64(s, 2);
	cvm->step = (enum cvm_step)sqlite3_column_int64(s, 3);
	cvm->created_ms = sqlite3_column_int64(s, 4);
	cvm->expires_ms = sqlite3_column_int64(s, 5);
	cvm->kvm = sqlite3_column_int64(s, 7) != 0;
	cvm->cpus = (unsigned)sqlite3_column_int64(s, 8);
	take_text(s, 9, cvm->cpu_type, sizeof(cvm->cpu_type));
	take_text(s, 10, cvm->firmware, sizeof(cvm->firmware));
	take_text(s, 11, cvm->image, sizeof(cvm->image));
	take_text(s, 12, cvm->cmdline, sizeof(cvm->cmdline));
	take_blob(s, 13, cvm->boot_sha3_256, SHA3_256_LEN);
	take_blob(s, 14, cvm->boot_sha3_384, SHA3_384_LEN);
	take_text(s, 15, cvm->expected, sizeof(cvm->expected));
	if (tee < DOMAIN_PLAIN || tee > DOMAIN_TDX || cvm->step < CVM_FILES ||
	    cvm->step > CVM_CLEANING || cvm->slot >= REGISTRY_ROWS_MAX)
		return err_set(e, ERR_DATA_LOSS,
			       "registry: CVM '%s' has an unknown step, TEE or "
			       "slot",
			       cvm->id);
	cvm->tee = (enum domain_tee)tee;
	return 0;
}

static int list(struct registry *r, struct cvm **cvms, size_t *count, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	CLEANUP(free) struct cvm *all = NULL;
	size_t n = 0, room = 0;
	int code;

	if (prepare(r, "SELECT * FROM cvm ORDER BY slot", &s, e) < 0)
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
		memset(&all[n], 0, sizeof(all[n]));
		if (take_cvm(s, &all[n++], e) < 0)
			return err_code(e);
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
