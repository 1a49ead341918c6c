/* SPDX-License-Identifier: Apache-2.0 */
/* What a registry in a file alone can be. */
#include "common/base/file.h"
#include "common/db/db_sqlite.h"
#include "manager/registry/registry_form.h"
#include "tests/unit/manager/registry_room.h"

#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#define ID "'00000000-0000-4000-8000-000000000001'"

static void files_that_are_no_databases_are_refused(void **state)
{
	struct registry *r;
	struct err e;

	assert_ok(file_write(registry_room_path,
			     "not a database, but long enough to be looked at...........", 55, 0600,
			     &e),
		  e);
	assert_refused(registry_open(registry_room_folder, registry_room_place(), &r, &e), e,
		       ERR_DATA_LOSS, "damaged; move registry.db away");
	assert_non_null(strstr(e.text, "not a database"));
	assert_refused(registry_open("/proc/nowhere", NULL, &r, &e), e, ERR_NOT_FOUND,
		       "/proc/nowhere");
}

/* Tables without our columns, types or rules, as somebody may have made them. */
static void tables_of_another_form_are_refused(void **state)
{
	static const char columns[] =
		"slot, port, step, created_ms, expires_ms, tee, kvm, cpus, cpu_type, firmware, "
		"image, cmdline, boot_sha3_256, boot_sha3_384, expected, name, labels, memory, owner, "
		"host";
	static const struct {
		const char *values, *words;
	} rows[] = {
		{ "x'00', 1, 7100, 4, 0, 0, 0, 0, 1", "id is no text" },
		{ ID ", 'a', 7100, 4, 0, 0, 0, 0, 1", "slot is no number" },
		{ ID ", 1, 7100.5, 4, 0, 0, 0, 0, 1", "port is no number" },
		{ ID ", 1, NULL, 4, 0, 0, 0, 0, 1", "port is no number" },
		{ ID
		  ", 1, 7100, 4, 0, 0, 0, 0, 1, NULL, '', '', '', {zero 32}, {zero 48}, '', '', '', 0, '', '' "
		  "UNION ALL SELECT '00000000-0000-4000-8000-000000000002', 1, 7101, 4, 0, 0, 0, 0, 1",
		  "cpu_type is no text" },
	};
	struct cvm *all;
	struct registry *r;
	char sql[1024];
	size_t count;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
		registry_close(r);
		snprintf(sql, sizeof(sql),
			 "DROP TABLE cvm; CREATE TABLE cvm (id, %s);"
			 "INSERT INTO cvm SELECT %s, '', '', '', '', {zero 32}, {zero 48}, '',"
			 " '', '', 0, '', ''",
			 columns, rows[i].values);
		registry_room_sql(sql);
		assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
		assert_refused(registry_list(r, &all, &count, &e), e, ERR_DATA_LOSS, rows[i].words);
		registry_close(r);
		registry_room_leave(NULL);
	}
	/* Two rows in one slot, which our table forbids. */
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	registry_close(r);
	snprintf(
		sql, sizeof(sql),
		"DROP TABLE cvm; CREATE TABLE cvm (id, %s); INSERT INTO cvm SELECT " ID
		", 1, 7100, 4, 0, 0, 0, 0, 1, '', '', '', '', {zero 32}, {zero 48}, '', '', '', 0, '', '';"
		"INSERT INTO cvm SELECT '00000000-0000-4000-8000-000000000002', %s FROM cvm",
		columns, columns);
	registry_room_sql(sql);
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_refused(registry_list(r, &all, &count, &e), e, ERR_DATA_LOSS, "one slot");
	registry_close(r);
	registry_room_sql("DROP TABLE cvm; CREATE TABLE cvm (id)");
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_refused(registry_list(r, &all, &count, &e), e, ERR_INTERNAL, "no such column");
	registry_close(r);
}

