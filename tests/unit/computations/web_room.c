/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/computations/web_room.h"

#include "common/base/cleanup.h"
#include "common/http/request_state.h"
#include "common/rpc/server.h"
#include "computations/core/judge_line.h"
#include "computations/core/password_line.h"

#include <stdlib.h>
#include <string.h>

static struct web_room *here; /* a request knows nothing of a room */

struct db *web_room_db(struct web_room *w)
{
	return &w->room->store.db;
}

int64_t web_room_number(struct web_room *w, const char *sql)
{
	int64_t got;

	assert_ok(db_number(web_room_db(w), &got, &w->room->e, sql, ""), w->room->e);
	return got;
}

int web_room_open(struct web_room *w, const struct rpc_service *calls)
{
	struct store_queue *queue;
	struct err *e;
	void *room;

	if (store_room_enter(&room) < 0)
		return -1;
	*w = (struct web_room){ .room = room };
	e = &w->room->e;
	uv_loop_init(&w->loop);
	assert_ok(store_queue_new(&w->loop, &w->room->store, &queue, e), *e);
	service_init(&w->service, &w->loop, queue, 4);
	assert_ok(judge_line_new(&w->loop, &w->service.judges, e), *e);
	assert_ok(password_line_new(&w->loop, &w->service.passwords, e), *e);
	assert_ok(rpc_server_new(&w->loop, NULL, &w->server, e), *e);
	assert_ok(rpc_server_add(w->server, calls, &w->service, e), *e);
	w->service.admins = w->server;
	w->service.web = &w->web;
	w->web.service = &w->service;
	web_set_rows(&w->web);
	for (size_t i = 0; i < web_routes_count; i++)
		w->web.rows[i].may = http_anybody;
	here = w;
	return 0;
}

int web_room_close(struct web_room *w)
{
	void *room = w->room;

	rpc_server_free(w->server);
	uv_run(&w->loop, UV_RUN_DEFAULT);
	password_line_free(w->service.passwords);
	judge_line_free(w->service.judges);
	store_queue_free(w->service.queue);
	assert_int_equal(uv_loop_close(&w->loop), 0);
	free(w->said);
	here = NULL;
	return store_room_leave(&room);
}

/* ---- a request ---- */

static const char *header(const struct http_request *r, const char *name, size_t n)
{
	(void)r;
	return n                                     ? NULL
	       : strcmp(name, "host") == 0           ? "localhost"
	       : strcmp(name, "sec-fetch-site") == 0 ? "same-origin"
	       : strcmp(name, "cookie") == 0         ? here->cookie
						     : NULL;
}

static void answer(struct http_request *r, const struct rpc_web_reply *reply)
{
	(void)r;
	assert_int_equal(here->status, 0);
	here->status = (unsigned)strtoul(reply->status, NULL, 10);
	here->said = strndup(reply->body ? (const char *)reply->body : "", reply->len);
	free(reply->body);
}

static void freed(struct http_request *r)
{
	free(r);
}

void web_room_ask(struct web_room *w, const struct rpc_web_request *q, const char *body,
		  bool is_root)
{
	static const struct http_carrier carrier = { .header = header,
						     .answer = answer,
						     .freed = freed };
	struct http_request *r = calloc(1, sizeof(*r));
	size_t most;

	assert_non_null(r);
	http_request_init(r, &carrier, &w->web.routes);
	r->peer = "test";
	r->identity.has_uid = is_root;
	r->is_tls = !is_root;
	free(TAKE_PTR(w->said));
	w->status = 0;
	assert_true(http_request_begin(r, q, &most) && strlen(body) <= most);
	http_request_run(r, (uint8_t *)strdup(body), strlen(body));
	uv_run(&w->loop, UV_RUN_DEFAULT);
	http_stream_over(r);
	http_request_unref(r);
}
