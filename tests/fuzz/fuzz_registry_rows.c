/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The manager's registry as somebody else may have written it. Input: version(1, signed), then rows:
 * table(1), and for each column its type(1) and value.
 *
 * A registry that opens gives rows of the form that we write: they survive being saved as a record of
 * their own and read back, and can be changed and removed. One that is shared takes no host twice, and what another manager
 * holds is left to that one.
 */
#include "common/base/file.h"
#include "common/base/reader.h"
#include "common/base/utf8.h"
#include "manager/registry/registry_lease.h"
#include "manager/registry/registry_row.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sqlite3.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

enum { ROWS_MAX = 8 };
enum value {
	VALUE_NULL,
	VALUE_BYTE,
	VALUE_INT,
	VALUE_TEXT,
	VALUE_BLOB,
	VALUE_ID,
	VALUE_DIGEST,
	VALUES
};

DEFINE_CLEANUP(sqlite3_stmt *, sqlite3_finalize)

static char dir[] = "/tmp/cocos-fuzz-registry-XXXXXX", path[64], saved[64];
static sqlite3 *file; /* the same one, as another program has it open */

static const struct {
	const char *insert;
	int columns;
} tables[] = {
	{ "INSERT OR REPLACE INTO cvm VALUES (" REGISTRY_PARAMETERS ")", 21 },
	{ "INSERT OR REPLACE INTO gone VALUES (?,?,?,?,?,?,?,?,?,?)", 10 },
	{ "INSERT OR REPLACE INTO meta VALUES (?,?)", 2 },
	{ "INSERT OR REPLACE INTO host VALUES (?,?,?,?,?)", 5 },
	{ "INSERT OR REPLACE INTO lease VALUES (?,?,?,?,?,?,?,?)", 8 },
	{ "INSERT OR REPLACE INTO manager VALUES (?,?,?,?,?,?,?)", 7 },
};

static void leave(void)
{
	struct err e;

	sqlite3_close(file);
	(void)!dir_remove(dir, &e);
}

static void prepare(void)
{
	struct registry *registry;
	struct err e;

	assert(mkdtemp(dir));
	atexit(leave);
	snprintf(path, sizeof(path), "%s/registry.db", dir);
	snprintf(saved, sizeof(saved), "%s/saved", dir);
	assert(registry_open(dir, NULL, &registry, &e) == 0);
	registry_close(registry);
	/* The tables, without the words that keep other types out: a foreign file has none. A host is one by its name. */
	assert(sqlite3_open(path, &file) == SQLITE_OK);
	assert(sqlite3_exec(
		       file,
		       "DROP TABLE cvm; CREATE TABLE cvm (id, slot, port, step, created_ms,"
		       " expires_ms, tee, kvm, cpus, cpu_type, firmware, image, cmdline,"
		       " boot_sha3_256, boot_sha3_384, expected, name, labels, memory, owner, host);"
		       " DROP TABLE gone;"
		       " CREATE TABLE gone (nr INTEGER PRIMARY KEY, " REGISTRY_GONE_COLUMNS ");"
		       " DROP TABLE host;"
		       " CREATE TABLE host (nr INTEGER PRIMARY KEY, name UNIQUE, uri, words, draining);"
		       " DROP TABLE lease; CREATE TABLE lease (host, holder, instance, fence, until_ms, uri,"
		       " lease_ms, vms_max);"
		       " DROP TABLE manager; CREATE TABLE manager (name, instance, machine, place, pid,"
		       " started_ms, until_ms);"
		       "CREATE TABLE tag AS SELECT * FROM meta;"
		       "PRAGMA synchronous = OFF;",
		       NULL, NULL, NULL) == SQLITE_OK);
}

