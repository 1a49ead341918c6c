/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_local.h — a call of a server's that came by another way than gRPC, such as a form of its page: the same handlers
 * serve it, and the server's observer sees it, as if it had come over a connection.
 */
#pragma once

#include "common/rpc/call.h"
#include "common/rpc/local.h"

struct rpc_server;

/* Calls a unary method of the server's. answered() hears of every failure, perhaps before this returns. `server` NULL: it
 * has ended. */
void rpc_local_call(struct rpc_server *server, const char *path, const ProtobufCMessage *message,
		    const struct rpc_local *local);

/* A call of that method which does not begin, for the observer to see: answered() hears why. */
void rpc_local_refuse(struct rpc_server *server, const char *path, const struct err *why,
		      const struct rpc_local *local);

/* The same in parts, for what no service of the server has: `handler` is kept, and whoever begins the call does what it
 * is about. NULL: answered() was told why not. */
struct rpc_call *rpc_local_begin(struct rpc_server *server, const struct rpc_handler *handler,
				 const struct rpc_local *local);
/* It is about to change something: the observer may refuse that. rpc_call_finish() ends the call in every case, and
 * answers it. */
int rpc_local_admit(struct rpc_call *call, const ProtobufCMessage *message,
		    struct err *e) MUST_CHECK;

/* What came along with the call; NULL: nothing, or it came over a connection. */
const void *rpc_call_given(const struct rpc_call *call);
