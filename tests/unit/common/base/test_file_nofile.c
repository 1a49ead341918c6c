/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on files fails once while whole files are written and read, and folders made. */
#include "common/base/file.h"
#include "common/base/file_view.h"
#include "tests/unit/folder.h"
#include "tests/unit/nofile/nofile.h"

#include <stdio.h>

static char folder[64], path[80], deep[80];

static int enter(void **state)
{
	if (folder_make(state) < 0)
		return -1;
	snprintf(folder, sizeof(folder), "%s/f", test_folder);
	snprintf(path, sizeof(path), "%s/a", folder);
	snprintf(deep, sizeof(deep), "%s/b/c", folder);
	return 0;
}

static void put_old(void *data)
{
	struct err e;

	assert_ok(file_write(path, "the old one", 11, 0600, &e), e);
}

static int write_new(void *data, struct err *e)
{
	return file_write_new(path, "the new one", 11, 0640, e);
}

static int replace(void *data, struct err *e)
{
	return file_write(path, "the new one", 11, 0640, e);
}

static int read_all(void *data, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	if (file_read(path, 100, &bytes, &len, e) < 0)
		return err_code(e);
	assert_int_equal(len, 11);
	assert_memory_equal(bytes, "the old one", 11);
	return 0;
}

static int view(void *data, struct err *e)
{
	struct file_view seen;

	if (file_view_open(path, 100, &seen, e) < 0)
		return err_code(e);
	assert_int_equal(seen.len, 11);
	assert_memory_equal(seen.bytes, "the old one", 11);
	file_view_done(&seen);
	return 0;
}

static int make_folders(void *data, struct err *e)
{
	return dir_make(deep, 0700, e);
}

static void put_folders(void *data)
{
	struct err e;

	put_old(data);
	assert_ok(make_folders(data, &e), e);
}

static int remove_folders(void *data, struct err *e)
{
	char below[80];

	snprintf(below, sizeof(below), "%s/b", folder);
	return dir_remove(below, e);
}

static void a_new_file_is_whole_or_not_there(void **state)
{
	nofile_each(&(struct nofile){ .name = "new", .attempt = write_new, .folder = folder });
}

static void a_replaced_file_is_the_old_or_the_new(void **state)
{
	nofile_each(&(struct nofile){ .name = "replaced",
				      .ready = put_old,
				      .attempt = replace,
				      .folder = folder,
				      .may_be_done = true });
}

static void a_file_is_read_whole_or_refused(void **state)
{
	nofile_each(&(struct nofile){
		.name = "read", .ready = put_old, .attempt = read_all, .folder = folder });
	nofile_each(&(struct nofile){
		.name = "viewed", .ready = put_old, .attempt = view, .folder = folder });
}

static void folders_are_made_and_removed_in_the_end(void **state)
{
	nofile_each(&(struct nofile){
		.name = "made", .attempt = make_folders, .folder = folder, .may_be_begun = true });
	nofile_each(&(struct nofile){ .name = "removed",
				      .ready = put_folders,
				      .attempt = remove_folders,
				      .folder = folder,
				      .may_be_begun = true });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_file_is_whole_or_not_there),
		cmocka_unit_test(a_replaced_file_is_the_old_or_the_new),
		cmocka_unit_test(a_file_is_read_whole_or_refused),
		cmocka_unit_test(folders_are_made_and_removed_in_the_end),
	};

	return cmocka_run_group_tests(tests, enter, folder_remove);
}
