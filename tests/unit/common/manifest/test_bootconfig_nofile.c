/* SPDX-License-Identifier: Apache-2.0 */
/* Every operation on files fails once while a boot configuration is read: what can't be read is not what is
 * absent, since the digest is over that, too. */
#include "common/manifest/bootconfig.h"
#include "tests/unit/folder.h"
#include "tests/unit/nofile/nofile.h"

#include <stdio.h>

static char folder[64];

static int enter(void **state)
{
	if (folder_make(state) < 0)
		return -1;
	snprintf(folder, sizeof(folder), "%s/f", test_folder);
	return 0;
}

static void put_all(void *data)
{
	char path[96];
	struct err e;

	for (enum bootconfig_file file = 0; file < BOOTCONFIG_FILES; file++) {
		snprintf(path, sizeof(path), "%s/%s", folder, bootconfig_name(file));
		assert_ok(file_write(path, bootconfig_name(file), strlen(bootconfig_name(file)),
				     0600, &e),
			  e);
	}
}

static int read_all(void *data, struct err *e)
{
	struct bootconfig boot;

	if (bootconfig_read(folder, folder, &boot, e) < 0)
		return err_code(e);
	for (enum bootconfig_file file = 0; file < BOOTCONFIG_FILES; file++) {
		assert_non_null(boot.files[file].bytes);
		assert_int_equal(boot.files[file].len, strlen(bootconfig_name(file)));
		assert_memory_equal(boot.files[file].bytes, bootconfig_name(file),
				    boot.files[file].len);
	}
	bootconfig_done(&boot);
	return 0;
}

static void all_of_it_is_read_or_it_is_refused(void **state)
{
	nofile_each(&(struct nofile){
		.name = "read", .ready = put_all, .attempt = read_all, .folder = folder });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_of_it_is_read_or_it_is_refused),
	};

	return cmocka_run_group_tests(tests, enter, folder_remove);
}
