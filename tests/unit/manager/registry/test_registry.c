/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file.h"
#include "manager/registry/registry.h"
#include "tests/unit/folder.h"
#include "tests/unit/manager/cvm_equal.h"

#include <signal.h>
#include <sys/resource.h>
#include <sqlite3.h>

static char path[128], tag_path[128];

static int make_dir(void **state)
{
	if (folder_make(state) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/registry.db", test_folder);
	snprintf(tag_path, sizeof(tag_path), "%s/tag", test_folder);
	return 0;
}

static int remove_file(void **state)
{
	char name[160];

	unlink(path);
	snprintf(name, sizeof(name), "%s-wal", path);
	unlink(name);
	snprintf(name, sizeof(name), "%s-shm", path);
	unlink(name);
	unlink(tag_path);
	return 0;
}

static struct cvm some_cvm(unsigned n)
{
	struct cvm cvm = {
		.step = CVM_FILES,
		.slot = n,
		.port = (uint16_t)(7100 + n),
		.created_ms = 1700000000000 + n,
		.expires_ms = 1800000000000,
		.tee = DOMAIN_TDX,
		.kvm = true,
		.cpus = 3,
		.name = "ward-7",
		.labels = "owner=st.mary,study=7",
		.owner = "ward-7",
		.host = "rack-2",
		.memory = (uint64_t)2 << 30,
		.cpu_type = "EPYC-v4",
		.firmware = "/f.fd",
		.image = "base abc",
		.cmdline = "console=ttyS0",
		.expected = "{}",
		.boot_sha3_256 = { 1, 2, 3 },
		.boot_sha3_384 = { 4, 5, 6 },
	};

	snprintf(cvm.id, sizeof(cvm.id), "00000000-0000-4000-8000-%012u", n);
	return cvm;
}

static void what_was_recorded_is_read_back_after_reopening(void **state)
{
	struct cvm one = some_cvm(1), two = some_cvm(0), *all;
	char tag[REGISTRY_TAG_LEN + 1];
	struct registry *r;
	size_t count;
	struct err e;

	assert_ok(registry_open(test_folder, &r, &e), e);
	strcpy(tag, registry_tag(r));
	assert_ok(registry_add(r, &one, &e), e);
	assert_ok(registry_add(r, &two, &e), e);
	assert_ok(registry_set_step(r, one.id, CVM_FORWARD, &e), e);
	assert_ok(registry_set_port(r, one.id, 9999, &e), e);
	registry_close(r);
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_string_equal(tag, registry_tag(r));
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 2);
	one.step = CVM_FORWARD;
	one.port = 9999;
	assert_cvm_equal(&all[0], &two); /* by slot */
	assert_cvm_equal(&all[1], &one);
	free(all);
	assert_ok(registry_delete(r, &one, &e), e);
	assert_ok(registry_delete(r, &two, &e), e);
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 0);
	free(all);
	registry_close(r);
}

static void nothing_is_taken_twice(void **state)
{
	struct cvm one = some_cvm(1), other = some_cvm(2);
	struct registry *r;
	struct err e;

	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_ok(registry_add(r, &one, &e), e);
	strcpy(other.id, one.id);
	assert_refused(registry_add(r, &other, &e), e, ERR_EXISTS, "id");
	other = some_cvm(2);
	other.slot = one.slot;
	assert_refused(registry_add(r, &other, &e), e, ERR_EXISTS, "slot");
	other = some_cvm(2);
	other.port = one.port;
	assert_refused(registry_add(r, &other, &e), e, ERR_EXISTS, "port");
	other = some_cvm(2);
	assert_ok(registry_add(r, &other, &e), e);
	assert_refused(registry_set_port(r, other.id, one.port, &e), e, ERR_EXISTS, "port");
	registry_close(r);
}

static void unknown_cvms_are_not_found(void **state)
{
	struct cvm none = some_cvm(9);
	struct registry *r;
	struct err e;

	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_refused(registry_set_step(r, "x", CVM_DOMAIN, &e), e, ERR_NOT_FOUND, "x");
	assert_refused(registry_set_port(r, "x", 1, &e), e, ERR_NOT_FOUND, "x");
	assert_refused(registry_delete(r, &none, &e), e, ERR_NOT_FOUND, none.id);
	registry_close(r);
}

