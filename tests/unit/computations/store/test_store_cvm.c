/* SPDX-License-Identifier: Apache-2.0 */
/* The store: CVMs, what they hold, and what is known of them. */
#include "tests/unit/computations/store_room.h"

#include <stdio.h>

static void a_cvm_holds_one_at_a_time(void **state)
{
	struct store_room *f = *state;
	bool tell;

	store_room_run_on(f, "one", "cvm");
	store_room_create(f, "two");
	assert_refused(store_assign(&f->store, "two", "cvm", false, &f->e), f->e, ERR_PRECONDITION,
		       "'one'");
	assert_refused(store_assign(&f->store, "two", "nowhere", false, &f->e), f->e, ERR_NOT_FOUND,
		       "nowhere");
	assert_refused(store_assign(&f->store, "one", "cvm", false, &f->e), f->e, ERR_PRECONDITION,
		       "run before");
	store_room_event(f, "cvm", "one", "Complete", "Completed");
	assert_refused(store_assign(&f->store, "two", "cvm", false, &f->e), f->e, ERR_PRECONDITION,
		       "'one'");
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	assert_true(tell);
	assert_refused(store_assign(&f->store, "two", "cvm", false, &f->e), f->e, ERR_PRECONDITION,
		       "'one'");
	assert_ok(store_stopped(&f->store, "cvm", "one", &f->e), f->e);
	store_room_check(f, "one", COMPUTATION_COMPLETED, true);
	assert_ok(store_assign(&f->store, "two", "cvm", false, &f->e), f->e);
}

static void one_that_failed_is_assigned_again(void **state)
{
	struct store_room *f = *state;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	bool tell;

	assert_refused(store_retry(&f->store, "none", &f->e), f->e, ERR_NOT_FOUND, "none");
	store_room_run_on(f, "one", "cvm");
	assert_refused(store_retry(&f->store, "one", &f->e), f->e, ERR_PRECONDITION, "is Created");
	store_room_event(f, "cvm", "one", "Failed", "Failed");
	assert_refused(store_retry(&f->store, "one", &f->e), f->e, ERR_PRECONDITION,
		       "stop it first");
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	assert_refused(store_retry(&f->store, "one", &f->e), f->e, ERR_PRECONDITION,
		       "stop it first");
	assert_ok(store_stopped(&f->store, "cvm", "one", &f->e), f->e);
	assert_ok(store_retry(&f->store, "one", &f->e), f->e);
	store_room_check(f, "one", COMPUTATION_CREATED, false);
	assert_ok(store_assign(&f->store, "one", "cvm", false, &f->e), f->e);
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_string_equal(c.failure, "");
	assert_string_equal(c.agent_state, "");
	/* The end of the first run, once more, and then where the agent is. */
	store_room_event(f, "cvm", "one", "Failed", "Failed");
	assert_ok(store_stopped(&f->store, "cvm", "one", &f->e), f->e);
	store_room_check(f, "one", COMPUTATION_FAILED, true);
	assert_ok(store_agent_state(&f->store, "cvm", "ReceivingData", &todo, &f->e), f->e);
	assert_string_equal(todo.computation_id, "one");
	store_room_check(f, "one", COMPUTATION_WAITING_DATASETS, false);
}

/* Before it had a CVM; and in one, whose agent may say again what it said of the run before. */
static void one_that_was_cancelled_is_assigned_again(void **state)
{
	struct store_room *f = *state;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	bool tell;

	store_room_create(f, "none");
	assert_ok(store_stop(&f->store, "none", &tell, &f->e), f->e);
	assert_false(tell);
	store_room_check(f, "none", COMPUTATION_CANCELLED, true);
	assert_refused(store_check_new(&f->store, "none", &f->e), f->e, ERR_PRECONDITION,
		       "'computation retry' runs it again");
	assert_ok(store_retry(&f->store, "none", &f->e), f->e);
	store_room_check(f, "none", COMPUTATION_CREATED, false);
	assert_ok(store_check_new(&f->store, "none", &f->e), f->e);
	store_room_run_on(f, "one", "cvm");
	assert_ok(store_agent_state(&f->store, "cvm", "ReceivingData", &todo, &f->e), f->e);
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	assert_true(tell);
	assert_refused(store_retry(&f->store, "one", &f->e), f->e, ERR_PRECONDITION,
		       "stop it first");
	assert_ok(store_stopped(&f->store, "cvm", "one", &f->e), f->e);
	store_room_check(f, "one", COMPUTATION_CANCELLED, true);
	assert_ok(store_retry(&f->store, "one", &f->e), f->e);
	assert_ok(store_assign(&f->store, "one", "cvm", false, &f->e), f->e);
	assert_ok(store_stopped(&f->store, "cvm", "one", &f->e), f->e);
	store_room_check(f, "one", COMPUTATION_CREATED, false);
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_string_equal(c.cvm_id, "cvm");
	assert_true(!c.stopping && !c.ended);
	/* One that has given results is over. */
	store_room_event(f, "cvm", "one", "Complete", "Complete");
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	assert_ok(store_stopped(&f->store, "cvm", "one", &f->e), f->e);
	assert_refused(store_retry(&f->store, "one", &f->e), f->e, ERR_PRECONDITION,
		       "is Completed");
}

