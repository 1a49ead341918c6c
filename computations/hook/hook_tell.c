/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/hook/hook_tell.h"

#include "common/base/json.h"
#include "common/base/writer.h"

#include <stdlib.h>
#include <string.h>

/* A computation's row, as far as it is told. */
struct told {
	int64_t workspace, state, told, attempt;
	char *place;
};

static void told_done(struct told *t)
{
	free(t->place);
}
#define CLEANUP_TOLD __attribute__((cleanup(told_done)))

/* 1: there is one; 0: none, or in no workspace. */
static int find(struct db *db, const char *id, struct told *t, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT w.number, w.name, c.state, c.told, c.attempt FROM computations c"
		     " JOIN workspace_computations h ON h.computation = c.id"
		     " JOIN workspaces w ON w.number = h.workspace WHERE c.id = ?",
		     "t", id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (db_integer(rows, 0, 1, INT64_MAX, &t->workspace, e) < 0 ||
	    db_integer(rows, 2, 0, INT32_MAX, &t->state, e) < 0 ||
	    db_integer(rows, 3, 0, INT32_MAX, &t->told, e) < 0 ||
	    db_integer(rows, 4, 0, INT64_MAX, &t->attempt, e) < 0 ||
	    db_text(rows, 1, &t->place, e) < 0)
		return err_code(e);
	return 1;
}

static void put(struct writer *w, const char *key, const char *text)
{
	if (w->len)
		writer_text(w, ",");
	json_quote(w, key, strlen(key));
	writer_text(w, ":");
	json_quote(w, text, strlen(text));
}

static int deliver(struct db *db, int64_t workspace, enum hook_event event, struct writer *w,
		   int64_t now, size_t *added, struct err *e)
{
	size_t more;

	writer_u8(w, 0);
	if (writer_check(w, "an event", e) < 0 ||
	    hook_deliver(db, workspace, event, (const char *)w->bytes, now, &more, e) < 0)
		return err_code(e);
	*added += more;
	return 0;
}

static int deliver_computation(struct db *db, const struct told *t, const char *id,
			       enum hook_event event, const char *state, int64_t now, size_t *added,
			       struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(HOOK_BODY_MAX);

	put(&w, "workspace", t->place);
	put(&w, "computation", id);
	put(&w, "state", state);
	writer_printf(&w, ",\"attempt\":%lld", (long long)t->attempt);
	return deliver(db, t->workspace, event, &w, now, added, e);
}

int hook_tell_computation(struct db *db, const struct hook_states *states, const char *id,
			  int64_t now, size_t *added, struct err *e)
{
	struct told t CLEANUP_TOLD = { .place = NULL };
	int found = find(db, id, &t, e);
	enum hook_event event;

	if (found <= 0 || t.told == t.state + 1)
		return found < 0 ? found : 0;
	if ((size_t)t.state >= states->count)
		return err_set(e, ERR_DATA_LOSS, "database: a computation in no state");
	if (db_run(db, e, "UPDATE computations SET told = ? WHERE id = ?", "it", t.state + 1, id) <
	    0)
		return err_code(e);
	event = states->events[t.state];
	/* One that waits to be run again was created before. */
	if (event == HOOK_COMPUTATION_CREATED && t.told)
		event = HOOK_COMPUTATION_WAITING;
	return deliver_computation(db, &t, id, event, states->word(t.state), now, added, e);
}

int hook_tell_removed(struct db *db, const char *id, int64_t now, size_t *added, struct err *e)
{
	struct told t CLEANUP_TOLD = { .place = NULL };
	int found = find(db, id, &t, e);

	if (found <= 0)
		return found;
	return deliver_computation(db, &t, id, HOOK_COMPUTATION_REMOVED, "Removed", now, added, e);
}

int hook_tell_machine(struct db *db, int64_t workspace, const char *place, const char *name,
		      enum hook_event event, int64_t now, size_t *added, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(HOOK_BODY_MAX);

	put(&w, "workspace", place);
	put(&w, "cvm", name);
	put(&w, "state",
	    event == HOOK_CVM_MADE   ? "Ready"
	    : event == HOOK_CVM_LOST ? "Lost"
				     : "Removed");
	return deliver(db, workspace, event, &w, now, added, e);
}

/* Nothing is forgotten, at two rows a month: a clock that goes back over a month's end, and on again, tells nothing twice. */
static int is_new(struct db *db, int64_t workspace, const char *month, enum hook_event event,
		  struct err *e)
{
	int64_t fresh;

	if (db_change(db, &fresh, e,
		      "INSERT INTO usage_told (workspace, month, level) VALUES (?, ?, ?)"
		      " ON CONFLICT DO NOTHING",
		      "iti", workspace, month, (int64_t)event) < 0)
		return err_code(e);
	return fresh > 0;
}

static const char *state_of(enum hook_event event)
{
	return event == HOOK_STATEMENT_READY ? "Ready"
	       : event == HOOK_USAGE_LIMIT   ? "Reached"
					     : "Nearly reached";
}

/* `account` NULL: it is of the workspace alone. Nothing if the workspace is removed. */
static int deliver_usage(struct db *db, int64_t workspace, const char *account, const char *month,
			 enum hook_event event, int64_t now, size_t *added, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(HOOK_BODY_MAX);
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *place = NULL;
	int row;

	if (db_query(db, &rows, e, "SELECT name FROM workspaces WHERE number = ?", "i", workspace) <
	    0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (db_text(rows, 0, &place, e) < 0)
		return err_code(e);
	put(&w, "workspace", place);
	if (account)
		put(&w, "account", account);
	put(&w, "month", month);
	put(&w, "state", state_of(event));
	return deliver(db, workspace, event, &w, now, added, e);
}

int hook_tell_usage(struct db *db, int64_t workspace, const char *month, enum hook_event event,
		    int64_t now, size_t *added, struct err *e)
{
	int fresh = is_new(db, workspace, month, event, e);

	return fresh <= 0 ? fresh : deliver_usage(db, workspace, NULL, month, event, now, added, e);
}

int hook_tell_account(struct db *db, int64_t workspace, const char *account, const char *month,
		      enum hook_event event, int64_t now, size_t *added, struct err *e)
{
	return deliver_usage(db, workspace, account, month, event, now, added, e);
}
