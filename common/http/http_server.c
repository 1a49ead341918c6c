/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/http_server.h"

#include "common/http/h1.h"
#include "common/http/h2.h"

struct http_server {
	uv_loop_t *loop;
	const struct http_routes *routes;
	struct rpc_server *h2; /* NULL: nobody listens with TLS */
	struct h1 *h1[HTTP_LISTENERS_MAX];
	size_t h1_count;
};

/* Requests are small, and strangers have no reason to stay: less than gRPC's streams need. */
static struct rpc_limits limits(void)
{
	struct rpc_limits l = rpc_limits_default();

	l.judges_closed = true;
	l.connections_max = 1536; /* 1,000 browsers that follow, and those who look in */
	l.unready_max = 128;
	l.public_max = 128;
	l.held_max = 8 << 20;
	l.buffered_max = 64 << 20;
	l.window = 64 << 10;
	l.window_connection = 1 << 20;
	l.body_ms = 20 * 1000;
	l.request_ms = 60 * 1000;
	l.stall_ms = 60 * 1000;
	l.public_ms = 2 * 60 * 1000;
	l.idle_ms = 2 * 60 * 1000;
	return l;
}

int http_server_new(uv_loop_t *loop, const struct http_routes *routes, struct http_server **server,
		    struct err *e)
{
	struct http_server *s;

	if (http_routes_check(routes, e) < 0)
		return err_code(e);
	s = calloc(1, sizeof(*s));
	if (!s)
		return err_nomem(e);
	s->loop = loop;
	s->routes = routes;
	*server = s;
	return 0;
}

static int listen_h2(struct http_server *s, const struct rpc_listen *listen, unsigned *port,
		     struct err *e)
{
	const struct rpc_limits l = limits();

	if (!s->h2) {
		if (rpc_server_new(s->loop, &l, &s->h2, e) < 0)
			return err_code(e);
		h2_attach(s->h2, s->routes);
	}
	return rpc_server_listen(s->h2, listen, port, e);
}

int http_server_take(struct http_server *s, const struct listen_socket *socket, struct err *e)
{
	if (s->h1_count == HTTP_LISTENERS_MAX) {
		listen_socket_close(socket);
		return err_set(e, ERR_EXHAUSTED, "more than %d listeners", HTTP_LISTENERS_MAX);
	}
	if (h1_new(s->loop, s->routes, socket, &s->h1[s->h1_count], e) < 0)
		return err_code(e);
	s->h1_count++;
	return 0;
}

int http_server_listen(struct http_server *s, const struct rpc_listen *listen, unsigned *port,
		       struct err *e)
{
	struct listen_socket socket;

	if (listen->tls)
		return listen_h2(s, listen, port, e);
	if (listen_socket_open(listen->address, listen->group, &socket, e) < 0)
		return err_code(e);
	if (http_server_take(s, &socket, e) < 0)
		return err_wrap(e, "listen on %s", listen->address);
	if (port)
		*port = socket.port;
	return 0;
}

struct rpc_server *http_server_tls(struct http_server *s)
{
	return s->h2;
}

void http_server_free(struct http_server *s)
{
	if (!s)
		return;
	rpc_server_free(s->h2);
	for (size_t i = 0; i < s->h1_count; i++)
		h1_free(s->h1[i]);
	free(s);
}
