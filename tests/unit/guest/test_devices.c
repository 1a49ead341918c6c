/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/devices.h"
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void put(const char *device, const char *file, const char *text)
{
	char path[192];
	struct err e;

	snprintf(path, sizeof(path), "%s/devices/%s", test_folder, device);
	assert_ok(dir_make(path, 0700, &e), e);
	snprintf(path, sizeof(path), "%s/devices/%s/%s", test_folder, device, file);
	assert_ok(file_write(path, text, strlen(text), 0600, &e), e);
}

static void device(const char *name, const char *vendor, const char *number, const char *class)
{
	put(name, "vendor", vendor);
	put(name, "device", number);
	put(name, "class", class);
}

static int empty(void **state)
{
	char path[64];
	struct err e;

	snprintf(path, sizeof(path), "%s/devices", test_folder);
	return dir_remove(test_folder, &e) < 0 || dir_make(path, 0700, &e) < 0 ? -1 : 0;
}

static void launch(void)
{
	device("0000:00:00.0", "0x8086\n", "0x29c0\n", "0x060000\n");
	device("0000:00:01.0", "0x1af4\n", "0x1000\n", "0x020000\n");
	device("0000:00:1e.0", "0x1af4\n", "0x1042\n", "0x010000\n");
	device("0000:00:1f.2", "0x8086\n", "0x2922\n", "0x010601\n");
}

static void assert_stops(bool shares, enum err_code code, const char *says)
{
	struct err e;

	assert_int_equal(devices_check(test_folder, shares, &e), -(int)code);
	assert_non_null(strstr(e.text, says));
}

static void devices_of_a_launch_pass(void **state)
{
	struct err e;

	assert_ok(devices_check(test_folder, false, &e), e);
	launch();
	assert_ok(devices_check(test_folder, false, &e), e);
	assert_ok(devices_check(test_folder, true, &e), e);
}

static void other_devices_are_named_and_refused(void **state)
{
	char path[64], *text = NULL;
	int saved = dup(STDERR_FILENO), file;
	struct err e;

	launch();
	device("0000:01:02.3", "0x8086\n", "0x100e\n", "0x020000\n");
	device("0000:01:02.4", "0x1af4\n", "0x1005\n", "0x00ff00\n");
	snprintf(path, sizeof(path), "%s/console", test_folder);
	file = open(path, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(saved >= 0 && file >= 0 && dup2(file, STDERR_FILENO) == STDERR_FILENO);
	int result = devices_check(test_folder, false, &e);
	assert_int_equal(dup2(saved, STDERR_FILENO), STDERR_FILENO);
	close(saved);
	close(file);
	assert_int_equal(result, -ERR_INVALID);
	assert_non_null(strstr(e.text, "has: 2, named above; launch without them"));
	assert_ok(file_read_text(path, 1024, &text, &e), e);
	assert_non_null(strstr(
		text, "PCI device '0000:01:02.3' (8086:100e, class 020000) is of no launch\n"));
	assert_non_null(strstr(
		text, "PCI device '0000:01:02.4' (1af4:1005, class 00ff00) is of no launch\n"));
	free(text);
}

static void each_number_counts(void **state)
{
	static const char *const near[][3] = {
		{ "0x1af5\n", "0x1000\n", "0x020000\n" },
		{ "0x1af4\n", "0x1002\n", "0x020000\n" },
		{ "0x1af4\n", "0x1000\n", "0x020001\n" },
		{ "0x8086\n", "0x1000\n", "0x020000\n" },
	};

	for (size_t i = 0; i < sizeof(near) / sizeof(near[0]); i++) {
		device("0000:00:01.0", near[i][0], near[i][1], near[i][2]);
		assert_stops(false, ERR_INVALID, "no launch of this image has: 1,");
	}
}

static void ninep_is_for_images_that_take_shares(void **state)
{
	struct err e;

	device("0000:00:02.0", "0x1af4\n", "0x1009\n", "0x000200\n");
	assert_ok(devices_check(test_folder, true, &e), e);
	assert_stops(false, ERR_INVALID, "no launch of this image has: 1,");
}

static void what_is_no_number_is_refused(void **state)
{
	static const char *const wrong[] = { "",       "\n",        "0x\n",       "8086\n",
					     "0x8086", "0x8086 \n", "0x8086\n\n", "0x80868086086\n",
					     "0xg\n",  "-x8086\n" };

	launch();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		put("0000:00:00.0", "vendor", wrong[i]);
		assert_stops(false, ERR_INVALID,
			     "the vendor of PCI device '0000:00:00.0' is no number");
	}
	put("0000:00:00.0", "vendor", "0x8086\n");
	put("0000:00:00.0", "class", "0x060000\n0");
	assert_stops(false, ERR_INVALID, "the class of PCI device");
}

static void what_cannot_be_read_is_refused(void **state)
{
	char path[64];
	struct err e;

	put("0000:00:00.0", "vendor", "0x8086\n");
	assert_stops(false, ERR_NOT_FOUND, "read the device of PCI device '0000:00:00.0'");
	snprintf(path, sizeof(path), "%s/devices", test_folder);
	assert_ok(dir_remove(path, &e), e);
	assert_stops(false, ERR_NOT_FOUND, "/devices'");
}

static void more_devices_than_a_machine_may_have_are_refused(void **state)
{
	struct err e;

	for (int i = 0; i <= DEVICES_MAX; i++) {
		char name[32];

		if (i == DEVICES_MAX)
			assert_ok(devices_check(test_folder, false, &e), e);
		snprintf(name, sizeof(name), "0000:%02x:00.0", (unsigned)i);
		device(name, "0x1b36\n", "0x000c\n", "0x060400\n");
	}
	assert_stops(false, ERR_EXHAUSTED, "more than 128 PCI devices");
}

static void drivers_are_told_to_take_no_more(void **state)
{
	char path[64], *text = NULL;
	struct err e;

	assert_int_equal(devices_close(test_folder, &e), -ERR_NOT_FOUND);
	snprintf(path, sizeof(path), "%s/drivers_autoprobe", test_folder);
	assert_ok(file_write(path, "1", 1, 0600, &e), e);
	assert_ok(devices_close(test_folder, &e), e);
	assert_ok(file_read_text(path, 8, &text, &e), e);
	assert_string_equal(text, "0");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(devices_of_a_launch_pass, empty),
		cmocka_unit_test_setup(other_devices_are_named_and_refused, empty),
		cmocka_unit_test_setup(each_number_counts, empty),
		cmocka_unit_test_setup(ninep_is_for_images_that_take_shares, empty),
		cmocka_unit_test_setup(what_is_no_number_is_refused, empty),
		cmocka_unit_test_setup(what_cannot_be_read_is_refused, empty),
		cmocka_unit_test_setup(more_devices_than_a_machine_may_have_are_refused, empty),
		cmocka_unit_test_setup(drivers_are_told_to_take_no_more, empty),
	};

	cmocka_set_message_output(CM_OUTPUT_TAP);
	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
