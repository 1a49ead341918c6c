/* SPDX-License-Identifier: Apache-2.0 */
/*
 * h1.h — requests that come over HTTP/1.1 in plaintext, read by libmicrohttpd. For this folder only.
 *
 * The library's epoll descriptor is one handle of our loop. What it reads itself and refuses (a line
 * that is no request, headers past its memory) it answers in words of its own.
 */
#pragma once

#include "common/http/route.h"
#include "common/rpc/listen_socket.h"

#include <uv.h>

enum {
	H1_CONNECTIONS_MAX = 64,
	H1_MEMORY = 32 << 10, /* of a connection: request line, headers, buffers */
	H1_IDLE_SECONDS = 10, /* without a byte */
	H1_REQUEST_MS =
		20 * 1000, /* for a request line; from there for the rest; and to take the answer */
	H1_SERVED_MS = 100, /* for so long who is being served comes before who only waits */
	H1_TICK_MS = 500,
	H1_FIELDS_MAX = 100,
};

struct h1;

/* Takes `socket` over in every case. */
int h1_new(uv_loop_t *loop, const struct http_routes *routes, const struct listen_socket *socket,
	   struct h1 **h1, struct err *e) MUST_CHECK;
/* At once; the handles close in the loop. */
void h1_free(struct h1 *h1);
