/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/store/store_usage.h"

#include "computations/list/list_rows.h"
#include "computations/store/billing_form.h"
#include "computations/store/usage_traffic.h"

#include <stdlib.h>

enum { MIB_SHIFT = 20 };

/* ---- spans ---- */

struct span_row {
	int64_t number, cpus, memory, until; /* number 0: there is none */
};

static int last_span(struct store *store, const char *tag, struct span_row *span, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	struct span_row got = { .number = 0 };
	int row;

	if (db_query(&store->db, &rows, e,
		     "SELECT number, cpus, memory, until FROM usage_spans WHERE machine = ?"
		     " ORDER BY number DESC LIMIT 1",
		     "t", tag) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (row > 0 &&
	    (db_integer(rows, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	     db_integer(rows, 1, 0, MACHINE_CPUS_MAX, &got.cpus, e) < 0 ||
	     db_integer(rows, 2, 0, MACHINE_MEMORY_MAX >> MIB_SHIFT, &got.memory, e) < 0 ||
	     db_integer(rows, 3, 0, INT64_MAX, &got.until, e) < 0))
		return err_code(e);
	*span = got;
	return 0;
}

static int64_t between(int64_t value, int64_t least, int64_t most)
{
	if (value > most)
		value = most;
	return value < least ? least : value;
}

static int64_t or_else(int64_t said, int64_t otherwise)
{
	return said ? said : otherwise;
}

static int begin(struct store *store, const struct machine *m, const struct span_row *span,
		 int64_t since, struct err *e)
{
	return db_run(&store->db, e,
		      "INSERT INTO usage_spans (workspace, called, machine, computation, cpus,"
		      " memory, since, until) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
		      "itttiiii", m->workspace_number, m->workspace, m->tag, m->computation_id,
		      span->cpus, span->memory, since, span->until);
}

int store_usage_seen(struct store *store, int64_t machine, const struct usage_seen *seen,
		     int64_t now, struct err *e)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };
	struct span_row last, next;
	int64_t since;

	if (store_machine_at(store, machine, &m, e) < 0 || last_span(store, m.tag, &last, e) < 0)
		return err_code(e);
	if (!last.number)
		last = (struct span_row){ .cpus = m.cpus, .memory = m.memory >> MIB_SHIFT };
	/* Neither before it was asked for nor behind now, whatever clock its manager has. */
	since = last.number ? last.until
			    : between(or_else(seen->begun, now), m.created,
				      now > m.created ? now : m.created);
	next = (struct span_row){ .cpus = or_else(seen->cpus, last.cpus),
				  .memory = or_else(seen->memory >> MIB_SHIFT, last.memory),
				  .until = between(seen->until, since, now > since ? now : since) };
	if (!last.number || next.cpus != last.cpus || next.memory != last.memory)
		return begin(store, &m, &next, since, e);
	return db_run(&store->db, e, "UPDATE usage_spans SET until = ? WHERE number = ?", "ii",
		      next.until, last.number);
}

/* ---- sums ---- */

void usage_row_done(struct usage_row *row)
{
	free(row->workspace);
	free(row->computation);
	*row = (struct usage_row){ .workspace = NULL };
}

/* Parameters: ?1 to ?2 the month, ?3 the workspace, ?4 the person, ?5 the account. Products of ms and what a CVM can have, and their sums
 * over as many CVMs as there can be at a time, are less than 2^63. */
#define IN_MONTH                                             \
	"((CASE WHEN u.until < ?2 THEN u.until ELSE ?2 END)" \
	" - (CASE WHEN u.since > ?1 THEN u.since ELSE ?1 END))"
#define KIND                                                                      \
	"(CASE WHEN u.computation = '' THEN 0"                                    \
	" WHEN ?4 = 0 OR u.workspace IN (SELECT workspace FROM workspace_members" \
	" WHERE person = ?4 AND role = 'administrator') OR u.computation IN"      \
	" (SELECT computation FROM role_members WHERE person = ?4) THEN 1 ELSE 2 END)"
