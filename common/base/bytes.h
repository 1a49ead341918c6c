/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bytes.h — comparing bytes that were read, and reading and writing numbers in them.
 *
 * Not for secrets: how long an answer takes depends on the bytes (see digest_equal()).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whether every byte is `value`; true if there are no bytes. */
bool bytes_are(const void *bytes, size_t len, uint8_t value);

/* Whether `value` is one of `count` values of `len` bytes each, stored one after the other. */
bool bytes_among(const void *values, size_t count, const void *value, size_t len);

/* The number in `len` bytes (at most 8), with the first byte as the lowest or the highest. */
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

/* Writes the lowest `len` bytes of a number (at most 8). */
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
