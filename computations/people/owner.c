/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/owner.h"

#include "computations/people/action.h"
#include "computations/people/membership.h"

/* Who can do more than look at what is in its workspace, as `w` and `u`. */
#define ACTS "w.suspended = 0 AND u.suspended = 0"

/* What nobody but ?1 owns who acts: of the workspace ?3, of the computation ?4. */
#define OWNED_ALONE                                                                      \
	" FROM role_members m JOIN workspace_computations h"                             \
	" ON h.computation = m.computation"                                              \
	" WHERE m.person = ?1 AND m.role = ?2 AND (?3 = 0 OR h.workspace = ?3)"          \
	" AND (?4 = '' OR m.computation = ?4)"                                           \
	" AND NOT EXISTS (SELECT 1 FROM role_members o"                                  \
	" JOIN workspace_members w ON w.person = o.person AND w.workspace = h.workspace" \
	" JOIN users u ON u.number = o.person"                                           \
	" WHERE o.computation = m.computation AND o.role = ?2 AND o.person <> ?1"        \
	" AND w.role <> ?5 AND " ACTS ")"

/* Who administers the workspace of `h`, beside ?1. */
#define HEIRS                                                           \
	" FROM workspace_members w JOIN users u ON u.number = w.person" \
	" WHERE w.workspace = h.workspace AND w.person <> ?1 AND w.role = ?6 AND " ACTS

#define HEIR "SELECT w.person" HEIRS " ORDER BY w.joined, w.person LIMIT 1"

#define ARGUMENT_KINDS "itittt"
#define ARGUMENTS                                                                               \
	person, ACTION_OWNER, workspace, computation, membership_rules[MEMBERSHIP_VIEWER].name, \
		MEMBERSHIP_OF_ADMINISTRATOR

int owner_alone(struct db *db, int64_t person, int64_t workspace, const char *computation,
		int64_t *count, struct err *e)
{
	return db_number(db, count, e,
			 "SELECT count(*)" OWNED_ALONE
			 " AND (h.creator IN (0, ?1) OR NOT EXISTS (SELECT 1" HEIRS "))",
			 ARGUMENT_KINDS, ARGUMENTS);
}

void owner_heir_done(struct owner_heir *heir)
{
	free(heir->computation);
	free(heir->user);
	*heir = (struct owner_heir){ .computation = NULL };
}

int owner_heirs(struct db *db, int64_t person, int64_t workspace, const char *computation,
		const char *after, struct owner_heir rows[OWNER_HEIRS_MAX], size_t *count,
		struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	size_t got = 0;
	int row = 0;

	if (db_query(db, &found, e,
		     "SELECT m.computation, (SELECT n.name FROM users n WHERE n.number = "
		     "(" HEIR "))" OWNED_ALONE
		     " AND h.creator NOT IN (0, ?1) AND EXISTS (SELECT 1" HEIRS ")"
		     " AND m.computation > ?7 ORDER BY m.computation LIMIT ?8",
		     ARGUMENT_KINDS "ti", ARGUMENTS, after, (int64_t)OWNER_HEIRS_MAX) < 0)
		return err_code(e);
	while (got < OWNER_HEIRS_MAX && (row = db_next(found, e)) > 0) {
		rows[got] = (struct owner_heir){ .computation = NULL };
		if (db_text(found, 0, &rows[got].computation, e) < 0 ||
		    db_text(found, 1, &rows[got].user, e) < 0) {
			owner_heir_done(&rows[got]);
			row = err_code(e);
			break;
		}
		got++;
	}
	if (row < 0) {
		while (got > 0)
			owner_heir_done(&rows[--got]);
		return row;
	}
	*count = got;
	return 0;
}

int owner_pass_on(struct db *db, int64_t person, int64_t workspace, const char *computation,
		  struct err *e)
{
	return db_run(db, e,
		      "UPDATE role_members SET person = (SELECT (" HEIR
		      ") FROM workspace_computations h"
		      " WHERE h.computation = role_members.computation)"
		      " WHERE person = ?1 AND role = ?2 AND computation IN"
		      " (SELECT m.computation" OWNED_ALONE ")",
		      ARGUMENT_KINDS, ARGUMENTS);
}