static void run_sql(const char *sql)
{
	sqlite3 *db;

	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void files_of_another_form_are_refused(void **state)
{
	struct registry *r;
	struct err e;

	assert_ok(registry_open(test_folder, &r, &e), e);
	registry_close(r);
	run_sql("PRAGMA user_version = 6");
	assert_refused(registry_open(test_folder, &r, &e), e, ERR_PRECONDITION, "newer manager");
	run_sql("PRAGMA user_version = -1");
	assert_refused(registry_open(test_folder, &r, &e), e, ERR_DATA_LOSS, "version is none");
	run_sql("PRAGMA user_version = 5; DELETE FROM meta");
	assert_refused(registry_open(test_folder, &r, &e), e, ERR_DATA_LOSS, "tag");
	run_sql("INSERT INTO meta VALUES ('tag', '../../..')");
	assert_refused(registry_open(test_folder, &r, &e), e, ERR_DATA_LOSS, "tag");
	remove_file(NULL);
	assert_ok(file_write(path, "not a database, but long enough to be looked at...........", 55,
			     0600, &e),
		  e);
	assert_refused(registry_open(test_folder, &r, &e), e, ERR_DATA_LOSS,
		       "damaged; move registry.db away");
	assert_non_null(strstr(e.text, "not a database"));
	assert_refused(registry_open("/proc/nowhere", &r, &e), e, ERR_INTERNAL, "/proc/nowhere");
}

#define ID "'00000000-0000-4000-8000-000000000001'"

/* What is read becomes folders that are removed: 'id' first. */
static void rows_of_another_form_are_refused(void **state)
{
	static const struct {
		const char *sql, *words;
	} rows[] = {
		{ "id = '../..'", "id is no UUID" },
		{ "id = ''", "id is no UUID" },
		{ "id = '.'", "id is no UUID" },
		{ "id = '00000000-0000-4000-8000-00000000000'", "id is no UUID" },
		{ "id = '00000000-0000-4000-8000-00000000000G'", "id is no UUID" },
		{ "id = '00000000-0000-4000-8000-00000000000A'", "id is no UUID" },
		{ "id = '00000000-0000-4000-8000/000000000001'", "id is no UUID" },
		{ "id = '../../../../../../../../../../../etc'", "id is no UUID" },
		{ "id = id || '1'", "id is too long" },
		{ "id = '00000000-0000-4000-8000-000000000001' || char(0)", "id is too long" },
		{ "id = '00000000-0000-4000-8000-0000000000' || char(0) || '1'",
		  "no text of ours" },
		{ "id = CAST(x'ff' AS TEXT)", "no text of ours" },
		{ "slot = -1", "slot is out of range" },
		{ "slot = 16384", "slot is out of range" },
		{ "slot = 4294967297", "slot is out of range" },
		{ "port = 0", "port is out of range" },
		{ "port = -1", "port is out of range" },
		{ "port = 65536", "port is out of range" },
		{ "port = 72636", "port is out of range" },
		{ "step = 0", "step is out of range" },
		{ "step = 7", "step is out of range" },
		{ "created_ms = -1", "created_ms is out of range" },
		{ "expires_ms = -1", "expires_ms is out of range" },
		{ "expires_ms = 1", "before its created_ms" },
		{ "tee = -1", "tee is out of range" },
		{ "tee = 3", "tee is out of range" },
		{ "kvm = 2", "kvm is out of range" },
		{ "cpus = 0", "cpus is out of range" },
		{ "cpus = 4097", "cpus is out of range" },
		{ "memory = -1", "memory is out of range" },
		{ "name = 'Ward'", "name is none" },
		{ "name = printf('%.*c', 64, 'x')", "name is too long" },
		{ "labels = 'b=1,a=2'", "labels are none" },
		{ "labels = 'a'", "labels are none" },
		{ "owner = 'A'", "owner is no tenant's name" },
		{ "owner = '../b'", "owner is no tenant's name" },
		{ "owner = 'a' || char(10)", "no text of ours" },
		{ "owner = hex(zeroblob(32))", "owner is too long" },
		{ "cpu_type = printf('%.*c', 256, 'x')", "cpu_type is too long" },
		{ "firmware = char(10)", "no text of ours" },
		{ "image = CAST(x'c0af' AS TEXT)", "no text of ours" },
		{ "cmdline = printf('%.*c', 2064, 'x')", "cmdline is too long" },
		{ "boot_sha3_256 = x''", "length of a digest" },
		{ "boot_sha3_256 = zeroblob(31)", "length of a digest" },
		{ "boot_sha3_256 = zeroblob(33)", "length of a digest" },
		{ "boot_sha3_384 = zeroblob(47)", "length of a digest" },
		{ "expected = printf('%.*c', 8192, 'x')", "expected is too long" },
	};
	struct cvm one = some_cvm(1), *all;
	struct registry *r;
	char sql[256];
	size_t count;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(registry_open(test_folder, &r, &e), e);
		assert_ok(registry_add(r, &one, &e), e);
		registry_close(r);
		snprintf(sql, sizeof(sql), "UPDATE cvm SET %s", rows[i].sql);
		run_sql(sql);
		assert_ok(registry_open(test_folder, &r, &e), e);
		assert_refused(registry_list(r, &all, &count, &e), e, ERR_DATA_LOSS, rows[i].words);
		assert_non_null(strstr(e.text, "move registry.db away"));
		registry_close(r);
		remove_file(NULL);
	}
}

