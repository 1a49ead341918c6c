/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/workflow/workflow_row.h"

#include "common/base/log.h"

#include <errno.h>
#include <string.h>

const char *workflow_state_name(enum workflow_state state)
{
	static const char *const names[WORKFLOW_STATES] = { "Running", "Completed", "Failed",
							    "Cancelled" };

	return names[state];
}

const char *node_state_name(enum node_state state)
{
	static const char *const names[NODE_STATES] = { "Waiting", "Ready",  "Taken",
							"Done",    "Failed", "Cancelled" };

	return names[state];
}

void workflow_row_done(struct workflow_row *w)
{
	free(w->workspace_name);
	free(w->submitter);
	free(w->name);
	free(w->reason);
	w->workspace_name = w->submitter = w->name = w->reason = NULL;
}

void node_row_done(struct node_row *n)
{
	free(n->user);
	free(n->failure);
	n->user = n->failure = NULL;
}

void node_rows_free(struct node_rows *nodes)
{
	for (size_t i = 0; nodes && i < nodes->count; i++)
		node_row_done(&nodes->rows[i]);
	free(nodes);
}

int workflow_unknown(const char *id, struct err *e)
{
	return err_set(e, ERR_NOT_FOUND, "no workflow %s", log_quote(id).text);
}

/* `len` bytes, or none; whether there are some. */
static int read_bytes(struct db_rows *row, int column, uint8_t *to, size_t len, bool *is_there,
		      struct err *e)
{
	const void *bytes;
	size_t got;

	if (db_blob(row, column, len, &bytes, &got, e) < 0)
		return err_code(e);
	if (got && got != len)
		return err_set(e, ERR_DATA_LOSS, "database: %s has %zu bytes, not %zu",
			       db_column_name(row, column), got, len);
	if (got)
		memcpy(to, bytes, len);
	*is_there = got > 0;
	return 0;
}

/* ---- a workflow ---- */

#define WORKFLOW_COLUMNS                                                                           \
	"SELECT w.number, w.id, w.workspace, coalesce(w.person, 0), p.name, coalesce(u.name, '')," \
	" w.name, w.fingerprint, w.nodes, w.done, w.state, w.reason, w.created, w.ended,"          \
	" w.expires FROM workflows w JOIN workspaces p ON p.number = w.workspace"                  \
	" LEFT JOIN users u ON u.number = w.person "

static int read_id(struct db_rows *row, int column, struct workflow_row *w, struct err *e)
{
	CLEANUP(free) char *text = NULL;

	if (db_text(row, column, &text, e) < 0)
		return err_code(e);
	if (strlen(text) != WORKFLOW_ID_TEXT_LEN)
		return err_set(e, ERR_DATA_LOSS, "database: a workflow without an id");
	memcpy(w->id, text, sizeof(w->id));
	return 0;
}

static int read_small(struct db_rows *row, int column, int64_t min, int64_t max, uint32_t *to,
		      struct err *e)
{
	int64_t number;

	if (db_integer(row, column, min, max, &number, e) < 0)
		return err_code(e);
	*to = (uint32_t)number;
	return 0;
}

static int read_workflow(struct db_rows *row, struct workflow_row *w, struct err *e)
{
	struct workflow_row got CLEANUP_WORKFLOW_ROW = { .number = 0 };
	bool is_there;
	uint32_t state;

	if (db_integer(row, 0, 1, INT64_MAX, &got.number, e) < 0 || read_id(row, 1, &got, e) < 0 ||
	    db_integer(row, 2, 1, INT64_MAX, &got.workspace, e) < 0 ||
	    db_integer(row, 3, 0, INT64_MAX, &got.person, e) < 0 ||
	    db_text(row, 4, &got.workspace_name, e) < 0 || db_text(row, 5, &got.submitter, e) < 0 ||
	    db_text(row, 6, &got.name, e) < 0 ||
	    read_bytes(row, 7, got.fingerprint, sizeof(got.fingerprint), &is_there, e) < 0 ||
	    read_small(row, 8, 1, WORKFLOW_NODES_MAX, &got.nodes, e) < 0 ||
	    read_small(row, 9, 0, WORKFLOW_NODES_MAX, &got.done, e) < 0 ||
	    read_small(row, 10, 0, WORKFLOW_STATES - 1, &state, e) < 0 ||
	    db_text(row, 11, &got.reason, e) < 0 ||
	    db_integer(row, 12, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_integer(row, 13, 0, INT64_MAX, &got.ended, e) < 0 ||
	    db_integer(row, 14, 0, INT64_MAX, &got.expires, e) < 0)
		return err_code(e);
	got.state = (enum workflow_state)state;
	*w = got;
	got = (struct workflow_row){ .number = 0 };
	return 0;
}

int workflow_find(struct db *db, const char *id, struct workflow_row *w, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, WORKFLOW_COLUMNS "WHERE w.id = ?", "t", id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : workflow_unknown(id, e);
	return read_workflow(rows, w, e);
}

int workflow_list(struct db *db, int64_t workspace, int64_t after,
		  struct workflow_row rows[WORKFLOW_PAGE_MAX], size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	int row = 0;

	*count = 0;
	if (db_query(db, &found, e,
		     WORKFLOW_COLUMNS "WHERE w.workspace = ? AND w.number < ?"
				      " ORDER BY w.number DESC LIMIT ?",
		     "iii", workspace, after, (int64_t)WORKFLOW_PAGE_MAX) < 0)
		return err_code(e);
	while (*count < WORKFLOW_PAGE_MAX && (row = db_next(found, e)) > 0) {
		if (read_workflow(found, &rows[*count], e) < 0)
			return err_code(e);
		(*count)++;
	}
	return row < 0 ? row : 0;
}

/* ---- its order ---- */

static int copy_blob(struct db_rows *rows, size_t max, uint8_t **bytes, size_t *len, struct err *e)
{
	const void *found;
	uint8_t *copy;

	if (db_blob(rows, 0, max, &found, len, e) < 0)
		return err_code(e);
	copy = malloc(*len + 1);
	if (!copy)
		return err_nomem(e);
	if (*len)
		memcpy(copy, found, *len);
	*bytes = copy;
	return 0;
}

int workflow_order_bytes(struct db *db, int64_t number, uint8_t **bytes, size_t *len, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, "SELECT ordered FROM workflows WHERE number = ?", "i", number) <
	    0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : err_set(e, ERR_NOT_FOUND, "the workflow is gone");
	return copy_blob(rows, WORKFLOW_ORDER_MAX, bytes, len, e);
}

