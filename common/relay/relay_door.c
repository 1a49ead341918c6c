/* SPDX-License-Identifier: Apache-2.0 */
#include "common/relay/relay_door.h"

#include "common/base/log.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_ready(uv_poll_t *poll, int status, int events);

static void on_rested(uv_timer_t *timer)
{
	struct relay_listener *l = timer->data;

	uv_poll_start(&l->poll, UV_READABLE, on_ready);
}

/* False: no more now. */
static bool accept_one(struct relay_listener *l)
{
	const int fd = accept4(l->socket.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		l->came(l, fd);
		return true;
	}
	if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
		/* The socket stays readable: without a rest this would spin. */
		log_warn("accept: %s; waiting for some to be free", strerror(errno));
		uv_poll_stop(&l->poll);
		uv_timer_start(&l->rest, on_rested, RELAY_REST_MS, 0);
		return false;
	}
	return errno == ECONNABORTED || errno == EINTR;
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	for (unsigned i = 0; i < RELAY_ACCEPTS && accept_one(poll->data); i++)
		;
}

static void on_closed(uv_handle_t *handle)
{
	struct relay_listener *l = handle->data;
	struct relay_hub *hub = l->hub;

	if (--l->handles > 0)
		return;
	listen_socket_close(&l->socket);
	free(l);
	relay_hub_release(hub);
}

int relay_listener_new(struct relay_hub *hub, const char *address, const char *group,
		       void (*came)(struct relay_listener *l, int fd),
		       struct relay_listener **listener, struct err *e)
{
	struct relay_listener *l = calloc(1, sizeof(*l));
	int r;

	if (!l)
		return err_nomem(e);
	if (listen_socket_open(address, group, &l->socket, e) < 0) {
		free(l);
		return err_code(e);
	}
	r = uv_poll_init(hub->loop, &l->poll, l->socket.fd);
	if (r < 0) {
		listen_socket_close(&l->socket);
		free(l);
		return err_set(e, ERR_INTERNAL, "listen on %s: %s", address, uv_strerror(r));
	}
	uv_timer_init(hub->loop, &l->rest);
	l->poll.data = l->rest.data = l;
	l->handles = 2;
	l->hub = hub;
	l->came = came;
	hub->handles++;
	uv_poll_start(&l->poll, UV_READABLE, on_ready);
	*listener = l;
	return 0;
}

void relay_listener_close(struct relay_listener *l)
{
	uv_close((uv_handle_t *)&l->poll, on_closed);
	uv_close((uv_handle_t *)&l->rest, on_closed);
}
