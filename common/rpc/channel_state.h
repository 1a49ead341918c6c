/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel_state.h — what a channel and its streams are made of. For this folder only.
 *
 * A channel has at most one link (a connection) that takes new streams; older ones, which the
 * server has said goodbye on, live until their streams end.
 */
#pragma once

#include "common/rpc/address.h"
#include "common/rpc/channel.h"
#include "common/rpc/deadline.h"
#include "common/rpc/h2_conn.h"
#include "common/rpc/h2_stream.h"
#include "common/rpc/trace.h"

#include <netdb.h>
#include <sys/queue.h>

enum { CHANNEL_CONNECT_MS = 20 * 1000, CHANNEL_TICK_MAX = 500, CHANNEL_TICK_MIN = 20 };

struct rpc_channel;
struct rpc_stream_events;

/* One attempt to connect. */
struct dial {
	struct rpc_channel *channel; /* NULL: nobody waits for it any more */
	uv_getaddrinfo_t lookup;
	bool is_looking;
	struct addrinfo *found, *next;
};

struct link {
	struct h2_conn h2; /* first; its streams are struct rpc_stream */
	struct rpc_channel *channel;
	TAILQ_ENTRY(link) others;
	bool is_retired;
};

struct rpc_channel {
	struct transport_hub hub; /* first */
	struct rpc_limits limits;
	char *target;
	struct address address;
	struct rpc_tls *tls;
	const struct rpc_prologue *prologue;
	void *prologue_data;
	unsigned connect_ms;
	nghttp2_session_callbacks *callbacks;
	nghttp2_option *option;
	struct dial *dial;
	struct link *link; /* current, or NULL */
	TAILQ_HEAD(, link) links;
	struct h2_stream_list waiting; /* for a link */
	struct h2_stream_list ended;   /* closed() is due */
	struct deadline *connect_deadline;
	uv_timer_t tick, poke;
	bool wants_link; /* also without a stream: rpc_sync_connect() */
	bool has_failed; /* to connect, for `why`; what waits is to be told */
	struct err why;
	struct rpc_attempt attempt;
	unsigned failures; /* to connect, so far */
	bool is_freed;
	unsigned handles;
};

/* One block of response headers. */
struct stream_block {
	struct h2_block block; /* first */
	unsigned http_status;
	bool has_grpc_status, is_grpc;
	struct err status; /* grpc-status, grpc-message */
};

/* A stream is open (h2.is_open) until its status is known and closed() is due; it is finished
 * (h2.is_finished) when nothing more is to be sent. It is in the list of those that wait for a link,
 * of its link's streams, or of those that ended. */
struct rpc_stream {
	struct h2_stream h2;         /* first */
	struct rpc_channel *channel; /* NULL once closed */
	const struct rpc_stream_events *events;
	void *user;
	unsigned timeout_ms;
	struct log_about about;     /* as it was opened */
	struct trace_parent parent; /* what the server is told of it; may be empty */
	struct stream_block block;  /* being received */
	bool has_headers, was_requeued;
	bool has_status; /* grpc-status came */
	bool is_closed;
};

/* channel.c */
void channel_poke(struct rpc_channel *channel);
void channel_failed(struct rpc_channel *channel, const struct err *e);
/* For rpc_channel_attempt(); without a link nobody was reached. */
void channel_note_attempt(struct rpc_channel *c, const struct link *link);
void channel_ready(struct rpc_channel *channel, struct link *link);

/* dial.c */
int dial_start(struct rpc_channel *channel, struct err *e) MUST_CHECK;
/* The next address; ERR_UNAVAILABLE when there is none left. */
int dial_next(struct dial *dial, struct err *e) MUST_CHECK;
void dial_free(struct dial *dial);

/* link.c */
int link_open(struct rpc_channel *channel, int fd, struct err *e) MUST_CHECK; /* takes fd */
/* Now; its streams end with `e`. */
void link_close(struct link *link, const struct err *e);
void link_retire(struct link *link);
void link_tick(struct link *link, uint64_t now);
/* link_h2.c */
nghttp2_session_callbacks *link_callbacks(void); /* NULL: no memory */

/* stream_in.c */
int stream_header(struct h2_stream *h2, const struct h2_header *header);
void stream_headers(struct h2_stream *h2);
void stream_message(struct h2_stream *h2, struct inbox_message message);
/* The server's side has ended (END_STREAM), or the stream was reset. */
void stream_ended(struct h2_stream *h2);
void stream_was_reset(struct rpc_stream *s, uint32_t error_code);

/* stream.c */
/* The request goes out on this link. */
int stream_submit(struct rpc_stream *s, struct link *link, struct err *e) MUST_CHECK;
void stream_requeue(struct rpc_stream *s);
/* The status is `e` (unless there is one): closed() comes from the loop. */
void stream_end(struct rpc_stream *s, const struct err *e);
/* The same, and what came and was not handed over is forgotten. */
void stream_fail(struct rpc_stream *s, const struct err *e);
/* closed() now, and the library's reference goes. */
void stream_close(struct rpc_stream *s);
