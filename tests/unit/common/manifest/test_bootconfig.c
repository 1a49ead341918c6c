/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/file.h"
#include "common/manifest/bootconfig.h"
#include "tests/unit/folder.h"

#include <stdio.h>

static void put(const char *name, const void *bytes, size_t len)
{
	CLEANUP(free) char *path = NULL;
	struct err e;

	assert_ok(text_format(&path, &e, "%s/%s", test_folder, name), e);
	assert_ok(file_write(path, bytes, len, 0600, &e), e);
}

static void the_canonical_form_is_that_of_the_definition(void **state)
{
	static const char expected[] = "cocos-boot-v1\0\x01\0\0\0\x04"
				       "A=1\n\x01\0\0\0\0\0\0";
	struct bootconfig boot;
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;
	struct err e;

	put("environment", "A=1\n", 4);
	put("cert.pem", "", 0);
	assert_ok(bootconfig_read(test_folder, test_folder, &boot, &e), e);
	assert_ok(bootconfig_canonical(&boot, &bytes, &len, &e), e);
	assert_int_equal(len, sizeof(expected) - 1);
	assert_memory_equal(bytes, expected, len);
	bootconfig_done(&boot);
}

static void every_file_counts_and_so_does_its_absence(void **state)
{
	static const char *const names[] = { "environment", "cert.pem", "key.pem", "ca.pem" };
	struct bootconfig_digests seen[2 * ARRAY_LEN(names)];
	size_t count = 0;
	CLEANUP(free) char *cert = NULL;
	struct err e;

	assert_ok(text_format(&cert, &e, "%s/cert.pem", test_folder), e);
	unlink(cert); /* another test left it */
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		for (int full = 0; full < 2; full++, count++) {
			struct bootconfig boot;

			put(names[i], "x", (size_t)full);
			assert_ok(bootconfig_read(test_folder, test_folder, &boot, &e), e);
			assert_ok(bootconfig_digest(&boot, &seen[count], &e), e);
			bootconfig_done(&boot);
		}
	}
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < i; j++)
			assert_memory_not_equal(seen[i].sha3_256, seen[j].sha3_256, SHA3_256_LEN);
}

static void missing_folders_are_an_empty_configuration(void **state)
{
	struct bootconfig boot;
	struct err e;

	assert_ok(bootconfig_read("/proc/nowhere/a", NULL, &boot, &e), e);
	for (enum bootconfig_file f = 0; f < BOOTCONFIG_FILES; f++)
		assert_null(boot.files[f].bytes);
}

static void what_is_no_file_or_too_large_is_refused(void **state)
{
	CLEANUP(free) char *big = calloc(1, BOOTCONFIG_FILE_MAX + 1), *path = NULL;
	struct bootconfig boot;
	struct err e;

	put("environment", big, BOOTCONFIG_FILE_MAX);
	assert_ok(bootconfig_read(test_folder, test_folder, &boot, &e), e);
	bootconfig_done(&boot);
	put("environment", big, BOOTCONFIG_FILE_MAX + 1);
	assert_refused(bootconfig_read(test_folder, test_folder, &boot, &e), e, ERR_EXHAUSTED,
		       "environment");
	assert_ok(text_format(&path, &e, "%s/environment", test_folder), e);
	unlink(path);
	assert_ok(dir_make(path, 0700, &e), e);
	assert_refused(bootconfig_read(test_folder, test_folder, &boot, &e), e, ERR_INVALID,
		       "regular file");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_canonical_form_is_that_of_the_definition),
		cmocka_unit_test(every_file_counts_and_so_does_its_absence),
		cmocka_unit_test(missing_folders_are_an_empty_configuration),
		cmocka_unit_test(what_is_no_file_or_too_large_is_refused),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
