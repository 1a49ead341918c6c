/* SPDX-License-Identifier: Apache-2.0 */
#include "common/relay/relay_hub.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>
#include <openssl/err.h>

/* ---- a connection's life ---- */

static void forget(struct relay_conn *c)
{
	struct relay_hub *hub = c->hub;

	free(c->out.stash);
	free(c->in.stash);
	free(c);
	relay_hub_release(hub);
}

static void on_closed(uv_handle_t *handle)
{
	struct relay_end *end =
		(struct relay_end *)((char *)handle - offsetof(struct relay_end, poll));
	struct relay_conn *c = handle->data;

	close(end->fd);
	if (--c->handles == 0)
		forget(c);
}

static struct relay_conn *conn_of(struct place *place)
{
	return place ? (struct relay_conn *)((char *)place - offsetof(struct relay_conn, place))
		     : NULL;
}

static void count(struct relay_conn *c, int step)
{
	struct relay_hub *hub = c->hub;
	unsigned *counter = c->place.class == RELAY_PLACE_MOVING ? &hub->moving : &hub->young;

	*counter += (unsigned)step;
	hub->stats.now = hub->moving;
}

void relay_conn_close(struct relay_conn *c)
{
	struct relay_end *ends[] = { &c->plain, &c->outer };

	if (c->stage == RELAY_CLOSED)
		return;
	c->stage = RELAY_CLOSED;
	TAILQ_REMOVE(&c->hub->conns, c, others);
	count(c, -1);
	places_leave(&c->hub->places, &c->place);
	SSL_free(TAKE_PTR(c->tls));
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (ends[i]->fd >= 0)
			uv_close((uv_handle_t *)&ends[i]->poll, on_closed);
	if (!c->handles)
		forget(c);
}

void relay_conn_fail(struct relay_conn *c, const char *why)
{
	struct relay_hub *hub = c->hub;
	struct rpc_origin origin = { .name = "a stranger" };
	unsigned long skipped = 0;

	if (c->stage == RELAY_CLOSED)
		return;
	if (c->stage == RELAY_REFUSED) { /* it is counted, and known */
		relay_conn_close(c);
		return;
	}
	if (c->header.instance[0])
		relay_header_origin(&c->header, &origin);
	else if (c->outer.fd >= 0)
		rpc_origin_of_socket(c->outer.fd, &origin);
	if (c->stage == RELAY_MOVING)
		hub->stats.failed++;
	else
		hub->stats.refused++;
	if (c->stage != RELAY_SILENT && log_rate_take(&hub->failures, uv_now(hub->loop), &skipped))
		log_info("%s: passed on no further: %s%s", origin.name, why,
			 skipped ? " (and more before it)" : "");
	relay_conn_close(c);
}

/* The one that gives way: who has shown least; of an address that has most. */
static bool make_room(struct relay_hub *hub, unsigned class)
{
	struct relay_conn *c = conn_of(places_victim(&hub->places, class));

	if (!c)
		return false;
	relay_conn_fail(c, "it gives way to another");
	return true;
}

int relay_conn_source(struct relay_conn *c, const struct rpc_source *source, struct err *e)
{
	struct places_key key;

	memcpy(key.bytes, source->bytes, sizeof(key.bytes));
	places_leave(&c->hub->places, &c->place);
	return places_enter(&c->hub->places, &c->place, &key, RELAY_PLACE_YOUNG, e);
}

struct relay_conn *relay_conn_new(struct relay_hub *hub, const struct rpc_source *source,
				  enum relay_stage stage)
{
	struct relay_conn *c;
	struct err ignored;

	if (hub->is_closing || (hub->young >= hub->young_max && !make_room(hub, RELAY_PLACE_YOUNG)))
		return NULL;
	c = calloc(1, sizeof(*c));
	if (!c)
		return NULL;
	c->hub = hub;
	if (relay_conn_source(c, source, &ignored) < 0) {
		free(c);
		return NULL;
	}
	c->plain.fd = c->outer.fd = -1;
	c->stage = stage;
	c->since = uv_now(hub->loop);
	TAILQ_INSERT_TAIL(&hub->conns, c, others);
	hub->handles++;
	count(c, 1);
	return c;
}

void relay_conn_stage(struct relay_conn *c, enum relay_stage stage)
{
	struct relay_hub *hub = c->hub;

	c->stage = stage;
	c->since = c->out.moved = c->in.moved = uv_now(hub->loop);
	if (stage != RELAY_MOVING)
		return;
	if (hub->moving >= hub->moving_max)
		(void)!make_room(hub, RELAY_PLACE_MOVING);
	count(c, -1);
	places_move(&hub->places, &c->place, RELAY_PLACE_MOVING);
	count(c, 1);
}

