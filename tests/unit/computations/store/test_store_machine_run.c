/* SPDX-License-Identifier: Apache-2.0 */
/* CVMs that are made for one run: whose, when they get it, and when they go; each to the millisecond. */
#include "computations/store/store_machine_run.h"
#include "tests/unit/computations/store_room.h"

#define ID_A "5b1c6d3e-0000-4000-8000-00000000000a"

enum { HOUR_MS = 3600 * 1000 };

static const struct machine_quota no_limit = { UINT64_MAX, UINT64_MAX, UINT64_MAX,
					       UINT64_MAX, UINT64_MAX, UINT64_MAX };

static int try_add(struct store_room *f, const char *computation, const char *tag, bool unverified,
		   int64_t *number)
{
	static char word[] = "";
	struct machine wish = { .name = (char *)(uintptr_t)tag,
				.manager = (char *)(uintptr_t)"here",
				.tag = (char *)(uintptr_t)tag,
				.image = word,
				.tee = word,
				.unverified = unverified,
				.keep_ms = HOUR_MS,
				.workspace_number = store_room_workspace(f) };

	return store_machine_run_add(&f->store, computation, &wish, &no_limit, number, &f->e);
}

/* Of a new computation. */
static int64_t add(struct store_room *f, const char *computation)
{
	int64_t number;

	store_room_create(f, computation);
	assert_ok(try_add(f, computation, "one", false, &number), f->e);
	return number;
}

static int64_t add_made(struct store_room *f, const char *computation)
{
	int64_t number = add(f, computation);

	assert_ok(store_machine_made(&f->store, number, ID_A, "h:1", &f->e), f->e);
	return number;
}

static void turns(struct store_room *f, int64_t number, bool is_connected, bool must_verify,
		  enum machine_turn expected, const char *changed)
{
	const struct machine_agent agent = { is_connected, must_verify };
	CLEANUP(free) char *computation = NULL;
	enum machine_turn turn;

	assert_ok(store_machine_turn(&f->store, number, &agent, &turn, &computation, &f->e), f->e);
	assert_int_equal(turn, expected);
	if (changed)
		assert_string_equal(computation, changed);
	else
		assert_null(computation);
}

static void check(struct store_room *f, int64_t number, enum machine_phase phase,
		  enum machine_run stands)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };

	assert_ok(store_machine_at(&f->store, number, &m, &f->e), f->e);
	assert_int_equal(m.phase, phase);
	assert_int_equal(m.stands, stands);
}

static void set(struct store_room *f, const char *sql, int64_t value)
{
	assert_ok(db_run(&f->store.db, &f->e, sql, "i", value), f->e);
}

/* Its agent is there, free, and has proven what it is. */
static void arrive_proven(struct store_room *f)
{
	store_room_arrive_idle(f, ID_A);
	assert_ok(store_cvm_verdict(&f->store, ID_A, true, "good", &f->e), f->e);
}

static void failure(struct store_room *f, const char *id, const char *expected)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	assert_ok(store_computation(&f->store, id, &c, &f->e), f->e);
	assert_string_equal(c.failure, expected);
}

static void it_gets_its_run_and_goes_behind_it(void **state)
{
	struct store_room *f = *state;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	int64_t number = add(f, "c1"), now = store_now();

	assert_ok(store_computation(&f->store, "c1", &c, &f->e), f->e);
	assert_string_equal(c.new_cvm, "one");
	check(f, number, MACHINE_WANTED, MACHINE_RUN_WAITS);
	turns(f, number, false, false, MACHINE_TURN_NONE, NULL);
	assert_ok(store_machine_made(&f->store, number, ID_A, "h:1", &f->e), f->e);
	turns(f, number, true, false, MACHINE_TURN_NONE, NULL); /* nobody has come yet */
	store_room_arrive_idle(f, ID_A);
	turns(f, number, false, false, MACHINE_TURN_NONE, NULL);
	turns(f, number, true, false, MACHINE_TURN_GIVEN, "c1");
	check(f, number, MACHINE_MADE, MACHINE_RUN_HELD);
	turns(f, number, true, false, MACHINE_TURN_NONE, NULL);
	store_room_event(f, ID_A, "c1", "ConsumingResults", "Completed");
	check(f, number, MACHINE_MADE, MACHINE_RUN_RESULTS);
	turns(f, number, true, false, MACHINE_TURN_NONE, NULL);
	set(f, "UPDATE machines SET results = ?", now - HOUR_MS + 60 * 1000);
	turns(f, number, true, false, MACHINE_TURN_NONE, NULL);
	store_room_event(f, ID_A, "c1", "Complete", "Completed");
	check(f, number, MACHINE_MADE, MACHINE_RUN_DONE);
	turns(f, number, true, false, MACHINE_TURN_NONE, NULL);
	set(f, "UPDATE computations SET ended = ?", store_now() - MACHINE_LINGER_MS);
	turns(f, number, true, false, MACHINE_TURN_LEFT, NULL);
	check(f, number, MACHINE_LEAVING, MACHINE_RUN_DONE);
	turns(f, number, true, false, MACHINE_TURN_NONE, NULL);
}

