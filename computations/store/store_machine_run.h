/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_machine_run.h — CVMs that are made for one run of a computation, and removed behind it.
 *
 * Such a row names the computation by its number and the attempt, so that neither a retry nor another computation of that
 * id is taken for the run. There is one at a time for each run, it takes nothing else, and what becomes of it is read off
 * these rows alone: a service that was killed goes on where it was.
 */
#pragma once

#include "computations/store/store_machine.h"

/* How long results wait in it for those who fetch them, before it is removed with what is left of them. */
#define MACHINE_KEEP_MIN_MS     (INT64_C(60) * 1000)
#define MACHINE_KEEP_DEFAULT_MS (INT64_C(3600) * 1000)
#define MACHINE_KEEP_MAX_MS     (INT64_C(7) * 24 * 3600 * 1000)
/* And how long it stays behind the last result: for what is on its way, and for providers' receipts. */
#define MACHINE_LINGER_MS (INT64_C(60) * 1000)
/* How long a computation waits for its CVM, from when it was asked for, before it fails. */
enum { MACHINE_RUN_WAIT_MIN = 30 };
#define MACHINE_RUN_WAIT_MS ((int64_t)MACHINE_RUN_WAIT_MIN * 60 * 1000)

/* As store_machine_add(), for the next run of that computation, which no CVM has: ERR_PRECONDITION otherwise. `wish->keep_ms`
 * is between its limits. */
int store_machine_run_add(struct store *store, const char *computation, struct machine *wish,
			  const struct machine_quota *quota, int64_t *number,
			  struct err *e) MUST_CHECK;
/* ERR_PRECONDITION: a CVM is being made for its run. */
int store_machine_run_check(struct store *store, const char *computation, struct err *e) MUST_CHECK;

/* `*made`: not 0 if that CVM is or was made for a run. */
int store_machine_is_of_run(struct store *store, const char *cvm_id, int64_t *made,
			    struct err *e) MUST_CHECK;

/* What has to be done about a CVM that is made for a run. */
enum machine_turn {
	MACHINE_TURN_NONE,
	MACHINE_TURN_GIVEN, /* the computation is given to its agent now: tell it */
	MACHINE_TURN_LEFT,  /* it is to be removed now, as store_machine_leave() has it */
};
struct machine_agent {
	bool is_connected;
	bool must_verify; /* the service has a policy for agents */
};
/* Does it in the rows: gives the computation to its agent, under the conditions of any other CVM; has it removed when the
 * run is over, its results were kept for long enough, or it took too long, which fails the computation. `*computation` (the
 * caller's): the one that has changed, or NULL. */
int store_machine_turn(struct store *store, int64_t number, const struct machine_agent *agent,
		       enum machine_turn *turn, char **computation, struct err *e) MUST_CHECK;
