/* SPDX-License-Identifier: Apache-2.0 */
/* The request's header block, and what is refused before a handler is asked. */
#include "common/base/log.h"
#include "common/rpc/call.h"
#include "common/rpc/call_state.h"
#include "common/rpc/call_web.h"
#include "common/rpc/conn.h"
#include "common/rpc/status.h"
#include "common/rpc/trace.h"

#include <stdlib.h>
#include <string.h>

/* The block of a struct call_request. */
static struct call_request *request_of(struct h2_block *b)
{
	return (struct call_request *)b;
}

static void set_path(struct h2_block *b, const char *value, size_t len)
{
	struct call_request *q = request_of(b);

	if (len < CALL_PATH_MAX) {
		memcpy(q->path, value, len);
		q->path[len] = 0;
		return;
	}
	q->long_path_len = len;
	if (len <= RPC_WEB_TARGET_MAX)
		q->long_path = strndup(value, len);
}

/* Of what is not gRPC's: longer ones are refused there. */
static void keep(struct h2_block *b, char *to, size_t room, const char *value, size_t len)
{
	struct call_request *q = request_of(b);

	if (len >= room || memchr(value, 0, len)) {
		q->web_problem = "a method, authority or content type that is too long";
		return;
	}
	memcpy(to, value, len);
	to[len] = 0;
}

static void set_method(struct h2_block *b, const char *value, size_t len)
{
	struct call_request *q = request_of(b);

	q->is_post = len == 4 && memcmp(value, "POST", 4) == 0;
	keep(b, q->method, sizeof(q->method), value, len);
}

static void set_authority(struct h2_block *b, const char *value, size_t len)
{
	struct call_request *q = request_of(b);

	keep(b, q->authority, sizeof(q->authority), value, len);
}

static void set_content_type(struct h2_block *b, const char *value, size_t len)
{
	static const char type[] = "application/grpc";
	const size_t n = sizeof(type) - 1;

	if (request_of(b)->content_type[0])
		request_of(b)->web_problem = "content-type is there twice";
	keep(b, request_of(b)->content_type, sizeof(request_of(b)->content_type), value, len);
	request_of(b)->is_grpc = len >= n && strncasecmp(value, type, n) == 0 &&
				 (len == n || value[n] == ';' ||
				  (len >= n + 6 && strncasecmp(value + n, "+proto", 6) == 0 &&
				   (len == n + 6 || value[n + 6] == ';')));
}

static void set_timeout(struct h2_block *b, const char *value, size_t len)
{
	struct err e;

	request_of(b)->has_timeout = true;
	if (timeout_parse(value, len, &request_of(b)->timeout_ms, &e) < 0)
		b->problem = e;
}

static void set_encoding(struct h2_block *b, const char *value, size_t len)
{
	if (len != 8 || memcmp(value, "identity", 8) != 0)
		err_set(&b->problem, ERR_UNIMPLEMENTED,
			"grpc-encoding %s: messages can't be compressed here, only 'identity'",
			log_quote_bytes(value, len).text);
}

static const struct h2_block_field own_fields[] = {
	H2_BLOCK_FIELD(":path", set_path),
	H2_BLOCK_FIELD(":method", set_method),
	H2_BLOCK_FIELD(":authority", set_authority),
	H2_BLOCK_FIELD("content-type", set_content_type),
	H2_BLOCK_FIELD("grpc-timeout", set_timeout),
	H2_BLOCK_FIELD("grpc-encoding", set_encoding),
};
static const struct h2_block_fields fields = { own_fields, ARRAY_LEN(own_fields) };

int call_header(struct h2_stream *s, const struct h2_header *header)
{
	struct rpc_call *call = (struct rpc_call *)s;

	if (!call->request) /* trailers of a request: gRPC has none */
		return 0;
	return h2_block_add(&call->request->block, &fields, s->limits->header_list_max, header);
}

