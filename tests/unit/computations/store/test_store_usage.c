/* SPDX-License-Identifier: Apache-2.0 */
/* What CVMs ran: counted once whatever is said again, never backwards, by months in UTC, for who may see it. */
#include "computations/people/role.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store_usage.h"
#include "computations/store/usage_fold.h"
#include "computations/store/usage_turn.h"
#include "tests/unit/computations/store_room.h"

#define ID_A "5b1c6d3e-0000-4000-8000-00000000000a"
#define ID_B "5b1c6d3e-0000-4000-8000-00000000000b"
#define GIB  (INT64_C(1) << 30)

enum { SECOND = 1000, HOUR = 3600 * SECOND };

static const int64_t november = INT64_C(1793491200000); /* 2026-11-01T00:00:00Z */

static int64_t add(struct store_room *f, const char *name, const char *id, int64_t workspace,
		   int64_t created)
{
	static const struct machine_quota no_limit = MACHINE_QUOTA_NONE;
	static char word[] = "", manager[] = "here";
	const struct machine wish = { .name = (char *)(uintptr_t)name,
				      .manager = manager,
				      .tag = (char *)(uintptr_t)id,
				      .image = word,
				      .tee = word,
				      .workspace_number = workspace,
				      .cpus = 1,
				      .memory = GIB };
	int64_t number;

	assert_ok(store_machine_add(&f->store, &wish, &no_limit, &number, &f->e), f->e);
	assert_ok(db_run(&f->store.db, &f->e, "UPDATE machines SET created = ? WHERE number = ?",
			 "ii", created, number),
		  f->e);
	assert_ok(store_machine_made(&f->store, number, id, "h:1", &f->e), f->e);
	return number;
}

static void seen(struct store_room *f, int64_t number, int64_t begun, int64_t until, int64_t now)
{
	const struct usage_seen said = { .begun = begun, .until = until };

	assert_ok(store_usage_seen(&f->store, number, &said, now, &f->e), f->e);
}

static size_t ask(struct store_room *f, const char *month, int64_t person, struct usage_row *rows,
		  size_t max)
{
	struct usage_month m;
	struct usage_query query = { .month = &m, .person = person, .max = max };
	size_t count;

	assert_ok(usage_month_parse(month, 0, &m, &f->e), f->e);
	assert_ok(store_usage(&f->store, &query, rows, &count, &f->e), f->e);
	return count;
}

/* Of all rows; and that there are so many. */
static void check_sum(struct store_room *f, const char *month, size_t rows, int64_t ms)
{
	struct usage_row found[8] = { 0 };
	int64_t sum = 0;

	assert_int_equal(ask(f, month, 0, found, ARRAY_LEN(found)), rows);
	for (size_t i = 0; i < rows; i++) {
		sum += found[i].cvm_ms;
		usage_row_done(&found[i]);
	}
	assert_int_equal(sum, ms);
}

static void what_is_said_again_counts_once(void **state)
{
	struct store_room *f = *state;
	int64_t number = add(f, "one", ID_A, store_room_workspace(f), november);

	check_sum(f, "2026-11", 0, 0);
	seen(f, number, november + 10, USAGE_UNTIL_NOW, november + HOUR + 10);
	check_sum(f, "2026-11", 1, HOUR);
	for (int i = 0; i < 3; i++)
		seen(f, number, november + 10, USAGE_UNTIL_NOW, november + HOUR + 10);
	check_sum(f, "2026-11", 1, HOUR);
	/* A clock that was set back, and a begin that is another one by now. */
	seen(f, number, november, USAGE_UNTIL_NOW, november + 5);
	seen(f, number, november + 2 * HOUR, USAGE_UNTIL_NOW, november - HOUR);
	check_sum(f, "2026-11", 1, HOUR);
	seen(f, number, november + 10, USAGE_UNTIL_NOW, november + 2 * HOUR + 10);
	check_sum(f, "2026-11", 1, 2 * HOUR);
	/* What nobody knows more of stays as it is. */
	seen(f, number, 0, 0, november + 9 * HOUR);
	check_sum(f, "2026-11", 1, 2 * HOUR);
	seen(f, number, november, november + 3 * HOUR + 10, november + 9 * HOUR);
	seen(f, number, november, november + 3 * HOUR + 10, november + 9 * HOUR);
	check_sum(f, "2026-11", 1, 3 * HOUR);
}