/* The longest and largest that we write are read back. */
static void rows_at_their_limits_are_read(void **state)
{
	struct cvm one = some_cvm(1), *all;
	struct registry *r;
	size_t count;
	struct err e;

	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_ok(registry_add(r, &one, &e), e);
	registry_close(r);
	run_sql("UPDATE cvm SET slot = 16383, port = 65535, cpus = 4096, expires_ms = created_ms,"
		" cpu_type = printf('%.*c', 255, 'x'), cmdline = printf('%.*c', 2063, 'x'),"
		" expected = printf('%.*c', 8190, 'x') || char(10)");
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 1);
	assert_int_equal(all[0].slot, 16383);
	assert_int_equal(all[0].port, 65535);
	assert_int_equal(strlen(all[0].expected), 8191);
	free(all);
	registry_close(r);
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
		  ", 1, 7100, 4, 0, 0, 0, 0, 1, NULL, '', '', '', zeroblob(32), zeroblob(48), '', '', '', 0, '', '' "
		  "UNION ALL SELECT '00000000-0000-4000-8000-000000000002', 1, 7101, 4, 0, 0, 0, 0, 1",
		  "cpu_type is no text" },
	};
	struct cvm *all;
	struct registry *r;
	char sql[1024];
	size_t count;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(registry_open(test_folder, &r, &e), e);
		registry_close(r);
		snprintf(
			sql, sizeof(sql),
			"DROP TABLE cvm; CREATE TABLE cvm (id, %s);"
			"INSERT INTO cvm SELECT %s, '', '', '', '', zeroblob(32), zeroblob(48), '',"
			" '', '', 0, '', ''",
			columns, rows[i].values);
		run_sql(sql);
		assert_ok(registry_open(test_folder, &r, &e), e);
		assert_refused(registry_list(r, &all, &count, &e), e, ERR_DATA_LOSS, rows[i].words);
		registry_close(r);
		remove_file(NULL);
	}
	/* Two rows in one slot, which our table forbids. */
	assert_ok(registry_open(test_folder, &r, &e), e);
	registry_close(r);
	snprintf(
		sql, sizeof(sql),
		"DROP TABLE cvm; CREATE TABLE cvm (id, %s); INSERT INTO cvm SELECT " ID
		", 1, 7100, 4, 0, 0, 0, 0, 1, '', '', '', '', zeroblob(32), zeroblob(48), '', '', '', 0, '', '';"
		"INSERT INTO cvm SELECT '00000000-0000-4000-8000-000000000002', %s FROM cvm",
		columns, columns);
	run_sql(sql);
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_refused(registry_list(r, &all, &count, &e), e, ERR_DATA_LOSS, "one slot");
	registry_close(r);
	run_sql("DROP TABLE cvm; CREATE TABLE cvm (id)");
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_refused(registry_list(r, &all, &count, &e), e, ERR_INTERNAL, "no such column");
	registry_close(r);
}

/* Domains bear the tag: another one would make them nobody's. */
static void the_tag_outlives_the_database(void **state)
{
	char first[REGISTRY_TAG_LEN + 1], wal[160];
	struct registry *r;
	struct err e;

	assert_ok(registry_open(test_folder, &r, &e), e);
	strcpy(first, registry_tag(r));
	registry_close(r);
	assert_int_equal(unlink(path), 0);
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_string_equal(registry_tag(r), first);
	/* The log is lost while a manager has it open, as after a crash of the machine. */
	snprintf(wal, sizeof(wal), "%s-wal", path);
	assert_int_equal(unlink(tag_path), 0);
	assert_int_equal(truncate(wal, 0), 0);
	registry_close(r);
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_string_equal(registry_tag(r), first);
	registry_close(r);
	/* And the file is made again from the registry. */
	assert_int_equal(unlink(path), 0);
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_string_equal(registry_tag(r), first);
	registry_close(r);
}

static void write_tag(const char *text)
{
	struct err e;

	assert_ok(file_write(tag_path, text, strlen(text), 0600, &e), e);
}

static void a_tag_file_of_another_form_or_manager_is_refused(void **state)
{
	static const char *const bad[] = { "",          "abcdefg",    "abcdefgh", "0123abcde\n",
					   "0123abc\n", "../../ab\n", "0123ABCD" };
	struct registry *r;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		write_tag(bad[i]);
		assert_refused(registry_open(test_folder, &r, &e), e, ERR_DATA_LOSS, "tag");
	}
	write_tag("0123abcd\n");
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_string_equal(registry_tag(r), "0123abcd");
	registry_close(r);
	write_tag("0123abce\n");
	assert_refused(registry_open(test_folder, &r, &e), e, ERR_DATA_LOSS,
		       "says 0123abce, the registry 0123abcd");
}

