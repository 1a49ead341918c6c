/* SPDX-License-Identifier: Apache-2.0 */
/* registry_open.c — the registry's database, the tag and the epoch in it. */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/db/db_postgres.h"
#include "common/db/db_sqlite.h"
#include "manager/registry/registry_form.h"
#include "manager/registry/registry_lease_state.h"

#include <string.h>
#include <unistd.h>

enum { TAG_FILE_MAX = 64, EPOCH_TEXT_MAX = 8, TRIES = 50, TRY_EVERY_MS = 100 };

static bool tag_is_valid(const char *tag)
{
	return strlen(tag) == REGISTRY_TAG_LEN &&
	       strspn(tag, "0123456789abcdef") == REGISTRY_TAG_LEN;
}

/* The tag is beside the database, too: a database that is lost or emptied gets the same again, and
 * the domains of before are still known for ours. `tag` is empty if there is no file. */
int registry_tag_file(const char *path, char tag[REGISTRY_TAG_LEN + 1], struct err *e)
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

static int insert_tag(struct registry *r, const char *tag, struct err *e)
{
	return db_run(&r->db, e, "INSERT INTO meta (key, value) VALUES ('tag', ?)", "t", tag);
}

int registry_make_tables(struct registry *r, const char *tag, struct err *e)
{
	return db_forms_make(&r->db, &registry_forms, e) < 0 ? err_code(e) : insert_tag(r, tag, e);
}

