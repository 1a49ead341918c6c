/* SPDX-License-Identifier: Apache-2.0 */
/* store_cvm.c — CVMs, and what their agents answer. */
#include "common/base/file.h"
#include "common/base/log.h"
#include "computations/ca/ca_record.h"
#include "computations/list/list_rows.h"
#include "computations/store/secret_row.h"
#include "computations/store/store_cvm_room.h"
#include "computations/store/store_evidence.h"
#include "computations/store/store_tell.h"
#include "computations/store/usage_turn.h"

#include <string.h>

#define CVM_COLUMNS \
	"id, agent_state, computation, peer, first_seen, last_seen, verified, verdict, judged, key"

void cvm_done(struct cvm *c)
{
	free(c->id);
	free(c->agent_state);
	free(c->computation_id);
	free(c->peer);
	free(c->verdict);
	free(c->key);
	*c = (struct cvm){ .id = NULL };
}

void store_todo_done(struct store_todo *todo)
{
	free(todo->computation_id);
	*todo = (struct store_todo){ .computation_id = NULL };
}

static int read_cvm(struct db_rows *row, struct cvm *c, struct err *e)
{
	struct cvm got = { .id = NULL };

	if (db_text(row, 0, &got.id, e) < 0 || db_text(row, 1, &got.agent_state, e) < 0 ||
	    db_text(row, 2, &got.computation_id, e) < 0 || db_text(row, 3, &got.peer, e) < 0 ||
	    db_text(row, 7, &got.verdict, e) < 0 || db_text(row, 9, &got.key, e) < 0 ||
	    db_integer(row, 4, 0, INT64_MAX, &got.first_seen, e) < 0 ||
	    db_integer(row, 5, 0, INT64_MAX, &got.last_seen, e) < 0 ||
	    db_flag(row, 6, &got.verified, e) < 0 ||
	    db_integer(row, 8, 0, INT64_MAX, &got.judged, e) < 0) {
		cvm_done(&got);
		return err_code(e);
	}
	*c = got;
	return 0;
}

