/* SPDX-License-Identifier: Apache-2.0 */
/*
 * message.h — protobuf messages from peers, decoded within bounds. For this folder only; others may
 * use it for messages inside messages (a manifest in its chunks).
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>
#include <protobuf-c/protobuf-c.h>

/* Decodes with at most RPC_DECODE_FACTOR × len + RPC_DECODE_EXTRA bytes of memory; refuses nesting
 * past RPC_DECODE_DEPTH_MAX, and strings that are not UTF-8 or hold a zero byte. The caller's to free
 * with rpc_message_free(). ERR_INTERNAL, as gRPC has it for what does not parse. */
int rpc_message_decode(const ProtobufCMessageDescriptor *type, const uint8_t *bytes, size_t len,
		       ProtobufCMessage **message, struct err *e) MUST_CHECK;
void rpc_message_free(ProtobufCMessage *message);
