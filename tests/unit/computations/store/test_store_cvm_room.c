/* SPDX-License-Identifier: Apache-2.0 */
/* The store: who gives a place when there are as many CVMs as may be known. */
#include "computations/store/store_machine.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>

static int arrive_beside(struct store_room *f, const char *cvm, const char *key, char *connected)
{
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	return store_cvm_seen(&f->store, cvm, "p", key, "", store_room_is_in, connected, &todo,
			      &f->e);
}

static int arrive_with(struct store_room *f, const char *cvm, const char *key)
{
	return arrive_beside(f, cvm, key, NULL);
}

/* So many names of one key, from that number on: "a0", "a1", ... of key "a". */
static void make_up(struct store_room *f, char key, int from, int count)
{
	const char text[] = { key, 0 };
	char name[16];

	for (int i = from; i < from + count; i++) {
		snprintf(name, sizeof(name), "%c%d", key, i);
		assert_ok(arrive_with(f, name, text), f->e);
	}
}

static int64_t names_of(struct store_room *f, const char *key)
{
	int64_t count;

	assert_ok(db_number(&f->store.db, &count, &f->e, "SELECT count(*) FROM cvms WHERE key = ?",
			    "t", key),
		  f->e);
	return count;
}

static bool is_known(struct store_room *f, const char *cvm)
{
	struct cvm c CLEANUP_CVM = { .id = NULL };
	int failed = store_cvm(&f->store, cvm, &c, &f->e);

	if (failed)
		assert_int_equal(failed, -ERR_NOT_FOUND);
	return !failed;
}

static void age(struct store_room *f, const char *cvm)
{
	assert_ok(
		db_run(&f->store.db, &f->e, "UPDATE cvms SET last_seen = 1 WHERE id = ?", "t", cvm),
		f->e);
}

static void one_key_does_not_keep_out_another(void **state)
{
	struct store_room *f = *state;

	f->store.limits.cvms = 8;
	make_up(f, 'a', 0, 20);
	assert_int_equal(names_of(f, "a"), 8);
	assert_ok(arrive_with(f, "honest", "b"), f->e);
	assert_false(is_known(f, "a12")); /* the oldest */
	assert_true(is_known(f, "a13"));
	/* What is said of that key takes nothing from what there is to say of others. */
	assert_int_equal(f->store.forgot.spent_until, 0);
	assert_int_equal(f->store.lines.rows[0].kind, STORE_LINE_FORGOT);
	/* What the first makes up then is in places of its own. */
	make_up(f, 'a', 20, 20);
	assert_int_equal(names_of(f, "a"), 7);
	assert_true(is_known(f, "honest"));
	assert_refused(arrive_with(f, "honest", "a"), f->e, ERR_DENIED, "bound");
}

static void who_has_two_more_gives_one(void **state)
{
	struct store_room *f = *state;
	char connected[] = "a0 a1 c0";

	/* Three places, where a share is one. */
	make_up(f, 'a', 0, 2);
	make_up(f, 'b', 0, 1);
	assert_ok(arrive_with(f, "c0", "c"), f->e);
	assert_false(is_known(f, "a0"));
	/* Now each has one. */
	assert_refused(arrive_with(f, "d0", "d"), f->e, ERR_EXHAUSTED, "within a week");
	/* Its own is given for a newer one of the same key. */
	assert_ok(arrive_with(f, "b1", "b"), f->e);
	assert_false(is_known(f, "b0"));
	/* Who is there is not forgotten, however many he has. */
	assert_ok(arrive_with(f, "b1", "b"), f->e);
	assert_ok(db_script(&f->store.db, "UPDATE cvms SET key = 'a', id = 'a0' WHERE id = 'b1'",
			    &f->e),
		  f->e);
	assert_refused(arrive_beside(f, "d0", "d", connected), f->e, ERR_EXHAUSTED,
		       "within a week");
}

/* Of equals the newcomer's key gives, also if both have more than a share. */
static void equals_take_nothing_from_each_other(void **state)
{
	struct store_room *f = *state;

	f->store.limits.cvms = 8;
	make_up(f, 'a', 0, 4);
	make_up(f, 'b', 0, 4);
	for (int i = 4; i < 8; i++) {
		make_up(f, 'b', i, 1);
		assert_int_equal(names_of(f, "a"), 4);
		make_up(f, 'a', i, 1);
		assert_int_equal(names_of(f, "a"), 4);
	}
}

