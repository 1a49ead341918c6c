/* SPDX-License-Identifier: Apache-2.0 */
/* workflow_run.c — nodes in the hands of executors. */
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "computations/people/membership.h"
#include "computations/workflow/workflow.h"
#include "computations/workflow/workflow_graph.h"

#include <string.h>

void workflow_taken_done(struct workflow_taken *t)
{
	workflow_row_done(&t->workflow);
	workflow_order_done(&t->order);
	node_rows_free(t->nodes);
	free(t->bytes);
	*t = (struct workflow_taken){ .bytes = NULL };
}

static int64_t deadline_of(const struct node_row *n)
{
	return n->taken + (int64_t)n->seconds * 1000;
}

static int64_t lease_from(const struct node_row *n, int64_t now)
{
	const int64_t lease = now + (int64_t)WORKFLOW_LEASE_S * 1000;

	return lease < deadline_of(n) ? lease : deadline_of(n);
}

/* Rounded up: 0 is over. */
static uint32_t seconds_to(int64_t moment, int64_t now)
{
	return moment <= now ? 0 : (uint32_t)((moment - now + 999) / 1000);
}

/* ---- the next one ---- */

struct found {
	int64_t workflow, number;
};

/* 1: there is one. */
static int read_found(struct db_rows *rows, struct found *f, struct err *e)
{
	int row = db_next(rows, e);

	if (row <= 0)
		return row;
	/* A number that can't be is found to be damaged when its row is read. */
	if (db_integer(rows, 0, INT64_MIN, INT64_MAX, &f->workflow, e) < 0 ||
	    db_integer(rows, 1, INT64_MIN, INT64_MAX, &f->number, e) < 0)
		return err_code(e);
	return 1;
}

static int find_held(struct db *db, const struct executor *x, struct found *f, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	if (db_query(db, &rows, e,
		     "SELECT workflow, number FROM workflow_nodes"
		     " WHERE executor = ? AND state = ? ORDER BY workflow, number LIMIT 1",
		     "ii", x->number, (int64_t)NODE_TAKEN) < 0)
		return err_code(e);
	return read_found(rows, f, e);
}

/* Only of those who might submit it there now (DEED_WORKFLOW). They take turns by their numbers: were it enough that the same
 * one is not served twice, two would keep a third waiting behind all that they submitted before. */
static int find_ready(struct db *db, const struct executor *x, int64_t now, struct found *f,
		      struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;

	if (db_query(db, &rows, e,
		     "SELECT n.workflow, n.number FROM workflow_keys k"
		     " JOIN workflow_nodes n ON n.workflow = k.workflow AND n.number = k.node"
		     " JOIN workflows w ON w.number = k.workflow"
		     " JOIN users u ON u.number = w.person"
		     " WHERE k.key = ?1 AND n.state = 1 AND n.type = ?2 AND w.workspace = ?3"
		     " AND w.state = 0 AND w.expires > ?4 AND u.suspended = 0"
		     " AND (u.administrator = 1 OR EXISTS (SELECT 1 FROM workspace_members m"
		     " WHERE m.workspace = w.workspace AND m.person = w.person"
		     " AND m.suspended = 0 AND m.role <> ?6))"
		     " ORDER BY CASE WHEN w.person > ?5 THEN 0 ELSE 1 END, w.person, n.workflow,"
		     " n.number LIMIT 1",
		     "btiiit", x->key, sizeof(x->key), x->type, x->workspace, now, x->served,
		     membership_rules[MEMBERSHIP_VIEWER].name) < 0)
		return err_code(e);
	return read_found(rows, f, e);
}

static int hand_out(struct db *db, const struct executor *x, const struct found *f, int64_t now,
		    struct err *e)
{
	struct node_row n = { .user = NULL };
	int64_t changed;

