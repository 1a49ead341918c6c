/* SPDX-License-Identifier: Apache-2.0 */
/*
 * protobuf.h — protobuf messages from untrusted bytes, decoded strictly.
 *
 * protobuf-c itself accepts strings that are not UTF-8, silently cuts strings at a zero byte, and
 * lets two bytes of input become a hundred bytes of memory. So the bytes are first checked against
 * the message's descriptor; only what passes is unpacked.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdint.h>
#include <protobuf-c/protobuf-c.h>

enum {
	PROTOBUF_DEPTH_MAX = 16,     /* messages inside messages */
	PROTOBUF_FIELDS_MAX = 65536, /* fields that occur, counted through all depths */
};

/* Only checks. ERR_INVALID names the message and the field: truncated, a wire type that the
 * field cannot have, a string with a zero byte or not UTF-8, groups, a field number of zero, the
 * limits, an unknown field. */
int protobuf_check(const ProtobufCMessageDescriptor *type, const void *bytes, size_t len,
		   struct err *e) MUST_CHECK;

/* Checks and unpacks; protobuf_c_message_free_unpacked(message, NULL) it. */
int protobuf_unpack(const ProtobufCMessageDescriptor *type, const void *bytes, size_t len,
		    ProtobufCMessage **message, struct err *e) MUST_CHECK;

/* Malloc'ed wire form. */
int protobuf_pack(const ProtobufCMessage *message, uint8_t **bytes, size_t *len,
		  struct err *e) MUST_CHECK;
