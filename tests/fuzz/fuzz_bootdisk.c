/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's boot disk: the input's first byte, and the disk's first bytes; zeros follow to its size. Where
 * that byte is odd, the digest is made to fit what it is over.
 */
#include "common/base/bytes.h"
#include "guest/bootdisk.h"
#include "guest/sha256.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { LEN_AT = 20 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static uint8_t disk[BOOTDISK_SIZE];

static void seal(void)
{
	size_t len = bytes_be(disk + LEN_AT, 4);

	if (len <= BOOTDISK_SIZE - BOOTDISK_HEAD)
		sha256_two(disk, BOOTDISK_SUM_AT, disk + BOOTDISK_HEAD, len,
			   disk + BOOTDISK_SUM_AT);
}

/* What is read is within the disk, and writes to the same disk again. */
static void check(const struct bootdisk *found)
{
	struct bootconfig boot = { 0 };
	uint8_t *again;
	struct err e;

	for (enum bootconfig_file file = 0; file < BOOTCONFIG_FILES; file++) {
		if (!found->files[file].bytes)
			continue;
		assert(found->files[file].len <= BOOTCONFIG_FILE_MAX);
		assert(found->files[file].bytes >= disk + BOOTDISK_HEAD);
		assert(found->files[file].bytes + found->files[file].len <= disk + BOOTDISK_SIZE);
		boot.files[file].bytes = malloc(found->files[file].len + 1);
		assert(boot.files[file].bytes);
		memcpy(boot.files[file].bytes, found->files[file].bytes, found->files[file].len);
		boot.files[file].len = found->files[file].len;
	}
	assert(bootdisk_form(&boot, &again, &e) == 0);
	assert(memcmp(again, disk, sizeof(disk)) == 0);
	free(again);
	bootconfig_done(&boot);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct bootdisk found;
	struct err e;

	if (len == 0 || len - 1 > sizeof(disk))
		return 0;
	memcpy(disk, bytes + 1, len - 1);
	memset(disk + len - 1, 0, sizeof(disk) - (len - 1));
	if (bytes[0] & 1)
		seal();
	if (bootdisk_parse(disk, sizeof(disk), &found, &e) == 0)
		check(&found);
	else
		assert(e.text[0] && !strchr(e.text, '\n'));
	assert(bootdisk_parse(disk, len - 1, &found, &e) < 0 || len - 1 == sizeof(disk));
	return 0;
}
