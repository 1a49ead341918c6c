/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/h2.h"

#include "common/base/cleanup.h"
#include "common/http/request_state.h"
#include "common/rpc/call.h"

struct h2_request {
	struct http_request r; /* first */
	struct rpc_call *call;
};

static const char *get_header(const struct http_request *r, const char *name, size_t n)
{
	return rpc_metadata_text(rpc_call_metadata(((const struct h2_request *)r)->call), name, n);
}

static void answer(struct http_request *r, const struct rpc_web_reply *reply)
{
	rpc_web_answer(((struct h2_request *)r)->call, reply);
}

static void freed(struct http_request *r)
{
	rpc_call_unref(((struct h2_request *)r)->call);
	free(r);
}

static bool begin(struct http_request *r, const struct rpc_web_reply *reply)
{
	return rpc_web_begin(((struct h2_request *)r)->call, reply);
}

static int send_bytes(struct http_request *r, uint8_t *bytes, size_t len, struct err *e)
{
	return rpc_web_send(((struct h2_request *)r)->call, bytes, len, e);
}

static size_t queued(const struct http_request *r)
{
	return rpc_call_queued(((const struct h2_request *)r)->call);
}

static void end(struct http_request *r, bool is_cut)
{
	if (is_cut)
		rpc_web_cut(((struct h2_request *)r)->call);
	else
		rpc_web_end(((struct h2_request *)r)->call);
}

static const struct http_carrier carrier = { .header = get_header,
					     .answer = answer,
					     .freed = freed,
					     .begin = begin,
					     .send = send_bytes,
					     .queued = queued,
					     .end = end };

static void start(void *data, struct rpc_call *call, const struct rpc_web_request *q)
{
	struct h2_request *own = calloc(1, sizeof(*own));
	size_t body_max = 0;

	if (!own) /* it gets an empty 503 */
		return rpc_web_answer(call, &(struct rpc_web_reply){ .status = "503" });
	http_request_init(&own->r, &carrier, data);
	own->call = rpc_call_ref(call);
	own->r.identity = rpc_call_identity(call);
	own->r.peer = rpc_call_peer(call);
	own->r.source = rpc_call_source(call);
	own->r.is_tls = rpc_call_is_tls(call);
	rpc_call_set_user(call, own);
	if (http_request_begin(&own->r, q, &body_max))
		rpc_web_take(call, body_max);
}

static void body(struct rpc_call *call, uint8_t *bytes, size_t len)
{
	http_request_run(rpc_call_user(call), bytes, len);
}

static void fail(struct rpc_call *call, const struct err *why)
{
	http_request_end(rpc_call_user(call), why);
}

static void writable(struct rpc_call *call)
{
	struct h2_request *own = rpc_call_user(call);

	http_stream_writable(&own->r);
}

static void closed(struct rpc_call *call)
{
	struct h2_request *own = rpc_call_user(call);

	if (!own)
		return;
	http_stream_over(&own->r);
	http_request_unref(&own->r);
}

static const struct rpc_web web = { start, body, fail, writable, closed };

void h2_attach(struct rpc_server *server, const struct http_routes *routes)
{
	rpc_server_set_web(server, &web, (void *)(uintptr_t)routes);
}