#define WHOSE                                                                             \
	" AND (?3 = 0 OR u.workspace = ?3) AND (?4 = 0 OR u.workspace IN"                 \
	" (SELECT workspace FROM workspace_members WHERE person = ?4 AND suspended = 0))" \
	" AND (?5 = 0 OR u.workspace IN (" BILLING_PLACES_OF("?5", "?1") "))"
#define OF(MACHINE)                                                                      \
	"SELECT u.workspace AS place, u.called AS called, " MACHINE " AS machine, " KIND \
	" AS kind, CASE " KIND " WHEN 1 THEN u.computation ELSE '' END AS computation, "
/* Of a month that is summed up there may be spans, too: what is left of it (usage_fold.h). */
#define SPANS                                                                                   \
	OF("u.machine")                                                                         \
	IN_MONTH " AS ms, " IN_MONTH " * u.cpus AS cpu_ms, " IN_MONTH                           \
		 " * u.memory / 1000 AS memory_s FROM usage_spans u"                            \
		 " WHERE u.since < ?2 AND u.until > ?1 AND u.until > u.since" WHOSE             \
		 " UNION ALL " OF("u.machine") "u.ms, u.cpu_ms, u.memory_s FROM usage_months u" \
					       " WHERE u.since = ?1" WHOSE
/* What went in and out of no CVM in particular, also of such that no manager made, and what was kept; a row that has none of it,
 * in whole units, says nothing. */
#define TRAFFIC                                                      \
	" FROM usage_traffic u WHERE u.since >= ?1 AND u.since < ?2" \
	" AND (u.bytes_in > 0 OR u.bytes_out > 0 OR u.stored > 1048575)" WHOSE
#define STORED "u.stored / 1048576"
#define ALL                                                                                        \
	"SELECT p.*, 0 AS bytes_in, 0 AS bytes_out, 0 AS stored FROM (" SPANS ") p UNION ALL " OF( \
		"CAST(NULL AS TEXT)") "0, 0, 0, u.bytes_in, u.bytes_out, " STORED TRAFFIC
/* Sums of MiB, and of what is over those: none of them is over 2^63, however many agents lie. */
#define SUM_OF(COLUMN)                                            \
	"CAST(coalesce(sum(" COLUMN " / 1048576), 0) AS BIGINT)," \
	" CAST(coalesce(sum(" COLUMN " % 1048576), 0) AS BIGINT)"
_Static_assert(USAGE_IDLE == 0 && USAGE_OF_COMPUTATION == 1 && USAGE_OF_OTHERS == 2, "in SQL");

/* Of SUM_OF(), which begins in that column. */
static int read_bytes(struct db_rows *rows, int column, int64_t *bytes, struct err *e)
{
	int64_t mib, rest;

	if (db_integer(rows, column, 0, INT64_MAX, &mib, e) < 0 ||
	    db_integer(rows, column + 1, 0, INT64_MAX, &rest, e) < 0)
		return err_code(e);
	*bytes = usage_traffic_sum(mib, rest);
	return 0;
}

static int read_stored(struct db_rows *rows, int column, int64_t *mib_s, struct err *e)
{
	int64_t got;

	if (db_integer(rows, column, 0, INT64_MAX, &got, e) < 0)
		return err_code(e);
	*mib_s = got < USAGE_BYTES_MAX ? got : USAGE_BYTES_MAX;
	return 0;
}

static int read_row(struct db_rows *rows, struct usage_row *out, struct err *e)
{
	struct usage_row got = { .workspace = NULL };
	int64_t kind;

	if (db_integer(rows, 0, 1, INT64_MAX, &got.workspace_number, e) < 0 ||
	    db_integer(rows, 1, 0, USAGE_KINDS - 1, &kind, e) < 0 ||
	    db_flag(rows, 4, &got.is_removed, e) < 0 ||
	    db_integer(rows, 5, 0, INT64_MAX, &got.cvms, e) < 0 ||
	    db_integer(rows, 6, 0, INT64_MAX, &got.cvm_ms, e) < 0 ||
	    db_integer(rows, 7, 0, INT64_MAX, &got.cpu_ms, e) < 0 ||
	    db_integer(rows, 8, 0, INT64_MAX, &got.memory_mib_s, e) < 0 ||
	    read_bytes(rows, 9, &got.bytes_in, e) < 0 ||
	    read_bytes(rows, 11, &got.bytes_out, e) < 0 ||
	    read_stored(rows, 13, &got.storage_mib_s, e) < 0 ||
	    db_text(rows, 2, &got.computation, e) < 0 || db_text(rows, 3, &got.workspace, e) < 0) {
		usage_row_done(&got);
		return err_code(e);
	}
	got.kind = (enum usage_kind)kind;
	*out = got;
	return 0;
}