/* Every page but the first, each overwritten in its turn. */
static void a_damaged_database_is_refused_and_never_taken_for_an_empty_one(void **state)
{
	struct cvm *all;
	struct registry *r;
	uint8_t *bytes;
	size_t count, len;
	struct err e;

	assert_ok(registry_open(test_folder, &r, &e), e);
	for (unsigned i = 0; i < 8; i++) {
		struct cvm cvm = some_cvm(i);

		assert_ok(registry_add(r, &cvm, &e), e);
	}
	registry_close(r);
	assert_ok(file_read(path, 1 << 20, &bytes, &len, &e), e);
	assert_true(len >= 3 * 4096);
	for (size_t page = 1; page < len / 4096; page++) {
		uint8_t kept[4096];
		int failed;

		memcpy(kept, bytes + page * 4096, sizeof(kept));
		memset(bytes + page * 4096, 0x5a, sizeof(kept));
		assert_ok(file_write(path, bytes, len, 0600, &e), e);
		memcpy(bytes + page * 4096, kept, sizeof(kept));
		failed = registry_open(test_folder, &r, &e);
		if (failed == 0) {
			failed = registry_list(r, &all, &count, &e);
			registry_close(r);
		}
		assert_true(failed < 0);
	}
	/* Cut short. */
	for (size_t cut = 4096; cut < len; cut += 4096) {
		assert_ok(file_write(path, bytes, cut, 0600, &e), e);
		assert_refused(registry_open(test_folder, &r, &e), e, ERR_DATA_LOSS,
			       "damaged; move registry.db away");
	}
	free(bytes);
}

/* The oldest of whoever has most of them is forgotten. */
static void each_owner_has_a_share_of_what_is_remembered(void **state)
{
	static struct cvm_gone gone[REGISTRY_GONE_MAX];
	struct cvm cvm = some_cvm(2000);
	struct registry *r;
	size_t count;
	struct err e;

	assert_ok(registry_open(test_folder, &r, &e), e);
	run_sql("PRAGMA synchronous = OFF; DELETE FROM gone; WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT"
		" i + 1 FROM n WHERE i < 1023) INSERT INTO gone (id, owner) SELECT"
		" printf('00000000-0000-4000-8000-%012d', i), iif(i < 2, 'paul', 'ward-7') FROM n");
	for (unsigned i = 0; i < 3; i++) {
		cvm = some_cvm(2000 + i);
		assert_ok(registry_add(r, &cvm, &e), e);
		assert_ok(registry_delete(r, &cvm, &e), e);
	}
	assert_ok(registry_gone(r, gone, &count, &e), e);
	assert_int_equal(count, REGISTRY_GONE_MAX);
	assert_string_equal(gone[0].id, some_cvm(0).id);
	assert_string_equal(gone[1].id, some_cvm(1).id);
	assert_string_equal(gone[2].id, some_cvm(5).id);
	assert_string_equal(gone[REGISTRY_GONE_MAX - 1].id, cvm.id);
	run_sql("DELETE FROM gone");
	registry_close(r);
}

static void what_was_deleted_is_remembered_for_a_while(void **state)
{
	static struct cvm_gone gone[REGISTRY_GONE_MAX];
	struct cvm cvm = some_cvm(5000);
	struct registry *r;
	struct cvm_gone last;
	size_t count;
	struct err e;

	assert_ok(registry_open(test_folder, &r, &e), e);
	run_sql("PRAGMA synchronous = OFF; WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n"
		" WHERE i < 1022) INSERT INTO gone (id) SELECT"
		" printf('00000000-0000-4000-8000-%012d', i) FROM n");
	assert_refused(registry_delete(r, &cvm, &e), e, ERR_NOT_FOUND, "5000");
	for (unsigned i = 0; i < 2; i++) {
		cvm = some_cvm(2000 + i);
		assert_ok(registry_add(r, &cvm, &e), e);
		cvm.why = CVM_EXPIRED;
		cvm.exited_ms = 1800000000001;
		assert_ok(registry_delete(r, &cvm, &e), e);
	}
	registry_close(r);
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_ok(registry_gone(r, gone, &count, &e), e);
	assert_int_equal(count, REGISTRY_GONE_MAX);
	assert_string_equal(gone[0].id, some_cvm(1).id); /* 0 was the oldest */
	assert_string_equal(gone[REGISTRY_GONE_MAX - 3].id, some_cvm(1022).id);
	assert_int_equal(gone[REGISTRY_GONE_MAX - 3].why, CVM_WHY_NONE);
	assert_string_equal(gone[REGISTRY_GONE_MAX - 2].id, some_cvm(2000).id);
	last = gone[REGISTRY_GONE_MAX - 1];
	assert_string_equal(last.id, cvm.id);
	assert_string_equal(last.name, cvm.name);
	assert_string_equal(last.labels, cvm.labels);
	assert_int_equal(last.tee, cvm.tee);
	assert_int_equal(last.kvm, cvm.kvm);
	assert_int_equal(last.why, CVM_EXPIRED);
	assert_int_equal(last.created_ms, cvm.created_ms);
	assert_int_equal(last.exited_ms, cvm.exited_ms);
	registry_close(r);
	/* What of them is not as we write it is left out: an id leads to domains, the rest to nobody. */
	run_sql("UPDATE gone SET id = '../..' WHERE nr < 1025;"
		"UPDATE gone SET name = 'A', labels = 'x', tee = 3, kvm = 2, why = 7, created_ms = -1,"
		" exited_ms = -1");
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_ok(registry_gone(r, gone, &count, &e), e);
	assert_int_equal(count, 1);
	assert_string_equal(gone[0].id, cvm.id);
	assert_string_equal(gone[0].name, "");
	assert_string_equal(gone[0].labels, "");
	assert_int_equal(gone[0].tee, DOMAIN_PLAIN);
	assert_false(gone[0].kvm);
	assert_int_equal(gone[0].why, CVM_WHY_NONE);
	assert_int_equal(gone[0].created_ms | gone[0].exited_ms, 0);
	registry_close(r);
}

