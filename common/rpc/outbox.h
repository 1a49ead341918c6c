/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox.h — gRPC messages on their way out, as one row of bytes. For this folder only.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <protobuf-c/protobuf-c.h>

struct outbox_part;

/* Empty when zeroed. */
struct outbox {
	struct outbox_part *first, *last;
	size_t queued; /* bytes, prefixes included */
	bool was_high; /* reached RPC_LOW_WATER since outbox_fell() last said that it fell */
};

void outbox_done(struct outbox *out);

/* A message with its prefix. EXHAUSTED if `queued` would pass `max`. */
int outbox_add(struct outbox *out, const ProtobufCMessage *message, size_t max,
	       struct err *e) MUST_CHECK;

/* The message `rest` (or none) with one more field of type bytes, whose content is not copied.
 * `bytes` is taken over in every case. */
struct outbox_bytes {
	const ProtobufCMessage *rest;
	uint32_t field;
	uint8_t *bytes;
	size_t len;
};
int outbox_add_bytes(struct outbox *out, const struct outbox_bytes *message, size_t max,
		     struct err *e) MUST_CHECK;

/* Bytes as they are; taken over in every case, may be NULL. */
int outbox_add_raw(struct outbox *out, uint8_t *bytes, size_t len, size_t max,
		   struct err *e) MUST_CHECK;

/* Throws away what is behind the first `keep` <= queued bytes. */
void outbox_cut(struct outbox *out, size_t keep);

/* Moves exactly `len` <= queued bytes out. */
void outbox_take(struct outbox *out, uint8_t *to, size_t len);

/* The queue had reached the low-water mark and has now fallen below it; true once for each. So a
 * sender who stops at any level from there on is told when to go on. */
bool outbox_fell(struct outbox *out);
