/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verity.h — the root on a disk of the host, every block checked against a hash in the initrd.
 *
 * The initrd is measured and holds what identifies the disk; the disk itself is not trusted.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

enum {
	VERITY_HASH_SIZE = 32, /* SHA-256 */
	VERITY_BLOCK = 4096,
	VERITY_BLOCKS_MAX = 1 << 24, /* 64 GiB of data */
	VERITY_TEXT_MAX = 256,
};

struct verity {
	uint32_t data_blocks; /* the hash tree follows the data on the same disk */
	char root_hash[2 * VERITY_HASH_SIZE + 1];
};

/* Reads "data_blocks N\nroot_hash HEX\n", exactly. */
int verity_parse(const char *text, struct verity *verity, struct err *e) MUST_CHECK;

/* Sets up the device over `disk`, which is there, and mounts the erofs on it at `target`, read-only.
 * A block that differs from the built image panics the kernel, and so does one that can't be
 * read: otherwise the host could choose errors for programs to see. */
int verity_mount(const struct verity *verity, const char *disk, const char *target,
		 struct err *e) MUST_CHECK;