/* The tables as the first version made them. */
static const char first_version[] =
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;"
	"CREATE TABLE cvm (id TEXT PRIMARY KEY, slot INTEGER NOT NULL UNIQUE,"
	" port INTEGER NOT NULL UNIQUE, step INTEGER NOT NULL, created_ms INTEGER NOT NULL,"
	" expires_ms INTEGER NOT NULL, tee INTEGER NOT NULL, kvm INTEGER NOT NULL,"
	" cpus INTEGER NOT NULL, cpu_type TEXT NOT NULL, firmware TEXT NOT NULL,"
	" image TEXT NOT NULL, cmdline TEXT NOT NULL, boot_sha3_256 BLOB NOT NULL,"
	" boot_sha3_384 BLOB NOT NULL, expected TEXT NOT NULL) STRICT;"
	"PRAGMA user_version = 1;"
	"INSERT INTO meta VALUES ('tag', '0123abcd');"
	"INSERT INTO cvm VALUES (" ID ", 3, 7103, 4, 5, 0, 1, 1, 2, 'EPYC-v4', '/f.fd', 'base abc',"
	" 'quiet', zeroblob(32), zeroblob(48), '{}');";

static void check_first(const struct cvm *cvm)
{
	assert_int_equal(cvm->slot, 3);
	assert_int_equal(cvm->port, 7103);
	assert_int_equal(cvm->step, CVM_RUNNING);
	assert_string_equal(cvm->cpu_type, "EPYC-v4");
	assert_string_equal(cvm->name, "");
	assert_string_equal(cvm->labels, "");
	assert_int_equal(cvm->memory, 0);
}

static void a_registry_of_the_first_version_is_taken_over(void **state)
{
	static struct cvm_gone gone[REGISTRY_GONE_MAX];
	struct cvm *all, more = some_cvm(2);
	struct registry *r;
	size_t count;
	struct err e;

	for (int has_gone = 0; has_gone < 2; has_gone++) {
		run_sql(first_version);
		if (has_gone) /* as later managers of that version made it */
			run_sql("CREATE TABLE gone (nr INTEGER PRIMARY KEY AUTOINCREMENT,"
				" id TEXT NOT NULL) STRICT;"
				"INSERT INTO gone (id) VALUES ('00000000-0000-4000-8000-000000000077')");
		for (int times = 0; times < 2; times++) {
			assert_ok(registry_open(test_folder, &r, &e), e);
			assert_string_equal(registry_tag(r), "0123abcd");
			assert_int_equal(registry_epoch(r), 1 + times);
			assert_ok(registry_list(r, &all, &count, &e), e);
			assert_int_equal(count, 1);
			check_first(&all[0]);
			free(all);
			assert_ok(registry_gone(r, gone, &count, &e), e);
			assert_int_equal(count, has_gone);
			if (has_gone)
				assert_string_equal(gone[0].id, some_cvm(77).id);
			registry_close(r);
		}
		assert_ok(registry_open(test_folder, &r, &e), e);
		assert_ok(registry_add(r, &more, &e), e);
		assert_ok(registry_delete(r, &more, &e), e);
		assert_ok(registry_gone(r, gone, &count, &e), e);
		assert_string_equal(gone[count - 1].name, more.name);
		registry_close(r);
		remove_file(NULL);
	}
}

