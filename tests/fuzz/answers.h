/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answers.h — messages of any type, as an input says: each field is there or not, with a value of the input's or one
 * of those that programs trip over. They are packed and decoded as if they had come from a peer.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/reader.h"

#include <protobuf-c/protobuf-c.h>

/* The first byte says how: all of it from the input, or every field of one kind and no further page. */
enum answer_how {
	ANSWER_SAID,    /* of each field a byte: is it there, and which value */
	ANSWER_PLAIN,   /* all, once, with values that are in order */
	ANSWER_LARGE,   /* ... with the largest numbers */
	ANSWER_SMALL,   /* ... with the smallest */
	ANSWER_STRANGE, /* all, twice, with texts that no terminal should see */
	ANSWER_RAW,     /* the next bytes, behind their length */
	ANSWERS
};

/* The caller's to free with protobuf_c_message_free_unpacked(). What does not decode is an error, as in a call. */
int answer_make(const ProtobufCMessageDescriptor *type, struct reader *r,
		ProtobufCMessage **message, struct err *e) MUST_CHECK;
/* A copy that is the caller's, packed and decoded as in a call. */
ProtobufCMessage *answer_copy(const ProtobufCMessage *message);