static void a_manager_can_not_say_more_than_can_be(void **state)
{
	struct store_room *f = *state;
	int64_t workspace = store_room_workspace(f);
	int64_t first = add(f, "one", ID_A, workspace, november),
		second = add(f, "two", ID_B, workspace, november);

	/* It began before it was asked for, and ends next year. */
	seen(f, first, 1, november * 2, november + HOUR);
	check_sum(f, "2026-11", 1, HOUR);
	/* It begins tomorrow; ended before it began. */
	seen(f, second, november + 24 * HOUR, november + 1, november + HOUR);
	seen(f, second, november + 24 * HOUR, november - 1, november + HOUR);
	check_sum(f, "2026-11", 1, HOUR);
	check_sum(f, "2026-10", 0, 0);
	check_sum(f, "2026-12", 0, 0);
}

static void months_part_it(void **state)
{
	struct store_room *f = *state;
	int64_t number = add(f, "one", ID_A, store_room_workspace(f), november - HOUR);

	seen(f, number, november - HOUR, USAGE_UNTIL_NOW, november);
	check_sum(f, "2026-11", 0, 0);
	seen(f, number, november - HOUR, USAGE_UNTIL_NOW, november + 1);
	check_sum(f, "2026-10", 1, HOUR);
	check_sum(f, "2026-11", 1, 1);
	seen(f, number, 0, USAGE_UNTIL_NOW, november + 31 * INT64_C(24) * HOUR);
	check_sum(f, "2026-10", 1, HOUR);
	check_sum(f, "2026-11", 1, 30 * INT64_C(24) * HOUR);
	check_sum(f, "2026-12", 1, 24 * HOUR);
}

static void each_computation_has_its_share(void **state)
{
	struct store_room *f = *state;
	int64_t workspace = store_room_workspace(f);
	int64_t number = add(f, "one", ID_A, workspace, november);
	const struct usage_seen bigger = { .until = USAGE_UNTIL_NOW, .cpus = 4, .memory = 2 * GIB };
	struct usage_row rows[4] = { 0 };

	/* Of a CVM that no manager was asked for there is nothing. */
	store_room_arrive_idle(f, "operators");
	assert_ok(usage_turn(&f->store.db, "operators", november, &f->e), f->e);
	store_room_arrive_idle(f, ID_A);
	assert_ok(usage_turn(&f->store.db, ID_A, november, &f->e), f->e);
	check_sum(f, "2026-11", 0, 0);
	seen(f, number, november, USAGE_UNTIL_NOW, november + HOUR);
	assert_ok(db_script(&f->store.db, "UPDATE cvms SET computation = 'c1'", &f->e), f->e);
	assert_ok(usage_turn(&f->store.db, ID_A, november + 2 * HOUR, &f->e), f->e);
	assert_ok(usage_turn(&f->store.db, ID_A, november + 2 * HOUR, &f->e), f->e);
	assert_ok(store_usage_seen(&f->store, number, &bigger, november + 3 * HOUR, &f->e), f->e);
	assert_ok(db_script(&f->store.db, "UPDATE cvms SET computation = ''", &f->e), f->e);
	assert_ok(usage_turn(&f->store.db, ID_A, november + 4 * HOUR, &f->e), f->e);
	seen(f, number, 0, USAGE_UNTIL_NOW, november + 5 * HOUR);
	assert_int_equal(ask(f, "2026-11", 0, rows, ARRAY_LEN(rows)), 2);
	assert_int_equal(rows[0].kind, USAGE_IDLE);
	assert_int_equal(rows[0].cvms, 1);
	assert_int_equal(rows[0].cvm_ms, 3 * HOUR);
	assert_int_equal(rows[0].cpu_ms, (1 + 1 + 4) * HOUR);
	assert_int_equal(rows[1].kind, USAGE_OF_COMPUTATION);
	assert_string_equal(rows[1].computation, "c1");
	assert_string_equal(rows[1].workspace, "default");
	assert_int_equal(rows[1].cvm_ms, 2 * HOUR);
	/* With what it had been given first, until its manager said more. */
	assert_int_equal(rows[1].cpu_ms, (4 + 4) * HOUR);
	assert_int_equal(rows[1].memory_mib_s, INT64_C(2) * 2048 * 3600);
	for (size_t i = 0; i < 2; i++)
		usage_row_done(&rows[i]);
}

