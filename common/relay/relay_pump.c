/* SPDX-License-Identifier: Apache-2.0 */
/* relay_pump.c — bytes between a plain socket and TLS, both ways, each as fast as the slower side. */
#include "common/base/cleanup.h"
#include "common/relay/relay_hub.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <openssl/err.h>

/* What moving one way came to. */
enum moved {
	MOVED_NOTHING,
	MOVED_SOME,
	MOVED_FAILED,
};

static bool keep(struct relay_way *way, const uint8_t *bytes, size_t len)
{
	if (!len)
		return true;
	way->stash = malloc(len);
	if (!way->stash)
		return false;
	memcpy(way->stash, bytes, len);
	way->at = 0;
	way->len = len;
	return true;
}

static void drop(struct relay_way *way)
{
	free(TAKE_PTR(way->stash));
	way->at = way->len = 0;
}

static bool waits(const struct relay_way *way)
{
	return way->at < way->len;
}

/* ---- the two sinks: how much was taken; -1: it takes no more, ever ---- */

static ssize_t give_plain(struct relay_conn *c, const uint8_t *bytes, size_t len)
{
	ssize_t n;

	do
		n = send(c->plain.fd, bytes, len, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -1;
	return n;
}

static ssize_t give_outer(struct relay_conn *c, const uint8_t *bytes, size_t len)
{
	size_t n = 0;

	ERR_clear_error();
	if (SSL_write_ex(c->tls, bytes, len, &n) == 1)
		return (ssize_t)n;
	switch (SSL_get_error(c->tls, 0)) {
	case SSL_ERROR_WANT_WRITE:
	case SSL_ERROR_WANT_READ:
		return 0;
	default:
		return -1;
	}
}

typedef ssize_t give_fn(struct relay_conn *c, const uint8_t *bytes, size_t len);

/* From what is kept. */
static enum moved flush(struct relay_conn *c, struct relay_way *way, give_fn *give)
{
	ssize_t n;

	if (!waits(way))
		return MOVED_NOTHING;
	n = give(c, way->stash + way->at, way->len - way->at);
	if (n <= 0)
		return n < 0 ? MOVED_FAILED : MOVED_NOTHING;
	way->at += (size_t)n;
	if (!waits(way))
		drop(way);
	return MOVED_SOME;
}

static enum moved pass(struct relay_conn *c, struct relay_way *way, give_fn *give,
		       const uint8_t *bytes, size_t len)
{
	const ssize_t n = len ? give(c, bytes, len) : 0;

	if (n < 0)
		return MOVED_FAILED;
	return keep(way, bytes + n, len - (size_t)n) ? MOVED_SOME : MOVED_FAILED;
}

/* ---- plain to TLS ---- */

/* Who has gone takes nothing any more either. */
static void lose_plain(struct relay_conn *c)
{
	c->out.has_ended = true;
	c->in.is_dropped = true;
	drop(&c->in);
}

static enum moved read_plain(struct relay_conn *c)
{
	struct relay_hub *hub = c->hub;
	ssize_t n;

	do
		n = recv(c->plain.fd, hub->piece, sizeof(hub->piece), 0);
	while (n < 0 && errno == EINTR);
	if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
		return MOVED_NOTHING;
	if (n < 0)
		lose_plain(c);
	else if (n == 0)
		c->out.has_ended = true;
	if (n <= 0)
		return MOVED_SOME;
	hub->stats.out_bytes += (size_t)n;
	return pass(c, &c->out, give_outer, hub->piece, (size_t)n);
}

static enum moved end_outer(struct relay_conn *c)
{
	int n;

	ERR_clear_error();
	n = SSL_shutdown(c->tls);
	if (n < 0 && SSL_get_error(c->tls, n) == SSL_ERROR_WANT_WRITE)
		return MOVED_NOTHING; /* tried again when there is room */
	c->out.is_shut = true;
	return MOVED_SOME;
}

static enum moved move_out(struct relay_conn *c)
{
	enum moved moved = flush(c, &c->out, give_outer);

	if (moved == MOVED_FAILED || waits(&c->out) || c->out.is_shut)
		return moved;
	if (!c->out.has_ended)
		return read_plain(c);
	return end_outer(c);
}

/* ---- TLS to plain ---- */

static enum moved take(struct relay_conn *c, const uint8_t *bytes, size_t len)
{
	if (!c->is_answered) {
		if (!c->hub->kind->answered(c, *bytes))
			return MOVED_FAILED;
		c->is_answered = true;
		bytes++;
		len--;
	}
	c->hub->stats.in_bytes += len;
	if (c->in.is_dropped)
		return MOVED_SOME;
	if (pass(c, &c->in, give_plain, bytes, len) == MOVED_FAILED) {
		c->in.is_dropped = true; /* what it said before may still be read */
		drop(&c->in);
	}
	return MOVED_SOME;
}

static enum moved read_outer(struct relay_conn *c)
{
	struct relay_hub *hub = c->hub;
	size_t n = 0;

	ERR_clear_error();
	c->wants_write = false;
	if (SSL_read_ex(c->tls, hub->piece, sizeof(hub->piece), &n) == 1)
		return take(c, hub->piece, n);
	switch (SSL_get_error(c->tls, 0)) {
	case SSL_ERROR_WANT_READ:
		return MOVED_NOTHING;
	case SSL_ERROR_WANT_WRITE:
		c->wants_write = true;
		return MOVED_NOTHING;
	case SSL_ERROR_ZERO_RETURN:
		c->in.has_ended = true;
		return MOVED_SOME;
	default:
		return MOVED_FAILED;
	}
}

static enum moved move_in(struct relay_conn *c)
{
	enum moved moved = flush(c, &c->in, give_plain);

	if (moved == MOVED_FAILED) {
		c->in.is_dropped = true;
		drop(&c->in);
		moved = MOVED_SOME;
	}
	if (waits(&c->in) || c->in.is_shut)
		return moved;
	if (!c->in.has_ended)
		return read_outer(c);
	if (c->plain.fd >= 0 && !c->in.is_dropped)
		(void)shutdown(c->plain.fd, SHUT_WR);
	c->in.is_shut = true;
	return MOVED_SOME;
}

/* ---- both ---- */

static bool is_over(const struct relay_conn *c)
{
	return c->out.is_shut && c->in.is_shut;
}

bool relay_pump_run(struct relay_conn *c)
{
	for (unsigned i = 0; i < RELAY_PIECES; i++) {
		const enum moved out = move_out(c), in = out == MOVED_FAILED ? out : move_in(c);

		if (in == MOVED_FAILED) {
			if (c->stage != RELAY_CLOSED)
				relay_conn_fail(c, "the other instance has gone");
			return false;
		}
		if (out == MOVED_SOME)
			c->out.moved = uv_now(c->hub->loop);
		if (in == MOVED_SOME)
			c->in.moved = uv_now(c->hub->loop);
		if (is_over(c)) {
			relay_conn_close(c);
			return false;
		}
		if (out == MOVED_NOTHING && in == MOVED_NOTHING)
			break;
	}
	return true;
}

static bool shows(const struct relay_end *end, short events)
{
	struct pollfd at = { .fd = end->fd, .events = events };

	return end->fd >= 0 && poll(&at, 1, 0) == 1 && (at.revents & (events | POLLHUP)) != 0;
}

bool relay_pump_look(struct relay_conn *c)
{
	/* Closed by now, and not only shut down in one direction. */
	if (c->out.is_shut && !c->in.is_dropped && shows(&c->plain, 0))
		lose_plain(c);
	/* An instance says its end by TLS; its socket's end is that of both directions. */
	if (c->in.is_shut && !c->out.is_shut && shows(&c->outer, POLLRDHUP)) {
		relay_conn_close(c);
		return false;
	}
	return true;
}

void relay_pump_events(const struct relay_conn *c, int *plain, int *outer)
{
	*plain = (!c->out.has_ended && !waits(&c->out) ? UV_READABLE : 0) |
		 (waits(&c->in) ? UV_WRITABLE : 0);
	*outer = (!c->in.has_ended && !waits(&c->in) ? UV_READABLE : 0) |
		 (waits(&c->out) || c->wants_write || (c->out.has_ended && !c->out.is_shut)
			  ? UV_WRITABLE
			  : 0);
}
