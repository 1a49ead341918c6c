/* SPDX-License-Identifier: Apache-2.0 */
/* A stream's bytes in arbitrary pieces: framing, then decoding of whatever messages come out. */
#include "common/rpc/inbox.h"
#include "common/rpc/message.h"
#include "common/rpc/method.h"
#include "cvms.pb-c.h"

#include <stdlib.h>

enum { MESSAGE_MAX = 1 << 16 };

/* False once something was refused: the inbox is of no use then. */
static bool take_all(struct inbox *in)
{
	struct inbox_message message;
	struct err e;
	int taken;

	while ((taken = inbox_take(in, &message, &e)) > 0) {
		ProtobufCMessage *decoded = NULL;

		if (message.len > MESSAGE_MAX)
			__builtin_trap();
		if (rpc_message_decode(&cvms__server_stream_message__descriptor, message.bytes,
				       message.len, &decoded, &e) == 0)
			rpc_message_free(decoded);
		free(message.bytes);
	}
	return taken == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct inbox in = { .message_max = MESSAGE_MAX, .is_bulk = len % 2 };
	size_t step = len ? 1u + bytes[0] : 1, at = len ? 1 : 0;
	bool takes_late = step % 2;
	struct err e;

	while (at < len) {
		size_t piece = len - at < step ? len - at : step;

		if (inbox_add(&in, bytes + at, piece, &e) < 0)
			break;
		at += piece;
		/* Nothing waits that did not come, and nothing is begun where nothing waits. */
		if (inbox_waiting(&in) > at || (inbox_is_partial(&in) && !inbox_waiting(&in)))
			__builtin_trap();
		if (!takes_late && !take_all(&in))
			break;
	}
	(void)take_all(&in);
	inbox_done(&in);
	if (in.held != 0)
		__builtin_trap();
	return 0;
}
