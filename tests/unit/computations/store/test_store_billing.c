/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts: whom they pay for, from which month on, what all of that is together, and what webhooks are told of it. */
#include "computations/hook/hook.h"
#include "computations/people/workspace.h"
#include "computations/store/store_billing.h"
#include "computations/store/usage_fold.h"
#include "computations/store/usage_limit.h"
#include "tests/unit/computations/store_room.h"

#include <stdlib.h>

enum { HOUR = 3600 * 1000, PLACES = 4 };

static const int64_t october = INT64_C(1790812800000), november = INT64_C(1793491200000),
		     december = INT64_C(1796083200000);
static const struct usage_plans plans = {
	.rows = { { .name = "small",
		    .quota = { .cvms = UINT64_MAX,
			       .cpus = UINT64_MAX,
			       .memory = UINT64_MAX,
			       .cvm_hours = UINT64_MAX,
			       .cpu_hours = 10,
			       .memory_hours = UINT64_MAX } } },
	.count = 1,
};

static struct billing_account find(struct store_room *f, const char *name, int64_t now)
{
	struct billing_account a;

	assert_ok(billing_find(&f->store, name, now, &a, &f->e), f->e);
	return a;
}

static void add(struct store_room *f, const char *name, const char *plan)
{
	assert_ok(billing_add(&f->store, name, plan, "anna", october, &f->e), f->e);
}

static int64_t place(struct store_room *f, const char *name)
{
	struct workspace w;
	int64_t number;

	assert_ok(workspace_add(&f->store.db, name, october, &f->e), f->e);
	assert_ok(workspace_find(&f->store.db, name, &w, &f->e), f->e);
	number = w.number;
	workspace_done(&w);
	return number;
}

static int give(struct store_room *f, const char *name, int64_t workspace, int64_t now)
{
	struct billing_account a = find(f, name, now);
	int failed = billing_give(&f->store, &a, workspace, now, &f->e);

	billing_account_done(&a);
	return failed;
}

static int take(struct store_room *f, const char *name, int64_t workspace, int64_t now)
{
	struct billing_account a = find(f, name, now);
	int failed = billing_take(&f->store, &a, workspace, now, &f->e);

	billing_account_done(&a);
	return failed;
}

static void ran(struct store_room *f, int64_t workspace, int64_t since, int64_t until)
{
	assert_ok(db_run(&f->store.db, &f->e,
			 "INSERT INTO usage_spans (workspace, called, machine, computation, cpus,"
			 " memory, since, until) VALUES (?, 'w', 'm', '', 2, 1024, ?, ?)",
			 "iii", workspace, since, until),
		  f->e);
}

/* CVM-hours of what an account pays for in the month of `now`, by its sum and by its rows. */
static int64_t hours(struct store_room *f, const char *name, int64_t now)
{
	struct billing_account a = find(f, name, now);
	struct usage_row rows[PLACES] = { 0 };
	struct usage_month month;
	struct usage_query query = { .month = &month, .account = a.number, .max = PLACES };
	struct usage_sums sums;
	int64_t together = 0;
	size_t count;

	assert_ok(usage_month_parse("", now, &month, &f->e), f->e);
	assert_ok(store_usage_sums(&f->store, &query, &sums, &f->e), f->e);
	assert_ok(store_usage(&f->store, &query, rows, &count, &f->e), f->e);
	for (size_t i = 0; i < count; i++) {
		together += rows[i].cvm_ms;
		usage_row_done(&rows[i]);
	}
	assert_int_equal(together, sums.cvm_ms);
	billing_account_done(&a);
	return sums.cvm_ms / HOUR;
}

