/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/channel.h"

#include "common/base/log.h"
#include "common/rpc/channel_state.h"
#include "common/rpc/tls_conn.h"

#include <stdlib.h>
#include <string.h>

static void channel_destroy(struct rpc_channel *c)
{
	nghttp2_session_callbacks_del(c->callbacks);
	nghttp2_option_del(c->option);
	rpc_tls_free(c->tls);
	free(c->target);
	free(c);
}

static void on_hub_freed(struct transport_hub *hub)
{
	channel_destroy((struct rpc_channel *)hub);
}

static int parse_target(const char *target, struct address *address, struct err *e)
{
	if (address_parse(target, address, e) < 0)
		return err_code(e);
	if (!address->is_unix && (!address->host[0] || strtoul(address->port, NULL, 10) == 0))
		return err_set(e, ERR_INVALID,
			       "address %s: wanted host:port, [v6]:port or unix:/path, with a host "
			       "and a port from 1",
			       log_quote(target).text);
	return 0;
}

int rpc_target_check(const char *target, struct err *e)
{
	struct address ignored;

	return parse_target(target, &ignored, e);
}

static int check_config(const struct rpc_channel_config *config, struct err *e)
{
	bool is_judged = config->tls && rpc_tls_is_judged_by_prologue(config->tls);

	if (config->prologue && !config->tls)
		return err_set(e, ERR_INVALID, "%s: a prologue needs TLS", config->target);
	if (is_judged && !config->prologue)
		return err_set(e, ERR_INVALID,
			       "%s: nobody would judge the server's certificate: no prologue",
			       config->target);
	return 0;
}

static void end_all(struct rpc_channel *c)
{
	struct h2_stream *s;

	while ((s = TAILQ_FIRST(&c->ended)))
		stream_close((struct rpc_stream *)s);
}

static void submit_waiting(struct rpc_channel *c)
{
	struct h2_stream *s, *next;
	struct err e;

	for (s = TAILQ_FIRST(&c->waiting); s && c->link; s = next) {
		next = TAILQ_NEXT(s, others);
		if (stream_submit((struct rpc_stream *)s, c->link, &e) < 0)
			stream_fail((struct rpc_stream *)s, &e);
	}
}

static void on_connect_deadline(void *data)
{
	struct rpc_channel *c = data;
	struct err e;

	err_set(&e, ERR_UNAVAILABLE, "not connected within %u ms (%s)", c->connect_ms,
		!c->link                                              ? "name lookup"
		: c->link->h2.transport.stage == TRANSPORT_CONNECTING ? "TCP"
		: c->link->h2.transport.stage == TRANSPORT_TLS        ? "TLS handshake"
		: c->link->h2.transport.stage == TRANSPORT_PROLOGUE   ? "exchange before HTTP/2"
								      : "HTTP/2 settings");
	channel_failed(c, &e);
}

static void on_tick(uv_timer_t *timer)
{
	struct rpc_channel *c = timer->data;
	uint64_t now = uv_now(c->hub.loop);
	struct link *link, *next;

	for (link = TAILQ_FIRST(&c->links); link; link = next) {
		next = TAILQ_NEXT(link, others);
		link_tick(link, now);
	}
	if (TAILQ_EMPTY(&c->links))
		uv_timer_stop(timer);
}

static unsigned tick_of(const struct rpc_limits *limits)
{
	unsigned tick = CHANNEL_TICK_MAX;

	tick = limits->ping_ms / 4 < tick ? limits->ping_ms / 4 : tick;
	tick = limits->ping_answer_ms / 4 < tick ? limits->ping_answer_ms / 4 : tick;
	tick = limits->idle_ms / 4 < tick ? limits->idle_ms / 4 : tick;
	return tick < CHANNEL_TICK_MIN ? CHANNEL_TICK_MIN : tick;
}

static void connect_anew(struct rpc_channel *c)
{
	unsigned tick = tick_of(&c->limits);
	struct err e;

	c->attempt = (struct rpc_attempt){ .failed = false };
	deadline_stop(TAKE_PTR(c->connect_deadline));
	c->connect_deadline = deadline_start(c->hub.loop, c->connect_ms, on_connect_deadline, c);
	if (!c->connect_deadline) {
		err_nomem(&e);
		channel_failed(c, &e);
		return;
	}
	uv_timer_start(&c->tick, on_tick, tick, tick);
	if (dial_start(c, &e) < 0)
		channel_failed(c, &e);
}

/* What is due and must not happen from within the caller's functions. */
static void on_poke(uv_timer_t *timer)
{
	struct rpc_channel *c = timer->data;
	struct h2_stream *s, *next;

	if (c->has_failed) {
		c->has_failed = false;
		for (s = TAILQ_FIRST(&c->waiting); s; s = next) {
			next = TAILQ_NEXT(s, others);
			stream_end((struct rpc_stream *)s, &c->why);
		}
	}
	end_all(c);
	if (c->is_freed)
		return;
	if (c->link && c->link->h2.transport.stage == TRANSPORT_OPEN) {
		submit_waiting(c);
		end_all(c);
	}
	if (!c->is_freed && !c->link && !c->dial && (c->wants_link || !TAILQ_EMPTY(&c->waiting)))
		connect_anew(c);
}

void channel_poke(struct rpc_channel *c)
{
	if (!c->is_freed)
		uv_timer_start(&c->poke, on_poke, 0, 0);
}

