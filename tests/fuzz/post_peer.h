/* SPDX-License-Identifier: Apache-2.0 */
/*
 * post_peer.h — the other side of what libcurl connects to, in the same process: it has said all that it will say before it is
 * asked anything, and has ended then, so that nobody waits. socket() and curl_easy_init() are wrapped, and connect() is another one.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Whom TLS trusts where nobody says it, in place of the system's authorities, which are read anew for each connection; or NULL. */
extern const char *post_peer_ca;

/* The next connection. `is_stream`: as TLS needs it; else each piece comes alone. */
void post_peer_begin(bool is_stream);
/* A piece, so many times; what finds no room in the socket is lost. */
void post_peer_say(const uint8_t *bytes, size_t len, unsigned times);
/* Nothing more. */
void post_peer_end(void);
/* It is over; what came, lent until the next. `*connections`: how many were tried, of which the first was taken. */
const uint8_t *post_peer_heard(size_t *len, unsigned *connections);
