/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/inbox.h"

#include "common/base/cleanup.h"
#include "common/base/reader.h"

#include <stdlib.h>
#include <string.h>

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

void inbox_done(struct inbox *in)
{
	free(in->bytes);
	for (unsigned i = 0; i < in->count; i++)
		free(in->waiting[(in->first + i) % INBOX_WAITING_MAX].bytes);
	free(in->rest);
	*in = (struct inbox){ .message_max = in->message_max,
			      .is_bulk = in->is_bulk,
			      .is_raw = in->is_raw };
}

/* The prefix is complete: what message follows? */
static int begin(struct inbox *in, struct err *e)
{
	struct reader r = reader_over(in->prefix, INBOX_PREFIX);
	uint8_t flag = reader_u8(&r);
	uint32_t len = reader_be32(&r);

	if (flag == 1)
		return err_set(e, ERR_INTERNAL,
			       "a compressed message, but no grpc-encoding was agreed on");
	if (flag != 0)
		return err_set(e, ERR_INTERNAL, "a message with flag %u", flag);
	if (len > in->message_max)
		return err_set(e, ERR_EXHAUSTED, "a message of %u bytes; %zu are allowed", len,
			       in->message_max);
	in->len = len;
	in->have = 0;
	return 0;
}

/* A stranger's room grows with what has come, not with what was announced. */
static int make_room(struct inbox *in, size_t more, struct err *e)
{
	size_t room = in->is_bulk ? in->len : in->room;
	uint8_t *grown;

	if (room < INBOX_FIRST_ROOM)
		room = INBOX_FIRST_ROOM;
	while (room < in->have + more)
		room *= 2;
	room = min_size(room, in->len ? in->len : 1);
	if (in->bytes && room <= in->room)
		return 0;
	grown = realloc(in->bytes, room);
	if (!grown)
		return err_nomem(e);
	in->held += room - in->room;
	in->bytes = grown;
	in->room = room;
	return 0;
}

static void complete(struct inbox *in)
{
	unsigned slot = (in->first + in->count++) % INBOX_WAITING_MAX;

	in->waiting[slot] = (struct inbox_message){ in->bytes, in->len };
	/* From here on it counts by its length. */
	in->held += in->len;
	in->held -= in->room;
	in->bytes = NULL;
	in->prefix_len = 0;
	in->len = in->have = in->room = 0;
}

/* Uses as many of the bytes as it can while there is room for complete messages. */
static int assemble(struct inbox *in, const uint8_t *bytes, size_t len, size_t *used, struct err *e)
{
	size_t at = 0;

	while (in->count < INBOX_WAITING_MAX) {
		size_t step;

		if (in->prefix_len < INBOX_PREFIX) {
			if (at == len)
				break;
			in->prefix[in->prefix_len++] = bytes[at++];
			if (in->prefix_len == INBOX_PREFIX && begin(in, e) < 0)
				return err_code(e);
			continue;
		}
		step = min_size(len - at, in->len - in->have);
		if (step == 0 && in->have < in->len)
			break;
		if (make_room(in, step, e) < 0)
			return err_code(e);
		if (step)
			memcpy(in->bytes + in->have, bytes + at, step);
		in->have += step;
		at += step;
		if (in->have == in->len)
			complete(in);
	}
	*used = at;
	return 0;
}

static int keep(struct inbox *in, const uint8_t *bytes, size_t len, struct err *e)
{
	if (len == 0)
		return 0;
	if (in->rest_used > in->rest_len - in->rest_used) { /* the smaller part is worth moving */
		memmove(in->rest, in->rest + in->rest_used, in->rest_len - in->rest_used);
		in->rest_len -= in->rest_used;
		in->rest_used = 0;
	}
	if (len > in->rest_room - in->rest_len) {
		size_t room = in->rest_room ? in->rest_room : INBOX_FIRST_ROOM;
		uint8_t *grown;

		while (room < in->rest_len + len)
			room *= 2;
		grown = realloc(in->rest, room);
		if (!grown)
			return err_nomem(e);
		in->held += room - in->rest_room;
		in->rest = grown;
		in->rest_room = room;
	}
	memcpy(in->rest + in->rest_len, bytes, len);
	in->rest_len += len;
	return 0;
}

static int add_raw(struct inbox *in, const uint8_t *bytes, size_t len, struct err *e)
{
	if (len > in->message_max - in->have)
		return err_set(e, ERR_OUT_OF_RANGE, "a body of more than %zu bytes",
			       in->message_max);
	in->len = in->message_max;
	if (make_room(in, len, e) < 0)
		return err_code(e);
	if (len)
		memcpy(in->bytes + in->have, bytes, len);
	in->have += len;
	return 0;
}

int inbox_end(struct inbox *in, struct err *e)
{
	if (!in->is_raw || in->count > 0)
		return 0;
	if (make_room(in, 0, e) < 0)
		return err_code(e);
	in->len = in->have;
	complete(in);
	return 0;
}

int inbox_add(struct inbox *in, const uint8_t *bytes, size_t len, struct err *e)
{
	size_t used = 0;

	if (in->is_raw)
		return add_raw(in, bytes, len, e);
	if (in->rest_len == 0 && assemble(in, bytes, len, &used, e) < 0)
		return err_code(e);
	return keep(in, bytes + used, len - used, e);
}

/* A message was taken: look at the bytes that waited behind the full queue. */
static int refill(struct inbox *in, struct err *e)
{
	size_t used;

	if (in->rest_len == 0)
		return 0;
	if (assemble(in, in->rest + in->rest_used, in->rest_len - in->rest_used, &used, e) < 0)
		return err_code(e);
	in->rest_used += used;
	if (in->rest_used < in->rest_len)
		return 0;
	free(in->rest);
	in->held -= in->rest_room;
	in->rest = NULL;
	in->rest_len = in->rest_room = in->rest_used = 0;
	return 0;
}

int inbox_take(struct inbox *in, struct inbox_message *message, struct err *e)
{
	if (in->count == 0 && refill(in, e) < 0)
		return err_code(e);
	if (in->count == 0)
		return 0;
	*message = in->waiting[in->first];
	in->first = (in->first + 1) % INBOX_WAITING_MAX;
	in->count--;
	in->held -= message->len;
	return 1;
}

bool inbox_is_partial(const struct inbox *in)
{
	return in->prefix_len > 0 || in->rest_len > 0;
}

size_t inbox_waiting(const struct inbox *in)
{
	size_t waiting = in->prefix_len + in->have + in->rest_len - in->rest_used;

	for (unsigned i = 0; i < in->count; i++)
		waiting += INBOX_PREFIX + in->waiting[(in->first + i) % INBOX_WAITING_MAX].len;
	return waiting;
}
