/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sha256.h — SHA-256 (FIPS 180-4) for init, which is linked with no library.
 *
 * It tells broken input from whole; nothing secret and no signature hangs on it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SUM = 32 };

/* Over two pieces, one after the other; an empty one may be NULL. */
void sha256_two(const void *first, size_t first_len, const void *second, size_t second_len,
		uint8_t sum[SHA256_SUM]);
