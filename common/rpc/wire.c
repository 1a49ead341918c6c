/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/wire.h"

enum { VARINT_MAX = 10 };

static uint64_t read_varint(struct reader *r)
{
	uint64_t value = 0;

	for (unsigned i = 0; i < VARINT_MAX; i++) {
		uint8_t byte = reader_u8(r);

		/* The tenth byte has room for one bit only. */
		if (i == VARINT_MAX - 1 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << (7 * i);
		if (!(byte & 0x80))
			return value;
	}
	r->bad = true;
	return 0;
}

bool rpc_wire_next(struct reader *r, struct rpc_wire_field *field)
{
	uint64_t tag, len;

	if (reader_left(r) == 0 || !reader_ok(r))
		return false;
	tag = read_varint(r);
	*field = (struct rpc_wire_field){ .number = (uint32_t)(tag >> 3),
					  .type = (enum rpc_wire_type)(tag & 7) };
	if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff)
		r->bad = true;
	switch (field->type) {
	case RPC_WIRE_VARINT:
		field->value = read_varint(r);
		break;
	case RPC_WIRE_64:
		field->value = reader_le64(r);
		break;
	case RPC_WIRE_32:
		field->value = reader_le32(r);
		break;
	case RPC_WIRE_BYTES:
		len = read_varint(r);
		if (len > reader_left(r))
			r->bad = true;
		else
			field->bytes = reader_take(r, field->len = (size_t)len);
		break;
	default:
		r->bad = true;
	}
	return reader_ok(r);
}
