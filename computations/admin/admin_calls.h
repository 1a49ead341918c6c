/* SPDX-License-Identifier: Apache-2.0 */
/*
 * admin_calls.h — what becomes of every administrator's call besides its answer: the audit log, counting.
 */
#pragma once

#include "common/audit/call_audit.h"
#include "common/metrics/call_metrics.h"
#include "computations/core/config.h"
#include "computations/core/known_hash.h"

struct store_queue;

enum { ADMIN_CALLS_LOGIN_SETS = 256, ADMIN_CALLS_LOGIN_WAYS = 4 }; /* keyed_rate.h */

struct admin_calls {
	struct call_audit audit;
	struct call_metrics *metrics; /* may be NULL; borrowed */
	bool sign_in;
	struct known_hashes known; /* whose calls are no strangers' */
	struct keyed_rate *logins; /* that strangers begin */
	struct call_rate *rate;    /* of each user */
};

/* Its data is a struct admin_calls. */
extern const struct rpc_observer admin_calls_observer;

/* The administrators' methods: which of them change something, and where they say what they are about. */
extern const struct call_audit_method admin_calls_methods[];
extern const size_t admin_calls_methods_count;

int admin_calls_open(struct admin_calls *calls, const struct config *config,
		     struct err *e) MUST_CHECK;
/* Refusals become rows of the audit log, too, from now on, and whose tokens and sessions there are is no stranger's call;
 * and no more, when there is no queue any longer. */
void admin_calls_keep(struct admin_calls *calls, struct store_queue *queue);
void admin_calls_keep_no_more(struct admin_calls *calls);
void admin_calls_close(struct admin_calls *calls);