int relay_conn_say(struct relay_conn *c, const void *bytes, size_t len, struct err *e)
{
	c->out.stash = malloc(len);
	if (!c->out.stash)
		return err_nomem(e);
	memcpy(c->out.stash, bytes, len);
	c->out.at = 0;
	c->out.len = len;
	return 0;
}

/* ---- what its sockets say ---- */

/* Its first byte; who leaves without one was nobody. */
static void hear(struct relay_conn *c)
{
	char byte;
	const ssize_t n = recv(c->plain.fd, &byte, 1, MSG_PEEK);

	if (n > 0)
		c->hub->kind->spoke(c);
	else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
		relay_conn_close(c);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct relay_end *end =
		(struct relay_end *)((char *)poll - offsetof(struct relay_end, poll));

	/* An error of the socket has ended the polling; it shows itself when that is read or written. */
	if (status < 0)
		end->events = 0;
	if (((struct relay_conn *)poll->data)->stage == RELAY_SILENT)
		hear(poll->data);
	relay_conn_run(poll->data);
}

/* A machine that is gone says nothing, and TCP alone would wait for hours. */
static void set_options(int fd)
{
	const int one = 1, idle = RELAY_ALIVE_S / 2, every = RELAY_ALIVE_S / 4, tries = 2;

	/* Each fails on unix sockets, whose other end can't be gone unseen. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	(void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof(one));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof(idle));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &every, sizeof(every));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &tries, sizeof(tries));
}

int relay_conn_attach(struct relay_conn *c, struct relay_end *end, int fd, struct err *e)
{
	const int r = uv_poll_init(c->hub->loop, &end->poll, fd);

	if (r < 0) {
		close(fd);
		return err_set(e, ERR_UNAVAILABLE, "poll: %s", uv_strerror(r));
	}
	set_options(fd);
	end->fd = fd;
	end->events = 0;
	end->poll.data = c;
	c->handles++;
	return 0;
}

static void wait_for(struct relay_end *end, int events)
{
	if (end->fd < 0 || events == end->events)
		return;
	end->events = events;
	if (events)
		uv_poll_start(&end->poll, events, on_ready);
	else
		uv_poll_stop(&end->poll);
}

static void ask_loop(struct relay_conn *c)
{
	int plain = 0, outer = 0;

	switch (c->stage) {
	case RELAY_SILENT:
		plain = UV_READABLE;
		break;
	case RELAY_CONNECTING:
		outer = UV_WRITABLE;
		break;
	case RELAY_HANDSHAKE:
	case RELAY_HEADER:
		outer = UV_READABLE | (c->wants_write ? UV_WRITABLE : 0);
		break;
	case RELAY_REFUSED:
	case RELAY_MOVING:
		relay_pump_events(c, &plain, &outer);
		break;
	default:
		break;
	}
	wait_for(&c->plain, plain);
	wait_for(&c->outer, outer);
}

static void finish_connect(struct relay_conn *c)
{
	int error = 0;
	socklen_t len = sizeof(error);

	struct sockaddr_storage other;

	if (getsockopt(c->outer.fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	len = sizeof(other);
	if (!error && getpeername(c->outer.fd, (struct sockaddr *)&other, &len) < 0) {
		if (errno == ENOTCONN)
			return; /* not yet */
		error = errno;
	}
	if (error)
		relay_conn_fail(c, strerror(error));
	else
		relay_conn_stage(c, RELAY_HANDSHAKE);
}

static void shake_hands(struct relay_conn *c)
{
	int n;

	ERR_clear_error();
	c->wants_write = false;
	n = SSL_do_handshake(c->tls);
	if (n == 1) {
		if (relay_tls_is_proven(c->tls))
			c->hub->kind->secured(c);
		else
			relay_conn_fail(c, "it has not proven that it is an instance");
		return;
	}
	switch (SSL_get_error(c->tls, n)) {
	case SSL_ERROR_WANT_READ:
		return;
	case SSL_ERROR_WANT_WRITE:
		c->wants_write = true;
		return;
	case SSL_ERROR_SYSCALL:
		relay_conn_fail(c, "the connection between instances ended in its handshake");
		return;
	default:
		relay_conn_fail(c, "the handshake between instances failed: it has not the "
				   "secret of the lease that runs");
	}
}

static void read_header(struct relay_conn *c)
{
	size_t n = 0;

	ERR_clear_error();
	if (SSL_read_ex(c->tls, c->header_bytes + c->header_len,
			sizeof(c->header_bytes) - c->header_len, &n) != 1) {
		if (SSL_get_error(c->tls, 0) != SSL_ERROR_WANT_READ)
			relay_conn_fail(c, "it ended before its header");
		return;
	}
	c->header_len += n;
	if (c->header_len == sizeof(c->header_bytes))
		c->hub->kind->arrived(c);
}

