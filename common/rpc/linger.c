/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/linger.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 16384, PIECES_MAX = 64 /* in one go: others want their turn */ };

struct linger_state {
	uv_poll_t poll;
	uv_timer_t timer;
	int fd;
	unsigned handles;
};

static void on_closed(uv_handle_t *handle)
{
	struct linger_state *l = handle->data;

	if (--l->handles > 0)
		return;
	close(l->fd);
	free(l);
}

static void end(struct linger_state *l)
{
	if (uv_is_closing((uv_handle_t *)&l->timer))
		return;
	uv_close((uv_handle_t *)&l->timer, on_closed);
	uv_close((uv_handle_t *)&l->poll, on_closed);
}

static void on_time(uv_timer_t *timer)
{
	end(timer->data);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct linger_state *l = poll->data;
	char piece[PIECE];

	for (int i = 0; i < PIECES_MAX; i++) {
		ssize_t n = recv(l->fd, piece, sizeof(piece), 0);

		if (n > 0 || (n < 0 && errno == EINTR))
			continue;
		if (n == 0 || status < 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
			end(l);
		return;
	}
	/* An error of the socket has ended the polling, and is behind more than one turn's bytes. */
	if (status < 0)
		uv_poll_start(poll, UV_READABLE, on_ready);
}

void linger_start(uv_loop_t *loop, int fd)
{
	struct linger_state *l = calloc(1, sizeof(*l));

	shutdown(fd, SHUT_WR);
	if (!l || uv_poll_init(loop, &l->poll, fd) < 0) {
		close(fd);
		free(l);
		return;
	}
	uv_timer_init(loop, &l->timer);
	l->fd = fd;
	l->handles = 2;
	l->poll.data = l->timer.data = l;
	uv_poll_start(&l->poll, UV_READABLE, on_ready);
	uv_timer_start(&l->timer, on_time, LINGER_MS, 0);
}
