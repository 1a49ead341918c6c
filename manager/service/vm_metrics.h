/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vm_metrics.h — what MANAGER_METRICS tells: calls, CVMs by state and TEE, how CVMs ended, capacity, image,
 * certificates, the process.
 */
#pragma once

#include "common/access/access.h"
#include "common/metrics/call_metrics.h"
#include "common/metrics/metrics_server.h"
#include "common/metrics/process_metrics.h"
#include "common/metrics/revocation_metrics.h"
#include "manager/fleet/fleet.h"
#include "manager/settings/config.h"

struct vm_metrics {
	const struct config *config;
	const struct fleet *fleet;
	struct lifecycle *lifecycle;
	const struct access *access;
	struct revocation *revocation; /* may be NULL */
	struct call_metrics *calls;
	struct metrics_server *server;
	struct certificate_metric certificates[3];
	char image[IMAGE_NAME_MAX]; /* as it was when it could last be asked for */
};

/* Zeroed before. Nothing if no setting asks for it; `tls` is that of calls over TCP. All are borrowed. */
int vm_metrics_open(struct vm_metrics *m, uv_loop_t *loop, const struct fleet *fleet,
		    struct rpc_tls *tls, struct err *e) MUST_CHECK;
/* Then the loop has to run until its handles are closed. */
void vm_metrics_close(struct vm_metrics *m);
void vm_metrics_done(struct vm_metrics *m);
