/* SPDX-License-Identifier: Apache-2.0 */
/* Backups: what comes back of them, between both databases, and what is refused. */
#include "common/base/file.h"
#include "common/base/writer.h"
#include "common/crypto/key.h"
#include "common/db/db_model.h"
#include "common/db/db_sqlite.h"
#include "computations/mail/mail.h"
#include "computations/store/backup.h"
#include "computations/store/backup_file.h"
#include "computations/store/store_audit.h"
#include "computations/store/store_form.h"
#include "computations/store/store_place.h"
#include "computations/store/store_secret.h"
#include "computations/store/store_witness.h"
#include "tests/unit/computations/store_room.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_ROOM = 128, LEAVES = 5, FLIP_EVERY = 61 };

static const struct audit_row change = { .who = "user alice", .what = "Stop", .object = "one" };

struct path {
	char text[PATH_ROOM];
};

static struct path in(struct store_room *f, const char *name)
{
	struct path p;

	snprintf(p.text, sizeof(p.text), "%s/%s", f->dir, name);
	return p;
}

static bool is_there(struct store_room *f, const char *name)
{
	return access(in(f, name).text, F_OK) == 0;
}

/* ---- a store with something in each kind of column ---- */

static void add_leaves(struct store_room *f, EVP_PKEY *agent)
{
	for (int64_t run = 1; run <= LEAVES; run++) {
		CLEANUP_WRITER struct writer w = writer_up_to(512);
		const struct journal_head head = { .count = 1, .digest = { (uint8_t)run } };

		assert_ok(journal_head_sign(&head, true, agent, &w, &f->e), f->e);
		assert_ok(store_witness_see(&f->store, "one", run, 1,
					    (struct span){ w.bytes, w.len }, &f->e),
			  f->e);
	}
}

/* Where rows end by themselves: what was good for a moment may have been used or ended since. */
static bool is_passing(const struct db_table *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (strcmp(t->columns[i].name, "ends") == 0)
			return true;
	return false;
}

/* Of the first user and the first workspace, whatever else it says. */
static void add_row(struct store_room *f, const struct db_table *t)
{
	static const char *const values[] = {
		['i'] = "1",
		['t'] = "'1'",
		['b'] = "(SELECT digest FROM audit_rows WHERE number = 1)"
	};
	CLEANUP_WRITER struct writer names = writer_up_to(1024), row = writer_up_to(2048);
	CLEANUP(free) char *sql = NULL;

	for (size_t i = 0; i < t->count; i++) {
		const char *comma = names.len ? ", " : "";

		if (t->counted && i == t->key)
			continue; /* a server counts what it numbers itself */
		writer_printf(&names, "%s%s", comma, t->columns[i].name);
		writer_printf(&row, "%s%s", comma, values[(unsigned char)t->columns[i].type]);
	}
	assert_ok(text_format(&sql, &f->e, "INSERT INTO %s (%.*s) VALUES (%.*s)", t->name,
			      (int)names.len, (const char *)names.bytes, (int)row.len,
			      (const char *)row.bytes),
		  f->e);
	assert_ok(db_run(&f->store.db, &f->e, sql, ""), f->e);
}

/* One row in each such table, of this form and of those to come: restore.c has to know them all. */
static int64_t add_passing(struct store_room *f)
{
	struct db_model model CLEANUP_MODEL = { .count = 0 };
	int64_t added = 0;

	assert_ok(db_model_of(&store_forms, &model, &f->e), f->e);
	for (size_t i = 0; i < model.count; i++)
		if (is_passing(&model.tables[i])) {
			add_row(f, &model.tables[i]);
			added++;
		}
	assert_true(added > 0);
	return added;
}