static void what_agents_say_parts_it(void **state)
{
	struct store_room *f = *state;
	int64_t number = add(f, "one", ID_A, store_room_workspace(f), 1), spans;

	seen(f, number, 1, USAGE_UNTIL_NOW, 2);
	store_room_run_on(f, "c1", ID_A);
	assert_int_equal(store_room_answer(f, ID_A, "c1", "no such algorithm"), 0);
	assert_ok(
		db_number(&f->store.db, &spans, &f->e,
			  "SELECT count(*) FROM usage_spans a JOIN usage_spans b"
			  " ON b.machine = a.machine AND b.since = a.until AND b.number > a.number"
			  " WHERE a.computation <> b.computation AND"
			  " (a.computation = 'c1' OR b.computation = 'c1')",
			  ""),
		f->e);
	assert_int_equal(spans, 2);
}

static void who_may_not_see_a_computation_does_not(void **state)
{
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	int64_t workspace = store_room_workspace(f), anna, bert;
	struct usage_row rows[4] = { 0 };
	int64_t number = add(f, "one", ID_A, workspace, november);
	struct user u CLEANUP_USER = { .name = NULL }, v CLEANUP_USER = { .name = NULL };

	store_room_user(f, "anna");
	store_room_user(f, "bert");
	assert_ok(user_find(&f->store.db, "anna", &u, &f->e), f->e);
	assert_ok(user_find(&f->store.db, "bert", &v, &f->e), f->e);
	anna = u.number;
	bert = v.number;
	store_room_create(f, "c1");
	assert_ok(role_own(&f->store.db, "c1", anna, &f->e), f->e);
	store_room_arrive_idle(f, ID_A);
	seen(f, number, november, USAGE_UNTIL_NOW, november + HOUR);
	assert_ok(db_script(&f->store.db, "UPDATE cvms SET computation = 'c1'", &f->e), f->e);
	assert_ok(usage_turn(&f->store.db, ID_A, november + HOUR, &f->e), f->e);
	seen(f, number, 0, USAGE_UNTIL_NOW, november + 3 * HOUR);
	assert_int_equal(ask(f, "2026-11", anna, rows, 4), 2);
	assert_string_equal(rows[1].computation, "c1");
	for (size_t i = 0; i < 2; i++)
		usage_row_done(&rows[i]);
	assert_int_equal(ask(f, "2026-11", bert, rows, 4), 2);
	assert_int_equal(rows[1].kind, USAGE_OF_OTHERS);
	assert_string_equal(rows[1].computation, "");
	assert_int_equal(rows[1].cvm_ms, 2 * HOUR);
	for (size_t i = 0; i < 2; i++)
		usage_row_done(&rows[i]);
	/* An administrator of the workspace sees all; who is suspended, or no member, nothing. */
	assert_ok(workspace_first(&f->store.db, &lab, &f->e), f->e);
	assert_ok(workspace_member_set(&f->store.db, &lab, "bert", MEMBERSHIP_ADMINISTRATOR, 2000,
				       &f->e),
		  f->e);
	assert_int_equal(ask(f, "2026-11", bert, rows, 4), 2);
	assert_string_equal(rows[1].computation, "c1");
	for (size_t i = 0; i < 2; i++)
		usage_row_done(&rows[i]);
	assert_ok(workspace_member_suspend(&f->store.db, &lab, "anna", true, 2000, &f->e), f->e);
	assert_int_equal(ask(f, "2026-11", anna, rows, 4), 0);
	assert_int_equal(ask(f, "2026-11", 999, rows, 4), 0);
}

