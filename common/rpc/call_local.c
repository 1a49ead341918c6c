/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/call_local.h"

#include "common/rpc/call_state.h"
#include "common/rpc/observer.h"
#include "common/rpc/peer.h"
#include "common/rpc/server_state.h"
#include "common/rpc/trace.h"

#include <stdlib.h>
#include <string.h>

static const struct h2_stream_user local_user = { .freed = call_freed };

static struct rpc_call *begin(struct rpc_server *server, const struct rpc_handler *handler,
			      void *service, const struct rpc_local *local, struct err *e)
{
	struct rpc_call *call = calloc(1, sizeof(*call));

	if (!call || !(call->peer = peer_named(local->peer, &local->source, &local->identity, e))) {
		free(call);
		err_nomem(e);
		return NULL;
	}
	call->peer->calls++;
	call->peer->is_tls = local->is_tls;
	call->h2.refs = 1;
	call->h2.user = &local_user;
	call->h2.method = &handler->method;
	call->h2.is_open = true;
	call->loop = server->hub.loop;
	call->since = uv_now(call->loop);
	call->handler = handler;
	call->service = service;
	call->local = *local;
	call->number = ++server->calls;
	call->observer = server->observer;
	call->observer_data = server->observer_data;
	call->about = log_about_now();
	trace_begin(&call->about, NULL);
	return call;
}

static int find(struct rpc_server *server, const char *path, const struct rpc_handler **handler,
		void **service, struct err *e)
{
	bool ignored;

	if (!server || server->is_draining)
		return err_set(e, ERR_UNAVAILABLE, "the service is shutting down: ask it again");
	*handler = server_find(server, path, service, &ignored);
	if (!*handler || !(*handler)->message || (*handler)->method.kind != RPC_UNARY)
		return err_set(e, ERR_UNIMPLEMENTED, "%s is no method that answers at once", path);
	return 0;
}

struct rpc_call *rpc_local_begin(struct rpc_server *server, const struct rpc_handler *handler,
				 const struct rpc_local *local)
{
	struct err e;
	struct rpc_call *call = begin(server, handler, NULL, local, &e);

	if (!call)
		local->answered(local->data, NULL, &e);
	return call;
}

int rpc_local_admit(struct rpc_call *call, const ProtobufCMessage *message, struct err *e)
{
	return call_admit(call, message, e);
}

/* NULL: answered() was told why not. */
static struct rpc_call *begin_method(struct rpc_server *server, const char *path,
				     const struct rpc_local *local)
{
	const struct rpc_handler *handler;
	struct rpc_call *call = NULL;
	void *service;
	struct err e;

	if (find(server, path, &handler, &service, &e) == 0)
		call = begin(server, handler, service, local, &e);
	if (!call)
		local->answered(local->data, NULL, &e);
	return call;
}

void rpc_local_call(struct rpc_server *server, const char *path, const ProtobufCMessage *message,
		    const struct rpc_local *local)
{
	struct rpc_call *call = begin_method(server, path, local);
	struct err e;

	if (!call)
		return;
	LOG_ABOUT(&call->about);
	if (call_admit(call, message, &e) < 0)
		rpc_call_finish(call, &e);
	else
		call->handler->message(call, message);
	rpc_call_unref(call);
}

void rpc_local_refuse(struct rpc_server *server, const char *path, const struct err *why,
		      const struct rpc_local *local)
{
	struct rpc_call *call = begin_method(server, path, local);

	if (!call)
		return;
	LOG_ABOUT(&call->about);
	rpc_call_finish(call, why);
	rpc_call_unref(call);
}

void call_local_end(struct rpc_call *call, const ProtobufCMessage *answer, const struct err *e)
{
	const struct rpc_local local = call->local;

	if (call->h2.is_finished)
		return;
	call->h2.is_finished = true;
	call->h2.is_open = false;
	call->local.given = NULL;
	if (e)
		call->h2.status = *e;
	local.answered(local.data, answer, e);
}

const void *rpc_call_given(const struct rpc_call *call)
{
	return call->local.given;
}
