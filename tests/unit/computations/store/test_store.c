/* SPDX-License-Identifier: Apache-2.0 */
/* The store: computations, and the database that they are in. */
#include "common/base/encode.h"
#include "common/base/file.h"
#include "common/db/db_postgres.h"
#include "common/db/db_sqlite.h"
#include "computations/ca/ca_row.h"
#include "computations/mail/mail.h"
#include "computations/people/asset.h"
#include "computations/people/half.h"
#include "computations/people/invitation.h"
#include "computations/people/login.h"
#include "computations/people/passkey.h"
#include "computations/people/role.h"
#include "computations/people/user_key.h"
#include "computations/store/store_form.h"
#include "computations/store/store_machine.h"
#include "computations/workflow/workflow.h"
#include "tests/unit/computations/store_room.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

static void a_computation_is_kept_across_a_restart(void **state)
{
	struct store_room *f = *state;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	CLEANUP(free) uint8_t *bytes = NULL;
	size_t len;

	store_room_create(f, "one");
	store_close(&f->store);
	store_room_open(f);
	store_room_check(f, "one", COMPUTATION_CREATED, false);
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_string_equal(c.name, "name of one");
	assert_ok(store_manifest(&f->store, "one", &bytes, &len, &f->e), f->e);
	assert_true(len > 0);
}

static void an_id_serves_once(void **state)
{
	struct store_room *f = *state;
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;

	store_room_create(f, "one");
	manifest.id = (char *)(uintptr_t)"one";
	assert_refused(store_create(&f->store, store_room_workspace(f), &manifest, &f->e), f->e,
		       ERR_EXISTS, "'one'");
}

static void computations_have_a_limit(void **state)
{
	struct store_room *f = *state;
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;
	CLEANUP(free) char *told = NULL;
	char id[8];

	for (unsigned i = 0; i < store_room_limits.computations; i++) {
		snprintf(id, sizeof(id), "%u", i);
		store_room_create(f, id);
	}
	manifest.id = (char *)(uintptr_t)"more";
	assert_refused(store_create(&f->store, store_room_workspace(f), &manifest, &f->e), f->e,
		       ERR_EXHAUSTED, "MAX_COMPUTATIONS");
	assert_ok(store_remove(&f->store, "2", false, &told, &f->e), f->e);
	store_room_create(f, "more");
}

static void pages_follow_each_other(void **state)
{
	struct store_room *f = *state;
	struct computation rows[2];
	size_t count;
	bool more;

	store_room_create(f, "c");
	store_room_create(f, "a");
	store_room_create(f, "b");
	assert_ok(store_computations(&f->store, (struct store_view){ 0, 0 }, "", 2, rows, &count,
				     &more, &f->e),
		  f->e);
	assert_int_equal(count, 2);
	assert_true(more);
	assert_string_equal(rows[0].id, "c");
	assert_string_equal(rows[1].id, "a");
	computation_done(&rows[0]);
	computation_done(&rows[1]);
	assert_ok(store_computations(&f->store, (struct store_view){ 0, 0 }, "a", 2, rows, &count,
				     &more, &f->e),
		  f->e);
	assert_int_equal(count, 1);
	assert_false(more);
	assert_string_equal(rows[0].id, "b");
	computation_done(&rows[0]);
	assert_refused(store_computations(&f->store, (struct store_view){ 0, 0 }, "gone", 2, rows,
					  &count, &more, &f->e),
		       f->e, ERR_NOT_FOUND, "gone");
}

static void a_run_is_followed_to_its_end(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	store_room_check(f, "one", COMPUTATION_CREATED, false);
	assert_ok(store_room_answer(f, "cvm", "one", ""), f->e);
	store_room_check(f, "one", COMPUTATION_WAITING_ALGORITHM, false);
	store_room_event(f, "cvm", "one", "ReceivingData", "InProgress");
	store_room_check(f, "one", COMPUTATION_WAITING_DATASETS, false);
	/* A late answer does not change what came after it. */
	assert_ok(store_room_answer(f, "cvm", "one", ""), f->e);
	store_room_check(f, "one", COMPUTATION_WAITING_DATASETS, false);
	store_room_event(f, "cvm", "one", "Running", "Starting");
	store_room_check(f, "one", COMPUTATION_RUNNING, false);
	store_room_event(f, "cvm", "one", "ConsumingResults", "Ready");
	store_room_check(f, "one", COMPUTATION_COMPLETED, false);
	store_room_event(f, "cvm", "one", "Complete", "Completed");
	store_room_check(f, "one", COMPUTATION_COMPLETED, true);
	store_room_event(f, "cvm", "one", "Failed", "Failed");
	store_room_check(f, "one", COMPUTATION_COMPLETED, true);
}

