/* SPDX-License-Identifier: Apache-2.0 */
#include "common/db/db_postgres_hold.h"

/* As exclude_others() takes it (db_postgres_link.c): pg_locks has the key's halves. */
#define HELD                                                                                 \
	" FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"    \
	" AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())" \
	" AND (l.classid::bigint << 32 | l.objid::bigint) = hashtextextended(?1::text, 0)"

int db_postgres_holders(struct db *db, const char *schema, int64_t *count, struct err *e)
{
	return db_number(db, count, e, "SELECT count(*)" HELD, "t", schema);
}

int db_postgres_end_holder(struct db *db, const char *schema,
			   const struct db_postgres_holder *holder, int64_t *ended, struct err *e)
{
	return db_number(
		db, ended, e,
		"SELECT count(*) FROM (SELECT pg_terminate_backend(a.pid) AS told"
		" FROM pg_stat_activity a WHERE a.pid IN (SELECT l.pid" HELD ")"
		" AND (a.application_name = ?2::text OR (starts_with(a.application_name, ?3::text)"
		" AND a.backend_start < clock_timestamp() - ?4::bigint * interval '1 millisecond')))"
		" AS t WHERE t.told",
		"ttti", schema, holder->name, holder->kind, holder->older_ms);
}
