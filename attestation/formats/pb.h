/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pb.h — the wire format of protocol buffers, field by field, on the bounded reader.
 *
 * For messages whose bytes must have only one reading: of two values, one general decoder takes the
 * last and another the first. Varints must be in their shortest form.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

#include <stdbool.h>

enum pb_type { PB_VARINT = 0, PB_FIXED64 = 1, PB_BYTES = 2, PB_FIXED32 = 5 };

struct pb_field {
	uint32_t number; /* 1 to 2²⁹−1 */
	enum pb_type type;
	uint64_t value;    /* of numbers */
	struct span bytes; /* of PB_BYTES; points into the message */
};

/* The next field; false at the end, or when the bytes hold none (the reader is bad then). */
bool pb_next(struct reader *r, struct pb_field *field);

/* Whether a field of that kind is there for the first time: `*seen` is a set of 1 << number.
 * ERR_INVALID for another type, for a second one, and for a number over 31. */
int pb_once(const struct pb_field *field, enum pb_type type, uint32_t *seen,
	    struct err *e) MUST_CHECK;

/* Writing, in shortest form. */
struct writer;
void pb_put_number(struct writer *w, uint32_t field, uint64_t value);
void pb_put_bytes(struct writer *w, uint32_t field, const void *bytes, size_t len);
