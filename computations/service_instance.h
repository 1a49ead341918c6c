/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_instance.h — one of several instances stands by until it may serve (store_lease.h). Meanwhile nobody can call it: it
 * listens for nobody but those who ask for metrics and /readyz.
 */
#pragma once

#include "computations/core/config.h"
#include "computations/core/service_metrics.h"
#include "computations/store/store.h"
#include "computations/store/store_standby.h"

#include <uv.h>

struct instance;

/* All are borrowed; `metric` is kept up. */
struct instance_place {
	uv_loop_t *loop;
	const struct config *config;
	const struct store_limits *limits;
	struct instance_metric *metric;
};

/* Looks while the loop runs, until `*store` is open or a look fails for good; then calls over(data), and leaves nothing on the
 * loop that this waits for. instance_done() says what came of it. Fails only if memory runs out. */
int instance_stand_by(const struct instance_place *place, struct store *store,
		      void (*over)(void *data), void *data, struct instance **instance,
		      struct err *e) MUST_CHECK;
/* The store is not opened any more; over(data) follows. */
void instance_stop(struct instance *instance);
/* Behind over(), when the loop has run out; frees it. `*serves`: the store is open. */
int instance_done(struct instance *instance, bool *serves, struct err *e) MUST_CHECK;

/* For --check: what standing by would find, in words. ERR_PRECONDITION as store_standby_look(). `*is_ours`: who serves has
 * this one's name and address. */
int instance_look(const struct config *config, char *words, size_t room, bool *is_ours,
		  struct err *e) MUST_CHECK;
