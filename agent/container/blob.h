/* SPDX-License-Identifier: Apache-2.0 */
/*
 * blob.h — a piece of a file as a stream, unpacked on the way (RFC 1952, RFC 8878), with the SHA-256 of
 * what was read and of what came out.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum {
	BLOB_DIGEST_LEN = 32,
	BLOB_ZSTD_WINDOW_MAX =
		27, /* log2 of the bytes that a zstd frame may refer back to: 128 MiB */
};

enum blob_packing { BLOB_PLAIN, BLOB_GZIP, BLOB_ZSTD };

/* Where it lies in its file. */
struct blob_place {
	uint64_t offset, size;
};

struct blob;

/* `most` is how many bytes may come out. `fd` stays the caller's, and open. */
int blob_open(int fd, const struct blob_place *place, enum blob_packing packing, uint64_t most,
	      struct blob **blob, struct err *e) MUST_CHECK;

/* Up to `room` bytes; `*len` is 0 at the end and only there. ERR_INVALID for what is not packed so, or
 * ends early; ERR_EXHAUSTED over `most`. */
int blob_read(struct blob *blob, void *out, size_t room, size_t *len, struct err *e) MUST_CHECK;

/* The next `count` bytes without looking at them: only of one that is plain and not summed. */
int blob_skip(struct blob *blob, uint64_t count, struct err *e) MUST_CHECK;

/* How many bytes have come out so far. */
uint64_t blob_position(const struct blob *blob);

/* From here on everything is summed; before the first byte is read. */
int blob_sum(struct blob *blob, struct err *e) MUST_CHECK;

/* At the end: both sums. */
int blob_sums(struct blob *blob, uint8_t packed[BLOB_DIGEST_LEN], uint8_t plain[BLOB_DIGEST_LEN],
	      struct err *e) MUST_CHECK;

void blob_free(struct blob *blob);
DEFINE_CLEANUP(struct blob *, blob_free)

/* By its first bytes: docker's own archives do not say how a layer is packed. */
int blob_packing_of(int fd, const struct blob_place *place, enum blob_packing *packing,
		    struct err *e) MUST_CHECK;
