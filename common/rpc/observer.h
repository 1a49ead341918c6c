/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observer.h — sees every call of a server that has a handler which is not public: before it
 * begins, and how it ended.
 */
#pragma once

#include "common/rpc/call.h"
#include "common/rpc/fact.h"
#include "common/rpc/server.h"

struct rpc_observer {
	/* The first message is about to reach its handler. A negative code refuses the call with `e`. Not
	 * asked for a handler that takes bytes. May be NULL. */
	int (*admit)(void *data, struct rpc_call *call, const ProtobufCMessage *message,
		     struct err *e);

	/* The handler of a call that was put off (rpc_call_defer()) has found that its caller may call. A negative code
	 * refuses it with `e`. May be NULL. */
	int (*enter)(void *data, struct rpc_call *call, struct err *e);

	/* Once for each call. `admitted`: its handler had a message, and it is not put off; then this is what the handler finished it
	 * with (NULL: well), whenever that was: the caller may have left by then, or have been told that the
	 * deadline had passed (!rpc_call_is_open()). If the handler never did, what the caller was told, or
	 * ERR_CANCELLED. The call must not be kept. May be NULL. */
	void (*ended)(void *data, const struct rpc_call *call, bool admitted, const struct err *e);
};

/* `observer` and `data` are kept, not copied, until the last call that it sees is freed. It sees
 * those that come from now on. */
void rpc_server_observe(struct rpc_server *server, const struct rpc_observer *observer, void *data);

/* What is known of a call, for who sees it end: `value` is copied, its first RPC_FACT_MAX bytes count, and the
 * latest word; NULL: it is simply so. `key` is kept. What finds no memory, or no place among RPC_FACTS_MAX,
 * stays unsaid: false. */
bool rpc_call_note(struct rpc_call *call, const char *key, const char *value);
const struct rpc_fact *rpc_call_facts(const struct rpc_call *call, size_t *count);

/* From within admit(): who calls shows what his handler looks at first, so what admit() is for comes behind that, in enter(). */
void rpc_call_defer(struct rpc_call *call);
/* For a handler, behind its look: what was put off. Fine for a call that was not, whose handler need not know. */
int rpc_call_enter(struct rpc_call *call, struct err *e) MUST_CHECK;
/* Whether it is put off no more, or never was. */
bool rpc_call_is_entered(const struct rpc_call *call);

/* Its number among those that this server was asked, from 1. */
uint64_t rpc_call_number(const struct rpc_call *call);

/* Milliseconds since its headers came. */
uint64_t rpc_call_age(const struct rpc_call *call);
