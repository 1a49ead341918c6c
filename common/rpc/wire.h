/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire.h — the fields of a serialized protobuf message, one after the other, where they lie.
 *
 * For bulk messages that are not decoded (rpc_handler.bytes). Unknown fields are the caller's to
 * skip; of a repeated singular field the last counts. Groups are refused.
 */
#pragma once

#include "common/base/reader.h"

enum rpc_wire_type { RPC_WIRE_VARINT = 0, RPC_WIRE_64 = 1, RPC_WIRE_BYTES = 2, RPC_WIRE_32 = 5 };

struct rpc_wire_field {
	uint32_t number;
	enum rpc_wire_type type;
	uint64_t value;       /* of varint, 64 and 32 */
	const uint8_t *bytes; /* of bytes */
	size_t len;
};

/* The next field. False at the end and when the bytes hold no field (then the reader is bad: ask
 * reader_done()). */
bool rpc_wire_next(struct reader *r, struct rpc_wire_field *field);
