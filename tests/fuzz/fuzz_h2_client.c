/* SPDX-License-Identifier: Apache-2.0 */
/* What a server may answer to a client that has three calls open: one unary, two of streams; and, by
 * the input's length, what the client does or what time does meanwhile. */
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

static void on_headers(struct rpc_stream *stream)
{
	if (!rpc_stream_headers(stream))
		__builtin_trap();
}

static void on_bytes(struct rpc_stream *stream, uint8_t *bytes, size_t len)
{
	free(bytes);
	if (++turn % 8 == 0)
		rpc_stream_half_close(stream);
	if (turn % 4 == 2)
		rpc_stream_pause(stream);
}

/* Asks again, for ever. */
static void on_arrived(struct rpc_stream *stream)
{
	struct err e;

	(void)!rpc_stream_ping(stream, &e);
}

static void on_writable(struct rpc_stream *stream)
{
	if (rpc_stream_queued(stream) >= RPC_LOW_WATER)
		__builtin_trap();
}

static const struct rpc_stream_events events = { .message = on_message, .closed = on_closed };
static const struct rpc_stream_events bulk = { .headers = on_headers,
					       .bytes = on_bytes,
					       .writable = on_writable,
					       .arrived = on_arrived,
					       .closed = on_closed };

static void call(struct rpc_channel *channel, const struct rpc_method *method)
{
	struct rpc_stream *stream;
	struct err e;

	assert(rpc_stream_open(channel, method, &events, NULL, &stream, &e) == 0);
	open_calls++;
	if (method->kind == RPC_UNARY)
		assert(rpc_stream_send_bytes(stream, NULL, 1, calloc(1, 4), 4, &e) == 0);
}

/* With metadata of both kinds, a deadline, and more to send than a window takes. */
static struct rpc_stream *call_bulk(struct rpc_channel *channel, size_t extra)
{
	enum { MUCH = 512 << 10 };
	Cvms__ClientStreamMessage message = CVMS__CLIENT_STREAM_MESSAGE__INIT;
	struct rpc_metadata metadata = { 0 };
	const struct rpc_stream_options options = { .metadata = &metadata,
						    .timeout_ms = 600000,
						    .user = &loop };
	struct rpc_stream *stream;
	struct err e;

	assert(rpc_metadata_add(&metadata, "job-id", "x", &e) == 0);
	assert(rpc_metadata_add_bytes(&metadata, "x-bin", "\1\2", 2, &e) == 0);
	assert(rpc_stream_open(channel, &bidi, &bulk, &options, &stream, &e) == 0);
	rpc_metadata_done(&metadata);
	open_calls++;
	assert(rpc_stream_user(stream) == &loop);
	assert(rpc_stream_send(stream, &message.base, &e) == 0);
	assert(extra == 0 ||
	       rpc_stream_send_bytes(stream, NULL, 1, calloc(1, MUCH), MUCH, &e) == 0);
	return rpc_stream_ref(stream);
}

/* ---- what happens when the bytes are through ---- */

enum later {
	NOTHING,
	A_MOMENT, /* nothing is due */
	ASKED,    /* a quiet server is asked whether it is there */
	GONE,     /* it has not answered */
	CANCELLED,
	ENDED, /* the client has nothing more to say */
	RESUMED,
	ANOTHER, /* one more call, of another connection if this one takes no more: there is none */
	LATERS,
};

static void happen(struct rpc_channel *channel, struct rpc_stream *stream, enum later later)
{
	const struct rpc_limits limits = rpc_limits_default();
	struct link *link = TAILQ_FIRST(&channel->links);
	uint64_t now = uv_now(&loop);

	if (later == CANCELLED)
		rpc_stream_cancel(stream);
	if (later == ENDED)
		rpc_stream_half_close(stream);
	if (later == RESUMED)
		rpc_stream_resume(stream);
	if (later == ANOTHER)
		call(channel, &bidi);
	if (link && later == A_MOMENT)
		link_tick(link, now + 1);
	if (link && (later == ASKED || later == GONE))
		link_tick(link, now + limits.ping_ms + 1);
	peer_spin(&loop);
	rpc_stream_resume(stream);
	if (later == GONE && (link = TAILQ_FIRST(&channel->links)))
		link_tick(link, now + 2 * limits.idle_ms);
	peer_spin(&loop);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	const struct rpc_channel_config config = { .target = "unix:/proc/nowhere/socket" };
	struct rpc_channel *channel;
	struct rpc_stream *stream;
	struct err e;
	int ends[2];

	if (!loop.data) {
		assert(uv_loop_init(&loop) == 0);
		loop.data = &loop;
	}
	turn = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
		return 0;
	assert(rpc_channel_new(&loop, &config, &channel, &e) == 0);
	assert(link_open(channel, ends[0], &e) == 0);
	call(channel, &unary);
	call(channel, &bidi);
	stream = call_bulk(channel, len % 2);
	peer_spin(&loop);
	(void)!rpc_stream_ping(stream, &e);
	peer_feed(&loop, ends[1], bytes, len);
	assert(!rpc_channel_prologue(channel));
	assert(rpc_channel_loop(channel) == &loop && rpc_channel_target(channel));
	(void)rpc_channel_is_ready(channel);
	happen(channel, stream, len % LATERS);
	rpc_stream_unref(stream);
	close(ends[1]);
	peer_spin(&loop);
	rpc_channel_free(channel);
	if (open_calls != 0)
		__builtin_trap();
	while (uv_run(&loop, UV_RUN_ONCE))
		;
	return 0;
}
