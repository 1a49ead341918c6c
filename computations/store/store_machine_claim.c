/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_machine_claim.h"

#include "common/base/log.h"

#include <stdlib.h>
#include <string.h>

/* Whatever could be a UUID: managers call CVMs nothing else (machine_said.h). */
#define ID_LIKE "'________-____-____-____-____________'"

/* CVM v came while a machine was being made that the computation ?1 would not get. One that is to be removed before its
 * manager has answered is made all the same. */
#define IN_DOUBT                                                                \
	" v.first_seen > ?2 AND v.id LIKE " ID_LIKE                             \
	" AND EXISTS (SELECT 1 FROM machines m WHERE m.created <= v.first_seen" \
	" AND m.phase < 3 AND m.cvm = ''"                                       \
	" AND (m.run > 0 OR m.workspace NOT IN (SELECT workspace"               \
	" FROM workspace_computations WHERE computation = ?1)))"                \
	" AND NOT EXISTS (SELECT 1 FROM machines k WHERE k.cvm = v.id)"

int store_machine_claim_doubts(struct store *store, const char *cvm_id, const char *computation,
			       bool *doubts, struct err *e)
{
	int64_t strange;

	if (db_number(&store->db, &strange, e,
		      "SELECT count(*) FROM cvms v WHERE v.id = ?3 AND" IN_DOUBT, "tit",
		      computation, store_now() - MACHINE_DOUBT_MS, cvm_id) < 0)
		return err_code(e);
	*doubts = strange != 0;
	return 0;
}

void store_free_cvms_done(struct store_free_cvms *found)
{
	free(found->one);
	*found = (struct store_free_cvms){ .one = NULL };
}

/* The row's, if it is one that counts. */
static int count_free(struct db_rows *row, bool (*connected)(const char *id, void *data),
		      void *data, struct store_free_cvms *found, struct err *e)
{
	CLEANUP(free) char *id = NULL, *agent_state = NULL;
	bool doubts;

	if (db_text(row, 0, &id, e) < 0 || db_text(row, 1, &agent_state, e) < 0 ||
	    db_flag(row, 2, &doubts, e) < 0)
		return err_code(e);
	if ((*agent_state && !state_is_free(agent_state)) || !connected(id, data))
		return 0;
	if (doubts)
		found->doubted++;
	else if (found->count++ == 0)
		found->one = TAKE_PTR(id);
	return 0;
}

int store_machine_claim_free(struct store *store, const char *computation,
			     bool (*connected)(const char *id, void *data), void *data,
			     struct store_free_cvms *found, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct store_free_cvms got CLEANUP_FREE_CVMS = { .one = NULL };
	int row;

	/* Whose each is, as store_machine_check() has it. */
	if (db_query(&store->db, &rows, e,
		     "SELECT v.id, v.agent_state, CASE WHEN" IN_DOUBT " THEN 1 ELSE 0 END"
		     " FROM cvms v WHERE v.computation = ''"
		     " AND NOT EXISTS (SELECT 1 FROM machines o WHERE o.cvm = v.id"
		     " AND (o.run > 0 OR o.workspace NOT IN (SELECT workspace"
		     " FROM workspace_computations WHERE computation = ?1)))",
		     "ti", computation, store_now() - MACHINE_DOUBT_MS) < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0)
		if (count_free(rows, connected, data, &got, e) < 0)
			return err_code(e);
	if (row < 0)
		return row;
	*found = got;
	got.one = NULL;
	return 0;
}

/* What was given to it since it connected: by who administers the service, or later than it was in doubt. */
static int check_held(struct store *store, const struct machine *m, const char *cvm_id,
		      struct err *e)
{
	int64_t strange;

	if (db_number(&store->db, &strange, e,
		      "SELECT count(*) FROM cvms WHERE id = ?1 AND computation <> ''"
		      " AND (?2 > 0 OR computation NOT IN (SELECT computation"
		      " FROM workspace_computations WHERE workspace = ?3))",
		      "tii", cvm_id, m->run, m->workspace_number) < 0)
		return err_code(e);
	if (!strange)
		return 0;
	return err_set(
		e, ERR_DENIED,
		"manager %s names CVM %s, which was given another computation meanwhile: it is "
		"not believed until that one is over",
		m->manager, log_quote(cvm_id).text);
}

int store_machine_claim_check(struct store *store, const struct machine *m, const char *cvm_id,
			      struct err *e)
{
	int64_t others;

	if (db_number(&store->db, &others, e,
		      "SELECT (SELECT count(*) FROM machines WHERE cvm = ?1 AND number <> ?2)"
		      " + (SELECT count(*) FROM cvms WHERE id = ?1 AND first_seen < ?3)",
		      "tii", cvm_id, m->number, m->created) < 0)
		return err_code(e);
	if (others || (*m->cvm_id && strcmp(m->cvm_id, cvm_id) != 0))
		return err_set(e, ERR_DENIED,
			       "manager %s names CVM %s, which is another one: it is not believed",
			       m->manager, log_quote(cvm_id).text);
	return *m->cvm_id ? 0 : check_held(store, m, cvm_id, e);
}
