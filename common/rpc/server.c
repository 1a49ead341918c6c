/* SPDX-License-Identifier: Apache-2.0 */
#include "common/rpc/server.h"

#include "common/base/log.h"
#include "common/rpc/call_state.h"
#include "common/rpc/conn.h"
#include "common/rpc/server_state.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static void on_hub_freed(struct transport_hub *hub)
{
	struct rpc_server *server = (struct rpc_server *)hub;

	nghttp2_session_callbacks_del(server->callbacks);
	nghttp2_option_del(server->option);
	room_done(&server->room);
	free(server);
}

static unsigned min_unsigned(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Often enough for the shortest of the times that are looked at. */
static unsigned tick_of(const struct rpc_limits *limits)
{
	const unsigned times[] = { limits->handshake_ms,  limits->prologue_ms, limits->preface_ms,
				   limits->headers_ms,    limits->body_ms,     limits->request_ms,
				   limits->stall_ms,      limits->idle_ms,     limits->ping_ms,
				   limits->ping_answer_ms };
	unsigned tick = SERVER_TICK_MAX;

	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		tick = min_unsigned(tick, times[i] / 4);
	return tick < SERVER_TICK_MIN ? SERVER_TICK_MIN : tick;
}

static void check_drained(struct rpc_server *server)
{
	if (!server->is_draining || server->conn_count > 0 || !server->drained)
		return;
	deadline_stop(TAKE_PTR(server->drain_deadline));
	TAKE_PTR(server->drained)(server->drained_data);
}

/* What many connections leave behind in the heap goes back to the kernel, those that have gone, and the handshakes of
 * those that came: glibc by itself gives back the end of the heap alone, and that is where somebody still is. */
static void trim(struct rpc_server *server, uint64_t now)
{
	if (server->moved < SERVER_TRIM_MOVED || now - server->trimmed_at < SERVER_TRIM_MS)
		return;
	server->moved = 0;
	server->trimmed_at = now;
	malloc_trim(0);
}

static void on_tick(uv_timer_t *timer)
{
	struct rpc_server *server = timer->data;
	uint64_t now = uv_now(server->hub.loop);
	struct rpc_conn *c, *next;

	/* A tick closes no connection but its own; handlers that free the server end this. */
	for (c = TAILQ_FIRST(&server->conns); c && !server->is_freed; c = next) {
		next = TAILQ_NEXT(c, others);
		conn_tick(c, now);
	}
	if (!server->is_freed)
		server_shed(server);
	if (server->is_freed)
		return;
	check_drained(server);
	trim(server, now);
	if (server->conn_count == 0 && server->moved < SERVER_TRIM_MOVED)
		uv_timer_stop(timer);
}

/* Connections never take the descriptors that the program's other work needs. */
static void mind_descriptors(struct rpc_limits *limits)
{
	struct rlimit files;
	unsigned most;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0 || files.rlim_cur == RLIM_INFINITY ||
	    files.rlim_cur / 4 * 3 > limits->connections_max)
		return;
	most = (unsigned)(files.rlim_cur / 4 * 3);
	limits->connections_max = most;
	limits->unready_max = min_unsigned(limits->unready_max, most / 2);
}

int rpc_server_new(uv_loop_t *loop, const struct rpc_limits *limits, struct rpc_server **server,
		   struct err *e)
{
	struct rpc_server *s = calloc(1, sizeof(*s));

	if (!s)
		return err_nomem(e);
	s->limits = limits ? *limits : rpc_limits_default();
	mind_descriptors(&s->limits);
	s->callbacks = conn_callbacks();
	s->option = h2_conn_options(&s->limits);
	if (!s->callbacks || !s->option || transport_hub_init(&s->hub, loop, e) < 0) {
		nghttp2_session_callbacks_del(s->callbacks);
		nghttp2_option_del(s->option);
		free(s);
		return err_nomem(e);
	}
	s->hub.freed = on_hub_freed;
	TAILQ_INIT(&s->listeners);
	TAILQ_INIT(&s->conns);
	room_init(&s->room);
	uv_timer_init(loop, &s->tick);
	s->tick.data = s;
	*server = s;
	return 0;
}

static int check_service(const struct rpc_server *server, const struct rpc_service *service,
			 struct err *e)
{
	size_t len = strlen(service->name);

	if (server->service_count >= SERVER_SERVICES_MAX)
		return err_set(e, ERR_EXHAUSTED, "more than %d services", SERVER_SERVICES_MAX);
	for (size_t i = 0; i < server->service_count; i++)
		if (strcmp(server->services[i].service->name, service->name) == 0)
			return err_set(e, ERR_EXISTS, "service %s is there already", service->name);
	for (size_t i = 0; i < service->count; i++) {
		const char *path = service->handlers[i].method.path;

		if (path[0] != '/' || strncmp(path + 1, service->name, len) != 0 ||
		    path[1 + len] != '/')
			return err_set(e, ERR_INVALID, "method %s is not of service %s", path,
				       service->name);
		for (size_t k = 0; k < i; k++)
			if (strcmp(service->handlers[k].method.path, path) == 0)
				return err_set(e, ERR_EXISTS, "method %s is there twice", path);
	}
	return 0;
}

