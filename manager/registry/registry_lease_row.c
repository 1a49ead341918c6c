/* SPDX-License-Identifier: Apache-2.0 */
/* registry_lease_row.c — rows of leases, read and written in the caller's transaction. */
#include "common/base/log.h"
#include "manager/registry/host_table.h"
#include "manager/registry/registry_lease_state.h"

#include <string.h>

enum column {
	COLUMN_HOST,
	COLUMN_HOLDER,
	COLUMN_URI,
	COLUMN_INSTANCE,
	COLUMN_FENCE,
	COLUMN_UNTIL,
	COLUMN_LEASE,
	COLUMN_VMS_MAX,
};
#define COLUMNS "host, holder, uri, instance, fence, until_ms, lease_ms, vms_max"

static int bad(struct db_rows *rows, const struct registry_lease *row, enum column column,
	       const char *why, struct err *e)
{
	return err_set(e, ERR_DATA_LOSS, "lease of host %s: its %s %s", log_quote(row->host).text,
		       db_column_name(rows, (int)column), why);
}

static int take_text(struct db_rows *rows, const struct registry_lease *row, enum column column,
		     char *out, size_t room, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	size_t len;

	if (db_text(rows, (int)column, &text, e) < 0)
		return e->code == ERR_DATA_LOSS ? bad(rows, row, column, "is no text of ours", e)
						: err_code(e);
	len = strlen(text);
	if (len >= room)
		return bad(rows, row, column, "is too long", e);
	for (size_t i = 0; i < len; i++)
		if (text[i] <= 0x20 || text[i] > 0x7e)
			return bad(rows, row, column, "is no text of ours", e);
	memcpy(out, text, len + 1);
	return 0;
}

static int take_number(struct db_rows *rows, const struct registry_lease *row, enum column column,
		       int64_t min, int64_t max, int64_t *out, struct err *e)
{
	return db_integer(rows, (int)column, min, max, out, e) < 0
		       ? bad(rows, row, column, "is out of range", e)
		       : 0;
}

static int take(struct db_rows *rows, struct registry_lease *row, struct err *e)
{
	if (take_text(rows, row, COLUMN_HOST, row->host, sizeof(row->host), e) < 0 ||
	    take_text(rows, row, COLUMN_HOLDER, row->holder, sizeof(row->holder), e) < 0 ||
	    take_text(rows, row, COLUMN_URI, row->uri, sizeof(row->uri), e) < 0 ||
	    take_number(rows, row, COLUMN_INSTANCE, 0, INT64_MAX, &row->instance, e) < 0 ||
	    take_number(rows, row, COLUMN_FENCE, 1, INT64_MAX - 1, &row->fence, e) < 0 ||
	    take_number(rows, row, COLUMN_UNTIL, 0, INT64_MAX, &row->until_ms, e) < 0 ||
	    take_number(rows, row, COLUMN_LEASE, LEASE_MIN_MS, LEASE_MAX_MS, &row->lease_ms, e) <
		    0 ||
	    take_number(rows, row, COLUMN_VMS_MAX, 1, REGISTRY_ROWS_MAX, &row->vms_max, e) < 0)
		return err_code(e);
	if (!host_name_is_valid(row->host))
		return bad(rows, row, COLUMN_HOST, "is no host's name", e);
	if (!host_name_is_valid(row->holder))
		return bad(rows, row, COLUMN_HOLDER, "is no manager's name", e);
	return 0;
}

/* A server that has one twice says of two managers that each holds it. */
static int check_new(const struct registry_lease *rows, size_t count, struct err *e)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(rows[i].host, rows[count].host) == 0)
			return err_set(e, ERR_DATA_LOSS, "host %s has two leases", rows[i].host);
	return 0;
}

int lease_rows(struct registry *r, struct registry_lease *out, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	size_t n = 0;
	int row;

	if (db_query(&r->db, &rows, e, "SELECT " COLUMNS " FROM lease ORDER BY host", "") < 0)
		return err_code(e);
	while ((row = db_next(rows, e)) > 0) {
		if (n == LEASES_MAX)
			return err_set(e, ERR_DATA_LOSS, "more than %d leases", LEASES_MAX);
		if (take(rows, &out[n], e) < 0 || check_new(out, n, e) < 0)
			return err_code(e);
		n++;
	}
	*count = n;
	return row;
}

