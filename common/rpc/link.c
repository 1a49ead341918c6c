/* SPDX-License-Identifier: Apache-2.0 */
/* One connection of a channel. */
#include "common/base/log.h"
#include "common/rpc/channel_state.h"
#include "common/rpc/tls_groups.h"
#include "common/rpc/tls_revoked.h"

#include <stdlib.h>
#include <unistd.h>

static void on_secured(struct transport *t)
{
	log_debug("%s: %s, key exchange %s", ((struct link *)t)->channel->target,
		  SSL_get_version(t->tls), kex_groups_show(tls_groups_agreed(t->tls)).text);
}

static int on_open(struct transport *t, struct err *e)
{
	struct link *link = (struct link *)t;
	int r = h2_conn_open(&link->h2, link->channel->callbacks, link->channel->option, e);

	if (r < 0)
		return r;
	channel_ready(link->channel, link);
	return 0;
}

static void on_settled(struct transport *t)
{
	struct link *link = (struct link *)t;
	struct rpc_channel *channel = link->channel;
	struct err e;

	if (!(link->is_retired && TAILQ_EMPTY(&link->h2.streams)) && !h2_conn_is_over(&link->h2))
		return;
	err_set(&e, ERR_UNAVAILABLE, "the server has ended the connection");
	/* What came was not HTTP/2: there never was a connection. */
	if (channel->link == link && !link->h2.has_settings) {
		channel_failed(channel, &e);
		return;
	}
	err_wrap(&e, "%s", channel->target);
	link_close(link, &e);
}

static void on_failed(struct transport *t, const struct err *why)
{
	struct link *link = (struct link *)t;
	struct rpc_channel *channel = link->channel;
	bool is_connecting = t->stage == TRANSPORT_CONNECTING && channel->link == link;
	struct err e = *why;

	if (t->tls)
		tls_revoked_tell(t->tls, channel->target);
	if (is_connecting) { /* another address may do */
		channel->link = NULL;
		link_close(link, &e);
		if (dial_next(channel->dial, &e) < 0)
			channel_failed(channel, &e);
		return;
	}
	if (t->stage == TRANSPORT_OPEN && !link->h2.has_settings && !t->tls)
		err_wrap(&e, "no HTTP/2 came (does the server want TLS?)");
	if (channel->link == link && !link->h2.has_settings) {
		channel_failed(channel, &e);
		return;
	}
	err_wrap(&e, "%s", channel->target);
	link_close(link, &e);
}

static void on_freed(struct transport *t)
{
	struct link *link = (struct link *)t;

	h2_conn_done(&link->h2);
	free(link);
}

static const struct transport_user link_user = {
	.secured = on_secured,
	.open = on_open,
	.turn = h2_conn_turn,
	.input = h2_conn_input,
	.output = h2_conn_output,
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
	h2_conn_init(&link->h2, channel->hub.loop, &channel->limits);
	if (transport_start(&link->h2.transport, &channel->hub, &link_user, &config, e) < 0) {
		free(link);
		return err_code(e);
	}
	channel->link = link;
	TAILQ_INSERT_TAIL(&channel->links, link, others);
	return 0;
}

void link_close(struct link *link, const struct err *e)
{
	struct rpc_channel *channel = link->channel;
	struct h2_stream *s;

	if (link->h2.transport.stage == TRANSPORT_CLOSED)
		return;
	link_retire(link);
	transport_close(&link->h2.transport);
	TAILQ_REMOVE(&channel->links, link, others);
	while ((s = TAILQ_FIRST(&link->h2.streams)))
		stream_end((struct rpc_stream *)s, e); /* moves it to channel->ended */
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
	SSL *tls = link->h2.transport.tls;
	struct err e;

	if (link->h2.transport.stage != TRANSPORT_OPEN)
		return; /* the connect deadline watches */
	if (tls && tls_revoked_now(tls, link->channel->target, &e)) {
		e.code = ERR_UNAVAILABLE;
		err_wrap(&e, "%s: closed", link->channel->target);
		link_close(link, &e);
	} else if (h2_conn_is_peer_gone(&link->h2, now)) {
		err_set(&e, ERR_UNAVAILABLE, "%s: the server does not answer any more",
			link->channel->target);
		link_close(link, &e);
	} else if (!TAILQ_EMPTY(&link->h2.streams)) {
		h2_conn_keep_alive(&link->h2, now);
	} else if (now - link->h2.quiet_since > link->h2.limits->idle_ms) {
		err_set(&e, ERR_UNAVAILABLE, "%s: idle", link->channel->target);
		link_close(link, &e);
	}
}
