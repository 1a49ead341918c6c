/* SPDX-License-Identifier: Apache-2.0 */
/*
 * workflow_row.h — workflows and their nodes as the database has them.
 *
 * Blocking, inside a transaction of the caller's.
 */
#pragma once

#include "common/db/db.h"
#include "common/workflow/workflow_message.h"
#include "common/workflow/workflow_output.h"

enum workflow_state {
	WORKFLOW_RUNNING,
	WORKFLOW_COMPLETED,
	WORKFLOW_FAILED,
	WORKFLOW_CANCELLED,
	WORKFLOW_STATES
};
const char *workflow_state_name(enum workflow_state state);

enum node_state {
	NODE_WAITING,
	NODE_READY,
	NODE_TAKEN,
	NODE_DONE,
	NODE_FAILED,
	NODE_CANCELLED,
	NODE_STATES
};
const char *node_state_name(enum node_state state);

enum {
	WORKFLOW_TITLE_MAX = 128,
	WORKFLOW_FAILURE_MAX = 512,
	WORKFLOW_ORDER_MAX = WORKFLOW_SPEC_MAX + (128 << 10), /* as it is kept */
	WORKFLOW_PAGE_MAX = 64,
};

struct workflow_row {
	int64_t number, workspace, person; /* person 0: a user who was removed */
	char id[WORKFLOW_ID_TEXT_LEN + 1];
	char *workspace_name, *submitter, *name, *reason;
	uint8_t fingerprint[KEY_FINGERPRINT_LEN];
	uint32_t nodes, done;
	enum workflow_state state;
	int64_t created, ended, expires; /* ms since 1970; ended 0: not yet */
};
void workflow_row_done(struct workflow_row *w);
#define CLEANUP_WORKFLOW_ROW __attribute__((cleanup(workflow_row_done)))

struct node_row {
	uint32_t number, seconds, attempts, attempt;
	enum node_state state;
	int64_t executor; /* 0: nobody yet */
	bool has_key, has_digest;
	uint8_t key[HPKE_KEY_LEN], digest[SHA3_256_LEN];
	char *user, *failure;
	int64_t taken, lease, ended, size;
};
void node_row_done(struct node_row *n);

/* All nodes of a workflow. */
struct node_rows {
	struct node_row rows[WORKFLOW_NODES_MAX];
	size_t count;
};
void node_rows_free(struct node_rows *nodes);
DEFINE_CLEANUP(struct node_rows *, node_rows_free)

/* ERR_NOT_FOUND. */
int workflow_find(struct db *db, const char *id, struct workflow_row *w, struct err *e) MUST_CHECK;
/* In the words of workflow_find(). */
int workflow_unknown(const char *id, struct err *e);
/* Of a workspace, newest first, behind that number (INT64_MAX: from the first). */
int workflow_list(struct db *db, int64_t workspace, int64_t after,
		  struct workflow_row rows[WORKFLOW_PAGE_MAX], size_t *count,
		  struct err *e) MUST_CHECK;
/* Malloc'ed: workflows.Order. */
int workflow_order_bytes(struct db *db, int64_t number, uint8_t **bytes, size_t *len,
			 struct err *e) MUST_CHECK;
/* The same, read again. ERR_DATA_LOSS: it is damaged. */
int workflow_order_load(struct db *db, int64_t number, struct workflow_order *order,
			struct err *e) MUST_CHECK;
int workflow_nodes(struct db *db, int64_t number, struct node_rows **nodes,
		   struct err *e) MUST_CHECK;
/* ERR_NOT_FOUND. */
int workflow_node(struct db *db, int64_t number, int64_t node, struct node_row *n,
		  struct err *e) MUST_CHECK;

/* Malloc'ed; ERR_PRECONDITION: it has none (any more). */
int workflow_output(struct db *db, int64_t number, uint32_t node, uint8_t **bytes, size_t *len,
		    struct err *e) MUST_CHECK;