static void accounts_come_and_go(void **state)
{
	struct billing_account rows[3], a;
	struct store_room *f = *state;
	size_t count;

	add(f, "acme", "small");
	add(f, "zeta", "gone");
	a = find(f, "acme", november);
	assert_string_equal(a.plan, "small");
	assert_string_equal(a.maker, "anna");
	assert_int_equal(a.created, october);
	assert_int_equal(a.workspaces, 0);
	assert_refused(billing_add(&f->store, "acme", "small", "", november, &f->e), f->e,
		       ERR_EXISTS, "exists already");
	assert_refused(billing_add(&f->store, "A b", "small", "", november, &f->e), f->e,
		       ERR_INVALID, "use at most");
	assert_refused(billing_find(&f->store, "none", november, &rows[0], &f->e), f->e,
		       ERR_NOT_FOUND, "no billing account");
	assert_ok(billing_set_plan(&f->store, a.number, "large", &f->e), f->e);
	assert_ok(billing_list(&f->store, "", november, 3, rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].plan, "large");
	assert_string_equal(rows[1].name, "zeta");
	for (size_t i = 0; i < count; i++)
		billing_account_done(&rows[i]);
	assert_ok(billing_list(&f->store, "acme", november, 1, rows, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_string_equal(rows[0].name, "zeta");
	billing_account_done(&rows[0]);
	assert_ok(billing_remove(&f->store, &a, &f->e), f->e);
	assert_refused(billing_find(&f->store, "acme", november, &rows[0], &f->e), f->e,
		       ERR_NOT_FOUND, "no billing account");
	billing_account_done(&a);
}

/* A month is one account's, whole; what ran before stays that of who paid then. */
static void a_workspace_is_paid_by_months(void **state)
{
	struct store_room *f = *state;
	int64_t lab = place(f, "lab"), den = place(f, "den");
	const int64_t months[] = { october, november, december };
	struct billing_account a;
	char *names[PLACES];
	size_t count;

	add(f, "acme", "small");
	add(f, "zeta", "small");
	for (size_t i = 0; i < ARRAY_LEN(months); i++) {
		ran(f, lab, months[i], months[i] + HOUR);
		ran(f, den, months[i], months[i] + 2 * HOUR);
	}
	assert_ok(give(f, "acme", lab, november + HOUR), f->e);
	assert_refused(give(f, "acme", lab, december), f->e, ERR_EXISTS,
		       "pays for that workspace already");
	assert_refused(give(f, "zeta", lab, november), f->e, ERR_PRECONDITION, "account acme pays");
	assert_ok(give(f, "acme", den, november), f->e);
	assert_int_equal(hours(f, "acme", october), 0);
	assert_int_equal(hours(f, "acme", november), 3);
	assert_int_equal(hours(f, "acme", december), 3);
	/* In December somebody else pays. */
	assert_refused(take(f, "zeta", den, december), f->e, ERR_NOT_FOUND, "does not pay");
	assert_ok(take(f, "acme", den, december + HOUR), f->e);
	assert_refused(take(f, "acme", den, december), f->e, ERR_NOT_FOUND, "does not pay");
	assert_ok(give(f, "zeta", den, december + 2 * HOUR), f->e);
	assert_int_equal(hours(f, "acme", november), 3);
	assert_int_equal(hours(f, "acme", december), 1);
	assert_int_equal(hours(f, "zeta", november), 0);
	assert_int_equal(hours(f, "zeta", december), 2);
	/* One that is removed stays paid for; and who has paid stays. */
	assert_ok(workspace_remove(&f->store.db, "lab", &f->e), f->e);
	assert_int_equal(hours(f, "acme", december), 1);
	a = find(f, "acme", december);
	assert_int_equal(a.workspaces, 1);
	assert_ok(billing_places(&f->store, a.number, december, PLACES, names, &count, &f->e),
		  f->e);
	assert_int_equal(count, 1);
	assert_string_equal(names[0], "");
	free(names[0]);
	assert_refused(billing_remove(&f->store, &a, &f->e), f->e, ERR_PRECONDITION,
		       "stays for its statements");
	billing_account_done(&a);
}

/* However many of its workspaces came and went. */
static void those_that_are_removed_take_no_room(void **state)
{
	struct store_room *f = *state;
	char name[32], *names[BILLING_PLACES_MAX];
	struct billing_account a;
	size_t count;

	add(f, "acme", "small");
	for (int i = 0; i < BILLING_PLACES_MAX; i++) {
		snprintf(name, sizeof(name), "gone-%d", i);
		assert_ok(give(f, "acme", place(f, name), october), f->e);
		if (i)
			assert_ok(workspace_remove(&f->store.db, name, &f->e), f->e);
	}
	assert_ok(give(f, "acme", place(f, "lab"), november), f->e);
	a = find(f, "acme", november);
	assert_ok(billing_places(&f->store, a.number, november, BILLING_PLACES_MAX, names, &count,
				 &f->e),
		  f->e);
	assert_int_equal(count, BILLING_PLACES_MAX);
	assert_string_equal(names[0], "gone-0");
	assert_string_equal(names[1], "lab");
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	/* As many as there may be at a time. */
	for (int i = 2; i < BILLING_PLACES_MAX; i++) {
		snprintf(name, sizeof(name), "more-%d", i);
		assert_ok(give(f, "acme", place(f, name), november), f->e);
	}
	assert_refused(give(f, "acme", place(f, "last"), november), f->e, ERR_EXHAUSTED,
		       "no more can be");
	billing_account_done(&a);
}

/* Nor does it change what an account has to pay when its months are summed up. */
static void old_months_stay_paid(void **state)
{
	struct store_room *f = *state;
	int64_t lab = place(f, "lab");
	size_t folded = 1;

	add(f, "acme", "small");
	assert_ok(give(f, "acme", lab, october), f->e);
	ran(f, lab, october, november + 3 * HOUR);
	while (folded)
		assert_ok(usage_fold(&f->store, december + 400 * (int64_t)24 * HOUR, 3, 1, &folded,
				     &f->e),
			  f->e);
	assert_int_equal(hours(f, "acme", october), 31 * 24);
	assert_int_equal(hours(f, "acme", november), 3);
	assert_int_equal(hours(f, "acme", december), 0);
}

static int check(struct store_room *f, int64_t workspace, int64_t now)
{
	const struct machine_quota none = MACHINE_QUOTA_NONE;

	return usage_limit_check(&f->store, workspace, &none, &plans, now, &f->e);
}

/* The limit is of all workspaces together, whichever ran it. */
static void a_plan_is_of_all_its_workspaces(void **state)
{
	struct store_room *f = *state;
	int64_t lab = place(f, "lab"), den = place(f, "den"), other = place(f, "other");
	struct billing_account a;

	add(f, "acme", "small");
	assert_ok(give(f, "acme", lab, november), f->e);
	assert_ok(give(f, "acme", den, november), f->e);
	ran(f, other, november, november + 50 * HOUR);
	ran(f, lab, november, november + 2 * HOUR); /* of 2 CPUs */
	ran(f, den, november, november + 3 * HOUR - 1);
	assert_ok(check(f, lab, november), f->e);
	ran(f, den, november, november + 1);
	assert_refused(check(f, lab, november), f->e, ERR_EXHAUSTED,
		       "its account's limit is reached: the 10 CPU-hours of 2026-11");
	assert_refused(check(f, den, december - 1), f->e, ERR_EXHAUSTED, "account's limit");
	assert_ok(check(f, den, december), f->e);
	assert_ok(check(f, other, november), f->e);
	/* A workspace that is removed has used what it used. */
	assert_ok(workspace_remove(&f->store.db, "lab", &f->e), f->e);
	assert_refused(check(f, den, november), f->e, ERR_EXHAUSTED, "account's limit");
	/* Of a plan that is none any more nothing is known. */
	a = find(f, "acme", november);
	assert_ok(billing_set_plan(&f->store, a.number, "large", &f->e), f->e);
	billing_account_done(&a);
	assert_refused(check(f, den, december), f->e, ERR_PRECONDITION,
		       "has plan large, which is none");
}

static int64_t machine(struct store_room *f, int64_t workspace, const char *name, const char *tag)
{
	static const struct machine_quota no_limit = MACHINE_QUOTA_NONE;
	static char manager[] = "here", word[] = "";
	const struct machine wish = { .name = (char *)(uintptr_t)name,
				      .manager = manager,
				      .tag = (char *)(uintptr_t)tag,
				      .image = word,
				      .tee = word,
				      .workspace_number = workspace,
				      .cpus = 1,
				      .memory = 1 << 30 };
	int64_t number;

	assert_ok(store_machine_add(&f->store, &wish, &no_limit, &number, &f->e), f->e);
	assert_ok(store_machine_made(&f->store, number, tag, "h:1", &f->e), f->e);
	return number;
}

static void check_machine(struct store_room *f, int64_t number, enum machine_phase phase,
			  const char *words)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };
	const struct machine_quota none = MACHINE_QUOTA_NONE;

	assert_ok(usage_limit_apply(&f->store, number, &none, &plans, november, &f->e), f->e);
	assert_ok(store_machine_at(&f->store, number, &m, &f->e), f->e);
	assert_int_equal(m.phase, phase);
	assert_non_null(strstr(m.reason, words));
	assert_int_equal(*usage_limit_reason(&m) != 0, phase == MACHINE_LEAVING);
}

