/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootdisk.h — the host's boot disk (common/manifest/bootdisk.h), read once and checked.
 */
#pragma once

#include "common/base/err.h"
#include "common/manifest/bootdisk.h"

#include <stddef.h>
#include <stdint.h>

/* The files, in place: they live as long as the disk's bytes do. */
struct bootdisk {
	struct {
		const uint8_t *bytes; /* NULL: no such file */
		size_t len;
	} files[BOOTCONFIG_FILES];
};

/* The `len` bytes of a whole disk. Only the one form of what it says is taken; -ERR_INVALID or
 * -ERR_EXHAUSTED says what is wrong. */
int bootdisk_parse(const uint8_t *bytes, size_t len, struct bootdisk *disk,
		   struct err *e) MUST_CHECK;

/* Reads each byte of the open disk once into `bytes`. Refused unless it has that size exactly. */
int bootdisk_read(int fd, uint8_t bytes[BOOTDISK_SIZE], struct err *e) MUST_CHECK;

/* Its files to /etc/cocos and /etc/certs of MOUNTS_ROOT, for the agent. -ERR_NOT_FOUND when the machine has no
 * such disk. */
int bootdisk_take(struct err *e) MUST_CHECK;
