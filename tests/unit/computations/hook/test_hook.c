/* SPDX-License-Identifier: Apache-2.0 */
/* Webhooks in the database: who has which, what they are told, when it is sent, and when no more is. */
#include "common/db/db_sqlite.h"
#include "computations/hook/hook_delivery.h"
#include "computations/people/workspace.h"
#include "computations/seal/secret_keep.h"
#include "computations/store/store_machine.h"
#include "computations/store/store_queue.h"
#include "computations/store/store_tell.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>

enum { NOW = 1000000, HOUR = 3600 * 1000 };
static const int64_t day = INT64_C(24) * HOUR;
static const struct hook_nets none = { .count = 0 };
#define URL "https://hooks.example.org/x"

static struct db *db_of(struct store_room *f)
{
	return &f->store.db;
}

static int64_t add_for(struct store_room *f, unsigned events)
{
	const struct hook_wish wish = { URL, "for tests", "anna", events };
	char secret[HOOK_SECRET_TEXT_MAX];
	struct hook h;

	assert_ok(hook_add(db_of(f), f->store.secrets, store_room_workspace(f), &wish, &none, NOW,
			   &h, secret, &f->e),
		  f->e);
	assert_int_equal(strncmp(secret, "whsec_", 6), 0);
	return h.number;
}

static struct hook find(struct store_room *f, int64_t number)
{
	struct hook h;

	assert_ok(hook_find(db_of(f), store_room_workspace(f), number, &h, &f->e), f->e);
	return h;
}

static size_t deliver(struct store_room *f, enum hook_event event, int64_t now)
{
	size_t added;

	assert_ok(hook_deliver(db_of(f), store_room_workspace(f), event, "\"x\":1", now, &added,
			       &f->e),
		  f->e);
	return added;
}

/* The one that is due, of a few webhooks; false: none. */
static bool next(struct store_room *f, int64_t now, struct hook_try *t, int64_t *wait)
{
	struct hook_try tries[4];
	int64_t ignored;
	size_t count;

	assert_ok(hook_next(db_of(f), f->store.secrets, now, NULL, 0, 4, tries, &count,
			    wait ? wait : &ignored, &f->e),
		  f->e);
	assert_true(count <= 1);
	if (count)
		*t = tries[0];
	return count > 0;
}

static bool tried(struct store_room *f, const struct hook_try *t, int64_t status, int64_t now)
{
	struct hook_outcome o = { .number = t->number,
				  .webhook = t->webhook,
				  .status = status,
				  .is_taken = status == 200,
				  .is_gone = status == 410 };
	bool disabled;

	snprintf(o.problem, sizeof(o.problem), "status %d", (int)status);
	assert_ok(hook_tried(db_of(f), &o, now, &disabled, &f->e), f->e);
	return disabled;
}

static size_t list(struct store_room *f, int64_t webhook, int64_t before,
		   struct hook_delivery rows[HOOK_PAGE_MAX])
{
	size_t count;

	assert_ok(hook_deliveries(db_of(f), webhook, before, rows, &count, &f->e), f->e);
	return count;
}

/* ---- webhooks ---- */

