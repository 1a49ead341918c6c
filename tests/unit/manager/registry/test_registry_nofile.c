/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on files fails once while the registry is opened, written, read and copied. */
#include "manager/registry/registry.h"
#include "tests/unit/folder.h"
#include "tests/unit/nofile/nofile.h"

#include <stdio.h>
#include <unistd.h>

/* What SQLite says in the place of the cause. */
static const char *const also[] = { "disk I/O error",
				    "database or disk is full",
				    "unable to open database file",
				    "readonly database",
				    "malformed",
				    "unable to get the page",
				    NULL };

static char folder[64], copy[80];

static const struct cvm one = {
	.id = "00000000-0000-4000-8000-000000000001",
	.step = CVM_FILES,
	.slot = 1,
	.port = 7101,
	.created_ms = 1700000000000,
	.cpus = 1,
	.expected = "{}",
};

static int enter(void **state)
{
	if (folder_make(state) < 0)
		return -1;
	snprintf(folder, sizeof(folder), "%s/f", test_folder);
	snprintf(copy, sizeof(copy), "%s/copy", folder);
	return 0;
}

/* Takes what is there into account, as the manager does: a step that was told to have failed was
 * not taken. */
static int add_one(struct registry *r, struct err *e)
{
	CLEANUP(free) struct cvm *all = NULL;
	size_t count;

	if (registry_list(r, &all, &count, e) < 0)
		return err_code(e);
	if (count == 0 && registry_add(r, &one, e) < 0)
		return err_code(e);
	return registry_set_step(r, one.id, CVM_RUNNING, e);
}

static int record(void *data, struct err *e)
{
	CLEANUP(registry_close) struct registry *r = NULL;

	return registry_open(folder, NULL, &r, e) < 0 ? err_code(e) : add_one(r, e);
}

static void check_one(void *data)
{
	CLEANUP(registry_close) struct registry *r = NULL;
	CLEANUP(free) struct cvm *all = NULL;
	size_t count;
	struct err e;

	assert_ok(registry_open(folder, NULL, &r, &e), e);
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 1);
	assert_string_equal(all[0].id, one.id);
	assert_int_equal(all[0].step, CVM_RUNNING);
}

static void put_one(void *data)
{
	struct err e;

	assert_ok(record(data, &e), e);
}

static int remove_one(void *data, struct err *e)
{
	CLEANUP(registry_close) struct registry *r = NULL;

	return registry_open(folder, NULL, &r, e) < 0 ? err_code(e) : registry_delete(r, &one, e);
}

static void check_none(void *data)
{
	static struct cvm_gone gone[REGISTRY_GONE_MAX];
	CLEANUP(registry_close) struct registry *r = NULL;
	CLEANUP(free) struct cvm *all = NULL;
	size_t count;
	struct err e;

	assert_ok(registry_open(folder, NULL, &r, &e), e);
	assert_ok(registry_list(r, &all, &count, &e), e);
	assert_int_equal(count, 0);
	assert_ok(registry_gone(r, gone, &count, &e), e);
	assert_int_equal(count, 1);
	assert_string_equal(gone[0].id, one.id);
}

static int save(void *data, struct err *e)
{
	struct registry *r;
	struct cvm read;

	nofile_pause();
	assert_ok(registry_open(folder, NULL, &r, e), *e);
	nofile_go_on();
	int failed = registry_save(r, copy, &one, e);
	if (!failed)
		failed = registry_saved(copy, one.id, &read, e);
	nofile_pause();
	registry_close(r);
	if (failed)
		unlink(copy); /* as its caller does */
	nofile_go_on();
	return failed;
}

static void a_record_is_made_or_refused(void **state)
{
	nofile_each(&(struct nofile){ .name = "recorded",
				      .attempt = record,
				      .done = check_one,
				      .folder = folder,
				      .also = also,
				      .varies = true,
				      .may_be_begun = true,
				      .may_be_damaged = true });
}

static void a_record_is_there_or_gone(void **state)
{
	nofile_each(&(struct nofile){ .name = "removed",
				      .ready = put_one,
				      .attempt = remove_one,
				      .done = check_none,
				      .folder = folder,
				      .also = also,
				      .varies = true,
				      .may_be_begun = true,
				      .may_be_damaged = true });
}

static void a_copy_is_whole_or_refused(void **state)
{
	nofile_each(&(struct nofile){ .name = "copied",
				      .ready = put_one,
				      .attempt = save,
				      .folder = folder,
				      .also = also,
				      .varies = true,
				      .may_be_begun = true,
				      .may_be_damaged = true });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_record_is_made_or_refused),
		cmocka_unit_test(a_record_is_there_or_gone),
		cmocka_unit_test(a_copy_is_whole_or_refused),
	};

	return cmocka_run_group_tests(tests, enter, folder_remove);
}
