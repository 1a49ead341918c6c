/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/transport.h"

#include "common/rpc/peer.h"
#include "common/rpc/prologue_run.h"
#include "common/rpc/tls_conn.h"
#include "common/rpc/transport_io.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_ready(uv_poll_t *poll, int status, int events);

/* Asks the loop for what is missing. */
static void wait_for_more(struct transport *t)
{
	bool held = t->stage == TRANSPORT_PROLOGUE && prologue_run_is_held(t->run);
	int events = t->stage == TRANSPORT_CONNECTING || held ? 0 : UV_READABLE;

	if (t->stage == TRANSPORT_CONNECTING || t->pending || t->tls_wants_write)
		events |= UV_WRITABLE;
	if (t->stage == TRANSPORT_CLOSED || events == t->events)
		return;
	t->events = events;
	if (events)
		uv_poll_start(&t->poll, events, on_ready);
	else
		uv_poll_stop(&t->poll);
}

static void set_stage(struct transport *t, enum transport_stage stage)
{
	/* A server's first stage after the accept has begun with that: who sends his first byte late
	 * has no more time than others. */
	bool is_accept_over = t->is_server && t->stage == TRANSPORT_CONNECTING;

	t->stage = stage;
	if (!is_accept_over)
		t->stage_since = uv_now(t->hub->loop);
}

static int send_for_prologue(struct transport *t, const void *bytes, size_t len, struct err *e)
{
	uint8_t *grown;

	if (len > TRANSPORT_SEND_MAX - (t->pending_len - t->pending_at))
		return err_set(e, ERR_EXHAUSTED, "more than %d bytes to send before HTTP/2",
			       TRANSPORT_SEND_MAX);
	grown = realloc(t->pending, t->pending_len + len + 1);
	if (!grown)
		return err_nomem(e);
	if (!t->pending)
		t->last_write = uv_now(t->hub->loop);
	t->pending = grown;
	if (len)
		memcpy(t->pending + t->pending_len, bytes, len);
	t->pending_len += len;
	transport_kick(t);
	return 0;
}

static void fail_prologue(struct transport *t, const struct err *e)
{
	if (t->stage != TRANSPORT_CLOSED)
		t->user->failed(t, e);
}

/* What came behind the prologue is HTTP/2. */
static void pass_prologue(struct transport *t)
{
	CLEANUP(free) uint8_t *rest = NULL;
	size_t len = 0;
	struct err e;

	if (t->stage != TRANSPORT_PROLOGUE)
		return;
	rest = prologue_run_rest(t->run, &len);
	set_stage(t, TRANSPORT_OPEN);
	if (t->user->open(t, &e) < 0 || (len && t->user->input(t, rest, len, &e) < 0)) {
		fail_prologue(t, &e);
		return;
	}
	transport_kick(t);
}

static const struct prologue_carrier carrier = {
	.send = send_for_prologue,
	.kick = transport_kick,
	.pass = pass_prologue,
	.fail = fail_prologue,
};

/* The next stage after TCP (`after` CONNECTING), TLS or the prologue. */
static int advance(struct transport *t, enum transport_stage after, struct err *e)
{
	if (after < TRANSPORT_TLS && t->tls) {
		set_stage(t, TRANSPORT_TLS);
		return 0;
	}
	if (after < TRANSPORT_PROLOGUE && t->prologue) {
		const struct prologue_place place = { &carrier, t, t->tls, peer_source_of(t->fd) };

		t->run = prologue_run_new(&place, t->prologue, e);
		if (!t->run)
			return err_code(e);
		set_stage(t, TRANSPORT_PROLOGUE);
		prologue_run_start(t->run, t->prologue_data);
		return 0;
	}
	set_stage(t, TRANSPORT_OPEN);
	return t->user->open(t, e);
}