/* How many of its rows do not come back. */
static int64_t fill(struct store_room *f)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *agent = NULL;
	CLEANUP(free) char *holder = NULL;

	store_room_user(f, "alice");
	store_room_run_on(f, "one", "cvm");
	store_room_event(f, "cvm", "one", "Algorithm", "Running");
	store_room_create(f, "gone");
	assert_ok(store_remove(&f->store, "gone", false, &holder, &f->e), f->e);
	assert_ok(key_generate(KEY_ECDSA, &agent, &f->e), f->e);
	add_leaves(f, agent);
	for (int i = 0; i < 3; i++)
		assert_ok(store_audit_add(&f->store, &change, AUDIT_ROOM_OPERATORS, &f->e), f->e);
	assert_ok(db_run(&f->store.db, &f->e,
			 "INSERT INTO signed_journals (computation, run, count, bytes, head)"
			 " VALUES ('one', 1, 0, 0, ?)",
			 "b", "", (size_t)0),
		  f->e);
	return add_passing(f);
}

static struct backup_report write_as(struct store_room *f, const char *name)
{
	const struct backup_place place = { f->dir, store_room_database() };
	struct backup_report report;

	assert_ok(backup_write(&place, in(f, name).text, &report, &f->e), f->e);
	return report;
}

/* A folder of its own in the room, with its records in a file. */
static int restore_to(struct store_room *f, const char *dir, const char *name)
{
	const struct path path = in(f, dir);
	const struct backup_place place = { path.text, NULL };
	struct backup_report report;

	return backup_restore(&place, in(f, name).text, &report, &f->e);
}

static void open_in(struct store_room *f, const char *dir, struct store *store)
{
	assert_ok(store_open(store, in(f, dir).text, NULL, &store_room_limits, &f->e), f->e);
	assert_ok(store_secrets_open(store, in(f, dir).text,
				     &(struct store_secrets_place){ .path = NULL }, &f->e),
		  f->e);
}

static int64_t number(struct db *db, const char *sql)
{
	struct err e;
	int64_t n;

	assert_ok(db_number(db, &n, &e, sql, ""), e);
	return n;
}

/* How many rows of a table are in one of two backups alone. */
static int64_t differing(struct store_room *f, const char *a, const char *b, const char *table)
{
	char sql[512];
	struct db db;

	assert_ok(db_sqlite_open_alone(&db, in(f, a).text, &f->e), f->e);
	assert_ok(db_run(&db, &f->e, "ATTACH ? AS other", "t", in(f, b).text), f->e);
	snprintf(
		sql, sizeof(sql),
		"SELECT (SELECT count(*) FROM (SELECT * FROM main.%s EXCEPT SELECT * FROM other.%s))"
		" + (SELECT count(*) FROM (SELECT * FROM other.%s EXCEPT SELECT * FROM main.%s))",
		table, table, table, table);
	int64_t n = number(&db, sql);

	db_close(&db);
	return n;
}

/* All but what does not come back, and the row that says so. */
static void assert_same(struct store_room *f, const char *a, const char *b)
{
	struct db_model model CLEANUP_MODEL = { .count = 0 };

	assert_ok(db_model_of(&store_forms, &model, &f->e), f->e);
	for (size_t i = 0; i < model.count; i++) {
		const char *table = model.tables[i].name;
		bool differs = is_passing(&model.tables[i]) || strcmp(table, "audit_rows") == 0;
		int64_t found = differing(f, a, b, table);

		if (found != (differs ? 1 : 0))
			fail_msg("table %s: %lld rows differ%s", table, (long long)found,
				 differs ? ": passing[] of restore.c?" : "");
	}
	assert_int_equal(differing(f, a, b, "sqlite_sequence"), 0);
}

static void all_comes_back(struct store_room *f, struct store *store)
{
	struct audit_head head;
	int64_t leaves, runs;

	assert_ok(store_audit_check(store, &head, &f->e), f->e);
	assert_int_equal(head.number, 4);
	assert_ok(store_witness_check(store, &leaves, &f->e), f->e);
	assert_int_equal(leaves, LEAVES);
	assert_ok(store_witness_runs(store, "one", &runs, &f->e), f->e);
	assert_int_equal(runs, LEAVES);
	assert_int_equal(number(&store->db, "SELECT count(*) FROM entry_links"), 0);
	assert_int_equal(number(&store->db, "SELECT count(*) FROM signed_journals"
					    " WHERE name IS NULL"),
			 1);
	/* Numbers that were used stay so. */
	assert_ok(db_run(&store->db, &f->e,
			 "INSERT INTO entry_links (person, hash, ends) VALUES (NULL, ?, 1)", "b",
			 "h", (size_t)1),
		  f->e);
	assert_int_equal(number(&store->db, "SELECT number FROM entry_links"), 2);
	assert_int_equal(number(&store->db, "SELECT max(number) FROM computations"), 1);
	assert_ok(
		db_run(&store->db, &f->e,
		       "INSERT INTO computations (id, name, description, manifest, digest, datasets,"
		       " consumers, created) VALUES ('new', '', '', ?, ?, 0, 0, 1)",
		       "bb", "", (size_t)0, "", (size_t)0),
		f->e);
	assert_int_equal(number(&store->db, "SELECT max(number) FROM computations"), 3);
	assert_ok(db_run(&store->db, &f->e, "INSERT INTO journals (owner) VALUES ('c:new')", ""),
		  f->e);
}

