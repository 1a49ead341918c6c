/* SPDX-License-Identifier: Apache-2.0 */
/* What the manager's writer writes, init's parser reads; and every other form is refused. */
#include "common/base/bytes.h"
#include "guest/bootdisk.h"
#include "tests/unit/folder.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AT_VERSION = 16, AT_LEN = 20, AT_COUNT = 24 };

static uint8_t disk[BOOTDISK_SIZE];
static size_t content; /* bytes before the zeros */

static void put_file(struct bootconfig *boot, enum bootconfig_file file, size_t len)
{
	boot->files[file].bytes = malloc(len + 1);
	assert_non_null(boot->files[file].bytes);
	memset(boot->files[file].bytes, 'a' + (int)file, len);
	boot->files[file].len = len;
}

static void form(struct bootconfig *boot)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	struct err e;

	assert_ok(bootdisk_form(boot, &bytes, &e), e);
	memcpy(disk, bytes, sizeof(disk));
	content = BOOTDISK_HEAD + bytes_be(disk + AT_LEN, 4);
	bootconfig_done(boot);
}

/* An environment of three bytes, and a key of five. */
static void form_some(void)
{
	struct bootconfig boot = { 0 };

	put_file(&boot, BOOTCONFIG_ENVIRONMENT, 3);
	put_file(&boot, BOOTCONFIG_KEY, 5);
	form(&boot);
}

/* With a digest that fits, so that what is judged is what comes after it. */
static void seal(void)
{
	size_t len = bytes_be(disk + AT_LEN, 4);
	const struct digest_part parts[] = { { disk, BOOTDISK_SUM_AT },
					     { disk + BOOTDISK_HEAD, len } };
	struct err e;

	assert_true(len <= BOOTDISK_SIZE - BOOTDISK_HEAD);
	assert_ok(digest_parts(DIGEST_SHA256, parts, ARRAY_LEN(parts), disk + BOOTDISK_SUM_AT, &e),
		  e);
}

static void assert_wrong(enum err_code code, const char *says)
{
	struct bootdisk found = { 0 };
	struct err e;

	assert_refused(bootdisk_parse(disk, sizeof(disk), &found, &e), e, code, says);
	assert_non_null(strstr(e.text, "boot disk: "));
	assert_null(strchr(e.text, '\n'));
	for (enum bootconfig_file file = 0; file < BOOTCONFIG_FILES; file++)
		assert_null(found.files[file].bytes);
}

static void what_is_written_is_read(void **state)
{
	for (unsigned mask = 0; mask < 1u << BOOTCONFIG_FILES; mask++)
		for (size_t len = 0; len <= BOOTCONFIG_FILE_MAX; len += BOOTCONFIG_FILE_MAX / 2) {
			struct bootconfig boot = { 0 };
			struct bootdisk found;
			struct err e;

			for (enum bootconfig_file file = 0; file < BOOTCONFIG_FILES; file++)
				if (mask & 1u << file)
					put_file(&boot, file, len);
			form(&boot);
			assert_ok(bootdisk_parse(disk, sizeof(disk), &found, &e), e);
			for (enum bootconfig_file file = 0; file < BOOTCONFIG_FILES; file++) {
				assert_int_equal(found.files[file].bytes != NULL, mask >> file & 1);
				if (!found.files[file].bytes)
					continue;
				assert_int_equal(found.files[file].len, len);
				assert_true(bytes_are(found.files[file].bytes, len,
						      (uint8_t)('a' + file)));
			}
		}
}

static void the_form_is_the_documented_one(void **state)
{
	static const char head[] = "cocos-boot-disk\0\0\0\0\1\0\0\0\44\0\0\0\2";
	static const char entries[] = "\13environment\0\0\0\3aaa\7key.pem\0\0\0\5ccccc";

	form_some();
	assert_int_equal(content, BOOTDISK_HEAD + sizeof(entries) - 1);
	assert_memory_equal(disk, head, sizeof(head) - 1);
	assert_memory_equal(disk + BOOTDISK_HEAD, entries, sizeof(entries) - 1);
	assert_true(bytes_are(disk + content, sizeof(disk) - content, 0));
	assert_int_equal(BOOTDISK_SIZE % 512, 0);
}

