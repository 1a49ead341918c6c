/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_relay.h — how several instances are reached as one: what the settings say of an instance's doors, and whose they are
 * while it serves (relay_front.h, relay_inner.h).
 */
#pragma once

#include "common/relay/relay_front.h"
#include "common/relay/relay_inner.h"
#include "common/rpc/server.h"
#include "computations/core/config.h"
#include "computations/store/store.h"

/* For an instance that stands by: all its doors are open, and nobody serves yet. `*front` is NULL without
 * COMPUTATIONS_INSTANCE_ADDRESS; also after a failure it has to be closed. */
int service_front_open(uv_loop_t *loop, const struct config *config, struct relay_front **front,
		       struct err *e) MUST_CHECK;

/* Who takes what comes in at each door. Zeroed: nobody. */
struct service_doors {
	struct {
		struct rpc_server *server; /* NULL: there is no such door here */
		struct rpc_tls *tls;       /* held; NULL: plaintext */
	} rows[RELAY_DOORS];
};
void service_doors_set(struct service_doors *doors, enum relay_door door, struct rpc_server *server,
		       struct rpc_tls *tls);
/* Before the servers are freed. */
void service_doors_done(struct service_doors *doors);

/* For an instance that serves by that lease; `*inner` as `*front` above. `doors` are lent until it is closed. */
int service_inner_open(uv_loop_t *loop, const struct config *config,
		       const struct store_lease *lease, struct service_doors *doors,
		       struct relay_inner **inner, struct err *e) MUST_CHECK;
