/* SPDX-License-Identifier: Apache-2.0 */
/* listener.c — the sockets that a server listens on: bound, accepted from, closed. */
#include "common/base/log.h"
#include "common/rpc/address.h"
#include "common/rpc/conn.h"
#include "common/rpc/server.h"
#include "common/rpc/socket_file.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

DEFINE_CLEANUP(struct addrinfo *, freeaddrinfo)

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

static int open_unix(struct rpc_server *server, const struct rpc_listen *listen,
		     const struct sockaddr_un *path, struct err *e)
{
	struct socket_file *file;
	int fd;

	if (socket_file_open(path, listen->group, &file, &fd, e) < 0)
		return err_wrap(e, "listen on %s", listen->address);
	return start(server, listen, fd, file, e);
}

/* Port of a bound socket. */
static unsigned port_of(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { 0 };
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.any, &len) < 0)
		return 0;
	return ntohs(a.any.sa_family == AF_INET6 ? a.v6.sin6_port : a.v4.sin_port);
}

static int bind_one(const struct addrinfo *ai, struct err *e)
{
	CLEANUP(close)
	int fd = socket(ai->ai_family, ai->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC,
			ai->ai_protocol);
	int one = 1, zero = 0;

	if (fd < 0)
		return err_errno(e, "socket");
	(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	/* "every address" is one v6 socket that takes v4 too. */
	if (ai->ai_family == AF_INET6)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &zero, sizeof(zero));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, SOMAXCONN) < 0)
		return err_set(e, errno == EADDRINUSE ? ERR_EXISTS : ERR_UNAVAILABLE, "%s",
			       strerror(errno));
	return TAKE_FD(fd);
}

/* The first address of the name that can be bound; v6 first when every address is meant. */
static int bind_first(const struct address *a, struct err *e)
{
	const struct addrinfo hints = { .ai_flags = AI_PASSIVE | AI_NUMERICSERV,
					.ai_socktype = SOCK_STREAM };
	CLEANUP(freeaddrinfo) struct addrinfo *found = NULL;
	int r = getaddrinfo(a->host[0] ? a->host : NULL, a->port, &hints, &found);

	if (r != 0)
		return err_set(e, ERR_UNAVAILABLE, "%s", gai_strerror(r));
	for (unsigned pass = 0; pass < 2; pass++) {
		for (const struct addrinfo *ai = found; ai; ai = ai->ai_next) {
			bool wanted = a->host[0] || (ai->ai_family == AF_INET6) == (pass == 0);
			int fd = wanted ? bind_one(ai, e) : -1;

			if (fd >= 0)
				return fd;
		}
	}
	return err_code(e);
}

int listener_open(struct rpc_server *server, const struct rpc_listen *listen, unsigned *port,
		  struct err *e)
{
	struct address a;
	int fd;

	if (address_parse(listen->address, &a, e) < 0)
		return err_code(e);
	if (a.is_unix) {
		if (open_unix(server, listen, &a.path, e) < 0)
			return err_code(e);
		if (port)
			*port = 0;
		return 0;
	}
	err_set(e, ERR_UNAVAILABLE, "no address");
	fd = bind_first(&a, e);
	if (fd < 0)
		return err_wrap(e, "listen on %s", listen->address);
	if (port)
		*port = port_of(fd);
	return start(server, listen, fd, NULL, e);
}
