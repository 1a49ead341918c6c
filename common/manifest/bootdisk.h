/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bootdisk.h — a boot configuration as a disk: what a manager writes and the image's init reads.
 *
 * The disk is BOOTDISK_SIZE bytes long, whatever it holds, and the guest finds it by its serial number.
 * Numbers are big endian:
 *
 *   magic "cocos-boot-disk" 00 ‖ version (4) ‖ length of the entries in bytes (4) ‖ their count (4) ‖
 *   SHA-256 of the 28 bytes before and of the entries (32) ‖ entries ‖ zeros to the end
 *
 * An entry is: length of the name (1) ‖ name ‖ length of the file (4) ‖ its bytes. The names are those of
 * bootconfig_name(), in that order, each at most once; a missing one is no such file.
 *
 * The digest tells a disk that was written in part, or is another one. It protects nothing from the host,
 * which can compute it: that is bootconfig_digest()'s part.
 */
#pragma once

#include "common/manifest/bootconfig.h"

#define BOOTDISK_SERIAL "cocos-boot"
#define BOOTDISK_MAGIC  "cocos-boot-disk" /* with its final zero */

enum {
	BOOTDISK_VERSION = 1,
	BOOTDISK_SIZE = BOOTCONFIG_FILES * BOOTCONFIG_FILE_MAX + 4096,
	BOOTDISK_SUM_AT = 28, /* where the digest stands */
	BOOTDISK_HEAD = BOOTDISK_SUM_AT + SHA256_LEN,
};

/* The whole disk, BOOTDISK_SIZE bytes, malloc'ed; it holds secrets, so wipe it. */
int bootdisk_form(const struct bootconfig *boot, uint8_t **bytes, struct err *e) MUST_CHECK;