	if (workflow_node(db, f->workflow, f->number, &n, e) < 0)
		return err_code(e);
	node_row_done(&n);
	n.taken = now;
	if (db_change(db, &changed, e,
		      "UPDATE workflow_nodes SET state = 2, attempt = attempt + 1, executor = ?,"
		      " key = ?, person = ?, taken = ?, lease = ?, failure = ''"
		      " WHERE workflow = ? AND number = ? AND state = 1",
		      "ibtiiii", x->number, x->key, sizeof(x->key), x->user, now,
		      lease_from(&n, now), f->workflow, f->number) < 0 ||
	    db_run(db, e,
		   "UPDATE executors SET served = (SELECT coalesce(person, 0) FROM workflows"
		   " WHERE number = ?1) WHERE number = ?2",
		   "ii", f->workflow, x->number) < 0)
		return err_code(e);
	return changed == 1 ? 0 : err_set(e, ERR_UNAVAILABLE, "another executor was faster");
}

static int find_by_number(struct db *db, int64_t number, struct workflow_row *w, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *id = NULL;
	int row;

	if (db_query(db, &rows, e, "SELECT id FROM workflows WHERE number = ?", "i", number) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : err_set(e, ERR_NOT_FOUND, "the workflow is gone");
	if (db_text(rows, 0, &id, e) < 0)
		return err_code(e);
	return workflow_find(db, id, w, e);
}

/* All that its executor has to have. */
static int tell(struct db *db, const struct found *f, int64_t now, struct workflow_taken *t,
		struct err *e)
{
	const struct node_row *n;

	t->number = (uint32_t)f->number;
	if (find_by_number(db, f->workflow, &t->workflow, e) < 0 ||
	    workflow_order_bytes(db, f->workflow, &t->bytes, &t->len, e) < 0 ||
	    workflow_order_load(db, f->workflow, &t->order, e) < 0 ||
	    workflow_nodes(db, f->workflow, &t->nodes, e) < 0)
		return err_code(e);
	if (t->nodes->count != t->order.spec.count || t->number >= t->nodes->count)
		return err_set(e, ERR_DATA_LOSS, "database: a workflow lacks nodes");
	n = &t->nodes->rows[t->number];
	t->lease_s = seconds_to(lease_from(n, now), now);
	t->left_s = seconds_to(deadline_of(n), now);
	return 0;
}

static int go_on_with(struct db *db, const struct found *f, int64_t now, struct err *e)
{
	struct node_row n = { .user = NULL };

	if (workflow_node(db, f->workflow, f->number, &n, e) < 0)
		return err_code(e);
	node_row_done(&n);
	return db_run(db, e,
		      "UPDATE workflow_nodes SET lease = ? WHERE workflow = ? AND number = ?",
		      "iii", lease_from(&n, now), f->workflow, f->number);
}

/* `f->workflow` stays 0 until there is one. */
static int take_one(struct db *db, const struct executor *x, int64_t now, struct found *f,
		    struct workflow_taken *t, struct err *e)
{
	struct workflow_taken got CLEANUP_WORKFLOW_TAKEN = { .bytes = NULL };
	int there = find_held(db, x, f, e), failed = 0;

	if (there > 0) {
		failed = go_on_with(db, f, now, e);
	} else if (!there) {
		there = find_ready(db, x, now, f, e);
		if (there > 0)
			failed = hand_out(db, x, f, now, e);
	}
	if (there <= 0 || failed)
		return failed ? failed : there;
	if (tell(db, f, now, &got, e) < 0)
		return err_code(e);
	*t = got;
	got = (struct workflow_taken){ .bytes = NULL };
	return 1;
}

int workflow_take(struct db *db, const struct executor *x, int64_t now, struct workflow_taken *t,
		  struct err *e)
{
	/* What is damaged is none of the executor's concern, who would end of it: there is another one, or none for now. */
	for (int i = 0; i < WORKFLOW_SWEEP_MAX; i++) {
		struct found f = { .workflow = 0 };
		const int got = take_one(db, x, now, &f, t, e);

		if (got >= 0 || e->code != ERR_DATA_LOSS || !f.workflow)
			return got;
		if (workflow_damaged(db, f.workflow, now, e) < 0)
			return err_code(e);
	}
	return 0;
}

/* ---- one that is taken ---- */

static int not_yours(const struct workflow_claim *claim, struct err *e)
{
	return err_set(
		e, ERR_PRECONDITION,
		"node %u of workflow %s, attempt %u, is not this executor's any more: it was "
		"cancelled, was lost, or is done",
		claim->number, log_quote(claim->id).text, claim->attempt);
}

/* The node, whoever has it; workflows of other workspaces are not there for that executor. */
static int find_node(struct db *db, const struct executor *x, const struct workflow_claim *claim,
		     int64_t *workflow, struct node_row *n, struct err *e)
{
	struct workflow_row w CLEANUP_WORKFLOW_ROW = { .number = 0 };

	if (workflow_find(db, claim->id, &w, e) < 0)
		return err_code(e);
	if (w.workspace != x->workspace)
		return workflow_unknown(claim->id, e);
	*workflow = w.number;
	return workflow_node(db, w.number, claim->number, n, e);
}

static bool was_its(const struct executor *x, const struct workflow_claim *claim,
		    const struct node_row *n)
{
	return n->executor == x->number && n->attempt == claim->attempt && claim->attempt;
}

static bool is_its(const struct executor *x, const struct workflow_claim *claim,
		   const struct node_row *n, int64_t now)
{
	return was_its(x, claim, n) && n->state == NODE_TAKEN && now < deadline_of(n);
}

int workflow_renew(struct db *db, const struct executor *x, const struct workflow_claim *claim,
		   int64_t now, uint32_t *lease_s, uint32_t *left_s, struct err *e)
{
	struct node_row n = { .user = NULL };
	int64_t workflow;

	if (find_node(db, x, claim, &workflow, &n, e) < 0)
		return err_code(e);
	node_row_done(&n);
	if (!is_its(x, claim, &n, now))
		return not_yours(claim, e);
	*lease_s = seconds_to(lease_from(&n, now), now);
	*left_s = seconds_to(deadline_of(&n), now);
	return db_run(db, e,
		      "UPDATE workflow_nodes SET lease = ? WHERE workflow = ? AND number = ?",
		      "iii", lease_from(&n, now), workflow, (int64_t)n.number);
}

static bool depends_on(const struct workflow_node *node, uint32_t other)
{
	for (size_t i = 0; i < node->dependencies_count; i++)
		if (node->dependencies[i] == other)
			return true;
	return false;
}

int workflow_input(struct db *db, const struct executor *x, const struct workflow_claim *claim,
		   uint32_t dependency, int64_t now, struct node_row *from, uint8_t **bytes,
		   size_t *len, struct err *e)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };
	struct node_row n = { .user = NULL };
	int64_t workflow;

	if (find_node(db, x, claim, &workflow, &n, e) < 0)
		return err_code(e);
	node_row_done(&n);
	if (!is_its(x, claim, &n, now))
		return not_yours(claim, e);
	if (workflow_order_load(db, workflow, &order, e) < 0)
		return err_code(e);
	if (n.number >= order.spec.count || !depends_on(&order.spec.nodes[n.number], dependency))
		return err_set(e, ERR_INVALID, "node %u does not depend on node %u", n.number,
			       dependency);
	if (workflow_output(db, workflow, dependency, bytes, len, e) < 0)
		return err_code(e);
	return workflow_node(db, workflow, dependency, from, e);
}

