/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_conn.h — one HTTP/2 session over a transport, with the streams on it. For this folder only.
 *
 * The half that a server's connection (conn.h) and a channel's link (channel_state.h) have in
 * common: both embed it first. It moves bytes between transport and session, hands what nghttp2
 * tells to the stream it is about, and watches whether the peer still answers.
 */
#pragma once

#include "common/rpc/h2_memory.h"
#include "common/rpc/h2_ping.h"
#include "common/rpc/transport.h"

struct h2_stream;
TAILQ_HEAD(h2_stream_list, h2_stream);

struct h2_conn {
	struct transport transport; /* first */
	const struct rpc_limits *limits;
	nghttp2_session *session; /* NULL before h2_conn_open() */
	struct h2_memory memory;  /* its own */
	struct h2_stream_list streams;
	struct h2_pings pings;
	uint64_t quiet_since; /* no stream since */
	bool has_settings;    /* the peer's first SETTINGS are in */
	bool has_turns;       /* a stream wants one */
};

/* Before transport_start(). `limits` outlives the connection. */
void h2_conn_init(struct h2_conn *c, uv_loop_t *loop, const struct rpc_limits *limits);

/* What all sessions of a server or a channel share: options with `limits` applied, and callbacks for
 * headers, input and output of streams, to which the side adds its own. NULL: no memory. The
 * caller's: nghttp2_option_del(), nghttp2_session_callbacks_del(). A callback's `user` is the
 * struct h2_conn. */
nghttp2_option *h2_conn_options(const struct rpc_limits *limits);
nghttp2_session_callbacks *h2_conn_callbacks(void);

/* The session, its first SETTINGS and the connection's window. */
int h2_conn_open(struct h2_conn *c, const nghttp2_session_callbacks *callbacks,
		 nghttp2_option *option, struct err *e) MUST_CHECK;
/* Frees the session, for freed(). */
void h2_conn_done(struct h2_conn *c);

/* Of a struct transport_user. Streams that were resumed get what waited for them; bytes go to the
 * session; all that it has to send comes out, up to about TRANSPORT_OUT. */
void h2_conn_turn(struct transport *t);
int h2_conn_input(struct transport *t, const uint8_t *bytes, size_t len, struct err *e);
int h2_conn_output(struct transport *t, struct err *e);

/* For the side's frame callback: a frame that may belong to a stream. */
int h2_conn_frame(struct h2_conn *c, const nghttp2_frame *frame);
/* What a callback of nghttp2 returns: who is called there may close the connection, and then the
 * session must stop at once. */
int h2_conn_result(const struct h2_conn *c);

uint64_t h2_conn_now(const struct h2_conn *c); /* uv_now() */
/* Nothing will be read or sent any more. */
bool h2_conn_is_over(const struct h2_conn *c);
/* The peer owes an answer, or takes no output, for longer than it may. */
bool h2_conn_is_peer_gone(const struct h2_conn *c, uint64_t now);
/* Asks the peer for a sign of life, when it has been quiet for so long that it is due. */
void h2_conn_keep_alive(struct h2_conn *c, uint64_t now);