static void a_file_that_is_too_large_is_not_written(void **state)
{
	struct bootconfig boot = { 0 };
	uint8_t *bytes;
	struct err e;

	put_file(&boot, BOOTCONFIG_CA, BOOTCONFIG_FILE_MAX + 1);
	assert_refused(bootdisk_form(&boot, &bytes, &e), e, ERR_EXHAUSTED, "ca.pem");
	bootconfig_done(&boot);
}

static void a_disk_of_another_size_is_refused(void **state)
{
	CLEANUP(free) uint8_t *more = calloc(1, sizeof(disk) + 1);
	struct bootdisk found;
	struct err e;

	form_some();
	memcpy(more, disk, sizeof(disk));
	for (size_t len = 0; len <= content; len++)
		assert_refused(bootdisk_parse(disk, len, &found, &e), e, ERR_INVALID, "bytes, not");
	assert_refused(bootdisk_parse(disk, sizeof(disk) - 1, &found, &e), e, ERR_INVALID,
		       "not 266240");
	assert_refused(bootdisk_parse(more, sizeof(disk) + 1, &found, &e), e, ERR_INVALID,
		       "not 266240");
}

/* Wherever it was cut off when it was written. */
static void a_disk_that_was_written_in_part_is_refused(void **state)
{
	form_some();
	for (size_t len = content; len-- > 0;) {
		struct bootdisk found;
		struct err e;
		bool was_zero = disk[len] == 0;

		disk[len] = 0;
		if (!was_zero || len < content - 1)
			assert_true(bootdisk_parse(disk, sizeof(disk), &found, &e) < 0);
	}
	assert_wrong(ERR_INVALID, "does not start with 'cocos-boot-disk'");
}

static void a_changed_byte_is_refused(void **state)
{
	form_some();
	for (size_t at = 0; at < content + 64; at++) {
		struct bootdisk found;
		struct err e;

		disk[at] ^= 1;
		assert_true(bootdisk_parse(disk, sizeof(disk), &found, &e) < 0);
		disk[at] ^= 1;
	}
}

/* The length of the entries, with a digest that fits: each one but the right one. */
static void a_wrong_length_is_refused(void **state)
{
	form_some();
	for (uint32_t len = 0; len < content - BOOTDISK_HEAD + 200; len++) {
		struct bootdisk found;
		struct err e;

		bytes_put_be(disk + AT_LEN, len, 4);
		seal();
		if (len != content - BOOTDISK_HEAD)
			assert_refused(
				bootdisk_parse(disk, sizeof(disk), &found, &e), e, ERR_INVALID,
				len < content - BOOTDISK_HEAD ? "too early" : "behind its last");
	}
	bytes_put_be(disk + AT_LEN, BOOTDISK_SIZE - BOOTDISK_HEAD, 4);
	seal();
	assert_wrong(ERR_INVALID, "bytes behind its last file");
	bytes_put_be(disk + AT_LEN, BOOTDISK_SIZE - BOOTDISK_HEAD + 1, 4);
	assert_wrong(ERR_EXHAUSTED, "more than it has room for");
	bytes_put_be(disk + AT_LEN, UINT32_MAX, 4);
	assert_wrong(ERR_EXHAUSTED, "4294967295 bytes");
}