static int find_handler(struct rpc_call *call, const struct call_request *q, struct err *e)
{
	bool service_known = false;

	if (q->block.is_too_large)
		return err_set(e, ERR_EXHAUSTED, "the request's headers are more than %zu bytes",
			       call->h2.limits->header_list_max);
	if (q->long_path_len)
		return err_set(e, ERR_UNIMPLEMENTED, "a path of %zu bytes", q->long_path_len);
	if (q->block.problem.code != ERR_OK) {
		*e = q->block.problem;
		return err_code(e);
	}
	call->handler =
		server_find(call_conn(call)->server, q->path, &call->service, &service_known);
	if (!call->handler)
		return err_set(e, ERR_UNIMPLEMENTED, "no %s %s here",
			       service_known ? "method" : "service for", log_quote(q->path).text);
	return 0;
}

static void on_deadline(void *data)
{
	struct rpc_call *call = data;
	struct err e;

	err_set(&e, ERR_DEADLINE, "the call's deadline has passed");
	call_cut(call, &e);
}

static void on_public_end(void *data)
{
	struct rpc_call *call = data;
	struct err e;

	err_set(&e, ERR_UNAVAILABLE, "this stream has lasted %u s: ask again",
		call->h2.limits->public_ms / 1000);
	call_cut(call, &e);
}

/* The client's deadline, or the end of what lasts no longer than so much for a stranger. Who is known
 * watches without a break: a client that saw its backend's watch end would take it for down. */
static int set_deadline(struct rpc_call *call, const struct call_request *q, struct err *e)
{
	unsigned public_ms = call->h2.limits->public_ms;
	bool is_public = call->handler->is_public && !peer_is_known(call->peer) &&
			 (!q->has_timeout || q->timeout_ms > public_ms);

	if (!q->has_timeout && !is_public)
		return 0;
	call->h2.deadline = deadline_start(call->loop, is_public ? public_ms : q->timeout_ms,
					   is_public ? on_public_end : on_deadline, call);
	return call->h2.deadline ? 0 : err_nomem(e);
}

/* With a handler and nothing against it: the call is open. */
static void open_call(struct rpc_call *call, const struct call_request *q)
{
	const struct rpc_handler *handler = call->handler;
	enum rpc_kind kind = handler->method.kind;
	struct h2_stream *s = &call->h2;
	struct err e;

	trace_begin_call(call);
	LOG_ABOUT(&call->about);
	s->is_open = true;
	s->method = &handler->method;
	call->number = ++call_conn(call)->server->calls;
	call->observer = handler->is_public ? NULL : call_conn(call)->server->observer;
	call->observer_data = call_conn(call)->server->observer_data;
	s->takes_one = kind == RPC_UNARY || kind == RPC_SERVER_STREAM;
	if (handler->request_max)
		s->inbox.message_max = handler->request_max;
	if ((handler->is_public && room_call_enter(call, &e) < 0) ||
	    set_deadline(call, q, &e) < 0) {
		call_cut(call, &e);
		return;
	}
	if (handler->start)
		handler->start(call);
}

/* The header block is complete. */
static void start(struct rpc_call *call, struct call_request *q)
{
	struct err e;

	call->h2.metadata = q->block.metadata;
	q->block.metadata = (struct rpc_metadata){ 0 };
	if (!q->is_grpc && call_conn(call)->server->web) {
		call_web_open(call, q);
		call_account(call);
		return;
	}
	if (!q->block.is_too_large && !q->is_post)
		call_refuse_http(call, "405");
	else if (!q->block.is_too_large && !q->is_grpc)
		call_refuse_http(call, "415");
	else if (find_handler(call, q, &e) < 0)
		call_cut(call, &e);
	call_account(call);
	server_shed(call_conn(call)->server);
	if (call->h2.conn && call->handler && !call->h2.is_finished)
		open_call(call, q);
}

void call_headers(struct h2_stream *s)
{
	struct rpc_call *call = (struct rpc_call *)s;
	struct call_request *q = TAKE_PTR(call->request);

	if (!q)
		return;
	start(call, q);
	call_request_free(q);
}
