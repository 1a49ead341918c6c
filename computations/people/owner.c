/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/owner.h"

#include "computations/people/action.h"
#include "computations/people/membership.h"

int owner_alone(struct db *db, int64_t person, int64_t workspace, const char *computation,
		int64_t *count, struct err *e)
{
	return db_number(
		db, count, e,
		"SELECT count(*) FROM role_members m"
		" JOIN workspace_computations h ON h.computation = m.computation"
		" WHERE m.person = ?1 AND m.role = ?2 AND (?3 = 0 OR h.workspace = ?3)"
		" AND (?4 = '' OR m.computation = ?4)"
		" AND NOT EXISTS (SELECT 1 FROM role_members o"
		" JOIN workspace_members w ON w.person = o.person AND w.workspace = h.workspace"
		" JOIN users u ON u.number = o.person"
		" WHERE o.computation = m.computation AND o.role = ?2 AND o.person <> ?1"
		" AND w.role <> ?5 AND w.suspended = 0 AND u.suspended = 0)",
		"itit"
		"t",
		person, ACTION_OWNER, workspace, computation,
		membership_rules[MEMBERSHIP_VIEWER].name);
}
