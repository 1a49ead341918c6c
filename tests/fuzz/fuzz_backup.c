/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file of a backup as somebody else may have written it, restored. Input: a kind(1), and by that the whole file; a
 * database, which is sealed; edits of one that was backed up, each an offset(4) and a byte(1), or SQL that is run in
 * it, and its seal again.
 *
 * What comes back is a place that opens, with a log and a chain that hold; of what is refused nothing is left, and one
 * line says why.
 */
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/reader.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "common/db/db_sqlite.h"
#include "computations/people/workspace_member.h"
#include "computations/store/backup.h"
#include "computations/store/backup_file.h"
#include "computations/store/store_audit.h"
#include "computations/store/store_place.h"
#include "computations/store/store_secret.h"
#include "computations/store/store_witness.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { KIND_FILE, KIND_DATABASE, KIND_EDITS, KIND_SQL, KINDS };
enum { EDITS_MAX = 64, FILE_MAX = 4 << 20, STEPS_MAX = 1 << 20, PATH_ROOM = 96 };

static const struct store_limits limits = {
	.computations = 4, .cvms = 3, .records = 8, .record_bytes = 4096, .audit_rows = 64
};
static char room[] = "/tmp/cocos-fuzz-backup-XXXXXX";
static char file[PATH_ROOM], place[PATH_ROOM];
static uint8_t *original; /* a database that was backed up, without its seal */
static size_t original_len;

/* ---- one that is right ---- */

static void fill(struct store *store)
{
	static const struct audit_row row = { .who = "user a", .what = "Stop", .object = "one" };
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *agent = NULL;
	struct err e;

	manifest.id = manifest.name = (char *)(uintptr_t)"one";
	assert(workspace_first(&store->db, &w, &e) == 0);
	assert(workspace_member_new(&store->db, &w, "a", true, 1, &e) == 0);
	assert(store_create(store, w.number, &manifest, &e) == 0);
	assert(key_generate(KEY_ECDSA, &agent, &e) == 0);
	for (int64_t run = 1; run < 4; run++) {
		CLEANUP_WRITER struct writer head = writer_up_to(512);
		const struct journal_head h = { .count = 1, .digest = { (uint8_t)run } };

		assert(journal_head_sign(&h, true, agent, &head, &e) == 0);
		assert(store_witness_see(store, "one", run, 1,
					 (struct span){ head.bytes, head.len }, &e) == 0);
		assert(store_audit_add(store, &row, AUDIT_ROOM_OPERATORS, &e) == 0);
	}
}

static void prepare(void)
{
	const struct backup_place from = { place, NULL };
	struct backup_report report;
	struct store store;
	struct err e;

	log_set(LOG_LEVEL_ERROR);
	assert(mkdtemp(room));
	snprintf(file, sizeof(file), "%s/file", room);
	snprintf(place, sizeof(place), "%s/place", room);
	assert(store_open(&store, place, NULL, &limits, &e) == 0);
	assert(store_secrets_open(&store, place, &(struct store_secrets_place){ .path = NULL },
				  &e) == 0);
	fill(&store);
	store_close(&store);
	assert(backup_write(&from, file, &report, &e) == 0);
	assert(file_read(file, FILE_MAX, &original, &original_len, &e) == 0);
	assert(original_len > BACKUP_SEAL_LEN);
	original_len -= BACKUP_SEAL_LEN;
	assert(dir_remove(room, &e) == 0);
}

/* ---- one that is made of the input ---- */

static void put(const uint8_t *bytes, size_t len)
{
	struct err e;

	assert(file_write(file, bytes, len, 0600, &e) == 0);
}

static void put_edited(struct reader *r)
{
	CLEANUP(free) uint8_t *copy = malloc(original_len);

	assert(copy);
	memcpy(copy, original, original_len);
	for (int i = 0; i < EDITS_MAX && reader_left(r) >= 5; i++) {
		size_t at = reader_be32(r) % original_len;

		copy[at] = reader_u8(r);
	}
	put(copy, original_len);
}