static void bind(sqlite3_stmt *s, int column, struct reader *r)
{
	static const uint8_t digest[SHA3_384_LEN];
	enum value type = reader_u8(r) % VALUES;
	const void *bytes;
	size_t len;

	if (type == VALUE_BYTE) {
		sqlite3_bind_int64(s, column, (int8_t)reader_u8(r));
	} else if (type == VALUE_INT) {
		sqlite3_bind_int64(s, column, (int64_t)reader_be64(r));
	} else if (type == VALUE_ID) {
		char id[] = "00000000-0000-4000-8000-000000000000";

		id[0] = (char)('0' + reader_u8(r) % 10);
		sqlite3_bind_text(s, column, id, -1, SQLITE_TRANSIENT);
	} else if (type == VALUE_DIGEST) {
		sqlite3_bind_blob(s, column, digest, reader_u8(r) % (SHA3_384_LEN + 1),
				  SQLITE_STATIC);
	} else if (type == VALUE_TEXT || type == VALUE_BLOB) {
		len = reader_u8(r);
		bytes = reader_take(r, len);
		if (bytes && type == VALUE_TEXT)
			sqlite3_bind_text(s, column, bytes, (int)len, SQLITE_STATIC);
		else if (bytes)
			sqlite3_bind_blob(s, column, bytes, (int)len, SQLITE_STATIC);
	}
}

static void fill(struct reader *r)
{
	char text[64];

	snprintf(text, sizeof(text), "PRAGMA user_version = %d", (int8_t)reader_u8(r));
	assert(sqlite3_exec(
		       file,
		       "BEGIN; DELETE FROM cvm; DELETE FROM gone; DELETE FROM meta; DELETE FROM host;"
		       "DELETE FROM lease; DELETE FROM manager;"
		       "INSERT INTO meta SELECT * FROM tag",
		       NULL, NULL, NULL) == SQLITE_OK);
	assert(sqlite3_exec(file, text, NULL, NULL, NULL) == SQLITE_OK);
	for (int i = 0; i < ROWS_MAX && reader_ok(r) && reader_left(r); i++) {
		size_t table = reader_u8(r) % ARRAY_LEN(tables);
		CLEANUP(sqlite3_finalize) sqlite3_stmt *s = NULL;

		assert(sqlite3_prepare_v2(file, tables[table].insert, -1, &s, NULL) == SQLITE_OK);
		for (int c = 1; c <= tables[table].columns; c++)
			bind(s, c, r);
		(void)sqlite3_step(s);
	}
	/* A moment that is still to come, whenever this runs. */
	assert(sqlite3_exec(
		       file,
		       "UPDATE manager SET until_ms = CAST((julianday('now') - 2440587.5) * 86400000 AS"
		       " INTEGER) + 60000 WHERE until_ms = 77; COMMIT",
		       NULL, NULL, NULL) == SQLITE_OK);
}

static void check_row(const struct registry *registry, const struct cvm *cvm)
{
	static struct cvm again;
	struct err e;

	assert(cvm_id_is_valid(cvm->id) && !utf8_has_control(cvm->cmdline, strlen(cvm->cmdline)));
	assert(cvm_labels_are_valid(cvm->labels));
	assert(cvm->port > 0 && cvm->step >= CVM_FILES && cvm->step <= CVM_CLEANING);
	unlink(saved);
	assert(registry_save(registry, saved, cvm, &e) == 0);
	assert(registry_saved(saved, cvm->id, &again, &e) == 0);
	assert(again.step == CVM_RUNNING && again.slot == cvm->slot && again.port == cvm->port &&
	       strcmp(again.expected, cvm->expected) == 0);
}

static void use_hosts(struct registry *registry)
{
	CLEANUP(free) struct registry_host *hosts = NULL;
	size_t count = 0;
	struct err e;

	if (registry_hosts(registry, &hosts, &count, &e) < 0) {
		assert(!hosts && e.text[0]);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		assert(access_name_is_valid(hosts[i].name) &&
		       !utf8_has_control(hosts[i].words, strlen(hosts[i].words)));
		assert(registry_host_drain(registry, hosts[i].name, !hosts[i].draining, &e) == 0);
		assert(registry_host_undrain(registry, hosts[i].name, &e) == 0);
		assert(registry_host_drop(registry, hosts[i].name, &e) == 0);
		assert(registry_host_add(registry, &hosts[i], &e) == 0);
		assert(registry_host_settle(registry, hosts[i].name, &e) == 0);
	}
}

