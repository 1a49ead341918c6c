/* SPDX-License-Identifier: Apache-2.0 */
/* hook_send.c — which deliveries (hook_delivery.h) are to be tried now, and what came of a try. */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "computations/hook/hook_delivery.h"
#include "computations/seal/secret_keep.h"

#include <stdio.h>
#include <string.h>

#define SECONDS INT64_C(1000)
#define MINUTES (60 * SECONDS)
#define HOURS   (60 * MINUTES)

/* Behind each try that was not the last; up to a quarter more of each is chance, so that what failed together does not
 * come back together. With all of it less than a day. */
static const int64_t pauses[HOOK_TRIES - 1] = { 5 * SECONDS, 1 * MINUTES, 5 * MINUTES, 30 * MINUTES,
						2 * HOURS,   5 * HOURS,   10 * HOURS };
#define PAUSE_MAX (13 * HOURS)
#define TURN      (5 * SECONDS)

/* ---- what is due ---- */

static int read_try(struct db_rows *row, int64_t now, struct hook_try *t, struct err *e)
{
	struct hook_try got = { .number = 0 };
	int64_t ends;

	if (db_integer(row, 0, 1, INT64_MAX, &got.number, e) < 0 ||
	    db_integer(row, 1, 1, INT64_MAX, &got.webhook, e) < 0 ||
	    hook_copy_text(row, 2, got.url, sizeof(got.url), e) < 0 ||
	    hook_copy_text(row, 3, got.id, sizeof(got.id), e) < 0 ||
	    hook_copy_text(row, 4, got.body, sizeof(got.body), e) < 0 ||
	    db_integer(row, 5, 0, INT64_MAX, &ends, e) < 0 ||
	    db_integer(row, 6, 1, INT64_MAX, &got.workspace, e) < 0)
		return err_code(e);
	/* An end that lies further ahead was said before the clock was set back. */
	got.has_before = ends > now && ends - now <= HOOK_ROTATED_MS;
	*t = got;
	return 0;
}

/* Whether one more of that webhook may be under way beside these. */
static bool may_go(const struct hook_busy *one, const struct hook_busy *busy, size_t count)
{
	size_t here = 0;

	for (size_t i = 0; i < count; i++) {
		if (busy[i].webhook == one->webhook)
			return false;
		here += busy[i].workspace == one->workspace;
	}
	return here < HOOK_AT_ONCE_PLACE;
}

/* Which webhooks have something that waits: from one to the next in the index of what waits (hook_form.h), past all that
 * waits of each, so that it is no matter how much that is. */
#define WAITING_BEHIND(number)                                                                  \
	"(SELECT d.webhook FROM webhook_deliveries d WHERE d.state = 0 AND d.webhook > " number \
	" ORDER BY d.webhook, d.due LIMIT 1)"
#define WAITING                                                             \
	"WITH RECURSIVE waiting (webhook) AS ("                             \
	" SELECT " WAITING_BEHIND("0") " UNION ALL SELECT " WAITING_BEHIND( \
		"waiting.webhook") " FROM waiting WHERE waiting.webhook IS NOT NULL) "
#define OF_WAITING \
	" FROM waiting CROSS JOIN webhooks h WHERE h.number = waiting.webhook AND h.enabled = 1"
#define DUE_OF(which) \
	"(SELECT " which " FROM webhook_deliveries d WHERE d.webhook = h.number AND d.state = 0"

/* The webhooks that have something due, which waited longest first. Whatever a workspace with some under way has in front,
 * others' are behind that within the limit. */
static int due(struct db *db, int64_t now, const struct hook_busy *busy, size_t busy_count,
	       struct hook_busy *all, size_t max, size_t *count, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	size_t got = 0;
	int row = 0;

	if (busy_count)
		memcpy(all, busy, busy_count * sizeof(*busy));
	if (db_query(
		    db, &rows, e,
		    WAITING
		    "SELECT number, workspace FROM (SELECT h.number, h.workspace,"
		    " " DUE_OF(
			    "min(d.due)") ") AS first,"
					  " " DUE_OF(
						  "max(d.due)") ") AS last" OF_WAITING ") AS w"
								" WHERE first <= ?1 OR last > ?2 ORDER BY first, number LIMIT ?3",
		    "iii", now, now + PAUSE_MAX, (int64_t)((busy_count + max) * HOOKS_MAX)) < 0)
		return err_code(e);
	while (got < max && (row = db_next(rows, e)) > 0) {
		struct hook_busy *one = &all[busy_count + got];

		if (db_integer(rows, 0, 1, INT64_MAX, &one->webhook, e) < 0 ||
		    db_integer(rows, 1, 1, INT64_MAX, &one->workspace, e) < 0)
			return err_code(e);
		got += may_go(one, all, busy_count + got);
	}
	*count = got;
	return row < 0 ? row : 0;
}