int workflow_order_load(struct db *db, int64_t number, struct workflow_order *order, struct err *e)
{
	CLEANUP(free) uint8_t *bytes = NULL;
	Workflows__Order *m;
	size_t len;
	int failed;

	if (workflow_order_bytes(db, number, &bytes, &len, e) < 0)
		return err_code(e);
	errno = 0;
	m = workflows__order__unpack(NULL, len, bytes);
	if (!m && errno == ENOMEM)
		return err_nomem(e);
	failed = workflow_order_read(m, order, e);
	if (m)
		workflows__order__free_unpacked(m, NULL);
	/* What may pass is no damage: that is the workflow's end. */
	if (failed && e->code != ERR_EXHAUSTED)
		return err_set(e, ERR_DATA_LOSS, "database: a workflow's order is damaged");
	return failed;
}

/* ---- nodes ---- */

#define NODE_COLUMNS                                                                             \
	"SELECT number, seconds, attempts, state, attempt, executor, key, person, taken, lease," \
	" ended, failure, size, digest FROM workflow_nodes "

static int read_node(struct db_rows *row, struct node_row *n, struct err *e)
{
	struct node_row got = { .number = 0 };
	uint32_t state;

	if (read_small(row, 0, 0, WORKFLOW_NODES_MAX - 1, &got.number, e) < 0 ||
	    read_small(row, 1, 1, WORKFLOW_SECONDS_MAX, &got.seconds, e) < 0 ||
	    read_small(row, 2, 1, WORKFLOW_RETRIES_MAX + 1, &got.attempts, e) < 0 ||
	    read_small(row, 3, 0, NODE_STATES - 1, &state, e) < 0 ||
	    read_small(row, 4, 0, got.attempts, &got.attempt, e) < 0 ||
	    db_integer(row, 5, 0, INT64_MAX, &got.executor, e) < 0 ||
	    read_bytes(row, 6, got.key, sizeof(got.key), &got.has_key, e) < 0 ||
	    db_integer(row, 8, 0, INT64_MAX, &got.taken, e) < 0 ||
	    db_integer(row, 9, 0, INT64_MAX, &got.lease, e) < 0 ||
	    db_integer(row, 10, 0, INT64_MAX, &got.ended, e) < 0 ||
	    db_integer(row, 12, 0, WORKFLOW_SEALED_MAX, &got.size, e) < 0 ||
	    read_bytes(row, 13, got.digest, sizeof(got.digest), &got.has_digest, e) < 0 ||
	    db_text(row, 7, &got.user, e) < 0)
		return err_code(e);
	if (db_text(row, 11, &got.failure, e) < 0) {
		node_row_done(&got);
		return err_code(e);
	}
	got.state = (enum node_state)state;
	*n = got;
	return 0;
}

int workflow_nodes(struct db *db, int64_t number, struct node_rows **nodes, struct err *e)
{
	CLEANUP(node_rows_free) struct node_rows *got = calloc(1, sizeof(*got));
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row = 0;

	if (!got)
		return err_nomem(e);
	if (db_query(db, &rows, e, NODE_COLUMNS "WHERE workflow = ? ORDER BY number", "i", number) <
	    0)
		return err_code(e);
	while (got->count < WORKFLOW_NODES_MAX && (row = db_next(rows, e)) > 0) {
		if (read_node(rows, &got->rows[got->count], e) < 0)
			return err_code(e);
		got->count++;
		if (got->rows[got->count - 1].number != got->count - 1)
			return err_set(e, ERR_DATA_LOSS, "database: a workflow lacks a node");
	}
	if (row < 0)
		return row;
	*nodes = TAKE_PTR(got);
	return 0;
}

int workflow_node(struct db *db, int64_t number, int64_t node, struct node_row *n, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, NODE_COLUMNS "WHERE workflow = ? AND number = ?", "ii", number,
		     node) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row
			       : err_set(e, ERR_NOT_FOUND, "the workflow has no node %lld",
					 (long long)node);
	return read_node(rows, n, e);
}

int workflow_output(struct db *db, int64_t number, uint32_t node, uint8_t **bytes, size_t *len,
		    struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT bytes FROM workflow_outputs WHERE workflow = ? AND node = ?", "ii",
		     number, (int64_t)node) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row
			       : err_set(e, ERR_PRECONDITION,
					 "node %u has no output, or it was wiped", node);
	return copy_blob(rows, WORKFLOW_SEALED_MAX, bytes, len, e);
}