static int finish_connect(struct transport *t, struct err *e)
{
	int error = 0;
	socklen_t len = sizeof(error);

	if (t->is_server) /* it was accepted */
		return advance(t, TRANSPORT_CONNECTING, e);
	if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error)
		return err_set(e, ERR_UNAVAILABLE, "connect: %s", strerror(error));
	return advance(t, TRANSPORT_CONNECTING, e);
}

static int finish_tls(struct transport *t, struct err *e)
{
	int r = transport_handshake(t, e);

	if (r <= 0) /* failed, or not yet */
		return r;
	if (tls_conn_check_group(t->tls, e) < 0 || tls_conn_check_alpn(t->tls, e) < 0)
		return err_code(e);
	if (t->user->secured)
		t->user->secured(t);
	return advance(t, TRANSPORT_TLS, e);
}

static int take_input(struct transport *t, const uint8_t *bytes, size_t len, struct err *e)
{
	if (t->stage == TRANSPORT_PROLOGUE)
		return prologue_run_input(t->run, bytes, len, e);
	return t->user->input(t, bytes, len, e);
}

static int move_in(struct transport *t, struct err *e)
{
	for (unsigned i = 0; i < TRANSPORT_READS_MAX; i++) {
		bool is_drained;
		size_t len = 0;
		int r;

		if (t->stage == TRANSPORT_CLOSED ||
		    (t->stage == TRANSPORT_PROLOGUE && prologue_run_is_held(t->run)))
			return 0;
		r = transport_read(t, &len, &is_drained, e);
		if (r <= 0)
			return r;
		t->last_read = uv_now(t->hub->loop);
		if (take_input(t, t->hub->in, len, e) < 0)
			return err_code(e);
		if (is_drained)
			return 0;
	}
	/* TLS may have read ahead what the socket will not announce again. */
	if (t->tls && SSL_has_pending(t->tls))
		transport_kick_later(t);
	return 0;
}

static int move_out(struct transport *t, struct err *e)
{
	if (t->stage < TRANSPORT_PROLOGUE)
		return 0;
	for (unsigned i = 0; i < TRANSPORT_WRITES_MAX; i++) {
		int r = t->pending ? transport_write_pending(t, e) : 1;

		if (r <= 0 || t->stage != TRANSPORT_OPEN)
			return r < 0 ? r : 0;
		t->hub->out_len = 0;
		if (t->user->output(t, e) < 0)
			return err_code(e);
		if (t->stage == TRANSPORT_CLOSED || t->hub->out_len == 0)
			return 0;
		r = transport_write(t, t->hub->out, t->hub->out_len, e);
		if (r < 0)
			return r;
	}
	transport_kick_later(t);
	return 0;
}

static int move(struct transport *t, struct err *e)
{
	if (t->stage == TRANSPORT_CONNECTING && finish_connect(t, e) < 0)
		return err_code(e);
	if (t->stage == TRANSPORT_TLS && finish_tls(t, e) < 0)
		return err_code(e);
	if (t->stage == TRANSPORT_TLS || t->stage == TRANSPORT_CLOSED)
		return 0;
	if (t->stage == TRANSPORT_OPEN)
		t->user->turn(t);
	if (move_in(t, e) < 0)
		return err_code(e);
	return move_out(t, e);
}

static void run(struct transport *t)
{
	struct err e;
	int r;

	t->is_moving = true;
	r = move(t, &e);
	t->is_moving = false;
	if (t->stage == TRANSPORT_CLOSED)
		return;
	if (r < 0)
		t->user->failed(t, &e);
	else if (t->stage == TRANSPORT_OPEN && !t->pending)
		t->user->settled(t);
	wait_for_more(t);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct transport *t = poll->data;

	/* An error of the socket shows itself when it is read or written. It has ended the polling, and
	 * may be behind bytes that are read first: then it has to wake us again. */
	if (status < 0)
		t->events = 0;
	run(t);
}