/* Its oldest that is due. */
static int find_try(struct db *db, int64_t webhook, int64_t now, struct hook_try *t, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT d.number, d.webhook, h.url, d.id, d.body, h.before_ends,"
		     " h.workspace FROM webhook_deliveries d"
		     " JOIN webhooks h ON h.number = d.webhook WHERE d.webhook = ?1 AND d.state = 0"
		     " AND (d.due <= ?2 OR d.due > ?3) ORDER BY d.number LIMIT 1",
		     "iii", webhook, now, now + PAUSE_MAX) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row < 0 ? row : err_set(e, ERR_INTERNAL, "database: a delivery vanished");
	return read_try(rows, now, t, e);
}

static int open_secrets(struct db *db, const struct secret_key *secrets, struct hook_try *t,
			struct err *e)
{
	const struct secret_owner owner = secret_owner_of(t->webhook);
	int found = secret_get_exactly(db, secrets, &secret_webhook, owner.text, t->secret,
				       sizeof(t->secret), e);

	if (found == 0)
		return err_set(e, ERR_DATA_LOSS, "database: a webhook without its secret");
	if (found > 0 && t->has_before)
		found = secret_get_exactly(db, secrets, &secret_webhook_before, owner.text,
					   t->before, sizeof(t->before), e);
	t->has_before &= found > 0;
	return found < 0 ? found : 0;
}

/* 1: it can be tried; 0: it can't be signed, nor what else waits of that webhook, which is disabled. */
static int take_try(struct db *db, const struct secret_key *secrets, int64_t webhook, int64_t now,
		    struct hook_try *t, struct err *e)
{
	char reason[HOOK_REASON_MAX + 1];
	struct err why;

	if (find_try(db, webhook, now, t, e) < 0)
		return err_code(e);
	if (open_secrets(db, secrets, t, &why) == 0)
		return 1;
	if (why.code != ERR_PRECONDITION && why.code != ERR_DATA_LOSS) {
		*e = why;
		return err_code(e);
	}
	log_warn("webhook %lld is disabled: %s", (long long)webhook, why.text);
	snprintf(reason, sizeof(reason), "%.*s", HOOK_REASON_MAX, why.text);
	return hook_disable_for(db, webhook, reason, e);
}

int hook_next(struct db *db, const struct secret_key *secrets, int64_t now,
	      const struct hook_busy *busy, size_t busy_count, size_t max, struct hook_try *tries,
	      size_t *count, int64_t *wait, struct err *e)
{
	struct hook_busy all[2 * HOOK_AT_ONCE_MAX];
	size_t got = 0, taken = 0;
	int64_t first;

	if (max > HOOK_AT_ONCE_MAX || busy_count > HOOK_AT_ONCE_MAX)
		return err_set(e, ERR_INTERNAL, "more than %d at once", HOOK_AT_ONCE_MAX);
	if (due(db, now, busy, busy_count, all, max, &got, e) < 0)
		return err_code(e);
	for (size_t i = 0; i < got; i++) {
		int one = take_try(db, secrets, all[busy_count + i].webhook, now, &tries[taken], e);

		if (one < 0)
			return one;
		taken += (size_t)one;
	}
	/* Of those that are due, and could not be taken, their senders say when they are done. */
	if (db_number(db, &first, e,
		      WAITING "SELECT CAST(coalesce(min(next), -1) AS BIGINT) FROM (SELECT " DUE_OF(
			      "min(d.due)") " AND d.due > ?1) AS next" OF_WAITING ") AS w",
		      "i", now) < 0)
		return err_code(e);
	/* In the place of one that was disabled another one may go. */
	*wait = taken < got ? 0 : first < 0 ? -1 : first - now;
	*count = taken;
	return 0;
}

/* ---- what came of it ---- */

static int64_t pause_behind(unsigned tries)
{
	int64_t pause = pauses[tries - 1];
	uint16_t chance = 0;
	struct err ignored;

	if (random_bytes(&chance, sizeof(chance), &ignored) < 0)
		chance = 0;
	return pause + pause / 4 * chance / UINT16_MAX;
}

