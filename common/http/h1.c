/* SPDX-License-Identifier: Apache-2.0 */
#include "common/http/h1.h"

#include "common/base/log.h"
#include "common/http/h1_request.h"

#include <netinet/in.h>
#include <sys/socket.h>

static void after_run(struct h1 *h1);

static void run(struct h1 *h1)
{
	MHD_run(h1->daemon);
	after_run(h1);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	run(poll->data);
}

static void on_due(uv_timer_t *timer)
{
	run(timer->data);
}

static void after_run(struct h1 *h1)
{
	MHD_UNSIGNED_LONG_LONG ms;

	if (TAKE(h1->runs_again, false))
		uv_timer_start(&h1->due, on_due, 0, 0);
	else if (MHD_get_timeout(h1->daemon, &ms) == MHD_YES)
		uv_timer_start(&h1->due, on_due, ms, 0);
	else
		uv_timer_stop(&h1->due);
}

void h1_kick(struct h1 *h1)
{
	if (!h1->is_freed)
		uv_timer_start(&h1->due, on_due, 0, 0);
}

/* The library does not look at a connection that it is not asked to look at. */
static bool has_left(const struct h1_conn *c)
{
	char byte;

	return recv(c->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* The library sees an end, and cleans up. */
static void cut_off(struct h1 *h1, struct h1_conn *c)
{
	c->is_cut_off = true;
	shutdown(c->fd, SHUT_RDWR);
	h1_end_waiting(h1, c);
	if (c->stream)
		h1_stream_left(c->stream);
}

/* Whoever is slower than a request may be. Of a request that is whole we are slow, on a busy machine, and it has its answer
 * as long as somebody waits. */
static bool is_slow(const struct h1_conn *c, uint64_t now)
{
	return now - c->since > H1_REQUEST_MS && (!c->is_ours || has_left(c));
}

static void on_tick(uv_timer_t *timer)
{
	struct h1 *h1 = timer->data;
	uint64_t now = uv_now(h1->loop);
	struct h1_conn *c;

	LIST_FOREACH(c, &h1->conns, others)
		if (c->stream ? has_left(c) : is_slow(c, now))
			cut_off(h1, c);
	if (LIST_EMPTY(&h1->conns))
		uv_timer_stop(timer);
}

/* Anybody on this machine may connect, and must not hold the last place by doing nothing: whoever has been
 * there longest without a request, or without taking its answer, gives way to who comes. */
static void give_way(struct h1 *h1)
{
	struct h1_conn *c, *first = NULL;
	uint64_t lowest = UINT64_MAX;

	LIST_FOREACH(c, &h1->conns, others) {
		uint64_t since = c->since + (c->is_served ? H1_SERVED_MS : 0);

		if (!c->is_cut_off && since <= lowest) {
			lowest = since;
			first = c;
		}
	}
	if (first)
		cut_off(h1, first);
}

static void on_connection(void *data, struct MHD_Connection *conn, void **context,
			  enum MHD_ConnectionNotificationCode what)
{
	const union MHD_ConnectionInfo *info;
	struct h1 *h1 = data;
	struct h1_conn *c = *context;
	struct err e;

	if (what == MHD_CONNECTION_NOTIFY_CLOSED) {
		/* After its limit was reached, the library listens again only when it is run again. */
		h1->runs_again = true;
		if (c) {
			LIST_REMOVE(c, others);
			h1->conn_count--;
			peer_unref(c->peer);
			free(c);
		}
		*context = NULL;
		return;
	}
	info = MHD_get_connection_info(conn, MHD_CONNECTION_INFO_CONNECTION_FD);
	c = calloc(1, sizeof(*c));
	if (!c || !info || !(c->peer = peer_new(info->connect_fd, &e))) {
		free(c); /* its requests are refused */
		return;
	}
	c->fd = info->connect_fd;
	c->since = uv_now(h1->loop);
	if (LIST_EMPTY(&h1->conns))
		uv_timer_start(&h1->tick, on_tick, H1_TICK_MS, H1_TICK_MS);
	if (++h1->conn_count >= H1_CONNECTIONS_MAX)
		give_way(h1);
	LIST_INSERT_HEAD(&h1->conns, c, others);
	*context = c;
}

/* Plaintext is for this machine: an address that others reach is refused, whatever a name stands for. */
static bool is_local(int fd)
{
	union {
		struct sockaddr any;
		struct sockaddr_in v4;
		struct sockaddr_in6 v6;
	} a = { 0 };
	socklen_t len = sizeof(a);

	if (getsockname(fd, &a.any, &len) < 0)
		return false;
	if (a.any.sa_family == AF_INET)
		return ntohl(a.v4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return a.any.sa_family == AF_UNIX ||
	       (a.any.sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&a.v6.sin6_addr));
}

static size_t keep_escapes(void *data, struct MHD_Connection *conn, char *text)
{
	return strlen(text);
}

static struct MHD_Daemon *start(struct h1 *h1, int fd)
{
	return MHD_start_daemon(
		MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_SUPPRESS_DATE_NO_CLOCK, 0, NULL,
		NULL, h1_on_request, h1, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT,
		(unsigned)H1_CONNECTIONS_MAX, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)H1_MEMORY,
		MHD_OPTION_CONNECTION_TIMEOUT, (unsigned)H1_IDLE_SECONDS,
		MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_URI_LOG_CALLBACK, h1_on_target, h1,
		MHD_OPTION_UNESCAPE_CALLBACK, keep_escapes, NULL, MHD_OPTION_NOTIFY_CONNECTION,
		on_connection, h1, MHD_OPTION_NOTIFY_COMPLETED, h1_on_completed, h1,
		MHD_OPTION_END);
}

static void on_closed(uv_handle_t *handle)
{
	struct h1 *h1 = handle->data;

	if (--h1->handles > 0)
		return;
	MHD_stop_daemon(h1->daemon); /* closes the socket */
	socket_file_free(h1->file);
	free(h1);
}

static void close_handles(struct h1 *h1)
{
	uv_close((uv_handle_t *)&h1->poll, on_closed);
	uv_close((uv_handle_t *)&h1->due, on_closed);
	uv_close((uv_handle_t *)&h1->tick, on_closed);
}

/* With the library's part: its descriptor in our loop. */
static int watch(struct h1 *h1, struct err *e)
{
	const union MHD_DaemonInfo *info =
		MHD_get_daemon_info(h1->daemon, MHD_DAEMON_INFO_EPOLL_FD);
	int failed = info ? uv_poll_init(h1->loop, &h1->poll, info->epoll_fd) : UV_EINVAL;

	if (failed)
		return err_set(e, ERR_INTERNAL, "%s", uv_strerror(failed));
	uv_timer_init(h1->loop, &h1->due);
	uv_timer_init(h1->loop, &h1->tick);
	h1->poll.data = h1->due.data = h1->tick.data = h1;
	h1->handles = 3;
	uv_poll_start(&h1->poll, UV_READABLE, on_ready);
	after_run(h1);
	return 0;
}

int h1_new(uv_loop_t *loop, const struct http_routes *routes, const struct listen_socket *socket,
	   struct h1 **made, struct err *e)
{
	CLEANUP(close) int fd = socket->fd;
	CLEANUP(socket_file_free) struct socket_file *file = socket->file;
	struct h1 *h1;

	if (!is_local(fd))
		return err_set(e, ERR_INVALID,
			       "others than this machine could reach it, which needs TLS");
	h1 = calloc(1, sizeof(*h1));
	if (!h1)
		return err_nomem(e);
	h1->loop = loop;
	h1->routes = routes;
	h1->is_unix = file != NULL;
	LIST_INIT(&h1->conns);
	h1->daemon = start(h1, fd);
	if (!h1->daemon) {
		free(h1);
		return err_set(e, ERR_INTERNAL, "libmicrohttpd does not start");
	}
	fd = -1; /* the library's now */
	if (watch(h1, e) < 0) {
		MHD_stop_daemon(h1->daemon);
		free(h1);
		return err_code(e);
	}
	h1->file = TAKE_PTR(file);
	*made = h1;
	return 0;
}

void h1_free(struct h1 *h1)
{
	struct h1_conn *c;

	LIST_FOREACH(c, &h1->conns, others)
		if (c->stream)
			h1_stream_left(c->stream);
	h1->is_freed = true;
	h1_end_waiting(h1, NULL);
	close_handles(h1);
}