static void a_workspace_has_some(void **state)
{
	struct store_room *f = *state;
	struct hook rows[HOOKS_MAX], h;
	int64_t first = add_for(f, HOOK_EVENTS_ALL), other;
	char secret[HOOK_SECRET_TEXT_MAX] = "-";
	const struct hook_wish more = { URL, "", "", 1 };
	size_t count;

	h = find(f, first);
	assert_string_equal(h.url, URL);
	assert_string_equal(h.description, "for tests");
	assert_string_equal(h.maker, "anna");
	assert_int_equal(h.events, HOOK_EVENTS_ALL);
	assert_true(h.enabled);
	assert_int_equal(h.created, NOW);
	other = add_for(f, 1);
	assert_ok(hook_list(db_of(f), h.workspace, rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_int_equal(rows[1].number, other);
	assert_refused(hook_find(db_of(f), h.workspace + 1, first, &h, &f->e), f->e, ERR_NOT_FOUND,
		       "no webhook");
	for (count = 2; count < HOOKS_MAX; count++)
		add_for(f, 1);
	assert_refused(hook_add(db_of(f), f->store.secrets, h.workspace, &more, &none, NOW, &h,
				secret, &f->e),
		       f->e, ERR_EXHAUSTED, "has 10 webhooks");
	assert_string_equal(secret, "-");
	assert_ok(hook_delete(db_of(f), first, &f->e), f->e);
	assert_refused(hook_find(db_of(f), h.workspace, first, &h, &f->e), f->e, ERR_NOT_FOUND,
		       "no webhook");
	assert_ok(hook_add(db_of(f), f->store.secrets, h.workspace, &more, &none, NOW, &h, secret,
			   &f->e),
		  f->e);
}

static void what_is_wished_is_judged(void **state)
{
	struct store_room *f = *state;
	char longest[HOOK_DESCRIPTION_MAX + 2], secret[HOOK_SECRET_TEXT_MAX];
	struct hook_wish wish = { "http://hooks.example.org", "", "", 1 };
	int64_t place = store_room_workspace(f);
	struct hook h;

	assert_refused(
		hook_add(db_of(f), f->store.secrets, place, &wish, &none, NOW, &h, secret, &f->e),
		f->e, ERR_INVALID, "http://");
	wish.url = "https://localhost";
	assert_refused(
		hook_add(db_of(f), f->store.secrets, place, &wish, &none, NOW, &h, secret, &f->e),
		f->e, ERR_DENIED, "this machine");
	wish.url = URL;
	wish.events = 0;
	assert_refused(
		hook_add(db_of(f), f->store.secrets, place, &wish, &none, NOW, &h, secret, &f->e),
		f->e, ERR_INVALID, "events");
	wish.events = HOOK_EVENTS_ALL + 1;
	assert_refused(
		hook_add(db_of(f), f->store.secrets, place, &wish, &none, NOW, &h, secret, &f->e),
		f->e, ERR_INVALID, "events");
	wish.events = 1;
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = 0;
	wish.description = longest;
	assert_refused(
		hook_add(db_of(f), f->store.secrets, place, &wish, &none, NOW, &h, secret, &f->e),
		f->e, ERR_INVALID, "201 bytes");
	longest[HOOK_DESCRIPTION_MAX] = 0;
	assert_ok(hook_add(db_of(f), f->store.secrets, place, &wish, &none, NOW, &h, secret, &f->e),
		  f->e);
	wish.description = "a\nb";
	assert_refused(
		hook_add(db_of(f), f->store.secrets, place, &wish, &none, NOW, &h, secret, &f->e),
		f->e, ERR_INVALID, "can't be shown");
	wish.description = "a\xff";
	assert_refused(
		hook_add(db_of(f), f->store.secrets, place, &wish, &none, NOW, &h, secret, &f->e),
		f->e, ERR_INVALID, "can't be shown");
}

static void the_secret_before_signs_for_a_day(void **state)
{
	struct store_room *f = *state;
	int64_t number = add_for(f, HOOK_EVENTS_ALL);
	char secret[HOOK_SECRET_TEXT_MAX];
	struct hook_try first, t;

	deliver(f, HOOK_CVM_LOST, NOW);
	assert_true(next(f, NOW, &first, NULL));
	assert_false(first.has_before);
	assert_ok(hook_rotate(db_of(f), f->store.secrets, number, NOW, secret, &f->e), f->e);
	assert_int_equal(strncmp(secret, "whsec_", 6), 0);
	assert_true(next(f, NOW, &t, NULL));
	assert_true(t.has_before);
	assert_memory_equal(t.before, first.secret, HOOK_SECRET_LEN);
	assert_memory_not_equal(t.secret, first.secret, HOOK_SECRET_LEN);
	assert_true(next(f, NOW + day - 1, &t, NULL));
	assert_true(t.has_before);
	assert_true(next(f, NOW + day, &t, NULL));
	assert_false(t.has_before);
	/* The clock was set back since: it does not sign for years. */
	assert_true(next(f, NOW - 14 * (int64_t)HOUR, &t, NULL));
	assert_false(t.has_before);
}

/* ---- deliveries ---- */

static void who_wants_it_is_told(void **state)
{
	struct store_room *f = *state;
	int64_t all = add_for(f, HOOK_EVENTS_ALL), few = add_for(f, HOOK_EVENT_BIT(HOOK_CVM_LOST)),
		off = add_for(f, HOOK_EVENTS_ALL);
	struct hook_delivery rows[HOOK_PAGE_MAX];
	struct hook_try t;

	assert_ok(hook_enable(db_of(f), off, false, &f->e), f->e);
	assert_int_equal(deliver(f, HOOK_CVM_LOST, NOW), 2);
	assert_int_equal(deliver(f, HOOK_CVM_REMOVED, NOW), 1);
	assert_int_equal(list(f, off, 0, rows), 0);
	assert_int_equal(list(f, few, 0, rows), 1);
	assert_int_equal(rows[0].event, HOOK_CVM_LOST);
	assert_int_equal(list(f, all, 0, rows), 2);
	assert_int_equal(rows[0].event, HOOK_CVM_REMOVED);
	assert_int_equal(rows[0].state, HOOK_WAITING);
	assert_int_equal(rows[0].tries, 0);
	assert_int_equal(strncmp(rows[0].id, "msg_", 4), 0);
	assert_string_not_equal(rows[0].id, rows[1].id);
	assert_int_equal(find(f, all).waiting, 2);
	assert_ok(hook_delete(db_of(f), few, &f->e), f->e);
	assert_true(next(f, NOW, &t, NULL));
	assert_string_equal(t.url, URL);
	assert_string_equal(t.body, "{\"type\":\"cvm.lost\",\"timestamp\":\"1970-01-01T00:16:40Z\","
				    "\"data\":{\"x\":1}}");
}

/* One of each at a time, two of a workspace, and no more than wanted. */
static void busy_ones_are_left_out(void **state)
{
	struct store_room *f = *state;
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };
	const struct hook_wish wish = { URL, "", "", HOOK_EVENTS_ALL };
	int64_t place = store_room_workspace(f), wait;
	struct hook_busy busy[3] = { { add_for(f, HOOK_EVENTS_ALL), place },
				     { add_for(f, HOOK_EVENTS_ALL), place },
				     { add_for(f, HOOK_EVENTS_ALL), place } };
	char secret[HOOK_SECRET_TEXT_MAX];
	struct hook_try tries[4];
	struct hook other;
	size_t count;

	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	assert_ok(workspace_find(db_of(f), "lab", &lab, &f->e), f->e);
	assert_ok(hook_add(db_of(f), f->store.secrets, lab.number, &wish, &none, NOW, &other,
			   secret, &f->e),
		  f->e);
	deliver(f, HOOK_CVM_LOST, NOW);
	deliver(f, HOOK_CVM_LOST, NOW);
	assert_ok(hook_deliver(db_of(f), lab.number, HOOK_CVM_LOST, "", NOW, &count, &f->e), f->e);
	assert_ok(
		hook_next(db_of(f), f->store.secrets, NOW, NULL, 0, 4, tries, &count, &wait, &f->e),
		f->e);
	assert_int_equal(count, 3);
	assert_int_equal(tries[0].webhook, busy[0].webhook);
	assert_int_equal(tries[1].webhook, busy[1].webhook);
	assert_int_equal(tries[2].webhook, other.number);
	assert_int_equal(tries[2].workspace, lab.number);
	assert_int_equal(wait, -1);
	assert_ok(
		hook_next(db_of(f), f->store.secrets, NOW, NULL, 0, 1, tries, &count, &wait, &f->e),
		f->e);
	assert_int_equal(count, 1);
	assert_ok(
		hook_next(db_of(f), f->store.secrets, NOW, busy, 1, 1, tries, &count, &wait, &f->e),
		f->e);
	assert_int_equal(count, 1);
	assert_int_equal(tries[0].webhook, busy[1].webhook);
	assert_ok(hook_next(db_of(f), f->store.secrets, NOW, busy + 1, 2, 4, tries, &count, &wait,
			    &f->e),
		  f->e);
	assert_int_equal(count, 1);
	assert_int_equal(tries[0].webhook, other.number);
	assert_refused(hook_next(db_of(f), f->store.secrets, NOW, busy, 3, HOOK_AT_ONCE_MAX + 1,
				 tries, &count, &wait, &f->e),
		       f->e, ERR_INTERNAL, "at once");
}

/* Who has a thousand that nobody takes has one turn, as who has one. */
static void who_had_a_turn_is_behind_the_others(void **state)
{
	struct store_room *f = *state;
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };
	const struct hook_wish wish = { URL, "", "", HOOK_EVENTS_ALL };
	int64_t hangs = add_for(f, HOOK_EVENTS_ALL), wait;
	char secret[HOOK_SECRET_TEXT_MAX];
	struct hook_delivery rows[HOOK_PAGE_MAX];
	struct hook_try t, first;
	struct hook other;
	size_t count;

	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	assert_ok(workspace_find(db_of(f), "lab", &lab, &f->e), f->e);
	assert_ok(hook_add(db_of(f), f->store.secrets, lab.number, &wish, &none, NOW, &other,
			   secret, &f->e),
		  f->e);
	for (int i = 0; i < 3; i++)
		deliver(f, HOOK_CVM_LOST, NOW);
	assert_ok(hook_deliver(db_of(f), lab.number, HOOK_CVM_LOST, "", NOW + 1, &count, &f->e),
		  f->e);
	assert_ok(hook_next(db_of(f), f->store.secrets, NOW + 2, NULL, 0, 1, &first, &count, &wait,
			    &f->e),
		  f->e);
	assert_int_equal(count, 1);
	assert_int_equal(first.webhook, hangs);
	assert_false(tried(f, &first, 0, NOW + 15000));
	assert_ok(hook_next(db_of(f), f->store.secrets, NOW + 15000, NULL, 0, 1, &t, &count, &wait,
			    &f->e),
		  f->e);
	assert_int_equal(count, 1);
	assert_int_equal(t.webhook, other.number);
	assert_false(tried(f, &t, 200, NOW + 15000));
	/* It is not late for that, and what is due later stays so. */
	assert_ok(hook_next(db_of(f), f->store.secrets, NOW + 15000, NULL, 0, 1, &t, &count, &wait,
			    &f->e),
		  f->e);
	assert_int_equal(count, 1);
	assert_int_equal(t.number, first.number + 1);
	assert_true(wait >= 5000);
	/* A turn is some seconds: what is taken faster leaves the rest where it is, whose rows are not written each time. */
	assert_false(tried(f, &t, 200, NOW + 15100));
	list(f, hangs, 0, rows);
	assert_int_equal(rows[0].state, HOOK_WAITING);
	assert_int_equal(rows[0].due, NOW + 15000);
}

