/* SPDX-License-Identifier: Apache-2.0 */
/* bootdisk_take.c — finds the boot disk, reads it, and gives its files to the agent. */
#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/users.h"
#include "guest/bootdisk.h"
#include "guest/disks.h"
#include "guest/given.h"

#include <fcntl.h>
#include <string.h>

int bootdisk_read(int fd, uint8_t bytes[BOOTDISK_SIZE], struct err *e)
{
	off_t size = lseek(fd, 0, SEEK_END);
	int all;

	if (size < 0)
		return err_errno(e, "find the boot disk's end");
	if (size != BOOTDISK_SIZE)
		return err_set(e, ERR_INVALID, "boot disk: it has %lld bytes, not %d",
			       (long long)size, BOOTDISK_SIZE);
	all = fd_read_at(fd, bytes, BOOTDISK_SIZE, 0, e);
	if (all < 0)
		return err_wrap(e, "boot disk");
	return all ? 0 : err_set(e, ERR_INVALID, "boot disk: it ends too early");
}

static int put_file(const char *target, enum bootconfig_file file, const struct bootdisk *disk,
		    struct err *e)
{
	CLEANUP(close) int dir = open(target, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP(close) int fd = -1;

	if (!disk->files[file].bytes)
		return 0;
	if (dir < 0)
		return err_errno(e, "open '%s'", target);
	fd = given_make(dir, bootconfig_name(file), USERS_AGENT, e);
	if (fd < 0)
		return err_code(e);
	return fd_write_all(fd, disk->files[file].bytes, disk->files[file].len, e);
}

static int put_files(const struct bootdisk *disk, struct err *e)
{
	if (given_open(GIVEN_CONFIG, e) < 0 || given_open(GIVEN_CERTS, e) < 0)
		return err_code(e);
	for (enum bootconfig_file file = 0; file < BOOTCONFIG_FILES; file++)
		if (put_file(file == BOOTCONFIG_ENVIRONMENT ? GIVEN_CONFIG : GIVEN_CERTS, file,
			     disk, e) < 0)
			return err_code(e);
	return given_seal(GIVEN_CONFIG, e) < 0 ? err_code(e) : given_seal(GIVEN_CERTS, e);
}

static int take(const char *path, uint8_t bytes[BOOTDISK_SIZE], struct err *e)
{
	CLEANUP(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct bootdisk disk;

	if (fd < 0)
		return err_errno(e, "open '%s'", path);
	if (bootdisk_read(fd, bytes, e) < 0 || bootdisk_parse(bytes, BOOTDISK_SIZE, &disk, e) < 0)
		return err_code(e);
	return put_files(&disk, e);
}

int bootdisk_take(struct err *e)
{
	static uint8_t bytes[BOOTDISK_SIZE];
	char path[DISKS_PATH_MAX];
	int failed;

	if (disks_await(disks_find, BOOTDISK_SERIAL,
			"the disk with the serial number '" BOOTDISK_SERIAL
			"' is missing: launch with it",
			path, e) < 0)
		return err_code(e);
	failed = take(path, bytes, e);
	explicit_bzero(bytes, sizeof(bytes)); /* init lives as long as the machine */
	return failed;
}
