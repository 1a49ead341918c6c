/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c — the sockets that a server listens on: accepted from, closed. */
#include "common/base/log.h"
#include "common/rpc/conn.h"
#include "common/rpc/listen_socket.h"
#include "common/rpc/server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_ready(uv_poll_t *poll, int status, int events);

static void on_rested(uv_timer_t *timer)
{
	struct listener *l = timer->data;

	uv_poll_start(&l->poll, UV_READABLE, on_ready);
}

/* One connection. False: no more now. */
static bool accept_one(struct listener *l)
{
	int fd = accept4(l->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	struct err e;

	if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)) {
		/* The socket stays readable: without a rest this would spin. */
		log_warn("accept: %s; waiting for some to be free", strerror(errno));
		uv_poll_stop(&l->poll);
		uv_timer_start(&l->rest, on_rested, LISTENER_REST_MS, 0);
		return false;
	}
	if (fd < 0) /* EAGAIN, or one that went away again */
		return errno == ECONNABORTED || errno == EINTR;
	if (!room_make(l->server)) {
		close(fd);
		return true;
	}
	if (conn_accept(l->server, l, fd, &e) < 0)
		log_warn("a connection could not be taken: %s", e.text);
	return true;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	for (unsigned i = 0; i < LISTENER_ACCEPTS_MAX && accept_one(poll->data); i++)
		;
}

static void on_closed(uv_handle_t *handle)
{
	struct listener *l = handle->data;
	struct transport_hub *hub = &l->server->hub;

	if (--l->handles > 0)
		return;
	close(l->fd);
	socket_file_free(l->file);
	rpc_tls_free(l->tls);
	free(l);
	transport_hub_release(hub);
}

void listener_close(struct listener *l)
{
	TAILQ_REMOVE(&l->server->listeners, l, others);
	uv_close((uv_handle_t *)&l->poll, on_closed);
	uv_close((uv_handle_t *)&l->rest, on_closed);
}

/* Takes `fd` and `taken` over. */
static int start(struct rpc_server *server, const struct rpc_listen *listen, int fd,
		 struct socket_file *taken, struct err *e)
{
	CLEANUP(socket_file_free) struct socket_file *file = taken;
	struct listener *l = calloc(1, sizeof(*l));
	int r;

	if (!l) {
		close(fd);
		return err_nomem(e);
	}
	l->server = server;
	l->fd = fd;
	r = uv_poll_init(server->hub.loop, &l->poll, fd);
	if (r < 0) {
		free(l);
		close(fd);
		return err_set(e, ERR_INTERNAL, "listen on %s: %s", listen->address,
			       uv_strerror(r));
	}
	uv_timer_init(server->hub.loop, &l->rest);
	l->poll.data = l->rest.data = l;
	l->handles = 2;
	l->file = TAKE_PTR(file);
	l->tls = rpc_tls_ref(listen->tls);
	l->prologue = listen->prologue;
	l->prologue_data = listen->prologue_data;
	server->hub.refs++;
	TAILQ_INSERT_TAIL(&server->listeners, l, others);
	uv_poll_start(&l->poll, UV_READABLE, on_ready);
	return 0;
}

int listener_open(struct rpc_server *server, const struct rpc_listen *listen, unsigned *port,
		  struct err *e)
{
	struct listen_socket s;

	if (listen_socket_open(listen->address, listen->group, &s, e) < 0)
		return err_code(e);
	if (port)
		*port = s.port;
	return start(server, listen, s.fd, s.file, e);
}

int rpc_server_take(struct rpc_server *server, struct rpc_tls *tls, int fd,
		    const struct rpc_origin *origin, struct err *e)
{
	const struct listener door = { .tls = tls };

	if (server->is_draining || !room_make(server)) {
		close(fd);
		return server->is_draining
			       ? err_set(e, ERR_UNAVAILABLE, "the server is shutting down")
			       : err_set(e, ERR_EXHAUSTED, "there is no room for more connections");
	}
	return conn_take(server, &door, fd, origin, e);
}
