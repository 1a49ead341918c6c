/* SPDX-License-Identifier: Apache-2.0 */
/* What a workspace's CVMs may run in a month: how far it is, said at 80 %, ended at all of it, and nothing in the next. */
#include "computations/hook/hook.h"
#include "computations/store/usage_limit.h"
#include "tests/unit/computations/store_room.h"

enum { SECOND = 1000, HOUR = 3600 * SECOND };

static const struct usage_plans no_plans = { .count = 0 };

static const int64_t november = INT64_C(1793491200000), december = INT64_C(1796083200000);
static const struct usage_month month = { .name = "2026-11" };

static enum usage_level judge(int64_t cvm_ms, int64_t cpu_ms, int64_t memory_mib_s,
			      const struct machine_quota *quota, struct usage_standing *s)
{
	const struct usage_sums sums = { cvm_ms, cpu_ms, memory_mib_s };

	usage_limit_judge(&sums, quota, &month, s);
	assert_int_equal(!*s->text, s->level == USAGE_WITHIN);
	return s->level;
}

static void each_limit_has_its_edges(void **state)
{
	const struct machine_quota none = MACHINE_QUOTA_NONE;
	struct machine_quota quota = MACHINE_QUOTA_NONE;
	const int64_t gib_hour = INT64_C(1024) * 3600;
	struct usage_standing s;

	assert_int_equal(judge(INT64_MAX, INT64_MAX, INT64_MAX, &none, &s), USAGE_WITHIN);
	quota.cpu_hours = 10;
	assert_int_equal(judge(INT64_MAX, 8 * HOUR - 1, INT64_MAX, &quota, &s), USAGE_WITHIN);
	assert_int_equal(judge(0, 8 * HOUR, 0, &quota, &s), USAGE_NEARLY);
	assert_string_equal(s.text,
			    "80 % of its workspace's 10 CPU-hours of 2026-11 are used: once "
			    "all are, it is removed");
	assert_int_equal(judge(0, 10 * HOUR - 1, 0, &quota, &s), USAGE_NEARLY);
	assert_int_equal(judge(0, 10 * HOUR, 0, &quota, &s), USAGE_SPENT);
	assert_string_equal(s.text, "the 10 CPU-hours of 2026-11 are used");
	quota.cvm_hours = 1;
	assert_int_equal(judge(HOUR, 8 * HOUR, 0, &quota, &s), USAGE_SPENT);
	assert_non_null(strstr(s.text, "CVM-hours"));
	assert_int_equal(judge(HOUR - 1, 0, 0, &quota, &s), USAGE_NEARLY);
	quota = (struct machine_quota)MACHINE_QUOTA_NONE;
	quota.memory_hours = USAGE_LIMIT_MAX;
	assert_int_equal(judge(0, 0, gib_hour * USAGE_LIMIT_MAX - 1, &quota, &s), USAGE_NEARLY);
	assert_int_equal(judge(0, 0, gib_hour * USAGE_LIMIT_MAX, &quota, &s), USAGE_SPENT);
	assert_non_null(strstr(s.text, "GiB-hours"));
}

static void ran(struct store_room *f, int64_t workspace, int64_t since, int64_t until)
{
	assert_ok(db_run(&f->store.db, &f->e,
			 "INSERT INTO usage_spans (workspace, called, machine, computation, cpus,"
			 " memory, since, until) VALUES (?, 'w', 'm', '', 2, 1024, ?, ?)",
			 "iii", workspace, since, until),
		  f->e);
}

static enum usage_level standing(struct store_room *f, int64_t workspace, int64_t now)
{
	struct machine_quota quota = MACHINE_QUOTA_NONE;
	struct usage_standing s;

	quota.cpu_hours = 10;
	assert_ok(usage_limit_standing(&f->store, workspace, &quota, now, &s, &f->e), f->e);
	if (s.level == USAGE_SPENT)
		assert_refused(
			usage_limit_check(&f->store, workspace, &quota, &no_plans, now, &f->e),
			f->e, ERR_EXHAUSTED, "wait for the next month");
	else
		assert_ok(usage_limit_check(&f->store, workspace, &quota, &no_plans, now, &f->e),
			  f->e);
	return s.level;
}

/* What runs over a month's end counts in each for what it ran in it. */
static void a_month_is_over_when_it_is(void **state)
{
	struct store_room *f = *state;

	assert_int_equal(standing(f, 7, november), USAGE_WITHIN);
	ran(f, 7, november - 2 * HOUR, november + 4 * HOUR - 1);
	assert_int_equal(standing(f, 7, november + 4 * HOUR), USAGE_WITHIN);
	ran(f, 7, november + 4 * HOUR - 1, november + 4 * HOUR);
	assert_int_equal(standing(f, 7, november + 4 * HOUR), USAGE_NEARLY);
	assert_int_equal(standing(f, 7, november - 1), USAGE_WITHIN);
	ran(f, 7, december - HOUR, december + 5 * HOUR - 1);
	assert_int_equal(standing(f, 7, december - 1), USAGE_SPENT);
	assert_int_equal(standing(f, 7, december), USAGE_NEARLY);
	ran(f, 7, december + 5 * HOUR - 1, december + 5 * HOUR);
	assert_int_equal(standing(f, 7, december), USAGE_SPENT);
	assert_int_equal(standing(f, 8, december), USAGE_WITHIN); /* another workspace's */
}