static void a_wrong_head_is_refused(void **state)
{
	static const struct {
		size_t at;
		uint32_t value;
		enum err_code code;
		const char *says;
	} rows[] = {
		{ AT_VERSION, 0, ERR_INVALID, "version 0" },
		{ AT_VERSION, 2, ERR_INVALID, "version 2" },
		{ AT_COUNT, 1, ERR_INVALID, "behind its last file" },
		{ AT_COUNT, 3, ERR_INVALID, "entries end too early" },
		{ AT_COUNT, 4, ERR_INVALID, "entries end too early" },
		{ AT_COUNT, 5, ERR_EXHAUSTED, "5 files are more than 4" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		form_some();
		bytes_put_be(disk + rows[i].at, rows[i].value, 4);
		seal();
		assert_wrong(rows[i].code, rows[i].says);
	}
	form_some();
	disk[BOOTDISK_SUM_AT] ^= 1;
	assert_wrong(ERR_INVALID, "digest");
	form_some();
	disk[content + 1] = 1;
	assert_wrong(ERR_INVALID, "not all zeros");
	disk[content + 1] = 0;
	disk[sizeof(disk) - 1] = 1;
	assert_wrong(ERR_INVALID, "not all zeros");
}

/* Entries as they stand here, of `len` bytes. */
static void enter(const char *entries, size_t len, uint32_t count)
{
	struct bootconfig boot = { 0 };

	form(&boot);
	memcpy(disk + BOOTDISK_HEAD, entries, len);
	bytes_put_be(disk + AT_LEN, len, 4);
	bytes_put_be(disk + AT_COUNT, count, 4);
	seal();
}
#define ENTER(entries, count) enter(entries, sizeof(entries) - 1, count)

static void a_wrong_name_is_refused(void **state)
{
	ENTER("\7../x.pe\0\0\0\0", 1);
	assert_wrong(ERR_INVALID, "no file of the name '../x.pe'");
	ENTER("\0\0\0\0\0", 1);
	assert_wrong(ERR_INVALID, "no file of the name ''");
	ENTER("\14environment\0\0\0\0\0", 1);
	assert_wrong(ERR_INVALID, "no file of the name");
	ENTER("\12environmen\0\0\0\0", 1);
	assert_wrong(ERR_INVALID, "no file of the name 'environmen'");
	ENTER("\14environment2\0\0\0\0", 1);
	assert_wrong(ERR_INVALID, "no file of the name");
	ENTER("\10\033[2J\nabc\0\0\0\0", 1);
	assert_wrong(ERR_INVALID, "no file of the name");
	ENTER("\7key.pem\0\0\0\0\7key.pem\0\0\0\0", 2);
	assert_wrong(ERR_INVALID, "'key.pem' is there twice");
	ENTER("\7key.pem\0\0\0\0\13environment\0\0\0\0", 2);
	assert_wrong(ERR_INVALID, "'environment' is there twice or too late");
	ENTER("\377x", 1);
	assert_wrong(ERR_INVALID, "entries end too early");
}

static void a_wrong_size_of_a_file_is_refused(void **state)
{
	ENTER("\7key.pem\0\0\0\2x", 1);
	assert_wrong(ERR_INVALID, "'key.pem' ends too early");
	ENTER("\7key.pem\0\1\0\0", 1);
	assert_wrong(ERR_INVALID, "'key.pem' ends too early");
	ENTER("\7key.pem\0\1\0\1", 1);
	assert_wrong(ERR_EXHAUSTED, "'key.pem' is larger than 65536 bytes");
	ENTER("\7key.pem\377\377\377\377", 1);
	assert_wrong(ERR_EXHAUSTED, "'key.pem' is larger");
	ENTER("\7key.pem\0\0\0\1xx", 1);
	assert_wrong(ERR_INVALID, "1 bytes behind its last file");
}

static void only_a_disk_of_the_right_size_is_read(void **state)
{
	static const off_t wrong[] = { 0, 512, BOOTDISK_SIZE - 1, BOOTDISK_SIZE + 1,
				       (off_t)1 << 40 };
	static uint8_t bytes[BOOTDISK_SIZE];
	char path[128];
	struct err e;
	int fd, pipes[2];

	form_some();
	snprintf(path, sizeof(path), "%s/disk", test_folder);
	assert_ok(file_write(path, disk, sizeof(disk), 0600, &e), e);
	fd = open(path, O_RDWR);
	assert_true(fd >= 0);
	assert_ok(bootdisk_read(fd, bytes, &e), e);
	assert_memory_equal(bytes, disk, sizeof(disk));
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_int_equal(ftruncate(fd, wrong[i]), 0);
		assert_refused(bootdisk_read(fd, bytes, &e), e, ERR_INVALID, "not 266240");
	}
	close(fd);
	assert_int_equal(pipe(pipes), 0);
	assert_true(bootdisk_read(pipes[0], bytes, &e) < 0);
	close(pipes[0]);
	close(pipes[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(the_form_is_the_documented_one),
		cmocka_unit_test(a_file_that_is_too_large_is_not_written),
		cmocka_unit_test(a_disk_of_another_size_is_refused),
		cmocka_unit_test(a_disk_that_was_written_in_part_is_refused),
		cmocka_unit_test(a_changed_byte_is_refused),
		cmocka_unit_test(a_wrong_length_is_refused),
		cmocka_unit_test(a_wrong_head_is_refused),
		cmocka_unit_test(a_wrong_name_is_refused),
		cmocka_unit_test(a_wrong_size_of_a_file_is_refused),
		cmocka_unit_test(only_a_disk_of_the_right_size_is_read),
	};

	return cmocka_run_group_tests(tests, folder_make, folder_remove);
}
