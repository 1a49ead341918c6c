/* SPDX-License-Identifier: Apache-2.0 */
/* What a client may send to a server: HTTP/2 frames, header blocks, gRPC messages. HTTP/2's
 * preface and SETTINGS are put before input that does not begin with the preface. */
#include "common/rpc/conn.h"
#include "common/rpc/health.h"
#include "common/rpc/reflection.h"
#include "cvms.pb-c.h"
#include "cvms_paths.h"
#include "tests/fuzz/h2_peer.h"

#include <stdio.h>
#include <string.h>

static uv_loop_t loop;
static struct rpc_server *server;

/* Takes messages, pauses now and then, sends some back, ends at the half-close. */
static unsigned turn;

static void on_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;

	if (++turn % 4 == 0)
		rpc_call_pause(call);
	if (turn % 2 == 0 && rpc_call_send(call, message, &e) < 0)
		return;
	if (turn % 16 == 0) {
		err_set(&e, ERR_DENIED, "enough");
		rpc_call_finish(call, &e);
	}
	rpc_call_resume(call);
}

static void on_half_close(struct rpc_call *call)
{
	rpc_call_finish(call, NULL);
}

static void on_closed(struct rpc_call *call)
{
	/* Like a real handler, this may ask the call for anything. */
	if (rpc_call_is_open(call) || !rpc_call_metadata(call))
		__builtin_trap();
}

static const struct rpc_handler handlers[] = {
	{ .method = { PROTO_CVMS_PROCESS, RPC_BIDI, &cvms__client_stream_message__descriptor,
		      &cvms__client_stream_message__descriptor },
	  .message = on_message,
	  .half_close = on_half_close,
	  .closed = on_closed },
};

static const struct rpc_service service = { .name = PROTO_CVMS_SERVICE,
					    .handlers = handlers,
					    .count = 1 };

static void set_up(void)
{
	struct rpc_limits limits = rpc_limits_default();
	struct rpc_health *health;
	struct rpc_reflection *reflection;
	struct err e;

	limits.message_max = 1 << 16;
	limits.window = limits.window_bulk = 1 << 17;
	assert(uv_loop_init(&loop) == 0);
	assert(rpc_server_new(&loop, &limits, &server, &e) == 0);
	assert(rpc_server_add(server, &service, NULL, &e) == 0);
	assert(rpc_health_new(server, &health, &e) == 0);
	assert(rpc_reflection_new(server, &reflection, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static const char preface[] = NGHTTP2_CLIENT_MAGIC "\0\0\0\4\0\0\0\0\0";
	const struct listener listener = { .server = server };
	struct err e;
	int ends[2];

	if (!server)
		set_up();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
		return 0;
	assert(conn_accept(server, &listener, ends[0], &e) == 0);
	peer_spin(&loop);
	if (len < 3 || memcmp(bytes, "PRI", 3) != 0)
		peer_feed(&loop, ends[1], (const uint8_t *)preface, sizeof(preface) - 1);
	peer_feed(&loop, ends[1], bytes, len);
	close(ends[1]);
	while (rpc_server_connections(server) > 0)
		uv_run(&loop, UV_RUN_ONCE);
	peer_spin(&loop);
	if (server->buffered != 0)
		__builtin_trap();
	return 0;
}
