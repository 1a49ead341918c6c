/* SPDX-License-Identifier: Apache-2.0 */
/*
 * web_room.h — a service's page without a connection, over a store of its own: a request goes in, its answer is kept.
 */
#pragma once

#include "computations/core/service.h"
#include "computations/web/web_work.h"
#include "tests/unit/computations/store_room.h"

struct web_room {
	struct store_room *room;
	uv_loop_t loop;
	struct service service;
	struct web web;
	struct rpc_server *server;
	const char *cookie; /* the browser's; NULL: none */
	unsigned status;    /* of the answer */
	char *said;
};

/* One room at a time. `calls`: those that the page's buttons ask. -1: there is no store. */
int web_room_open(struct web_room *w, const struct rpc_service *calls) MUST_CHECK;
/* What store_room_leave() says. */
int web_room_close(struct web_room *w) MUST_CHECK;

/* One that a browser of this machine sends, by TLS, or (`is_root`) who administers the service, on its socket. Back with the
 * answer. */
void web_room_ask(struct web_room *w, const struct rpc_web_request *q, const char *body,
		  bool is_root);

struct db *web_room_db(struct web_room *w);
/* What a statement without values gives. */
int64_t web_room_number(struct web_room *w, const char *sql);
