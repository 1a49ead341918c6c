/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit.h"

#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>

#include "common/base/file.h"
#include "computations/store.h"

struct fixture {
	char dir[64];
	struct store store;
	struct err e;
};

static struct store_limits limits = {
	.computations = 4, .cvms = 3, .records = 32, .record_bytes = 16 << 10
};

static void open_store(struct fixture *f)
{
	assert_ok(store_open(&f->store, f->dir, &limits, &f->e), f->e);
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	snprintf(f->dir, sizeof(f->dir), "/tmp/cocos-test-store-XXXXXX");
	if (!mkdtemp(f->dir))
		return -1;
	open_store(f);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	store_close(&f->store);
	if (dir_remove(f->dir, &f->e) < 0)
		return -1;
	free(f);
	return 0;
}

static void create(struct fixture *f, const char *id)
{
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;

	manifest.id = (char *)(uintptr_t)id;
	manifest.name = (char *)(uintptr_t)"a name";
	assert_ok(store_create(&f->store, &manifest, &f->e), f->e);
}

static bool is_in(const char *id, void *data)
{
	return data && strstr(data, id);
}

static void arrive(struct fixture *f, const char *cvm, struct store_todo *todo)
{
	assert_ok(store_cvm_seen(&f->store, cvm, "peer", "unproven", is_in, NULL, todo, &f->e), f->e);
}

static void arrive_idle(struct fixture *f, const char *cvm)
{
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	arrive(f, cvm, &todo);
	assert_null(todo.computation_id);
}

static void run_on(struct fixture *f, const char *id, const char *cvm)
{
	create(f, id);
	arrive_idle(f, cvm);
	assert_ok(store_assign(&f->store, id, cvm, false, &f->e), f->e);
}

static void event(struct fixture *f, const char *cvm, const char *id, const char *type,
		  const char *status)
{
	struct record r = { .event = true, .type = (char *)(uintptr_t)type,
			    .status = (char *)(uintptr_t)status,
			    .text = (char *)(uintptr_t)"{\"why\":\"x\"}" };

	assert_ok(store_event(&f->store, cvm, id, &r, &f->e), f->e);
}

static int answer(struct fixture *f, const char *cvm, const char *id, const char *error)
{
	return store_run_answer(&f->store, cvm, id,
				&(struct run_answer){ .error = error, .notice = "development" },
				&f->e);
}

static void check(struct fixture *f, const char *id, enum computation_state state, bool finished)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	assert_ok(store_computation(&f->store, id, &c, &f->e), f->e);
	assert_string_equal(state_words(c.state), state_words(state));
	assert_int_equal(c.finished, finished);
	assert_int_equal(c.ended != 0, finished);
}

static void a_computation_is_kept_across_a_restart(void **state)
{
	struct fixture *f = *state;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	create(f, "one");
	store_close(&f->store);
	open_store(f);
	check(f, "one", COMPUTATION_CREATED, false);
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_string_equal(c.name, "a name");
	assert_ok(store_manifest(&f->store, "one", &bytes, &len, &f->e), f->e);
	assert_true(len > 0);
}

static void an_id_serves_once(void **state)
{
	struct fixture *f = *state;
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;

	create(f, "one");
	manifest.id = (char *)(uintptr_t)"one";
	assert_refused(store_create(&f->store, &manifest, &f->e), f->e, ERR_EXISTS, "'one'");
}

static void computations_have_a_limit(void **state)
{
	struct fixture *f = *state;
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;
	char id[8];

	for (unsigned i = 0; i < limits.computations; i++) {
		snprintf(id, sizeof(id), "%u", i);
		create(f, id);
	}
	manifest.id = (char *)(uintptr_t)"more";
	assert_refused(store_create(&f->store, &manifest, &f->e), f->e, ERR_EXHAUSTED,
		       "MAX_COMPUTATIONS");
	assert_ok(store_remove(&f->store, "2", false, &f->e), f->e);
	create(f, "more");
}

