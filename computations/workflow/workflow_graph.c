/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/workflow/workflow_graph.h"

#include "common/base/log.h"

#include <stdio.h>
#include <string.h>

static bool has_ended(enum node_state state)
{
	return state == NODE_DONE || state == NODE_FAILED || state == NODE_CANCELLED;
}

/* ---- one that waited ---- */

/* Of its dependencies: the first that will not be done, or NODES_MAX; and whether all are done. */
static size_t look_at_dependencies(const struct workflow_node *node, const struct node_rows *nodes,
				   bool *all_done)
{
	*all_done = true;
	for (size_t i = 0; i < node->dependencies_count; i++) {
		const uint16_t on = node->dependencies[i];
		const enum node_state state = nodes->rows[on].state;

		if (state == NODE_FAILED || state == NODE_CANCELLED)
			return on;
		if (state != NODE_DONE)
			*all_done = false;
	}
	return WORKFLOW_NODES_MAX;
}

static int cancel_node(struct db *db, int64_t number, struct node_row *n, const char *on,
		       int64_t now, struct err *e)
{
	char why[WORKFLOW_FAILURE_MAX];

	snprintf(why, sizeof(why), "it waited for node %s, which gave nothing", on);
	n->state = NODE_CANCELLED;
	if (db_run(db, e,
		   "UPDATE workflow_nodes SET state = ?, ended = ?, failure = ?"
		   " WHERE workflow = ? AND number = ?",
		   "iitii", (int64_t)NODE_CANCELLED, now, why, number, (int64_t)n->number) < 0)
		return err_code(e);
	return db_run(db, e, "DELETE FROM workflow_keys WHERE workflow = ? AND node = ?", "ii",
		      number, (int64_t)n->number);
}

static int make_ready(struct db *db, int64_t number, struct node_row *n, struct err *e)
{
	n->state = NODE_READY;
	return db_run(db, e,
		      "UPDATE workflow_nodes SET state = ? WHERE workflow = ? AND number = ?",
		      "iii", (int64_t)NODE_READY, number, (int64_t)n->number);
}

/* 1: something has changed. */
static int move_node(struct db *db, int64_t number, const struct workflow_order *order,
		     struct node_rows *nodes, size_t at, int64_t now, struct err *e)
{
	const struct workflow_node *spec = &order->spec.nodes[at];
	struct node_row *n = &nodes->rows[at];
	bool all_done;
	size_t lost;

	if (n->state != NODE_WAITING)
		return 0;
	lost = look_at_dependencies(spec, nodes, &all_done);
	if (lost < WORKFLOW_NODES_MAX)
		return cancel_node(db, number, n, order->spec.nodes[lost].name, now, e) < 0
			       ? err_code(e)
			       : 1;
	if (all_done)
		return make_ready(db, number, n, e) < 0 ? err_code(e) : 1;
	return 0;
}

static int move_all(struct db *db, int64_t number, const struct workflow_order *order,
		    struct node_rows *nodes, int64_t now, struct err *e)
{
	int changed;

	do {
		changed = 0;
		for (size_t i = 0; i < nodes->count; i++) {
			int moved = move_node(db, number, order, nodes, i, now, e);

			if (moved < 0)
				return moved;
			changed |= moved;
		}
	} while (changed);
	return 0;
}

/* ---- outputs ---- */

static bool is_waited_for(const struct workflow_order *order, const struct node_rows *nodes,
			  size_t at)
{
	for (size_t i = 0; i < nodes->count; i++) {
		const struct workflow_node *spec = &order->spec.nodes[i];

		if (has_ended(nodes->rows[i].state))
			continue;
		for (size_t k = 0; k < spec->dependencies_count; k++)
			if (spec->dependencies[k] == at)
				return true;
	}
	return false;
}

static int wipe(struct db *db, int64_t number, size_t node, struct err *e)
{
	if (db_run(db, e, "DELETE FROM workflow_outputs WHERE workflow = ? AND node = ?", "ii",
		   number, (int64_t)node) < 0)
		return err_code(e);
	return db_run(db, e, "UPDATE workflow_nodes SET size = 0 WHERE workflow = ? AND number = ?",
		      "ii", number, (int64_t)node);
}

static int wipe_unused(struct db *db, int64_t number, const struct workflow_order *order,
		       const struct node_rows *nodes, struct err *e)
{
	for (size_t i = 0; i < nodes->count; i++)
		if (nodes->rows[i].size && !order->spec.nodes[i].is_end &&
		    !is_waited_for(order, nodes, i) && wipe(db, number, i, e) < 0)
			return err_code(e);
	return 0;
}