static void on_idle(uv_idle_t *idle)
{
	struct transport_hub *hub = idle->data;
	struct transport *t;
	unsigned count = 0;

	/* Who is kicked again by what happens here waits for the next turn of the loop. */
	TAILQ_FOREACH(t, &hub->kicked, kicked)
		count++;
	while (count-- > 0 && (t = TAILQ_FIRST(&hub->kicked))) {
		TAILQ_REMOVE(&hub->kicked, t, kicked);
		t->is_kicked = false;
		run(t);
	}
	if (TAILQ_EMPTY(&hub->kicked))
		uv_idle_stop(idle);
}

void transport_kick(struct transport *t)
{
	/* While bytes move, output is asked for anyway. */
	if (!t->is_moving || t->stage != TRANSPORT_OPEN)
		transport_kick_later(t);
}

void transport_kick_later(struct transport *t)
{
	if (t->is_kicked || t->stage == TRANSPORT_CLOSED || t->stage == TRANSPORT_CONNECTING)
		return;
	t->is_kicked = true;
	TAILQ_INSERT_TAIL(&t->hub->kicked, t, kicked);
	uv_idle_start(&t->hub->idle, on_idle);
}

int transport_start(struct transport *t, struct transport_hub *hub,
		    const struct transport_user *user, const struct transport_config *config,
		    struct err *e)
{
	CLEANUP(close) int fd = config->fd;
	int one = 1, r;

	if (config->tls) {
		t->tls = tls_conn_new(config->tls, config->is_server ? NULL : config->host, e);
		if (!t->tls)
			return err_code(e);
		if (tls_conn_set_socket(t->tls, fd, e) < 0) {
			SSL_free(TAKE_PTR(t->tls));
			return err_code(e);
		}
	}
	/* Fails on unix sockets, where nothing waits for more to send anyway. */
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	r = uv_poll_init(hub->loop, &t->poll, fd);
	if (r < 0) {
		SSL_free(TAKE_PTR(t->tls));
		return err_set(e, ERR_UNAVAILABLE, "poll: %s", uv_strerror(r));
	}
	t->poll.data = t;
	t->hub = hub;
	hub->refs++;
	t->user = user;
	t->fd = TAKE_FD(fd);
	t->is_server = config->is_server;
	t->prologue = config->prologue;
	t->prologue_data = config->prologue_data;
	t->stage = TRANSPORT_CONNECTING;
	t->stage_since = t->last_read = t->last_write = uv_now(hub->loop);
	/* A connected socket is writable at once. A client speaks first: one that says nothing costs
	 * nothing, and the first answer goes out in one piece. */
	t->events = config->is_server ? UV_READABLE : UV_WRITABLE;
	uv_poll_start(&t->poll, t->events, on_ready);
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct transport *t = handle->data;
	struct transport_hub *hub = t->hub;

	SSL_free(t->tls);
	close(t->fd);
	free(t->pending);
	t->user->freed(t);
	transport_hub_release(hub);
}

enum rpc_contact transport_contact(const struct transport *t)
{
	return t->tls ? tls_conn_contact(t->tls) : t->contact;
}

void transport_flush(struct transport *t)
{
	struct err ignored;

	if (t->stage != TRANSPORT_OPEN || t->is_moving)
		return;
	t->is_moving = true;
	(void)!move_out(t, &ignored);
	t->is_moving = false;
}

void transport_close(struct transport *t)
{
	if (t->stage == TRANSPORT_CLOSED)
		return;
	if (t->tls && t->stage > TRANSPORT_TLS && !t->pending && !t->is_moving)
		transport_say_goodbye(t);
	t->stage = TRANSPORT_CLOSED;
	if (t->is_kicked)
		TAILQ_REMOVE(&t->hub->kicked, t, kicked);
	t->is_kicked = false;
	if (t->run)
		prologue_run_close(TAKE_PTR(t->run));
	uv_close((uv_handle_t *)&t->poll, on_closed);
}