/* What the agent says, of that attempt: its answer to the manifest, or (without an error) that it failed. */
static void say_of(struct store_room *f, int64_t attempt, const char *error)
{
	const struct run_answer answer = { .error = error, .notice = "", .attempt = attempt };
	const struct record failed = { .event = true,
				       .type = (char *)(uintptr_t)"Failed",
				       .status = (char *)(uintptr_t)"Failed",
				       .text = (char *)(uintptr_t)"{}",
				       .attempt = attempt };

	if (*error)
		assert_ok(store_run_answer(&f->store, "cvm", "one", &answer, &f->e), f->e);
	else
		assert_ok(store_event(&f->store, "cvm", "one", &failed, &f->e), f->e);
}

/* An agent that began anew, and whose manifest can't be had any more, has nothing to go on with. */
static void what_can_not_be_given_again_fails_also_where_it_was_accepted(void **state)
{
	struct store_room *f = *state;
	const struct run_answer none = {
		.error = "it is lost", .notice = "", .attempt = 1, .is_ours = true
	};
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	struct cvm cvm CLEANUP_CVM = { .id = NULL };

	const struct run_answer accepts = { .error = "", .notice = "", .attempt = 1 };

	store_room_run_on(f, "one", "cvm");
	assert_ok(store_run_answer(&f->store, "cvm", "one", &accepts, &f->e), f->e);
	say_of(f, 1, "INTERNAL: no"); /* the agent's own word is about a second copy */
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_int_not_equal(c.state, COMPUTATION_FAILED);
	computation_done(&c);
	assert_ok(store_run_answer(&f->store, "cvm", "one", &none, &f->e), f->e);
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_int_equal(c.state, COMPUTATION_FAILED);
	assert_string_equal(c.failure, "it is lost");
	assert_ok(store_cvm(&f->store, "cvm", &cvm, &f->e), f->e);
	assert_string_equal(cvm.computation_id, "");
}

static void what_is_said_of_an_older_attempt_fails_no_retry(void **state)
{
	struct store_room *f = *state;
	int64_t attempt;

	store_room_run_on(f, "one", "cvm");
	for (int64_t n = 1; n < 6; n++) {
		assert_ok(store_attempt(&f->store, "one", &attempt, &f->e), f->e);
		assert_int_equal(attempt, n);
		for (int64_t other = 1; other < 9; other++) {
			if (other != n) {
				say_of(f, other, "INTERNAL: no");
				say_of(f, other, "");
			}
		}
		say_of(f, INT64_MAX, "INTERNAL: no");
		store_room_check(f, "one", COMPUTATION_CREATED, false);
		/* An agent that knows of no attempts speaks of the one that there is. */
		say_of(f, n % 2 ? n : 0, "INTERNAL: no");
		store_room_check(f, "one", COMPUTATION_FAILED, true);
		assert_ok(store_retry(&f->store, "one", &f->e), f->e);
		store_room_check(f, "one", COMPUTATION_CREATED, false);
		assert_ok(store_assign(&f->store, "one", "cvm", false, &f->e), f->e);
	}
}

static void an_agent_that_returns_finds_its_computation(void **state)
{
	struct store_room *f = *state;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	store_room_run_on(f, "one", "cvm");
	store_room_arrive(f, "cvm", &todo);
	assert_string_equal(todo.computation_id, "one");
	assert_false(todo.reached);
	assert_false(todo.stop);
	store_todo_done(&todo);
	store_room_event(f, "cvm", "one", "ReceivingData", "InProgress");
	assert_ok(store_agent_state(&f->store, "cvm", "Running", &todo, &f->e), f->e);
	assert_string_equal(todo.computation_id, "one");
	assert_true(todo.reached);
	store_room_check(f, "one", COMPUTATION_RUNNING, false);
}