static void use(struct registry *registry)
{
	static struct cvm_gone gone[REGISTRY_GONE_MAX];
	CLEANUP(free) struct cvm *cvms = NULL;
	size_t count = 0, gone_count = 0;
	struct err e;

	assert(strlen(registry_tag(registry)) == REGISTRY_TAG_LEN);
	if (registry_gone(registry, gone, &gone_count, &e) == 0)
		for (size_t i = 0; i < gone_count; i++)
			assert(cvm_id_is_valid(gone[i].id) &&
			       cvm_labels_are_valid(gone[i].labels) &&
			       cvm_name_check(gone[i].name, &e) == 0 &&
			       gone[i].why <= CVM_INTERRUPTED && gone[i].exited_ms >= 0);
	use_hosts(registry);
	if (registry_list(registry, &cvms, &count, &e) < 0) {
		assert(!cvms && e.text[0]);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		check_row(registry, &cvms[i]);
		(void)!registry_set_step(registry, cvms[i].id, CVM_STOPPING, &e);
		(void)!registry_set_port(registry, cvms[i].id, 1, &e);
		(void)!registry_delete(registry, &cvms[i], &e);
		(void)!registry_add(registry, &cvms[i], &e);
	}
}

/* As it was before it was used. */
static void fill_again(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);

	fill(&r);
}

/* Another manager's, which ends later than now, is not taken. */
static void check_round(const struct registry_round *round, const struct registry_wish *wish)
{
	for (size_t i = 0; i < round->lease_count; i++) {
		const struct registry_lease *lease = &round->leases[i];

		assert(access_name_is_valid(lease->host) && access_name_is_valid(lease->holder));
		assert(lease->fence > 0 && !utf8_has_control(lease->uri, strlen(lease->uri)));
		if (wish->held && strcmp(lease->host, wish->host) == 0)
			assert(lease->runs && strcmp(lease->holder, "this") == 0);
	}
	for (size_t i = 0; i < round->other_count; i++) {
		assert(cvm_id_is_valid(round->others[i].id) &&
		       round->others[i].slot < REGISTRY_ROWS_MAX);
		assert(!wish->held || strcmp(round->others[i].host, wish->host) != 0);
	}
	for (size_t i = 0; i < round->cvm_count; i++)
		assert(strcmp(round->cvms[i].host, wish->host) == 0);
	assert(wish->held || !wish->taken);
}

/* What goes on beside a manager: another process has its name; or what it does where it holds nothing. */
static void go_on_beside(struct registry *registry, int times)
{
	static const char stolen[] =
		"UPDATE manager SET instance = 5, place = 'there' WHERE name = 'this'";
	const struct registry_host nowhere = { .name = "b-name", .uri = "qemu+tls://b/system" };
	struct err e;

	assert(registry_is_shared(registry) && registry_lease_check(registry, "b-name", &e) < 0);
	assert(registry_host_drop(registry, "b-name", &e) < 0);
	(void)!registry_host_add(registry, &nowhere, &e);
	if (times == 1)
		assert(sqlite3_exec(file, stolen, NULL, NULL, NULL) == SQLITE_OK);
}

static void share(void)
{
	static const struct registry_share as = {
		.name = "this", .place = "here", .lease_ms = 10000, .vms_max = 10
	};
	struct registry_wish wish = { .host = "a-name", .uri = "qemu:///system" };
	struct registry_place place;
	struct registry_round round;
	struct registry *registry;
	struct err e;

	if (registry_open_shared(dir, NULL, &as, &registry, &e) < 0)
		return;
	for (int times = 0; times < 4; times++) {
		wish.wanted = true;
		if (registry_lease_round(registry, &wish, 1, &round, &e) < 0)
			break;
		check_round(&round, &wish);
		for (size_t i = 0; i < round.other_count; i++)
			(void)!registry_whereabouts(registry, round.others[i].id, NULL, NULL,
						    &place, &e);
		for (size_t i = 0; i < round.cvm_count; i++)
			(void)!registry_set_step(registry, round.cvms[i].id, CVM_STOPPING, &e);
		assert(times < 2 || !wish.held); /* the name is another's by then */
		registry_round_done(&round);
		go_on_beside(registry, times);
	}
	(void)!registry_lease_release(registry, &e);
	registry_close(registry);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader r = reader_over(bytes, len);
	struct registry *registry = NULL;
	struct err e;

	if (!file)
		prepare();
	fill(&r);
	assert(registry_open(dir, NULL, &registry, &e) < 0 ||
	       (len && bytes[0] == REGISTRY_VERSION));
	if (registry)
		use(registry);
	else
		assert(!registry && e.text[0]);
	registry_close(registry);
	fill_again(bytes, len);
	share();
	return 0;
}