/* From the room's database to a file, and from there to the room's: they are two kinds on PostgreSQL. */
/* Mails do not come back, and so nothing of them does that would want the key, which is in no backup. */
static void mails_do_not_come_back(void **state)
{
	struct store_room *f = *state;
	struct store store;

	assert_ok(mail_add(&f->store.db, f->store.secrets,
			   &(struct mail_wish){ 1, 1, "a@b.de", "the link" }, 1, &f->e),
		  f->e);
	write_as(f, "a");
	assert_ok(restore_to(f, "other", "a"), f->e);
	open_in(f, "other", &store);
	assert_int_equal(number(&store.db, "SELECT (SELECT count(*) FROM mails)"
					   " + (SELECT count(*) FROM secrets)"),
			 0);
	store_close(&store);
	assert_int_equal(number(&f->store.db, "SELECT count(*) FROM secrets"), 1);
}

static void what_goes_in_comes_back(void **state)
{
	struct store_room *f = *state;
	struct backup_report taken, again;
	struct path other = in(f, "other");
	const struct backup_place file = { other.text, NULL },
				  room = { f->dir, store_room_database() };
	struct store store;
	int64_t passing;
	struct stat st;

	passing = fill(f);
	taken = write_as(f, "a");
	assert_int_equal(taken.form, STORE_FORM);
	assert_int_equal(taken.leaves, LEAVES);
	assert_int_equal(taken.audit.number, 3);
	assert_int_equal(stat(in(f, "a").text, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(is_there(f, "a.part"));

	assert_ok(restore_to(f, "other", "a"), f->e);
	assert_false(is_there(f, "other/restore.part"));
	assert_false(is_there(f, "other/witness.pem.restored"));
	assert_ok(backup_write(&file, in(f, "b").text, &again, &f->e), f->e);
	assert_same(f, "a", "b");
	assert_int_equal(again.rows, taken.rows - passing + 1);
	open_in(f, "other", &store);
	all_comes_back(f, &store);
	store_close(&store);

	if (store_room_database())
		assert_ok(db_script(&f->store.db, "DROP SCHEMA " STORE_SCHEMA " CASCADE", &f->e),
			  f->e);
	store_close(&f->store);
	for (int i = 0; !room.database && i < 3; i++)
		unlink(in(f, (const char *[]){ "computations.db", "computations.db-wal",
					       "computations.db-shm" }[i])
			       .text);
	assert_ok(backup_restore(&room, in(f, "a").text, &again, &f->e), f->e);
	store_room_open(f);
	write_as(f, "c");
	assert_same(f, "a", "c");
	all_comes_back(f, &f->store);
}

static void a_snapshot_is_of_one_moment(void **state)
{
	struct store_room *f = *state;
	struct db db;

	store_room_create(f, "one");
	assert_ok(store_place_look(f->dir, store_room_database(), &db, &f->e), f->e);
	assert_ok(db_snapshot(&db, &f->e), f->e);
	assert_int_equal(number(&db, "SELECT count(*) FROM computations"), 1);
	store_room_create(f, "two");
	assert_int_equal(number(&db, "SELECT count(*) FROM computations"), 1);
	assert_int_equal(number(&db, "SELECT count(*) FROM workspace_computations"), 1);
	db_rollback(&db);
	assert_int_equal(number(&db, "SELECT count(*) FROM computations"), 2);
	db_close(&db);
}

static void each_table_refers_to_those_before_it(void **state)
{
	struct db_model model CLEANUP_MODEL = { .count = 0 };
	sqlite3 *sqlite;
	struct db db;
	struct err e;

	assert_ok(db_model_of(&store_forms, &model, &e), e);
	assert_true(model.count > 20);
	assert_int_equal(sqlite3_open(":memory:", &sqlite), SQLITE_OK);
	db_sqlite_adopt(&db, sqlite);
	assert_ok(db_script(&db, store_forms.schema, &e), e);
	for (size_t i = 0; i < model.count; i++)
		for (size_t k = i; k < model.count; k++) {
			int64_t refers;

			assert_ok(db_number(&db, &refers, &e,
					    "SELECT count(*) FROM pragma_foreign_key_list(?1)"
					    " WHERE \"table\" = ?2",
					    "tt", model.tables[i].name, model.tables[k].name),
				  e);
			assert_int_equal(refers, 0);
		}
	db_close(&db);
}

/* ---- where it does not go ---- */

static void only_an_empty_place_takes_it(void **state)
{
	struct store_room *f = *state;
	const struct backup_place room = { f->dir, store_room_database() };
	struct backup_report report;
	struct store store;

	fill(f);
	write_as(f, "a");
	assert_refused(backup_restore(&room, in(f, "a").text, &report, &f->e), f->e,
		       ERR_PRECONDITION, "another cocos-computations uses");
	store_close(&f->store);
	assert_refused(backup_restore(&room, in(f, "a").text, &report, &f->e), f->e,
		       ERR_PRECONDITION, "it has records already");
	store_room_open(f);
	open_in(f, "other", &store);
	store_close(&store);
	unlink(in(f, "other/computations.db").text);
	unlink(in(f, "other/computations.db-wal").text);
	assert_refused(restore_to(f, "other", "a"), f->e, ERR_PRECONDITION,
		       "is the key of another log");
	assert_false(is_there(f, "other/witness.pem.restored"));
	unlink(in(f, "other/witness.pem").text);
	assert_ok(restore_to(f, "other", "a"), f->e);
}

static void no_file_is_written_over(void **state)
{
	struct store_room *f = *state;
	const struct backup_place room = { f->dir, store_room_database() };
	struct backup_report report;

	write_as(f, "a");
	assert_refused(backup_write(&room, in(f, "a").text, &report, &f->e), f->e, ERR_EXISTS,
		       "name another file");
	assert_ok(file_write_new(in(f, "b.part").text, "x", 1, 0600, &f->e), f->e);
	assert_refused(backup_write(&room, in(f, "b").text, &report, &f->e), f->e, ERR_EXISTS,
		       "another backup is under way");
	assert_true(is_there(f, "b.part"));
	assert_refused(backup_write(&room, in(f, "none/b").text, &report, &f->e), f->e,
		       ERR_NOT_FOUND, "none/b.part");
	assert_refused(restore_to(f, "other", "none"), f->e, ERR_NOT_FOUND, "No such file");
}

static void a_store_that_is_damaged_is_not_backed_up(void **state)
{
	static const struct {
		const char *damage, *words;
	} cases[] = {
		{ "UPDATE audit_rows SET digest = (SELECT digest FROM audit_rows WHERE number = 1)"
		  " WHERE number = 2",
		  "row 2 has two digests" },
		{ "DELETE FROM audit_rows WHERE number = 2", "audit log" },
		{ "UPDATE witness_leaves SET run = 9 WHERE number = 3", "is not over its leaves" },
		{ "DELETE FROM witness_leaves WHERE number = 1", "column number" },
		{ "DELETE FROM witness_leaves WHERE number = 4", "nodes over 4 leaves" },
		{ "UPDATE witness_key SET digest = (SELECT digest FROM audit_rows LIMIT 1)",
		  "is another key" },
	};
	struct store_room *f = *state;
	const struct backup_place room = { f->dir, store_room_database() };
	struct backup_report report;

	fill(f);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		assert_ok(db_begin(&f->store.db, &f->e), f->e);
		assert_ok(db_script(&f->store.db,
				    "CREATE TABLE kept_rows AS SELECT * FROM audit_rows;"
				    "CREATE TABLE kept_leaves AS SELECT * FROM witness_leaves;"
				    "CREATE TABLE kept_key AS SELECT * FROM witness_key;",
				    &f->e),
			  f->e);
		assert_ok(db_script(&f->store.db, cases[i].damage, &f->e), f->e);
		assert_ok(db_commit(&f->store.db, &f->e), f->e);
		assert_true(backup_write(&room, in(f, "a").text, &report, &f->e) < 0);
		if (!strstr(f->e.text, cases[i].words))
			fail_msg("%s: %s", cases[i].damage, f->e.text);
		assert_false(is_there(f, "a") || is_there(f, "a.part"));
		assert_ok(db_script(&f->store.db,
				    "DELETE FROM audit_rows; DELETE FROM witness_leaves;"
				    "DELETE FROM witness_key;"
				    "INSERT INTO audit_rows SELECT * FROM kept_rows;"
				    "INSERT INTO witness_leaves SELECT * FROM kept_leaves;"
				    "INSERT INTO witness_key SELECT * FROM kept_key;"
				    "DROP TABLE kept_rows; DROP TABLE kept_leaves;"
				    "DROP TABLE kept_key;",
				    &f->e),
			  f->e);
	}
	write_as(f, "a");
}

/* ---- the file ---- */

static int unseal(const char *path, uint64_t max, struct err *e)
{
	CLEANUP(close) int to = memfd_create("copy", MFD_CLOEXEC);

	return backup_file_unseal(path, max, to, e);
}

/* Each bit, and each length; of a file with `every` above 1 only some of them. */
static void damage(struct store_room *f, const char *name, size_t every)
{
	const struct path path = in(f, name);
	CLEANUP(close) int fd = open(path.text, O_RDWR | O_CLOEXEC);
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	assert_ok(file_read(path.text, 4 << 20, &bytes, &len, &f->e), f->e);
	assert_ok(unseal(path.text, BACKUP_MAX, &f->e), f->e);
	for (size_t bit = 0; bit < 8 * len; bit += every) {
		uint8_t flipped = bytes[bit / 8] ^ (uint8_t)(1U << bit % 8);

		assert_int_equal(pwrite(fd, &flipped, 1, (off_t)(bit / 8)), 1);
		assert_true(unseal(path.text, BACKUP_MAX, &f->e) < 0);
		assert_int_equal(pwrite(fd, &bytes[bit / 8], 1, (off_t)(bit / 8)), 1);
	}
	for (size_t left = len; left > 0; left -= left < every ? left : every) {
		assert_int_equal(ftruncate(fd, (off_t)left - 1), 0);
		assert_true(unseal(path.text, BACKUP_MAX, &f->e) < 0);
	}
	assert_int_equal(pwrite(fd, bytes, len, 0), len);
	assert_int_equal(pwrite(fd, "x", 1, (off_t)len), 1);
	assert_true(unseal(path.text, BACKUP_MAX, &f->e) < 0);
}

static void make_small(struct store_room *f, const char *name)
{
	assert_ok(
		file_write_new(in(f, name).text, "what SQLite would have written", 30, 0600, &f->e),
		f->e);
}

static void each_bit_and_each_byte_counts(void **state)
{
	struct store_room *f = *state;

	make_small(f, "small");
	assert_ok(backup_file_seal(in(f, "small").text, BACKUP_MAX, &f->e), f->e);
	damage(f, "small", 1);
	write_as(f, "a");
	damage(f, "a", 8 * FLIP_EVERY * 8 + 1);
}

static void a_file_has_so_many_bytes(void **state)
{
	const uint64_t size = 30 + BACKUP_SEAL_LEN;
	struct store_room *f = *state;
	const struct path path = in(f, "small"), large = in(f, "large");

	make_small(f, "small");
	assert_refused(backup_file_seal(path.text, size - 1, &f->e), f->e, ERR_EXHAUSTED,
		       "are the most");
	assert_ok(backup_file_seal(path.text, size, &f->e), f->e);
	assert_ok(unseal(path.text, size, &f->e), f->e);
	assert_refused(unseal(path.text, size - 1, &f->e), f->e, ERR_EXHAUSTED, "are the most");
	CLEANUP(close) int fd = open(large.text, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, (off_t)BACKUP_MAX + 1), 0);
	assert_refused(restore_to(f, "other", "large"), f->e, ERR_EXHAUSTED, "are the most");
	assert_refused(unseal(f->dir, size, &f->e), f->e, ERR_INVALID, "no regular file");
}

