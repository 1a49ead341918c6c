/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_machine_claim.h"

#include "common/base/log.h"

#include <string.h>

/* Whatever could be a UUID: managers call CVMs nothing else (machine_said.h). */
#define ID_LIKE "'________-____-____-____-____________'"

int store_machine_claim_doubts(struct store *store, const char *cvm_id, const char *computation,
			       bool *doubts, struct err *e)
{
	int64_t strange;

	/* One that is to be removed before its manager has answered is made all the same. */
	if (db_number(&store->db, &strange, e,
		      "SELECT count(*) FROM cvms v JOIN machines m ON m.created <= v.first_seen"
		      " WHERE v.id = ?1 AND v.first_seen > ?3 AND v.id LIKE " ID_LIKE
		      " AND m.phase < 3 AND m.cvm = ''"
		      " AND (m.run > 0 OR m.workspace NOT IN (SELECT workspace"
		      " FROM workspace_computations WHERE computation = ?2))"
		      " AND NOT EXISTS (SELECT 1 FROM machines WHERE cvm = ?1)",
		      "tti", cvm_id, computation, store_now() - MACHINE_DOUBT_MS) < 0)
		return err_code(e);
	*doubts = strange != 0;
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
