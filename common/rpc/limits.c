/* SPDX-License-Identifier: Apache-2.0 */
/* limits.c — the limits that a server or channel has unless it is told others. */
#include "common/rpc/method.h"

struct rpc_limits rpc_limits_default(void)
{
	return (struct rpc_limits){
		.message_max = RPC_MESSAGE_MAX,
		.connections_max = 2048,
		.unready_max = 1024,
		.public_max = 256,
		.streams_max = 100,
		.header_list_max = 24 << 10,
		.queued_max = 16 << 20,
		.held_max = 32 << 20,
		.buffered_max = 256 << 20,
		.window = 256 << 10,
		.window_bulk = 4 << 20,
		.window_connection = 16 << 20,
		.handshake_ms = 10 * 1000,
		.prologue_ms = 60 * 1000,
		.preface_ms = 10 * 1000,
		.headers_ms = 10 * 1000,
		.body_ms = 60 * 1000,
		.request_ms = 2 * 60 * 1000,
		.stall_ms = 5 * 60 * 1000,
		.public_ms = 10 * 60 * 1000,
		.quiet_ms = 5 * 1000,
		.idle_ms = 60 * 60 * 1000,
		.ping_ms = 5 * 60 * 1000,
		.ping_answer_ms = 30 * 1000,
	};
}