static void it_outlives_all_that_it_is_of(void **state)
{
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	struct usage_row rows[2] = { 0 };
	CLEANUP(free) char *failed = NULL;
	int64_t number, others;

	assert_ok(workspace_add(&f->store.db, "lab", 1, &f->e), f->e);
	assert_ok(workspace_find(&f->store.db, "lab", &lab, &f->e), f->e);
	number = add(f, "one", ID_A, lab.number, november);
	seen(f, number, november, USAGE_UNTIL_NOW, november + HOUR);
	assert_ok(store_machine_gone(&f->store, number, MACHINE_REMOVED, "", &failed, &f->e), f->e);
	assert_ok(workspace_remove(&f->store.db, "lab", &f->e), f->e);
	/* Another one that is called so is another one. */
	assert_ok(workspace_add(&f->store.db, "lab", 1, &f->e), f->e);
	assert_int_equal(ask(f, "2026-11", 0, rows, 2), 1);
	assert_true(rows[0].is_removed);
	assert_string_equal(rows[0].workspace, "lab");
	assert_int_equal(rows[0].workspace_number, lab.number);
	usage_row_done(&rows[0]);
	assert_ok(db_number(&f->store.db, &others, &f->e,
			    "SELECT count(*) FROM workspaces WHERE number = ?", "i", lab.number),
		  f->e);
	assert_int_equal(others, 0);
}

static void pages_follow_each_other(void **state)
{
	struct store_room *f = *state;
	struct usage_month month;
	struct usage_query query = { .month = &month, .max = 1 };
	struct usage_row row = { .workspace = NULL };
	char last[64] = "";
	size_t count, pages = 0;

	assert_ok(usage_month_parse("2026-11", 0, &month, &f->e), f->e);
	for (int64_t i = 0; i < 5; i++)
		assert_ok(db_run(&f->store.db, &f->e,
				 "INSERT INTO usage_spans (workspace, called, machine, computation,"
				 " cpus, memory, since, until) VALUES (?, 'w', 'm', ?, 1, 1, ?, ?)",
				 "itii", i / 2 + 7, i % 2 ? "c" : "", november, november + 1),
			  f->e);
	do {
		assert_ok(store_usage(&f->store, &query, &row, &count, &f->e), f->e);
		if (!count)
			break;
		pages++;
		assert_true(row.workspace_number > query.after.workspace_number ||
			    row.kind > query.after.kind);
		snprintf(last, sizeof(last), "%s", row.computation);
		query.after = (struct usage_after){ row.workspace_number, row.kind, last };
		usage_row_done(&row);
	} while (pages < 9);
	assert_int_equal(pages, 5);
}

enum { FIRST_MONTH = 4, LAST_MONTH = 11, MOST = 3 };

static size_t month_of(struct store_room *f, unsigned month, struct usage_row rows[MOST])
{
	char name[USAGE_MONTH_LEN + 1];

	snprintf(name, sizeof(name), "2026-%02u", month);
	return ask(f, name, 0, rows, MOST);
}

static void check_month(struct store_room *f, unsigned month, const struct usage_row *was,
			size_t count)
{
	struct usage_row rows[MOST] = { 0 };

	assert_int_equal(month_of(f, month, rows), count);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(rows[i].computation, was[i].computation);
		assert_int_equal(rows[i].cvms, was[i].cvms);
		assert_int_equal(rows[i].cvm_ms, was[i].cvm_ms);
		assert_int_equal(rows[i].cpu_ms, was[i].cpu_ms);
		assert_int_equal(rows[i].memory_mib_s, was[i].memory_mib_s);
		usage_row_done(&rows[i]);
	}
}

