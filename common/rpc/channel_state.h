/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel_state.h — what a channel and its streams are made of. For this folder only.
 *
 * A channel has at most one link (a connection) that takes new streams; older ones, which the
 * server has said goodbye on, live until their streams end.
 */
#pragma once

#include "common/rpc/address.h"
#include "common/rpc/deadline.h"
#include "common/rpc/h2.h"
#include "common/rpc/inbox.h"
#include "common/rpc/outbox.h"
#include "common/rpc/stream.h"

#include <netdb.h>
#include <sys/queue.h>

enum { CHANNEL_CONNECT_MS = 20 * 1000, CHANNEL_TICK_MAX = 500, CHANNEL_TICK_MIN = 20 };

TAILQ_HEAD(stream_list, rpc_stream);

/* One attempt to connect. */
struct dial {
	struct rpc_channel *channel; /* NULL: nobody waits for it any more */
	uv_getaddrinfo_t lookup;
	bool is_looking;
	struct addrinfo *found, *next;
};

struct link {
	struct transport transport; /* first */
	struct rpc_channel *channel;
	TAILQ_ENTRY(link) others;
	nghttp2_session *h2;
	struct stream_list streams;
	struct h2_pings pings;
	uint64_t quiet_since;
	bool has_settings, is_retired, has_turns;
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
	struct stream_list waiting; /* for a link */
	struct stream_list ended;   /* closed() is due */
	struct deadline *connect_deadline;
	uv_timer_t tick, poke;
	bool wants_link; /* also without a stream: rpc_sync_connect() */
	bool has_failed; /* to connect, for `why`; what waits is to be told */
	struct err why;
	unsigned failures; /* to connect, so far */
	bool is_freed;
	unsigned handles;
};

/* One block of response headers. */
struct stream_block {
	unsigned http_status;
	bool has_grpc_status, is_grpc;
	struct err status; /* grpc-status, grpc-message */
	struct err problem;
	size_t list_size;
	struct rpc_metadata metadata;
};

struct rpc_stream {
	unsigned refs;
	struct rpc_channel *channel;    /* NULL once closed */
	struct link *link;              /* NULL while it waits, and after its end */
	TAILQ_ENTRY(rpc_stream) others; /* waiting, a link's streams, or ended */
	struct stream_list *list;
	int32_t stream_id;
	const struct rpc_method *method;
	const struct rpc_stream_events *events;
	void *user;
	unsigned timeout_ms;
	struct deadline *deadline;
	struct rpc_metadata metadata, headers, trailers;
	struct stream_block block; /* being received */

	struct inbox inbox;
	struct inbox_message single;
	size_t owed;
	struct outbox outbox;
	size_t promised;
	struct err status; /* when has_ended */
	uint64_t ping;     /* the open question of rpc_stream_ping(), h2_ask(); 0: none */

	bool is_paused, wants_turn, is_handing;
	bool wants_half_close, is_deferred, has_headers, was_requeued;
	bool has_status;      /* grpc-status came */
	bool is_remote_ended; /* the server has said all; messages may wait */
	bool has_ended;       /* closed() is due or was called */
	bool is_closed;
};

/* channel.c */
void channel_connect(struct rpc_channel *channel);
void channel_poke(struct rpc_channel *channel);
void channel_failed(struct rpc_channel *channel, const struct err *e);
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
nghttp2_session_callbacks *link_callbacks(void);
int link_session_new(struct link *link, struct err *e) MUST_CHECK;

/* stream_in.c */
void stream_input(struct rpc_stream *s, const uint8_t *bytes, size_t len);
int stream_add_header(struct rpc_stream *s, const char *name, size_t name_len, const char *value,
		      size_t len);
void stream_block_complete(struct rpc_stream *s);
/* The server's side has ended (END_STREAM), or the stream was reset. */
void stream_remote_ended(struct rpc_stream *s, bool is_reset, uint32_t error_code);
void stream_deliver(struct rpc_stream *s);

/* stream.c */
/* The request goes out on this link. */
int stream_submit(struct rpc_stream *s, struct link *link, struct err *e) MUST_CHECK;
void stream_requeue(struct rpc_stream *s);
/* The status is `e` (unless there is one): closed() comes when the messages before it are taken, or
 * at once without them if it is a failure of ours. */
void stream_end(struct rpc_stream *s, const struct err *e);
void stream_fail(struct rpc_stream *s, const struct err *e);
/* closed() now, and the library's reference goes. */
void stream_close(struct rpc_stream *s);
void stream_move(struct rpc_stream *s, struct stream_list *list);
int stream_send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *head,
		     size_t length, nghttp2_data_source *source, void *user);
