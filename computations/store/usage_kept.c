/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/usage_kept.h"

#include "computations/store/usage_words.h"

enum { SECOND = 1000 };

/* Of usage_kept.computation: lengths and sums that are there, whatever they are of is not read. */
#define BYTES                                                                             \
	"coalesce((SELECT length(c.manifest)"                                             \
	" + coalesce((SELECT length(s.sealed) FROM secrets s"                             \
	" WHERE s.kind = 'agent' AND s.owner = c.id), 0)"                                 \
	" + coalesce((SELECT length(v.token) + length(v.policy) + length(v.root)"         \
	" + length(v.ak) FROM evidence v WHERE v.of_run = 1 AND v.number = c.number), 0)" \
	" + coalesce((SELECT j.bytes FROM journals j WHERE j.owner = 'c:' || c.id), 0)"   \
	" + coalesce((SELECT max(r.bytes) FROM signed_journals r"                         \
	" WHERE r.computation = c.id), 0)"                                                \
	" FROM computations c WHERE c.id = usage_kept.computation), 0)"

/* Parameters: ?1 the month's begin, ms; ?2 up to where, s; ?3 the most bytes; ?4 the most of a sum; behind them which. */
#define COUNT(WHICH)                                                                  \
	"INSERT INTO usage_traffic (since, workspace, computation, called, bytes_in," \
	" bytes_out, stored) SELECT ?1, w.number, k.computation, w.name, 0, 0,"       \
	" (CASE WHEN k.bytes < ?3 THEN k.bytes ELSE ?3 END)"                          \
	" * (?2 - (CASE WHEN k.looked * 1000 > ?1 THEN k.looked ELSE ?1 / 1000 END))" \
	" FROM usage_kept k JOIN workspace_computations h ON h.computation ="         \
	" k.computation JOIN workspaces w ON w.number = h.workspace"                  \
	" WHERE k.bytes > 0 AND k.looked < ?2 AND k.computation " WHICH               \
	" ON CONFLICT (since, workspace, computation) DO UPDATE SET"                  \
	" called = excluded.called, stored ="                                         \
	" CASE WHEN usage_traffic.stored > ?4 - excluded.stored THEN ?4"              \
	" ELSE usage_traffic.stored + excluded.stored END"
#define DUE(LIMIT, MAX)                                                      \
	"IN (SELECT d.computation FROM usage_kept d WHERE d.looked < " LIMIT \
	" ORDER BY d.looked, d.computation LIMIT " MAX ")"

int usage_kept_begin(struct db *db, const char *id, int64_t now, struct err *e)
{
	if (db_run(db, e, "INSERT INTO usage_kept (computation, bytes, looked) VALUES (?, 0, ?)",
		   "ti", id, now / SECOND) < 0)
		return err_code(e);
	return db_run(db, e, "UPDATE usage_kept SET bytes = " BYTES " WHERE computation = ?", "t",
		      id);
}

/* `*looked` -1: it is not known, or it was so long ago that nothing counts. */
static int last_look(struct db *db, const char *id, int64_t now, int64_t *looked, struct err *e)
{
	return db_number(db, looked, e,
			 "SELECT coalesce(max(looked), -1) FROM usage_kept"
			 " WHERE computation = ? AND looked >= ?",
			 "ti", id, now - USAGE_KEPT_GAP_S);
}

static int64_t lesser(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

int usage_kept_end(struct db *db, const char *id, int64_t now, struct err *e)
{
	int64_t seconds = now / SECOND, looked;

	if (last_look(db, id, seconds, &looked, e) < 0)
		return err_code(e);
	/* As many rounds as that gap has months. */
	while (looked >= 0 && looked < seconds) {
		struct usage_month month;

		if (usage_month_parse("", looked * SECOND, &month, e) < 0)
			return err_code(e);
		looked = lesser(month.until / SECOND, seconds);
		if (db_run(db, e, COUNT("= ?5"), "iiiit", month.since, looked, USAGE_KEPT_BYTES_MAX,
			   INT64_MAX, id) < 0)
			return err_code(e);
	}
	return db_run(db, e, "DELETE FROM usage_kept WHERE computation = ?", "t", id);
}

/* They have been looked at now. */
static int look(struct db *db, int64_t now, int64_t limit, int64_t most, int64_t *changed,
		struct err *e)
{
	return db_change(db, changed, e,
			 "UPDATE usage_kept SET bytes = " BYTES ", looked = ?1"
			 " WHERE computation " DUE("?2", "?3"),
			 "iii", now, limit, most);
}

/* Up to there they are counted, by what the last look has found. */
static int go_on(struct db *db, int64_t until, int64_t limit, int64_t most, int64_t *changed,
		 struct err *e)
{
	return db_change(db, changed, e,
			 "UPDATE usage_kept SET looked = ?1 WHERE computation " DUE("?2", "?3"),
			 "iii", until, limit, most);
}

static int count_due(struct db *db, int64_t oldest, int64_t now, int64_t due, int64_t most,
		     int64_t *changed, struct err *e)
{
	struct usage_month month;
	int64_t until;

	if (usage_month_parse("", oldest * SECOND, &month, e) < 0)
		return err_code(e);
	until = lesser(month.until / SECOND, now);
	due = lesser(due, until);
	if (db_run(db, e, COUNT(DUE("?5", "?6")), "iiiiii", month.since, until,
		   USAGE_KEPT_BYTES_MAX, INT64_MAX, due, most) < 0)
		return err_code(e);
	return (until < now ? go_on : look)(db, until, due, most, changed, e);
}

int usage_kept_look(struct db *db, int64_t now, size_t max, size_t *looked, struct err *e)
{
	const int64_t seconds = now / SECOND, gap = seconds - USAGE_KEPT_GAP_S;
	int64_t oldest, due, changed = 0;
	struct usage_month month;
	int failed = 0;

	if (usage_month_parse("", now, &month, e) < 0 ||
	    db_number(db, &oldest, e, "SELECT coalesce(min(looked), ?) FROM usage_kept", "i",
		      INT64_MAX) < 0)
		return err_code(e);
	due = seconds - USAGE_KEPT_PAUSE_S;
	if (due < month.since / SECOND)
		due = month.since / SECOND;
	if (oldest < gap)
		failed = look(db, seconds, gap, (int64_t)max, &changed, e);
	else if (oldest < due)
		failed = count_due(db, oldest, seconds, due, (int64_t)max, &changed, e);
	if (failed)
		return failed;
	*looked = (size_t)changed;
	return 0;
}
