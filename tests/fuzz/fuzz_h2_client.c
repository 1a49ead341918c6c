/* SPDX-License-Identifier: Apache-2.0 */
/* What a server may answer to a client that has two calls open: one unary, one of streams. */
#include "agent.pb-c.h"
#include "agent_paths.h"
#include "common/rpc/channel_state.h"
#include "common/rpc/stream.h"
#include "cvms.pb-c.h"
#include "cvms_paths.h"
#include "tests/fuzz/h2_peer.h"

static const struct rpc_method unary = { PROTO_AGENT_AZURE_ATTESTATION_TOKEN, RPC_UNARY,
					 &agent__attestation_token_request__descriptor,
					 &agent__attestation_token_response__descriptor };
static const struct rpc_method bidi = { PROTO_CVMS_PROCESS, RPC_BIDI,
					&cvms__client_stream_message__descriptor,
					&cvms__server_stream_message__descriptor };

static uv_loop_t loop;
static unsigned open_calls, turn;

static void on_message(struct rpc_stream *stream, const ProtobufCMessage *message)
{
	if (++turn % 3 == 0) {
		rpc_stream_pause(stream);
		rpc_stream_resume(stream);
	}
	if (turn % 32 == 0)
		rpc_stream_cancel(stream);
}

static void on_closed(struct rpc_stream *stream, const struct err *status)
{
	if (rpc_stream_is_open(stream) || !rpc_stream_trailers(stream))
		__builtin_trap();
	open_calls--;
}

static const struct rpc_stream_events events = { .message = on_message, .closed = on_closed };

static void call(struct rpc_channel *channel, const struct rpc_method *method)
{
	struct rpc_stream *stream;
	struct err e;

	assert(rpc_stream_open(channel, method, &events, NULL, &stream, &e) == 0);
	open_calls++;
	if (method->kind == RPC_UNARY)
		assert(rpc_stream_send_bytes(stream, NULL, 1, calloc(1, 4), 4, &e) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct rpc_channel_config config = { .target = "unix:/proc/nowhere/socket" };
	struct rpc_channel *channel;
	struct err e;
	int ends[2];

	if (!loop.data) {
		assert(uv_loop_init(&loop) == 0);
		loop.data = &loop;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
		return 0;
	assert(rpc_channel_new(&loop, &config, &channel, &e) == 0);
	assert(link_open(channel, ends[0], &e) == 0);
	call(channel, &unary);
	call(channel, &bidi);
	peer_spin(&loop);
	peer_feed(&loop, ends[1], bytes, len);
	close(ends[1]);
	peer_spin(&loop);
	rpc_channel_free(channel);
	if (open_calls != 0)
		__builtin_trap();
	while (uv_run(&loop, UV_RUN_ONCE))
		;
	return 0;
}
