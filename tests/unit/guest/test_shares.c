/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file.h"
#include "guest/shares.h"
#include "tests/unit.h"

#include <dirent.h>
#include <sys/stat.h>

struct folders {
	char root[64], from[80], to[80];
};

static int make_folders(void **state)
{
	struct folders *f = calloc(1, sizeof(*f));

	strcpy(f->root, "/tmp/cocos-shares-XXXXXX");
	assert_non_null(mkdtemp(f->root));
	snprintf(f->from, sizeof(f->from), "%s/from", f->root);
	snprintf(f->to, sizeof(f->to), "%s/to", f->root);
	assert_int_equal(mkdir(f->from, 0700), 0);
	assert_int_equal(mkdir(f->to, 0700), 0);
	*state = f;
	return 0;
}

static int remove_folders(void **state)
{
	struct folders *f = *state;
	struct err e;

	assert_ok(dir_remove(f->root, &e), e);
	free(f);
	return 0;
}

static void offer(const struct folders *f, const char *name, size_t len)
{
	CLEANUP(free) uint8_t *bytes = calloc(1, len + 1);
	char path[512];
	struct err e;

	memset(bytes, 'x', len);
	snprintf(path, sizeof(path), "%s/%s", f->from, name);
	assert_ok(file_write(path, bytes, len, 0600, &e), e);
}

static void plain_files_are_copied(void **state)
{
	struct folders *f = *state;
	char path[512];
	struct stat st;
	struct err e;

	offer(f, "environment", 20000);
	offer(f, "cert.pem", 0);
	assert_ok(shares_copy(f->from, f->to, (uid_t)-1, &e), e);
	snprintf(path, sizeof(path), "%s/environment", f->to);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 20000);
	assert_int_equal(st.st_mode & 07777, 0400);
	snprintf(path, sizeof(path), "%s/cert.pem", f->to);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 0);
}

static void an_empty_folder_is_fine(void **state)
{
	struct folders *f = *state;
	struct err e;

	assert_ok(shares_copy(f->from, f->to, (uid_t)-1, &e), e);
}

static void a_folder_or_a_link_is_refused(void **state)
{
	struct folders *f = *state;
	char path[512];
	struct err e;

	snprintf(path, sizeof(path), "%s/x", f->from);
	assert_int_equal(mkdir(path, 0700), 0);
	assert_refused(shares_copy(f->from, f->to, (uid_t)-1, &e), e, ERR_INVALID,
		       "not a plain file");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_true(shares_copy(f->from, f->to, (uid_t)-1, &e) < 0);
	assert_non_null(strstr(e.text, "'x'"));
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(shares_copy(f->from, f->to, (uid_t)-1, &e), e, ERR_INVALID,
		       "not a plain file");
}

static void an_odd_name_is_refused(void **state)
{
	static const char *const names[] = { ".hidden", "a b", "a\n", "\x1b[2J", "caf\xc3\xa9" };
	struct folders *f = *state;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[512];

		offer(f, names[i], 1);
		assert_refused(shares_copy(f->from, f->to, (uid_t)-1, &e), e, ERR_INVALID,
			       "file name");
		snprintf(path, sizeof(path), "%s/%s", f->from, names[i]);
		assert_int_equal(unlink(path), 0);
	}
}

static void size_has_a_limit(void **state)
{
	struct folders *f = *state;
	struct err e;

	offer(f, "a", SHARES_FILE_MAX);
	assert_ok(shares_copy(f->from, f->to, (uid_t)-1, &e), e);
	assert_ok(dir_remove(f->to, &e), e);
	assert_int_equal(mkdir(f->to, 0700), 0);
	offer(f, "a", SHARES_FILE_MAX + 1);
	assert_refused(shares_copy(f->from, f->to, (uid_t)-1, &e), e, ERR_EXHAUSTED, "larger");
}

static bool lists_itself; /* without end */

struct dirent *__real_readdir64(DIR *dir);
struct dirent *__wrap_readdir64(DIR *dir);
struct dirent *__wrap_readdir64(DIR *dir)
{
	static struct dirent itself = { .d_name = "." };

	return lists_itself ? &itself : __real_readdir64(dir);
}

static void a_list_without_end_ends(void **state)
{
	const struct folders *f = *state;
	struct err e;

	lists_itself = true;
	int failed = shares_copy(f->from, f->to, (uid_t)-1, &e);
	lists_itself = false;
	assert_refused(failed, e, ERR_EXHAUSTED, "more than 16 files");
	assert_ok(shares_copy(f->from, f->to, (uid_t)-1, &e), e);
}

static void count_has_a_limit(void **state)
{
	struct folders *f = *state;
	struct err e;

	for (int i = 0; i < SHARES_FILES_MAX; i++) {
		char name[16];

		snprintf(name, sizeof(name), "f%d", i);
		offer(f, name, 1);
	}
	assert_ok(shares_copy(f->from, f->to, (uid_t)-1, &e), e);
	assert_ok(dir_remove(f->to, &e), e);
	assert_int_equal(mkdir(f->to, 0700), 0);
	offer(f, "one-more", 1);
	assert_refused(shares_copy(f->from, f->to, (uid_t)-1, &e), e, ERR_EXHAUSTED, "more than");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(plain_files_are_copied, make_folders,
						remove_folders),
		cmocka_unit_test_setup_teardown(an_empty_folder_is_fine, make_folders,
						remove_folders),
		cmocka_unit_test_setup_teardown(a_folder_or_a_link_is_refused, make_folders,
						remove_folders),
		cmocka_unit_test_setup_teardown(an_odd_name_is_refused, make_folders,
						remove_folders),
		cmocka_unit_test_setup_teardown(size_has_a_limit, make_folders, remove_folders),
		cmocka_unit_test_setup_teardown(count_has_a_limit, make_folders, remove_folders),
		cmocka_unit_test_setup_teardown(a_list_without_end_ends, make_folders,
						remove_folders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
