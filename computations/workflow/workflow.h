/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow.h — what happens to workflows: submitted, taken node by node, done, failed, cancelled, forgotten.
 *
 * What one member submits takes nothing from another: all limits are a member's in a workspace, and what gives way to a
 * new workflow is an ended one of the same member. Blocking, inside a transaction of the caller's.
 */
#pragma once

#include "computations/workflow/executor.h"
#include "computations/workflow/workflow_row.h"

enum {
	/* Of a member in a workspace. */
	WORKFLOWS_OPEN_MAX = 32,
	WORKFLOW_OPEN_NODES_MAX = 1024, /* of those, together */
	WORKFLOWS_ENDED_MAX = 64,       /* the oldest gives way */
	WORKFLOW_STORED_MAX = 64 << 20, /* bytes of sealed outputs that wait */

	WORKFLOW_LEASE_S = 60,
	WORKFLOW_GAP_S = 15,     /* without a sweep: the service was away */
	WORKFLOW_SWEEP_MAX = 16, /* workflows or nodes of one transaction */
};
#define WORKFLOW_OUTPUTS_MS \
	((int64_t)7 * 24 * 3600 * 1000)                   /* that results are kept behind the end */
#define WORKFLOW_KEPT_MS ((int64_t)90 * 24 * 3600 * 1000) /* and all that is known of it */

struct workflow_wish {
	int64_t workspace, person;
	const char *name;
	uint8_t fingerprint[KEY_FINGERPRINT_LEN]; /* of the key that signed */
	const struct workflow_order *order;       /* that was verified */
	const void *bytes;                        /* the same as workflows.Order */
	size_t len;
};

/* What the order itself says: ERR_UNIMPLEMENTED: of a CVM; ERR_PRECONDITION: it has ended; ERR_INVALID: it lasts too long, or
 * the name is none. Needs no database. */
int workflow_wish_check(const struct workflow_wish *wish, int64_t now, struct err *e) MUST_CHECK;
/* ERR_EXISTS; ERR_EXHAUSTED: the member has too many that have not ended. */
int workflow_submit(struct db *db, const struct workflow_wish *wish, int64_t now,
		    struct err *e) MUST_CHECK;

/* ERR_PRECONDITION: it has ended. `by`: a user's name. */
int workflow_cancel(struct db *db, const struct workflow_row *w, const char *by, int64_t now,
		    struct err *e) MUST_CHECK;

/* ---- for executors, whose secret was right ---- */

/* A node that is taken, and what its executor has to have. */
struct workflow_taken {
	struct workflow_row workflow;
	struct workflow_order order;
	uint8_t *bytes; /* workflows.Order */
	size_t len;
	struct node_rows *nodes;
	uint32_t number, lease_s, left_s;
};
void workflow_taken_done(struct workflow_taken *t);
#define CLEANUP_WORKFLOW_TAKEN __attribute__((cleanup(workflow_taken_done)))

/* 1: there is one, which it has already or is given now; 0: none. Members take turns by their numbers, behind the one whose
 * node it had last. A workflow that is damaged fails, and another one is looked for. */
int workflow_take(struct db *db, const struct executor *x, int64_t now, struct workflow_taken *t,
		  struct err *e) MUST_CHECK;

/* Which node, as an executor says it. */
struct workflow_claim {
	const char *id;
	uint32_t number, attempt;
};
/* ERR_NOT_FOUND; ERR_PRECONDITION: it is not that executor's any more. */
int workflow_renew(struct db *db, const struct executor *x, const struct workflow_claim *claim,
		   int64_t now, uint32_t *lease_s, uint32_t *left_s, struct err *e) MUST_CHECK;
/* The output of a dependency, malloc'ed, and who gave it. */
int workflow_input(struct db *db, const struct executor *x, const struct workflow_claim *claim,
		   uint32_t dependency, int64_t now, struct node_row *from, uint8_t **bytes,
		   size_t *len, struct err *e) MUST_CHECK;

/* How it went. */
struct workflow_report {
	const void *sealed; /* or */
	size_t len;
	const char *failure; /* "": none */
	bool is_final;
};
/* Fine when the same was said before. ERR_INVALID, ERR_EXHAUSTED: of the output, and the node is still taken. */
int workflow_finish(struct db *db, const struct executor *x, const struct workflow_claim *claim,
		    const struct workflow_report *report, int64_t now, struct err *e) MUST_CHECK;

/* ---- what time does ---- */

/* Nodes that it has are lost: tried again, or failed. */
int workflow_lose(struct db *db, int64_t executor, const char *why, int64_t now,
		  struct err *e) MUST_CHECK;
/* Leases and orders that have ended, results and workflows that are kept no longer: some of them. `*more`: there may be
 * others. `last`: when a sweep was kept last, 0: none since this service serves. In a gap no executor could renew what it
 * has: behind one leases begin anew. */
int workflow_sweep(struct db *db, int64_t last, int64_t now, bool *more, struct err *e) MUST_CHECK;
