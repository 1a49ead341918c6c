/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.h — small questions about bytes that were read, and numbers among them.
 *
 * Nothing here is for secrets: the answers take as long as they take (see digest_equal()).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether each of the bytes is `value`; true of none. */
bool bytes_are(const void *bytes, size_t len, uint8_t value);

/* Whether `value` is one of the `count` values of `len` bytes each that stand in a row. */
bool bytes_among(const void *values, size_t count, const void *value, size_t len);

/* The number that `len` bytes are, 8 at the most, the first byte the lowest or the highest. */
static inline uint64_t bytes_le(const uint8_t *bytes, size_t len)
{
	uint64_t value = 0;

	for (size_t i = len; i-- > 0;)
		value = value << 8 | bytes[i];
	return value;
}

static inline uint64_t bytes_be(const uint8_t *bytes, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | bytes[i];
	return value;
}

/* The lowest `len` bytes of a number, 8 at the most, to where they belong. */
static inline void bytes_put_le(uint8_t *to, uint64_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static inline void bytes_put_be(uint8_t *to, uint64_t value, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = (uint8_t)(value >> (8 * (len - 1 - i)));
}
