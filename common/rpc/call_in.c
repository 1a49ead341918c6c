/* SPDX-License-Identifier: Apache-2.0 */
/* A call's input: from DATA frames to the handler, and the window given back for it. */
#include "common/rpc/conn.h"
#include "common/rpc/message.h"

#include <stdlib.h>

static bool takes_one(const struct rpc_call *call)
{
	enum rpc_kind kind = call->handler->method.kind;

	return kind == RPC_UNARY || kind == RPC_SERVER_STREAM;
}

void call_account(struct rpc_call *call)
{
	size_t held = call->inbox.held + (call->single.bytes ? call->single.len : 0);
	size_t weight = held + call->outbox.queued + call->metadata.bytes;
	struct rpc_conn *conn = call->conn;

	/* A client that has shown who it is holds what its window allows. */
	if (call->is_bulk)
		held = weight = 0;
	conn->held += held - call->held;
	conn->weight += weight - call->weight;
	conn->server->buffered += weight - call->weight;
	call->held = held;
	call->weight = weight;
}

/* What was taken off the client's hands may come again. A handler that paused has taken what was
 * handed over: its client goes on sending meanwhile, not only when all that waits is through. */
static void give_back(struct rpc_call *call)
{
	size_t kept = call->is_paused ? inbox_waiting(&call->inbox) : 0;

	if (call->owed <= kept)
		return;
	nghttp2_session_consume(call->conn->h2, call->stream_id, call->owed - kept);
	call->owed = kept;
}

void call_drop_input(struct rpc_call *call)
{
	if (!call->conn)
		return;
	inbox_done(&call->inbox);
	free(TAKE_PTR(call->single.bytes));
	call_account(call);
	if (call->conn->transport.stage != TRANSPORT_CLOSED && call->owed)
		nghttp2_session_consume_connection(call->conn->h2, call->owed);
	call->owed = 0;
}

static void fail(struct rpc_call *call, const struct err *e)
{
	rpc_call_finish(call, e);
}

/* Gives one message to the handler. */
static void hand_over(struct rpc_call *call, struct inbox_message message)
{
	CLEANUP(free) uint8_t *bytes = message.bytes;
	const struct rpc_handler *handler = call->handler;
	ProtobufCMessage *decoded = NULL;
	struct err e;

	if (handler->bytes) {
		handler->bytes(call, TAKE_PTR(bytes), message.len);
		return;
	}
	if (rpc_message_decode(handler->method.request, bytes, message.len, &decoded, &e) < 0) {
		fail(call, &e);
		return;
	}
	free(TAKE_PTR(bytes));
	if (handler->message)
		handler->message(call, decoded);
	rpc_message_free(decoded);
}

/* A method that takes one message gets it when the client has finished. */
static void keep_single(struct rpc_call *call, struct inbox_message message)
{
	struct err e;

	if (!call->single.bytes) {
		call->single = message;
		return;
	}
	free(message.bytes);
	err_set(&e, ERR_UNIMPLEMENTED, "%s takes one message; there came more",
		call->handler->method.path);
	fail(call, &e);
}

static void end_of_input(struct rpc_call *call)
{
	struct inbox_message single = call->single;
	struct err e;

	call->told_half_close = true;
	if (inbox_is_partial(&call->inbox)) {
		err_set(&e, ERR_INTERNAL, "the request ends within a message");
		fail(call, &e);
	} else if (takes_one(call) && !single.bytes) {
		err_set(&e, ERR_UNIMPLEMENTED, "%s takes one message; there came none",
			call->handler->method.path);
		fail(call, &e);
	} else if (takes_one(call)) {
		call->single.bytes = NULL;
		call_account(call);
		hand_over(call, single);
	} else if (call->handler->half_close) {
		call->handler->half_close(call);
	}
}

/* Hands waiting messages over, until the handler wants no more or there are none. */
static void hand_over_all(struct rpc_call *call)
{
	struct inbox_message message;
	struct err e;

	while (rpc_call_is_open(call) && !call->is_paused) {
		int r = inbox_take(&call->inbox, &message, &e);

		if (r < 0)
			fail(call, &e);
		if (r <= 0)
			break;
		call_account(call);
		if (takes_one(call))
			keep_single(call, message);
		else
			hand_over(call, message);
	}
	if (rpc_call_is_open(call) && !call->is_paused && call->has_ended && !call->told_half_close)
		end_of_input(call);
}

void call_deliver(struct rpc_call *call)
{
	/* A handler may end the call, or the whole server, from within. */
	if (call->is_handing || !call->handler)
		return;
	rpc_call_ref(call);
	call->is_handing = true;
	hand_over_all(call);
	call->is_handing = false;
	if (call->conn && call->is_finished)
		call_drop_input(call);
	else if (call->conn) {
		call_account(call);
		if (call->conn->transport.stage != TRANSPORT_CLOSED)
			give_back(call);
	}
	rpc_call_unref(call);
}

void call_input(struct rpc_call *call, const uint8_t *bytes, size_t len)
{
	struct rpc_conn *conn = call->conn;
	struct err e;

	call->owed += len;
	if (!call->handler || call->is_finished) {
		call_drop_input(call);
		return;
	}
	call->last_in = uv_now(call->loop);
	if (inbox_add(&call->inbox, bytes, len, &e) < 0) {
		fail(call, &e);
		call_drop_input(call);
		return;
	}
	call_account(call);
	if (conn->held > conn->server->limits.held_max) {
		err_set(&e, ERR_EXHAUSTED, "more than %zu bytes under way on one connection",
			conn->server->limits.held_max);
		fail(call, &e);
		call_drop_input(call);
		return;
	}
	server_shed(conn->server);
	if (call->conn)
		call_deliver(call);
}

void call_input_ended(struct rpc_call *call)
{
	call->has_ended = true;
	call_deliver(call);
}

void rpc_call_pause(struct rpc_call *call)
{
	call->is_paused = true;
}

void rpc_call_resume(struct rpc_call *call)
{
	if (!call->is_paused)
		return;
	call->is_paused = false;
	call->last_in = uv_now(call->loop);
	if (!call->conn || call->is_handing)
		return;
	call->wants_turn = true;
	call->conn->has_turns = true;
	transport_kick_later(&call->conn->transport);
}

void rpc_call_bulk(struct rpc_call *call)
{
	if (!call->conn || call->is_bulk || call->is_finished)
		return;
	call->is_bulk = call->inbox.is_bulk = true;
	call_account(call);
	/* Failing means that the window stays as it is. */
	(void)nghttp2_session_set_local_window_size(
		call->conn->h2, NGHTTP2_FLAG_NONE, call->stream_id,
		(int32_t)call->conn->server->limits.window_bulk);
	transport_kick(&call->conn->transport);
}