static int64_t add(struct store_room *f)
{
	static const struct machine_quota no_limit = MACHINE_QUOTA_NONE;
	static char name[] = "one", manager[] = "here", word[] = "",
		    tag[] = "5b1c6d3e-0000-4000-8000-00000000000a";
	const struct machine wish = { .name = name,
				      .manager = manager,
				      .tag = tag,
				      .image = word,
				      .tee = word,
				      .workspace_number = store_room_workspace(f),
				      .cpus = 1,
				      .memory = 1 << 30 };
	int64_t number;

	assert_ok(store_machine_add(&f->store, &wish, &no_limit, &number, &f->e), f->e);
	return number;
}

static void check(struct store_room *f, int64_t number, enum machine_phase phase, const char *words,
		  bool is_reason)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };

	assert_ok(store_machine_at(&f->store, number, &m, &f->e), f->e);
	assert_int_equal(m.phase, phase);
	assert_non_null(strstr(m.reason, words));
	assert_int_equal(*usage_limit_reason(&m) != 0, is_reason);
}

static void hook(struct store_room *f, int64_t workspace)
{
	assert_ok(
		db_run(&f->store.db, &f->e,
		       "INSERT INTO webhooks (workspace, url, description, maker, events, created)"
		       " VALUES (?, 'https://h.example/', '', '', ?, ?)",
		       "iii", workspace, (int64_t)HOOK_EVENTS_ALL, november),
		f->e);
}

/* Once, and nothing else. */
static void check_told(struct store_room *f, enum hook_event event, const char *like)
{
	int64_t all, count;

	assert_ok(db_number(&f->store.db, &all, &f->e,
			    "SELECT count(*) FROM webhook_deliveries WHERE event = ?", "i",
			    (int64_t)event),
		  f->e);
	assert_ok(
		db_number(&f->store.db, &count, &f->e,
			  "SELECT count(*) FROM webhook_deliveries WHERE event = ? AND body LIKE ?",
			  "it", (int64_t)event, like),
		f->e);
	assert_int_equal(count, 1);
	assert_int_equal(all, 1);
}

static void a_cvm_is_warned_and_ended(void **state)
{
	struct machine_quota quota = MACHINE_QUOTA_NONE;
	struct store_room *f = *state;
	int64_t number = add(f), workspace = store_room_workspace(f);

	quota.cpu_hours = 10;
	hook(f, workspace);
	/* What is not made yet, or is to be removed, is left as it is. */
	ran(f, workspace, november, november + 5 * HOUR);
	assert_ok(usage_limit_apply(&f->store, number, &quota, &no_plans, november, &f->e), f->e);
	check(f, number, MACHINE_WANTED, "", false);
	check_told(f, HOOK_USAGE_LIMIT, "%\"month\":\"2026-11\"%Reached%");
	assert_ok(store_machine_made(&f->store, number, "5b1c6d3e-0000-4000-8000-00000000000b",
				     "h:1", &f->e),
		  f->e);
	ran(f, workspace, december, december + 4 * HOUR);
	assert_ok(usage_limit_apply(&f->store, number, &quota, &no_plans, december, &f->e), f->e);
	check(f, number, MACHINE_MADE, "80 %", false);
	quota.cpu_hours = 11;
	assert_ok(usage_limit_apply(&f->store, number, &quota, &no_plans, december, &f->e), f->e);
	check(f, number, MACHINE_MADE, "", false);
	quota.cpu_hours = 10;
	assert_ok(usage_limit_apply(&f->store, number, &quota, &no_plans, november, &f->e), f->e);
	check(f, number, MACHINE_LEAVING, "limit is reached: the 10 CPU-hours of 2026-11", true);
	assert_ok(store_machine_note(&f->store, number, "manager here: away", &f->e), f->e);
	assert_ok(usage_limit_apply(&f->store, number, &quota, &no_plans, november, &f->e), f->e);
	check(f, number, MACHINE_LEAVING, "away", false);
	check_told(f, HOOK_USAGE_WARNING, "%\"month\":\"2026-12\"%Nearly%");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_limit_has_its_edges),
		STORE_ROOM_ROW(a_month_is_over_when_it_is),
		STORE_ROOM_ROW(a_cvm_is_warned_and_ended),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
