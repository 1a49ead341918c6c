/* SPDX-License-Identifier: Apache-2.0 */
/*
 * der.h — DER (ITU-T X.690) read strictly, one value at a time, on the bounded reader.
 *
 * Only definite, shortest lengths and one-byte tags. A value of another kind than asked for makes
 * the reader bad for good, as running out of bytes does; call reader_done() once at the end. All
 * results point into the input. Call der_check() once over anything that came from outside: it
 * walks the whole tree, so that the reader and a library can't see two different things.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/reader.h"
#include "common/base/span.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { DER_DEPTH_MAX = 16, DER_OID_MAX = 32 };

enum der_tag {
	DER_BOOLEAN = 0x01,
	DER_INTEGER = 0x02,
	DER_BIT_STRING = 0x03,
	DER_OCTET_STRING = 0x04,
	DER_NULL = 0x05,
	DER_OID = 0x06,
	DER_ENUMERATED = 0x0a,
	DER_UTF8_STRING = 0x0c,
	DER_PRINTABLE_STRING = 0x13,
	DER_IA5_STRING = 0x16,
	DER_UTC_TIME = 0x17,
	DER_GENERALIZED_TIME = 0x18,
	DER_SEQUENCE = 0x30,
	DER_SET = 0x31,
	DER_CONTEXT_CONSTRUCTED = 0xa0, /* | number: explicit, or implicit over a sequence */
};

struct der {
	uint8_t tag;
	struct span body;  /* the contents */
	struct span whole; /* with tag and length */
};

/* The next value of any tag; false (and the reader bad) if there is none. */
bool der_next(struct reader *r, struct der *v);

/* Whether another value follows and has that tag; never changes the reader. */
bool der_peek(const struct reader *r, uint8_t tag);

/* The next value, which must have that tag: a reader over its contents, or its contents, or the
 * whole value. If it does not: a bad reader, or an empty span. */
struct reader der_enter(struct reader *r, uint8_t tag);
struct span der_body(struct reader *r, uint8_t tag);
struct span der_whole(struct reader *r, uint8_t tag);

/* An INTEGER from 0 to 2⁶⁴−1. */
uint64_t der_u64(struct reader *r);
bool der_bool(struct reader *r);
/* A BIT STRING without unused bits. */
struct span der_bits(struct reader *r);
/* UTCTime (50 to 99 is 19xx) or GeneralizedTime as RFC 5280, 4.1.2.5 has them: to the second, in
 * UTC. Seconds since 1970. */
int64_t der_time(struct reader *r);

/* The contents of an OBJECT IDENTIFIER for "1.2.840.…"; returns their count, 0 if the text is
 * not an OID or too long. Never allocates. */
size_t der_oid(const char *text, uint8_t out[DER_OID_MAX]);
bool der_oid_is(struct span body, const char *text);

/* The bytes are one value in DER and nothing else: shortest lengths, booleans 00 or ff, shortest
 * integers, well-formed OIDs, zero unused bits, strings primitive, depth up to DER_DEPTH_MAX.
 * ERR_INVALID with the place otherwise. */
int der_check(const void *bytes, size_t len, struct err *e) MUST_CHECK;