/* As an index that is damaged while it is open gives them, and a server that is not to be trusted. */
static void rows_in_another_order_are_refused(void **state)
{
	struct cvm *all;
	struct registry *r;
	size_t count;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	for (unsigned i = 0; i < 3; i++) {
		struct cvm cvm = registry_room_cvm(i);

		assert_ok(registry_add(r, &cvm, &e), e);
	}
	registry_room_sql("CREATE TABLE copy AS SELECT * FROM cvm; DROP TABLE cvm;"
			  "ALTER TABLE copy RENAME TO cvm; CREATE INDEX slots ON cvm (slot DESC);"
			  "PRAGMA writable_schema = ON; UPDATE sqlite_schema"
			  " SET sql = 'CREATE INDEX slots ON cvm (slot)' WHERE name = 'slots'");
	registry_room_sql("CREATE TABLE more (n)"); /* so that it is read anew */
	assert_refused(registry_list(r, &all, &count, &e), e, ERR_DATA_LOSS, "the order of slots");
	registry_close(r);
}

static void the_tag_outlives_the_log(void **state)
{
	char first[REGISTRY_TAG_LEN + 1], wal[160];
	struct registry *r;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	strcpy(first, registry_tag(r));
	/* The log is lost while a manager has it open, as after a crash of the machine. */
	snprintf(wal, sizeof(wal), "%s-wal", registry_room_path);
	assert_int_equal(unlink(registry_room_tag), 0);
	assert_int_equal(truncate(wal, 0), 0);
	registry_close(r);
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_string_equal(registry_tag(r), first);
	registry_close(r);
	/* And the file is made again from the registry. */
	assert_int_equal(unlink(registry_room_path), 0);
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_string_equal(registry_tag(r), first);
	registry_close(r);
}

/* Every page but the first, each overwritten in its turn. */
static void a_damaged_database_is_refused_and_never_taken_for_an_empty_one(void **state)
{
	struct cvm *all;
	struct registry *r;
	uint8_t *bytes;
	size_t count, len;
	struct err e;

	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	for (unsigned i = 0; i < 8; i++) {
		struct cvm cvm = registry_room_cvm(i);

		assert_ok(registry_add(r, &cvm, &e), e);
	}
	registry_close(r);
	assert_ok(file_read(registry_room_path, 1 << 20, &bytes, &len, &e), e);
	assert_true(len >= 3 * 4096);
	for (size_t page = 1; page < len / 4096; page++) {
		uint8_t kept[4096];
		int failed;

		memcpy(kept, bytes + page * 4096, sizeof(kept));
		memset(bytes + page * 4096, 0x5a, sizeof(kept));
		assert_ok(file_write(registry_room_path, bytes, len, 0600, &e), e);
		memcpy(bytes + page * 4096, kept, sizeof(kept));
		failed = registry_open(registry_room_folder, registry_room_place(), &r, &e);
		if (failed == 0) {
			failed = registry_list(r, &all, &count, &e);
			registry_close(r);
		}
		assert_true(failed < 0);
	}
	/* Cut short. */
	for (size_t cut = 4096; cut < len; cut += 4096) {
		assert_ok(file_write(registry_room_path, bytes, cut, 0600, &e), e);
		assert_refused(registry_open(registry_room_folder, registry_room_place(), &r, &e),
			       e, ERR_DATA_LOSS, "damaged; move registry.db away");
	}
	free(bytes);
}

static void a_record_of_the_first_version_is_read(void **state)
{
	struct cvm back;
	struct err e;

	registry_room_first();
	assert_ok(registry_saved(registry_room_path, registry_room_cvm(1).id, &back, &e), e);
	registry_room_check_first(&back);
	registry_room_form(REGISTRY_VERSION + 1);
	assert_refused(registry_saved(registry_room_path, registry_room_cvm(1).id, &back, &e), e,
		       ERR_PRECONDITION, "newer");
	registry_room_form(0);
	assert_refused(registry_saved(registry_room_path, registry_room_cvm(1).id, &back, &e), e,
		       ERR_DATA_LOSS, "version");
}

