/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bundle_zip.h — a hostile zip, opened for libzip only once its claims are known to be bounded; for
 * this room only.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdint.h>
#include <zip.h>

DEFINE_CLEANUP(zip_t *, zip_discard)

/* Opens the regular file for reading, checked for consistency; `most` is how many entries it may
 * claim to have, anywhere. ERR_INVALID for what is no such zip, ERR_EXHAUSTED for more entries. The
 * caller gives `zip` to zip_discard(). `file_size` gets the file's length in bytes. */
int bundle_zip_open(const char *file, uint64_t most, zip_t **zip, uint64_t *file_size,
		    struct err *e) MUST_CHECK;

/* ERR_EXHAUSTED if there are more entries than that. */
int bundle_zip_entries_check(uint64_t count, uint64_t most, struct err *e) MUST_CHECK;

/* libzip's error as ours: out of memory and internal errors are the machine's, the others the
 * archive's. Returns the code. */
int bundle_zip_fault(struct err *e, zip_error_t *error, const char *what);