/* ---- what a look costs ---- */

/* Where deliveries are looked for: from place to place in the index of what waits, or in that of one webhook's. */
static bool steps_through_deliveries(const char *step)
{
	if (strncmp(step, "SCAN ", 5) == 0) /* the numbers of webhooks, and what is made of each */
		return strcmp(step, "SCAN waiting") != 0 && strcmp(step, "SCAN w") != 0 &&
		       strcmp(step, "SCAN CONSTANT ROW") != 0;
	return strncmp(step, "SEARCH d ", 9) == 0 && !strstr(step, "webhook_deliveries_waiting") &&
	       !strstr(step, "(webhook=? AND state=?)");
}

static void look(struct store_room *f)
{
	struct hook_try t;

	assert_true(next(f, NOW, &t, NULL)); /* which, one of them, when the next one is */
}

static void a_look_goes_through_no_table(void **state)
{
	struct store_room *f = *state;

	if (store_room_database()) /* its plans depend on how much is there */
		return;
	add_for(f, HOOK_EVENTS_ALL);
	deliver(f, HOOK_CVM_LOST, NOW);
	assert_int_equal(store_room_steps(f, look, steps_through_deliveries), 0);
	/* As it would without that index. */
	assert_ok(db_script(db_of(f), "DROP INDEX webhook_deliveries_waiting", &f->e), f->e);
	assert_true(store_room_steps(f, look, steps_through_deliveries) > 0);
}