int rpc_server_add(struct rpc_server *server, const struct rpc_service *service, void *data,
		   struct err *e)
{
	if (check_service(server, service, e) < 0)
		return err_code(e);
	server->services[server->service_count++] = (struct served){ service, data };
	return 0;
}

const struct rpc_handler *server_find(const struct rpc_server *server, const char *path,
				      void **data, bool *service_known)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash && path[0] == '/' && slash > path ? (size_t)(slash - path - 1) : 0;

	for (size_t i = 0; i < server->service_count; i++) {
		const struct rpc_service *service = server->services[i].service;

		if (strlen(service->name) != len || memcmp(service->name, path + 1, len) != 0)
			continue;
		*service_known = true;
		for (size_t k = 0; k < service->count; k++) {
			if (strcmp(service->handlers[k].method.path, path) == 0) {
				*data = server->services[i].data;
				return &service->handlers[k];
			}
		}
	}
	return NULL;
}

int rpc_server_listen(struct rpc_server *server, const struct rpc_listen *listen, unsigned *port,
		      struct err *e)
{
	if (listen->prologue && !listen->tls)
		return err_set(e, ERR_INVALID, "listen on %s: a prologue needs TLS",
			       listen->address);
	if (server->is_draining)
		return err_set(e, ERR_PRECONDITION, "listen on %s: the server is shutting down",
			       listen->address);
	return listener_open(server, listen, port, e);
}

static void unlisten(struct rpc_server *server)
{
	struct listener *l;

	while ((l = TAILQ_FIRST(&server->listeners)))
		listener_close(l);
}

int server_conn_opened(struct rpc_server *server, struct rpc_conn *c, struct err *e)
{
	unsigned tick = tick_of(&server->limits);

	if (room_enter(c, e) < 0)
		return err_code(e);
	TAILQ_INSERT_TAIL(&server->conns, c, others);
	server->moved++;
	if (server->conn_count++ == 0)
		uv_timer_start(&server->tick, on_tick, tick, tick);
	return 0;
}

void server_conn_closed(struct rpc_server *server, struct rpc_conn *c)
{
	room_leave(c);
	TAILQ_REMOVE(&server->conns, c, others);
	server->conn_count--;
	server->moved++;
	/* Not from here: who drained is told by the next tick, outside of anybody's callback. */
}

void server_shed(struct rpc_server *server)
{
	while (server->buffered > server->limits.buffered_max) {
		struct rpc_conn *c, *most = NULL;

		TAILQ_FOREACH(c, &server->conns, others)
			if (!most || c->weight > most->weight)
				most = c;
		if (!most || most->weight == 0)
			return;
		log_warn("%s holds %zu bytes, more than any other while memory is short: closed",
			 most->peer->name, most->weight);
		conn_close(most);
	}
}

static void on_drain_deadline(void *data)
{
	struct rpc_server *server = data;
	struct rpc_conn *c;

	while ((c = TAILQ_FIRST(&server->conns)))
		conn_end(c);
	check_drained(server);
}

void rpc_server_drain(struct rpc_server *server, unsigned ms, void (*done)(void *data), void *data)
{
	struct rpc_conn *c, *next;

	if (server->is_draining)
		return;
	server->is_draining = true;
	server->drained = done;
	server->drained_data = data;
	unlisten(server);
	for (c = TAILQ_FIRST(&server->conns); c; c = next) {
		next = TAILQ_NEXT(c, others);
		conn_drain(c);
	}
	server->drain_deadline = deadline_start(server->hub.loop, ms, on_drain_deadline, server);
	/* Also tells when there was nothing to do. */
	uv_timer_start(&server->tick, on_tick, 1, SERVER_TICK_MIN);
	if (!server->drain_deadline)
		on_drain_deadline(server);
}

void rpc_server_end_calls(struct rpc_server *server, const struct err *why)
{
	struct rpc_conn *c, *next_conn;
	struct h2_stream *s, *next;

	for (c = TAILQ_FIRST(&server->conns); c; c = next_conn) {
		next_conn = TAILQ_NEXT(c, others);
		for (s = TAILQ_FIRST(&c->h2.streams); s; s = next) {
			next = TAILQ_NEXT(s, others);
			call_cut((struct rpc_call *)s, why);
		}
	}
}

static void on_tick_closed(uv_handle_t *handle)
{
	struct rpc_server *server = handle->data;

	transport_hub_release(&server->hub);
}

void rpc_server_free(struct rpc_server *server)
{
	struct rpc_conn *c;

	if (!server || server->is_freed)
		return;
	server->is_freed = true;
	server->drained = NULL;
	deadline_stop(TAKE_PTR(server->drain_deadline));
	unlisten(server);
	while ((c = TAILQ_FIRST(&server->conns)))
		conn_end(c);
	uv_close((uv_handle_t *)&server->tick, on_tick_closed);
}