static void an_agent_that_was_restarted_gets_it_again(void **state)
{
	struct store_room *f = *state;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	store_room_run_on(f, "one", "cvm");
	store_room_event(f, "cvm", "one", "Running", "InProgress");
	assert_ok(store_agent_state(&f->store, "cvm", "ReceivingManifest", &todo, &f->e), f->e);
	assert_string_equal(todo.computation_id, "one");
	store_todo_done(&todo);
	store_room_event(f, "cvm", "one", "Complete", "Completed");
	assert_ok(store_agent_state(&f->store, "cvm", "ReceivingManifest", &todo, &f->e), f->e);
	assert_null(todo.computation_id);
	store_room_create(f, "two");
	assert_ok(store_assign(&f->store, "two", "cvm", false, &f->e), f->e);
}

static void a_stop_waits_for_an_absent_agent(void **state)
{
	struct store_room *f = *state;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	CLEANUP(free) char *told = NULL;
	bool tell;

	store_room_run_on(f, "one", "cvm");
	store_room_event(f, "cvm", "one", "Running", "InProgress");
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	assert_true(tell);
	store_room_check(f, "one", COMPUTATION_CANCELLED, true);
	assert_ok(store_agent_state(&f->store, "cvm", "Running", &todo, &f->e), f->e);
	assert_true(todo.stop);
	store_room_check(f, "one", COMPUTATION_CANCELLED, true);
	store_todo_done(&todo);
	assert_refused(store_remove(&f->store, "one", false, &told, &f->e), f->e, ERR_PRECONDITION,
		       "force");
	/* The agent was restarted instead: there is nothing left to stop. */
	assert_ok(store_agent_state(&f->store, "cvm", "Idle", &todo, &f->e), f->e);
	assert_null(todo.computation_id);
	assert_ok(store_remove(&f->store, "one", false, &told, &f->e), f->e);
	assert_refused(store_stop(&f->store, "one", &tell, &f->e), f->e, ERR_NOT_FOUND, "one");
}

/* They may have been fetched already: what the agent said before its answer counts. */
static void a_stop_where_results_wait_ends_as_the_agent_says(void **state)
{
	static const struct {
		const char *id, *says, *is; /* an event, a state */
		enum computation_state end;
	} rows[] = { { "fetched", "Complete", NULL, COMPUTATION_COMPLETED },
		     { "left", NULL, NULL, COMPUTATION_CANCELLED },
		     { "lost", NULL, "ReceivingManifest", COMPUTATION_CANCELLED } };
	struct store_room *f = *state;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
		const char *id = rows[i].id;
		bool tell;

		store_room_run_on(f, id, id);
		store_room_event(f, id, id, "ConsumingResults", "Ready");
		assert_ok(store_stop(&f->store, id, &tell, &f->e), f->e);
		assert_true(tell);
		store_room_check(f, id, COMPUTATION_COMPLETED, false);
		/* Nor does it begin anew. */
		store_room_event(f, id, id, "Running", "InProgress");
		assert_ok(store_agent_state(&f->store, id, "ReceivingData", &todo, &f->e), f->e);
		assert_true(todo.stop);
		store_todo_done(&todo);
		store_room_check(f, id, COMPUTATION_COMPLETED, false);
		if (rows[i].says)
			store_room_event(f, id, id, rows[i].says, "Completed");
		if (rows[i].is) {
			assert_ok(store_agent_state(&f->store, id, rows[i].is, &todo, &f->e), f->e);
		} else {
			store_room_event(f, id, id, "Stopped", "Stopped");
			assert_ok(store_stopped(&f->store, id, id, &f->e), f->e);
		}
		store_room_check(f, id, rows[i].end, true);
	}
}

static void the_cvm_unseen_for_longest_makes_room(void **state)
{
	struct store_room *f = *state;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	struct cvm cvm CLEANUP_CVM = { .id = NULL };

	store_room_run_on(f, "one", "holds");
	store_room_arrive_idle(f, "idle");
	store_room_arrive_idle(f, "here");
	assert_ok(store_cvm_seen(&f->store, "new", "p", "", "", store_room_is_in,
				 (char[]){ "here" }, &todo, &f->e),
		  f->e);
	assert_refused(store_cvm(&f->store, "idle", &cvm, &f->e), f->e, ERR_NOT_FOUND, "idle");
	assert_refused(store_cvm_seen(&f->store, "more", "p", "", "", store_room_is_in,
				      (char[]){ "here new" }, &todo, &f->e),
		       f->e, ERR_EXHAUSTED, "MAX_CVMS");
	assert_ok(store_cvm(&f->store, "holds", &cvm, &f->e), f->e);
}

