/* SPDX-License-Identifier: Apache-2.0 */
/*
 * http_server.h — HTTP for those who connect to us: over TLS HTTP/2 alone, on the stack of common/rpc; in
 * plaintext HTTP/1.1 alone, by libmicrohttpd, for this machine (loopback, a unix socket).
 *
 * The same routes on all listeners. Nothing here has threads.
 */
#pragma once

#include "common/http/route.h"
#include "common/rpc/listen_socket.h"
#include "common/rpc/server.h"

enum { HTTP_LISTENERS_MAX = 4 }; /* of plaintext */

struct http_server;

/* `routes` are checked and kept, not copied. */
int http_server_new(uv_loop_t *loop, const struct http_routes *routes, struct http_server **server,
		    struct err *e) MUST_CHECK;
/* As rpc_server_listen(), without a prologue. ERR_INVALID: another address than this machine's without TLS. */
int http_server_listen(struct http_server *server, const struct rpc_listen *listen, unsigned *port,
		       struct err *e) MUST_CHECK;
/* The same of a socket for plaintext that listens; taken over in every case. */
int http_server_take(struct http_server *server, const struct listen_socket *socket,
		     struct err *e) MUST_CHECK;
/* Of a connection that somebody else has accepted, with TLS, as rpc_server_take(): the server that takes it; NULL: nobody listens
 * with TLS. */
struct rpc_server *http_server_tls(struct http_server *server);
/* At once; frees when the loop has closed its handles. Fine with NULL. Answers that come later are
 * forgotten. */
void http_server_free(struct http_server *server);
