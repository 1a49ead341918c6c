/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h2_ping.h — questions to the peer of an HTTP/2 session, and when they were answered. For this
 * folder only.
 */
#pragma once

#include <stdint.h>
#include <nghttp2/nghttp2.h>

/* When was the peer asked, and is an answer overdue? Empty when zeroed. */
struct h2_pings {
	unsigned waiting;
	uint64_t since; /* the oldest that waits, or the last answer */
	uint64_t asked,
		answered; /* SETTINGS of ours and acknowledgements, in order; see h2_ping_ask() */
};

/* What a PING says: is the peer alive? Above H2_PING_CALLS: has it got the end of that call? */
enum { H2_PING_ALIVE = 0, H2_PING_CALLS = 2 };
int h2_ping_send(nghttp2_session *session, struct h2_pings *pings, uint64_t opaque, uint64_t now);
/* An answer: which one? */
uint64_t h2_ping_answer(struct h2_pings *pings, const nghttp2_ping *frame, uint64_t now);

/* A client's question whether all has arrived: SETTINGS with nothing in it, which is acknowledged at
 * once and in order (RFC 9113, 6.5.3). No PING: gRPC's servers hang up on a client that sends a third
 * one within five minutes without an answer of theirs between. Numbered from 2; 1 is the greeting. */
int h2_ping_ask(nghttp2_session *session, struct h2_pings *pings, uint64_t now);
/* An acknowledgement: of which? */
uint64_t h2_ping_ask_answer(struct h2_pings *pings, uint64_t now);