/* Its CVMs run on the one host that it had. */
static void a_registry_of_the_third_version_is_taken_over(void **state)
{
	struct cvm cvm = some_cvm(1), *all;
	struct registry *r;
	size_t count;
	struct err e;

	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_ok(registry_add(r, &cvm, &e), e);
	registry_close(r);
	run_sql("DROP TABLE host; ALTER TABLE cvm DROP COLUMN host; PRAGMA user_version = 3");
	for (int times = 0; times < 2; times++) {
		assert_ok(registry_open(test_folder, &r, &e), e);
		assert_ok(registry_list(r, &all, &count, &e), e);
		assert_int_equal(count, 1);
		cvm.host[0] = '\0';
		assert_cvm_equal(&all[0], &cvm);
		free(all);
		registry_close(r);
	}
	run_sql("UPDATE cvm SET host = '../x'");
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_refused(registry_list(r, &all, &count, &e), e, ERR_DATA_LOSS, "is no host's name");
	registry_close(r);
}

static const struct registry_host a_host = { .name = "ward-4",
					     .uri = "qemu+tls://ward-4/system",
					     .words = "tees=none address=10.0.0.4",
					     .draining = true };

static void assert_host(const struct registry_host *is, const char *name, const char *uri,
			bool draining)
{
	assert_string_equal(is->name, name);
	assert_string_equal(is->uri, uri);
	assert_int_equal(is->draining, draining);
}

/* What it was made of, one step back after the other. */
static void a_registry_of_each_earlier_version_is_taken_over(void **state)
{
	static const char *const back[] = {
		"DROP TABLE host; PRAGMA user_version = 4",
		"DROP TABLE host; ALTER TABLE cvm DROP COLUMN host; PRAGMA user_version = 3",
		("DROP TABLE host; ALTER TABLE cvm DROP COLUMN host; ALTER TABLE cvm DROP COLUMN owner;"
		 "ALTER TABLE gone DROP COLUMN owner; PRAGMA user_version = 2"),
	};
	struct registry_host *hosts;
	struct cvm cvm, *all;
	struct registry *r;
	size_t count;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(back) + 1; i++) {
		cvm = some_cvm(1);
		if (i < ARRAY_LEN(back)) {
			assert_ok(registry_open(test_folder, &r, &e), e);
			assert_ok(registry_add(r, &cvm, &e), e);
			registry_close(r);
			run_sql(back[i]);
		} else {
			run_sql(first_version);
		}
		for (int times = 0; times < 2; times++) {
			assert_ok(registry_open(test_folder, &r, &e), e);
			assert_ok(registry_list(r, &all, &count, &e), e);
			assert_int_equal(count, 1);
			assert_string_equal(all[0].id, cvm.id);
			assert_string_equal(all[0].host, i == 0 ? cvm.host : "");
			assert_string_equal(all[0].owner, i < 2 ? cvm.owner : "");
			free(all);
			assert_ok(registry_hosts(r, &hosts, &count, &e), e);
			assert_int_equal(count, times);
			if (!times)
				assert_ok(registry_host_add(r, &a_host, &e), e);
			else
				assert_host(hosts, "ward-4", a_host.uri, true);
			free(hosts);
			registry_close(r);
		}
		remove_file(NULL);
	}
}

static void hosts_are_kept_in_the_order_in_which_they_were_added(void **state)
{
	struct registry_host other = a_host, *all;
	struct registry *r;
	size_t count;
	struct err e;

	strcpy(other.name, "a");
	other.draining = false;
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_ok(registry_host_add(r, &a_host, &e), e);
	assert_refused(registry_host_add(r, &a_host, &e), e, ERR_EXISTS, "name");
	assert_ok(registry_host_add(r, &other, &e), e);
	assert_ok(registry_host_drain(r, "ward-4", false, &e), e);
	assert_ok(registry_host_drain(r, "here", true, &e), e);
	assert_ok(registry_host_drain(r, "here", true, &e), e);
	registry_close(r);
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_ok(registry_hosts(r, &all, &count, &e), e);
	assert_int_equal(count, 3);
	assert_host(&all[0], "ward-4", a_host.uri, false);
	assert_string_equal(all[0].words, a_host.words);
	assert_host(&all[1], "a", a_host.uri, false);
	assert_host(&all[2], "here", "", true);
	free(all);
	assert_ok(registry_host_drain(r, "ward-4", true, &e), e);
	assert_ok(registry_host_settle(r, "ward-4", &e), e);
	assert_ok(registry_host_settle(r, "nobody", &e), e);
	assert_ok(registry_hosts(r, &all, &count, &e), e);
	assert_int_equal(count, 3);
	assert_host(&all[0], "ward-4", "", true);
	assert_string_equal(all[0].words, "");
	free(all);
	assert_ok(registry_host_drop(r, "ward-4", &e), e);
	assert_ok(registry_host_drop(r, "ward-4", &e), e);
	assert_ok(registry_hosts(r, &all, &count, &e), e);
	assert_int_equal(count, 2);
	free(all);
	registry_close(r);
}

