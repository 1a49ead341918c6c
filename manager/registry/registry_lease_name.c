/* SPDX-License-Identifier: Apache-2.0 */
/*
 * registry_lease_name.c — rows of managers, who has which name, read and written in the caller's transaction.
 *
 * A row keeps out another process of that name, no more: what may be done to a host, its lease alone says. So a row that
 * is wrong (the database's clock was set back) costs nobody a host that a lease gives him.
 */
#include "common/base/log.h"
#include "common/base/timestamp.h"
#include "manager/registry/host_table.h"
#include "manager/registry/registry_lease_state.h"

#include <inttypes.h>
#include <string.h>

enum { FORGET_MS = 24 * 3600 * 1000 }; /* after its end */

enum column {
	COLUMN_NAME,
	COLUMN_INSTANCE,
	COLUMN_MACHINE,
	COLUMN_PLACE,
	COLUMN_PID,
	COLUMN_STARTED,
	COLUMN_UNTIL,
};
#define COLUMNS "name, instance, machine, place, pid, started_ms, until_ms"

void registry_manager_text(const struct registry_manager *m, char text[MANAGER_TEXT_MAX])
{
	char since[TIMESTAMP_TEXT_MAX], until[TIMESTAMP_TEXT_MAX];

	timestamp_format(m->started_ms / 1000, since);
	timestamp_format(m->until_ms / 1000, until);
	snprintf(text, MANAGER_TEXT_MAX,
		 "process %" PRId64 " of machine %s, started %s, there until %s at least", m->pid,
		 m->machine, since, until);
}

/* ---- rows ---- */

static int bad(struct db_rows *rows, const struct registry_manager *m, enum column column,
	       struct err *e)
{
	return err_set(e, ERR_DATA_LOSS, "manager %s: its %s is none of ours",
		       log_quote(m->name).text, db_column_name(rows, (int)column));
}

static int take_text(struct db_rows *rows, const struct registry_manager *m, enum column column,
		     char *out, size_t room, struct err *e)
{
	CLEANUP(free) char *text = NULL;
	size_t len;

	if (db_text(rows, (int)column, &text, e) < 0)
		return e->code == ERR_DATA_LOSS ? bad(rows, m, column, e) : err_code(e);
	len = strlen(text);
	if (len >= room)
		return bad(rows, m, column, e);
	for (size_t i = 0; i < len; i++)
		if (text[i] <= 0x20 || text[i] > 0x7e)
			return bad(rows, m, column, e);
	memcpy(out, text, len + 1);
	return 0;
}

static int take_number(struct db_rows *rows, const struct registry_manager *m, enum column column,
		       int64_t max, int64_t *out, struct err *e)
{
	return db_integer(rows, (int)column, 0, max, out, e) < 0 ? bad(rows, m, column, e) : 0;
}

static int take(struct db_rows *rows, struct registry_manager *m, struct err *e)
{
	*m = (struct registry_manager){ .runs = false };
	if (take_text(rows, m, COLUMN_NAME, m->name, sizeof(m->name), e) < 0 ||
	    take_text(rows, m, COLUMN_MACHINE, m->machine, sizeof(m->machine), e) < 0 ||
	    take_text(rows, m, COLUMN_PLACE, m->place, sizeof(m->place), e) < 0 ||
	    take_number(rows, m, COLUMN_INSTANCE, INT64_MAX, &m->instance, e) < 0 ||
	    take_number(rows, m, COLUMN_PID, INT32_MAX, &m->pid, e) < 0 ||
	    take_number(rows, m, COLUMN_STARTED, INT64_MAX, &m->started_ms, e) < 0 ||
	    take_number(rows, m, COLUMN_UNTIL, INT64_MAX, &m->until_ms, e) < 0)
		return err_code(e);
	return host_name_is_valid(m->name) ? 0 : bad(rows, m, COLUMN_NAME, e);
}

