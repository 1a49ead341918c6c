/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/conn.h"

#include "common/base/log.h"
#include "common/rpc/linger.h"

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

static int on_open(struct transport *t, struct err *e)
{
	struct rpc_conn *c = (struct rpc_conn *)t;

	if (t->tls && peer_set_tls(c->peer, t->tls, e) < 0)
		return err_code(e);
	return conn_session_new(c, e);
}

static int on_input(struct transport *t, const uint8_t *bytes, size_t len, struct err *e)
{
	struct rpc_conn *c = (struct rpc_conn *)t;

	return h2_input(c->h2, t, bytes, len, e);
}

static int on_output(struct transport *t, struct err *e)
{
	struct rpc_conn *c = (struct rpc_conn *)t;

	return h2_output(c->h2, t, e);
}

/* Calls that were resumed get what waited for them. */
static void on_turn(struct transport *t)
{
	struct rpc_conn *c = (struct rpc_conn *)t;
	struct rpc_call *call;

	while (c->has_turns && t->stage == TRANSPORT_OPEN) {
		c->has_turns = false;
		TAILQ_FOREACH(call, &c->calls, others)
		{
			if (call->wants_turn)
				break;
		}
		if (!call)
			return;
		/* A handler may change the list: look again from its start. */
		c->has_turns = true;
		call->wants_turn = false;
		call_deliver(call);
	}
}

static void on_settled(struct transport *t)
{
	struct rpc_conn *c = (struct rpc_conn *)t;

	/* After our GOAWAY the client closes; see conn_tick() for one that does not. */
	if (c->is_goaway_final && TAILQ_EMPTY(&c->calls))
		return;
	if (!nghttp2_session_want_read(c->h2) && !nghttp2_session_want_write(c->h2))
		conn_close(c);
}

static void on_failed(struct transport *t, const struct err *e)
{
	struct rpc_conn *c = (struct rpc_conn *)t;

	log_debug("%s: %s", c->peer->name, e->text);
	conn_close(c);
}

static void on_freed(struct transport *t)
{
	struct rpc_conn *c = (struct rpc_conn *)t;

	nghttp2_session_del(c->h2);
	peer_unref(c->peer);
	free(c);
}

static const struct transport_user conn_user = {
	.open = on_open,
	.turn = on_turn,
	.input = on_input,
	.output = on_output,
	.settled = on_settled,
	.failed = on_failed,
	.freed = on_freed,
};

int conn_accept(struct rpc_server *server, const struct listener *listener, int fd, struct err *e)
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
	TAILQ_INIT(&c->calls);
	c->calm = CONN_CALM_MAX;
	c->quiet_since = c->calm_at = uv_now(server->hub.loop);
	c->peer = peer_new(fd, e);
	if (!c->peer) {
		close(fd);
		free(c);
		return err_code(e);
	}
	if (transport_start(&c->transport, &server->hub, &conn_user, &config, e) < 0) {
		peer_unref(c->peer);
		free(c);
		return err_code(e);
	}
	server_conn_opened(server, c);
	return 0;
}

void conn_close(struct rpc_conn *c)
{
	struct rpc_call *call;

	if (c->transport.stage == TRANSPORT_CLOSED)
		return;
	transport_close(&c->transport);
	while ((call = TAILQ_FIRST(&c->calls)))
		call_close(call);
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
	return -1;
}

static void say_goaway(struct rpc_conn *c)
{
	c->is_goaway_final = true;
	c->quiet_since = uv_now(c->server->hub.loop);
	nghttp2_submit_goaway(c->h2, NGHTTP2_FLAG_NONE,
			      nghttp2_session_get_last_proc_stream_id(c->h2), NGHTTP2_NO_ERROR,
			      NULL, 0);
	transport_kick(&c->transport);
}

void conn_end(struct rpc_conn *c)
{
	uv_loop_t *loop = c->server->hub.loop;
	bool was_talking = !TAILQ_EMPTY(&c->calls);
	int fd = -1;

	if (c->transport.stage == TRANSPORT_OPEN) {
		if (!c->is_goaway_final)
			say_goaway(c);
		transport_flush(&c->transport);
		if (was_talking)
			fd = fcntl(c->transport.fd, F_DUPFD_CLOEXEC, 0);
	}
	conn_close(c);
	if (fd >= 0)
		linger_start(loop, fd);
}

