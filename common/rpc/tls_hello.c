/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/tls_hello.h"

#include "common/base/reader.h"

enum { CHANGE_CIPHER_SPEC = 20, HANDSHAKE = 22, APPLICATION_DATA = 23, CLIENT_HELLO = 1 };

static size_t min_size(size_t a, size_t b)
{
	return a < b ? a : b;
}

static void begin_record(struct tls_hello *h)
{
	struct reader r = reader_over(h->record, TLS_RECORD_HEAD);
	uint8_t type = reader_u8(&r);

	(void)reader_be16(&r); /* version: says nothing */
	h->record_left = reader_be16(&r);
	h->record_have = 0;
	/* Not TLS at all, or the hello of SSL 2, which is no longer than its one record. */
	if (type < CHANGE_CIPHER_SPEC || type > APPLICATION_DATA)
		h->is_past = true;
}

static void begin_message(struct tls_hello *h)
{
	struct reader r = reader_over(h->message, TLS_MESSAGE_HEAD);
	uint8_t type = reader_u8(&r);

	h->message_left = reader_be24(&r);
	h->message_have = 0;
	h->is_past = type != CLIENT_HELLO;
	h->is_too_long = type == CLIENT_HELLO && h->message_left > TLS_HELLO_MAX;
}

/* Bytes of a handshake record, at least one. Returns how many it used. */
static size_t take_message(struct tls_hello *h, const uint8_t *bytes, size_t len)
{
	size_t step = min_size(len, h->message_left);

	h->message_left -= step;
	if (step > 0)
		return step;
	h->message[h->message_have++] = *bytes;
	if (h->message_have == TLS_MESSAGE_HEAD)
		begin_message(h);
	return 1;
}

int tls_hello_add(struct tls_hello *h, const uint8_t *bytes, size_t len, struct err *e)
{
	size_t at = 0;

	while (at < len && !h->is_past && !h->is_too_long) {
		size_t step = min_size(len - at, h->record_left);

		if (step == 0) {
			h->record[h->record_have++] = bytes[at++];
			if (h->record_have == TLS_RECORD_HEAD)
				begin_record(h);
			continue;
		}
		if (h->record[0] == HANDSHAKE)
			step = take_message(h, bytes + at, step);
		h->record_left -= step;
		at += step;
	}
	if (!h->is_too_long)
		return 0;
	return err_set(e, ERR_EXHAUSTED, "a ClientHello of %zu bytes is announced; %d are allowed",
		       h->message_left, TLS_HELLO_MAX);
}
