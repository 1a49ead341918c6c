/* SPDX-License-Identifier: Apache-2.0 */
/*
 * writer.h — bytes put together, with a maximum that is set at the start.
 *
 * Writing past the maximum, or running out of memory, makes the writer bad for good; ask once, at
 * the end. A length that comes before its content is reserved and filled in afterwards.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

struct writer {
	uint8_t *bytes;
	size_t len, room, max;
	bool bad, no_memory; /* no_memory: why it is bad */
};

static inline struct writer writer_up_to(size_t max)
{
	return (struct writer){ .max = max };
}

/* Wipes and frees the bytes; the writer is empty and good again. */
void writer_done(struct writer *w);
#define CLEANUP_WRITER __attribute__((cleanup(writer_done)))

void writer_bytes(struct writer *w, const void *bytes, size_t len);
void writer_text(struct writer *w, const char *text); /* without the final zero */
void writer_zeros(struct writer *w, size_t len);
void writer_u8(struct writer *w, uint8_t v);
void writer_le16(struct writer *w, uint16_t v);
void writer_le32(struct writer *w, uint32_t v);
void writer_le64(struct writer *w, uint64_t v);
void writer_be16(struct writer *w, uint16_t v);
void writer_be24(struct writer *w, uint32_t v);
void writer_be32(struct writer *w, uint32_t v);
void writer_be64(struct writer *w, uint64_t v);
void writer_hex(struct writer *w, const void *bytes, size_t len); /* lower-case digits */
void writer_printf(struct writer *w, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Room for a big-endian length of `width` bytes (1 to 4); returns its position. */
size_t writer_reserve(struct writer *w, size_t width);

/* Fills the length reserved at `at` with the count of bytes written since. Bad if it can't hold
 * that number. */
void writer_patch(struct writer *w, size_t at, size_t width);

/* 0, or -ERR_EXHAUSTED with 'what' named, when something did not fit. */
int writer_check(const struct writer *w, const char *what, struct err *e) MUST_CHECK;

/* Hands the bytes over (malloc'ed, the caller frees), followed by a zero byte that is not counted
 * in `*len`. NULL if the writer is bad. The writer is empty afterwards. */
uint8_t *writer_take(struct writer *w, size_t *len);
