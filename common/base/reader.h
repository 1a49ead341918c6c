/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reader.h — a bounded cursor over bytes that are not trusted.
 *
 * Reading past the end gives zero (or NULL) and makes the reader bad for good. A parser therefore
 * reads every field in wire order, one statement each, and asks reader_done() once at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct reader {
	const uint8_t *pos, *end;
	bool bad;
};

static inline struct reader reader_over(const void *bytes, size_t len)
{
	const uint8_t *start = bytes;

	/* An empty input may be NULL, and arithmetic on NULL is undefined. */
	return (struct reader){ .pos = start, .end = len ? start + len : start };
}

static inline size_t reader_left(const struct reader *r)
{
	return (size_t)(r->end - r->pos);
}

/* The next `len` bytes in place, or NULL. They live as long as the input does. */
static inline const uint8_t *reader_take(struct reader *r, size_t len)
{
	const uint8_t *here = r->pos;

	if (r->bad || len > reader_left(r)) {
		r->bad = true;
		return NULL;
	}
	if (len)
		r->pos += len;
	return here;
}

/* Copies the next `len` bytes to `out`; zeroes it if there are fewer. */
void reader_copy(struct reader *r, void *out, size_t len);

/* Skips `len` bytes. */
void reader_skip(struct reader *r, size_t len);

/* Skips `len` bytes and makes the reader bad unless all are zero (reserved areas). */
void reader_zeros(struct reader *r, size_t len);

static inline uint8_t reader_u8(struct reader *r)
{
	if (r->bad || r->pos == r->end) {
		r->bad = true;
		return 0;
	}
	return *r->pos++;
}
uint16_t reader_le16(struct reader *r);
uint32_t reader_le32(struct reader *r);
uint64_t reader_le64(struct reader *r);
uint16_t reader_be16(struct reader *r);
uint32_t reader_be24(struct reader *r);
uint32_t reader_be32(struct reader *r);
uint64_t reader_be64(struct reader *r);

/* A reader limited to the next `len` bytes, which this one skips. */
struct reader reader_sub(struct reader *r, size_t len);

/* Every read so far was within bounds. */
static inline bool reader_ok(const struct reader *r)
{
	return !r->bad;
}

/* Every read was within bounds and no byte is left. */
bool reader_done(const struct reader *r);
