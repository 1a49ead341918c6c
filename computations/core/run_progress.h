/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run_progress.h — how far uploads are and what the run uses, as an agent tells it (proto/cvms.proto, Progress).
 *
 * Of each agent the newest alone is here, in memory, and goes with its stream: it is of the moment, and nobody signs it.
 * What counts is in the journal. All of it on the loop thread.
 */
#pragma once

#include "computations/core/service.h"
#include "cvms.pb-c.h"

#define RUN_PROGRESS_MAX \
	(UINT64_C(1) << 50) /* bytes, MiB or seconds: more is no measure of anything */

struct computation;
struct run_progress;

/* One that this agent may follow `before` with, which may be NULL. ERR_INVALID: more, or other, than an agent can mean;
 * within an attempt peak and processor never fall. */
int run_progress_check(const Cvms__Progress *said, const Cvms__Progress *before,
		       struct err *e) MUST_CHECK;

/* Of a session. ERR_INVALID, also for a computation that it was never given: it is not taken, and the one before stays. */
int run_progress_take(struct session *s, const Cvms__Progress *said, struct err *e) MUST_CHECK;
/* The session is over. */
void run_progress_end(struct session *s);

/* Whether any agent tells of a computation of that id. */
bool run_progress_is_told(const struct service *service, const char *computation_id);
/* As the CVM that the computation was given to tells of this attempt at it, while that is neither ended nor stopped; NULL.
 * `*number`, if not NULL: another for each. Lent until the loop goes on. */
const Cvms__Progress *run_progress_of(struct service *service, const struct computation *c,
				      uint64_t *number);
