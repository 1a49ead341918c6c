/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_front.h — one of the two fronts of the service: agents, administrators. A server with the services that these call,
 * their health and reflection.
 */
#pragma once

#include "common/rpc/health.h"
#include "common/rpc/reflection.h"
#include "common/rpc/server.h"

struct service;

struct service_front {
	struct rpc_server *server; /* NULL: freed */
	struct rpc_health *health;
	struct rpc_reflection *reflection;
};

/* On failure what was made so far is in `f`: service_front_free() and service_front_done() are called all the same. */
int service_front_new(struct service_front *f, uv_loop_t *loop, const struct rpc_limits *limits,
		      const struct rpc_service *const rpcs[], size_t count, struct service *service,
		      struct err *e) MUST_CHECK;

/* `who` is for the log. `host` may be an IPv6 address with or without brackets; port 0: any. `tls` NULL: plaintext. */
int service_front_listen(const struct service_front *f, const char *who, const char *host,
			 uint16_t port, struct rpc_tls *tls, bool mutual, struct err *e) MUST_CHECK;

/* What its health says of the whole and of each service, from now on; watchers are told. */
void service_front_serves(const struct service_front *f, const struct rpc_service *const rpcs[],
			  size_t count, bool serves);

/* No new calls; those that are open end. */
void service_front_free(struct service_front *f);

/* When the loop has nothing to do any more. */
void service_front_done(struct service_front *f);