/* Further ahead than any lease lasts, it is no manager's word. */
static bool runs(const struct registry_manager *m, int64_t now)
{
	return m->until_ms > now && m->until_ms - now <= LEASE_MAX_MS;
}

int manager_find(struct registry *r, int64_t now, struct registry_manager *m, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(&r->db, &rows, e, "SELECT " COLUMNS " FROM manager WHERE name = ?", "t",
		     r->leases->name) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (take(rows, m, e) < 0)
		return err_code(e);
	m->runs = runs(m, now);
	return 1;
}

/* ---- the name ---- */

static int go_on(struct registry *r, int64_t now, struct err *e)
{
	return db_run(&r->db, e, "UPDATE manager SET until_ms = ? WHERE name = ? AND instance = ?",
		      "iti", now + r->leases->lease_ms, r->leases->name, r->leases->instance);
}

/* Whoever had it has ended, or is over its time. Names that nobody has had for a day make place. */
static int take_name(struct registry *r, int64_t now, struct err *e)
{
	const struct leases *l = r->leases;
	int64_t count;

	if (db_run(&r->db, e, "DELETE FROM manager WHERE name = ? OR until_ms < ?", "ti", l->name,
		   now - FORGET_MS) < 0 ||
	    db_number(&r->db, &count, e, "SELECT count(*) FROM manager", "") < 0)
		return err_code(e);
	if (count >= MANAGERS_MAX)
		return err_set(e, ERR_EXHAUSTED, "%d managers are recorded, which is the limit",
			       MANAGERS_MAX);
	return db_run(&r->db, e, "INSERT INTO manager (" COLUMNS ") VALUES (?, ?, ?, ?, ?, ?, ?)",
		      "tittiii", l->name, l->instance, l->machine, l->place, l->pid, now,
		      now + l->lease_ms);
}

/* In this place there is one manager at a time, and it is this one. */
static bool was_here(const struct registry *r, const struct registry_manager *m)
{
	return *m->place && strcmp(m->place, r->leases->place) == 0;
}

int manager_claim(struct registry *r, int64_t now, bool *mine, struct registry_manager *other,
		  struct err *e)
{
	int known = manager_find(r, now, other, e);

	if (known < 0)
		return err_code(e);
	*mine = true;
	if (known && other->instance == r->leases->instance)
		return go_on(r, now, e);
	if (known && other->runs && !was_here(r, other)) {
		*mine = false;
		return 0;
	}
	if (known && was_here(r, other) && /* its leases wait for nothing */
	    db_run(&r->db, e, "UPDATE lease SET until_ms = 0 WHERE instance = ?", "i",
		   other->instance) < 0)
		return err_code(e);
	return take_name(r, now, e);
}

static int refuse(const struct registry *r, const struct registry_manager *other, struct err *e)
{
	char text[MANAGER_TEXT_MAX];

	registry_manager_text(other, text);
	return err_set(e, ERR_PRECONDITION,
		       "another manager is called %s: %s: end it, or give this one another "
		       "MANAGER_LEASE_NAME",
		       r->leases->name, text);
}

static int start(struct registry *r, void *data, struct err *e)
{
	struct registry_manager other;
	int64_t now;
	bool mine;

	if (db_clock(&r->db, &now, e) < 0 || manager_claim(r, now, &mine, &other, e) < 0)
		return err_code(e);
	return mine ? 0 : refuse(r, &other, e);
}

int manager_start(struct registry *r, struct err *e)
{
	return r->leases ? registry_write(r, start, NULL, e) : 0;
}

int manager_leave(struct registry *r, struct err *e)
{
	return db_run(&r->db, e, "DELETE FROM manager WHERE instance = ?", "i",
		      r->leases->instance);
}

/* Said once, by whom it has the name: a manager that was stopped for longer than its time, and another one began. */
void manager_tell(struct registry *r, const struct registry_manager *other)
{
	struct err e;

	if (r->leases->told == other->instance)
		return;
	r->leases->told = other->instance;
	(void)!refuse(r, other, &e);
	log_error("%s: this one holds no host until then", e.text);
}