/* A fleet may have one certificate in common: it ends at three quarters, whatever another one makes up. */
static void a_fleet_has_three_quarters(void **state)
{
	struct store_room *f = *state;
	char connected[] = "f0 f1 f2 f3 f4 f5";
	char name[] = "f0";

	f->store.limits.cvms = 8;
	make_up(f, 'a', 0, 8);
	for (; name[1] < '6'; name[1]++)
		assert_ok(arrive_beside(f, name, "f", connected), f->e);
	assert_int_equal(names_of(f, "a"), 2);
	assert_refused(arrive_beside(f, name, "f", connected), f->e, ERR_EXHAUSTED,
		       "within a week");
	assert_ok(arrive_beside(f, "other", "o", connected), f->e);
	assert_int_equal(names_of(f, "a"), 1);
	assert_int_equal(names_of(f, "f"), 6);
}

/* One of each kind that may not go, all of key "a". */
static void use(struct store_room *f)
{
	const struct machine m = { .name = (char[]){ "m" },
				   .manager = (char[]){ "here" },
				   .tag = (char[]){ "tag" },
				   .image = (char[]){ "i" },
				   .tee = (char[]){ "none" },
				   .workspace_number = store_room_workspace(f),
				   .cpus = 1,
				   .memory = 1 << 30 };
	const struct machine_quota quota = MACHINE_QUOTA_NONE;
	int64_t number;
	CLEANUP(free) char *told = NULL, *told_again = NULL;
	bool tell;

	assert_ok(store_machine_add(&f->store, &m, &quota, &number, &f->e), f->e);
	assert_ok(store_machine_made(&f->store, number, "a-machine", "h:1", &f->e), f->e);
	assert_ok(arrive_with(f, "a-machine", "a"), f->e);
	assert_ok(arrive_with(f, "a-busy", "a"), f->e);
	store_room_create(f, "one");
	assert_ok(store_assign(&f->store, "one", "a-busy", false, &f->e), f->e);
	/* Nobody else knows that it is to be stopped. */
	assert_ok(store_remove(&f->store, "one", true, &told, &f->e), f->e);
	assert_ok(arrive_with(f, "a-done", "a"), f->e);
	store_room_create(f, "two");
	assert_ok(store_assign(&f->store, "two", "a-done", false, &f->e), f->e);
	assert_ok(store_stop(&f->store, "two", &tell, &f->e), f->e);
	assert_ok(store_stopped(&f->store, "a-done", "two", &f->e), f->e);
	/* Nor is it forgotten that it had one when that is. */
	assert_ok(store_remove(&f->store, "two", true, &told_again, &f->e), f->e);
	assert_ok(db_script(&f->store.db,
			    "INSERT INTO certificates (serial, name, role, days, maker, created,"
			    " until, issued, key, authority, revoked)"
			    " VALUES ('1', 'a-named', 'agent', 1, '', 1, 1, 1, '', '', 0)",
			    &f->e),
		  f->e);
	assert_ok(arrive_with(f, "a-named", "a"), f->e);
	assert_ok(arrive_with(f, "a-here", "a"), f->e);
}

static void what_was_used_is_not_forgotten_for_others(void **state)
{
	static const char *const used[] = { "a-machine", "a-busy", "a-done", "a-named", "a-here" };
	struct store_room *f = *state;
	char connected[] = "a-here";

	f->store.limits.cvms = 6;
	use(f);
	assert_ok(arrive_with(f, "a-unused", "a"), f->e);
	assert_ok(arrive_beside(f, "b0", "b", connected), f->e);
	assert_false(is_known(f, "a-unused"));
	assert_refused(arrive_beside(f, "c0", "c", connected), f->e, ERR_EXHAUSTED,
		       "within a week");
	for (int i = 0; i < 8; i++)
		assert_ok(arrive_beside(f, i % 2 ? "b0" : "b1", "b", connected), f->e);
	for (size_t i = 0; i < ARRAY_LEN(used); i++) {
		assert_true(is_known(f, used[i]));
		assert_refused(arrive_with(f, used[i], "b"), f->e, ERR_DENIED, "bound");
	}
}

