/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/hook/hook_delivery.h"

#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/base/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ID_BYTES = 16 };

static const char *const states[HOOK_STATES] = {
	[HOOK_WAITING] = "waiting",
	[HOOK_TAKEN] = "taken",
	[HOOK_FAILED] = "failed",
};

const char *hook_state_name(enum hook_state state)
{
	return (unsigned)state < HOOK_STATES ? states[state] : "unknown";
}

/* ---- new ones ---- */

static int make_id(char id[HOOK_ID_MAX + 1], struct err *e)
{
	uint8_t bytes[ID_BYTES];
	char hex[2 * ID_BYTES + 1];

	if (random_bytes(bytes, sizeof(bytes), e) < 0)
		return err_code(e);
	hex_encode(bytes, sizeof(bytes), hex);
	snprintf(id, HOOK_ID_MAX + 1, "msg_%s", hex);
	return 0;
}

/* Standard Webhooks, "Payload structure". */
static int make_body(enum hook_event event, const char *data, int64_t now, char **body,
		     struct err *e)
{
	char time[TIMESTAMP_TEXT_MAX];

	timestamp_format(now / 1000, time);
	if (text_format(body, e, "{\"type\":\"%s\",\"timestamp\":\"%s\",\"data\":{%s}}",
			hook_event_name(event), time, data) < 0)
		return err_code(e);
	if (strlen(*body) <= HOOK_BODY_MAX)
		return 0;
	free(*body);
	*body = NULL;
	return err_set(e, ERR_INTERNAL, "an event of more than %d bytes", HOOK_BODY_MAX);
}

static int add_one(struct db *db, int64_t webhook, enum hook_event event, const char *body,
		   int64_t now, size_t *added, struct err *e)
{
	char id[HOOK_ID_MAX + 1];
	int64_t waiting;

	if (db_number(db, &waiting, e,
		      "SELECT count(*) FROM webhook_deliveries WHERE webhook = ? AND state = 0",
		      "i", webhook) < 0)
		return err_code(e);
	if (waiting >= HOOK_WAITING_MAX)
		return db_run(db, e, "UPDATE webhooks SET dropped = dropped + 1 WHERE number = ?",
			      "i", webhook);
	if (make_id(id, e) < 0 ||
	    db_run(db, e,
		   "INSERT INTO webhook_deliveries (webhook, id, event, body, created, due)"
		   " VALUES (?, ?, ?, ?, ?, ?)",
		   "ititii", webhook, id, (int64_t)event, body, now, now) < 0)
		return err_code(e);
	(*added)++;
	return 0;
}

static int wanting(struct db *db, int64_t workspace, enum hook_event event,
		   int64_t numbers[HOOKS_MAX], size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	size_t got = 0;
	int row = 0;

	if (db_query(db, &rows, e,
		     "SELECT number FROM webhooks WHERE workspace = ?1 AND enabled = 1"
		     " AND (events / ?2) % 2 = 1 ORDER BY number LIMIT ?3",
		     "iii", workspace, (int64_t)HOOK_EVENT_BIT(event), (int64_t)HOOKS_MAX) < 0)
		return err_code(e);
	while (got < HOOKS_MAX && (row = db_next(rows, e)) > 0)
		if (db_integer(rows, 0, 1, INT64_MAX, &numbers[got++], e) < 0)
			return err_code(e);
	*count = got;
	return row < 0 ? row : 0;
}

int hook_deliver(struct db *db, int64_t workspace, enum hook_event event, const char *data,
		 int64_t now, size_t *added, struct err *e)
{
	CLEANUP(free) char *body = NULL;
	int64_t numbers[HOOKS_MAX];
	size_t count, got = 0;

	if (wanting(db, workspace, event, numbers, &count, e) < 0 ||
	    make_body(event, data, now, &body, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < count; i++)
		if (add_one(db, numbers[i], event, body, now, &got, e) < 0)
			return err_code(e);
	*added = got;
	return 0;
}

/* ---- the log ---- */

#define COLUMNS                                                                                 \
	"SELECT number, webhook, id, event, created, state, tries, due, tried, status, problem" \
	" FROM webhook_deliveries "

static int read_row(struct db_rows *row, struct hook_delivery *d, struct err *e)
{
	struct hook_delivery got = { .number = 0 };
	int64_t event, state, tries;

	if (db_integer(row, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	    db_integer(row, 1, 1, INT64_MAX, &got.webhook, e) < 0 ||
	    hook_copy_text(row, 2, got.id, sizeof(got.id), e) < 0 ||
	    db_integer(row, 3, 0, HOOK_EVENTS - 1, &event, e) < 0 ||
	    db_integer(row, 4, 0, INT64_MAX, &got.created, e) < 0 ||
	    db_integer(row, 5, 0, HOOK_STATES - 1, &state, e) < 0 ||
	    db_integer(row, 6, 0, HOOK_TRIES, &tries, e) < 0 ||
	    db_integer(row, 7, 0, INT64_MAX, &got.due, e) < 0 ||
	    db_integer(row, 8, 0, INT64_MAX, &got.tried, e) < 0 ||
	    db_integer(row, 9, 0, 999, &got.status, e) < 0 ||
	    hook_copy_text(row, 10, got.problem, sizeof(got.problem), e) < 0)
		return err_code(e);
	got.event = (enum hook_event)event;
	got.state = (enum hook_state)state;
	got.tries = (unsigned)tries;
	*d = got;
	return 0;
}

int hook_deliveries(struct db *db, int64_t webhook, int64_t before,
		    struct hook_delivery rows[HOOK_PAGE_MAX], size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *found = NULL;
	size_t got = 0;
	int row = 0;

	if (db_query(db, &found, e,
		     COLUMNS "WHERE webhook = ? AND number < ? ORDER BY number DESC LIMIT ?", "iii",
		     webhook, before ? before : INT64_MAX, (int64_t)HOOK_PAGE_MAX) < 0)
		return err_code(e);
	while (got < HOOK_PAGE_MAX && (row = db_next(found, e)) > 0)
		if (read_row(found, &rows[got++], e) < 0)
			return err_code(e);
	*count = got;
	return row < 0 ? row : 0;
}

int hook_delivery_find(struct db *db, int64_t webhook, int64_t number, struct hook_delivery *d,
		       struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e, COLUMNS "WHERE webhook = ? AND number = ?", "ii", webhook,
		     number) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row < 0)
		return row;
	return row ? read_row(rows, d, e)
		   : err_set(e, ERR_NOT_FOUND,
			     "webhook %lld has no delivery %lld, or no longer: the last %d are kept",
			     (long long)webhook, (long long)number, HOOK_DELIVERIES_KEPT);
}

int hook_redeliver(struct db *db, int64_t webhook, int64_t number, int64_t now, struct err *e)
{
	struct hook_delivery d;

	if (hook_delivery_find(db, webhook, number, &d, e) < 0)
		return err_code(e);
	/* One that waits is sent now: its tries stay counted. */
	if (d.state == HOOK_WAITING && d.tries == 0)
		return err_set(e, ERR_PRECONDITION, "delivery %lld waits to be sent already",
			       (long long)number);
	if (d.state == HOOK_WAITING)
		return db_run(db, e, "UPDATE webhook_deliveries SET due = ? WHERE number = ?", "ii",
			      now, number);
	return db_run(
		db, e,
		"UPDATE webhook_deliveries SET state = 0, tries = 0, due = ? WHERE number = ?",
		"ii", now, number);
}
