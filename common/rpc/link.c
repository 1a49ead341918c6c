/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of a channel. */
#include "common/rpc/channel_state.h"

#include <stdlib.h>
#include <unistd.h>

static int on_open(struct transport *t, struct err *e)
{
	struct link *link = (struct link *)t;

	if (link_session_new(link, e) < 0)
		return err_code(e);
	channel_ready(link->channel, link);
	return 0;
}

static int on_input(struct transport *t, const uint8_t *bytes, size_t len, struct err *e)
{
	return h2_input(((struct link *)t)->h2, t, bytes, len, e);
}

static int on_output(struct transport *t, struct err *e)
{
	return h2_output(((struct link *)t)->h2, t, e);
}

static void on_turn(struct transport *t)
{
	struct link *link = (struct link *)t;
	struct rpc_stream *s;

	while (link->has_turns && t->stage == TRANSPORT_OPEN) {
		link->has_turns = false;
		TAILQ_FOREACH(s, &link->streams, others)
		{
			if (s->wants_turn)
				break;
		}
		if (!s)
			return;
		link->has_turns = true;
		s->wants_turn = false;
		stream_deliver(s);
	}
}

static void on_settled(struct transport *t)
{
	struct link *link = (struct link *)t;
	struct err e;

	if ((link->is_retired && TAILQ_EMPTY(&link->streams)) ||
	    (!nghttp2_session_want_read(link->h2) && !nghttp2_session_want_write(link->h2))) {
		err_set(&e, ERR_UNAVAILABLE, "%s: the server has ended the connection",
			link->channel->target);
		link_close(link, &e);
	}
}

static void on_failed(struct transport *t, const struct err *why)
{
	struct link *link = (struct link *)t;
	struct rpc_channel *channel = link->channel;
	bool is_connecting = t->stage == TRANSPORT_CONNECTING && channel->link == link;
	struct err e = *why;

	if (is_connecting) { /* another address may do */
		channel->link = NULL;
		link_close(link, &e);
		if (dial_next(channel->dial, &e) < 0)
			channel_failed(channel, &e);
		return;
	}
	if (t->stage == TRANSPORT_OPEN && !link->has_settings && !t->tls)
		err_wrap(&e, "no HTTP/2 came (does the server want TLS?)");
	if (channel->link == link && !link->has_settings) {
		channel_failed(channel, &e);
		return;
	}
	err_wrap(&e, "%s", channel->target);
	link_close(link, &e);
}

static void on_freed(struct transport *t)
{
	struct link *link = (struct link *)t;

	nghttp2_session_del(link->h2);
	free(link);
}

static const struct transport_user link_user = {
	.open = on_open,
	.turn = on_turn,
	.input = on_input,
	.output = on_output,
	.settled = on_settled,
	.failed = on_failed,
	.freed = on_freed,
};

int link_open(struct rpc_channel *channel, int fd, struct err *e)
{
	const struct transport_config config = {
		.fd = fd,
		.tls = channel->tls,
		.host = channel->address.is_unix ? "localhost" : channel->address.host,
		.prologue = channel->prologue,
		.prologue_data = channel->prologue_data,
	};
	struct link *link = calloc(1, sizeof(*link));

	if (!link) {
		close(fd);
		return err_nomem(e);
	}
	link->channel = channel;
	TAILQ_INIT(&link->streams);
	if (transport_start(&link->transport, &channel->hub, &link_user, &config, e) < 0) {
		free(link);
		return err_code(e);
	}
	channel->link = link;
	link->quiet_since = uv_now(channel->hub.loop);
	TAILQ_INSERT_TAIL(&channel->links, link, others);
	return 0;
}

void link_close(struct link *link, const struct err *e)
{
	struct rpc_channel *channel = link->channel;
	struct rpc_stream *s;

	if (link->transport.stage == TRANSPORT_CLOSED)
		return;
	link_retire(link);
	transport_close(&link->transport);
	TAILQ_REMOVE(&channel->links, link, others);
	while ((s = TAILQ_FIRST(&link->streams)))
		stream_end(s, e); /* moves it to channel->ended */
	channel_poke(channel);
}

void link_retire(struct link *link)
{
	link->is_retired = true;
	if (link->channel->link == link)
		link->channel->link = NULL;
}

void link_tick(struct link *link, uint64_t now)
{
	struct rpc_channel *channel = link->channel;
	const struct rpc_limits *limits = &channel->limits;
	struct transport *t = &link->transport;
	uint64_t heard = t->last_read > link->pings.since ? t->last_read : link->pings.since;
	struct err e;

	if (t->stage != TRANSPORT_OPEN)
		return; /* the connect deadline watches */
	if ((link->pings.waiting && now - heard > limits->ping_answer_ms) ||
	    (t->pending && now - t->last_write > limits->stall_ms)) {
		err_set(&e, ERR_UNAVAILABLE, "%s: the server does not answer any more",
			channel->target);
		link_close(link, &e);
		return;
	}
	if (!TAILQ_EMPTY(&link->streams)) {
		link->quiet_since = now;
		if (!link->pings.waiting && now - t->last_read > limits->ping_ms &&
		    now - link->pings.since > limits->ping_ms) {
			(void)h2_ping(link->h2, &link->pings, H2_PING_ALIVE, now);
			transport_kick(t);
		}
	} else if (now - link->quiet_since > limits->idle_ms) {
		err_set(&e, ERR_UNAVAILABLE, "%s: idle", channel->target);
		link_close(link, &e);
	}
}
