/* SPDX-License-Identifier: Apache-2.0 */
/*
 * service_metrics.h — what COMPUTATIONS_METRICS tells: calls, agents that are connected, limits, certificates,
 * the process.
 */
#pragma once

#include "common/metrics/call_metrics.h"
#include "common/metrics/metrics_server.h"
#include "common/metrics/process_metrics.h"
#include "common/metrics/revocation_metrics.h"
#include "common/relay/relay_front.h"
#include "common/relay/relay_inner.h"
#include "computations/core/config.h"
#include "computations/core/database_watch.h"
#include "computations/core/service.h"

/* Which of several instances this one is; zeroed: the only one. */
struct instance_metric {
	bool is_standby;
	uint64_t takeovers; /* from an instance that did not give its lease back */
	const char *waits;  /* for what, where it stands by */
	/* Borrowed; NULL: nobody is passed on by it, or to it. */
	const struct relay_front *front;
	const struct relay_inner *inner;
};

struct service_metrics {
	const struct config *config;
	const struct instance_metric *instance;
	const struct service *service;
	const struct database_watch *database; /* may be NULL; set after it is opened */
	const struct rpc_service *const
		*rpcs; /* whose calls are counted; set before it is opened */
	size_t rpc_count;
	struct revocation *revocations[2]; /* of listeners; may be NULL */
	struct call_metrics *calls;
	struct metrics_server *server;
	struct certificate_metric certificates[4];
};

/* Zeroed before, besides `rpcs`. Nothing if no setting asks for it; `tls` is the administrators'. All are borrowed. */
int service_metrics_open(struct service_metrics *m, const struct config *config,
			 const struct instance_metric *instance, const struct service *service,
			 struct rpc_tls *tls, struct err *e) MUST_CHECK;
/* What an instance that stands by tells: that it does, and the process. Nothing if no setting asks for it, or others than
 * this machine reach the address: whom it is for is checked by lists that only who serves has. Ended as the other. */
int service_metrics_stand_by(struct service_metrics *m, const struct config *config,
			     const struct instance_metric *instance, uv_loop_t *loop,
			     struct err *e) MUST_CHECK;
/* Then the loop has to run until its handles are closed. */
void service_metrics_close(struct service_metrics *m);
void service_metrics_done(struct service_metrics *m);