/* ---- what is in it ---- */

/* The backup with this done to its database. */
static void forge(struct store_room *f, const char *from, const char *to, const char *sql)
{
	const struct path path = in(f, to);
	struct db db;

	unlink(path.text);
	CLEANUP(close) int fd = open(path.text, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	assert_ok(backup_file_unseal(in(f, from).text, BACKUP_MAX, fd, &f->e), f->e);
	assert_ok(db_sqlite_open_alone(&db, path.text, &f->e), f->e);
	assert_ok(db_script(&db, sql, &f->e), f->e);
	db_close(&db);
	assert_ok(backup_file_seal(path.text, BACKUP_MAX, &f->e), f->e);
}

static void what_no_backup_holds_is_refused(void **state)
{
	static const struct {
		const char *sql, *words;
	} cases[] = {
		{ "CREATE TRIGGER t AFTER INSERT ON users BEGIN DELETE FROM users; END",
		  "trigger" },
		{ "CREATE VIEW v AS SELECT 1", "view" },
		{ "DROP TABLE origins; CREATE VIEW origins AS SELECT 1", "view" },
		{ "CREATE TABLE more (x INTEGER)", "more" },
		{ "CREATE TABLE more (x INTEGER); INSERT INTO backup_tables VALUES ('more', 0)",
		  "table more is none of this form's" },
		{ "DROP TABLE origins; DELETE FROM backup_tables WHERE name = 'origins'",
		  "tables, and this form" },
		{ "ALTER TABLE origins ADD COLUMN x INTEGER", "table origins is none" },
		{ "ALTER TABLE origins ADD COLUMN x REAL", "of a kind that no form has" },
		{ "ALTER TABLE origins ADD COLUMN \"a b\" INTEGER", "a name that no form has" },
		{ "ALTER TABLE origins DROP COLUMN ended", "table origins is none" },
		{ "DELETE FROM users", "table users has 0 rows, and 1 are noted" },
		{ "DELETE FROM backup_tables WHERE name = 'users'", "table users" },
		{ "DROP TABLE backup_about", "backup_about" },
		{ "DELETE FROM backup_about", "it does not say what it is" },
		{ "UPDATE backup_about SET witness = 'x'", "the backup's key" },
		{ "UPDATE backup_about SET taken = 'x'", "taken is not a number" },
		{ "PRAGMA user_version=0", "form 0, which is none" },
		{ "PRAGMA user_version=-1", "form -1, which is none" },
		{ "PRAGMA user_version=9999", "written by a newer" },
		{ "UPDATE users SET name = x'41'", "column name has a value that is not" },
		{ "UPDATE users SET name = cast(x'80' AS TEXT)", "column name has a value" },
		{ "UPDATE users SET created = 'x'", "column created has a value" },
		{ "UPDATE computations SET digest = 5", "column digest has a value" },
		{ "UPDATE audit_start SET head = '1:00'", "is no head" },
		{ "UPDATE audit_rows SET line = line || ' '", "audit log" },
		/* An index over other lines, which a copy of all rows is read from. */
		{ "CREATE INDEX i ON audit_rows (replace(line, 'a', 'b'), number, digest); ANALYZE;"
		  "UPDATE sqlite_stat1 SET stat = '9 1 1 1 sz=1' WHERE idx = 'i';"
		  "PRAGMA writable_schema=ON;"
		  "UPDATE sqlite_schema SET sql = 'CREATE INDEX i ON audit_rows (line, number,"
		  " digest)' WHERE name = 'i'",
		  "audit log" },
		{ "UPDATE witness_nodes SET hash = zeroblob(32) WHERE level = 1 AND number = 1",
		  "node 1/1 is not over its leaves" },
		{ "INSERT INTO witness_nodes VALUES (9, 9, zeroblob(32));"
		  "UPDATE backup_tables SET count = count + 1 WHERE name = 'witness_nodes'",
		  "nodes over 5 leaves" },
		{ "PRAGMA locking_mode=NORMAL; PRAGMA journal_mode=WAL",
		  "no database of a backup" },
		{ "UPDATE role_members SET person = 99;"
		  "INSERT INTO role_members VALUES ('one', 'viewer', 99);"
		  "UPDATE backup_tables SET count = 1 WHERE name = 'role_members'",
		  "table role_members" },
	};
	struct store_room *f = *state;
	struct store store;

	fill(f);
	write_as(f, "a");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		forge(f, "a", "forged", cases[i].sql);
		assert_true(restore_to(f, "other", "forged") < 0);
		if (!strstr(f->e.text, cases[i].words))
			fail_msg("%s: %s", cases[i].sql, f->e.text);
		assert_null(strchr(f->e.text, '\n'));
		assert_false(is_there(f, "other/witness.pem"));
		assert_false(is_there(f, "other/witness.pem.restored"));
		assert_false(is_there(f, "other/restore.part"));
	}
	assert_ok(restore_to(f, "other", "a"), f->e);
	open_in(f, "other", &store);
	all_comes_back(f, &store);
	store_close(&store);
}