void channel_note_attempt(struct rpc_channel *c, const struct link *link)
{
	const struct transport *t = link ? &link->h2.transport : NULL;

	c->attempt = (struct rpc_attempt){ .failed = true };
	if (!t)
		return;
	c->attempt.contact = transport_contact(t);
	c->attempt.is_secured = t->tls && t->stage > TRANSPORT_TLS;
	c->attempt.is_prologue = t->stage == TRANSPORT_PROLOGUE;
}

/* No connection came about: whoever waits is told, from the loop. */
void channel_failed(struct rpc_channel *c, const struct err *why)
{
	struct link *link = c->link;
	struct err e = *why;

	err_wrap(&e, "%s", c->target);
	if (e.code == ERR_OK || e.code == ERR_INTERNAL)
		e.code = ERR_UNAVAILABLE;
	channel_note_attempt(c, link);
	c->link = NULL;
	if (c->dial)
		dial_free(TAKE_PTR(c->dial));
	deadline_stop(TAKE_PTR(c->connect_deadline));
	c->has_failed = true;
	c->failures++;
	c->wants_link = false;
	c->why = e;
	if (link)
		link_close(link, &e);
	channel_poke(c);
}

/* TLS and prologue are through: requests go out with the first SETTINGS. */
void channel_ready(struct rpc_channel *c, struct link *link)
{
	if (c->dial)
		dial_free(TAKE_PTR(c->dial));
	c->wants_link = false;
	if (c->link == link)
		submit_waiting(c);
	channel_poke(c);
}

int rpc_channel_new(uv_loop_t *loop, const struct rpc_channel_config *config,
		    struct rpc_channel **channel, struct err *e)
{
	struct rpc_channel *c;
	struct address address;

	if (parse_target(config->target, &address, e) < 0 || check_config(config, e) < 0)
		return err_code(e);
	c = calloc(1, sizeof(*c));
	if (!c)
		return err_nomem(e);
	c->limits = config->limits ? *config->limits : rpc_limits_default();
	c->address = address;
	c->target = strdup(config->target);
	c->callbacks = link_callbacks();
	c->option = h2_conn_options(&c->limits);
	if (!c->target || !c->callbacks || !c->option || transport_hub_init(&c->hub, loop, e) < 0) {
		channel_destroy(c);
		return err_nomem(e);
	}
	c->hub.freed = on_hub_freed;
	c->tls = rpc_tls_ref(config->tls);
	c->prologue = config->prologue;
	c->prologue_data = config->prologue_data;
	c->connect_ms = config->connect_ms ? config->connect_ms : CHANNEL_CONNECT_MS;
	TAILQ_INIT(&c->links);
	TAILQ_INIT(&c->waiting);
	TAILQ_INIT(&c->ended);
	uv_timer_init(loop, &c->tick);
	uv_timer_init(loop, &c->poke);
	c->tick.data = c->poke.data = c;
	c->handles = 2;
	/* A quiet connection, looked at now and then, is no reason to keep a loop running. */
	uv_unref((uv_handle_t *)&c->tick);
	*channel = c;
	return 0;
}

static void on_closed(uv_handle_t *handle)
{
	struct rpc_channel *c = handle->data;

	if (--c->handles == 0)
		transport_hub_release(&c->hub);
}

void rpc_channel_free(struct rpc_channel *c)
{
	struct link *link;
	struct h2_stream *s;
	struct err e;

	if (!c || c->is_freed)
		return;
	c->is_freed = true;
	err_set(&e, ERR_CANCELLED, "%s: the channel was closed", c->target);
	deadline_stop(TAKE_PTR(c->connect_deadline));
	if (c->dial)
		dial_free(TAKE_PTR(c->dial));
	while ((link = TAILQ_FIRST(&c->links)))
		link_close(link, &e);
	while ((s = TAILQ_FIRST(&c->waiting)))
		stream_end((struct rpc_stream *)s, &e);
	end_all(c);
	uv_close((uv_handle_t *)&c->tick, on_closed);
	uv_close((uv_handle_t *)&c->poke, on_closed);
}

const char *rpc_channel_target(const struct rpc_channel *c)
{
	return c->target;
}

uv_loop_t *rpc_channel_loop(const struct rpc_channel *c)
{
	return c->hub.loop;
}

void rpc_channel_connect_within(struct rpc_channel *c, unsigned ms)
{
	c->connect_ms = ms;
}

bool rpc_channel_is_ready(const struct rpc_channel *c)
{
	return c->link && c->link->h2.has_settings;
}

const struct rpc_attempt *rpc_channel_attempt(const struct rpc_channel *c)
{
	return &c->attempt;
}

static SSL *tls_of(const struct rpc_channel *c)
{
	return c->link && c->link->h2.transport.stage == TRANSPORT_OPEN ? c->link->h2.transport.tls
									: NULL;
}

int rpc_channel_exporter(const struct rpc_channel *c, const char *label, const void *context,
			 size_t context_len, uint8_t *out, size_t len, struct err *e)
{
	const struct tls_export x = { label, context, context_len, out, len };
	SSL *tls = tls_of(c);

	if (!tls)
		return err_set(e, ERR_PRECONDITION, "%s: %s", c->target,
			       c->tls ? "not connected" : "the connection has no TLS");
	return tls_conn_exporter(tls, &x, e);
}

struct rpc_prologue_run *rpc_channel_prologue(const struct rpc_channel *c)
{
	return c->link ? c->link->h2.transport.run : NULL;
}
