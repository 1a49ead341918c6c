/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inbox.h — bytes of DATA frames put together to gRPC messages (5-byte prefix: compressed flag,
 * big-endian length). For this folder only.
 *
 * Messages wait here in order until somebody takes them. A long queue of small ones would cost many
 * times its bytes, so past INBOX_WAITING_MAX the bytes stay as they came.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { INBOX_PREFIX = 5, INBOX_WAITING_MAX = 16, INBOX_FIRST_ROOM = 16 << 10 };

struct inbox_message {
	uint8_t *bytes; /* never NULL */
	size_t len;
};

/* Empty when zeroed but for message_max. */
struct inbox {
	size_t message_max;
	bool is_bulk; /* room is made for a whole message at once: the sender is known */
	bool is_raw;  /* no prefixes: all that comes until inbox_end() is one message */

	uint8_t prefix[INBOX_PREFIX];
	unsigned prefix_len;
	uint8_t *bytes; /* of the message under way */
	size_t len, have, room;

	struct inbox_message waiting[INBOX_WAITING_MAX];
	unsigned first, count;

	uint8_t *rest; /* not looked at yet */
	size_t rest_len, rest_room, rest_used;

	size_t held; /* bytes that all of this holds */
};

void inbox_done(struct inbox *in);

/* Refused: a compressed message (INTERNAL: no encoding was negotiated), a flag that gRPC has not, a
 * length above message_max (EXHAUSTED; of a raw one OUT_OF_RANGE), no memory. The inbox is of no use afterwards. */
int inbox_add(struct inbox *in, const uint8_t *bytes, size_t len, struct err *e) MUST_CHECK;

/* Of a raw one: no more comes, and what came is complete. Nothing otherwise, or the second time. */
int inbox_end(struct inbox *in, struct err *e) MUST_CHECK;

/* 1: the next message, malloc'ed, the caller's. 0: none is complete. Negative as inbox_add(). */
int inbox_take(struct inbox *in, struct inbox_message *message, struct err *e) MUST_CHECK;

/* A message has begun and is not complete. */
bool inbox_is_partial(const struct inbox *in);

/* Bytes that were added and did not leave yet with a message. */
size_t inbox_waiting(const struct inbox *in);
