/* SPDX-License-Identifier: Apache-2.0 */
/*
 * machine_change.h — a change of one CVM's row: in the pool, and what is said of it afterwards. For this folder only.
 */
#pragma once

#include "computations/core/service.h"
#include "computations/machines/machine_said.h"
#include "computations/store/store_machine_run.h"
#include "computations/store/store_usage.h"
#include "computations/store/usage_limit.h"

struct machine_task;

struct machine_change {
	struct machine_task *task; /* whose it is, for machine_task.c */
	struct service *service;
	int64_t number; /* the task's row may be replaced meanwhile */
	enum machine_change_kind {
		MACHINE_CHANGE_MADE,
		MACHINE_CHANGE_NOTE,
		MACHINE_CHANGE_RAN,
		MACHINE_CHANGE_GONE,
		MACHINE_CHANGE_MOVED, /* to the manager that `text` names */
		MACHINE_CHANGE_TURN   /* of one that is made for a run */
	} kind;
	enum machine_phase phase;
	char id[MACHINE_ID_LEN + 1], address[REACH_MAX];
	char text[ERR_TEXT_MAX];
	struct usage_seen seen;          /* of one that ran, or did until it was gone */
	struct machine_quota quota;      /* of the workspace of one that runs, */
	const struct usage_plans *plans; /* and the plan of who pays is one of these */
	struct machine_agent agent;
	enum machine_turn turn;
	struct machine row; /* afterwards */
	char *computation;  /* that has failed by it, or was given to its agent */
};

/* In the pool; `data` is the change. */
int machine_change_run(struct store *store, void *data, struct err *e) MUST_CHECK;
/* It is on disk: to the log, to the agent that is given a computation, and to who follows one. */
void machine_change_say(const struct machine_change *c);