DEFINE_LIST_ROW(sum_row, struct usage_row, 0, read_row, usage_row_done, NULL);

int store_usage(struct store *store, const struct usage_query *query, struct usage_row *rows,
		size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	const struct usage_after *after = &query->after;

	if (db_query(
		    &store->db, &found, e,
		    "SELECT s.place, s.kind, s.computation, coalesce(min(w.name), max(s.called)),"
		    " CASE WHEN min(w.name) IS NULL THEN 1 ELSE 0 END,"
		    " count(DISTINCT s.machine), CAST(sum(s.ms) AS BIGINT),"
		    " CAST(sum(s.cpu_ms) AS BIGINT), CAST(sum(s.memory_s) AS BIGINT), " SUM_OF("s.bytes_in") ", " SUM_OF(
			    "s.bytes_out") ", CAST(sum(s.stored) AS BIGINT) FROM (" ALL
					   ") s LEFT JOIN workspaces w ON w.number = s.place"
					   " WHERE s.place > ?6 OR (s.place = ?6 AND (s.kind > ?7 OR"
					   " (s.kind = ?7 AND s.computation > ?8)))"
					   " GROUP BY s.place, s.kind, s.computation"
					   " ORDER BY s.place, s.kind, s.computation LIMIT ?9",
		    "iiiiiiiti", query->month->since, query->month->until, query->workspace,
		    query->person, query->account, after->workspace_number, after->kind,
		    after->computation ? after->computation : "", (int64_t)query->max) < 0)
		return err_code(e);
	return list_rows(&sum_row, found, query->max, rows, count, NULL, e);
}

int store_usage_sums(struct store *store, const struct usage_query *query, struct usage_sums *sums,
		     struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	struct usage_sums got;
	int row;

	if (db_query(&store->db, &found, e,
		     "SELECT CAST(coalesce(sum(s.ms), 0) AS BIGINT),"
		     " CAST(coalesce(sum(s.cpu_ms), 0) AS BIGINT),"
		     " CAST(coalesce(sum(s.memory_s), 0) AS BIGINT) FROM (" SPANS ") s",
		     "iiiii", query->month->since, query->month->until, query->workspace,
		     query->person, query->account) < 0)
		return err_code(e);
	row = db_next(found, e);
	if (row < 0)
		return row;
	if (!row)
		return err_set(e, ERR_DATA_LOSS, "the database has no sum of what CVMs ran");
	if (db_integer(found, 0, 0, INT64_MAX, &got.cvm_ms, e) < 0 ||
	    db_integer(found, 1, 0, INT64_MAX, &got.cpu_ms, e) < 0 ||
	    db_integer(found, 2, 0, INT64_MAX, &got.memory_mib_s, e) < 0)
		return err_code(e);
	*sums = got;
	return 0;
}

int store_usage_bytes(struct store *store, const struct usage_query *query,
		      struct usage_bytes *bytes, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	struct usage_bytes got;
	int row;

	if (db_query(&store->db, &found, e,
		     "SELECT " SUM_OF("u.bytes_in") ", " SUM_OF(
			     "u.bytes_out") ", CAST(coalesce(sum(" STORED
					    "), 0) AS BIGINT)" TRAFFIC,
		     "iiiii", query->month->since, query->month->until, query->workspace,
		     query->person, query->account) < 0)
		return err_code(e);
	row = db_next(found, e);
	if (row < 0)
		return row;
	if (!row)
		return err_set(e, ERR_DATA_LOSS, "the database has no sum of bytes");
	if (read_bytes(found, 0, &got.in, e) < 0 || read_bytes(found, 2, &got.out, e) < 0 ||
	    read_stored(found, 4, &got.storage_mib_s, e) < 0)
		return err_code(e);
	*bytes = got;
	return 0;
}
