/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/usage_turn.h"

/* Of one that is not gone (store_machine.h). */
#define LAST_OF_CVM                                              \
	"(SELECT max(number) FROM usage_spans WHERE machine IN " \
	"(SELECT tag FROM machines WHERE cvm = ?1 AND phase < 3))"

int usage_turn(struct db *db, const char *cvm_id, int64_t now, struct err *e)
{
	if (db_run(db, e,
		   "UPDATE usage_spans SET until = ?2 WHERE number = " LAST_OF_CVM
		   " AND until < ?2",
		   "ti", cvm_id, now) < 0)
		return err_code(e);
	return db_run(db, e,
		      "INSERT INTO usage_spans (workspace, called, machine, computation, cpus,"
		      " memory, since, until) SELECT u.workspace, u.called, u.machine,"
		      " v.computation, u.cpus, u.memory, u.until, u.until FROM usage_spans u"
		      " JOIN cvms v ON v.id = ?1"
		      " WHERE u.number = " LAST_OF_CVM " AND u.computation <> v.computation",
		      "t", cvm_id);
}