/* Of many webhooks some are disabled, some wait for later, some for nothing. */
static void a_look_finds_what_is_due_among_many(void **state)
{
	struct store_room *f = *state;
	int64_t numbers[HOOKS_MAX], wait;
	struct hook_try tries[4], t;
	size_t count;

	for (int i = 0; i < HOOKS_MAX; i++)
		numbers[i] = add_for(f, HOOK_EVENT_BIT(i));
	for (int i = 0; i < HOOKS_MAX; i++)
		if (i != 3)
			for (int k = 0; k < 5; k++)
				deliver(f, (enum hook_event)i, NOW + (i >= 6 ? 1000 * i : 0) + k);
	for (int i = 0; i < 5; i++)
		assert_ok(hook_enable(db_of(f), numbers[i], false, &f->e), f->e);
	assert_ok(hook_next(db_of(f), f->store.secrets, NOW + 4, NULL, 0, 4, tries, &count, &wait,
			    &f->e),
		  f->e);
	assert_int_equal(count, 1);
	assert_int_equal(tries[0].webhook, numbers[5]);
	assert_int_equal(wait, 6000 - 4);
	/* The oldest first, whichever of its webhook is due. */
	t = tries[0];
	tried(f, &t, 500, NOW + 4);
	assert_ok(hook_next(db_of(f), f->store.secrets, NOW + 4, NULL, 0, 4, tries, &count, &wait,
			    &f->e),
		  f->e);
	assert_int_equal(count, 1);
	assert_int_equal(tries[0].number, t.number + 1);
	assert_ok(hook_enable(db_of(f), numbers[5], false, &f->e), f->e);
	assert_ok(hook_next(db_of(f), f->store.secrets, NOW + 4, NULL, 0, 4, tries, &count, &wait,
			    &f->e),
		  f->e);
	assert_int_equal(count, 0);
	assert_int_equal(wait, 6000 - 4);
	for (int i = 6; i < HOOKS_MAX; i++)
		assert_ok(hook_enable(db_of(f), numbers[i], false, &f->e), f->e);
	assert_ok(hook_next(db_of(f), f->store.secrets, NOW + day, NULL, 0, 4, tries, &count, &wait,
			    &f->e),
		  f->e);
	assert_int_equal(count, 0);
	assert_int_equal(wait, -1);
}

static void what_is_taken_is_over(void **state)
{
	struct store_room *f = *state;
	int64_t number = add_for(f, HOOK_EVENTS_ALL);
	struct hook_delivery d;
	struct hook_try t;

	deliver(f, HOOK_CVM_LOST, NOW);
	assert_true(next(f, NOW, &t, NULL));
	assert_false(tried(f, &t, 200, NOW + 7));
	assert_ok(hook_delivery_find(db_of(f), number, t.number, &d, &f->e), f->e);
	assert_int_equal(d.state, HOOK_TAKEN);
	assert_int_equal(d.tries, 1);
	assert_int_equal(d.status, 200);
	assert_int_equal(d.tried, NOW + 7);
	assert_string_equal(d.problem, "");
	assert_int_equal(find(f, number).taken, 1);
	assert_false(next(f, NOW + 100 * day, &t, NULL));
	/* What is said of it twice counts once. */
	assert_false(tried(f, &t, 500, NOW + 8));
	assert_int_equal(find(f, number).taken, 1);
}

