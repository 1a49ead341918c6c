/* SPDX-License-Identifier: Apache-2.0 */
/* What a client may send to a server: HTTP/2 frames, header blocks, gRPC messages. HTTP/2's
 * preface and SETTINGS are put before input that does not begin with the preface. A 'w' in front: there
 * is somebody for what is not gRPC's. What happens then,
 * some time later or because the server ends, the length says (enum later). */
#include "common/rpc/conn.h"
#include "common/rpc/health.h"
#include "common/rpc/reflection.h"
#include "common/rpc/web.h"
#include "cvms.pb-c.h"
#include "cvms_paths.h"
#include "proto/descriptors.h"
#include "tests/fuzz/h2_peer.h"

#include <stdio.h>
#include <string.h>

static uv_loop_t loop;
static struct rpc_server *server;

/* Takes messages, pauses now and then, sends some back, ends at the half-close. */
static unsigned turn;
static struct rpc_call *paused;

static void resume(void)
{
	struct rpc_call *call = paused;

	paused = NULL;
	if (!call)
		return;
	rpc_call_resume(call);
	rpc_call_unref(call);
}

static void on_message(struct rpc_call *call, const ProtobufCMessage *message)
{
	struct err e;

	if (++turn % 4 == 0)
		rpc_call_pause(call);
	if (turn % 8 == 4 && !paused) { /* for longer */
		paused = rpc_call_ref(call);
		return;
	}
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

/* Like a real handler, this may ask the call for anything. */
static void on_closed(struct rpc_call *call)
{
	uint8_t out[32];
	size_t len;
	struct err e;

	if (rpc_call_is_open(call) || !rpc_call_metadata(call) || !rpc_call_method(call) ||
	    !rpc_call_peer(call) || rpc_call_is_tls(call) || rpc_call_peer_spki(call, &len) ||
	    rpc_call_loop(call) != &loop || rpc_call_prologue(call))
		__builtin_trap();
	if (rpc_call_exporter(call, "label", NULL, 0, out, sizeof(out), &e) == 0 ||
	    rpc_call_add_header(call, "late", "x", &e) == 0)
		__builtin_trap();
}

/* One message in; metadata of both kinds, and a lot, out. */
static void on_one(struct rpc_call *call, const ProtobufCMessage *message)
{
	static const char binary[] = { 1, 2, 3 };
	struct err e;

	rpc_call_prove(call);
	if (rpc_call_add_header(call, "x-text", "text", &e) < 0 ||
	    rpc_call_add_header_bytes(call, "x-bin", binary, sizeof(binary), &e) < 0 ||
	    rpc_call_add_trailer_bytes(call, "y-bin", binary, sizeof(binary), &e) < 0)
		return;
	if (rpc_call_send_bytes(call, NULL, 1, calloc(1, 4), 4, &e) < 0)
		return;
	rpc_call_reply(call, message);
}

static void on_bytes(struct rpc_call *call, uint8_t *bytes, size_t len)
{
	struct err e;

	rpc_call_bulk(call);
	if (len % 2 == 0) {
		(void)!rpc_call_send_bytes(call, NULL, 1, bytes, len, &e);
		return;
	}
	free(bytes);
	while (len % 3 == 0 && rpc_call_queued(call) <= RPC_LOW_WATER)
		if (rpc_call_send_bytes(call, NULL, 1, calloc(1, 65536), 65536, &e) < 0)
			return;
}

static void on_writable(struct rpc_call *call)
{
	if (rpc_call_queued(call) >= RPC_LOW_WATER)
		__builtin_trap();
}

static void on_delivered(struct rpc_call *call)
{
	if (rpc_call_is_open(call))
		__builtin_trap();
}

#define METHOD(path_, kind_)                                      \
	{ path_, kind_, &cvms__client_stream_message__descriptor, \
	  &cvms__client_stream_message__descriptor }

static const struct rpc_handler handlers[] = {
	{ .method = METHOD(PROTO_CVMS_PROCESS, RPC_BIDI),
	  .message = on_message,
	  .half_close = on_half_close,
	  .closed = on_closed },
};

static const struct rpc_handler own_handlers[] = {
	{ .method = METHOD("/fuzz/One", RPC_UNARY), .message = on_one, .closed = on_closed },
	{ .method = METHOD("/fuzz/Bytes", RPC_BIDI),
	  .start = rpc_call_prove,
	  .bytes = on_bytes,
	  .half_close = on_half_close,
	  .writable = on_writable,
	  .delivered = on_delivered,
	  .closed = on_closed },
	{ .method = METHOD("/fuzz/Small", RPC_CLIENT_STREAM),
	  .request_max = 16,
	  .is_public = true,
	  .message = on_message,
	  .half_close = on_half_close,
	  .closed = on_closed },
};

static const struct rpc_service service = {
	.name = PROTO_CVMS_SERVICE, .handlers = handlers, .count = 1, .descriptors = &proto_cvms_set
};
static const struct rpc_service own = { .name = "fuzz",
					.handlers = own_handlers,
					.count = ARRAY_LEN(own_handlers) };

static char goes_on[] = "goes on";

/* Refuses what is not right, takes bodies up to a size that the path says, answers with what came. */
static void on_web(void *data, struct rpc_call *call, const struct rpc_web_request *q)
{
	static const struct rpc_web_field fields[] = { { "content-type", "text/plain" } };

	if (q->fault != RPC_WEB_GOOD || strcmp(q->method, "HEAD") == 0)
		rpc_web_answer(call, &(struct rpc_web_reply){ .status = "400", fields, 1 });
	else if (strcmp(q->target, "/never") == 0)
		rpc_call_prove(call);
	else if (strcmp(q->target, "/on") == 0)
		rpc_call_set_user(call, goes_on);
	rpc_web_take(call, strlen(q->target) * 100);
}

/* An answer that goes on: with as many pieces as the body has bytes, the last of which are too many. */
static void begin_web(struct rpc_call *call, uint8_t *bytes, size_t len)
{
	enum { PIECE = 64 << 10 };
	struct err e;

	if (!rpc_web_begin(call, &(struct rpc_web_reply){ .status = "200" }))
		return;
	for (size_t i = 0; i < len; i++)
		if (rpc_web_send(call, calloc(1, PIECE), PIECE, &e) < 0)
			break;
	if (len == 0)
		rpc_web_end(call);
}

static void on_web_body(struct rpc_call *call, uint8_t *bytes, size_t len)
{
	if (rpc_call_user(call) == goes_on) {
		begin_web(call, bytes, len);
		free(bytes);
		return;
	}
	rpc_web_answer(call, &(struct rpc_web_reply){ .status = "200", .body = bytes, .len = len });
	rpc_web_answer(call, &(struct rpc_web_reply){ .status = "500" });
}

/* Once in a while nothing can be said. */
static void on_web_fail(struct rpc_call *call, const struct err *why)
{
	if (++turn % 2)
		rpc_web_answer(call, &(struct rpc_web_reply){ .status = "503" });
}

/* What is queued is out: the answer that goes on ends, or breaks off. */
static void on_web_writable(struct rpc_call *call)
{
	if (++turn % 2)
		rpc_web_end(call);
	else
		rpc_web_cut(call);
}

static const struct rpc_web web = { on_web, on_web_body, on_web_fail, on_web_writable, on_closed };

static void set_up(void)
{
	struct rpc_limits limits = rpc_limits_default();
	struct rpc_health *health;
	struct rpc_reflection *reflection;
	struct err e;

	limits.message_max = 1 << 16;
	limits.window = limits.window_bulk = 1 << 17;
	limits.held_max = 1 << 16;
	limits.header_list_max = 4096;
	limits.streams_max = 8;
	assert(uv_loop_init(&loop) == 0);
	assert(rpc_server_new(&loop, &limits, &server, &e) == 0);
	assert(rpc_server_add(server, &service, NULL, &e) == 0);
	assert(rpc_server_add(server, &own, NULL, &e) == 0);
	assert(rpc_health_new(server, &health, &e) == 0);
	assert(rpc_reflection_new(server, &reflection, &e) == 0);
}

/* ---- what happens when the bytes are through ---- */

enum later {
	NOTHING,
	A_MOMENT, /* nothing is due */
	ASKED,    /* a quiet client is asked whether it is there */
	STOPPED,  /* a request that goes on no more is ended */
	UNREAD,   /* so is an answer that nobody takes */
	IDLE,     /* a connection without calls is said goodbye to, and goes */
	CROWDED,  /* it makes room for another */
	LEAVING,  /* the server ends */
	LATERS,
};

static void wait_for(struct rpc_conn *c, uint64_t ms)
{
	conn_tick(c, uv_now(&loop) + ms);
}

static void happen(enum later later)
{
	const struct rpc_limits limits = rpc_limits_default();
	struct rpc_conn *c = TAILQ_FIRST(&server->conns);

	if (!c)
		return;
	switch (later) {
	case A_MOMENT:
		wait_for(c, 1);
		break;
	case ASKED:
		wait_for(c, limits.ping_ms + 1);
		break;
	case STOPPED:
		wait_for(c, limits.body_ms + 1);
		break;
	case UNREAD:
		wait_for(c, 1);
		wait_for(c, limits.stall_ms + 2);
		break;
	case IDLE:
		wait_for(c, limits.idle_ms + 1);
		peer_spin(&loop);
		if ((c = TAILQ_FIRST(&server->conns)))
			wait_for(c, limits.idle_ms + CONN_GOAWAY_MS + 1);
		break;
	case CROWDED:
		conn_give_way(c);
		break;
	case LEAVING:
		conn_drain(c);
		conn_end(c);
		break;
	default:
		break;
	}
	peer_spin(&loop);
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
	turn = 0;
	rpc_server_set_web(server, len && bytes[0] == 'w' ? &web : NULL, NULL);
	if (len && bytes[0] == 'w') {
		bytes++;
		len--;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, ends) < 0)
		return 0;
	assert(conn_accept(server, &listener, ends[0], &e) == 0);
	peer_spin(&loop);
	if (len < 3 || memcmp(bytes, "PRI", 3) != 0)
		peer_feed(&loop, ends[1], (const uint8_t *)preface, sizeof(preface) - 1);
	peer_feed(&loop, ends[1], bytes, len);
	happen(len % LATERS);
	resume();
	peer_spin(&loop);
	close(ends[1]);
	while (server->conn_count > 0)
		uv_run(&loop, UV_RUN_ONCE);
	peer_spin(&loop);
	if (server->buffered != 0)
		__builtin_trap();
	return 0;
}
