/* SPDX-License-Identifier: Apache-2.0 */
/*
 * observer.h — sees every call of a server that has a handler which is not public: before it
 * begins, and how it ended.
 */
#pragma once

#include "common/rpc/call.h"
#include "common/rpc/server.h"

struct rpc_observer {
	/* The first message is about to reach its handler. A negative code refuses the call with `e`. Not
	 * asked for a handler that takes bytes. May be NULL. */
	int (*admit)(void *data, struct rpc_call *call, const ProtobufCMessage *message,
		     struct err *e);

	/* Once for each call: with what it was finished (NULL: well), also if the caller had left by then;
	 * ERR_CANCELLED if it never was. `admitted`: its handler had a message. The call must not be kept. May
	 * be NULL. */
	void (*ended)(void *data, const struct rpc_call *call, bool admitted, const struct err *e);
};

/* `observer` and `data` are kept, not copied, until the last call that it sees is freed. It sees
 * those that come from now on. */
void rpc_server_observe(struct rpc_server *server, const struct rpc_observer *observer, void *data);

/* What a call is about, for who sees it end; NULL: nothing was said. It is copied; the first RPC_ABOUT_MAX bytes
 * count, and the latest word. */
enum { RPC_ABOUT_MAX = 256 };
void rpc_call_is_about(struct rpc_call *call, const char *id);
const char *rpc_call_about(const struct rpc_call *call);

/* Its number among those that this server was asked, from 1. */
uint64_t rpc_call_number(const struct rpc_call *call);

/* Milliseconds since its headers came. */
uint64_t rpc_call_age(const struct rpc_call *call);