/* ---- how it went ---- */

static int check_report(const struct workflow_report *report, struct err *e)
{
	size_t len = strlen(report->failure);

	if ((len > 0) == (report->len > 0))
		return err_set(e, ERR_INVALID,
			       "a node ends with an output or with a failure, and this has %s",
			       len ? "both" : "neither");
	if (report->len && report->is_final)
		return err_set(e, ERR_INVALID, "'is_final' is of a failure, not of an output");
	if (len > WORKFLOW_FAILURE_MAX || !utf8_valid(report->failure, len) ||
	    utf8_has_control(report->failure, len))
		return err_set(e, ERR_INVALID, "a failure is one line of text of at most %d bytes",
			       WORKFLOW_FAILURE_MAX);
	return 0;
}

static int check_stored(struct db *db, int64_t workflow, size_t more, struct err *e)
{
	int64_t stored;

	if (db_number(db, &stored, e,
		      "SELECT CAST(coalesce(sum(n.size), 0) AS BIGINT) FROM workflows o"
		      " JOIN workflows w ON w.workspace = o.workspace AND w.person = o.person"
		      " JOIN workflow_nodes n ON n.workflow = w.number WHERE o.number = ?",
		      "i", workflow) < 0)
		return err_code(e);
	if (stored + (int64_t)more <= WORKFLOW_STORED_MAX)
		return 0;
	return err_set(
		e, ERR_EXHAUSTED,
		"outputs of the submitter's workflows in this workspace that wait here would "
		"have %lld bytes; the limit is %d",
		(long long)(stored + (int64_t)more), WORKFLOW_STORED_MAX);
}

