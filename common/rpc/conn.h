/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conn.h — one connection of a server, its streams being calls. For this folder only.
 */
#pragma once

#include "common/rpc/h2_conn.h"
#include "common/rpc/peer.h"
#include "common/rpc/server_state.h"

enum {
	CONN_CALM_MAX = 1000,       /* frames without use that a client may send at once, */
	CONN_CALM_PER_SECOND = 100, /* and in the long run; */
	CONN_CALM_BYTES = 1024,     /* one more for so many bytes that it got (BDP probes) */
	CONN_LINGER_MS = 1000,      /* after GOAWAY and the last call, for the client to close */
	CONN_GOAWAY_MS = 1000,      /* between the notice and the last word of a GOAWAY */
};

struct rpc_origin;

/* Of a connection; zeroed. */
struct room_conn {
	struct place place; /* while it has proven nothing, or its holder's share is taken */
	struct place held;  /* in that share, or waiting for it */
	TAILQ_ENTRY(rpc_conn) quieter;
	uint64_t quiet_since;
	unsigned proven_calls; /* open */
	bool is_quiet;
};

struct rpc_conn {
	struct h2_conn h2; /* first; its streams are calls */
	struct rpc_server *server;
	struct peer *peer;
	TAILQ_ENTRY(rpc_conn) others;
	struct room_conn room;
	size_t held, weight;   /* input of all its calls; and all else they hold */
	uint64_t block_since;  /* a header block has begun and not ended; 0: none */
	uint64_t goaway_since; /* the notice was sent; 0: no */
	bool is_restless;      /* has none left */
	uint32_t calm;         /* left */
	uint64_t calm_at;      /* last filled */
	uint64_t calm_bytes;   /* sent since */
	bool is_goaway_final;
};

/* Takes `fd` over. */
int conn_accept(struct rpc_server *server, const struct listener *listener, int fd,
		struct err *e) MUST_CHECK;
/* The same of one that is from `origin`, whatever its socket says; NULL: as that says. */
int conn_take(struct rpc_server *server, const struct listener *listener, int fd,
	      const struct rpc_origin *origin, struct err *e) MUST_CHECK;
/* Looks at the clock: what takes too long ends. May close the connection. */
void conn_tick(struct rpc_conn *c, uint64_t now);
/* GOAWAY, and the connection goes when its calls have. */
void conn_drain(struct rpc_conn *c);
/* Now, but GOAWAY and the status of calls that are finished go out, as far as the socket takes it. */
void conn_end(struct rpc_conn *c);
/* Now, for another, or for what it did: the client is told to calm down. */
void conn_give_way(struct rpc_conn *c);
/* Now; its calls get closed(). */
void conn_close(struct rpc_conn *c);
/* A frame that costs work and does nothing. -1: too many, the connection has to end. */
int conn_spend_calm(struct rpc_conn *c);