/* Pauses grow, and all of them are less than a day, whatever chance adds. */
static void what_fails_is_tried_for_a_day(void **state)
{
	static const int64_t least[HOOK_TRIES - 1] = { 5000,     60000,    300000,   1800000,
						       2 * HOUR, 5 * HOUR, 10 * HOUR };
	struct store_room *f = *state;
	int64_t number = add_for(f, HOOK_EVENTS_ALL), now = NOW, wait;
	struct hook_delivery d;
	char id[HOOK_ID_MAX + 1] = "";
	struct hook_try t;

	deliver(f, HOOK_CVM_LOST, NOW);
	for (unsigned i = 0; i < HOOK_TRIES; i++) {
		assert_true(next(f, now, &t, NULL));
		assert_true(!*id || strcmp(id, t.id) == 0);
		snprintf(id, sizeof(id), "%s", t.id);
		assert_int_equal(tried(f, &t, 500, now), i + 1 == HOOK_TRIES);
		assert_ok(hook_delivery_find(db_of(f), number, t.number, &d, &f->e), f->e);
		assert_int_equal(d.tries, i + 1);
		assert_string_equal(d.problem, "status 500");
		if (i + 1 == HOOK_TRIES)
			break;
		assert_int_equal(d.state, HOOK_WAITING);
		assert_in_range(d.due - now, least[i], least[i] * 5 / 4);
		assert_false(next(f, d.due - 1, &t, &wait));
		assert_int_equal(wait, 1);
		now = d.due;
	}
	assert_int_equal(d.state, HOOK_FAILED);
	assert_true(now - NOW < day);
	/* Nothing was taken meanwhile: it is disabled, and says why. */
	assert_false(find(f, number).enabled);
	assert_non_null(strstr(find(f, number).reason, "was tried 8 times: status 500"));
	assert_int_equal(deliver(f, HOOK_CVM_LOST, now), 0);
	assert_ok(hook_enable(db_of(f), number, true, &f->e), f->e);
	assert_string_equal(find(f, number).reason, "");
	assert_int_equal(deliver(f, HOOK_CVM_LOST, now), 1);
}

static void who_takes_others_is_not_disabled(void **state)
{
	struct store_room *f = *state;
	int64_t number = add_for(f, HOOK_EVENTS_ALL);
	struct hook_try t, other;

	deliver(f, HOOK_CVM_LOST, NOW);
	assert_true(next(f, NOW, &t, NULL));
	for (unsigned i = 0; i < HOOK_TRIES - 1; i++)
		assert_false(tried(f, &t, 500, NOW));
	deliver(f, HOOK_CVM_REMOVED, NOW);
	assert_true(next(f, NOW, &other, NULL));
	assert_int_not_equal(other.number, t.number);
	assert_false(tried(f, &other, 200, NOW));
	assert_false(tried(f, &t, 500, NOW));
	assert_true(find(f, number).enabled);
}

static void who_is_gone_is_disabled_at_once(void **state)
{
	struct store_room *f = *state;
	int64_t number = add_for(f, HOOK_EVENTS_ALL);
	struct hook_delivery d;
	struct hook_try t;

	deliver(f, HOOK_CVM_LOST, NOW);
	deliver(f, HOOK_CVM_REMOVED, NOW);
	assert_true(next(f, NOW, &t, NULL));
	assert_true(tried(f, &t, 410, NOW));
	assert_false(find(f, number).enabled);
	assert_non_null(strstr(find(f, number).reason, "410"));
	assert_ok(hook_delivery_find(db_of(f), number, t.number, &d, &f->e), f->e);
	assert_int_equal(d.state, HOOK_FAILED);
	/* The other one waits, and goes on. */
	assert_false(next(f, NOW, &t, NULL));
	assert_ok(hook_enable(db_of(f), number, true, &f->e), f->e);
	assert_true(next(f, NOW, &t, NULL));
	/* Of one that is deleted nothing is said any more. */
	assert_ok(hook_delete(db_of(f), number, &f->e), f->e);
	assert_false(tried(f, &t, 500, NOW));
}

static void one_is_sent_again_by_hand(void **state)
{
	struct store_room *f = *state;
	int64_t number = add_for(f, HOOK_EVENTS_ALL);
	struct hook_delivery d;
	struct hook_try t, again;

	deliver(f, HOOK_CVM_LOST, NOW);
	assert_true(next(f, NOW, &t, NULL));
	assert_refused(hook_redeliver(db_of(f), number, t.number, NOW, &f->e), f->e,
		       ERR_PRECONDITION, "waits to be sent already");
	tried(f, &t, 500, NOW);
	assert_false(next(f, NOW + 1, &again, NULL));
	assert_ok(hook_redeliver(db_of(f), number, t.number, NOW + 1, &f->e), f->e);
	assert_true(next(f, NOW + 1, &again, NULL));
	assert_ok(hook_delivery_find(db_of(f), number, t.number, &d, &f->e), f->e);
	assert_int_equal(d.tries, 1);
	tried(f, &again, 200, NOW + 1);
	assert_ok(hook_redeliver(db_of(f), number, t.number, NOW + 2, &f->e), f->e);
	assert_true(next(f, NOW + 2, &again, NULL));
	assert_string_equal(again.id, t.id);
	assert_refused(hook_redeliver(db_of(f), number, t.number + 1, NOW, &f->e), f->e,
		       ERR_NOT_FOUND, "the last 100 are kept");
	assert_refused(hook_redeliver(db_of(f), number + 1, t.number, NOW, &f->e), f->e,
		       ERR_NOT_FOUND, "has no delivery");
}

