/* SPDX-License-Identifier: Apache-2.0 */
/*
 * digest.h — SHA-2 (FIPS 180-4) and SHA-3 (FIPS 202), at once or piece by piece.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

enum digest_kind {
	DIGEST_SHA1, /* of old event logs, which decide nothing; in RFC 6238's HMAC; of names in RFC 6960 */
	DIGEST_SHA256,
	DIGEST_SHA384,
	DIGEST_SHA512,
	DIGEST_SHA3_256,
	DIGEST_SHA3_384,
	DIGEST_SHA3_512,
};

enum {
	DIGEST_MAX = 64,
	SHA256_LEN = 32,
	SHA384_LEN = 48,
	SHA512_LEN = 64,
	SHA3_256_LEN = 32,
	SHA3_384_LEN = 48,
};

size_t digest_len(enum digest_kind kind);
const char *digest_name(enum digest_kind kind); /* "SHA3-256" */

/* `out` takes digest_len() bytes. */
int digest(enum digest_kind kind, const void *bytes, size_t len, uint8_t *out,
	   struct err *e) MUST_CHECK;

/* Several pieces, one after the other. */
struct digest_part {
	const void *bytes;
	size_t len;
};
int digest_parts(enum digest_kind kind, const struct digest_part *parts, size_t count, uint8_t *out,
		 struct err *e) MUST_CHECK;

/* A whole file of any size, in constant memory. */
int digest_file(enum digest_kind kind, const char *path, uint8_t *out, struct err *e) MUST_CHECK;

/* Piece by piece. Any error is kept and comes out of digest_finish(). Usable from one thread at a
 * time; may move between threads. */
struct digest_stream;
struct digest_stream *digest_new(enum digest_kind kind, struct err *e) MUST_CHECK;
void digest_add(struct digest_stream *d, const void *bytes, size_t len);
int digest_finish(struct digest_stream *d, uint8_t *out, struct err *e) MUST_CHECK;
/* Forgets what was added and starts again, also after digest_finish(). For many short inputs,
 * since a new stream looks up its algorithm each time. */
void digest_restart(struct digest_stream *d);
void digest_free(struct digest_stream *d);
DEFINE_CLEANUP(struct digest_stream *, digest_free)

int hmac(enum digest_kind kind, const void *key, size_t key_len, const void *bytes, size_t len,
	 uint8_t *out, struct err *e) MUST_CHECK;

/* Takes the same time wherever they differ. */
bool bytes_equal(const void *a, const void *b, size_t len);

int random_bytes(void *out, size_t len, struct err *e) MUST_CHECK;