static int arrive_with(struct store_room *f, const char *cvm, const char *key)
{
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	return store_cvm_seen(&f->store, cvm, "p", key, "", store_room_is_in, (char[]){ "" }, &todo,
			      &f->e);
}

static void the_first_key_binds_a_name_until_it_is_released(void **state)
{
	struct store_room *f = *state;
	struct cvm cvm CLEANUP_CVM = { .id = NULL };

	assert_ok(arrive_with(f, "cvm", "aa"), f->e);
	assert_refused(arrive_with(f, "cvm", "bb"), f->e, ERR_DENIED, "cvm release");
	assert_refused(arrive_with(f, "cvm", ""), f->e, ERR_DENIED, "bound");
	assert_ok(store_cvm(&f->store, "cvm", &cvm, &f->e), f->e);
	assert_string_equal(cvm.key, "aa");
	assert_ok(arrive_with(f, "cvm", "aa"), f->e);
	assert_ok(store_cvm_reports(&f->store, "cvm", "aa", &f->e), f->e);
	assert_refused(store_cvm_reports(&f->store, "cvm", "bb", &f->e), f->e, ERR_DENIED, "bound");
	assert_refused(store_cvm_reports(&f->store, "cvm", "", &f->e), f->e, ERR_DENIED, "bound");
	assert_refused(store_cvm_reports(&f->store, "unknown", "aa", &f->e), f->e, ERR_UNAVAILABLE,
		       "not connected yet");
	assert_ok(store_cvm_release(&f->store, "cvm", &f->e), f->e);
	assert_refused(store_cvm_reports(&f->store, "cvm", "bb", &f->e), f->e, ERR_DENIED, "bound");
	assert_ok(arrive_with(f, "cvm", "bb"), f->e);
	assert_refused(arrive_with(f, "cvm", "aa"), f->e, ERR_DENIED, "bound");
	assert_refused(store_cvm_release(&f->store, "unknown", &f->e), f->e, ERR_NOT_FOUND,
		       "unknown");
	/* One that came without any is bound by the first that it shows. */
	assert_ok(arrive_with(f, "plain", ""), f->e);
	assert_ok(arrive_with(f, "plain", "aa"), f->e);
	assert_refused(arrive_with(f, "plain", ""), f->e, ERR_DENIED, "bound");
}

/* Three have room. A stranger's names make room for each other, and for another's whose are fewer. */
static void a_bound_name_is_not_forgotten_for_a_stranger(void **state)
{
	struct store_room *f = *state;

	assert_ok(arrive_with(f, "owner's", "aa"), f->e);
	assert_ok(arrive_with(f, "1", "bb"), f->e);
	assert_ok(arrive_with(f, "2", "bb"), f->e);
	assert_ok(arrive_with(f, "3", "bb"), f->e);
	assert_ok(arrive_with(f, "4", "bb"), f->e);
	assert_refused(arrive_with(f, "owner's", "bb"), f->e, ERR_DENIED, "bound");
	assert_ok(arrive_with(f, "5", "cc"), f->e);
	assert_refused(arrive_with(f, "6", "dd"), f->e, ERR_EXHAUSTED, "within a week");
	assert_ok(arrive_with(f, "owner's", "aa"), f->e);
	/* Nobody has seen it for a week. */
	assert_ok(db_script(&f->store.db, "UPDATE cvms SET last_seen = 1 WHERE id = '4'", &f->e),
		  f->e);
	assert_ok(arrive_with(f, "6", "dd"), f->e);
}

static void an_agent_busy_with_something_else_gets_nothing(void **state)
{
	struct store_room *f = *state;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	store_room_arrive_idle(f, "cvm");
	assert_ok(store_agent_state(&f->store, "cvm", "Running", &todo, &f->e), f->e);
	assert_null(todo.computation_id);
	store_room_create(f, "one");
	assert_refused(store_assign(&f->store, "one", "cvm", false, &f->e), f->e, ERR_PRECONDITION,
		       "no computation in it to stop");
}

static void check_verdict(struct store_room *f, bool verified, const char *line)
{
	struct cvm cvm CLEANUP_CVM = { .id = NULL };

	assert_ok(store_cvm(&f->store, "cvm", &cvm, &f->e), f->e);
	assert_int_equal(cvm.verified, verified);
	assert_string_equal(cvm.verdict, line);
	assert_int_equal(cvm.judged != 0, strcmp(line, "unproven") != 0);
}

