/* SPDX-License-Identifier: Apache-2.0 */
/* A call's input: what the handler gets, and what the connection and the server count for it. */
#include "common/rpc/call.h"
#include "common/rpc/call_state.h"
#include "common/rpc/conn.h"
#include "common/rpc/message.h"
#include "common/rpc/observer.h"

void call_account(struct rpc_call *call)
{
	const struct h2_stream *s = &call->h2;
	size_t held = s->inbox.held + (s->single.bytes ? s->single.len : 0);
	size_t weight = held + s->outbox.queued + s->metadata.bytes;
	struct rpc_conn *conn = call_conn(call);

	/* A client that has shown who it is holds what its window allows. */
	if (s->inbox.is_bulk)
		held = weight = 0;
	conn->held += held - call->held;
	conn->weight += weight - call->weight;
	conn->server->buffered += weight - call->weight;
	call->held = held;
	call->weight = weight;
}

/* No handler is at work here: a connection may be closed to make room. */
void call_came(struct h2_stream *s)
{
	struct rpc_call *call = (struct rpc_call *)s;
	struct rpc_conn *conn = call_conn(call);
	struct err e;

	call_account(call);
	if (conn->held > s->limits->held_max) {
		err_set(&e, ERR_EXHAUSTED, "more than %zu bytes under way on one connection",
			s->limits->held_max);
		call_cut(call, &e);
		h2_stream_drop_input(s);
		return;
	}
	server_shed(conn->server);
}

int call_admit(struct rpc_call *call, const ProtobufCMessage *message, struct err *e)
{
	const struct rpc_observer *o = call->observer;

	if (!call->is_admitted && o && o->admit &&
	    o->admit(call->observer_data, call, message, e) < 0)
		return err_code(e);
	call->is_admitted = true;
	return 0;
}

void call_message(struct h2_stream *s, struct inbox_message message)
{
	struct rpc_call *call = (struct rpc_call *)s;
	const struct rpc_handler *handler = call->handler;
	ProtobufCMessage *decoded = NULL;
	struct err e;

	LOG_ABOUT(&call->about);
	if (!handler->is_public && peer_is_known(call->peer))
		room_call_proven(call);
	if (handler->bytes) {
		call->is_admitted = true;
		handler->bytes(call, message.bytes, message.len);
		return;
	}
	if (h2_stream_decode(handler->method.request, message, &decoded, &e) < 0) {
		call_cut(call, &e);
		return;
	}
	if (call_admit(call, decoded, &e) < 0)
		call_cut(call, &e);
	else if (handler->message)
		handler->message(call, decoded);
	rpc_message_free(decoded);
}

void call_no_more(struct h2_stream *s)
{
	struct rpc_call *call = (struct rpc_call *)s;

	LOG_ABOUT(&call->about);
	if (!s->takes_one && call->handler->half_close)
		call->handler->half_close(call);
}

void rpc_call_prove(struct rpc_call *call)
{
	room_call_proven(call);
}

void rpc_call_pause(struct rpc_call *call)
{
	h2_stream_pause(&call->h2);
}

void rpc_call_resume(struct rpc_call *call)
{
	h2_stream_resume(&call->h2);
}

void rpc_call_bulk(struct rpc_call *call)
{
	struct h2_conn *conn = call->h2.conn;

	if (!call->h2.is_open || call->h2.inbox.is_bulk)
		return;
	call->h2.inbox.is_bulk = true;
	call_account(call);
	/* Failing means that the window stays as it is. */
	(void)nghttp2_session_set_local_window_size(conn->session, NGHTTP2_FLAG_NONE, call->h2.id,
						    (int32_t)conn->limits->window_bulk);
	transport_kick(&conn->transport);
}
