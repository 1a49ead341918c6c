/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/usage_fold.h"

#include "computations/store/billing_form.h"

/* Parameters: ?1 the month's end, ?2 how many, ?3 its begin, before which no span has run. */
#define SOME                                                                           \
	"number IN (SELECT number FROM usage_spans WHERE until > since AND since < ?1" \
	" ORDER BY since, number LIMIT ?2)"
/* As store_usage.c has them of each span, so that what is rounded is rounded once. */
#define IN_MONTH "((CASE WHEN u.until < ?1 THEN u.until ELSE ?1 END) - u.since)"

/* Its month is the first that stays. */
static int limit_of(int64_t now, unsigned months, int64_t *limit, struct err *e)
{
	struct usage_month month;

	if (months < USAGE_KEEP_LEAST || months > USAGE_KEEP_MOST)
		return err_set(e, ERR_INVALID, "%u months of usage: %d to %d are kept", months,
			       USAGE_KEEP_LEAST, USAGE_KEEP_MOST);
	if (usage_month_parse("", now, &month, e) < 0)
		return err_code(e);
	for (unsigned i = 1; i < months && month.since > 0; i++)
		if (usage_month_parse("", month.since - 1, &month, e) < 0)
			return err_code(e);
	*limit = month.since;
	return 0;
}

/* -1: no span is left. */
static int oldest(struct store *store, int64_t *since, struct err *e)
{
	return db_number(&store->db, since, e,
			 "SELECT coalesce(min(since), -1) FROM usage_spans WHERE until > since",
			 "");
}

static int fold(struct store *store, const struct usage_month *month, size_t max, int64_t *changed,
		struct err *e)
{
	const int64_t most = (int64_t)max;

	if (db_run(&store->db, e,
		   "INSERT INTO usage_months (workspace, called, machine, computation, since, ms,"
		   " cpu_ms, memory_s) SELECT u.workspace, max(u.called), u.machine, u.computation,"
		   " ?3, CAST(sum(" IN_MONTH ") AS BIGINT), CAST(sum(" IN_MONTH
		   " * u.cpus) AS BIGINT), CAST(sum(" IN_MONTH
		   " * u.memory / 1000) AS BIGINT) FROM usage_spans u WHERE " SOME
		   " GROUP BY u.workspace, u.machine, u.computation"
		   " ON CONFLICT (workspace, computation, since, machine) DO UPDATE SET"
		   " ms = usage_months.ms + excluded.ms,"
		   " cpu_ms = usage_months.cpu_ms + excluded.cpu_ms,"
		   " memory_s = usage_months.memory_s + excluded.memory_s,"
		   " called = CASE WHEN excluded.called > usage_months.called"
		   " THEN excluded.called ELSE usage_months.called END",
		   "iii", month->until, most, month->since) < 0 ||
	    db_change(&store->db, changed, e,
		      "UPDATE usage_spans SET since = CASE WHEN until < ?1 THEN until ELSE ?1 END"
		      " WHERE " SOME,
		      "ii", month->until, most) < 0)
		return err_code(e);
	return db_run(&store->db, e,
		      "DELETE FROM usage_spans WHERE number IN (SELECT s.number FROM usage_spans s"
		      " WHERE s.since = s.until AND s.until <= ?1 AND NOT (s.number ="
		      " (SELECT max(number) FROM usage_spans WHERE machine = s.machine) AND"
		      " EXISTS (SELECT 1 FROM machines m WHERE m.tag = s.machine AND m.phase < 3))"
		      " LIMIT ?2)",
		      "ii", month->until, most);
}

int usage_fold(struct store *store, int64_t now, unsigned months, size_t max, size_t *folded,
	       struct err *e)
{
	struct usage_month month;
	int64_t limit, since, changed;

	if (limit_of(now, months, &limit, e) < 0 || oldest(store, &since, e) < 0)
		return err_code(e);
	if (since < 0 || since >= limit) {
		*folded = 0;
		return 0;
	}
	if (usage_month_parse("", since, &month, e) < 0 ||
	    fold(store, &month, max, &changed, e) < 0)
		return err_code(e);
	*folded = (size_t)changed;
	return 0;
}

int usage_is_folded(struct store *store, const struct usage_query *query, bool *is_folded,
		    struct err *e)
{
	int64_t got;

	if (db_number(
		    &store->db, &got, e,
		    "SELECT CASE WHEN EXISTS (SELECT 1 FROM usage_months u WHERE u.since = ?1"
		    " AND (?2 = 0 OR u.workspace = ?2) AND (?3 = 0 OR u.workspace IN"
		    " (SELECT workspace FROM workspace_members WHERE person = ?3 AND suspended = 0))"
		    " AND (?4 = 0 OR u.workspace IN (" BILLING_PLACES_OF("?4",
									 "?1") ")))"
									       " THEN 1 ELSE 0 END",
		    "iiii", query->month->since, query->workspace, query->person,
		    query->account) < 0)
		return err_code(e);
	*is_folded = got != 0;
	return 0;
}