static void a_failure_keeps_its_reason(void **state)
{
	struct store_room *f = *state;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };

	store_room_run_on(f, "one", "cvm");
	store_room_event(f, "cvm", "one", "Failed", "Failed");
	store_room_check(f, "one", COMPUTATION_FAILED, true);
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_string_equal(c.failure, "{\"why\":\"x\"}");
	assert_string_equal(c.notice, "");
	assert_ok(store_room_answer(f, "cvm", "one", ""), f->e);
	computation_done(&c);
	assert_ok(store_computation(&f->store, "one", &c, &f->e), f->e);
	assert_string_equal(c.notice, "development");
}

static void a_refused_manifest_frees_its_cvm(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	assert_ok(store_room_answer(f, "cvm", "one", "no"), f->e);
	store_room_check(f, "one", COMPUTATION_FAILED, true);
	store_room_create(f, "two");
	assert_ok(store_assign(&f->store, "two", "cvm", false, &f->e), f->e);
}

static void a_second_copy_that_is_refused_changes_nothing(void **state)
{
	struct store_room *f = *state;

	store_room_run_on(f, "one", "cvm");
	store_room_event(f, "cvm", "one", "Running", "InProgress");
	assert_ok(store_room_answer(f, "cvm", "one", "FAILED_PRECONDITION"), f->e);
	store_room_check(f, "one", COMPUTATION_RUNNING, false);
}

static void nobody_speaks_of_anothers_computation(void **state)
{
	struct store_room *f = *state;
	struct record r = { .event = true,
			    .type = (char *)(uintptr_t)"Failed",
			    .status = (char *)(uintptr_t)"Failed" };

	store_room_run_on(f, "one", "cvm");
	store_room_arrive_idle(f, "evil");
	assert_refused(store_event(&f->store, "evil", "one", &r, &f->e), f->e, ERR_DENIED, "never");
	assert_refused(store_log(&f->store, "evil", "one", &r, &f->e), f->e, ERR_DENIED, "never");
	assert_refused(store_stopped(&f->store, "evil", "one", &f->e), f->e, ERR_DENIED, "never");
	assert_refused(store_room_answer(f, "evil", "one", "x"), f->e, ERR_DENIED, "never");
	store_room_check(f, "one", COMPUTATION_CREATED, false);
}

static void what_never_ran_is_cancelled_at_once(void **state)
{
	struct store_room *f = *state;
	bool tell;

	store_room_create(f, "one");
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	assert_false(tell);
	store_room_check(f, "one", COMPUTATION_CANCELLED, true);
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
}

static void removal_by_force_frees_the_cvm_once_it_has_stopped(void **state)
{
	struct store_room *f = *state;
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };
	Cvms__ComputationRunReq again = CVMS__COMPUTATION_RUN_REQ__INIT;
	CLEANUP(free) char *told = NULL;

	store_room_run_on(f, "one", "cvm");
	assert_refused(store_remove(&f->store, "one", false, &told, &f->e), f->e, ERR_PRECONDITION,
		       "stop it first");
	assert_null(told);
	assert_ok(store_remove(&f->store, "one", true, &told, &f->e), f->e);
	assert_string_equal(told, "cvm");
	store_room_create(f, "two");
	assert_refused(store_assign(&f->store, "two", "cvm", false, &f->e), f->e, ERR_PRECONDITION,
		       "was removed");
	again.id = (char *)(uintptr_t)"one";
	assert_refused(store_create(&f->store, store_room_workspace(f), &again, &f->e), f->e,
		       ERR_EXISTS, "still holds it");
	/* It was away, and comes with results; then it says that it has stopped. */
	assert_ok(store_agent_state(&f->store, "cvm", "ConsumingResults", &todo, &f->e), f->e);
	assert_string_equal(todo.computation_id, "one");
	assert_true(todo.stop);
	assert_refused(store_stopped(&f->store, "cvm", "two", &f->e), f->e, ERR_DENIED, "never");
	assert_ok(store_stopped(&f->store, "cvm", "one", &f->e), f->e);
	assert_ok(store_assign(&f->store, "two", "cvm", false, &f->e), f->e);
	store_room_create(f, "one");
}