/* ---- the whole ---- */

static int set_end(struct db *db, int64_t number, enum workflow_state state, const char *reason,
		   int64_t now, struct err *e)
{
	return db_run(db, e,
		      "UPDATE workflows SET state = ?, reason = ?, ended = ? WHERE number = ?",
		      "itii", (int64_t)state, reason, now, number);
}

static int end_if_all_have(struct db *db, int64_t number, const struct workflow_order *order,
			   const struct node_rows *nodes, int64_t now, struct err *e)
{
	char reason[WORKFLOW_FAILURE_MAX + WORKFLOW_NAME_MAX + 16] = "";

	for (size_t i = 0; i < nodes->count; i++) {
		const struct node_row *n = &nodes->rows[i];

		if (!has_ended(n->state))
			return 0;
		if (n->state == NODE_FAILED && !*reason)
			snprintf(reason, sizeof(reason), "node %s: %s", order->spec.nodes[i].name,
				 n->failure);
	}
	return set_end(db, number, *reason ? WORKFLOW_FAILED : WORKFLOW_COMPLETED, reason, now, e);
}

int workflow_go_on(struct db *db, int64_t number, const struct workflow_order *order, int64_t now,
		   struct err *e)
{
	CLEANUP(node_rows_free) struct node_rows *nodes = NULL;

	if (workflow_nodes(db, number, &nodes, e) < 0)
		return err_code(e);
	if (nodes->count != order->spec.count)
		return err_set(e, ERR_DATA_LOSS, "database: a workflow lacks nodes");
	if (move_all(db, number, order, nodes, now, e) < 0 ||
	    wipe_unused(db, number, order, nodes, e) < 0)
		return err_code(e);
	return end_if_all_have(db, number, order, nodes, now, e);
}

int workflow_end(struct db *db, int64_t number, enum workflow_state state, const char *reason,
		 int64_t now, struct err *e)
{
	if (db_run(db, e, "DELETE FROM workflow_keys WHERE workflow = ?", "i", number) < 0 ||
	    db_run(db, e, "DELETE FROM workflow_outputs WHERE workflow = ?", "i", number) < 0 ||
	    db_run(db, e, "UPDATE workflow_nodes SET size = 0 WHERE workflow = ?", "i", number) <
		    0 ||
	    db_run(db, e,
		   "UPDATE workflow_nodes SET state = ?, ended = ?, failure = ?"
		   " WHERE workflow = ? AND state < ?",
		   "iitii", (int64_t)NODE_CANCELLED, now, reason, number, (int64_t)NODE_DONE) < 0)
		return err_code(e);
	return set_end(db, number, state, reason, now, e);
}

int workflow_damaged(struct db *db, int64_t number, int64_t now, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *id = NULL;
	const struct err why = *e;
	struct err none;
	int row;

	if (db_query(db, &rows, e, "SELECT id FROM workflows WHERE number = ?", "i", number) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (!row || db_text(rows, 0, &id, &none) < 0)
		id = NULL;
	log_error("workflow %s (number %lld) is damaged and has failed: %s",
		  id ? log_quote(id).text : "without an id", (long long)number, why.text);
	return workflow_end(db, number, WORKFLOW_FAILED, "what the service keeps of it is damaged",
			    now, e);
}

int workflow_attempt_failed(struct db *db, int64_t number, const struct node_row *n,
			    const char *failure, bool is_final, int64_t now, struct err *e)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };

	if (!is_final && n->attempt < n->attempts)
		return db_run(db, e,
			      "UPDATE workflow_nodes SET state = ?, failure = ?"
			      " WHERE workflow = ? AND number = ?",
			      "itii", (int64_t)NODE_READY, failure, number, (int64_t)n->number);
	if (db_run(db, e,
		   "UPDATE workflow_nodes SET state = ?, ended = ?, failure = ?"
		   " WHERE workflow = ? AND number = ?",
		   "iitii", (int64_t)NODE_FAILED, now, failure, number, (int64_t)n->number) < 0 ||
	    db_run(db, e, "DELETE FROM workflow_keys WHERE workflow = ? AND node = ?", "ii", number,
		   (int64_t)n->number) < 0 ||
	    workflow_order_load(db, number, &order, e) < 0)
		return err_code(e);
	return workflow_go_on(db, number, &order, now, e);
}
