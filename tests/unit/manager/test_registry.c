/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file.h"
#include "manager/registry.h"
#include "tests/unit/folder.h"
#include "tests/unit/manager/cvm_equal.h"

#include <signal.h>
#include <sys/resource.h>
#include <sqlite3.h>

static char path[128];

static int make_dir(void **state)
{
	if (folder_make(state) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/registry.db", test_folder);
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

	assert_ok(registry_open(path, &r, &e), e);
	strcpy(tag, registry_tag(r));
	assert_ok(registry_add(r, &one, &e), e);
	assert_ok(registry_add(r, &two, &e), e);
	assert_ok(registry_set_step(r, one.id, CVM_FORWARD, &e), e);
	assert_ok(registry_set_port(r, one.id, 9999, &e), e);
	registry_close(r);
	assert_ok(registry_open(path, &r, &e), e);
	assert_string_equal(tag, registry_tag(r));
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 2);
	one.step = CVM_FORWARD;
	one.port = 9999;
	assert_cvm_equal(&all[0], &two); /* by slot */
	assert_cvm_equal(&all[1], &one);
	free(all);
	assert_ok(registry_delete(r, one.id, &e), e);
	assert_ok(registry_delete(r, two.id, &e), e);
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

	assert_ok(registry_open(path, &r, &e), e);
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
	struct registry *r;
	struct err e;

	assert_ok(registry_open(path, &r, &e), e);
	assert_refused(registry_set_step(r, "x", CVM_DOMAIN, &e), e, ERR_NOT_FOUND, "x");
	assert_refused(registry_set_port(r, "x", 1, &e), e, ERR_NOT_FOUND, "x");
	assert_refused(registry_delete(r, "x", &e), e, ERR_NOT_FOUND, "x");
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
	struct cvm one = some_cvm(1), *all;
	struct registry *r;
	size_t count;
	struct err e;

	assert_ok(registry_open(path, &r, &e), e);
	assert_ok(registry_add(r, &one, &e), e);
	registry_close(r);
	run_sql("UPDATE cvm SET step = 7");
	assert_ok(registry_open(path, &r, &e), e);
	assert_refused(registry_list(r, &all, &count, &e), e, ERR_DATA_LOSS, "unknown step");
	registry_close(r);
	run_sql("PRAGMA user_version = 2");
	assert_refused(registry_open(path, &r, &e), e, ERR_PRECONDITION, "newer manager");
	run_sql("PRAGMA user_version = 1; DELETE FROM meta");
	assert_refused(registry_open(path, &r, &e), e, ERR_DATA_LOSS, "tag");
	remove_file(NULL);
	assert_ok(file_write(path, "not a database, but long enough to be looked at...........", 55,
			     0600, &e),
		  e);
	assert_refused(registry_open(path, &r, &e), e, ERR_INTERNAL, "not a database");
	assert_refused(registry_open("/proc/nowhere/registry.db", &r, &e), e, ERR_INTERNAL,
		       "/proc/nowhere");
}

static void more_rows_than_fit_at_first(void **state)
{
	struct registry *r;
	struct cvm *all;
	size_t count;
	struct err e;

	assert_ok(registry_open(path, &r, &e), e);
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
	failed = registry_open(path, &r, &e);
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
		cmocka_unit_test_teardown(more_rows_than_fit_at_first, remove_file),
		cmocka_unit_test_teardown(what_the_disk_says_is_told, remove_file),
	};

	return cmocka_run_group_tests(tests, make_dir, folder_remove);
}