static void a_folder_serves_one_at_a_time(void **state)
{
	struct store_room *f = *state;
	struct store other;

	assert_refused(store_open(&other, f->dir, store_room_database(), &store_room_limits, &f->e),
		       f->e, ERR_PRECONDITION, "another cocos-computations uses");
	store_close(&f->store);
	store_room_open(f);
}

/* Also for another folder's service, whose setting names it. */
static void a_database_serves_one_at_a_time(void **state)
{
	const char *server = store_room_database();
	struct store_room *f = *state;
	char path[128], dir[128];
	struct store other;

	snprintf(path, sizeof(path), "%s/computations.db", f->dir);
	snprintf(dir, sizeof(dir), "%s/other", f->dir);
	assert_refused(store_open(&other, dir, server ? server : path, &store_room_limits, &f->e),
		       f->e, ERR_PRECONDITION,
		       server ? "another service uses" : "another cocos-computations uses");
	store_close(&f->store);
	store_room_open(f);
}

static void a_newer_database_is_left_alone(void **state)
{
	struct store_room *f = *state;
	char path[128];
	struct store other;

	snprintf(path, sizeof(path), "%s/computations.db", f->dir);
	assert_ok(db_form_set(&f->store.db, STORE_FORM + 1, &f->e), f->e);
	store_close(&f->store);
	assert_refused(store_open(&other, f->dir, store_room_database(), &store_room_limits, &f->e),
		       f->e, ERR_PRECONDITION, "newer");
	if (store_room_database())
		assert_ok(db_postgres_open(&other.db,
					   &(struct db_postgres){ .place = store_room_database(),
								  .schema = STORE_SCHEMA },
					   &f->e),
			  f->e);
	else
		assert_ok(db_sqlite_open(&other.db, path, &f->e), f->e);
	assert_ok(db_form_set(&other.db, STORE_FORM, &f->e), f->e);
	db_close(&other.db);
	store_room_open(f);
}

static void what_is_no_database_is_refused(void **state)
{
	struct store_room *f = *state;
	struct store other;
	char path[128], dir[96];

	snprintf(dir, sizeof(dir), "%s/other", f->dir);
	snprintf(path, sizeof(path), "%s/computations.db", dir);
	assert_ok(dir_make(dir, 0700, &f->e), f->e);
	assert_ok(file_write(path, "this is certainly no database, is it?", 37, 0600, &f->e), f->e);
	assert_int_not_equal(store_open(&other, dir, NULL, &store_room_limits, &f->e), 0);
	assert_non_null(strstr(f->e.text, path));
}

/* SQLite says 'disk I/O error' of all of them; here files must not grow. */
static void what_the_disk_says_is_told(void **state)
{
	const struct rlimit small = { .rlim_cur = 100, .rlim_max = RLIM_INFINITY };
	struct store_room *f = *state;
	struct rlimit before;
	struct store other;
	char dir[96];
	int failed;

	snprintf(dir, sizeof(dir), "%s/other", f->dir);
	signal(SIGXFSZ, SIG_IGN);
	getrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
	failed = store_open(&other, dir, NULL, &store_room_limits, &f->e);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_refused(failed, f->e, ERR_INTERNAL, "I/O error: File too large");
}