/* Its maker writes what he likes into his own file, and into no other. */
static int authorize(void *data, int what, const char *a, const char *b, const char *c,
		     const char *d)
{
	static const char *const pragmas[] = { "user_version", "journal_mode", "writable_schema" };

	if (what == SQLITE_ATTACH || what == SQLITE_DETACH)
		return SQLITE_DENY;
	if (what != SQLITE_PRAGMA)
		return SQLITE_OK;
	for (size_t i = 0; i < ARRAY_LEN(pragmas); i++)
		if (strcasecmp(a, pragmas[i]) == 0)
			return SQLITE_OK;
	return SQLITE_DENY;
}

static int stop(void *data)
{
	return 1;
}

static void put_changed(struct reader *r)
{
	size_t len = reader_left(r);
	CLEANUP(free) char *sql = strndup((const char *)reader_take(r, len), len);
	sqlite3 *db;

	assert(sql);
	put(original, original_len);
	assert(sqlite3_open_v2(file, &db, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK);
	assert(sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL) == SQLITE_OK);
	sqlite3_limit(db, SQLITE_LIMIT_LENGTH, FILE_MAX);
	sqlite3_progress_handler(db, STEPS_MAX, stop, NULL);
	assert(sqlite3_exec(db, "PRAGMA max_page_count=1024", NULL, NULL, NULL) ==
	       SQLITE_OK); /* FILE_MAX */
	sqlite3_set_authorizer(db, authorize, NULL);
	(void)sqlite3_exec(db, sql, NULL, NULL, NULL);
	sqlite3_close(db);
}

static void put_file(struct reader *r, unsigned kind)
{
	struct err e;
	size_t len = reader_left(r);

	if (kind == KIND_EDITS)
		put_edited(r);
	else if (kind == KIND_SQL)
		put_changed(r);
	else
		put(reader_take(r, len), len);
	if (kind != KIND_FILE)
		assert(backup_file_seal(file, BACKUP_MAX, &e) == 0);
}

/* ---- what must hold ---- */

static bool is_there(const char *name)
{
	char path[PATH_ROOM + 32];

	snprintf(path, sizeof(path), "%s/%s", place, name);
	return access(path, F_OK) == 0;
}

/* It is as if nobody had tried. */
static void check_refused(const struct err *refused)
{
	int64_t tables = -1;
	struct db db;
	struct err e;

	assert(*refused->text && !strchr(refused->text, '\n'));
	assert(!is_there(STORE_WITNESS_FILE) &&
	       !is_there(STORE_WITNESS_FILE STORE_WITNESS_RESTORED));
	assert(store_place_look(place, NULL, &db, &e) == 0);
	assert(db_number(&db, &tables, &e, "SELECT count(*) FROM sqlite_master", "") == 0);
	assert(tables == 0);
	db_close(&db);
}

/* The row that says so is the audit log's last. */
static void check_restored(const struct backup_report *report)
{
	struct audit_head head;
	struct store store;
	int64_t leaves;
	struct err e;

	assert(store_open(&store, place, NULL, &limits, &e) == 0);
	assert(store_audit_check(&store, &head, &e) == 0);
	assert(head.number == report->audit.number + 1);
	assert(store_witness_check(&store, &leaves, &e) == 0 && leaves == report->leaves);
	store_close(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct backup_place to = { place, NULL };
	struct reader r = reader_over(bytes, len);
	unsigned kind = reader_u8(&r) % KINDS;
	struct backup_report report;
	struct err e;

	if (!original)
		prepare();
	if (!reader_ok(&r) || len > FILE_MAX)
		return 0;
	assert(dir_make(room, 0700, &e) == 0);
	put_file(&r, kind);
	if (backup_restore(&to, file, &report, &e) == 0)
		check_restored(&report);
	else
		check_refused(&e);
	assert(!is_there("restore.part"));
	assert(dir_remove(room, &e) == 0);
	return 0;
}
