/* SPDX-License-Identifier: Apache-2.0 */
/*
 * upload.h — bytes on their way to disk, with their SHA3-256 taken beside.
 *
 * Two lanes in the worker pool, one that writes and one that hashes, go through the same chunks;
 * a chunk is freed when both are past it. The feeder stops while upload_is_full(), so memory is
 * constant whatever the size. An upload that was interrupted keeps file and hash state: it can be
 * fed again later.
 *
 * All functions are called on the loop thread.
 */
#pragma once

#include "common/base/err.h"
#include "common/crypto/digest.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

enum { UPLOAD_FULL = 2 << 20 }; /* bytes under way at which the feeder stops */

struct upload;

struct upload_callbacks {
	void (*room)(void *data);  /* it was full and is not any more, or it has failed */
	void (*ended)(void *data); /* once after upload_end(): all that was fed is through, or
				    * it has failed */
};

/* Makes the file `path`, which must not exist. More than `max` bytes fail the upload. */
int upload_new(uv_loop_t *loop, const char *path, uint64_t max, struct upload **upload,
	       struct err *e) MUST_CHECK;

/* Who is told from now on; NULL: nobody. `callbacks` is kept, not copied. */
void upload_attach(struct upload *u, const struct upload_callbacks *callbacks, void *data);

/* `bytes` lie within `buffer`, which is malloc'ed and taken over in every case. */
void upload_feed(struct upload *u, uint8_t *buffer, const uint8_t *bytes, size_t len);
bool upload_is_full(struct upload *u);

/* The end of one call's bytes: ended() follows, never from within. A later call may feed on. */
void upload_end(struct upload *u);

/* Bytes that were fed. */
uint64_t upload_size(const struct upload *u);
const char *upload_path(const struct upload *u);
/* 0, or what went wrong: the disk is full (ERR_EXHAUSTED), too many bytes. */
int upload_failure(struct upload *u, struct err *e) MUST_CHECK;

/* After ended(), once; nothing can be fed afterwards. */
int upload_digest(struct upload *u, uint8_t digest[SHA3_256_LEN], struct err *e) MUST_CHECK;

/* Removes the file if it still has its name, at once; frees the rest when the lanes are through.
 * No callback comes any more. */
void upload_free(struct upload *u);
DEFINE_CLEANUP(struct upload *, upload_free)