struct standing {
	int64_t tries, taken_before, taken;
};

/* 0: it is not there any more. */
static int find_standing(struct db *db, int64_t number, struct standing *s, struct err *e)
{
	CLEANUP(db_rows_free) struct db_rows *rows = NULL;
	int row;

	if (db_query(db, &rows, e,
		     "SELECT d.tries, d.taken_before, h.taken FROM webhook_deliveries d"
		     " JOIN webhooks h ON h.number = d.webhook WHERE d.number = ? AND d.state = 0",
		     "i", number) < 0)
		return err_code(e);
	row = db_next(rows, e);
	if (row <= 0)
		return row;
	if (db_integer(rows, 0, 0, HOOK_TRIES, &s->tries, e) < 0 ||
	    db_integer(rows, 1, 0, INT64_MAX, &s->taken_before, e) < 0 ||
	    db_integer(rows, 2, 0, INT64_MAX, &s->taken, e) < 0)
		return err_code(e);
	return 1;
}

static int trim(struct db *db, int64_t webhook, struct err *e)
{
	return db_run(db, e,
		      "DELETE FROM webhook_deliveries WHERE webhook = ?1 AND state <> 0"
		      " AND number NOT IN (SELECT number FROM webhook_deliveries"
		      " WHERE webhook = ?1 AND state <> 0 ORDER BY number DESC LIMIT ?2)",
		      "ii", webhook, (int64_t)HOOK_DELIVERIES_KEPT);
}

/* Nothing at all was taken between the first try of one and its last, which are most of a day apart: nobody is there. */
static int disable(struct db *db, const struct hook_outcome *o, struct err *e)
{
	char reason[HOOK_REASON_MAX + 1];

	if (o->is_gone)
		snprintf(reason, sizeof(reason), "its receiver answers 410: it wants no more");
	else
		snprintf(reason, sizeof(reason),
			 "nothing was taken while delivery %lld was tried %d times: %s",
			 (long long)o->number, HOOK_TRIES, o->problem);
	return hook_disable_for(db, o->webhook, reason, e);
}

/* What else waits of this webhook comes behind whatever is due by now, whoever's it is: it had its turn, and the length of its
 * queue is no reason for others to wait. One that is taken from fast writes that down now and then, not each time. */
static int give_way(struct db *db, int64_t webhook, int64_t now, struct err *e)
{
	return db_run(db, e,
		      "UPDATE webhook_deliveries SET due = ?1 WHERE webhook = ?2 AND state = 0"
		      " AND due < ?3",
		      "iii", now, webhook, now - TURN);
}

int hook_tried(struct db *db, const struct hook_outcome *o, int64_t now, bool *disabled,
	       struct err *e)
{
	struct standing s = { .tries = 0 };
	enum hook_state state;
	int found = find_standing(db, o->number, &s, e);
	bool ends;

	if (found < 0)
		return found;
	*disabled = false;
	if (!found)
		return 0;
	if (!s.tries)
		s.taken_before = s.taken;
	s.tries = s.tries < HOOK_TRIES ? s.tries + 1 : HOOK_TRIES;
	ends = o->is_taken || o->is_gone || s.tries == HOOK_TRIES;
	state = o->is_taken ? HOOK_TAKEN : ends ? HOOK_FAILED : HOOK_WAITING;
	if (db_run(db, e,
		   "UPDATE webhook_deliveries SET state = ?, tries = ?, due = ?, tried = ?,"
		   " status = ?, problem = ?, taken_before = ? WHERE number = ?",
		   "iiiiitii", (int64_t)state, s.tries,
		   ends ? now : now + pause_behind((unsigned)s.tries), now, o->status,
		   o->is_taken ? "" : o->problem, s.taken_before, o->number) < 0)
		return err_code(e);
	if (o->is_taken && db_run(db, e, "UPDATE webhooks SET taken = taken + 1 WHERE number = ?",
				  "i", o->webhook) < 0)
		return err_code(e);
	if (give_way(db, o->webhook, now, e) < 0 || (ends && trim(db, o->webhook, e) < 0))
		return err_code(e);
	if (!o->is_gone && (o->is_taken || !ends || s.taken != s.taken_before))
		return 0;
	*disabled = true;
	return disable(db, o, e);
}
