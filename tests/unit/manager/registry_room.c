/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/manager/registry_room.h"

#include "common/base/writer.h"
#include "common/db/db_postgres.h"
#include "common/db/db_sqlite.h"
#include "manager/registry/registry_form.h"
#include "tests/unit/folder.h"

#include <unistd.h>

char registry_room_path[128], registry_room_tag[128];
const char *const registry_room_folder = test_folder;

const struct registry_host registry_room_host = { .name = "ward-4",
						  .uri = "qemu+tls://ward-4/system",
						  .words = "tees=none address=10.0.0.4",
						  .draining = true };

/* The server of tests/postgres.py; NULL: the registry is a file. */
const char *registry_room_place(void)
{
	return getenv("COCOS_TEST_POSTGRES");
}

const char *registry_room_way_out(void)
{
	return registry_room_place() ? "drop its schema" : "move registry.db away";
}

int registry_room_enter(void **state)
{
	if (folder_make(state) < 0)
		return -1;
	snprintf(registry_room_path, sizeof(registry_room_path), "%s/registry.db", test_folder);
	snprintf(registry_room_tag, sizeof(registry_room_tag), "%s/tag", test_folder);
	return 0;
}

int registry_room_end(void **state)
{
	return folder_remove(state);
}

/* As another program has it open. */
static void open_beside(struct db *db)
{
	const struct db_postgres how = { .place = registry_room_place(),
					 .schema = REGISTRY_SCHEMA };
	sqlite3 *file;
	struct err e;

	if (registry_room_place()) {
		assert_ok(db_postgres_open(db, &how, &e), e);
		return;
	}
	assert_int_equal(sqlite3_open(registry_room_path, &file), SQLITE_OK);
	db_sqlite_adopt(db, file);
}

/* {x 64} is a text of so many x, {zero 32} so many bytes of zero; other words are those of db_script(). */
static void write_word(struct writer *w, const char *word, size_t count)
{
	bool is_text = *word == 'x';

	writer_text(w, is_text ? "'" : registry_room_place() ? "'\\x" : "x'");
	for (size_t i = 0; i < count; i++)
		writer_text(w, is_text ? "x" : "00");
	writer_text(w, is_text || !registry_room_place() ? "'" : "'::bytea");
}

static char *expand(const char *sql)
{
	CLEANUP_WRITER struct writer w = writer_up_to(32 << 10);
	size_t len;

	while (*sql) {
		if (strncmp(sql, "{x ", 3) != 0 && strncmp(sql, "{zero ", 6) != 0) {
			writer_u8(&w, (uint8_t)*sql++);
			continue;
		}
		write_word(&w, sql + 1, strtoull(strchr(sql, ' '), NULL, 10));
		sql = strchr(sql, '}') + 1;
	}
	writer_u8(&w, 0);
	return (char *)writer_take(&w, &len);
}

void registry_room_sql(const char *sql)
{
	CLEANUP(free) char *expanded = expand(sql);
	struct db db;
	struct err e;

	open_beside(&db);
	assert_ok(db_script(&db, expanded, &e), e);
	db_close(&db);
}

void registry_room_form(int form)
{
	struct db db;
	struct err e;

	open_beside(&db);
	assert_ok(db_form_set(&db, form, &e), e);
	db_close(&db);
}

void registry_room_forget(void)
{
	char name[160];

	if (registry_room_place())
		registry_room_sql("DROP SCHEMA " REGISTRY_SCHEMA " CASCADE");
	unlink(registry_room_path);
	snprintf(name, sizeof(name), "%s-wal", registry_room_path);
	unlink(name);
	snprintf(name, sizeof(name), "%s-shm", registry_room_path);
	unlink(name);
}

int registry_room_leave(void **state)
{
	registry_room_forget();
	unlink(registry_room_tag);
	return 0;
}

struct cvm registry_room_cvm(unsigned n)
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

/* The tables as the first version made them. */
static const char first_version[] =
	"CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) {strict};"
	"CREATE TABLE cvm (id TEXT PRIMARY KEY, slot {integer} NOT NULL UNIQUE,"
	" port {integer} NOT NULL UNIQUE, step {integer} NOT NULL, created_ms {integer} NOT NULL,"
	" expires_ms {integer} NOT NULL, tee {integer} NOT NULL, kvm {integer} NOT NULL,"
	" cpus {integer} NOT NULL, cpu_type TEXT NOT NULL, firmware TEXT NOT NULL,"
	" image TEXT NOT NULL, cmdline TEXT NOT NULL, boot_sha3_256 {bytes} NOT NULL,"
	" boot_sha3_384 {bytes} NOT NULL, expected TEXT NOT NULL) {strict};"
	"INSERT INTO meta VALUES ('tag', '0123abcd');"
	"INSERT INTO cvm VALUES ('00000000-0000-4000-8000-000000000001', 3, 7103, 4, 5, 0, 1, 1, 2, 'EPYC-v4', '/f.fd', 'base abc',"
	" 'quiet', {zero 32}, {zero 48}, 'none');";

void registry_room_first(void)
{
	struct err e;

	if (registry_room_place())
		assert_ok(file_write(registry_room_tag, "0123abcd\n", 9, 0600, &e), e);
	registry_room_sql(first_version);
	registry_room_form(1);
}

void registry_room_check_first(const struct cvm *cvm)
{
	assert_int_equal(cvm->slot, 3);
	assert_int_equal(cvm->port, 7103);
	assert_int_equal(cvm->step, CVM_RUNNING);
	assert_string_equal(cvm->cpu_type, "EPYC-v4");
	assert_string_equal(cvm->name, "");
	assert_string_equal(cvm->labels, "");
	assert_int_equal(cvm->memory, 0);
}

void registry_room_assert_host(const struct registry_host *is, const char *name, const char *uri,
			       bool draining)
{
	assert_string_equal(is->name, name);
	assert_string_equal(is->uri, uri);
	assert_int_equal(is->draining, draining);
}
