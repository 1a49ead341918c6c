/* SPDX-License-Identifier: Apache-2.0 */
/* The request's header block, and what is refused before a handler is asked. */
#include "common/base/log.h"
#include "common/rpc/conn.h"
#include "common/rpc/metadata_wire.h"
#include "common/rpc/status.h"

#include <stdlib.h>
#include <string.h>

enum { HEADER_OVERHEAD = 32 }; /* RFC 9113, section 10.5.1 */

static void set_path(struct call_request *q, const char *value, size_t len)
{
	if (len >= CALL_PATH_MAX) {
		err_set(&q->problem, ERR_UNIMPLEMENTED, "a path of %zu bytes", len);
		return;
	}
	memcpy(q->path, value, len);
	q->path[len] = 0;
}

static void set_method(struct call_request *q, const char *value, size_t len)
{
	q->is_post = len == 4 && memcmp(value, "POST", 4) == 0;
}

static void set_content_type(struct call_request *q, const char *value, size_t len)
{
	static const char type[] = "application/grpc";
	const size_t n = sizeof(type) - 1;

	q->is_grpc = len >= n && strncasecmp(value, type, n) == 0 &&
		     (len == n || value[n] == ';' ||
		      (len >= n + 6 && strncasecmp(value + n, "+proto", 6) == 0 &&
		       (len == n + 6 || value[n + 6] == ';')));
}

static void set_timeout(struct call_request *q, const char *value, size_t len)
{
	struct err e;

	q->has_timeout = true;
	if (timeout_parse(value, len, &q->timeout_ms, &e) < 0)
		q->problem = e;
}

static void set_encoding(struct call_request *q, const char *value, size_t len)
{
	if (len != 8 || memcmp(value, "identity", 8) != 0)
		err_set(&q->problem, ERR_UNIMPLEMENTED,
			"grpc-encoding %s: messages can't be compressed here, only 'identity'",
			log_quote_bytes(value, len).text);
}

static const struct own_header {
	const char *name;
	void (*set)(struct call_request *q, const char *value, size_t len);
} own_headers[] = {
	{ ":path", set_path },
	{ ":method", set_method },
	{ "content-type", set_content_type },
	{ "grpc-timeout", set_timeout },
	{ "grpc-encoding", set_encoding },
};

int call_add_request_header(struct rpc_call *call, const char *name, size_t name_len,
			    const char *value, size_t len)
{
	size_t most = call->conn->server->limits.header_list_max;
	struct call_request *q = call->request;
	struct err e;

	if (!q) /* trailers of a request: gRPC has none */
		return 0;
	q->list_size += name_len + len + HEADER_OVERHEAD;
	if (q->list_size > most) {
		q->is_too_large = true;
		return q->list_size / CALL_HEADERS_FACTOR > most ? -1 : 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(own_headers); i++) {
		if (strlen(own_headers[i].name) == name_len &&
		    memcmp(own_headers[i].name, name, name_len) == 0) {
			own_headers[i].set(q, value, len);
			return 0;
		}
	}
	if (rpc_metadata_receive(&call->metadata, name, name_len, value, len, &e) < 0 &&
	    q->problem.code == ERR_OK)
		q->problem = e;
	return 0;
}

static int find_handler(struct rpc_call *call, struct err *e)
{
	const struct call_request *q = call->request;
	bool service_known = false;

	if (q->is_too_large)
		return err_set(e, ERR_EXHAUSTED, "the request's headers are more than %zu bytes",
			       call->conn->server->limits.header_list_max);
	if (q->problem.code != ERR_OK) {
		*e = q->problem;
		return err_code(e);
	}
	call->handler = server_find(call->conn->server, q->path, &call->service, &service_known);
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
	rpc_call_finish(call, &e);
}

/* The header block is complete. */
void call_start(struct rpc_call *call)
{
	CLEANUP(free) struct call_request *q = call->request;
	const struct rpc_handler *handler;
	struct err e;

	if (!q->is_too_large && !q->is_post)
		call_refuse_http(call, "405");
	else if (!q->is_too_large && !q->is_grpc)
		call_refuse_http(call, "415");
	else if (find_handler(call, &e) < 0)
		rpc_call_finish(call, &e);
	call->request = NULL;
	handler = call->handler;
	call_account(call);
	server_shed(call->conn->server);
	if (!call->conn || !handler || call->is_finished)
		return;
	if (handler->request_max)
		call->inbox.message_max = handler->request_max;
	if (q->has_timeout) {
		call->deadline = deadline_start(call->loop, q->timeout_ms, on_deadline, call);
		if (!call->deadline) {
			err_nomem(&e);
			rpc_call_finish(call, &e);
			return;
		}
	}
	if (handler->start)
		handler->start(call);
}