static int keep_output(struct db *db, int64_t workflow, const struct node_row *n,
		       const struct workflow_report *report, const uint8_t digest[SHA3_256_LEN],
		       int64_t now, struct err *e)
{
	if (db_run(db, e, "INSERT INTO workflow_outputs (workflow, node, bytes) VALUES (?, ?, ?)",
		   "iib", workflow, (int64_t)n->number, report->sealed, report->len) < 0 ||
	    db_run(db, e,
		   "UPDATE workflow_nodes SET state = ?, ended = ?, size = ?, digest = ?"
		   " WHERE workflow = ? AND number = ?",
		   "iiibii", (int64_t)NODE_DONE, now, (int64_t)report->len, digest,
		   (size_t)SHA3_256_LEN, workflow, (int64_t)n->number) < 0 ||
	    db_run(db, e, "DELETE FROM workflow_keys WHERE workflow = ? AND node = ?", "ii",
		   workflow, (int64_t)n->number) < 0)
		return err_code(e);
	return db_run(db, e, "UPDATE workflows SET done = done + 1 WHERE number = ?", "i",
		      workflow);
}

static int take_output(struct db *db, int64_t workflow, const struct node_row *n,
		       const struct workflow_report *report, const uint8_t digest[SHA3_256_LEN],
		       int64_t now, struct err *e)
{
	struct workflow_order order CLEANUP_WORKFLOW_ORDER = { .nodes = NULL };

	if (workflow_order_load(db, workflow, &order, e) < 0 ||
	    workflow_output_check(&order, n->number, report->sealed, report->len, e) < 0 ||
	    check_stored(db, workflow, report->len, e) < 0 ||
	    keep_output(db, workflow, n, report, digest, now, e) < 0)
		return err_code(e);
	return workflow_go_on(db, workflow, &order, now, e);
}

/* Its answer got lost, and it says it again. */
static bool was_said(const struct executor *x, const struct workflow_claim *claim,
		     const struct node_row *n, const struct workflow_report *report,
		     const uint8_t digest[SHA3_256_LEN])
{
	if (!was_its(x, claim, n) || n->state == NODE_TAKEN)
		return false;
	if (report->len)
		return n->has_digest && memcmp(n->digest, digest, SHA3_256_LEN) == 0;
	return (n->state == NODE_READY || n->state == NODE_FAILED) &&
	       strcmp(n->failure, report->failure) == 0;
}

static int finish(struct db *db, const struct executor *x, const struct workflow_claim *claim,
		  int64_t workflow, const struct node_row *n, const struct workflow_report *report,
		  int64_t now, struct err *e)
{
	uint8_t digest_[SHA3_256_LEN];

	if (digest(DIGEST_SHA3_256, report->sealed, report->len, digest_, e) < 0)
		return err_code(e);
	if (was_said(x, claim, n, report, digest_))
		return 0;
	if (!is_its(x, claim, n, now))
		return not_yours(claim, e);
	if (report->len)
		return take_output(db, workflow, n, report, digest_, now, e);
	return workflow_attempt_failed(db, workflow, n, report->failure, report->is_final, now, e);
}

int workflow_finish(struct db *db, const struct executor *x, const struct workflow_claim *claim,
		    const struct workflow_report *report, int64_t now, struct err *e)
{
	struct node_row n = { .user = NULL };
	int64_t workflow;
	int failed;

	if (check_report(report, e) < 0 || find_node(db, x, claim, &workflow, &n, e) < 0)
		return err_code(e);
	failed = finish(db, x, claim, workflow, &n, report, now, e);
	node_row_done(&n);
	return failed;
}