static void hosts_of_another_form_are_refused(void **state)
{
	static const struct {
		const char *sql, *words;
	} rows[] = {
		{ "UPDATE host SET name = 'A'", "name is no host's name" },
		{ "UPDATE host SET name = ''", "name is no host's name" },
		{ "UPDATE host SET name = '../x'", "name is no host's name" },
		{ "UPDATE host SET name = printf('%.*c', 64, 'x')", "name is too long" },
		{ "UPDATE host SET uri = printf('%.*c', 256, 'x')", "uri is too long" },
		{ "UPDATE host SET words = printf('%.*c', 1024, 'x')", "words is too long" },
		{ "UPDATE host SET words = 'a' || char(10) || 'host b'", "no text of ours" },
		{ "UPDATE host SET uri = 'a' || char(0) || 'b'", "no text of ours" },
		{ "UPDATE host SET uri = CAST(x'c0af' AS TEXT)", "no text of ours" },
		{ "UPDATE host SET draining = 2", "draining is neither 0 nor 1" },
		{ "UPDATE host SET draining = -1", "draining is neither 0 nor 1" },
		{ "DROP TABLE host; CREATE TABLE host (nr, name, uri, words, draining);"
		  "INSERT INTO host VALUES (1, x'00', '', '', 0)",
		  "name is no text" },
		{ "DROP TABLE host; CREATE TABLE host (nr, name, uri, words, draining);"
		  "INSERT INTO host VALUES (1, 'a', '', '', 'x')",
		  "draining is neither" },
		{ "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 127)"
		  " INSERT INTO host (name, uri, words, draining) SELECT 'h' || i, '', '', 0 FROM n",
		  "more than 128 hosts" },
	};
	struct registry_host *all;
	struct registry *r;
	size_t count;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(registry_open(test_folder, &r, &e), e);
		assert_ok(registry_host_add(r, &a_host, &e), e);
		registry_close(r);
		run_sql(rows[i].sql);
		assert_ok(registry_open(test_folder, &r, &e), e);
		assert_refused(registry_hosts(r, &all, &count, &e), e, ERR_DATA_LOSS,
			       rows[i].words);
		assert_non_null(strstr(e.text, "move registry.db away"));
		registry_close(r);
		remove_file(NULL);
	}
	/* As many as there may be, of the longest words. */
	assert_ok(registry_open(test_folder, &r, &e), e);
	run_sql("WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 127)"
		" INSERT INTO host (name, uri, words, draining) SELECT 'h' || i,"
		" printf('%.*c', 255, 'x'), printf('%.*c', 1023, 'x'), 1 FROM n");
	assert_ok(registry_hosts(r, &all, &count, &e), e);
	assert_int_equal(count, REGISTRY_HOSTS_MAX);
	assert_int_equal(strlen(all[127].words), 1023);
	free(all);
	registry_close(r);
}

/* Only whole: what an update could not finish is as it was. */
static void an_update_that_fails_changes_nothing(void **state)
{
	struct registry *r;
	struct err e;

	run_sql(first_version);
	run_sql("CREATE TABLE gone (nr INTEGER PRIMARY KEY, id TEXT, exited_ms INTEGER)");
	assert_refused(registry_open(test_folder, &r, &e), e, ERR_INTERNAL, "exited_ms");
	run_sql("DROP TABLE gone");
	assert_ok(registry_open(test_folder, &r, &e), e);
	registry_close(r);
}

static void a_record_of_the_first_version_is_read(void **state)
{
	struct cvm back;
	struct err e;

	run_sql(first_version);
	assert_ok(registry_saved(path, some_cvm(1).id, &back, &e), e);
	check_first(&back);
	run_sql("PRAGMA user_version = 6");
	assert_refused(registry_saved(path, some_cvm(1).id, &back, &e), e, ERR_PRECONDITION,
		       "newer");
	run_sql("PRAGMA user_version = 0");
	assert_refused(registry_saved(path, some_cvm(1).id, &back, &e), e, ERR_DATA_LOSS,
		       "version");
}

/* Revisions must never come again. */
static void an_epoch_that_is_none_is_refused(void **state)
{
	static const char *const bad[] = { "''",        "'x'",        "'-1'", "'0'",
					   "'8388607'", "'12345678'", "'1 '" };
	struct registry *r;
	char sql[96];
	struct err e;

	assert_ok(registry_open(test_folder, &r, &e), e);
	registry_close(r);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		snprintf(sql, sizeof(sql), "UPDATE meta SET value = %s WHERE key = 'epoch'",
			 bad[i]);
		run_sql(sql);
		assert_refused(registry_open(test_folder, &r, &e), e, ERR_DATA_LOSS, "epoch");
	}
	run_sql("UPDATE meta SET value = '8388606' WHERE key = 'epoch'");
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_int_equal(registry_epoch(r), REGISTRY_EPOCH_MAX);
	registry_close(r);
}