static void pages_follow_each_other(void **state)
{
	struct fixture *f = *state;
	struct computation rows[2];
	size_t count;

	create(f, "c");
	create(f, "a");
	create(f, "b");
	assert_ok(store_computations(&f->store, "", 2, rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].id, "c");
	assert_string_equal(rows[1].id, "a");
	computation_done(&rows[0]);
	computation_done(&rows[1]);
	assert_ok(store_computations(&f->store, "a", 2, rows, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_string_equal(rows[0].id, "b");
	computation_done(&rows[0]);
	assert_refused(store_computations(&f->store, "gone", 2, rows, &count, &f->e), f->e,
		       ERR_NOT_FOUND, "gone");
}

static void a_run_is_followed_to_its_end(void **state)
{
	struct fixture *f = *state;

	run_on(f, "one", "cvm");
	check(f, "one", COMPUTATION_CREATED, false);
	assert_ok(answer(f, "cvm", "one", ""), f->e);
	check(f, "one", COMPUTATION_WAITING_ALGORITHM, false);
	event(f, "cvm", "one", "ReceivingData", "InProgress");
	check(f, "one", COMPUTATION_WAITING_DATASETS, false);
	/* An answer that is late does not turn the clock back. */
	assert_ok(answer(f, "cvm", "one", ""), f->e);
	check(f, "one", COMPUTATION_WAITING_DATASETS, false);
	event(f, "cvm", "one", "Running", "Starting");
	check(f, "one", COMPUTATION_RUNNING, false);
	event(f, "cvm", "one", "ConsumingResults", "Ready");
	check(f, "one", COMPUTATION_COMPLETED, false);
	event(f, "cvm", "one", "Complete", "Completed");
	check(f, "one", COMPUTATION_COMPLETED, true);
	event(f, "cvm", "one", "Failed", "Failed");
	check(f, "one", COMPUTATION_COMPLETED, true);
}

static void a_failure_keeps_its_reason(void **state)
{
	struct fixture *f = *state;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	run_on(f, "one", "cvm");
	event(f, "cvm", "one", "Failed", "Failed");
	check(f, "one", COMPUTATION_FAILED, true);
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_string_equal(c.failure, "{\"why\":\"x\"}");
	assert_string_equal(c.notice, "");
	assert_ok(answer(f, "cvm", "one", ""), f->e);
	computation_done(&c);
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_string_equal(c.notice, "development");
}

static void a_refused_manifest_frees_its_cvm(void **state)
{
	struct fixture *f = *state;

	run_on(f, "one", "cvm");
	assert_ok(answer(f, "cvm", "one", "no"), f->e);
	check(f, "one", COMPUTATION_FAILED, true);
	create(f, "two");
	assert_ok(store_assign(&f->store, "two", "cvm", false, &f->e), f->e);
}

static void a_second_copy_that_is_refused_changes_nothing(void **state)
{
	struct fixture *f = *state;

	run_on(f, "one", "cvm");
	event(f, "cvm", "one", "Running", "InProgress");
	assert_ok(answer(f, "cvm", "one", "FAILED_PRECONDITION"), f->e);
	check(f, "one", COMPUTATION_RUNNING, false);
}

static void nobody_speaks_of_anothers_computation(void **state)
{
	struct fixture *f = *state;
	struct record r = { .event = true, .type = (char *)(uintptr_t)"Failed",
			    .status = (char *)(uintptr_t)"Failed" };

	run_on(f, "one", "cvm");
	arrive_idle(f, "evil");
	assert_refused(store_event(&f->store, "evil", "one", &r, &f->e), f->e, ERR_DENIED, "never");
	assert_refused(store_log(&f->store, "evil", "one", &r, &f->e), f->e, ERR_DENIED, "never");
	assert_refused(store_stopped(&f->store, "evil", "one", &f->e), f->e, ERR_DENIED, "never");
	assert_refused(answer(f, "evil", "one", "x"), f->e, ERR_DENIED,
		       "never");
	check(f, "one", COMPUTATION_CREATED, false);
}

static void a_cvm_holds_one_at_a_time(void **state)
{
	struct fixture *f = *state;
	bool tell;

	run_on(f, "one", "cvm");
	create(f, "two");
	assert_refused(store_assign(&f->store, "two", "cvm", false, &f->e), f->e, ERR_PRECONDITION,
		       "'one'");
	assert_refused(store_assign(&f->store, "two", "nowhere", false, &f->e), f->e, ERR_NOT_FOUND,
		       "nowhere");
	assert_refused(store_assign(&f->store, "one", "cvm", false, &f->e), f->e, ERR_PRECONDITION,
		       "run before");
	event(f, "cvm", "one", "Complete", "Completed");
	assert_refused(store_assign(&f->store, "two", "cvm", false, &f->e), f->e, ERR_PRECONDITION,
		       "'one'");
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	assert_true(tell);
	assert_refused(store_assign(&f->store, "two", "cvm", false, &f->e), f->e, ERR_PRECONDITION,
		       "'one'");
	assert_ok(store_stopped(&f->store, "cvm", "one", &f->e), f->e);
	check(f, "one", COMPUTATION_COMPLETED, true);
	assert_ok(store_assign(&f->store, "two", "cvm", false, &f->e), f->e);
}

static void an_agent_that_returns_finds_its_computation(void **state)
{
	struct fixture *f = *state;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	run_on(f, "one", "cvm");
	arrive(f, "cvm", &todo);
	assert_string_equal(todo.computation_id, "one");
	assert_false(todo.reached);
	assert_false(todo.stop);
	store_todo_done(&todo);
	event(f, "cvm", "one", "ReceivingData", "InProgress");
	assert_ok(store_agent_state(&f->store, "cvm", "Running", &todo, &f->e), f->e);
	assert_string_equal(todo.computation_id, "one");
	assert_true(todo.reached);
	check(f, "one", COMPUTATION_RUNNING, false);
}

static void an_agent_that_was_restarted_gets_it_again(void **state)
{
	struct fixture *f = *state;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	run_on(f, "one", "cvm");
	event(f, "cvm", "one", "Running", "InProgress");
	assert_ok(store_agent_state(&f->store, "cvm", "ReceivingManifest", &todo, &f->e), f->e);
	assert_string_equal(todo.computation_id, "one");
	store_todo_done(&todo);
	event(f, "cvm", "one", "Complete", "Completed");
	assert_ok(store_agent_state(&f->store, "cvm", "ReceivingManifest", &todo, &f->e), f->e);
	assert_null(todo.computation_id);
	create(f, "two");
	assert_ok(store_assign(&f->store, "two", "cvm", false, &f->e), f->e);
}

static void a_stop_waits_for_an_absent_agent(void **state)
{
	struct fixture *f = *state;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	bool tell;

	run_on(f, "one", "cvm");
	event(f, "cvm", "one", "Running", "InProgress");
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	assert_true(tell);
	check(f, "one", COMPUTATION_CANCELLED, true);
	assert_ok(store_agent_state(&f->store, "cvm", "Running", &todo, &f->e), f->e);
	assert_true(todo.stop);
	check(f, "one", COMPUTATION_CANCELLED, true);
	store_todo_done(&todo);
	assert_refused(store_remove(&f->store, "one", false, &f->e), f->e, ERR_PRECONDITION,
		       "force");
	/* The agent was restarted instead: there is nothing left to stop. */
	assert_ok(store_agent_state(&f->store, "cvm", "Idle", &todo, &f->e), f->e);
	assert_null(todo.computation_id);
	assert_ok(store_remove(&f->store, "one", false, &f->e), f->e);
	assert_refused(store_stop(&f->store, "one", &tell, &f->e), f->e, ERR_NOT_FOUND, "one");
}

static void what_never_ran_is_cancelled_at_once(void **state)
{
	struct fixture *f = *state;
	bool tell;

	create(f, "one");
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	assert_false(tell);
	check(f, "one", COMPUTATION_CANCELLED, true);
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
}

static void removal_by_force_frees_the_cvm(void **state)
{
	struct fixture *f = *state;

	run_on(f, "one", "cvm");
	assert_refused(store_remove(&f->store, "one", false, &f->e), f->e, ERR_PRECONDITION,
		       "stop it first");
	assert_ok(store_remove(&f->store, "one", true, &f->e), f->e);
	create(f, "two");
	assert_ok(store_assign(&f->store, "two", "cvm", false, &f->e), f->e);
}

static void say(struct fixture *f, const char *id, const char *cvm, const char *text)
{
	struct record r = { .text = (char *)(uintptr_t)text, .level = (char *)(uintptr_t)"info" };

	assert_ok(store_log(&f->store, cvm, id, &r, &f->e), f->e);
}

static size_t count_of(struct fixture *f, const char *id, const char *cvm, char *first)
{
	struct record *records;
	size_t count;

	assert_ok(store_records(&f->store, id, cvm, 0, &records, &count, &f->e), f->e);
	if (count)
		snprintf(first, 32, "%s", records[0].text);
	records_free(records, count);
	return count;
}

static void the_oldest_records_go_first(void **state)
{
	struct fixture *f = *state;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	char text[32], first[32];

	run_on(f, "one", "cvm");
	for (unsigned i = 0; i < limits.records; i++) {
		snprintf(text, sizeof(text), "line %u", i);
		say(f, "one", "cvm", text);
	}
	assert_int_equal(count_of(f, "one", "", first), limits.records);
	assert_string_equal(first, "line 0");
	say(f, "one", "cvm", "one more");
	assert_true(count_of(f, "one", "", first) <= limits.records);
	assert_string_not_equal(first, "line 0");
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_int_equal(c.records + c.dropped, limits.records + 1);
	assert_true(c.dropped > 0);
}

static void records_are_bounded_in_bytes(void **state)
{
	struct fixture *f = *state;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	CLEANUP(free) char *big = malloc(8001);
	char first[32];

	memset(big, 'x', 8000);
	big[8000] = 0;
	run_on(f, "one", "cvm");
	for (int i = 0; i < 6; i++)
		say(f, "one", "cvm", big);
	assert_int_equal(count_of(f, "one", "", first), 2);
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_int_equal(c.dropped, 4);
}

static void a_long_text_is_cut_between_characters(void **state)
{
	struct fixture *f = *state;
	CLEANUP(free) char *big = malloc(STORE_TEXT_MAX + 16);
	struct record *records;
	size_t count;

	/* "ü" is two bytes: an odd start puts the limit into the middle of one. */
	big[0] = 'x';
	for (size_t i = 1; i + 1 < STORE_TEXT_MAX + 10; i += 2)
		memcpy(big + i, "\xc3\xbc", 3);
	run_on(f, "one", "cvm");
	say(f, "one", "cvm", big);
	assert_ok(store_records(&f->store, "one", "", 0, &records, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_int_equal(strlen(records[0].text), STORE_TEXT_MAX - 1);
	records_free(records, count);
}

static void a_cvm_keeps_what_belongs_to_no_computation(void **state)
{
	struct fixture *f = *state;
	char first[32];

	arrive_idle(f, "cvm");
	say(f, "", "cvm", "booted");
	assert_int_equal(count_of(f, "", "cvm", first), 1);
	assert_string_equal(first, "booted");
	assert_int_equal(count_of(f, "", "other", first), 0);
}

static void pages_of_records_go_on_behind_a_number(void **state)
{
	struct fixture *f = *state;
	struct record *records;
	size_t count;
	int64_t last;

	run_on(f, "one", "cvm");
	say(f, "one", "cvm", "a");
	say(f, "one", "cvm", "b");
	assert_ok(store_records(&f->store, "one", "", 0, &records, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	last = records[0].number;
	records_free(records, count);
	assert_ok(store_records(&f->store, "one", "", last, &records, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_string_equal(records[0].text, "b");
	records_free(records, count);
}

static void the_cvm_unseen_for_longest_makes_room(void **state)
{
	struct fixture *f = *state;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	struct cvm cvm CLEANUP_CVM = { .id = NULL };

	run_on(f, "one", "holds");
	arrive_idle(f, "idle");
	arrive_idle(f, "here");
	assert_ok(store_cvm_seen(&f->store, "new", "p", "", is_in, (char[]){ "here" }, &todo, &f->e), f->e);
	assert_refused(store_cvm(&f->store, "idle", &cvm, &f->e), f->e, ERR_NOT_FOUND, "idle");
	assert_refused(store_cvm_seen(&f->store, "more", "p", "", is_in, (char[]){ "here new" }, &todo, &f->e), f->e,
		       ERR_EXHAUSTED, "MAX_CVMS");
	assert_ok(store_cvm(&f->store, "holds", &cvm, &f->e), f->e);
}

static void an_agent_busy_with_something_else_gets_nothing(void **state)
{
	struct fixture *f = *state;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	arrive_idle(f, "cvm");
	assert_ok(store_agent_state(&f->store, "cvm", "Running", &todo, &f->e), f->e);
	assert_null(todo.computation_id);
	create(f, "one");
	assert_refused(store_assign(&f->store, "one", "cvm", false, &f->e), f->e, ERR_PRECONDITION,
		       "did not give");
}

static void a_newer_database_is_left_alone(void **state)
{
	struct fixture *f = *state;
	struct store other;

	assert_ok(db_script(&f->store.db, "PRAGMA user_version=3", &f->e), f->e);
	assert_refused(store_open(&other, f->dir, &limits, &f->e), f->e, ERR_PRECONDITION, "newer");
	assert_ok(db_script(&f->store.db, "PRAGMA user_version=2", &f->e), f->e);
}

static void what_is_no_database_is_refused(void **state)
{
	struct fixture *f = *state;
	struct store other;
	char path[128], dir[96];

	snprintf(dir, sizeof(dir), "%s/other", f->dir);
	snprintf(path, sizeof(path), "%s/computations.db", dir);
	assert_ok(dir_make(dir, 0700, &f->e), f->e);
	assert_ok(file_write(path, "this is certainly no database, is it?", 37, 0600, &f->e), f->e);
	assert_int_not_equal(store_open(&other, dir, &limits, &f->e), 0);
	assert_non_null(strstr(f->e.text, path));
}

/* SQLite says 'disk I/O error' of all of them; here files must not grow. */
static void what_the_disk_says_is_told(void **state)
{
	const struct rlimit small = { .rlim_cur = 100, .rlim_max = RLIM_INFINITY };
	struct fixture *f = *state;
	struct rlimit before;
	struct store other;
	char dir[96];
	int failed;

	snprintf(dir, sizeof(dir), "%s/other", f->dir);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	failed = store_open(&other, dir, &limits, &f->e);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_refused(failed, f->e, ERR_INTERNAL, "I/O error: File too large");
}

static void check_verdict(struct fixture *f, bool verified, const char *line)
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
	struct fixture *f = *state;

	run_on(f, "one", "cvm");
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
	arrive(f, "cvm", &todo);
	check_verdict(f, false, "unproven");
	assert_false(todo.unverified);
}

static void who_may_go_to_an_unproven_cvm_is_remembered(void **state)
{
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	struct fixture *f = *state;

	create(f, "one");
	arrive_idle(f, "cvm");
	assert_ok(store_assign(&f->store, "one", "cvm", true, &f->e), f->e);
	arrive(f, "cvm", &todo);
	assert_true(todo.unverified);
}

static void a_database_without_verdicts_is_brought_up_to_date(void **state)
{
	static const char older[] = "ALTER TABLE computations DROP COLUMN unverified;"
				    "ALTER TABLE cvms DROP COLUMN verified;"
				    "ALTER TABLE cvms DROP COLUMN verdict;"
				    "ALTER TABLE cvms DROP COLUMN judged;"
				    "PRAGMA user_version=1;";
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	struct fixture *f = *state;

	run_on(f, "one", "cvm");
	assert_ok(db_script(&f->store.db, older, &f->e), f->e);
	store_close(&f->store);
	open_store(f);
	arrive(f, "cvm", &todo);
	assert_string_equal(todo.computation_id, "one");
	check_verdict(f, false, "unproven");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_computation_is_kept_across_a_restart),
		TEST(an_id_serves_once),
		TEST(computations_have_a_limit),
		TEST(pages_follow_each_other),
		TEST(a_run_is_followed_to_its_end),
		TEST(a_failure_keeps_its_reason),
		TEST(a_refused_manifest_frees_its_cvm),
		TEST(a_second_copy_that_is_refused_changes_nothing),
		TEST(nobody_speaks_of_anothers_computation),
		TEST(a_cvm_holds_one_at_a_time),
		TEST(an_agent_that_returns_finds_its_computation),
		TEST(an_agent_that_was_restarted_gets_it_again),
		TEST(a_stop_waits_for_an_absent_agent),
		TEST(what_never_ran_is_cancelled_at_once),
		TEST(removal_by_force_frees_the_cvm),
		TEST(the_oldest_records_go_first),
		TEST(records_are_bounded_in_bytes),
		TEST(a_long_text_is_cut_between_characters),
		TEST(a_cvm_keeps_what_belongs_to_no_computation),
		TEST(pages_of_records_go_on_behind_a_number),
		TEST(the_cvm_unseen_for_longest_makes_room),
		TEST(an_agent_busy_with_something_else_gets_nothing),
		TEST(a_verdict_lasts_as_long_as_its_session),
		TEST(who_may_go_to_an_unproven_cvm_is_remembered),
		TEST(a_database_without_verdicts_is_brought_up_to_date),
		TEST(a_newer_database_is_left_alone),
		TEST(what_is_no_database_is_refused),
		TEST(what_the_disk_says_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
