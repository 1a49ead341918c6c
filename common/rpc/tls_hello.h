/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tls_hello.h — how long a client's hello says it is. For this folder only.
 *
 * OpenSSL makes room for a whole handshake message when its header is in, and takes a ClientHello of
 * 128 KiB from anybody. This looks at the headers on their way to it: records (RFC 8446, section 5.1;
 * RFC 5246, section 6.2.1) and the messages in them (RFC 8446, section 4). Whether they are well formed is
 * OpenSSL's business.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	/* The room that OpenSSL has from the start is 16 KiB, with the message's header. A hello with
	 * a hybrid key share has 1.5 KiB, more than one packet. */
	TLS_HELLO_MAX = (16 << 10) - 4,
	TLS_RECORD_HEAD = 5,
	TLS_MESSAGE_HEAD = 4,
};

/* Zeroed at the start of a connection. */
struct tls_hello {
	uint8_t record[TLS_RECORD_HEAD], message[TLS_MESSAGE_HEAD];
	unsigned record_have, message_have;
	size_t record_left, message_left; /* bytes to skip */
	bool is_past;                     /* what follows is no hello */
	bool is_too_long;                 /* one is */
};

/* What came next from the client, in pieces of any length. ERR_EXHAUSTED: a hello of more than
 * TLS_HELLO_MAX bytes is announced. Hellos may be two (HelloRetryRequest), with records of other kinds
 * between; the first handshake message of another type ends it. */
int tls_hello_add(struct tls_hello *h, const uint8_t *bytes, size_t len, struct err *e) MUST_CHECK;
