/* SPDX-License-Identifier: Apache-2.0 */
#include "common/relay/relay_inner.h"

#include "common/base/cleanup.h"
#include "common/base/log.h"
#include "common/relay/relay_address.h"
#include "common/relay/relay_answer.h"
#include "common/relay/relay_door.h"
#include "common/relay/relay_hub.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define SOCKETS 3 /* of a connection: the other instance's, and a pair with the server */

struct relay_inner {
	struct relay_hub hub; /* first */
	struct relay_listener *listener;
	struct relay_tls *tls;
	relay_take_fn *take;
	void *data;
	bool is_stopped;
};

static struct relay_inner *inner_of(struct relay_hub *hub)
{
	return (struct relay_inner *)hub;
}

/* The other end, for the server here. */
static int hand_over(struct relay_conn *c, const struct rpc_origin *origin, struct err *e)
{
	struct relay_inner *i = inner_of(c->hub);
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) < 0)
		return err_errno(e, "socketpair");
	if (relay_conn_attach(c, &c->plain, ends[0], e) < 0) {
		close(ends[1]);
		return err_code(e);
	}
	return i->take(i->data, c->header.door, ends[1], origin, e);
}

static enum relay_answer take(struct relay_conn *c, struct err *e)
{
	struct relay_inner *i = inner_of(c->hub);
	struct rpc_origin origin;

	if (relay_header_read(c->header_bytes, sizeof(c->header_bytes), &c->header, e) < 0)
		return RELAY_BAD_HEADER;
	if (i->is_stopped) {
		err_set(e, ERR_UNAVAILABLE, "this instance serves no more");
		return RELAY_SERVES_NO_MORE;
	}
	/* Its place is its caller's from now on, not that of the instance that passes on. */
	relay_header_origin(&c->header, &origin);
	if (relay_conn_source(c, &origin.source, e) < 0)
		return RELAY_FULL;
	if (hand_over(c, &origin, e) == 0)
		return RELAY_TAKEN;
	return e->code == ERR_NOT_FOUND     ? RELAY_NO_DOOR
	       : e->code == ERR_UNAVAILABLE ? RELAY_SERVES_NO_MORE
					    : RELAY_FULL;
}

/* What it says besides is read and forgotten until it has ended, so that it gets to see the answer. */
static void refuse(struct relay_conn *c, const struct err *why)
{
	unsigned long skipped = 0;

	c->hub->stats.refused++;
	if (log_rate_take(&c->hub->failures, uv_now(c->hub->loop), &skipped))
		log_info("a connection passed on is refused: %s", why->text);
	c->out.has_ended = c->in.is_dropped = true;
	relay_conn_stage(c, RELAY_REFUSED);
}

static void on_arrived(struct relay_conn *c)
{
	struct err why, e;
	const uint8_t answer = (uint8_t)take(c, &why);

	if (relay_conn_say(c, &answer, 1, &e) < 0) {
		relay_conn_fail(c, e.text);
		return;
	}
	c->is_answered = true;
	if (answer == RELAY_TAKEN) {
		c->hub->stats.total++;
		relay_conn_stage(c, RELAY_MOVING);
	} else {
		refuse(c, &why);
	}
}

static void on_secured(struct relay_conn *c)
{
	relay_conn_stage(c, RELAY_HEADER);
}

static const struct relay_kind kind = {
	.secured = on_secured,
	.arrived = on_arrived,
};

static void on_came(struct relay_listener *l, int fd)
{
	struct relay_inner *i = inner_of(l->hub);
	struct rpc_origin origin;
	struct relay_conn *c;
	struct err e;

	rpc_origin_of_socket(fd, &origin);
	c = relay_conn_new(&i->hub, &origin.source, RELAY_HANDSHAKE);
	if (!c) {
		i->hub.stats.refused++;
		close(fd);
		return;
	}
	if (relay_conn_attach(c, &c->outer, fd, &e) < 0 ||
	    !(c->tls = relay_tls_open(i->tls, fd, &e)))
		relay_conn_fail(c, e.text);
	else
		relay_conn_run(c);
}

/* ---- all of it ---- */

static void on_freed(struct relay_hub *hub)
{
	struct relay_inner *i = inner_of(hub);

	relay_tls_free(i->tls);
	free(i);
}

static int open_inner(struct relay_inner *i, const struct relay_inner_config *config, struct err *e)
{
	union relay_address ignored;
	socklen_t len;

	if (relay_address_parse(config->address, &ignored, &len, e) < 0 ||
	    relay_tls_new(config->secret, config->fence, true, &i->tls, e) < 0)
		return err_code(e);
	return relay_listener_new(&i->hub, config->address, NULL, on_came, &i->listener, e);
}

int relay_inner_new(const struct relay_inner_config *config, struct relay_inner **inner,
		    struct err *e)
{
	struct relay_inner *i = calloc(1, sizeof(*i));

	if (!i)
		return err_nomem(e);
	i->take = config->take;
	i->data = config->data;
	i->hub.kind = &kind;
	i->hub.freed = on_freed;
	if (relay_hub_init(&i->hub, config->loop, config->most, SOCKETS, e) < 0) {
		free(i);
		return err_code(e);
	}
	if (open_inner(i, config, e) < 0) {
		relay_hub_close(&i->hub);
		return err_code(e);
	}
	log_info("other instances: listening on %s", config->address);
	*inner = i;
	return 0;
}

void relay_inner_stop(struct relay_inner *i)
{
	if (i)
		i->is_stopped = true;
}

void relay_inner_close(struct relay_inner *i)
{
	if (!i || i->hub.is_draining)
		return;
	relay_inner_stop(i);
	relay_listener_close(i->listener);
	i->hub.is_draining = true;
	i->hub.drained = uv_now(i->hub.loop) + RELAY_DRAIN_MS;
}

struct relay_stats relay_inner_stats(const struct relay_inner *i)
{
	return i->hub.stats;
}