static void a_record_is_copied_and_read_back_alone(void **state)
{
	struct cvm one = registry_room_cvm(1), back;
	struct registry *r;
	char copy[160];
	uint8_t noise[512];
	struct err e;

	snprintf(copy, sizeof(copy), "%s/record.db", registry_room_folder);
	assert_ok(registry_open(registry_room_folder, registry_room_place(), &r, &e), e);
	assert_ok(registry_save(r, copy, &one, &e), e);
	assert_refused(registry_save(r, copy, &one, &e), e, ERR_EXISTS, "record.db");
	registry_close(r);
	assert_ok(registry_saved(copy, one.id, &back, &e), e);
	one.step = CVM_RUNNING;
	assert_cvm_equal(&one, &back);
	assert_refused(registry_saved(copy, registry_room_cvm(2).id, &back, &e), e, ERR_DATA_LOSS,
		       "no record of CVM");
	assert_ok(file_write(registry_room_path, "", 0, 0600, &e), e);
	assert_refused(registry_saved(registry_room_path, one.id, &back, &e), e, ERR_DATA_LOSS,
		       "its version is none");
	memset(noise, 0x5a, sizeof(noise));
	assert_ok(file_write(copy, noise, sizeof(noise), 0600, &e), e);
	assert_refused(registry_saved(copy, one.id, &back, &e), e, ERR_DATA_LOSS, "damaged: ");
	assert_null(strstr(e.text, "registry.db"));
	unlink(copy);
	assert_refused(registry_saved(copy, one.id, &back, &e), e, ERR_INTERNAL, "unable to open");
}

/* SQLite says 'disk I/O error' of all of them; here files must not grow. */
static void what_the_disk_says_is_told(void **state)
{
	const struct rlimit small = { .rlim_cur = 100, .rlim_max = RLIM_INFINITY };
	struct rlimit before;
	struct registry *r;
	struct err e;
	int failed;

	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	failed = registry_open(registry_room_folder, registry_room_place(), &r, &e);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_refused(failed, e, ERR_INTERNAL, "I/O error: File too large");
}

static int refuse_reads(void *data, int action, const char *a, const char *b, const char *c,
			const char *d)
{
	return action == SQLITE_READ ? SQLITE_DENY : SQLITE_OK;
}

static void a_look_that_fails_leaves_nothing_open(void **state)
{
	struct db db;
	struct err e;

	assert_ok(db_sqlite_open(&db, registry_room_path, &e), e);
	sqlite3_set_authorizer(db_sqlite_of(&db), refuse_reads, NULL);
	assert_refused(db_snapshot(&db, &e), e, ERR_INTERNAL, "not authorized");
	sqlite3_set_authorizer(db_sqlite_of(&db), NULL, NULL);
	assert_ok(db_begin(&db, &e), e);
	db_rollback(&db);
	db_close(&db);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		REGISTRY_ROOM_ROW(files_that_are_no_databases_are_refused),
		REGISTRY_ROOM_ROW(tables_of_another_form_are_refused),
		REGISTRY_ROOM_ROW(rows_in_another_order_are_refused),
		REGISTRY_ROOM_ROW(the_tag_outlives_the_log),
		REGISTRY_ROOM_ROW(a_damaged_database_is_refused_and_never_taken_for_an_empty_one),
		REGISTRY_ROOM_ROW(a_record_of_the_first_version_is_read),
		REGISTRY_ROOM_ROW(a_record_is_copied_and_read_back_alone),
		REGISTRY_ROOM_ROW(what_the_disk_says_is_told),
		REGISTRY_ROOM_ROW(a_look_that_fails_leaves_nothing_open),
	};

	return cmocka_run_group_tests(tests, registry_room_enter, registry_room_end);
}
