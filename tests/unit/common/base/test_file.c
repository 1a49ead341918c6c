/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file.h"
#include "common/base/file_view.h"
#include "tests/unit/folder.h"

#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *in_folder(const char *name)
{
	static char path[256];

	snprintf(path, sizeof(path), "%s/%s", test_folder, name);
	return path;
}

static size_t entries(void)
{
	DIR *dir = opendir(test_folder);
	size_t n = 0;

	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

static void a_file_comes_back_whole(void **state)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct stat st;
	struct err e;

	assert_ok(file_write(in_folder("a"), "one\0two", 7, 0640, &e), e);
	assert_ok(file_read(in_folder("a"), 7, &bytes, &len, &e), e);
	assert_int_equal(len, 7);
	assert_memory_equal(bytes, "one\0two", 8);
	assert_int_equal(stat(in_folder("a"), &st), 0);
	assert_int_equal(st.st_mode & 07777, 0640);
	assert_int_equal(entries(), 1);
}

static void a_limit_holds_to_the_byte(void **state)
{
	uint8_t *bytes;
	size_t len;
	struct err e;

	assert_ok(file_write(in_folder("a"), "12345678", 8, 0600, &e), e);
	assert_refused(file_read(in_folder("a"), 7, &bytes, &len, &e), e, ERR_EXHAUSTED,
		       "larger than 7 bytes");
}

static void what_has_no_size_is_read_to_its_end(void **state)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct stat st;
	struct err e;

	assert_int_equal(stat("/proc/self/status", &st), 0);
	assert_int_equal(st.st_size, 0);
	assert_ok(file_read("/proc/self/status", 1 << 20, &bytes, &len, &e), e);
	assert_true(len > 100);
	assert_memory_equal(bytes, "Name:", 5);
}

/* At sizes around those of the pieces that a file is read in. */
static void files_of_all_sizes_come_back(void **state)
{
	static const size_t sizes[] = { 0, 1, 4095, 4096, 16383, 16384, 16385, 1 << 20 };
	CLEANUP(free) uint8_t *made = malloc(1 << 20);
	struct err e;

	for (size_t i = 0; i < 1 << 20; i++)
		made[i] = (uint8_t)(i * 31 + i / 256);
	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		CLEANUP_FILE_VIEW struct file_view view = { 0 };
		CLEANUP(free) uint8_t *bytes = NULL;
		size_t len;

		assert_ok(file_write(in_folder("a"), made, sizes[i], 0600, &e), e);
		assert_ok(file_read(in_folder("a"), sizes[i], &bytes, &len, &e), e);
		assert_int_equal(len, sizes[i]);
		assert_memory_equal(bytes, made, len);
		assert_int_equal(bytes[len], 0);
		assert_ok(file_view_open(in_folder("a"), sizes[i], &view, &e), e);
		assert_int_equal(view.len, sizes[i]);
		assert_int_equal(view.mapped, sizes[i] > 0);
		assert_memory_equal(view.bytes, made, view.len);
	}
}

static void a_view_is_refused_like_a_copy(void **state)
{
	struct file_view view = { 0 };
	struct err e;

	assert_ok(file_write(in_folder("a"), "12345678", 8, 0600, &e), e);
	assert_refused(file_view_open(in_folder("a"), 7, &view, &e), e, ERR_EXHAUSTED,
		       "larger than 7 bytes");
	assert_refused(file_view_open(in_folder("none"), 7, &view, &e), e, ERR_NOT_FOUND, "none");
	assert_true(file_view_open(test_folder, 7, &view, &e) < 0);
	assert_null(view.bytes);
}

static void a_view_of_a_pipe_is_what_comes_out_of_it(void **state)
{
	CLEANUP_FILE_VIEW struct file_view view = { 0 };
	char path[32];
	int ends[2];
	struct err e;

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(write(ends[1], "through", 7), 7);
	close(ends[1]);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ends[0]);
	assert_ok(file_view_open(path, 100, &view, &e), e);
	assert_int_equal(view.len, 7);
	assert_false(view.mapped);
	assert_memory_equal(view.bytes, "through", 7);
	close(ends[0]);
}

static void text_holds_no_zero_byte(void **state)
{
	char *text;
	struct err e;

	assert_ok(file_write(in_folder("a"), "a\0b", 3, 0600, &e), e);
	assert_refused(file_read_text(in_folder("a"), 10, &text, &e), e, ERR_INVALID, "zero byte");
}

static void a_new_file_never_replaces_one(void **state)
{
	CLEANUP(free) char *text = NULL;
	struct err e;

	assert_ok(file_write_new(in_folder("new"), "1", 1, 0600, &e), e);
	size_t before = entries();
	assert_int_equal(file_write_new(in_folder("new"), "2", 1, 0600, &e), -ERR_EXISTS);
	assert_int_equal(entries(), before);
	assert_ok(file_read_text(in_folder("new"), 10, &text, &e), e);
	assert_string_equal(text, "1");
}

static void a_failed_write_leaves_nothing(void **state)
{
	struct err e;
	size_t before = entries();

	assert_ok(dir_make(in_folder("d/e"), 0700, &e), e);
	assert_true(file_write(in_folder("d"), "x", 1, 0600, &e) < 0);
	assert_int_equal(entries(), before + 1);
}

static void removal_follows_no_link(void **state)
{
	struct err e;
	struct stat st;
	char link_path[256];

	assert_ok(dir_make(in_folder("tree/deep/er"), 0700, &e), e);
	assert_ok(file_write(in_folder("kept"), "x", 1, 0600, &e), e);
	snprintf(link_path, sizeof(link_path), "%s", in_folder("tree/deep/link"));
	assert_int_equal(symlink("../..", link_path), 0);
	assert_int_equal(chmod(in_folder("tree/deep"), 0500), 0);
	assert_ok(dir_remove(in_folder("tree"), &e), e);
	assert_int_equal(stat(in_folder("tree"), &st), -1);
	assert_int_equal(stat(in_folder("kept"), &st), 0);
	assert_ok(dir_remove(in_folder("tree"), &e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_comes_back_whole),
		cmocka_unit_test(a_limit_holds_to_the_byte),
		cmocka_unit_test(what_has_no_size_is_read_to_its_end),
		cmocka_unit_test(files_of_all_sizes_come_back),
		cmocka_unit_test(a_view_is_refused_like_a_copy),
		cmocka_unit_test(a_view_of_a_pipe_is_what_comes_out_of_it),
		cmocka_unit_test(text_holds_no_zero_byte),
		cmocka_unit_test(a_new_file_never_replaces_one),
		cmocka_unit_test(a_failed_write_leaves_nothing),
		cmocka_unit_test(removal_follows_no_link),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
