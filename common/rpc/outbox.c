/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/outbox.h"

#include "common/base/cleanup.h"
#include "common/rpc/inbox.h"
#include "common/rpc/method.h"

#include <stdlib.h>
#include <string.h>

struct outbox_part {
	struct outbox_part *next;
	uint8_t *owned; /* or NULL: the bytes are behind this struct */
	size_t len, at;
	uint8_t bytes[];
};

/* Tag and length, each a varint of at most five bytes. */
enum { FIELD_HEAD_MAX = 10 };

static void append(struct outbox *out, struct outbox_part *part)
{
	part->next = NULL;
	if (out->last)
		out->last->next = part;
	else
		out->first = part;
	out->last = part;
	out->queued += part->len;
	if (out->queued >= RPC_LOW_WATER)
		out->was_high = true;
}

static void drop_first(struct outbox *out)
{
	struct outbox_part *part = out->first;

	out->first = part->next;
	if (!out->first)
		out->last = NULL;
	free(part->owned);
	free(part);
}

void outbox_done(struct outbox *out)
{
	while (out->first)
		drop_first(out);
	*out = (struct outbox){ 0 };
}

void outbox_cut(struct outbox *out, size_t keep)
{
	struct outbox_part **link = &out->first;
	size_t left = keep;

	out->last = NULL;
	for (struct outbox_part *part = *link; part && left > 0; part = *link) {
		if (part->len - part->at > left)
			part->len = part->at + left;
		left -= part->len - part->at;
		out->last = part;
		link = &part->next;
	}
	for (struct outbox_part *part = *link; part; part = *link) {
		*link = part->next;
		free(part->owned);
		free(part);
	}
	out->queued = keep;
	out->was_high = false;
}

static int check_room(const struct outbox *out, size_t more, size_t max, struct err *e)
{
	if (more > UINT32_MAX - INBOX_PREFIX || out->queued > max || more > max - out->queued)
		return err_set(e, ERR_EXHAUSTED,
			       "%zu bytes to send while %zu wait; the peer takes them too slowly",
			       more, out->queued);
	return 0;
}

static void put_prefix(uint8_t *to, size_t len)
{
	to[0] = 0;
	to[1] = (uint8_t)(len >> 24);
	to[2] = (uint8_t)(len >> 16);
	to[3] = (uint8_t)(len >> 8);
	to[4] = (uint8_t)len;
}

static size_t put_varint(uint8_t *to, uint64_t value)
{
	size_t n = 0;

	for (; value >= 0x80; value >>= 7)
		to[n++] = (uint8_t)(value | 0x80);
	to[n++] = (uint8_t)value;
	return n;
}

int outbox_add(struct outbox *out, const ProtobufCMessage *message, size_t max, struct err *e)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	struct outbox_part *part;

	if (check_room(out, len, max, e) < 0)
		return err_code(e);
	part = malloc(sizeof(*part) + INBOX_PREFIX + len);
	if (!part)
		return err_nomem(e);
	*part = (struct outbox_part){ .len = INBOX_PREFIX + len };
	put_prefix(part->bytes, len);
	protobuf_c_message_pack(message, part->bytes + INBOX_PREFIX);
	append(out, part);
	return 0;
}

int outbox_add_bytes(struct outbox *out, const struct outbox_bytes *message, size_t max,
		     struct err *e)
{
	CLEANUP(free) uint8_t *owned = message->bytes;
	size_t rest = message->rest ? protobuf_c_message_get_packed_size(message->rest) : 0;
	size_t head = INBOX_PREFIX + rest;
	CLEANUP(free) struct outbox_part *front = NULL;
	struct outbox_part *body;

	if (rest > max || message->len > max ||
	    check_room(out, rest + message->len + FIELD_HEAD_MAX, max, e) < 0)
		return err_set(e, ERR_EXHAUSTED, "%zu bytes do not fit in the queue of %zu",
			       message->len, max);
	front = malloc(sizeof(*front) + head + FIELD_HEAD_MAX);
	body = malloc(sizeof(*body));
	if (!front || !body) {
		free(body);
		return err_nomem(e);
	}
	if (rest)
		protobuf_c_message_pack(message->rest, front->bytes + INBOX_PREFIX);
	if (message->len) { /* an empty field is not written (proto3) */
		head += put_varint(front->bytes + head, (uint64_t)message->field << 3 | 2);
		head += put_varint(front->bytes + head, message->len);
	}
	put_prefix(front->bytes, head - INBOX_PREFIX + message->len);
	front->owned = NULL;
	front->at = 0;
	front->len = head;
	append(out, TAKE_PTR(front));
	*body = (struct outbox_part){ .owned = TAKE_PTR(owned), .len = message->len };
	append(out, body);
	return 0;
}

int outbox_add_raw(struct outbox *out, uint8_t *bytes, size_t len, size_t max, struct err *e)
{
	CLEANUP(free) uint8_t *owned = bytes;
	struct outbox_part *part;

	if (len == 0)
		return 0;
	if (check_room(out, len, max, e) < 0)
		return err_code(e);
	part = malloc(sizeof(*part));
	if (!part)
		return err_nomem(e);
	*part = (struct outbox_part){ .owned = TAKE_PTR(owned), .len = len };
	append(out, part);
	return 0;
}

void outbox_take(struct outbox *out, uint8_t *to, size_t len)
{
	while (len > 0) {
		struct outbox_part *part = out->first;
		size_t step = part->len - part->at;

		if (step > len)
			step = len;
		if (step)
			memcpy(to, (part->owned ? part->owned : part->bytes) + part->at, step);
		part->at += step;
		to += step;
		len -= step;
		out->queued -= step;
		if (part->at == part->len)
			drop_first(out);
	}
}

bool outbox_fell(struct outbox *out)
{
	if (!out->was_high || out->queued >= RPC_LOW_WATER)
		return false;
	out->was_high = false;
	return true;
}
