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
		observer->ended(call->observer_data, call, call->is_admitted && !call->is_deferred,
				e);
}

void rpc_call_defer(struct rpc_call *call)
{
	call->is_deferred = true;
}

int rpc_call_enter(struct rpc_call *call, struct err *e)
{
	const struct rpc_observer *o = call->observer;

	if (call->is_deferred && o && o->enter && o->enter(call->observer_data, call, e) < 0)
		return err_code(e);
	call->is_deferred = false;
	return 0;
}

bool rpc_call_is_entered(const struct rpc_call *call)
{
	return !call->is_deferred;
}

bool rpc_call_note(struct rpc_call *call, const char *key, const char *value)
{
	char *copy = value ? strndup(value, RPC_FACT_MAX) : NULL;
	size_t i = 0;

	while (i < call->fact_count && strcmp(call->facts[i].key, key) != 0)
		i++;
	if ((value && !copy) || i == RPC_FACTS_MAX) {
		free(copy);
		return false;
	}
	free(call->facts[i].value);
	call->facts[i] = (struct rpc_fact){ key, copy };
	call->fact_count += i == call->fact_count;
	return true;
}

const struct rpc_fact *rpc_call_facts(const struct rpc_call *call, size_t *count)
{
	*count = call->fact_count;
	return call->facts;
}

void call_free_facts(struct rpc_call *call)
{
	while (call->fact_count)
		free(call->facts[--call->fact_count].value);
}

uint64_t rpc_call_number(const struct rpc_call *call)
{
	return call->number;
}

uint64_t rpc_call_age(const struct rpc_call *call)
{
	return uv_now(call->loop) - call->since;
}