static void hook(struct store_room *f, int64_t workspace)
{
	assert_ok(
		db_run(&f->store.db, &f->e,
		       "INSERT INTO webhooks (workspace, url, description, maker, events, created)"
		       " VALUES (?, 'https://h.example/', '', '', ?, ?)",
		       "iii", workspace, (int64_t)HOOK_EVENTS_ALL, october),
		f->e);
}

static int64_t told(struct store_room *f, enum hook_event event, const char *like)
{
	int64_t count;

	assert_ok(
		db_number(&f->store.db, &count, &f->e,
			  "SELECT count(*) FROM webhook_deliveries WHERE event = ? AND body LIKE ?",
			  "it", (int64_t)event, like),
		f->e);
	return count;
}

static void cvms_of_all_are_warned_and_ended(void **state)
{
	struct store_room *f = *state;
	int64_t lab = place(f, "lab"), den = place(f, "den");
	int64_t one = machine(f, lab, "one", "5b1c6d3e-0000-4000-8000-00000000000a");
	int64_t two = machine(f, den, "two", "5b1c6d3e-0000-4000-8000-00000000000b");

	add(f, "acme", "small");
	assert_ok(give(f, "acme", lab, november), f->e);
	assert_ok(give(f, "acme", den, november), f->e);
	hook(f, lab);
	hook(f, den);
	check_machine(f, one, MACHINE_MADE, "");
	ran(f, lab, november, november + 4 * HOUR);
	for (int again = 0; again < 2; again++)
		check_machine(f, two, MACHINE_MADE, "80 % of its account's 10 CPU-hours");
	assert_int_equal(
		told(f, HOOK_USAGE_WARNING, "%\"account\":\"acme\"%\"month\":\"2026-11\"%Nearly%"),
		2);
	ran(f, den, november, november + HOUR);
	check_machine(f, one, MACHINE_LEAVING, "its account's limit is reached: the 10 CPU-hours");
	check_machine(f, two, MACHINE_LEAVING, "its account's limit is reached");
	assert_int_equal(told(f, HOOK_USAGE_LIMIT, "%\"account\":\"acme\"%Reached%"), 2);
	assert_int_equal(told(f, HOOK_USAGE_WARNING, "%"), 2);
}