/* A name that was not used is again as one that never came. */
static void a_forgotten_name_is_a_new_one(void **state)
{
	struct store_room *f = *state;
	struct cvm c CLEANUP_CVM = { .id = NULL };
	struct record r = { .level = (char[]){ "info" }, .text = (char[]){ "of the first" } };
	struct record *records;
	size_t count;

	make_up(f, 'a', 0, 3);
	assert_ok(store_log(&f->store, "a0", "", &r, &f->e), f->e);
	assert_ok(store_cvm_verdict(&f->store, "a0", true, "verified: x", &f->e), f->e);
	assert_ok(arrive_with(f, "b0", "b"), f->e);
	assert_false(is_known(f, "a0"));
	assert_refused(store_cvm_reports(&f->store, "a0", "a", &f->e), f->e, ERR_UNAVAILABLE,
		       "not connected yet");
	assert_ok(arrive_with(f, "a0", "a"), f->e);
	assert_ok(store_cvm(&f->store, "a0", &c, &f->e), f->e);
	assert_false(c.verified);
	assert_string_equal(c.key, "a");
	assert_ok(store_records(&f->store, "", "a0", 0, &records, &count, &f->e), f->e);
	assert_int_equal(count, 0);
	records_free(records, count);
}

static void who_was_not_seen_for_a_week_goes_first(void **state)
{
	struct store_room *f = *state;

	f->store.limits.cvms = 6;
	use(f);
	assert_ok(arrive_with(f, "b0", "b"), f->e);
	age(f, "a-done");
	age(f, "a-busy"); /* which holds its computation, however long it is away */
	assert_ok(arrive_beside(f, "b1", "b", NULL), f->e);
	assert_false(is_known(f, "a-done"));
	assert_true(is_known(f, "a-busy"));
	assert_true(is_known(f, "b0"));
	/* Then its own, and what was used last of all. */
	assert_ok(arrive_with(f, "b2", "b"), f->e);
	assert_false(is_known(f, "b0"));
	assert_ok(arrive_with(f, "a-new", "a"), f->e);
	assert_true(is_known(f, "a-machine"));
}

/* Whoever comes under a machine's name is taken for it. */
static void a_machine_s_name_stays_however_long_it_is_away(void **state)
{
	struct store_room *f = *state;

	f->store.limits.cvms = 6;
	use(f);
	assert_ok(arrive_with(f, "b0", "b"), f->e);
	age(f, "a-machine");
	assert_ok(arrive_with(f, "a-new", "a"), f->e);
	assert_true(is_known(f, "a-machine"));
	assert_false(is_known(f, "a-here"));
	assert_ok(db_script(&f->store.db, "UPDATE machines SET phase = 3", &f->e), f->e);
	assert_ok(arrive_with(f, "c0", "c"), f->e);
	assert_false(is_known(f, "a-machine"));
}

/* The form before did not say what was used: what computations say does. */
static void an_older_database_shares_places_as_well(void **state)
{
	struct store_room *f = *state;

	f->store.limits.cvms = 4;
	assert_ok(arrive_with(f, "a-had", "a"), f->e);
	store_room_create(f, "one");
	assert_ok(store_assign(&f->store, "one", "a-had", false, &f->e), f->e);
	assert_ok(db_script(&f->store.db, "UPDATE cvms SET computation = ''", &f->e), f->e);
	make_up(f, 'a', 0, 3);
	store_room_age(f, 43);
	f->store.limits.cvms = 4;
	assert_ok(arrive_with(f, "b0", "b"), f->e);
	assert_false(is_known(f, "a0"));
	assert_true(is_known(f, "a-had"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(one_key_does_not_keep_out_another),
		STORE_ROOM_ROW(who_has_two_more_gives_one),
		STORE_ROOM_ROW(equals_take_nothing_from_each_other),
		STORE_ROOM_ROW(a_fleet_has_three_quarters),
		STORE_ROOM_ROW(what_was_used_is_not_forgotten_for_others),
		STORE_ROOM_ROW(a_forgotten_name_is_a_new_one),
		STORE_ROOM_ROW(who_was_not_seen_for_a_week_goes_first),
		STORE_ROOM_ROW(a_machine_s_name_stays_however_long_it_is_away),
		STORE_ROOM_ROW(an_older_database_shares_places_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
