/* SPDX-License-Identifier: Apache-2.0 */
/* workflow_submit.c — a workflow's begin, and its end by people. */
#include "common/base/encode.h"
#include "common/base/log.h"
#include "common/base/utf8.h"
#include "computations/workflow/workflow.h"
#include "computations/workflow/workflow_graph.h"

#include <stdio.h>
#include <string.h>

static int check_name(const char *name, struct err *e)
{
	size_t len = strlen(name);

	if (len > WORKFLOW_TITLE_MAX || !utf8_valid(name, len) || utf8_has_control(name, len))
		return err_set(e, ERR_INVALID,
			       "a workflow's name has at most %d bytes of text in one line",
			       WORKFLOW_TITLE_MAX);
	return 0;
}

int workflow_wish_check(const struct workflow_wish *wish, int64_t now, struct err *e)
{
	if (check_name(wish->name, e) < 0)
		return err_code(e);
	if (wish->len > WORKFLOW_ORDER_MAX)
		return err_set(e, ERR_INVALID, "a workflow's order of %zu bytes; the limit is %d",
			       wish->len, WORKFLOW_ORDER_MAX);
	if (wish->order->expires <= now)
		return err_set(e, ERR_PRECONDITION,
			       "the order has ended: sign another one ('cocos-cli workflow "
			       "submit'), and look at the clock");
	if (wish->order->expires > now + (int64_t)WORKFLOW_ORDER_DAYS_MAX * 24 * 3600 * 1000)
		return err_set(e, ERR_INVALID, "an order is good for at most %d days",
			       WORKFLOW_ORDER_DAYS_MAX);
	return 0;
}

/* ---- room ---- */

static int check_open(struct db *db, const struct workflow_wish *wish, struct err *e)
{
	int64_t open, nodes;

	if (db_number(db, &open, e,
		      "SELECT count(*) FROM workflows"
		      " WHERE workspace = ? AND person = ? AND state = 0",
		      "ii", wish->workspace, wish->person) < 0 ||
	    db_number(db, &nodes, e,
		      "SELECT CAST(coalesce(sum(nodes), 0) AS BIGINT) FROM workflows"
		      " WHERE workspace = ? AND person = ? AND state = 0",
		      "ii", wish->workspace, wish->person) < 0)
		return err_code(e);
	if (open >= WORKFLOWS_OPEN_MAX)
		return err_set(
			e, ERR_EXHAUSTED,
			"%lld workflows of yours run in this workspace; the limit is %d: wait "
			"for one, or cancel it",
			(long long)open, WORKFLOWS_OPEN_MAX);
	if (nodes + (int64_t)wish->order->spec.count > WORKFLOW_OPEN_NODES_MAX)
		return err_set(e, ERR_EXHAUSTED,
			       "your workflows that run in this workspace would have %lld nodes; "
			       "the limit is %d: wait for one, or cancel it",
			       (long long)(nodes + (int64_t)wish->order->spec.count),
			       WORKFLOW_OPEN_NODES_MAX);
	return 0;
}

/* Those of the same member alone. */
static int forget_oldest(struct db *db, const struct workflow_wish *wish, struct err *e)
{
	return db_run(db, e,
		      "DELETE FROM workflows WHERE number IN (SELECT number FROM workflows"
		      " WHERE workspace = ? AND person = ? AND state <> 0"
		      " ORDER BY number DESC LIMIT 1000 OFFSET ?)",
		      "iii", wish->workspace, wish->person, (int64_t)(WORKFLOWS_ENDED_MAX - 1));
}

/* ---- rows ---- */

static int insert_workflow(struct db *db, const struct workflow_wish *wish, const char *id,
			   int64_t now, int64_t *number, struct err *e)
{
	if (db_run(db, e,
		   "INSERT INTO workflows (id, workspace, person, name, fingerprint, ordered, nodes,"
		   " created, expires) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		   "tiitbbiii", id, wish->workspace, wish->person, wish->name, wish->fingerprint,
		   (size_t)KEY_FINGERPRINT_LEN, wish->bytes, wish->len,
		   (int64_t)wish->order->spec.count, now, wish->order->expires) < 0)
		return err_code(e);
	return db_number(db, number, e, "SELECT number FROM workflows WHERE id = ?", "t", id);
}

static int insert_keys(struct db *db, int64_t number, size_t node, const struct workflow_keys *keys,
		       struct err *e)
{
	for (size_t i = 0; i < keys->count; i++)
		if (db_run(db, e,
			   "INSERT INTO workflow_keys (key, workflow, node) VALUES (?, ?, ?)",
			   "bii", keys->keys[i], (size_t)HPKE_KEY_LEN, number, (int64_t)node) < 0)
			return err_code(e);
	return 0;
}

static int insert_node(struct db *db, int64_t number, const struct workflow_order *order, size_t at,
		       struct err *e)
{
	const struct workflow_node *node = &order->spec.nodes[at];
	const enum node_state state = node->dependencies_count ? NODE_WAITING : NODE_READY;

	if (db_run(db, e,
		   "INSERT INTO workflow_nodes (workflow, number, type, seconds, attempts, state,"
		   " key, digest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)",
		   "iitiiib", number, (int64_t)at, node->type, (int64_t)node->seconds,
		   (int64_t)node->retries + 1, (int64_t)state, "", (size_t)0) < 0)
		return err_code(e);
	return insert_keys(db, number, at, &order->nodes[at], e);
}

int workflow_submit(struct db *db, const struct workflow_wish *wish, int64_t now, struct err *e)
{
	char id[WORKFLOW_ID_TEXT_LEN + 1];
	int64_t number, there;

	hex_encode(wish->order->id, WORKFLOW_ID_LEN, id);
	if (db_number(db, &there, e, "SELECT count(*) FROM workflows WHERE id = ?", "t", id) < 0)
		return err_code(e);
	if (there)
		return err_set(e, ERR_EXISTS, "workflow %s is there already", id);
	if (check_open(db, wish, e) < 0 || forget_oldest(db, wish, e) < 0 ||
	    insert_workflow(db, wish, id, now, &number, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < wish->order->spec.count; i++)
		if (insert_node(db, number, wish->order, i, e) < 0)
			return err_code(e);
	return 0;
}

int workflow_cancel(struct db *db, const struct workflow_row *w, const char *by, int64_t now,
		    struct err *e)
{
	char reason[WORKFLOW_FAILURE_MAX];

	if (w->state != WORKFLOW_RUNNING)
		return err_set(e, ERR_PRECONDITION, "workflow %s has ended: it is %s", w->id,
			       workflow_state_name(w->state));
	snprintf(reason, sizeof(reason), "cancelled by %s",
		 *by ? by : "an administrator of the service");
	return workflow_end(db, w->number, WORKFLOW_CANCELLED, reason, now, e);
}
