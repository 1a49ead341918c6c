/* SPDX-License-Identifier: Apache-2.0 */
/* workflow_sweep.c — what time does to workflows: leases and orders end, and what is over is forgotten. */
#include "computations/workflow/workflow.h"
#include "computations/workflow/workflow_graph.h"

#include <string.h>

struct places {
	struct {
		int64_t workflow, node;
	} rows[WORKFLOW_SWEEP_MAX];
	size_t count;
};

/* Of a query with two columns: read before anything is changed. */
static int read_places(struct db_rows *rows, struct places *p, struct err *e)
{
	int row = 0;

	p->count = 0;
	/* A number that can't be is found to be damaged when its row is read. */
	while (p->count < WORKFLOW_SWEEP_MAX && (row = db_next(rows, e)) > 0) {
		if (db_integer(rows, 0, INT64_MIN, INT64_MAX, &p->rows[p->count].workflow, e) < 0 ||
		    db_integer(rows, 1, INT64_MIN, INT64_MAX, &p->rows[p->count].node, e) < 0)
			return err_code(e);
		p->count++;
	}
	return row < 0 ? row : 0;
}

static int lose_node(struct db *db, int64_t workflow, int64_t node, const char *why, int64_t now,
		     struct err *e)
{
	struct node_row n = { .user = NULL };

	if (workflow_node(db, workflow, node, &n, e) < 0)
		return err_code(e);
	node_row_done(&n);
	/* Others of the same workflow may have ended it meanwhile. */
	if (n.state != NODE_TAKEN)
		return 0;
	if (!why)
		why = now >= n.taken + (int64_t)n.seconds * 1000
			      ? "it took longer than maxexectime"
			      : "its executor was not heard of any more";
	return workflow_attempt_failed(db, workflow, &n, why, false, now, e);
}

/* One that is damaged is none of the others' concern. */
static int lose_nodes(struct db *db, const struct places *p, const char *why, int64_t now,
		      struct err *e)
{
	for (size_t i = 0; i < p->count; i++) {
		const int64_t workflow = p->rows[i].workflow;

		if (lose_node(db, workflow, p->rows[i].node, why, now, e) < 0 &&
		    (e->code != ERR_DATA_LOSS || workflow_damaged(db, workflow, now, e) < 0))
			return err_code(e);
	}
	return 0;
}

int workflow_lose(struct db *db, int64_t executor, const char *why, int64_t now, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct places p;

	/* It has one at a time. */
	if (db_query(db, &rows, e,
		     "SELECT workflow, number FROM workflow_nodes WHERE executor = ? AND state = 2"
		     " ORDER BY workflow, number LIMIT ?",
		     "ii", executor, (int64_t)WORKFLOW_SWEEP_MAX) < 0 ||
	    read_places(rows, &p, e) < 0)
		return err_code(e);
	return lose_nodes(db, &p, why, now, e);
}

/* Also where the clock was set back. No node has more time than it ever had. */
static int renew_behind_gap(struct db *db, int64_t last, int64_t now, struct err *e)
{
	const int64_t lease = now + (int64_t)WORKFLOW_LEASE_S * 1000;

	if (last && now >= last && now - last <= (int64_t)WORKFLOW_GAP_S * 1000)
		return 0;
	return db_run(db, e,
		      "UPDATE workflow_nodes SET lease = CASE WHEN taken + seconds * 1000 < ?1"
		      " THEN taken + seconds * 1000 ELSE ?1 END WHERE state = 2",
		      "i", lease);
}

static int sweep_leases(struct db *db, int64_t now, bool *more, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct places p;

	if (db_query(db, &rows, e,
		     "SELECT workflow, number FROM workflow_nodes WHERE state = 2 AND lease <= ?"
		     " ORDER BY lease LIMIT ?",
		     "ii", now, (int64_t)WORKFLOW_SWEEP_MAX) < 0 ||
	    read_places(rows, &p, e) < 0)
		return err_code(e);
	*more |= p.count == WORKFLOW_SWEEP_MAX;
	return lose_nodes(db, &p, NULL, now, e);
}

static int sweep_orders(struct db *db, int64_t now, bool *more, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct places p;

	if (db_query(db, &rows, e,
		     "SELECT number, CASE WHEN expires <= ?1 THEN 1 ELSE 0 END FROM workflows"
		     " WHERE state = 0 AND (expires <= ?1 OR person IS NULL)"
		     " ORDER BY number LIMIT ?2",
		     "ii", now, (int64_t)WORKFLOW_SWEEP_MAX) < 0 ||
	    read_places(rows, &p, e) < 0)
		return err_code(e);
	*more |= p.count == WORKFLOW_SWEEP_MAX;
	for (size_t i = 0; i < p.count; i++)
		if (workflow_end(db, p.rows[i].workflow, WORKFLOW_FAILED,
				 p.rows[i].node ? "the order has ended"
						: "its submitter was removed",
				 now, e) < 0)
			return err_code(e);
	return 0;
}

/* Results that nobody has come for. They are fewer than workflows, of which SQLite would begin with all. */
static int sweep_outputs(struct db *db, int64_t now, bool *more, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct places p;

	if (db_query(db, &rows, e,
		     "SELECT DISTINCT o.workflow, 0 FROM workflow_outputs o"
		     " CROSS JOIN workflows w WHERE w.number = o.workflow"
		     " AND w.state <> 0 AND w.ended <= ?1 ORDER BY o.workflow LIMIT ?2",
		     "ii", now - WORKFLOW_OUTPUTS_MS, (int64_t)WORKFLOW_SWEEP_MAX) < 0 ||
	    read_places(rows, &p, e) < 0)
		return err_code(e);
	*more |= p.count == WORKFLOW_SWEEP_MAX;
	for (size_t i = 0; i < p.count; i++)
		if (db_run(db, e, "DELETE FROM workflow_outputs WHERE workflow = ?", "i",
			   p.rows[i].workflow) < 0 ||
		    db_run(db, e, "UPDATE workflow_nodes SET size = 0 WHERE workflow = ?", "i",
			   p.rows[i].workflow) < 0)
			return err_code(e);
	return 0;
}

static int sweep_ended(struct db *db, int64_t now, bool *more, struct err *e)
{
	int64_t removed;

	if (db_change(db, &removed, e,
		      "DELETE FROM workflows WHERE number IN (SELECT number FROM workflows"
		      " WHERE state <> 0 AND ended <= ? ORDER BY ended, number LIMIT ?)",
		      "ii", now - WORKFLOW_KEPT_MS, (int64_t)WORKFLOW_SWEEP_MAX) < 0)
		return err_code(e);
	*more |= removed == WORKFLOW_SWEEP_MAX;
	return 0;
}

int workflow_sweep(struct db *db, int64_t last, int64_t now, bool *more, struct err *e)
{
	*more = false;
	if (renew_behind_gap(db, last, now, e) < 0 || sweep_leases(db, now, more, e) < 0 ||
	    sweep_orders(db, now, more, e) < 0 || sweep_outputs(db, now, more, e) < 0)
		return err_code(e);
	return sweep_ended(db, now, more, e);
}