/* Whoever writes into the file gets no number or text past us that clients would choke on. */
static void rows_of_another_form_are_refused(void **state)
{
	static const char *const wrong[] = {
		"UPDATE computations SET state = 7",
		"UPDATE computations SET state = -1",
		"UPDATE computations SET stopping = 2",
		"UPDATE computations SET ended = -1",
		"UPDATE computations SET datasets = 257",
		/* Types that PostgreSQL takes in no such column. */
		"UPDATE computations SET name = CAST(x'ff' AS TEXT)",
		"UPDATE computations SET description = x'41'",
		"UPDATE computations SET failure = CAST(x'410042' AS TEXT)",
		"UPDATE computations SET created = 1.5",
		"UPDATE computations SET digest = x'00'",
		"UPDATE computations SET digest = zeroblob(33)",
		"UPDATE cvms SET verdict = CAST(x'c0' AS TEXT)",
	};
	const size_t count = store_room_database() ? 5 : ARRAY_LEN(wrong);
	struct store_room *f = *state;
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	CLEANUP(free) uint8_t *manifest = NULL;
	size_t len;

	store_room_run_on(f, "one", "cvm");
	for (size_t i = 0; i < count; i++) {
		assert_ok(db_script(&f->store.db, "BEGIN", &f->e), f->e);
		assert_ok(db_script(&f->store.db, wrong[i], &f->e), f->e);
		assert_int_equal(store_computation(&f->store, "one", &c, &f->e), -ERR_DATA_LOSS);
		assert_null(c.id);
		assert_ok(db_script(&f->store.db, "ROLLBACK", &f->e), f->e);
	}
	store_room_check(f, "one", COMPUTATION_CREATED, false);
	if (store_room_database())
		return;
	assert_ok(db_script(&f->store.db, "UPDATE computations SET manifest = 'text'", &f->e),
		  f->e);
	assert_refused(store_manifest(&f->store, "one", &manifest, &len, &f->e), f->e,
		       ERR_DATA_LOSS, "column manifest is not a blob");
}

/* ---- what is looked for among many ---- */

enum { NOW = 1000000 };

static void certificates(struct store_room *f)
{
	assert_ok(ca_row_room(&f->store.db, NOW, &f->e), f->e);
	assert_ok(ca_agent_check(&f->store.db, "key", "cvm", NOW, &f->e), f->e);
}

static void removal(struct store_room *f)
{
	assert_ok(user_key_forget(&f->store.db, "one", &f->e), f->e);
}

static int64_t anna(struct store_room *f)
{
	struct user u CLEANUP_USER = { .name = NULL };

	assert_ok(user_find(&f->store.db, "anna", &u, &f->e), f->e);
	return u.number;
}

/* What was begun and is over makes room. */
static void beginnings(struct store_room *f)
{
	const struct user_key_claim claim = { .person = anna(f), .computation = "" };
	const struct login from = { .peer = (char[]){ "peer" }, .about = (char[]){ "" } };
	char half[HALF_TEXT_LEN + 1], login[LOGIN_TEXT_LEN + 1], passkey[PASSKEY_TEXT_LEN + 1];
	uint8_t challenge[POSSESSION_CHALLENGE_LEN];
	struct db *db = &f->store.db;

	assert_ok(user_key_challenge(db, &claim, NOW, challenge, &f->e), f->e);
	assert_ok(half_add(db, claim.person, NOW, half, &f->e), f->e);
	assert_ok(login_add(db, claim.person, "", &from, NOW, login, &f->e), f->e);
	assert_ok(passkey_begin(db, claim.person, 1, "key", NOW, passkey, &f->e), f->e);
}

static void invitations(struct store_room *f)
{
	const struct invitation_wish wish = { .role = MEMBERSHIP_MEMBER, .note = "" };
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	char text[INVITATION_TEXT_LEN + 1];
	int64_t number;

	assert_ok(workspace_first(&f->store.db, &w, &f->e), f->e);
	assert_ok(invitation_add(&f->store.db, &w, 0, &wish, NOW, &number, text, &f->e), f->e);
}

static void mails(struct store_room *f)
{
	struct mail_try t;
	int64_t wait;
	bool found;

	assert_ok(mail_check(&f->store.db, 1, "here", "anna@example.org", NOW, &f->e), f->e);
	assert_ok(mail_next(&f->store.db, f->store.secrets, NOW, &t, &found, &wait, &f->e), f->e);
}