/* A clock that was set back by years does not stop anything for years. */
static void clocks_are_set(void **state)
{
	struct store_room *f = *state;
	struct hook_try t;
	const int64_t later = NOW + 400 * day;

	add_for(f, HOOK_EVENTS_ALL);
	deliver(f, HOOK_CVM_LOST, later);
	assert_true(next(f, later, &t, NULL));
	assert_true(next(f, NOW, &t, NULL));
	tried(f, &t, 500, later);
	assert_false(next(f, later, &t, NULL));
	assert_true(next(f, NOW, &t, NULL));
}

static void the_log_is_bounded(void **state)
{
	struct store_room *f = *state;
	int64_t number = add_for(f, HOOK_EVENTS_ALL), oldest = 0;
	struct hook_delivery rows[HOOK_PAGE_MAX];
	struct hook_try t;
	size_t all = 0, count;
	int64_t before = 0;

	assert_ok(db_begin(db_of(f), &f->e), f->e);
	for (int i = 0; i < HOOK_DELIVERIES_KEPT + 3; i++) {
		deliver(f, HOOK_CVM_LOST, NOW);
		assert_true(next(f, NOW, &t, NULL));
		tried(f, &t, 200, NOW);
		if (i == 2)
			oldest = t.number;
	}
	do {
		count = list(f, number, before, rows);
		all += count;
		if (count)
			before = rows[count - 1].number;
	} while (count == HOOK_PAGE_MAX);
	assert_int_equal(all, HOOK_DELIVERIES_KEPT);
	assert_true(before > oldest);
	for (int i = 0; i < HOOK_WAITING_MAX; i++)
		assert_int_equal(deliver(f, HOOK_CVM_LOST, NOW), 1);
	assert_int_equal(find(f, number).dropped, 0);
	assert_int_equal(deliver(f, HOOK_CVM_LOST, NOW), 0);
	assert_int_equal(deliver(f, HOOK_CVM_LOST, NOW), 0);
	assert_int_equal(find(f, number).dropped, 2);
	assert_int_equal(find(f, number).waiting, HOOK_WAITING_MAX);
	assert_ok(db_commit(db_of(f), &f->e), f->e);
}

/* ---- what is told ---- */

/* Takes what waits, oldest first: "EVENT STATE, EVENT STATE". */
static void check_told(struct store_room *f, const char *wanted)
{
	char text[1024] = "";
	size_t len = 0;
	struct hook_try t;

	while (next(f, store_now(), &t, NULL)) {
		const char *type = strstr(t.body, "\"type\":\"") + 8;
		const char *said = strstr(t.body, "\"state\":\"") + 9;

		len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%.*s %.*s",
					len ? ", " : "", (int)strcspn(type, "\""), type,
					(int)strcspn(said, "\""), said);
		tried(f, &t, 200, NOW);
	}
	assert_string_equal(text, wanted);
}

static void states_of_computations_are_told_once(void **state)
{
	struct store_room *f = *state;
	char *cvm = NULL;
	bool tell;

	store_room_create(f, "before");
	add_for(f, HOOK_EVENTS_ALL);
	store_room_run_on(f, "one", "cvm-1");
	assert_true(f->store.has_told);
	check_told(f, "computation.created Created");
	assert_ok(store_room_answer(f, "cvm-1", "one", ""), f->e);
	assert_ok(store_room_answer(f, "cvm-1", "one", ""), f->e);
	check_told(f, "computation.waiting Waiting for Algorithm");
	store_room_event(f, "cvm-1", "one", "ReceivingData", "InProgress");
	store_room_event(f, "cvm-1", "one", "Running", "InProgress");
	store_room_event(f, "cvm-1", "one", "Running", "InProgress");
	store_room_event(f, "cvm-1", "one", "Running", "Warning");
	check_told(f, "computation.waiting Waiting for Datasets, computation.running Running");
	store_room_event(f, "cvm-1", "one", "ConsumingResults", "Ready");
	store_room_event(f, "cvm-1", "one", "Complete", "Completed");
	check_told(f, "computation.completed Completed");
	f->store.has_told = false;
	assert_ok(store_stop(&f->store, "before", &tell, &f->e), f->e);
	check_told(f, "computation.cancelled Cancelled");
	assert_true(f->store.has_told);
	assert_ok(store_remove(&f->store, "before", false, &cvm, &f->e), f->e);
	free(cvm);
	check_told(f, "computation.removed Removed");
}

