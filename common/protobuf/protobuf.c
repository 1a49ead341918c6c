/* SPDX-License-Identifier: Apache-2.0 */
#include "common/protobuf/protobuf.h"

#include "common/base/reader.h"
#include "common/base/utf8.h"

#include <stdlib.h>
#include <string.h>

/* Protocol Buffers, 'Encoding': wire types. */
enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct walk {
	unsigned fields, depth;
};

static uint64_t varint(struct reader *r)
{
	uint64_t value = 0;

	for (unsigned shift = 0; shift < 64; shift += 7) {
		uint8_t byte = reader_u8(r);

		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return value;
	}
	r->bad = true;
	return 0;
}

static int wire_type_of(ProtobufCType type)
{
	switch (type) {
	case PROTOBUF_C_TYPE_SFIXED32:
	case PROTOBUF_C_TYPE_FIXED32:
	case PROTOBUF_C_TYPE_FLOAT:
		return WIRE_FIXED32;
	case PROTOBUF_C_TYPE_SFIXED64:
	case PROTOBUF_C_TYPE_FIXED64:
	case PROTOBUF_C_TYPE_DOUBLE:
		return WIRE_FIXED64;
	case PROTOBUF_C_TYPE_STRING:
	case PROTOBUF_C_TYPE_BYTES:
	case PROTOBUF_C_TYPE_MESSAGE:
		return WIRE_BYTES;
	default:
		return WIRE_VARINT;
	}
}

/* Numbers may come packed: many of them in one field of bytes. */
static bool wire_type_fits(const ProtobufCFieldDescriptor *field, int wire)
{
	int own = wire_type_of(field->type);

	return wire == own || (wire == WIRE_BYTES && field->label == PROTOBUF_C_LABEL_REPEATED);
}

static int walk(struct walk *w, const ProtobufCMessageDescriptor *type, struct reader r,
		struct err *e);

static int walk_bytes(struct walk *w, const ProtobufCMessageDescriptor *type,
		      const ProtobufCFieldDescriptor *field, struct reader content, struct err *e)
{
	size_t len = reader_left(&content);

	if (field->type == PROTOBUF_C_TYPE_MESSAGE)
		return walk(w, field->descriptor, content, e);
	if (field->type == PROTOBUF_C_TYPE_STRING) {
		if (len > 0 && memchr(content.pos, 0, len))
			return err_set(e, ERR_INVALID, "%s.%s: a zero byte inside the text",
				       type->name, field->name);
		if (!utf8_valid(content.pos, len))
			return err_set(e, ERR_INVALID, "%s.%s: not valid UTF-8", type->name,
				       field->name);
	} else if (field->type != PROTOBUF_C_TYPE_BYTES) {
		/* Packed numbers: no item is shorter than a byte. */
		if (len > PROTOBUF_FIELDS_MAX - w->fields)
			return err_set(e, ERR_INVALID, "%s.%s: more than %d fields in one message",
				       type->name, field->name, PROTOBUF_FIELDS_MAX);
		w->fields += (unsigned)len;
	}
	return 0;
}

static int walk_field(struct walk *w, const ProtobufCMessageDescriptor *type, struct reader *r,
		      struct err *e)
{
	uint64_t tag = varint(r), number = tag >> 3;
	int wire = (int)(tag & 7);
	const ProtobufCFieldDescriptor *field;

	if (!reader_ok(r))
		return err_set(e, ERR_INVALID, "%s: truncated", type->name);
	if (number == 0 || number > 0x1fffffff)
		return err_set(e, ERR_INVALID, "%s: impossible field number", type->name);
	field = protobuf_c_message_descriptor_get_field(type, (unsigned)number);
	if (!field)
		return err_set(e, ERR_INVALID, "%s: field %u is unknown", type->name,
			       (unsigned)number);
	if (!wire_type_fits(field, wire))
		return err_set(e, ERR_INVALID, "%s.%s: wire type %d does not fit", type->name,
			       field->name, wire);
	switch (wire) {
	case WIRE_VARINT:
		varint(r);
		break;
	case WIRE_FIXED64:
		reader_skip(r, 8);
		break;
	case WIRE_FIXED32:
		reader_skip(r, 4);
		break;
	case WIRE_BYTES: {
		uint64_t len = varint(r);
		struct reader content;

		if (!reader_ok(r) || len > reader_left(r))
			return err_set(e, ERR_INVALID, "%s: truncated in field %u", type->name,
				       (unsigned)number);
		content = reader_sub(r, (size_t)len);
		return field ? walk_bytes(w, type, field, content, e) : 0;
	}
	default:
		return err_set(e, ERR_INVALID, "%s: wire type %d is not accepted", type->name,
			       wire);
	}
	if (!reader_ok(r))
		return err_set(e, ERR_INVALID, "%s: truncated in field %u", type->name,
			       (unsigned)number);
	return 0;
}

static int walk(struct walk *w, const ProtobufCMessageDescriptor *type, struct reader r,
		struct err *e)
{
	if (++w->depth > PROTOBUF_DEPTH_MAX)
		return err_set(e, ERR_INVALID, "%s: nested deeper than %d", type->name,
			       PROTOBUF_DEPTH_MAX);
	while (reader_left(&r) > 0) {
		int failed;

		if (++w->fields > PROTOBUF_FIELDS_MAX)
			return err_set(e, ERR_INVALID, "%s: more than %d fields in one message",
				       type->name, PROTOBUF_FIELDS_MAX);
		failed = walk_field(w, type, &r, e);
		if (failed)
			return failed;
	}
	w->depth--;
	return 0;
}

int protobuf_check(const ProtobufCMessageDescriptor *type, const void *bytes, size_t len,
		   struct err *e)
{
	struct walk w = { 0 };

	return walk(&w, type, reader_over(bytes, len), e);
}

/* The library says of nothing why it failed. */
static void *noted_alloc(void *data, size_t size)
{
	bool *no_memory = data;
	void *at = malloc(size);

	*no_memory |= !at;
	return at;
}

static void noted_free(void *data, void *at)
{
	free(at);
}

int protobuf_unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t len,
		    ProtobufCMessage **message, struct err *e)
{
	bool no_memory = false;
	ProtobufCAllocator memory = { noted_alloc, noted_free, &no_memory };
	ProtobufCMessage *unpacked;
	int failed = protobuf_check(type, bytes, len, e);

	if (failed)
		return failed;
	unpacked = protobuf_c_message_unpack(type, &memory, len, bytes);
	if (!unpacked && no_memory)
		return err_nomem(e);
	if (!unpacked)
		return err_set(e, ERR_INVALID, "%s: cannot be decoded", type->name);
	*message = unpacked;
	return 0;
}

int protobuf_pack(const ProtobufCMessage *message, uint8_t **bytes, size_t *len, struct err *e)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	uint8_t *packed = malloc(size ? size : 1);

	if (!packed)
		return err_nomem(e);
	protobuf_c_message_pack(message, packed);
	*bytes = packed;
	*len = size;
	return 0;
}
