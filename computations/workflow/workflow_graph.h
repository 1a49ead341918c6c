/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow_graph.h — how a workflow goes on when one of its nodes has ended. For workflow.h.
 */
#pragma once

#include "computations/workflow/workflow_row.h"

/* Nodes become ready, or can't run any more; outputs that nobody waits for go; the workflow ends with its last node. */
int workflow_go_on(struct db *db, int64_t number, const struct workflow_order *order, int64_t now,
		   struct err *e) MUST_CHECK;

/* An attempt is over without an output: the node is ready again, or has failed. */
int workflow_attempt_failed(struct db *db, int64_t number, const struct node_row *n,
			    const char *failure, bool is_final, int64_t now,
			    struct err *e) MUST_CHECK;

/* All of it ends at once; its outputs go. */
int workflow_end(struct db *db, int64_t number, enum workflow_state state, const char *reason,
		 int64_t now, struct err *e) MUST_CHECK;
/* One that can't be read, as `e` says with ERR_DATA_LOSS: it has failed, and the log names it. */
int workflow_damaged(struct db *db, int64_t number, int64_t now, struct err *e) MUST_CHECK;