/* The first form, as its program made it. */
#define FIRST_FORM                                                                              \
	"CREATE TABLE computations (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL" \
	" UNIQUE, name TEXT NOT NULL, description TEXT NOT NULL, manifest BLOB NOT NULL,"       \
	" digest BLOB NOT NULL, datasets INTEGER NOT NULL, consumers INTEGER NOT NULL,"         \
	" state INTEGER NOT NULL DEFAULT 0, agent_state TEXT NOT NULL DEFAULT '',"              \
	" cvm TEXT NOT NULL DEFAULT '', reached INTEGER NOT NULL DEFAULT 0,"                    \
	" stopping INTEGER NOT NULL DEFAULT 0, finished INTEGER NOT NULL DEFAULT 0,"            \
	" failure TEXT NOT NULL DEFAULT '', notice TEXT NOT NULL DEFAULT '',"                   \
	" created INTEGER NOT NULL, sent INTEGER NOT NULL DEFAULT 0,"                           \
	" ended INTEGER NOT NULL DEFAULT 0);"                                                   \
	"CREATE TABLE cvms (number INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE," \
	" computation TEXT NOT NULL DEFAULT '', agent_state TEXT NOT NULL DEFAULT '',"          \
	" peer TEXT NOT NULL, first_seen INTEGER NOT NULL, last_seen INTEGER NOT NULL);"        \
	"CREATE INDEX cvms_computation ON cvms (computation);"                                  \
	"CREATE TABLE journals (number INTEGER PRIMARY KEY, owner TEXT NOT NULL UNIQUE,"        \
	" records INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0,"                \
	" dropped INTEGER NOT NULL DEFAULT 0);"                                                 \
	"CREATE TABLE records (number INTEGER PRIMARY KEY AUTOINCREMENT, journal INTEGER NOT"   \
	" NULL REFERENCES journals (number) ON DELETE CASCADE, seconds INTEGER NOT NULL,"       \
	" nanos INTEGER NOT NULL, received INTEGER NOT NULL, event INTEGER NOT NULL,"           \
	" level TEXT NOT NULL, text TEXT NOT NULL, type TEXT NOT NULL, status TEXT NOT NULL,"   \
	" originator TEXT NOT NULL, size INTEGER NOT NULL);"                                    \
	"CREATE INDEX records_journal ON records (journal, number);"