static void a_record_is_copied_and_read_back_alone(void **state)
{
	struct cvm one = some_cvm(1), back;
	struct registry *r;
	char copy[160];
	uint8_t noise[512];
	struct err e;

	snprintf(copy, sizeof(copy), "%s/record.db", test_folder);
	assert_ok(registry_open(test_folder, &r, &e), e);
	assert_ok(registry_save(r, copy, &one, &e), e);
	assert_refused(registry_save(r, copy, &one, &e), e, ERR_EXISTS, "record.db");
	registry_close(r);
	assert_ok(registry_saved(copy, one.id, &back, &e), e);
	one.step = CVM_RUNNING;
	assert_cvm_equal(&one, &back);
	assert_refused(registry_saved(copy, some_cvm(2).id, &back, &e), e, ERR_DATA_LOSS,
		       "no record of CVM");
	assert_ok(file_write(path, "", 0, 0600, &e), e);
	assert_refused(registry_saved(path, one.id, &back, &e), e, ERR_DATA_LOSS,
		       "its version is none");
	memset(noise, 0x5a, sizeof(noise));
	assert_ok(file_write(copy, noise, sizeof(noise), 0600, &e), e);
	assert_refused(registry_saved(copy, one.id, &back, &e), e, ERR_DATA_LOSS, "damaged: ");
	assert_null(strstr(e.text, "registry.db"));
	unlink(copy);
	assert_refused(registry_saved(copy, one.id, &back, &e), e, ERR_INTERNAL, "unable to open");
}

static void more_rows_than_fit_at_first(void **state)
{
	struct registry *r;
	struct cvm *all;
	size_t count;
	struct err e;

	assert_ok(registry_open(test_folder, &r, &e), e);
	for (unsigned i = 0; i < 40; i++) {
		struct cvm cvm = some_cvm(39 - i);

		assert_ok(registry_add(r, &cvm, &e), e);
	}
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 40);
	for (unsigned i = 0; i < 40; i++)
		assert_int_equal(all[i].slot, i);
	free(all);
	registry_close(r);
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
	failed = registry_open(test_folder, &r, &e);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_refused(failed, e, ERR_INTERNAL, "I/O error: File too large");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(what_was_recorded_is_read_back_after_reopening,
					  remove_file),
		cmocka_unit_test_teardown(nothing_is_taken_twice, remove_file),
		cmocka_unit_test_teardown(unknown_cvms_are_not_found, remove_file),
		cmocka_unit_test_teardown(files_of_another_form_are_refused, remove_file),
		cmocka_unit_test_teardown(rows_of_another_form_are_refused, remove_file),
		cmocka_unit_test_teardown(rows_at_their_limits_are_read, remove_file),
		cmocka_unit_test_teardown(tables_of_another_form_are_refused, remove_file),
		cmocka_unit_test_teardown(the_tag_outlives_the_database, remove_file),
		cmocka_unit_test_teardown(a_tag_file_of_another_form_or_manager_is_refused,
					  remove_file),
		cmocka_unit_test_teardown(
			a_damaged_database_is_refused_and_never_taken_for_an_empty_one,
			remove_file),
		cmocka_unit_test_teardown(each_owner_has_a_share_of_what_is_remembered,
					  remove_file),
		cmocka_unit_test_teardown(what_was_deleted_is_remembered_for_a_while, remove_file),
		cmocka_unit_test_teardown(a_registry_of_the_first_version_is_taken_over,
					  remove_file),
		cmocka_unit_test_teardown(an_update_that_fails_changes_nothing, remove_file),
		cmocka_unit_test_teardown(a_registry_of_the_third_version_is_taken_over,
					  remove_file),
		cmocka_unit_test_teardown(a_registry_of_each_earlier_version_is_taken_over,
					  remove_file),
		cmocka_unit_test_teardown(hosts_are_kept_in_the_order_in_which_they_were_added,
					  remove_file),
		cmocka_unit_test_teardown(hosts_of_another_form_are_refused, remove_file),
		cmocka_unit_test_teardown(a_record_of_the_first_version_is_read, remove_file),
		cmocka_unit_test_teardown(an_epoch_that_is_none_is_refused, remove_file),
		cmocka_unit_test_teardown(a_record_is_copied_and_read_back_alone, remove_file),
		cmocka_unit_test_teardown(more_rows_than_fit_at_first, remove_file),
		cmocka_unit_test_teardown(what_the_disk_says_is_told, remove_file),
	};

	return cmocka_run_group_tests(tests, make_dir, folder_remove);
}
