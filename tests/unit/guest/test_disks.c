/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/disks.h"
#include "tests/unit/folder.h"

#include <sys/stat.h>

static void put(const char *name, const char *serial)
{
	char path[128];
	struct err e;

	snprintf(path, sizeof(path), "%s/%s", test_folder, name);
	assert_int_equal(mkdir(path, 0700), 0);
	if (!serial)
		return;
	snprintf(path, sizeof(path), "%s/%s/serial", test_folder, name);
	assert_ok(file_write(path, serial, strlen(serial), 0600, &e), e);
}

static int empty(void **state)
{
	struct err e;

	return dir_remove(test_folder, &e) < 0 || mkdir(test_folder, 0700) < 0 ? -1 : 0;
}

static void assert_found(const char *wanted)
{
	char path[DISKS_PATH_MAX];
	struct err e;

	assert_ok(disks_find(test_folder, "cocos-boot", path, &e), e);
	assert_string_equal(path, wanted);
}

static void a_disk_is_found_by_its_serial_number(void **state)
{
	assert_found("");
	put("vda", "");
	put("vdb", "cocos-boo");
	put("vdc", "cocos-boot2");
	put("vdd", "cocos-boot\n");
	assert_found("");
	put("vdzz", "cocos-boot");
	assert_found("/dev/vdzz");
}

static void other_disks_are_not_looked_at(void **state)
{
	put("sda", "cocos-boot");
	put("vd", "cocos-boot");
	put("vdaaa", "cocos-boot");
	put("vd1", "cocos-boot");
	put("dm-0", NULL);
	assert_found("");
}

static void assert_other(const char *wanted)
{
	char path[DISKS_PATH_MAX];
	struct err e;

	assert_ok(disks_first_but(test_folder, "cocos-boot", path, &e), e);
	assert_string_equal(path, wanted);
}

static void the_first_other_disk_is_found(void **state)
{
	assert_other("");
	put("vda", "cocos-boot");
	assert_other("");
	put("vdaa", "");
	assert_other("/dev/vdaa");
	put("vdc", "x");
	assert_other("/dev/vdc");
	put("vdb", "x");
	assert_other("/dev/vdb");
	put("vdd", "cocos-boot");
	assert_other("/dev/vdb");
}

static void two_of_them_are_refused(void **state)
{
	char path[DISKS_PATH_MAX];
	struct err e;

	put("vda", "cocos-boot");
	assert_found("/dev/vda");
	put("vdb", "cocos-boot");
	assert_refused(disks_find(test_folder, "cocos-boot", path, &e), e, ERR_INVALID,
		       "two disks");
}

static void a_disk_that_has_no_number_is_refused(void **state)
{
	char path[DISKS_PATH_MAX];
	struct err e;

	put("vda", NULL);
	assert_refused(disks_find(test_folder, "cocos-boot", path, &e), e, ERR_NOT_FOUND, "'vda'");
	assert_refused(disks_find("/proc/nowhere", "cocos-boot", path, &e), e, ERR_NOT_FOUND,
		       "nowhere");
}

static void there_is_a_limit(void **state)
{
	char path[DISKS_PATH_MAX], name[8];
	struct err e;

	for (int i = 0; i < DISKS_MAX; i++) {
		snprintf(name, sizeof(name), "vd%c%c", 'a' + i / 26, 'a' + i % 26);
		put(name, i == 40 ? "cocos-boot" : "");
	}
	assert_found("/dev/vdbo");
	put("vdzz", "");
	assert_refused(disks_find(test_folder, "cocos-boot", path, &e), e, ERR_EXHAUSTED,
		       "more than 64");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(a_disk_is_found_by_its_serial_number, empty),
		cmocka_unit_test_setup(other_disks_are_not_looked_at, empty),
		cmocka_unit_test_setup(the_first_other_disk_is_found, empty),
		cmocka_unit_test_setup(two_of_them_are_refused, empty),
		cmocka_unit_test_setup(a_disk_that_has_no_number_is_refused, empty),
		cmocka_unit_test_setup(there_is_a_limit, empty),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