static void an_older_form_becomes_the_newest(void **state)
{
	struct store_room *f = *state;
	const struct path path = in(f, "old");
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) char *pem = NULL;
	struct store store;
	struct db db;

	assert_ok(key_generate(KEY_ECDSA, &key, &f->e), f->e);
	assert_ok(key_to_private_pem(key, &pem, &f->e), f->e);
	assert_ok(file_write_new(path.text, "", 0, 0600, &f->e), f->e);
	assert_ok(db_sqlite_open_alone(&db, path.text, &f->e), f->e);
	assert_ok(db_script(&db,
			    FIRST_FORM BACKUP_FORM
			    "PRAGMA user_version=1;"
			    "INSERT INTO computations (number, id, name, description, manifest,"
			    " digest, datasets, consumers, created)"
			    " VALUES (7, 'old', '', '', x'', zeroblob(32), 0, 0, 1);"
			    "INSERT INTO backup_tables VALUES ('computations', 1), ('cvms', 0),"
			    " ('journals', 0), ('records', 0);",
			    &f->e),
		  f->e);
	assert_ok(db_run(&db, &f->e, "INSERT INTO backup_about VALUES (1, ?)", "t", pem), f->e);
	db_close(&db);
	assert_ok(backup_file_seal(path.text, BACKUP_MAX, &f->e), f->e);
	assert_ok(restore_to(f, "other", "old"), f->e);
	open_in(f, "other", &store);
	assert_int_equal(number(&store.db, "SELECT number FROM computations WHERE id = 'old'"), 7);
	assert_int_equal(number(&store.db, "SELECT count(*) FROM workspace_computations"), 1);
	store_close(&store);
}