/* What `meta` has under that key, malloc'ed; NULL: nothing. */
static int read_meta(struct registry *r, const char *key, char **value, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	*value = NULL;
	if (db_query(&r->db, &rows, e, "SELECT value FROM meta WHERE key = ?", "t", key) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	return db_text(rows, 0, value, e);
}

int registry_read_tag(struct registry *r, struct err *e)
{
	CLEANUP(free) char *tag = NULL;

	if (read_meta(r, "tag", &tag, e) < 0)
		return err_code(e);
	if (!tag || !tag_is_valid(tag))
		return err_set(e, ERR_DATA_LOSS, "the manager's tag is missing");
	memcpy(r->tag, tag, sizeof(r->tag));
	return 0;
}

/* Pages, indexes and uniqueness; a registry has few of them. A server sees to its own. */
int registry_check_integrity(struct registry *r, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *answer = NULL;
	int row;

	if (r->is_server)
		return 0;
	if (db_query(&r->db, &rows, e, "PRAGMA integrity_check(1)", "") < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0 || (row > 0 && db_text(rows, 0, &answer, e) < 0))
		return err_code(e);
	if (!answer || strcmp(answer, "ok") != 0)
		return err_set(e, ERR_DATA_LOSS, "%s", log_quote(answer ? answer : "").text);
	return 0;
}

/* The number that was kept, or 0. One that is none would let revisions come again. */
static int read_epoch(struct registry *r, uint64_t *epoch, struct err *e)
{
	CLEANUP(free) char *text = NULL;

	if (read_meta(r, "epoch", &text, e) < 0)
		return err_code(e);
	*epoch = 0;
	if (!text)
		return 0;
	if (!*text || strlen(text) >= EPOCH_TEXT_MAX || strspn(text, "0123456789") != strlen(text))
		return err_set(e, ERR_DATA_LOSS, "its epoch is no number");
	*epoch = strtoull(text, NULL, 10);
	if (*epoch < 1 || *epoch >= REGISTRY_EPOCH_MAX)
		return err_set(e, ERR_DATA_LOSS, "its epoch is out of range");
	return 0;
}

/* From here on who opened it before changes nothing any more (registry_write()). */
static int count_epoch(struct registry *r, struct err *e)
{
	char text[EPOCH_TEXT_MAX];
	uint64_t epoch;

	if (read_epoch(r, &epoch, e) < 0)
		return err_code(e);
	snprintf(text, sizeof(text), "%u", (unsigned)++epoch);
	if (db_run(&r->db, e,
		   "INSERT INTO meta (key, value) VALUES ('epoch', ?)"
		   " ON CONFLICT (key) DO UPDATE SET value = excluded.value",
		   "t", text) < 0)
		return err_code(e);
	r->epoch = epoch;
	return 0;
}

/* A server's tables may be another machine's, whose CVMs would be taken for lost here. */
int registry_check_tag(const struct registry *r, const char *tag, struct err *e)
{
	if (!r->is_server || strcmp(r->tag, tag) == 0 || (r->leases && !*tag))
		return 0;
	return err_set(
		e, ERR_PRECONDITION,
		"MANAGER_STATE_DIR/tag says %s, the registry %s: it is another manager's; "
		"where this one takes its place, with the same hosts, write %s into the file",
		*tag ? tag : "nothing", r->tag, r->tag);
}

/* Beside others one without a tag of its own takes the database's; and who is the first makes it. */
static int choose_first_tag(struct registry *r, const char *tag, struct err *e)
{
	char made[REGISTRY_TAG_LEN + 1];

	if (*tag)
		return insert_tag(r, tag, e);
	return make_tag(made, e) < 0 ? err_code(e) : insert_tag(r, made, e);
}

static int bring_up(struct registry *r, const char *tag, struct err *e)
{
	int64_t form;

	if (db_form(&r->db, &form, e) < 0 || db_forms_within(&r->db, &registry_forms, e) < 0 ||
	    (!form && choose_first_tag(r, tag, e) < 0) || registry_read_tag(r, e) < 0 ||
	    registry_check_tag(r, tag, e) < 0 || (!r->leases && lease_end_all(r, e) < 0))
		return err_code(e);
	return count_epoch(r, e);
}

/* Two that begin at once: one of them finds it changed under its hands, and begins again. */
static int bring_up_whole(struct registry *r, const char *tag, struct err *e)
{
	if (db_begin(&r->db, e) < 0)
		return err_code(e);
	if (bring_up(r, tag, e) < 0) {
		db_rollback(&r->db);
		return err_code(e);
	}
	return db_commit(&r->db, e);
}

static bool is_race(const struct err *e)
{
	return e->code == ERR_UNAVAILABLE || e->code == ERR_EXISTS;
}

/* Tables and tag are made in one transaction, so that a database is either empty or complete. A file then gets them
 * from its write-ahead log, and is complete without it. */
static int set_up(struct registry *r, const char *tag, struct err *e)
{
	int failed = bring_up_whole(r, tag, e);

	for (int i = 0; failed && r->leases && is_race(e) && i < TRIES; i++) {
		usleep(TRY_EVERY_MS * 1000);
		failed = bring_up_whole(r, tag, e);
	}
	if (failed || registry_check_integrity(r, e) < 0)
		return err_code(e);
	return r->is_server ? 0 : db_script(&r->db, "PRAGMA wal_checkpoint(TRUNCATE)", e);
}

static int open_database(struct registry *r, const char *path, const char *database, struct err *e)
{
	r->is_server = database != NULL;
	if (!database)
		return db_sqlite_open(&r->db, path, e);
	return db_postgres_open(&r->db,
				&(struct db_postgres){ .place = database,
						       .schema = REGISTRY_SCHEMA,
						       .exclusive = !r->leases,
						       .shared = r->leases != NULL },
				e);
}

static int write_tag(const char *path, const char *tag, struct err *e)
{
	char line[REGISTRY_TAG_LEN + 2];

	snprintf(line, sizeof(line), "%s\n", tag);
	return file_write(path, line, strlen(line), 0600, e);
}

/* The same tag in both places; the file is made from a registry that is older than it. */
static int keep_tag(const struct registry *r, const char *path, const char *kept, struct err *e)
{
	if (strcmp(kept, r->tag) == 0)
		return 0;
	if (*kept)
		return err_set(
			e, ERR_DATA_LOSS,
			"'%s' says %s, the registry %s: one of them is another manager's, or "
			"from a copy; remove the one that is wrong",
			path, kept, r->tag);
	return write_tag(path, r->tag, e);
}

/* A server's tables may be another machine's: there the file is first, so that nobody takes them for his own. */
static int choose_tag(const char *path, bool is_server, bool is_shared,
		      char kept[REGISTRY_TAG_LEN + 1], char tag[REGISTRY_TAG_LEN + 1],
		      struct err *e)
{
	if (registry_tag_file(path, kept, e) < 0)
		return err_code(e);
	*tag = '\0';
	if (!*kept && is_shared)
		return 0;
	if (!*kept && make_tag(tag, e) < 0)
		return err_code(e);
	if (*kept)
		memcpy(tag, kept, REGISTRY_TAG_LEN + 1);
	else if (is_server && write_tag(path, tag, e) < 0)
		return err_code(e);
	else if (is_server)
		memcpy(kept, tag, REGISTRY_TAG_LEN + 1);
	return 0;
}

static int open_tagged(struct registry *r, const char *path, const char *database, const char *tag,
		       struct err *e)
{
	if (open_database(r, path, database, e) == 0 && set_up(r, tag, e) == 0)
		return 0;
	registry_error(r, e);
	return database ? err_code(e) : err_wrap(e, "'%s'", path);
}

static int open_as(const char *dir, const char *database, const struct registry_share *share,
		   struct registry **registry, struct err *e)
{
	CLEANUP(registry_close) struct registry *r = calloc(1, sizeof(*r));
	CLEANUP(free) char *path = NULL, *tag_path = NULL;
	char kept[REGISTRY_TAG_LEN + 1], tag[REGISTRY_TAG_LEN + 1];

	if (!r)
		return err_nomem(e);
	pthread_mutex_init(&r->lock, NULL);
	if ((share && leases_new(share, &r->leases, e) < 0) ||
	    text_format(&path, e, "%s/registry.db", dir) < 0 ||
	    text_format(&tag_path, e, "%s/tag", dir) < 0 ||
	    choose_tag(tag_path, database != NULL, share != NULL, kept, tag, e) < 0 ||
	    open_tagged(r, path, database, tag, e) < 0 || manager_start(r, e) < 0 ||
	    keep_tag(r, tag_path, kept, e) < 0)
		return err_code(e);
	*registry = TAKE_PTR(r);
	return 0;
}

int registry_open(const char *dir, const char *database, struct registry **registry, struct err *e)
{
	return open_as(dir, database, NULL, registry, e);
}

int registry_open_shared(const char *dir, const char *database, const struct registry_share *share,
			 struct registry **registry, struct err *e)
{
	return open_as(dir, database, share, registry, e);
}

void registry_close(struct registry *registry)
{
	if (!registry)
		return;
	db_close(&registry->db);
	leases_free(registry->leases);
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