static void what_nobody_fetches_goes_with_it(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *failed = NULL;
	int64_t number = add_made(f, "c1");

	store_room_arrive_idle(f, ID_A);
	turns(f, number, true, false, MACHINE_TURN_GIVEN, "c1");
	store_room_event(f, ID_A, "c1", "ConsumingResults", "Completed");
	turns(f, number, true, false, MACHINE_TURN_NONE, NULL);
	set(f, "UPDATE machines SET results = ?", store_now() - HOUR_MS);
	turns(f, number, true, false, MACHINE_TURN_LEFT, NULL);
	assert_ok(store_machine_gone(&f->store, number, MACHINE_REMOVED, "", &failed, &f->e), f->e);
	assert_string_equal(failed, "c1");
	store_room_check(f, "c1", COMPUTATION_FAILED, true);
	failure(f, "c1",
		"CVM one is gone: its results were not fetched for as long as it was kept for them");
}

/* Whether its agent answers the stop or not. */
static void what_is_stopped_is_kept_for_a_moment(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *failed = NULL;
	int64_t number = add_made(f, "c1");
	bool tell;

	store_room_arrive_idle(f, ID_A);
	turns(f, number, true, false, MACHINE_TURN_GIVEN, "c1");
	store_room_event(f, ID_A, "c1", "ConsumingResults", "Completed");
	turns(f, number, true, false, MACHINE_TURN_NONE, NULL);
	assert_ok(store_stop(&f->store, "c1", &tell, &f->e), f->e);
	turns(f, number, true, false, MACHINE_TURN_NONE, NULL);
	set(f, "UPDATE machines SET results = ?", store_now() - STORE_STOPPED_KEEP_MS);
	/* Nor does it wait longer for who asks for more stops. */
	assert_ok(store_stop(&f->store, "c1", &tell, &f->e), f->e);
	turns(f, number, true, false, MACHINE_TURN_LEFT, NULL);
	assert_ok(store_machine_gone(&f->store, number, MACHINE_REMOVED, "", &failed, &f->e), f->e);
	assert_null(failed);
	store_room_check(f, "c1", COMPUTATION_CANCELLED, true);
}

static void who_has_proven_nothing_gets_nothing(void **state)
{
	struct store_room *f = *state;
	int64_t number = add_made(f, "c1");

	store_room_arrive_idle(f, ID_A);
	assert_ok(store_cvm_verdict(&f->store, ID_A, false, "of another image", &f->e), f->e);
	turns(f, number, true, true, MACHINE_TURN_NONE, NULL);
	set(f, "UPDATE machines SET created = ?", store_now() - MACHINE_RUN_WAIT_MS + 60 * 1000);
	turns(f, number, true, true, MACHINE_TURN_NONE, NULL);
	/* How far a limit is used has nothing to do with it. */
	assert_ok(store_machine_note(&f->store, number, "80 % of a limit", &f->e), f->e);
	set(f, "UPDATE machines SET created = ?", store_now() - MACHINE_RUN_WAIT_MS);
	turns(f, number, true, true, MACHINE_TURN_LEFT, "c1");
	store_room_check(f, "c1", COMPUTATION_FAILED, true);
	failure(f, "c1",
		"CVM one, made for it, did not take it within 30 minutes: it has not proven what it is: of another "
		"image");
	check(f, number, MACHINE_LEAVING, MACHINE_RUN_OVER);
}

static void a_run_that_asks_for_no_proof_needs_none(void **state)
{
	struct store_room *f = *state;
	int64_t number;

	store_room_create(f, "c1");
	assert_ok(try_add(f, "c1", "one", true, &number), f->e);
	assert_ok(store_machine_made(&f->store, number, ID_A, "h:1", &f->e), f->e);
	store_room_arrive_idle(f, ID_A);
	turns(f, number, true, true, MACHINE_TURN_GIVEN, "c1");
}

static void proven_ones_get_it(void **state)
{
	struct store_room *f = *state;
	int64_t number = add_made(f, "c1");

	arrive_proven(f);
	turns(f, number, true, true, MACHINE_TURN_GIVEN, "c1");
	check(f, number, MACHINE_MADE, MACHINE_RUN_HELD);
}

static void nobody_comes(void **state)
{
	struct store_room *f = *state;
	int64_t number = add(f, "c1");

	assert_ok(store_machine_note(&f->store, number, "manager here: away", &f->e), f->e);
	set(f, "UPDATE machines SET created = ?", store_now() - MACHINE_RUN_WAIT_MS);
	turns(f, number, false, false, MACHINE_TURN_LEFT, "c1");
	failure(f, "c1",
		"CVM one, made for it, did not take it within 30 minutes: manager here: away");
}

