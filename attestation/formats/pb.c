/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/formats/pb.h"

#include "common/base/writer.h"

enum { VARINT_BYTES_MAX = 10, NUMBER_MAX = (1 << 29) - 1 };

static uint64_t varint(struct reader *r)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < VARINT_BYTES_MAX; i++) {
		uint8_t byte = reader_u8(r);

		if (!reader_ok(r) || (i == VARINT_BYTES_MAX - 1 && byte > 1))
			break;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (byte & 0x80)
			continue;
		if (byte == 0 && i > 0) /* the same number fits into fewer bytes */
			break;
		return value;
	}
	r->bad = true;
	return 0;
}

bool pb_next(struct reader *r, struct pb_field *field)
{
	if (!reader_ok(r) || reader_left(r) == 0)
		return false;

	uint64_t tag = varint(r), number = tag >> 3;

	*field = (struct pb_field){ .number = (uint32_t)number, .type = tag & 7 };
	if (number < 1 || number > NUMBER_MAX)
		r->bad = true;
	switch (field->type) {
	case PB_VARINT:
		field->value = varint(r);
		break;
	case PB_FIXED64:
		field->value = reader_le64(r);
		break;
	case PB_FIXED32:
		field->value = reader_le32(r);
		break;
	case PB_BYTES: {
		uint64_t len = varint(r);

		if (len > reader_left(r))
			r->bad = true;
		else
			field->bytes = span_take(r, (size_t)len);
		break;
	}
	default: /* groups, and what was never defined */
		r->bad = true;
	}
	return reader_ok(r);
}

int pb_once(const struct pb_field *field, enum pb_type type, uint32_t *seen, struct err *e)
{
	if (field->type != type)
		return err_set(e, ERR_INVALID, "field %u has wire type %d, wanted %d",
			       field->number, (int)field->type, (int)type);
	if (field->number > 31)
		return err_set(e, ERR_INVALID, "field %u is over 31", field->number);
	if (*seen & (UINT32_C(1) << field->number))
		return err_set(e, ERR_INVALID, "field %u is there twice", field->number);
	*seen |= UINT32_C(1) << field->number;
	return 0;
}

static void put_varint(struct writer *w, uint64_t value)
{
	while (value >= 0x80) {
		writer_u8(w, (uint8_t)(value | 0x80));
		value >>= 7;
	}
	writer_u8(w, (uint8_t)value);
}

void pb_put_number(struct writer *w, uint32_t field, uint64_t value)
{
	put_varint(w, (uint64_t)field << 3 | PB_VARINT);
	put_varint(w, value);
}

void pb_put_bytes(struct writer *w, uint32_t field, const void *bytes, size_t len)
{
	put_varint(w, (uint64_t)field << 3 | PB_BYTES);
	put_varint(w, len);
	writer_bytes(w, bytes, len);
}