static size_t tell(struct store_room *f, int64_t now)
{
	size_t count, all = 0;

	for (unsigned back = BILLING_TELL_MONTHS; back; back--) {
		assert_ok(billing_tell_statements(&f->store, now, back, &count, &f->e), f->e);
		all += count;
	}
	return all;
}

/* Once, an hour behind the month's end, to those for whom was paid in it. */
static void statements_are_told_once(void **state)
{
	struct store_room *f = *state;
	int64_t lab = place(f, "lab"), den = place(f, "den");

	add(f, "acme", "small");
	add(f, "zeta", "small");
	hook(f, lab);
	hook(f, den);
	assert_ok(give(f, "acme", lab, november), f->e);
	assert_ok(give(f, "zeta", den, december), f->e);
	assert_int_equal(tell(f, december - 1), 0);
	assert_int_equal(tell(f, december + HOUR - 1), 0);
	assert_int_equal(tell(f, december + HOUR), 1);
	assert_int_equal(
		told(f, HOOK_STATEMENT_READY,
		     "%\"workspace\":\"lab\",\"account\":\"acme\",\"month\":\"2026-11\",\"state\":\"Ready\"%"),
		1);
	assert_int_equal(tell(f, december + 2 * HOUR), 0);
	assert_int_equal(tell(f, november + HOUR), 0);
	assert_int_equal(tell(f, december + 31 * INT64_C(24) * HOUR + HOUR), 2);
	assert_int_equal(told(f, HOOK_STATEMENT_READY, "%"), 3);
}

