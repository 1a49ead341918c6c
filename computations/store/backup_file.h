/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backup_file.h — the file of a backup: an SQLite database, and behind it a seal of BACKUP_SEAL_LEN bytes:
 *
 *     "\ncocos-computations backup 1 sha3-256:" HEX "\n"
 *
 * where HEX is the digest of all that is before it. SQLite looks at no byte behind its pages.
 */
#pragma once

#include "common/base/err.h"
#include "common/crypto/digest.h"

#include <stdint.h>

#define BACKUP_SEAL_BEGIN "\ncocos-computations backup 1 sha3-256:"
#define BACKUP_MAX        ((uint64_t)64 << 30) /* bytes of a file */
enum { BACKUP_SEAL_LEN = sizeof(BACKUP_SEAL_BEGIN) - 1 + 2 * SHA3_256_LEN + 1 };

/* Behind what `path` holds, and all of it on disk. ERR_EXHAUSTED: it would be larger than `max`. */
int backup_file_seal(const char *path, uint64_t max, struct err *e) MUST_CHECK;

/* The database in `path`, a file of at most `max` bytes, to the empty one of `to`. ERR_DATA_LOSS: it is not what was
 * sealed. */
int backup_file_unseal(const char *path, uint64_t max, int to, struct err *e) MUST_CHECK;
