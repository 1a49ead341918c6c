/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server.h — gRPC over HTTP/2 for those who connect to us.
 *
 * One server belongs to one loop; it may listen on several addresses and serve several services.
 * A connection that misbehaves is closed; the listeners outlive any failure of a connection, and
 * running out of descriptors.
 */
#pragma once

#include "common/rpc/call.h"
#include "common/rpc/origin.h"
#include "common/rpc/prologue.h"
#include "common/rpc/tls.h"

struct descriptor_set; /* proto/descriptors.h */
struct rpc_server;

struct rpc_service {
	const char *name; /* "agent.AgentService" */
	const struct rpc_handler *handlers;
	size_t count;
	const struct descriptor_set
		*descriptors; /* for reflection: &proto_agent_set; may be NULL */
};

/* `limits` may be NULL. */
int rpc_server_new(uv_loop_t *loop, const struct rpc_limits *limits, struct rpc_server **server,
		   struct err *e) MUST_CHECK;

/* `service` is kept, not copied; `data` is what rpc_call_service() gives. Before or after listening.
 * ERR_EXISTS for a name or path that is there already. */
int rpc_server_add(struct rpc_server *server, const struct rpc_service *service, void *data,
		   struct err *e) MUST_CHECK;

struct rpc_listen {
	const char *address; /* "192.0.2.1:7002", "[::1]:7002", "localhost:0", ":7002" (every
			      * address, v6 and v4), "unix:/run/x.sock" (a stale one is replaced) */
	const char *group;   /* unix: may connect, too (mode 0660); NULL: this user alone (0600) */
	struct rpc_tls *tls; /* NULL: plaintext with prior knowledge */
	const struct rpc_prologue *prologue; /* needs tls; NULL: none */
	void *prologue_data;
};
/* `port` (may be NULL) gets the bound port, for port 0; 0 for a unix socket. A host name is looked
 * up at once (blocking): meant for the start of a program. */
int rpc_server_listen(struct rpc_server *server, const struct rpc_listen *listen, unsigned *port,
		      struct err *e) MUST_CHECK;

/* A connection that somebody else has accepted: `fd`, which is connected and does not block, is taken over in every case.
 * `origin` is whom it is from, whatever the socket says; `tls` NULL: plaintext with prior knowledge. ERR_EXHAUSTED: there is no
 * room; ERR_UNAVAILABLE: the server is shutting down. */
int rpc_server_take(struct rpc_server *server, struct rpc_tls *tls, int fd,
		    const struct rpc_origin *origin, struct err *e) MUST_CHECK;

/* Closes the listeners, sends GOAWAY, lets calls finish, closes connections as they become idle, and
 * what is left after `ms` at once; then calls done (from the loop). */
void rpc_server_drain(struct rpc_server *server, unsigned ms, void (*done)(void *data), void *data);

/* Finishes every call that is open with this status. */
void rpc_server_end_calls(struct rpc_server *server, const struct err *why);

/* Closes everything now (calls get closed() before it returns; the status of those that are finished
 * and a GOAWAY still go out, unless the socket is full) and frees the server when the loop
 * has closed its handles: run the loop until then. Fine with NULL, during and after a drain (whose
 * `done` is not called any more). */
void rpc_server_free(struct rpc_server *server);
