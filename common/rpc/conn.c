/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/conn.h"

#include "common/base/log.h"
#include "common/rpc/call.h"
#include "common/rpc/call_state.h"
#include "common/rpc/linger.h"
#include "common/rpc/peer.h"
#include "common/rpc/server_state.h"
#include "common/rpc/tls_conn.h"
#include "common/rpc/tls_revoked.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int on_open(struct transport *t, struct err *e)
{
	struct rpc_conn *c = (struct rpc_conn *)t;

	if (t->tls && peer_set_tls(c->peer, t->tls, e) < 0)
		return err_code(e);
	return h2_conn_open(&c->h2, c->server->callbacks, c->server->option, e);
}

static void on_secured(struct transport *t)
{
	room_advance((struct rpc_conn *)t, ROOM_READYING);
}

static void on_settled(struct transport *t)
{
	struct rpc_conn *c = (struct rpc_conn *)t;

	/* After our GOAWAY the client closes; see conn_tick() for one that does not. */
	if (c->is_goaway_final && TAILQ_EMPTY(&c->h2.streams))
		return;
	if (h2_conn_is_over(&c->h2))
		conn_close(c);
}

/* A handshake in which the client has said something: who only looks whether the port is open is not
 * worth a line. What was refused before OpenSSL came to know of it is not among the bytes it read. */
static bool is_handshake(const struct transport *t)
{
	return t->tls && (t->stage == TRANSPORT_TLS || t->stage == TRANSPORT_PROLOGUE) &&
	       (tls_conn_refused(t->tls) || BIO_number_read(SSL_get_rbio(t->tls)) > 0);
}

/* An operator sees why a client does not come through, and a stranger can't fill the disk. */
static void log_failure(struct rpc_conn *c, const char *why)
{
	const struct transport *t = &c->h2.transport;
	unsigned long skipped = 0;
	char more[48] = "";

	if (!is_handshake(t) ||
	    !log_rate_take(&c->server->failures, uv_now(c->server->hub.loop), &skipped)) {
		log_debug("%s: %s", c->peer->name, why);
		return;
	}
	if (skipped)
		snprintf(more, sizeof(more), " (and %lu more before it)", skipped);
	log_info("%s: %s failed: %s%s", c->peer->name,
		 t->stage == TRANSPORT_TLS ? "TLS handshake" : "the exchange before HTTP/2", why,
		 more);
}

static void on_failed(struct transport *t, const struct err *e)
{
	struct rpc_conn *c = (struct rpc_conn *)t;

	log_failure(c, e->text);
	if (t->tls)
		tls_revoked_tell(t->tls, c->peer->name);
	if (c->is_restless)
		conn_give_way(c);
	else
		conn_close(c);
}

static void on_freed(struct transport *t)
{
	struct rpc_conn *c = (struct rpc_conn *)t;

	h2_conn_done(&c->h2);
	peer_unref(c->peer);
	free(c);
}

static const struct transport_user conn_user = {
	.secured = on_secured,
	.open = on_open,
	.turn = h2_conn_turn,
	.input = h2_conn_input,
	.output = h2_conn_output,
	.settled = on_settled,
	.failed = on_failed,
	.freed = on_freed,
};

int conn_take(struct rpc_server *server, const struct listener *listener, int fd,
	      const struct rpc_origin *origin, struct err *e)
{
	const struct transport_config config = {
		.fd = fd,
		.is_server = true,
		.tls = listener->tls,
		.prologue = listener->prologue,
		.prologue_data = listener->prologue_data,
	};
	struct rpc_conn *c = calloc(1, sizeof(*c));

	if (!c) {
		close(fd);
		return err_nomem(e);
	}
	c->server = server;
	h2_conn_init(&c->h2, server->hub.loop, &server->limits);
	c->calm = CONN_CALM_MAX;
	c->calm_at = uv_now(server->hub.loop);
	c->peer = origin ? peer_of(origin, e) : peer_new(fd, e);
	if (!c->peer) {
		close(fd);
		free(c);
		return err_code(e);
	}
	if (transport_start(&c->h2.transport, &server->hub, &conn_user, &config, e) < 0) {
		peer_unref(c->peer);
		free(c);
		return err_code(e);
	}
	if (server_conn_opened(server, c, e) < 0) {
		transport_close(&c->h2.transport);
		return err_code(e);
	}
	return 0;
}

int conn_accept(struct rpc_server *server, const struct listener *listener, int fd, struct err *e)
{
	return conn_take(server, listener, fd, NULL, e);
}

void conn_close(struct rpc_conn *c)
{
	struct h2_stream *s;

	if (c->h2.transport.stage == TRANSPORT_CLOSED)
		return;
	transport_close(&c->h2.transport);
	while ((s = TAILQ_FIRST(&c->h2.streams)))
		call_close((struct rpc_call *)s);
	server_conn_closed(c->server, c);
}

int conn_spend_calm(struct rpc_conn *c)
{
	uint64_t now = uv_now(c->server->hub.loop), earned;

	earned = (now - c->calm_at) * CONN_CALM_PER_SECOND / 1000 + c->calm_bytes / CONN_CALM_BYTES;
	if (earned) {
		c->calm = earned > CONN_CALM_MAX - c->calm ? CONN_CALM_MAX
							   : c->calm + (uint32_t)earned;
		c->calm_at = now;
		c->calm_bytes = 0;
	}
	if (c->calm > 0) {
		c->calm--;
		return 0;
	}
	log_debug("%s: too many frames that do nothing", c->peer->name);
	c->is_restless = true;
	return -1;
}

static void say_goaway(struct rpc_conn *c, uint32_t why)
{
	c->is_goaway_final = true;
	c->h2.quiet_since = uv_now(c->server->hub.loop);
	nghttp2_submit_goaway(c->h2.session, NGHTTP2_FLAG_NONE,
			      nghttp2_session_get_last_proc_stream_id(c->h2.session), why, NULL, 0);
	transport_kick(&c->h2.transport);
}