static void a_run_that_failed_is_told_again(void **state)
{
	struct store_room *f = *state;

	add_for(f, HOOK_EVENTS_ALL);
	store_room_run_on(f, "one", "cvm-1");
	assert_ok(store_room_answer(f, "cvm-1", "one", "no"), f->e);
	check_told(f, "computation.created Created, computation.failed Failed");
	assert_ok(store_retry(&f->store, "one", &f->e), f->e);
	check_told(f, "computation.waiting Created");
	assert_ok(store_assign(&f->store, "one", "cvm-1", false, &f->e), f->e);
	assert_ok(store_room_answer(f, "cvm-1", "one", "no"), f->e);
	check_told(f, "computation.failed Failed");
}

static int64_t add_machine(struct store_room *f, const char *name)
{
	const struct machine_quota quota = MACHINE_QUOTA_NONE;
	const struct machine wish = { .workspace_number = store_room_workspace(f),
				      .name = (char *)(uintptr_t)name,
				      .manager = (char *)(uintptr_t)"north",
				      .tag = (char *)(uintptr_t)name,
				      .image = (char *)(uintptr_t)"i",
				      .tee = (char *)(uintptr_t)"" };
	int64_t number;

	assert_ok(store_machine_add(&f->store, &wish, &quota, &number, &f->e), f->e);
	return number;
}

static void machines_are_told(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *failed = NULL, *other = NULL;
	int64_t one, two;

	add_for(f, HOOK_EVENTS_ALL);
	one = add_machine(f, "one");
	two = add_machine(f, "two");
	check_told(f, "");
	assert_ok(store_machine_made(&f->store, one, "cvm-1", "a:1", &f->e), f->e);
	assert_ok(store_machine_made(&f->store, one, "cvm-1", "a:2", &f->e), f->e);
	check_told(f, "cvm.made Ready");
	assert_ok(store_machine_gone(&f->store, one, MACHINE_LOST, "x", &failed, &f->e), f->e);
	assert_ok(store_machine_gone(&f->store, two, MACHINE_REMOVED, "x", &other, &f->e), f->e);
	check_told(f, "cvm.lost Lost, cvm.removed Removed");
	assert_ok(store_machine_gone(&f->store, two, MACHINE_REMOVED, "x", &other, &f->e), f->e);
	check_told(f, "");
}

static void tell_usage(struct store_room *f, bool spent, const char *month)
{
	assert_ok(store_tell_usage(db_of(f), &f->store.has_told, store_room_workspace(f), spent,
				   month, &f->e),
		  f->e);
}

static void usage_is_told_once_a_month(void **state)
{
	struct store_room *f = *state;

	add_for(f, HOOK_EVENTS_ALL);
	tell_usage(f, false, "2026-11");
	tell_usage(f, false, "2026-11");
	check_told(f, "usage.warning Nearly reached");
	tell_usage(f, true, "2026-11");
	tell_usage(f, true, "2026-11");
	check_told(f, "usage.limit Reached");
	tell_usage(f, false, "2026-12");
	check_told(f, "usage.warning Nearly reached");
	/* The clock goes back over the month's end, and on again. */
	tell_usage(f, false, "2026-11");
	tell_usage(f, true, "2026-11");
	tell_usage(f, false, "2026-12");
	check_told(f, "");
}

/* What was there before there were webhooks was not told, and is not told later. */
static void older_computations_count_as_told(void **state)
{
	struct store_room *f = *state;
	bool tell;

	store_room_create(f, "one");
	store_room_age(f, 28);
	add_for(f, HOOK_EVENTS_ALL);
	assert_ok(store_tell(db_of(f), &f->store.has_told, "one", &f->e), f->e);
	assert_ok(store_tell(db_of(f), &f->store.has_told, "nobody", &f->e), f->e);
	check_told(f, "");
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	check_told(f, "computation.cancelled Cancelled");
}

/* Rows that this program would not have written. */
static void damaged_rows_are_refused(void **state)
{
	static const struct {
		const char *sql, *word;
	} rows[] = {
		{ "UPDATE webhooks SET events = 0", "events" },
		{ "UPDATE webhooks SET enabled = 2", "enabled" },
	};
	struct store_room *f = *state;
	int64_t number = add_for(f, HOOK_EVENTS_ALL);
	struct hook h;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(db_begin(db_of(f), &f->e), f->e);
		assert_ok(db_run(db_of(f), &f->e, rows[i].sql, ""), f->e);
		assert_refused(hook_find(db_of(f), store_room_workspace(f), number, &h, &f->e),
			       f->e, ERR_DATA_LOSS, rows[i].word);
		db_rollback(db_of(f));
	}
}

