/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/message.h"

#include "common/base/log.h"
#include "common/base/utf8.h"
#include "common/rpc/method.h"
#include "common/rpc/wire.h"

#include <stdlib.h>
#include <string.h>

/* protobuf-c allocates what the bytes ask for; this says when to stop. */
struct cap {
	size_t left;
};

static void *cap_alloc(void *data, size_t size)
{
	struct cap *cap = data;

	if (size > cap->left)
		return NULL;
	cap->left -= size;
	return malloc(size);
}

static void cap_free(void *data, void *pointer)
{
	free(pointer);
}

static const ProtobufCFieldDescriptor *field_of(const ProtobufCMessageDescriptor *type,
						uint32_t number)
{
	return protobuf_c_message_descriptor_get_field(type, number);
}

static int string_check(const ProtobufCMessageDescriptor *type, const ProtobufCFieldDescriptor *f,
			const struct rpc_wire_field *field, struct err *e)
{
	/* protobuf-c hands strings out as C strings: a zero byte would hide what is behind it. */
	if (field->len && memchr(field->bytes, 0, field->len))
		return err_set(e, ERR_INTERNAL, "%s.%s: a zero byte in a string", type->name,
			       f->name);
	if (!utf8_valid(field->bytes, field->len))
		return err_set(e, ERR_INTERNAL, "%s.%s: not UTF-8: %s", type->name, f->name,
			       log_quote_bytes(field->bytes, field->len).text);
	return 0;
}

/*
 * Walks the bytes as protobuf-c will, before it does: strings and nesting. Afterwards the strings'
 * lengths are gone, and its own recursion would follow the sender's nesting down the stack.
 */
static int bytes_check(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t len,
		       unsigned depth, struct err *e)
{
	struct reader r = reader_over(bytes, len);
	struct rpc_wire_field field;

	if (depth > RPC_DECODE_DEPTH_MAX)
		return err_set(e, ERR_INTERNAL, "%s: nested deeper than %d", type->name,
			       RPC_DECODE_DEPTH_MAX);
	while (rpc_wire_next(&r, &field)) {
		const ProtobufCFieldDescriptor *f = field_of(type, field.number);
		int result = 0;

		if (!f || field.type != RPC_WIRE_BYTES)
			continue;
		if (f->type == PROTOBUF_C_TYPE_STRING)
			result = string_check(type, f, &field, e);
		else if (f->type == PROTOBUF_C_TYPE_MESSAGE)
			result = bytes_check(f->descriptor, field.bytes, field.len, depth + 1, e);
		if (result < 0)
			return result;
	}
	if (!reader_done(&r))
		return err_set(e, ERR_INTERNAL, "%s: %zu bytes are no protobuf message", type->name,
			       len);
	return 0;
}

int rpc_message_decode(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t len,
		       ProtobufCMessage **message, struct err *e)
{
	struct cap cap = { .left = RPC_DECODE_FACTOR * len + RPC_DECODE_EXTRA };
	ProtobufCAllocator allocator = { cap_alloc, cap_free, &cap };
	ProtobufCMessage *decoded;

	if (bytes_check(type, bytes, len, 0, e) < 0)
		return err_code(e);
	decoded = protobuf_c_message_unpack(type, &allocator, len, bytes);
	if (!decoded)
		return err_set(e, ERR_INTERNAL,
			       "%s: %zu bytes do not decode as one, or to more than is allowed",
			       type->name, len);
	*message = decoded;
	return 0;
}

void rpc_message_free(ProtobufCMessage *message)
{
	if (message)
		protobuf_c_message_free_unpacked(message, NULL);
}