static void an_older_database_is_not_backed_up(void **state)
{
	struct store_room *f = *state;
	const struct backup_place room = { f->dir, store_room_database() };
	struct backup_report report;

	assert_ok(db_form_set(&f->store.db, STORE_FORM - 1, &f->e), f->e);
	assert_refused(backup_write(&room, in(f, "a").text, &report, &f->e), f->e, ERR_PRECONDITION,
		       "start this one once");
	assert_ok(db_form_set(&f->store.db, STORE_FORM, &f->e), f->e);
	assert_false(is_there(f, "a.part"));
}

/* ---- the key of one that was cut off ---- */

static void the_key_that_waits_is_taken_by_its_log_alone(void **state)
{
	struct store_room *f = *state;
	const struct path key = in(f, "other/witness.pem"),
			  waits = in(f, "other/witness.pem.restored");
	struct store store;

	fill(f);
	write_as(f, "a");
	assert_ok(restore_to(f, "other", "a"), f->e);
	/* Killed behind the change. */
	assert_int_equal(rename(key.text, waits.text), 0);
	open_in(f, "other", &store);
	store_close(&store);
	assert_true(is_there(f, "other/witness.pem"));
	assert_false(is_there(f, "other/witness.pem.restored"));
	/* Killed before it: this one begins a log, with a key of its own. */
	assert_int_equal(rename(key.text, in(f, "kept").text), 0);
	assert_int_equal(mkdir(in(f, "new").text, 0700), 0);
	assert_int_equal(link(in(f, "kept").text, in(f, "new/witness.pem.restored").text), 0);
	open_in(f, "new", &store);
	store_close(&store);
	assert_true(is_there(f, "new/witness.pem"));
	assert_true(is_there(f, "new/witness.pem.restored"));
	/* Another log's key that waits is none. */
	assert_int_equal(link(in(f, "new/witness.pem").text, waits.text), 0);
	assert_refused(store_open(&store, in(f, "other").text, NULL, &store_room_limits, &f->e),
		       f->e, ERR_PRECONDITION, "witness.pem' is missing");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(mails_do_not_come_back),
		STORE_ROOM_ROW(what_goes_in_comes_back),
		STORE_ROOM_ROW(a_snapshot_is_of_one_moment),
		cmocka_unit_test(each_table_refers_to_those_before_it),
		STORE_ROOM_ROW(only_an_empty_place_takes_it),
		STORE_ROOM_ROW(no_file_is_written_over),
		STORE_ROOM_ROW(a_store_that_is_damaged_is_not_backed_up),
		STORE_ROOM_ROW(each_bit_and_each_byte_counts),
		STORE_ROOM_ROW(a_file_has_so_many_bytes),
		STORE_ROOM_ROW(what_no_backup_holds_is_refused),
		STORE_ROOM_ROW(an_older_form_becomes_the_newest),
		STORE_ROOM_ROW(an_older_database_is_not_backed_up),
		STORE_ROOM_ROW(the_key_that_waits_is_taken_by_its_log_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
