/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_machine_run.h"

#include "common/base/file.h"
#include "common/base/log.h"
#include "computations/store/store_tell.h"

#include <string.h>

/* The number and attempt of a computation. */
static int read_run(struct store *store, const char *id, int64_t *number, int64_t *attempt,
		    struct err *e)
{
	if (db_number(&store->db, number, e,
		      "SELECT coalesce(max(number), 0) FROM computations WHERE id = ?", "t",
		      id) < 0)
		return err_code(e);
	return store_attempt(store, id, attempt, e);
}

int store_machine_run_check(struct store *store, const char *computation, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *name = NULL;
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT m.name FROM machines m JOIN computations c ON c.number = m.run"
		     " AND c.attempt = m.attempt WHERE c.id = ? AND m.run > 0 AND m.phase < 3",
		     "t", computation) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (db_text(rows, 0, &name, e) < 0)
		return err_code(e);
	return err_set(
		e, ERR_PRECONDITION,
		"CVM %s is being made for computation %s: wait for it, or stop the computation",
		name, log_quote(computation).text);
}

int store_machine_run_add(struct store *store, const char *computation, struct machine *wish,
			  const struct machine_quota *quota, int64_t *number, struct err *e)
{
	if (store_check_new(store, computation, e) < 0 ||
	    store_machine_run_check(store, computation, e) < 0 ||
	    read_run(store, computation, &wish->run, &wish->attempt, e) < 0)
		return err_code(e);
	return store_machine_add(store, wish, quota, number, e);
}

int store_machine_is_of_run(struct store *store, const char *cvm_id, int64_t *made, struct err *e)
{
	return db_number(&store->db, made, e,
			 "SELECT count(*) FROM machines WHERE cvm = ? AND run > 0", "t", cvm_id);
}

/* ---- its turns ---- */

static int leave(struct store *store, const struct machine *m, enum machine_turn *turn,
		 struct err *e)
{
	if (store_machine_leave(store, m->number, true, e) < 0)
		return err_code(e);
	*turn = MACHINE_TURN_LEFT;
	return 0;
}

/* What it lacks, for people. */
static int say_why(const struct machine *m, const struct machine_agent *agent,
		   const struct cvm *cvm, char **why, struct err *e)
{
	const bool is_unproven =
		agent->must_verify && !m->unverified && m->is_seen && !cvm->verified;

	return text_format(why, e, "CVM %s, made for it, did not take it within %d minutes: %s%s",
			   m->name, MACHINE_RUN_WAIT_MIN,
			   is_unproven   ? "it has not proven what it is: "
			   : *m->reason  ? m->reason
			   : !m->is_seen ? "its agent has not connected"
					 : "its agent is not connected, or not free",
			   is_unproven ? cvm->verdict : "");
}

static int give_up(struct store *store, const struct machine *m, const struct machine_agent *agent,
		   const struct cvm *cvm, struct err *e)
{
	CLEANUP(free) char *why = NULL;

	if (say_why(m, agent, cvm, &why, e) < 0)
		return err_code(e);
	if (db_run(&store->db, e,
		   "UPDATE computations SET state = ?, finished = 1, failure = ?, ended = ?"
		   " WHERE number = ?",
		   "itii", (int64_t)COMPUTATION_FAILED, why, store_now(), m->run) < 0)
		return err_code(e);
	return store_tell(&store->db, &store->has_told, m->run_id, e);
}

/* As any other CVM would have to be. */
static bool can_take(const struct machine *m, const struct machine_agent *agent,
		     const struct cvm *cvm)
{
	return m->phase == MACHINE_MADE && agent->is_connected && !*cvm->computation_id &&
	       (!*cvm->agent_state || state_is_free(cvm->agent_state)) &&
	       (!agent->must_verify || m->unverified || cvm->verified);
}

/* It waits for its CVM. */
static int await(struct store *store, const struct machine *m, const struct machine_agent *agent,
		 enum machine_turn *turn, struct err *e)
{
	struct cvm cvm CLEANUP_CVM = { .id = NULL };

	if (m->is_seen && store_cvm(store, m->cvm_id, &cvm, e) < 0)
		return err_code(e);
	if (m->is_seen && can_take(m, agent, &cvm)) {
		*turn = MACHINE_TURN_GIVEN;
		return store_assign(store, m->run_id, m->cvm_id, m->unverified, e);
	}
	if (store_now() - m->created < MACHINE_RUN_WAIT_MS)
		return 0;
	if (give_up(store, m, agent, &cvm, e) < 0)
		return err_code(e);
	return leave(store, m, turn, e);
}

/* Its results wait in it. */
static int keep(struct store *store, const struct machine *m, enum machine_turn *turn,
		struct err *e)
{
	if (!m->results)
		return db_run(&store->db, e, "UPDATE machines SET results = ? WHERE number = ?",
			      "ii", store_now(), m->number);
	return store_now() - m->results < m->keep_ms ? 0 : leave(store, m, turn, e);
}

static int take_turn(struct store *store, const struct machine *m,
		     const struct machine_agent *agent, enum machine_turn *turn, struct err *e)
{
	switch (m->stands) {
	case MACHINE_RUN_WAITS:
		return await(store, m, agent, turn, e);
	case MACHINE_RUN_HELD:
		return 0;
	case MACHINE_RUN_RESULTS:
		return keep(store, m, turn, e);
	case MACHINE_RUN_DONE:
		return store_now() - m->run_ended < MACHINE_LINGER_MS ? 0
								      : leave(store, m, turn, e);
	case MACHINE_RUN_OVER:
	case MACHINE_RUNS:
	default:
		return leave(store, m, turn, e);
	}
}

int store_machine_turn(struct store *store, int64_t number, const struct machine_agent *agent,
		       enum machine_turn *turn, char **computation, struct err *e)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };

	*turn = MACHINE_TURN_NONE;
	*computation = NULL;
	if (store_machine_at(store, number, &m, e) < 0)
		return err_code(e);
	if (!m.run || m.phase >= MACHINE_LEAVING)
		return 0;
	if (take_turn(store, &m, agent, turn, e) < 0)
		return err_code(e);
	if (*turn != MACHINE_TURN_NONE && m.stands == MACHINE_RUN_WAITS)
		*computation = TAKE_PTR(m.run_id);
	return 0;
}