/* What a statement says is the same before, between and after, and what is not long ago stays as it is. */
static void old_months_are_summed_up(void **state)
{
	struct store_room *f = *state;
	struct usage_row was[LAST_MONTH + 1][MOST] = { 0 };
	const unsigned wrong[] = { 0, USAGE_KEEP_LEAST - 1, USAGE_KEEP_MOST + 1 };
	size_t counts[LAST_MONTH + 1], folded = 1, steps = 0;
	int64_t left;

	for (int64_t i = 0; i < 40; i++)
		assert_ok(db_run(&f->store.db, &f->e,
				 "INSERT INTO usage_spans (workspace, called, machine, computation,"
				 " cpus, memory, since, until) VALUES (7, 'w', ?, ?, 3, 7, ?, ?)",
				 "ttii", i % 3 ? "m" : "n", i % 2 ? "c" : "",
				 november - (200 - 5 * i) * 24 * HOUR,
				 november - (195 - 5 * i) * 24 * HOUR - 7),
			  f->e);
	for (unsigned m = FIRST_MONTH; m <= LAST_MONTH; m++)
		counts[m] = month_of(f, m, was[m]);
	assert_int_equal(counts[FIRST_MONTH + 2], 2);
	for (; folded; steps++) {
		assert_ok(usage_fold(&f->store, november + 5 * HOUR, 3, 3, &folded, &f->e), f->e);
		for (unsigned m = FIRST_MONTH; m <= LAST_MONTH; m++)
			check_month(f, m, was[m], counts[m]);
	}
	assert_true(steps > 8);
	assert_ok(db_number(&f->store.db, &left, &f->e, "SELECT min(since) FROM usage_spans", ""),
		  f->e);
	assert_int_equal(left, november - INT64_C(61) * 24 * HOUR); /* September's first */
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_refused(usage_fold(&f->store, november, wrong[i], 3, &folded, &f->e), f->e,
			       ERR_INVALID, "3 to 1200 are kept");
	/* No empty one is left of CVMs that are not there. */
	assert_ok(db_number(&f->store.db, &left, &f->e,
			    "SELECT count(*) FROM usage_spans WHERE since = until", ""),
		  f->e);
	assert_int_equal(left, 0);
	for (unsigned m = FIRST_MONTH; m <= LAST_MONTH; m++)
		for (size_t i = 0; i < counts[m]; i++)
			usage_row_done(&was[m][i]);
}

static bool is_folded(struct store_room *f, const char *name, int64_t workspace, int64_t person)
{
	struct usage_month month;
	const struct usage_query query = { .month = &month,
					   .workspace = workspace,
					   .person = person };
	bool told;

	assert_ok(usage_month_parse(name, 0, &month, &f->e), f->e);
	assert_ok(usage_is_folded(&f->store, &query, &told, &f->e), f->e);
	return told;
}

static void fold_all(struct store_room *f, int64_t now)
{
	size_t folded = 1;

	while (folded)
		assert_ok(usage_fold(&f->store, now, 3, USAGE_FOLD_MAX, &folded, &f->e), f->e);
}

/* One that has run on through months, and whose manager was away: what it says then begins where it ended, once. */
static void a_cvm_that_is_there_runs_on(void **state)
{
	static const int64_t later = 100 * INT64_C(24) * HOUR;
	struct store_room *f = *state;
	int64_t number = add(f, "one", ID_A, store_room_workspace(f), november), spans;
	char *failed = NULL;

	seen(f, number, november, november + 2 * HOUR, november + 2 * HOUR);
	assert_false(is_folded(f, "2026-11", 0, 0));
	fold_all(f, november + later);
	assert_true(is_folded(f, "2026-11", 0, 0));
	assert_false(is_folded(f, "2026-12", 0, 0));
	check_sum(f, "2026-11", 1, 2 * HOUR);
	/* It is told again, of long ago, and of a part that is folded, too. */
	seen(f, number, november, november + HOUR, november + later);
	check_sum(f, "2026-11", 1, 2 * HOUR);
	seen(f, number, november, november + 3 * HOUR, november + later);
	check_sum(f, "2026-11", 1, 3 * HOUR);
	fold_all(f, november + later);
	seen(f, number, november, november + 31 * INT64_C(24) * HOUR, november + later);
	fold_all(f, november + later);
	check_sum(f, "2026-11", 1, 30 * INT64_C(24) * HOUR);
	check_sum(f, "2026-12", 1, 24 * HOUR);
	/* Once it is gone, nothing empty stays of it when others are summed up. */
	assert_ok(store_machine_gone(&f->store, number, MACHINE_REMOVED, "", &failed, &f->e), f->e);
	fold_all(f, november + 10 * later);
	check_sum(f, "2026-12", 1, 24 * HOUR);
	assert_ok(db_number(&f->store.db, &spans, &f->e, "SELECT count(*) FROM usage_spans", ""),
		  f->e);
	assert_int_equal(spans, 0);
}