void conn_drain(struct rpc_conn *c)
{
	if (c->transport.stage != TRANSPORT_OPEN) {
		conn_close(c);
		return;
	}
	if (c->goaway_since)
		return;
	/* Requests may be on their way that the client sent before it knew. */
	c->goaway_since = uv_now(c->server->hub.loop);
	nghttp2_submit_shutdown_notice(c->h2);
	transport_kick(&c->transport);
}

/* The stages before HTTP/2 is in use have a time each. */
static bool is_stage_overdue(const struct rpc_conn *c, uint64_t now)
{
	const struct rpc_limits *limits = &c->server->limits;
	uint64_t age = now - c->transport.stage_since;

	switch (c->transport.stage) {
	case TRANSPORT_CONNECTING:
	case TRANSPORT_TLS:
		return age > limits->handshake_ms;
	case TRANSPORT_PROLOGUE:
		return age > limits->prologue_ms;
	case TRANSPORT_OPEN:
		return (!c->has_settings && age > limits->preface_ms) ||
		       (c->block_since && !c->is_goaway_final &&
			now - c->block_since > limits->headers_ms);
	default:
		return false;
	}
}

static bool is_peer_gone(const struct rpc_conn *c, uint64_t now)
{
	const struct rpc_limits *limits = &c->server->limits;
	const struct transport *t = &c->transport;
	uint64_t heard = t->last_read > c->pings.since ? t->last_read : c->pings.since;

	return (c->pings.waiting && now - heard > limits->ping_answer_ms) ||
	       (t->pending && now - t->last_write > limits->stall_ms);
}

static void tick_call(struct rpc_call *call, uint64_t now)
{
	const struct rpc_limits *limits = &call->conn->server->limits;
	enum rpc_kind kind = call->handler ? call->handler->method.kind : RPC_UNARY;
	bool is_single = kind == RPC_UNARY || kind == RPC_SERVER_STREAM;
	struct err e;

	if (!call->is_finished && !call->has_ended && !call->is_paused && call->handler &&
	    (is_single || inbox_is_partial(&call->inbox)) &&
	    now - call->last_in > limits->body_ms) {
		err_set(&e, ERR_DEADLINE, "the request stopped within a message");
		rpc_call_finish(call, &e);
	}
	if ((call->outbox.queued || call->is_finished) && !call->sent_trailers &&
	    now - call->last_out > limits->stall_ms)
		call_reset(call, NGHTTP2_CANCEL);
}

static void tick_open(struct rpc_conn *c, uint64_t now)
{
	const struct rpc_limits *limits = &c->server->limits;
	bool is_idle = TAILQ_EMPTY(&c->calls);
	struct rpc_call *call;

	TAILQ_FOREACH(call, &c->calls, others)
	tick_call(call, now);
	if (c->goaway_since && !c->is_goaway_final && now - c->goaway_since >= CONN_GOAWAY_MS)
		say_goaway(c);
	else if (!c->goaway_since && is_idle && now - c->quiet_since > limits->idle_ms)
		conn_drain(c);
	else if (!is_idle && !c->pings.waiting && now - c->transport.last_read > limits->ping_ms &&
		 now - c->pings.since > limits->ping_ms) {
		(void)h2_ping(c->h2, &c->pings, H2_PING_ALIVE, now);
		transport_kick(&c->transport);
	}
}

void conn_tick(struct rpc_conn *c, uint64_t now)
{
	bool is_through = c->is_goaway_final && TAILQ_EMPTY(&c->calls) &&
			  now - c->quiet_since > CONN_LINGER_MS;

	if (is_stage_overdue(c, now) || is_peer_gone(c, now) || is_through) {
		if (!is_through)
			log_debug("%s: too slow, closed", c->peer->name);
		conn_close(c);
	} else if (c->transport.stage == TRANSPORT_OPEN) {
		tick_open(c, now);
	}
}
