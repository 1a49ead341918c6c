/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/observer.h"

#include "common/base/cleanup.h"
#include "common/rpc/call_state.h"
#include "common/rpc/server_state.h"

#include <string.h>

void rpc_server_observe(struct rpc_server *server, const struct rpc_observer *observer, void *data)
{
	server->observer = observer;
	server->observer_data = data;
}

void call_tell_end(struct rpc_call *call, const struct err *e)
{
	const struct rpc_observer *observer = TAKE_PTR(call->observer);

	if (observer && observer->ended)
		observer->ended(call->observer_data, call, call->is_admitted, e);
}

/* Without memory it stays unsaid: it is for people who look later. */
void rpc_call_is_about(struct rpc_call *call, const char *id)
{
	char *copy = strndup(id, RPC_ABOUT_MAX);

	if (copy) {
		free(call->about);
		call->about = copy;
	}
}

const char *rpc_call_about(const struct rpc_call *call)
{
	return call->about;
}

uint64_t rpc_call_number(const struct rpc_call *call)
{
	return call->number;
}

uint64_t rpc_call_age(const struct rpc_call *call)
{
	return uv_now(call->loop) - call->since;
}
