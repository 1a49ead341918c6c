/* SPDX-License-Identifier: Apache-2.0 */
/* registry_open.c — the registry's file: its tables and their versions, the tag, the epoch. */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "manager/registry/registry_state.h"

#include <string.h>

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

/* What makes the next version of each, from the first on. */
static const char *const migrations[] = {
	"CREATE TABLE IF NOT EXISTS gone ("
	" nr INTEGER PRIMARY KEY AUTOINCREMENT,"
	" id TEXT NOT NULL"
	") STRICT;"
	"ALTER TABLE cvm ADD COLUMN name TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE cvm ADD COLUMN labels TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE cvm ADD COLUMN memory INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE gone ADD COLUMN name TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE gone ADD COLUMN labels TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE gone ADD COLUMN tee INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE gone ADD COLUMN kvm INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE gone ADD COLUMN why INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE gone ADD COLUMN created_ms INTEGER NOT NULL DEFAULT 0;"
	"ALTER TABLE gone ADD COLUMN exited_ms INTEGER NOT NULL DEFAULT 0;"
	"PRAGMA user_version = 2;",
	"ALTER TABLE cvm ADD COLUMN owner TEXT NOT NULL DEFAULT '';"
	"ALTER TABLE gone ADD COLUMN owner TEXT NOT NULL DEFAULT '';"
	"PRAGMA user_version = 3;",
	/* In parentheses, as clang wants two literals where most rows have more. */
	("ALTER TABLE cvm ADD COLUMN host TEXT NOT NULL DEFAULT '';"
	 "PRAGMA user_version = 4;"),
	"CREATE TABLE host ("
	" nr INTEGER PRIMARY KEY AUTOINCREMENT,"
	" name TEXT NOT NULL UNIQUE,"
	" uri TEXT NOT NULL,"
	" words TEXT NOT NULL,"
	" draining INTEGER NOT NULL"
	") STRICT;"
	"PRAGMA user_version = 5;",
};
_Static_assert(REGISTRY_VERSION == 1 + ARRAY_LEN(migrations), "each version has its step");
enum { TAG_FILE_MAX = 64, EPOCH_TEXT_MAX = 8 };

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

int registry_migrate(struct registry *r, int version, struct err *e)
{
	if (version > REGISTRY_VERSION)
		return err_set(e, ERR_PRECONDITION,
			       "registry: version %d was written by a newer manager", version);
	if (version < 1)
		return registry_damaged(r, "its version is none", e);
	for (; version < REGISTRY_VERSION; version++)
		if (registry_exec(r, migrations[version - 1], e) < 0)
			return err_wrap(e, "make version %d", version + 1);
	return 0;
}

int registry_make_tables(struct registry *r, const char *tag, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;

	if (registry_exec(r, schema, e) < 0 || registry_migrate(r, 1, e) < 0 ||
	    registry_prepare(r, "INSERT INTO meta VALUES ('tag', ?)", &s, e) < 0)
		return err_code(e);
	sqlite3_bind_text(s, 1, tag, -1, SQLITE_STATIC);
	return registry_run(r, s, "tag", e);
}

int registry_version(struct registry *r, int *version, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;

	if (registry_prepare(r, "PRAGMA user_version", &s, e) < 0)
		return err_code(e);
	if (sqlite3_step(s) != SQLITE_ROW)
		return registry_error(r, e);
	*version = sqlite3_column_int(s, 0);
	return 0;
}

static int read_tag(struct registry *r, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	const char *tag;
	int code;

	if (registry_prepare(r, "SELECT value FROM meta WHERE key = 'tag'", &s, e) < 0)
		return err_code(e);
	code = sqlite3_step(s);
	if (code != SQLITE_ROW && code != SQLITE_DONE)
		return registry_error(r, e);
	if (code == SQLITE_DONE || !(tag = (const char *)sqlite3_column_text(s, 0)) ||
	    !tag_is_valid(tag))
		return err_set(e, ERR_DATA_LOSS,
			       "registry: the manager's tag is missing: " WAY_OUT);
	memcpy(r->tag, tag, sizeof(r->tag));
	return 0;
}

/* Pages, indexes and uniqueness; a registry has few of them. */
int registry_check_integrity(struct registry *r, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	const char *answer;

	if (registry_prepare(r, "PRAGMA integrity_check(1)", &s, e) < 0)
		return err_code(e);
	if (sqlite3_step(s) != SQLITE_ROW || !(answer = (const char *)sqlite3_column_text(s, 0)))
		return registry_error(r, e);
	if (strcmp(answer, "ok") != 0)
		return registry_damaged(r, log_quote(answer).text, e);
	return 0;
}

/* The number that was kept, or 0. One that is none would let revisions come again. */
static int read_epoch(struct registry *r, uint64_t *epoch, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	const char *text;
	int code;

	if (registry_prepare(r, "SELECT value FROM meta WHERE key = 'epoch'", &s, e) < 0)
		return err_code(e);
	*epoch = 0;
	code = sqlite3_step(s);
	if (code == SQLITE_DONE)
		return 0;
	if (code != SQLITE_ROW)
		return registry_error(r, e);
	text = (const char *)sqlite3_column_text(s, 0);
	if (!text || !*text || strlen(text) >= EPOCH_TEXT_MAX ||
	    strspn(text, "0123456789") != strlen(text))
		return registry_damaged(r, "its epoch is no number", e);
	*epoch = strtoull(text, NULL, 10);
	if (*epoch < 1 || *epoch >= REGISTRY_EPOCH_MAX)
		return registry_damaged(r, "its epoch is out of range", e);
	return 0;
}

static int count_epoch(struct registry *r, struct err *e)
{
	CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;
	char text[EPOCH_TEXT_MAX];
	uint64_t epoch;

	if (read_epoch(r, &epoch, e) < 0 ||
	    registry_prepare(r, "INSERT OR REPLACE INTO meta VALUES ('epoch', ?)", &s, e) < 0)
		return err_code(e);
	snprintf(text, sizeof(text), "%u", (unsigned)++epoch);
	sqlite3_bind_text(s, 1, text, -1, SQLITE_STATIC);
	if (registry_run(r, s, "epoch", e) < 0)
		return err_code(e);
	r->epoch = epoch;
	return 0;
}

/* Tables and tag are made in one transaction, so that a file is either empty or complete; then
 * they go from the write-ahead log to the file itself, which is complete without its log. */
static int set_up(struct registry *r, const char *tag, struct err *e)
{
	int version;

	if (registry_exec(r,
			  "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; BEGIN IMMEDIATE",
			  e) < 0 ||
	    registry_version(r, &version, e) < 0)
		return err_code(e);
	if (version == 0 ? registry_make_tables(r, tag, e) < 0
			 : registry_migrate(r, version, e) < 0)
		return err_code(e);
	if (count_epoch(r, e) < 0 || registry_exec(r, "COMMIT", e) < 0 ||
	    registry_check_integrity(r, e) < 0 || read_tag(r, e) < 0)
		return err_code(e);
	return registry_exec(r, "PRAGMA wal_checkpoint(TRUNCATE)", e);
}

static int open_database(struct registry *r, const char *path, const char *tag, struct err *e)
{
	if (sqlite3_open_v2(path, &r->db,
			    SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			    NULL) != SQLITE_OK)
		return registry_error(r, e);
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

uint64_t registry_epoch(const struct registry *registry)
{
	return registry->epoch;
}