/* Nobody learns that there is a sum of what he may not see. */
static void sums_are_told_to_who_may_see_them(void **state)
{
	struct store_room *f = *state;
	int64_t place = store_room_workspace(f);

	assert_ok(db_run(&f->store.db, &f->e,
			 "INSERT INTO usage_spans (workspace, called, machine, computation, cpus,"
			 " memory, since, until) VALUES (?, 'w', 'm', '', 1, 1, ?, ?)",
			 "iii", place, november, november + 1),
		  f->e);
	fold_all(f, november + 400 * INT64_C(24) * HOUR);
	assert_true(is_folded(f, "2026-11", 0, 0));
	assert_true(is_folded(f, "2026-11", place, 0));
	assert_false(is_folded(f, "2026-11", place + 1, 0));
	assert_false(is_folded(f, "2026-11", 0, 4711));
	assert_false(is_folded(f, "2026-11", place, 4711));
}

/* As much as there can be at a time, for a month. */
static void the_biggest_sum_fits(void **state)
{
	struct store_room *f = *state;
	struct usage_row row = { .workspace = NULL };
	struct usage_month m;

	assert_ok(usage_month_parse("2026-10", 0, &m, &f->e), f->e);
	for (int64_t i = 0; i < MACHINES_MAX; i++)
		assert_ok(
			db_run(&f->store.db, &f->e,
			       "INSERT INTO usage_spans (workspace, called, machine, computation,"
			       " cpus, memory, since, until) VALUES (1, 'w', 'm', '', ?, ?, ?, ?)",
			       "iiii", (int64_t)MACHINE_CPUS_MAX,
			       (int64_t)(MACHINE_MEMORY_MAX >> 20), m.since, m.until),
			f->e);
	assert_int_equal(ask(f, "2026-10", 0, &row, 1), 1);
	assert_int_equal(row.memory_mib_s, (INT64_C(31) * 24 * 3600) * MACHINES_MAX *
						   (int64_t)(MACHINE_MEMORY_MAX >> 20));
	usage_row_done(&row);
}

static void months_are_read_strictly(void **state)
{
	static const char *const bad[] = { "2026-00",  "2026-13",  "1969-12", "9999-01", "2026-1",
					   "2026-111", "26-11",    "2026/11", "+026-11", "2026-1 ",
					   " 026-11",  "2026-11-", "-",       "2026-0x" };
	struct usage_month m;
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(usage_month_parse(bad[i], 0, &m, &e), e, ERR_INVALID,
			       "give one as 2026-11");
	assert_ok(usage_month_parse("2026-11", 0, &m, &e), e);
	assert_int_equal(m.since, november);
	assert_int_equal(m.until, november + 30 * INT64_C(24) * HOUR);
	assert_ok(usage_month_parse("", november + HOUR, &m, &e), e);
	assert_string_equal(m.name, "2026-11");
	assert_ok(usage_month_parse("", november - 1, &m, &e), e);
	assert_string_equal(m.name, "2026-10");
	assert_ok(usage_month_parse("2028-02", 0, &m, &e), e);
	assert_int_equal(m.until - m.since, 29 * INT64_C(24) * HOUR);
	assert_ok(usage_month_parse("1970-01", 0, &m, &e), e);
	assert_int_equal(m.since, 0);
	assert_ok(usage_month_parse("9998-12", 0, &m, &e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(what_is_said_again_counts_once),
		STORE_ROOM_ROW(a_manager_can_not_say_more_than_can_be),
		STORE_ROOM_ROW(months_part_it),
		STORE_ROOM_ROW(each_computation_has_its_share),
		STORE_ROOM_ROW(what_agents_say_parts_it),
		STORE_ROOM_ROW(who_may_not_see_a_computation_does_not),
		STORE_ROOM_ROW(it_outlives_all_that_it_is_of),
		STORE_ROOM_ROW(pages_follow_each_other),
		STORE_ROOM_ROW(old_months_are_summed_up),
		STORE_ROOM_ROW(a_cvm_that_is_there_runs_on),
		STORE_ROOM_ROW(sums_are_told_to_who_may_see_them),
		STORE_ROOM_ROW(the_biggest_sum_fits),
		cmocka_unit_test(months_are_read_strictly),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