int lease_forget(struct registry *r, int64_t now, int64_t fence, struct err *e)
{
	return db_run(&r->db, e,
		      "DELETE FROM lease WHERE until_ms <= ? AND fence < ? AND instance <> ?"
		      " AND NOT EXISTS (SELECT 1 FROM cvm WHERE cvm.host = lease.host)",
		      "iii", now, fence, r->leases->instance);
}

int lease_renew(struct registry *r, const struct registry_lease *row, int64_t until_ms,
		bool *changed, struct err *e)
{
	const struct leases *l = r->leases;
	int64_t count;

	if (db_change(&r->db, &count, e,
		      "UPDATE lease SET until_ms = ?, lease_ms = ?, vms_max = ?"
		      " WHERE host = ? AND instance = ? AND fence = ?",
		      "iiitii", until_ms, l->lease_ms, l->vms_max, row->host, l->instance,
		      row->fence) < 0)
		return err_code(e);
	*changed = count == 1;
	return 0;
}

int lease_take(struct registry *r, const struct registry_lease *row,
	       const struct registry_wish *wish, int64_t fence, int64_t until_ms, bool *changed,
	       struct err *e)
{
	const struct leases *l = r->leases;
	int64_t count;
	int failed;

	if (row)
		failed = db_change(
			&r->db, &count, e,
			"UPDATE lease SET holder = ?, instance = ?, fence = ?, until_ms = ?,"
			" uri = ?, lease_ms = ?, vms_max = ?"
			" WHERE host = ? AND instance = ? AND fence = ?",
			"tiiitiitii", l->name, l->instance, fence, until_ms, wish->uri, l->lease_ms,
			l->vms_max, row->host, row->instance, row->fence);
	else
		failed = db_change(
			&r->db, &count, e,
			"INSERT INTO lease (holder, instance, fence, until_ms, uri, lease_ms,"
			" vms_max, host) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
			"tiiitiit", l->name, l->instance, fence, until_ms, wish->uri, l->lease_ms,
			l->vms_max, wish->host);
	if (failed)
		return failed;
	*changed = count == 1;
	return 0;
}

int lease_must_run(struct registry *r, const char *host, struct err *e)
{
	int64_t now, runs;

	if (!r->leases)
		return 0;
	if (registry_lease_check(r, host, e) < 0 || db_clock(&r->db, &now, e) < 0 ||
	    db_number(&r->db, &runs, e,
		      "SELECT count(*) FROM lease WHERE host = ? AND instance = ? AND fence = ?"
		      " AND until_ms > ?",
		      "tiii", host, r->leases->instance, leases_fence(r->leases, host), now) < 0)
		return err_code(e);
	return runs == 1 ? 0
			 : err_set(e, ERR_UNAVAILABLE,
				   "this manager does not hold host %s any more: nothing was done",
				   host);
}

int lease_must_run_for(struct registry *r, const char *id, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *host = NULL;
	int row;

	if (!r->leases)
		return 0;
	if (db_query(&r->db, &rows, e, "SELECT host FROM cvm WHERE id = ?", "t", id) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	if (!row)
		return err_set(e, ERR_NOT_FOUND, "no CVM '%s'", id);
	return db_text(rows, 0, &host, e) < 0 ? err_code(e) : lease_must_run(r, host, e);
}

int lease_end_all(struct registry *r, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	CLEANUP(free) char *holder = NULL;
	int64_t now;
	int row;

	if (!r->is_server)
		return 0;
	if (db_clock(&r->db, &now, e) < 0 ||
	    db_query(&r->db, &rows, e,
		     "SELECT holder FROM lease WHERE until_ms > ?1 AND until_ms <= ?1 + ?2", "ii",
		     now, (int64_t)LEASE_MAX_MS) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0 || (row && db_text(rows, 0, &holder, e) < 0))
		return err_code(e);
	if (row)
		return err_set(e, ERR_PRECONDITION,
			       "manager %s holds hosts of it by leases: end it, or give this one "
			       "MANAGER_HOSTS without " HOST_LOCAL_URI,
			       log_quote(holder).text);
	return db_run(&r->db, e, "UPDATE lease SET instance = 0, until_ms = 0, fence = fence + 1",
		      "");
}
