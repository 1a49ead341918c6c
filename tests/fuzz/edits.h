/* SPDX-License-Identifier: Apache-2.0 */
/*
 * edits.h — an input as edits of evidence that was right: a head of a few bytes that says which
 * evidence, then edits of five bytes each: part, operation, offset (two, little-endian), value.
 *
 * The target takes the evidence apart, edits the parts, and puts it together again with lengths,
 * digests and signatures that are right for what the parts say now (resign.h), so that an edit reaches
 * the check that is meant for it and not the first signature before it. The mutator here changes,
 * adds and takes away whole edits.
 */
#pragma once

#include "common/base/bytes.h"
#include "common/base/reader.h"
#include "common/base/span.h"

#include <stdlib.h>
#include <string.h>

enum { EDIT_LEN = 5, EDITS_MAX = 64, EDITED_ROOM = 65536 };
enum edit_operation { EDIT_FLIP, EDIT_SET, EDIT_INSERT, EDIT_DELETE, EDIT_ADD32, EDIT_CUT, EDITS };

struct edited {
	uint8_t bytes[EDITED_ROOM];
	size_t len;
	bool changed; /* by edits; an edit may also change nothing */
};

static inline void edited_take(struct edited *p, const void *bytes, size_t len)
{
	if (len > sizeof(p->bytes))
		abort();
	if (len)
		memcpy(p->bytes, bytes, len);
	p->len = len;
	p->changed = false;
}

static inline struct span edited_span(const struct edited *p)
{
	return (struct span){ p->bytes, p->len };
}

static inline void edit(struct edited *p, uint8_t operation, size_t offset, uint8_t value)
{
	if (!p->len)
		return;
	offset %= p->len;
	p->changed = true;
	switch (operation % EDITS) {
	case EDIT_FLIP:
		p->bytes[offset] ^= value;
		break;
	case EDIT_SET:
		p->bytes[offset] = value;
		break;
	case EDIT_INSERT:
		if (p->len == sizeof(p->bytes))
			break;
		memmove(p->bytes + offset + 1, p->bytes + offset, p->len - offset);
		p->bytes[offset] = value;
		p->len++;
		break;
	case EDIT_DELETE:
		memmove(p->bytes + offset, p->bytes + offset + 1, p->len - offset - 1);
		p->len--;
		break;
	case EDIT_ADD32:
		if (offset + 4 <= p->len)
			bytes_put_le(p->bytes + offset,
				     bytes_le(p->bytes + offset, 4) +
					     (uint64_t)(int64_t)(int8_t)value,
				     4);
		break;
	case EDIT_CUT:
		p->len = offset;
		break;
	}
}

/* Those of parts `from` to `to`, which is not one of them, of `count`. */
static inline void edit_all(struct reader r, struct edited *parts, uint8_t count, uint8_t from,
			    uint8_t to)
{
	for (unsigned i = 0; i < EDITS_MAX && reader_left(&r) >= EDIT_LEN; i++) {
		uint8_t part = reader_u8(&r) % count, operation = reader_u8(&r);
		size_t offset = reader_le16(&r);
		uint8_t value = reader_u8(&r);

		if (part >= from && part < to)
			edit(&parts[part], operation, offset, value);
	}
}

/* What a head may hold, and how many bytes that is: of each target. */
#ifdef EDITS_HEAD

static inline unsigned edits_random(unsigned *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

static inline void edits_change(uint8_t *at, unsigned *state)
{
	static const uint8_t telling[] = { 0, 1, 2, 0x7f, 0x80, 0xff };
	size_t field = edits_random(state) % EDIT_LEN;

	if (field < 2)
		at[field] = (uint8_t)(edits_random(state) % 32);
	else if (edits_random(state) % 2)
		at[field] = (uint8_t)(at[field] + (edits_random(state) % 2 ? 1 : -1));
	else if (field == 4 && edits_random(state) % 2)
		at[field] = telling[edits_random(state) % sizeof(telling)];
	else
		at[field] = (uint8_t)edits_random(state);
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed);
size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t len, size_t room, unsigned seed)
{
	unsigned state = seed;
	size_t count = len > EDITS_HEAD ? (len - EDITS_HEAD) / EDIT_LEN : 0, at;

	if (room < EDITS_HEAD + EDIT_LEN)
		return len;
	while (len < EDITS_HEAD)
		bytes[len++] = 0;
	at = EDITS_HEAD + EDIT_LEN * (count ? edits_random(&state) % count : 0);
	switch (edits_random(&state) % 8) {
	case 0:
		bytes[edits_random(&state) % EDITS_HEAD] ^=
			(uint8_t)(1 << edits_random(&state) % 8);
		break;
	case 1: /* one away */
		if (count) {
			memmove(bytes + at, bytes + at + EDIT_LEN, len - at - EDIT_LEN);
			count--;
		}
		break;
	case 2:
	case 3:
	case 4: /* one more */
		if (count < EDITS_MAX && EDITS_HEAD + (count + 1) * EDIT_LEN <= room) {
			at = EDITS_HEAD + count++ * EDIT_LEN;
			for (size_t i = 0; i < EDIT_LEN; i++)
				bytes[at + i] = (uint8_t)edits_random(&state);
			bytes[at] %= 32;
			bytes[at + 1] %= EDITS;
			bytes[at + 3] %= 8; /* most parts are short */
		}
		break;
	default:
		if (count)
			edits_change(bytes + at, &state);
	}
	return EDITS_HEAD + count * EDIT_LEN;
}

#endif