static void there_is_one_for_each_run(void **state)
{
	struct store_room *f = *state;
	bool tell;
	int64_t number = add(f, "c1"), other;

	assert_refused(try_add(f, "c1", "two", false, &other), f->e, ERR_PRECONDITION,
		       "CVM one is being made for computation 'c1'");
	assert_refused(store_machine_run_check(&f->store, "c1", &f->e), f->e, ERR_PRECONDITION,
		       "being made");
	assert_refused(store_machine_leave(&f->store, number, false, &f->e), f->e, ERR_PRECONDITION,
		       "is made for computation 'c1'");
	assert_int_equal(try_add(f, "nowhere", "two", false, &other), -ERR_NOT_FOUND);
	/* Nor does it take another, or this one by name. */
	store_room_create(f, "c2");
	assert_ok(store_machine_made(&f->store, number, ID_A, "h:1", &f->e), f->e);
	assert_refused(store_machine_check(&f->store, ID_A, "c1", &f->e), f->e, ERR_UNAVAILABLE,
		       "is not connected");
	assert_refused(store_machine_check(&f->store, ID_A, "c2", &f->e), f->e, ERR_UNAVAILABLE,
		       "is not connected");
	assert_ok(store_machine_run_check(&f->store, "c2", &f->e), f->e);
	assert_ok(store_stop(&f->store, "c1", &tell, &f->e), f->e);
	turns(f, number, false, false, MACHINE_TURN_LEFT, NULL);
	assert_refused(try_add(f, "c1", "two", false, &other), f->e, ERR_PRECONDITION,
		       "has ended (Cancelled): 'computation retry'");
}

static void a_retry_and_one_of_that_id_are_others(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *failed = NULL, *cvm = NULL;
	int64_t first = add_made(f, "c1"), second;

	assert_ok(store_machine_gone(&f->store, first, MACHINE_LOST, "x", &failed, &f->e), f->e);
	assert_string_equal(failed, "c1");
	failure(f, "c1", "CVM one is gone: x");
	assert_ok(store_retry(&f->store, "c1", &f->e), f->e);
	assert_ok(try_add(f, "c1", "two", false, &second), f->e);
	check(f, first, MACHINE_LOST, MACHINE_RUN_OVER);
	check(f, second, MACHINE_WANTED, MACHINE_RUN_WAITS);
	assert_ok(store_remove(&f->store, "c1", true, &cvm, &f->e), f->e);
	store_room_create(f, "c1");
	check(f, second, MACHINE_WANTED, MACHINE_RUN_OVER);
	turns(f, second, false, false, MACHINE_TURN_LEFT, NULL);
	store_room_check(f, "c1", COMPUTATION_CREATED, false);
	/* Given to another CVM meanwhile, by whatever way: it is not waited for. */
	store_room_create(f, "c3");
	assert_ok(try_add(f, "c3", "three", false, &second), f->e);
	store_room_arrive_idle(f, "other");
	assert_ok(store_assign(&f->store, "c3", "other", false, &f->e), f->e);
	turns(f, second, false, false, MACHINE_TURN_LEFT, NULL);
}

/* What a removed computation's CVM held is free with it. */
static void what_was_removed_is_held_by_none_that_is_gone(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *failed = NULL, *cvm = NULL;
	struct cvm held CLEANUP_CVM = { .id = NULL };
	int64_t number = add_made(f, "c1");

	store_room_arrive_idle(f, ID_A);
	turns(f, number, true, false, MACHINE_TURN_GIVEN, "c1");
	assert_ok(store_remove(&f->store, "c1", true, &cvm, &f->e), f->e);
	turns(f, number, true, false, MACHINE_TURN_LEFT, NULL);
	assert_ok(store_machine_gone(&f->store, number, MACHINE_REMOVED, "", &failed, &f->e), f->e);
	assert_null(failed);
	assert_ok(store_cvm(&f->store, ID_A, &held, &f->e), f->e);
	assert_string_equal(held.computation_id, "");
	store_room_create(f, "c1");
}

/* Form 23 had none for one run: those that are there are nobody's. */
static void an_older_database_gets_the_columns(void **state)
{
	struct store_room *f = *state;
	int64_t number;

	store_room_create(f, "c1");
	store_room_age(f, 24);
	assert_ok(try_add(f, "c1", "one", false, &number), f->e);
	check(f, number, MACHINE_WANTED, MACHINE_RUN_WAITS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(it_gets_its_run_and_goes_behind_it),
		STORE_ROOM_ROW(what_nobody_fetches_goes_with_it),
		STORE_ROOM_ROW(what_is_stopped_is_kept_for_a_moment),
		STORE_ROOM_ROW(who_has_proven_nothing_gets_nothing),
		STORE_ROOM_ROW(a_run_that_asks_for_no_proof_needs_none),
		STORE_ROOM_ROW(proven_ones_get_it),
		STORE_ROOM_ROW(nobody_comes),
		STORE_ROOM_ROW(there_is_one_for_each_run),
		STORE_ROOM_ROW(a_retry_and_one_of_that_id_are_others),
		STORE_ROOM_ROW(what_was_removed_is_held_by_none_that_is_gone),
		STORE_ROOM_ROW(an_older_database_gets_the_columns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