void relay_conn_run(struct relay_conn *c)
{
	if (c->stage == RELAY_CONNECTING)
		finish_connect(c);
	if (c->stage == RELAY_HANDSHAKE)
		shake_hands(c);
	if (c->stage == RELAY_HEADER)
		read_header(c);
	if ((c->stage == RELAY_MOVING || c->stage == RELAY_REFUSED) && !relay_pump_run(c))
		return;
	if (c->stage != RELAY_CLOSED)
		ask_loop(c);
}

/* ---- time ---- */

static uint64_t last_moved(const struct relay_conn *c)
{
	return c->out.moved > c->in.moved ? c->out.moved : c->in.moved;
}

static bool is_stalled(const struct relay_way *way, uint64_t now)
{
	return way->len && now - way->moved > RELAY_STALL_MS;
}

static const char *is_overdue(const struct relay_conn *c, uint64_t now)
{
	const uint64_t age = now - c->since, quiet = now - last_moved(c);
	const bool is_half = c->out.has_ended || c->in.has_ended;

	switch (c->stage) {
	case RELAY_SILENT:
		return age > RELAY_SILENT_MS ? "it says nothing" : NULL;
	case RELAY_WAITING:
		return age > RELAY_WAIT_MS ? "no instance serves" : NULL;
	case RELAY_CONNECTING:
	case RELAY_HANDSHAKE:
		return age > RELAY_CONNECT_MS ? "the other instance does not answer" : NULL;
	case RELAY_REFUSED:
		return age > RELAY_LINGER_MS ? "it does not end" : NULL;
	case RELAY_HEADER:
		return age > RELAY_HEADER_MS ? "its header does not come" : NULL;
	default:
		break;
	}
	if (is_stalled(&c->out, now) || is_stalled(&c->in, now))
		return "one side takes nothing";
	if (is_half && quiet > RELAY_HALF_MS)
		return "one side has ended, and the other one says nothing";
	return quiet > RELAY_IDLE_MS ? "neither side says anything" : NULL;
}

/* Ours has left: what it said last is with the other side by now. What that one goes on to say keeps nothing open. */
static bool has_lingered(const struct relay_conn *c, uint64_t now)
{
	return c->stage == RELAY_MOVING && c->out.is_shut &&
	       ((c->in.is_dropped && now - c->out.moved > RELAY_LINGER_MS) || c->hub->is_draining);
}

static void on_tick(uv_timer_t *timer)
{
	struct relay_hub *hub = timer->data;
	const uint64_t now = uv_now(hub->loop);
	struct relay_conn *c, *next;

	for (c = TAILQ_FIRST(&hub->conns); c; c = next) {
		const char *why = is_overdue(c, now);

		next = TAILQ_NEXT(c, others);
		if (why)
			relay_conn_fail(c, why);
		else if (c->stage == RELAY_MOVING && !relay_pump_look(c))
			continue;
		else if (has_lingered(c, now))
			relay_conn_close(c);
	}
	if (hub->is_draining && (TAILQ_EMPTY(&hub->conns) || now >= hub->drained))
		relay_hub_close(hub);
}

/* ---- the hub ---- */

static unsigned most_of(unsigned most, unsigned sockets)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == RLIM_INFINITY ||
	    files.rlim_cur / 4 * 3 / sockets > most)
		return most;
	return (unsigned)(files.rlim_cur / 4 * 3 / sockets);
}

int relay_hub_init(struct relay_hub *hub, uv_loop_t *loop, unsigned most, unsigned sockets,
		   struct err *e)
{
	const int r = uv_timer_init(loop, &hub->tick);

	most = most_of(most, sockets);
	hub->young_max = most / 2 < RELAY_YOUNG_MAX ? most / 2 : RELAY_YOUNG_MAX;
	hub->moving_max = most - hub->young_max;
	if (r < 0)
		return err_set(e, ERR_INTERNAL, "timer: %s", uv_strerror(r));
	hub->loop = loop;
	hub->tick.data = hub;
	hub->handles = 1;
	TAILQ_INIT(&hub->conns);
	uv_timer_start(&hub->tick, on_tick, RELAY_TICK_MS, RELAY_TICK_MS);
	return 0;
}

void relay_hub_release(struct relay_hub *hub)
{
	if (--hub->handles > 0)
		return;
	places_done(&hub->places);
	hub->freed(hub);
}

static void on_tick_closed(uv_handle_t *handle)
{
	relay_hub_release(handle->data);
}

void relay_hub_close(struct relay_hub *hub)
{
	struct relay_conn *c;

	if (hub->is_closing)
		return;
	hub->is_closing = true;
	while ((c = TAILQ_FIRST(&hub->conns)))
		relay_conn_close(c);
	uv_close((uv_handle_t *)&hub->tick, on_tick_closed);
}