/* So long that it is a step of its CVM's journal. */
static void log_line(struct store_room *f)
{
	CLEANUP(free) char *text = calloc(2, 1 << 10);
	const struct record r = { .level = (char[]){ "" },
				  .text = text,
				  .type = (char[]){ "" },
				  .status = (char[]){ "" },
				  .originator = (char[]){ "" } };

	memset(text, 'a', 1 << 10);
	assert_ok(store_log(&f->store, "cvm", "", &r, &f->e), f->e);
}

static void machines(struct store_room *f)
{
	struct machine row;
	size_t count;

	assert_ok(store_machines(&f->store, store_room_workspace(f), 0, 1, &row, &count, &f->e),
		  f->e);
}

/* By its algorithm's digest. */
static void links(struct store_room *f)
{
	Cvms__ComputationRunReq manifest = CVMS__COMPUTATION_RUN_REQ__INIT;
	Cvms__Algorithm algorithm = CVMS__ALGORITHM__INIT;

	manifest.algorithm = &algorithm;
	assert_ok(asset_link_all(&f->store.db, 1, &manifest, &f->e), f->e);
}

static void workflows(struct store_room *f)
{
	bool more;

	assert_ok(workflow_sweep(&f->store.db, NOW, NOW, &more, &f->e), f->e);
}

/* An index of a part, or workspaces and outputs, which are few. */
static bool is_of_all(const char *step)
{
	static const char *const parts[] = { "SCAN CONSTANT ROW", "SCAN s", "mails_waiting",
					     "workflows_open",
					     "sqlite_autoindex_workflow_outputs_1" };

	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (strstr(step, parts[i]))
			return false;
	return strncmp(step, "SCAN ", 5) == 0 || strstr(step, "(rowid>?)") ||
	       strstr(step, "(workspace=? AND type=?)");
}

/* SQLite decides so of tables of any size. The older form, which has no such indexes, is what would be seen without them. */
static void looks_go_through_no_table(void **state)
{
	static void (*const looks[])(struct store_room *f) = { certificates, removal, beginnings,
							       invitations,  mails,   log_line,
							       machines,     links,   workflows };
	struct store_room *f = *state;

	if (store_room_database())
		return;
	store_room_user(f, "anna");
	store_room_arrive_idle(f, "cvm");
	for (size_t i = 0; i < ARRAY_LEN(looks); i++)
		if (store_room_steps(f, looks[i], is_of_all))
			fail_msg("look %zu goes through all of a table", i);
	store_room_undo(f, 47);
	for (size_t i = 0; i < ARRAY_LEN(looks); i++)
		assert_true(store_room_steps(f, looks[i], is_of_all) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(a_computation_is_kept_across_a_restart),
		STORE_ROOM_ROW(an_id_serves_once),
		STORE_ROOM_ROW(computations_have_a_limit),
		STORE_ROOM_ROW(pages_follow_each_other),
		STORE_ROOM_ROW(a_run_is_followed_to_its_end),
		STORE_ROOM_ROW(a_failure_keeps_its_reason),
		STORE_ROOM_ROW(a_refused_manifest_frees_its_cvm),
		STORE_ROOM_ROW(a_second_copy_that_is_refused_changes_nothing),
		STORE_ROOM_ROW(nobody_speaks_of_anothers_computation),
		STORE_ROOM_ROW(what_never_ran_is_cancelled_at_once),
		STORE_ROOM_ROW(removal_by_force_frees_the_cvm_once_it_has_stopped),
		STORE_ROOM_ROW(a_folder_serves_one_at_a_time),
		STORE_ROOM_ROW(a_database_serves_one_at_a_time),
		STORE_ROOM_ROW(a_newer_database_is_left_alone),
		STORE_ROOM_ROW(what_is_no_database_is_refused),
		STORE_ROOM_ROW(rows_of_another_form_are_refused),
		STORE_ROOM_ROW(what_the_disk_says_is_told),
		STORE_ROOM_ROW(looks_go_through_no_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