/* Each once, the oldest first; of more than a year none. Who paid for nothing in a month is told nothing of it. */
static void months_that_were_missed_are_told(void **state)
{
	struct store_room *f = *state;
	const int64_t day = 24 * HOUR, later = december + 400 * day;
	int64_t lab = place(f, "lab");

	add(f, "acme", "small");
	hook(f, lab);
	assert_ok(give(f, "acme", lab, november), f->e);
	assert_int_equal(tell(f, december + 31 * day + HOUR - 1),
			 1); /* December's hour is not over */
	assert_int_equal(told(f, HOOK_STATEMENT_READY, "%\"month\":\"2026-11\"%"), 1);
	assert_int_equal(tell(f, later), BILLING_TELL_MONTHS); /* of January 2028 */
	assert_int_equal(tell(f, later), 0);
	assert_int_equal(tell(f, december + 2 * HOUR), 0);
	assert_int_equal(told(f, HOOK_STATEMENT_READY, "%\"month\":\"2026-12\"%"), 0);
	assert_int_equal(told(f, HOOK_STATEMENT_READY, "%\"month\":\"2027-01\"%"), 1);
	assert_int_equal(told(f, HOOK_STATEMENT_READY, "%\"month\":\"2027-12\"%"), 1);
	assert_int_equal(told(f, HOOK_STATEMENT_READY, "%"), 1 + BILLING_TELL_MONTHS);
	/* The epoch has none before it. */
	assert_int_equal(tell(f, 0), 0);
}

static void rows_that_can_not_be_are_refused(void **state)
{
	struct store_room *f = *state;
	struct billing_account a;

	add(f, "acme", "small");
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE billing_accounts SET created = -1", ""),
		  f->e);
	assert_refused(billing_find(&f->store, "acme", november, &a, &f->e), f->e, ERR_DATA_LOSS,
		       "created");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(accounts_come_and_go),
		STORE_ROOM_ROW(a_workspace_is_paid_by_months),
		STORE_ROOM_ROW(those_that_are_removed_take_no_room),
		STORE_ROOM_ROW(old_months_stay_paid),
		STORE_ROOM_ROW(a_plan_is_of_all_its_workspaces),
		STORE_ROOM_ROW(cvms_of_all_are_warned_and_ended),
		STORE_ROOM_ROW(statements_are_told_once),
		STORE_ROOM_ROW(months_that_were_missed_are_told),
		STORE_ROOM_ROW(rows_that_can_not_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