static void a_verdict_lasts_as_long_as_its_session(void **state)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	check_verdict(f, false, "unproven");
	assert_ok(store_cvm_verdict(&f->store, "cvm", true, "verified: x", &f->e), f->e);
	check_verdict(f, true, "verified: x");
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_string_equal(c.cvm_verdict, "verified: x");
	assert_ok(store_cvm_verdict(&f->store, "cvm", false, "refused: y", &f->e), f->e);
	check_verdict(f, false, "refused: y");
	assert_ok(store_cvm_verdict(&f->store, "cvm", true, "verified: x", &f->e), f->e);
	assert_ok(store_cvm_unproven(&f->store, "cvm", "unproven", &f->e), f->e);
	check_verdict(f, false, "unproven");
	assert_ok(store_cvm_verdict(&f->store, "cvm", true, "verified: x", &f->e), f->e);
	store_room_arrive(f, "cvm", &todo);
	check_verdict(f, false, "unproven");
	assert_false(todo.unverified);
}

static void who_may_go_to_an_unproven_cvm_is_remembered(void **state)
{
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	struct store_room *f = *state;

	store_room_create(f, "one");
	store_room_arrive_idle(f, "cvm");
	assert_ok(store_assign(&f->store, "one", "cvm", true, &f->e), f->e);
	store_room_arrive(f, "cvm", &todo);
	assert_true(todo.unverified);
}

static void older_databases_are_brought_up_to_date(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	for (int form = 2; form >= 1; form--) {
		struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
		struct cvm cvm CLEANUP_CVM = { .id = NULL };

		store_room_age(f, form);
		store_room_arrive(f, "cvm", &todo);
		assert_string_equal(todo.computation_id, "one");
		check_verdict(f, false, "unproven");
		assert_ok(store_cvm(&f->store, "cvm", &cvm, &f->e), f->e);
		assert_string_equal(cvm.key, "");
	}
}

static void rows_of_another_form_are_refused(void **state)
{
	static const char *const wrong[] = {
		"UPDATE cvms SET first_seen = -1",
		"UPDATE cvms SET verified = 2",
		"UPDATE cvms SET judged = -1",
		/* Types that PostgreSQL takes in no such column. */
		"UPDATE cvms SET peer = CAST(x'ff' AS TEXT)",
		"UPDATE cvms SET computation = x'41'",
		"UPDATE cvms SET last_seen = 'yesterday'",
	};
	const size_t count = store_room_database() ? 3 : ARRAY_LEN(wrong);
	struct store_room *f = *state;
	struct cvm c CLEANUP_CVM = { .id = NULL };

	store_room_arrive_idle(f, "cvm");
	for (size_t i = 0; i < count; i++) {
		assert_ok(db_script(&f->store.db, "BEGIN", &f->e), f->e);
		assert_ok(db_script(&f->store.db, wrong[i], &f->e), f->e);
		assert_refused(store_cvm(&f->store, "cvm", &c, &f->e), f->e, ERR_DATA_LOSS,
			       "from a copy");
		assert_null(c.id);
		assert_ok(db_script(&f->store.db, "ROLLBACK", &f->e), f->e);
	}
	assert_ok(store_cvm(&f->store, "cvm", &c, &f->e), f->e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(a_cvm_holds_one_at_a_time),
		STORE_ROOM_ROW(one_that_failed_is_assigned_again),
		STORE_ROOM_ROW(one_that_was_cancelled_is_assigned_again),
		STORE_ROOM_ROW(what_can_not_be_given_again_fails_also_where_it_was_accepted),
		STORE_ROOM_ROW(what_is_said_of_an_older_attempt_fails_no_retry),
		STORE_ROOM_ROW(an_agent_that_returns_finds_its_computation),
		STORE_ROOM_ROW(an_agent_that_was_restarted_gets_it_again),
		STORE_ROOM_ROW(a_stop_waits_for_an_absent_agent),
		STORE_ROOM_ROW(a_stop_where_results_wait_ends_as_the_agent_says),
		STORE_ROOM_ROW(the_cvm_unseen_for_longest_makes_room),
		STORE_ROOM_ROW(the_first_key_binds_a_name_until_it_is_released),
		STORE_ROOM_ROW(a_bound_name_is_not_forgotten_for_a_stranger),
		STORE_ROOM_ROW(an_agent_busy_with_something_else_gets_nothing),
		STORE_ROOM_ROW(a_verdict_lasts_as_long_as_its_session),
		STORE_ROOM_ROW(who_may_go_to_an_unproven_cvm_is_remembered),
		STORE_ROOM_ROW(older_databases_are_brought_up_to_date),
		STORE_ROOM_ROW(rows_of_another_form_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