void conn_end(struct rpc_conn *c)
{
	uv_loop_t *loop = c->server->hub.loop;
	bool was_talking = !TAILQ_EMPTY(&c->h2.streams);
	int fd = -1;

	if (c->h2.transport.stage == TRANSPORT_OPEN) {
		if (!c->is_goaway_final)
			say_goaway(c, NGHTTP2_NO_ERROR);
		transport_flush(&c->h2.transport);
		if (was_talking)
			fd = fcntl(c->h2.transport.fd, F_DUPFD_CLOEXEC, 0);
	}
	conn_close(c);
	if (fd >= 0)
		linger_start(loop, fd);
}

void conn_give_way(struct rpc_conn *c)
{
	if (c->h2.transport.stage == TRANSPORT_OPEN) {
		say_goaway(c, NGHTTP2_ENHANCE_YOUR_CALM);
		transport_flush(&c->h2.transport);
	}
	conn_close(c);
}

void conn_drain(struct rpc_conn *c)
{
	if (c->h2.transport.stage != TRANSPORT_OPEN) {
		conn_close(c);
		return;
	}
	if (c->goaway_since)
		return;
	/* Requests may be on their way that the client sent before it knew. */
	c->goaway_since = uv_now(c->server->hub.loop);
	nghttp2_submit_shutdown_notice(c->h2.session);
	transport_kick(&c->h2.transport);
}

/* The stages before HTTP/2 is in use have a time each. */
static bool is_stage_overdue(const struct rpc_conn *c, uint64_t now)
{
	const struct rpc_limits *limits = &c->server->limits;
	uint64_t age = now - c->h2.transport.stage_since;

	switch (c->h2.transport.stage) {
	case TRANSPORT_CONNECTING:
	case TRANSPORT_TLS:
		return age > limits->handshake_ms;
	case TRANSPORT_PROLOGUE:
		return age > limits->prologue_ms;
	case TRANSPORT_OPEN:
		return (!c->h2.has_settings && age > limits->preface_ms) ||
		       (c->block_since && !c->is_goaway_final &&
			now - c->block_since > limits->headers_ms);
	default:
		return false;
	}
}

static void tick_input(struct rpc_call *call, uint64_t now)
{
	const struct h2_stream *s = &call->h2;
	struct err e;

	if (!s->is_open || s->has_ended || s->is_paused)
		return;
	if ((s->takes_one || inbox_is_partial(&s->inbox)) &&
	    now - s->last_in > s->limits->body_ms) {
		err_set(&e, ERR_DEADLINE, "the request stopped within a message");
		call_cut(call, &e);
	} else if (s->takes_one && now - call->since > s->limits->request_ms) {
		err_set(&e, ERR_DEADLINE, "the request took longer than %u s",
			s->limits->request_ms / 1000);
		call_cut(call, &e);
	}
}

/* Who has proven who it is may take its time, as long as it takes something; a stranger has the
 * same time for all of it. */
static void tick_output(struct rpc_call *call, uint64_t now)
{
	const struct h2_stream *s = &call->h2;
	uint64_t since;

	/* Answered before all of it came: what is on its way is let in, then it is told to stop. */
	if (call->web && call->sent_trailers && !s->has_ended && now - s->last_out > CONN_LINGER_MS)
		call_reset(call, NGHTTP2_NO_ERROR);
	if ((!s->outbox.queued && !s->is_finished) || call->sent_trailers) {
		call->waits_since = 0;
		return;
	}
	if (!call->waits_since)
		call->waits_since = now;
	since = call->has_proven ? s->last_out : call->waits_since;
	if (now - since > s->limits->stall_ms)
		call_reset(call, NGHTTP2_CANCEL);
}

static void tick_call(struct rpc_call *call, uint64_t now)
{
	tick_input(call, now);
	tick_output(call, now);
}

static void tick_open(struct rpc_conn *c, uint64_t now)
{
	bool is_idle = TAILQ_EMPTY(&c->h2.streams);
	struct h2_stream *s;

	TAILQ_FOREACH(s, &c->h2.streams, others)
		tick_call((struct rpc_call *)s, now);
	if (c->goaway_since && !c->is_goaway_final && now - c->goaway_since >= CONN_GOAWAY_MS)
		say_goaway(c, NGHTTP2_NO_ERROR);
	else if (!c->goaway_since && is_idle && now - c->h2.quiet_since > c->h2.limits->idle_ms)
		conn_drain(c);
	else if (!is_idle)
		h2_conn_keep_alive(&c->h2, now);
}

/* A list names its certificate by now: what it has open ends, too. */
static bool is_revoked(struct rpc_conn *c)
{
	SSL *tls = c->h2.transport.tls;
	struct err why;

	if (!tls || c->h2.transport.stage < TRANSPORT_PROLOGUE ||
	    !tls_revoked_now(tls, c->peer->name, &why))
		return false;
	log_info("%s: closed: %s", c->peer->name, why.text);
	return true;
}

void conn_tick(struct rpc_conn *c, uint64_t now)
{
	bool is_through = c->is_goaway_final && TAILQ_EMPTY(&c->h2.streams) &&
			  now - c->h2.quiet_since > CONN_LINGER_MS;

	if (is_revoked(c)) {
		conn_close(c);
	} else if (is_stage_overdue(c, now) || h2_conn_is_peer_gone(&c->h2, now) || is_through) {
		if (!is_through)
			log_failure(c, "too slow, closed");
		conn_close(c);
	} else if (c->h2.transport.stage == TRANSPORT_OPEN) {
		tick_open(c, now);
	}
}