int store_cvm(struct store *store, const char *id, struct cvm *c, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(&store->db, &rows, e, "SELECT " CVM_COLUMNS " FROM cvms WHERE id = ?", "t",
		     id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (row == 0)
		return err_set(e, ERR_NOT_FOUND, "no CVM %s has ever connected",
			       log_quote(id).text);
	return read_cvm(rows, c, e);
}

DEFINE_LIST_ROW(cvm_row, struct cvm, 10, read_cvm, cvm_done, NULL);

int store_cvms(struct store *store, const char *after, size_t max, struct cvm *rows, size_t *count,
	       struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	int64_t number = 0;

	if (*after && db_number(&store->db, &number, e, "SELECT number FROM cvms WHERE id = ?", "t",
				after) < 0)
		return err_wrap(e, "the page after %s", log_quote(after).text);
	if (db_query(&store->db, &found, e,
		     "SELECT " CVM_COLUMNS " FROM cvms WHERE number > ? ORDER BY number LIMIT ?",
		     "ii", number, (int64_t)max) < 0)
		return err_code(e);
	return list_rows(&cvm_row, found, max, rows, count, NULL, e);
}

/* ---- what people look for, in an order, page by page ---- */

#define FOUND                                                                                      \
	"FROM cvms WHERE (" LIST_HOLDS("id", "?2") " OR " LIST_HOLDS(                              \
		"agent_state",                                                                     \
		"?2") " OR " LIST_HOLDS("computation",                                             \
					"?2") " OR " LIST_HOLDS("peer",                            \
								"?2") " OR " LIST_HOLDS("verdict", \
											"?2") ")"
#define ORDER(order, column) \
	{ order, LIST_STATEMENTS(CVM_COLUMNS, FOUND, column, "number", "?3", "?4"), NULL }

static const struct list_order_row orders[] = {
	ORDER(LIST_BY_CREATED, "first_seen"),
	ORDER(LIST_BY_CHANGED, "last_seen"),
	ORDER(LIST_BY_NAME, LIST_NAME("id")),
};
const struct list_kind store_cvm_orders = {
	"CVMs", orders, ARRAY_LEN(orders), { LIST_BY_CREATED, true }
};

int store_cvms_find(struct store *store, const struct list_search *search, size_t max,
		    struct cvm *rows, size_t *count, char **next, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	struct list_look l CLEANUP_LIST_LOOK = { .pattern = NULL };

	if (list_look_begin(&store_cvm_orders, search, NULL, 0, &l, e) < 0 ||
	    LIST_ASK(&store->db, &found, &l, max, e, "t", l.pattern) < 0)
		return err_code(e);
	return list_page(&cvm_row, &l, found, max, rows, count, next, e);
}

/* What the CVM holds, if anything. */
static int todo_of(struct store *store, const char *cvm_id, struct store_todo *todo, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct store_todo got CLEANUP_TODO = { .computation_id = NULL };
	int row;

	/* A computation that was removed by force is to be stopped as well. */
	if (db_query(&store->db, &rows, e,
		     "SELECT v.computation, coalesce(c.stopping, 1), coalesce(c.reached, 1),"
		     " coalesce(c.unverified, 0) FROM cvms v"
		     " LEFT JOIN computations c ON c.id = v.computation"
		     " WHERE v.id = ? AND v.computation <> ''",
		     "t", cvm_id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (row > 0) {
		if (db_text(rows, 0, &got.computation_id, e) < 0 ||
		    db_flag(rows, 1, &got.stop, e) < 0 || db_flag(rows, 2, &got.reached, e) < 0 ||
		    db_flag(rows, 3, &got.unverified, e) < 0)
			return err_code(e);
	}
	*todo = got;
	got = (struct store_todo){ .computation_id = NULL };
	return 0;
}

int store_cvm_verdict(struct store *store, const char *id, bool verified, const char *line,
		      struct err *e)
{
	return db_run(&store->db, e,
		      "UPDATE cvms SET verified = ?, verdict = ?, judged = ? WHERE id = ?", "itit",
		      (int64_t)verified, line, store_now(), id);
}

int store_cvm_unproven(struct store *store, const char *id, const char *line, struct err *e)
{
	return db_run(&store->db, e,
		      "UPDATE cvms SET verified = 0, verdict = ?, judged = 0 WHERE id = ?", "tt",
		      line, id);
}

static int denied(const char *id, struct err *e)
{
	return err_set(e, ERR_DENIED,
		       "the name %s is bound to another client certificate's key; "
		       "'cocos-cli cvm release' frees it",
		       log_quote(id).text);
}

/* The key that the name is bound to, "" for none. Returns 1, or 0 if nobody knows the name. */
static int bound_key(struct store *store, const char *id, char **key, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(&store->db, &rows, e, "SELECT key FROM cvms WHERE id = ?", "t", id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row > 0 && db_text(rows, 0, key, e) < 0)
		return err_code(e);
	return row;
}

int store_cvm_reports(struct store *store, const char *id, const char *key, struct err *e)
{
	CLEANUP(free) char *bound = NULL;
	int known = bound_key(store, id, &bound, e);

	if (known < 0)
		return known;
	if (!known)
		return err_set(e, ERR_UNAVAILABLE, "the agent of CVM %s has not connected yet",
			       log_quote(id).text);
	return strcmp(bound, key) == 0 ? 0 : denied(id, e);
}

int store_cvm_release(struct store *store, const char *id, struct err *e)
{
	int64_t changed;

	if (db_change(&store->db, &changed, e, "UPDATE cvms SET key = '' WHERE id = ?", "t", id) <
	    0)
		return err_code(e);
	if (changed == 0)
		return err_set(e, ERR_NOT_FOUND, "no CVM %s has ever connected",
			       log_quote(id).text);
	return 0;
}

int store_cvm_seen(struct store *store, const char *id, const char *peer, const char *key,
		   const char *unproven, bool (*connected)(const char *id, void *data), void *data,
		   struct store_todo *todo, struct err *e)
{
	CLEANUP(free) char *bound = NULL;
	int known = bound_key(store, id, &bound, e);
	int64_t now = store_now();

	if (known < 0)
		return known;
	if (*key && !(known && *bound) && ca_agent_check(&store->db, key, id, now, e) < 0)
		return err_code(e);
	if (known && *bound && strcmp(bound, key) != 0) {
		bool follows;

		if (ca_follows(&store->db, bound, key, now, &follows, e) < 0)
			return err_code(e);
		if (!follows)
			return denied(id, e);
	}
	if (known) {
		if (store_evidence_forget_cvm(store, id, e) < 0 ||
		    db_run(&store->db, e,
			   "UPDATE cvms SET peer = ?, last_seen = ?, verified = 0, verdict = ?,"
			   " judged = 0, key = ? WHERE id = ?",
			   "tittt", peer, now, unproven, key, id) < 0)
			return err_code(e);
	} else if (store_cvm_room(store, key, connected, data, e) < 0 ||
		   db_run(&store->db, e,
			  "INSERT INTO cvms (id, peer, first_seen, last_seen, verdict, key)"
			  " VALUES (?, ?, ?, ?, ?, ?)",
			  "ttiitt", id, peer, now, now, unproven, key) < 0) {
		return err_code(e);
	}
	return todo_of(store, id, todo, e);
}

int store_cvm_here(struct store *store, const char *id, struct err *e)
{
	return db_run(&store->db, e, "UPDATE cvms SET last_seen = ? WHERE id = ?", "it",
		      store_now(), id);
}

/* The computation was given to that CVM, now or before. */
static int check_owner(struct store *store, const char *cvm_id, const char *computation_id,
		       struct err *e)
{
	int64_t given;

	if (db_number(&store->db, &given, e,
		      "SELECT (SELECT count(*) FROM computations WHERE id = ?1 AND cvm = ?2)"
		      " + (SELECT count(*) FROM cvms WHERE id = ?2 AND computation = ?1)",
		      "tt", computation_id, cvm_id) < 0)
		return err_code(e);
	if (!given)
		return err_set(e, ERR_DENIED,
			       "CVM %s speaks of computation %s, which it was never "
			       "given",
			       log_quote(cvm_id).text, log_quote(computation_id).text);
	return 0;
}

static int release(struct store *store, const char *cvm_id, const char *computation_id,
		   struct err *e)
{
	if (db_run(&store->db, e, "UPDATE computations SET stopping = 0 WHERE id = ?", "t",
		   computation_id) < 0)
		return err_code(e);
	if (db_run(&store->db, e,
		   "UPDATE cvms SET computation = '', last_seen = ? WHERE id = ?"
		   " AND computation = ?",
		   "itt", store_now(), cvm_id, computation_id) < 0)
		return err_code(e);
	return usage_turn(&store->db, cvm_id, store_now(), e);
}

/* A stop has left nothing of it there. */
static int cancel(struct store *store, const char *computation_id, struct err *e)
{
	if (db_run(&store->db, e,
		   "UPDATE computations SET state = ?, finished = 1, ended = ? WHERE id = ?"
		   " AND finished = 0",
		   "iit", (int64_t)COMPUTATION_CANCELLED, store_now(), computation_id) < 0)
		return err_code(e);
	return store_tell(&store->db, &store->has_told, computation_id, e);
}

int store_run_answer(struct store *store, const char *cvm_id, const char *computation_id,
		     const struct run_answer *answer, struct err *e)
{
	int64_t now = store_now(), current, changed;

	if (check_owner(store, cvm_id, computation_id, e) < 0 ||
	    store_attempt(store, computation_id, &current, e) < 0)
		return err_code(e);
	/* Sent again, of a run that is over. */
	if (answer->attempt && answer->attempt != current)
		return 0;
	if (db_run(&store->db, e, "UPDATE computations SET notice = ? WHERE id = ?", "tt",
		   answer->notice, computation_id) < 0)
		return err_code(e);
	if (!*answer->error && db_run(&store->db, e,
				      "UPDATE computations SET state = ?, reached = 1 WHERE id = ?"
				      " AND finished = 0 AND state = ?",
				      "iti", (int64_t)COMPUTATION_WAITING_ALGORITHM, computation_id,
				      (int64_t)COMPUTATION_CREATED) < 0)
		return err_code(e);
	if (!*answer->error)
		return store_tell(&store->db, &store->has_told, computation_id, e);
	/* If the agent has accepted it before, this refusal is about a second copy. */
	if (db_change(&store->db, &changed, e,
		      "UPDATE computations SET state = ?, finished = 1, failure = ?, ended = ?"
		      " WHERE id = ? AND finished = 0 AND (reached = 0 OR ? = 1)",
		      "ititi", (int64_t)COMPUTATION_FAILED, answer->error, now, computation_id,
		      (int64_t)answer->is_ours) < 0)
		return err_code(e);
	if (changed == 0)
		return 0;
	return release(store, cvm_id, computation_id, e) < 0
		       ? err_code(e)
		       : store_tell(&store->db, &store->has_told, computation_id, e);
}

int store_attempt(struct store *store, const char *id, int64_t *attempt, struct err *e)
{
	return db_number(&store->db, attempt, e,
			 "SELECT coalesce(max(attempt), 0) FROM computations WHERE id = ?", "t",
			 id);
}

int store_retry(struct store *store, const char *id, struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	int64_t held;

	if (store_computation(store, id, &c, e) < 0 ||
	    db_number(&store->db, &held, e, "SELECT count(*) FROM cvms WHERE computation = ?", "t",
		      id) < 0)
		return err_code(e);
	if (c.state != COMPUTATION_FAILED && c.state != COMPUTATION_CANCELLED)
		return err_set(
			e, ERR_PRECONDITION,
			"computation %s is %s: only one that failed or was cancelled is run again",
			log_quote(id).text, state_words(c.state));
	if (held)
		return err_set(e, ERR_PRECONDITION,
			       "CVM %s still holds computation %s: stop it first",
			       log_quote(c.cvm_id).text, log_quote(id).text);
	if (store_evidence_forget(store, id, e) < 0)
		return err_code(e);
	if (db_run(&store->db, e,
		   "UPDATE computations SET state = ?, agent_state = '', cvm = '', reached = 0,"
		   " stopping = 0, finished = 0, failure = '', notice = '', ended = 0,"
		   " attempt = attempt + 1"
		   " WHERE id = ?",
		   "it", (int64_t)COMPUTATION_CREATED, id) < 0)
		return err_code(e);
	return store_tell(&store->db, &store->has_told, id, e);
}

/* What an agent said before its connection broke may come again, and speaks of the run before. */
static int is_stopping(struct store *store, const char *id, int64_t *stopping, struct err *e)
{
	return db_number(&store->db, stopping, e,
			 "SELECT CASE WHEN count(*) = 0 OR sum(stopping) <> 0 THEN 1 ELSE 0 END"
			 " FROM computations WHERE id = ?",
			 "t", id);
}

int store_stopped(struct store *store, const char *cvm_id, const char *computation_id,
		  struct err *e)
{
	int64_t stopping;

	if (is_stopping(store, computation_id, &stopping, e) < 0)
		return err_code(e);
	if (!stopping)
		return check_owner(store, cvm_id, computation_id, e);
	if (check_owner(store, cvm_id, computation_id, e) < 0 ||
	    release(store, cvm_id, computation_id, e) < 0 ||
	    db_run(&store->db, e,
		   "UPDATE cvms SET agent_state = 'ReceivingManifest' WHERE id = ?"
		   " AND computation = ''",
		   "t", cvm_id) < 0)
		return err_code(e);
	return cancel(store, computation_id, e);
}

/* The agent waits for a manifest although it was given one before: it was restarted. */
static int agent_is_free(struct store *store, const char *cvm_id, struct store_todo *todo,
			 struct err *e)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	if (todo->stop) {
		if (cancel(store, todo->computation_id, e) < 0)
			return err_code(e);
		goto nothing_to_do;
	}
	if (store_computation(store, todo->computation_id, &c, e) < 0)
		return err_code(e);
	if (!c.finished)
		/* It lost what it had, and may refuse this time. */
		return db_run(&store->db, e, "UPDATE computations SET reached = 0 WHERE id = ?",
			      "t", todo->computation_id);
nothing_to_do:
	if (release(store, cvm_id, todo->computation_id, e) < 0)
		return err_code(e);
	store_todo_done(todo);
	return 0;
}

int store_agent_state(struct store *store, const char *cvm_id, const char *state,
		      struct store_todo *todo, struct err *e)
{
	struct store_todo found CLEANUP_TODO = { .computation_id = NULL };
	struct state_change change;

	if (db_run(&store->db, e, "UPDATE cvms SET agent_state = ?, last_seen = ? WHERE id = ?",
		   "tit", state, store_now(), cvm_id) < 0 ||
	    todo_of(store, cvm_id, &found, e) < 0)
		return err_code(e);
	if (found.computation_id && state_is_free(state)) {
		if (agent_is_free(store, cvm_id, &found, e) < 0)
			return err_code(e);
	} else if (found.computation_id && state_of_agent(state, &change)) {
		/* An end that came again was that of the run before: agents leave none but by a stop. */
		if (db_run(&store->db, e,
			   "UPDATE computations SET state = ?1, finished = ?2, agent_state = ?3,"
			   " reached = 1, ended = ?4, failure = CASE finished WHEN 0 THEN failure ELSE '' END"
			   " WHERE id = ?5 AND ((finished = 0 AND (stopping = 0 OR ?2 = 1)) OR"
			   " (stopping = 0 AND ?2 = 0 AND state IN (?6, ?7)))",
			   "iititii", (int64_t)change.state, (int64_t)change.finished, state,
			   change.finished ? store_now() : 0, found.computation_id,
			   (int64_t)COMPUTATION_FAILED, (int64_t)COMPUTATION_CANCELLED) < 0 ||
		    secret_row_settle(&store->db, found.computation_id, e) < 0 ||
		    store_tell(&store->db, &store->has_told, found.computation_id, e) < 0)
			return err_code(e);
		found.reached = true;
	}
	*todo = found;
	found = (struct store_todo){ .computation_id = NULL };
	return 0;
}
