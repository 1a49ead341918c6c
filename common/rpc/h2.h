/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2.h — what a server's and a client's HTTP/2 session have in common. For this folder only.
 */
#pragma once

#include "common/rpc/metadata.h"
#include "common/rpc/method.h"
#include "common/rpc/transport.h"

#include <nghttp2/nghttp2.h>

/* The headers of one block, to be submitted. */
enum { H2_HEADERS_OWN = 12, H2_HEADERS_MAX = RPC_METADATA_MAX + H2_HEADERS_OWN };
struct h2_headers {
	nghttp2_nv nv[H2_HEADERS_MAX];
	char *owned[H2_HEADERS_MAX]; /* values in base64 */
	size_t count, owned_count;
};

/* The texts must live until the block is submitted. */
void h2_headers_add(struct h2_headers *h, const char *name, const char *value);
int h2_headers_add_metadata(struct h2_headers *h, const struct rpc_metadata *m,
			    struct err *e) MUST_CHECK;
void h2_headers_done(struct h2_headers *h);
#define CLEANUP_H2_HEADERS __attribute__((cleanup(h2_headers_done)))

/* Options of both sides, `limits` applied. NULL: no memory. The caller's: nghttp2_option_del(). */
nghttp2_option *h2_options(const struct rpc_limits *limits);

/* First SETTINGS and the connection's window. */
int h2_greet(nghttp2_session *session, const struct rpc_limits *limits, bool is_server,
	     struct err *e) MUST_CHECK;

/* The bytes of `output`: all that the session has to send, up to about TRANSPORT_OUT. */
int h2_output(nghttp2_session *session, struct transport *t, struct err *e) MUST_CHECK;
int h2_input(nghttp2_session *session, struct transport *t, const uint8_t *bytes, size_t len,
	     struct err *e) MUST_CHECK;

/* One DATA frame to the transport; for nghttp2's send_data callback. `take` moves the payload. */
struct outbox;
int h2_put_data(struct transport *t, const uint8_t *head, struct outbox *out, size_t len);

/* The peer's whereabouts: when was it asked, and is an answer overdue? */
struct h2_pings {
	unsigned waiting;
	uint64_t since; /* the oldest that waits, or the last answer */
	uint64_t asked,
		answered; /* SETTINGS of ours and acknowledgements, in order; see h2_ask() */
};
enum { H2_PING_ALIVE = 0, H2_PING_DRAIN = 1, H2_PING_CALLS = 2 };
int h2_ping(nghttp2_session *session, struct h2_pings *pings, uint64_t opaque, uint64_t now);
/* An answer: which one? */
uint64_t h2_ping_answer(struct h2_pings *pings, const nghttp2_ping *frame, uint64_t now);

/* A client's question whether all has arrived: SETTINGS with nothing in it, which is acknowledged at
 * once and in order (RFC 9113, 6.5.3). No PING: gRPC's servers hang up on a client that sends a third
 * one within five minutes without an answer of theirs between. Numbered from 2; 1 is the greeting. */
int h2_ask(nghttp2_session *session, struct h2_pings *pings, uint64_t now);
/* An acknowledgement: of which? */
uint64_t h2_ask_answer(struct h2_pings *pings, uint64_t now);