/* Nothing of it is signed any more until it has another one, and others go on. */
static void one_whose_secret_is_gone_is_disabled(void **state)
{
	static const struct {
		const char *sql, *reason;
	} rows[] = {
		{ "UPDATE secrets SET key = '', sealed = NULL WHERE owner = ?", "secret is gone" },
		{ "UPDATE secrets SET key = '0011' WHERE owner = ?", "which is not open" },
		{ "UPDATE secrets SET sealed = '' WHERE owner = ?",
		  "the webhook's secret: database" },
		{ "DELETE FROM secrets WHERE owner = ?", "without its secret" },
		{ "UPDATE secrets SET kind = 'totp' WHERE owner = ?", "without its secret" },
	};
	struct store_room *f = *state;
	const int64_t other = add_for(f, HOOK_EVENTS_ALL), number = add_for(f, HOOK_EVENTS_ALL);
	char secret[HOOK_SECRET_TEXT_MAX];
	struct hook_try tries[4];
	int64_t wait;
	size_t count;

	deliver(f, HOOK_CVM_LOST, NOW);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		assert_ok(db_run(db_of(f), &f->e, rows[i].sql, "t", secret_owner_of(number).text),
			  f->e);
		assert_ok(hook_next(db_of(f), f->store.secrets, NOW, NULL, 0, 4, tries, &count,
				    &wait, &f->e),
			  f->e);
		assert_int_equal(count, 1);
		assert_int_equal(tries[0].webhook, other);
		assert_int_equal(wait, 0);
		assert_false(find(f, number).enabled);
		assert_non_null(strstr(find(f, number).reason, rows[i].reason));
		/* With another one it goes on; what can't be opened signs nothing. */
		assert_ok(hook_rotate(db_of(f), f->store.secrets, number, NOW, secret, &f->e),
			  f->e);
		assert_ok(hook_enable(db_of(f), number, true, &f->e), f->e);
		assert_ok(hook_next(db_of(f), f->store.secrets, NOW, NULL, 0, 4, tries, &count,
				    &wait, &f->e),
			  f->e);
		assert_int_equal(count, 2);
		assert_false(tries[0].has_before || tries[1].has_before);
	}
}

static int64_t kept(struct store_room *f)
{
	int64_t count;

	assert_ok(db_number(db_of(f), &count, &f->e, "SELECT count(*) FROM secrets", ""), f->e);
	return count;
}

static void secrets_go_with_their_webhooks(void **state)
{
	const struct hook_wish wish = { URL, "for tests", "anna", HOOK_EVENTS_ALL };
	struct store_room *f = *state;
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };
	const int64_t number = add_for(f, HOOK_EVENTS_ALL);
	char secret[HOOK_SECRET_TEXT_MAX];
	struct hook h;

	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	assert_ok(workspace_find(db_of(f), "lab", &lab, &f->e), f->e);
	assert_ok(hook_add(db_of(f), f->store.secrets, lab.number, &wish, &none, NOW, &h, secret,
			   &f->e),
		  f->e);
	assert_ok(hook_rotate(db_of(f), f->store.secrets, h.number, NOW, secret, &f->e), f->e);
	assert_ok(hook_rotate(db_of(f), f->store.secrets, number, NOW, secret, &f->e), f->e);
	assert_int_equal(kept(f), 4);
	assert_ok(workspace_remove(db_of(f), "lab", &f->e), f->e);
	assert_int_equal(kept(f), 2);
	assert_ok(hook_delete(db_of(f), number, &f->e), f->e);
	assert_int_equal(kept(f), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(a_workspace_has_some),
		STORE_ROOM_ROW(what_is_wished_is_judged),
		STORE_ROOM_ROW(the_secret_before_signs_for_a_day),
		STORE_ROOM_ROW(who_wants_it_is_told),
		STORE_ROOM_ROW(busy_ones_are_left_out),
		STORE_ROOM_ROW(who_had_a_turn_is_behind_the_others),
		STORE_ROOM_ROW(a_look_goes_through_no_table),
		STORE_ROOM_ROW(a_look_finds_what_is_due_among_many),
		STORE_ROOM_ROW(what_is_taken_is_over),
		STORE_ROOM_ROW(what_fails_is_tried_for_a_day),
		STORE_ROOM_ROW(who_takes_others_is_not_disabled),
		STORE_ROOM_ROW(who_is_gone_is_disabled_at_once),
		STORE_ROOM_ROW(one_is_sent_again_by_hand),
		STORE_ROOM_ROW(clocks_are_set),
		STORE_ROOM_ROW(the_log_is_bounded),
		STORE_ROOM_ROW(states_of_computations_are_told_once),
		STORE_ROOM_ROW(a_run_that_failed_is_told_again),
		STORE_ROOM_ROW(machines_are_told),
		STORE_ROOM_ROW(usage_is_told_once_a_month),
		STORE_ROOM_ROW(older_computations_count_as_told),
		STORE_ROOM_ROW(damaged_rows_are_refused),
		STORE_ROOM_ROW(one_whose_secret_is_gone_is_disabled),
		STORE_ROOM_ROW(secrets_go_with_their_webhooks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
