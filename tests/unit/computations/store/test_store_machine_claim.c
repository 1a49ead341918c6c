/* SPDX-License-Identifier: Apache-2.0 */
/* A CVM that connects while machines are being made, whose managers have not said its id: who may have it meanwhile, and what
 * a manager can't say of it afterwards. */
#include "computations/people/workspace.h"
#include "computations/store/store_machine_claim.h"
#include "computations/store/store_machine_run.h"
#include "tests/unit/computations/store_room.h"

#define ID_A "5b1c6d3e-0000-4000-8000-00000000000a"
#define ID_B "5b1c6d3e-0000-4000-8000-00000000000b"

static const struct machine_quota no_limit = MACHINE_QUOTA_NONE;

static struct machine wish(struct store_room *f, const char *tag)
{
	static char word[] = "";

	return (struct machine){ .name = (char *)(uintptr_t)tag,
				 .manager = (char *)(uintptr_t)"here",
				 .tag = (char *)(uintptr_t)tag,
				 .image = word,
				 .tee = word,
				 .keep_ms = MACHINE_KEEP_DEFAULT_MS,
				 .workspace_number = store_room_workspace(f) };
}

/* Of the first workspace. */
static int64_t add(struct store_room *f, const char *tag)
{
	const struct machine w = wish(f, tag);
	int64_t number;

	assert_ok(store_machine_add(&f->store, &w, &no_limit, &number, &f->e), f->e);
	return number;
}

static int64_t add_for_run(struct store_room *f, const char *computation, const char *tag)
{
	struct machine w = wish(f, tag);
	int64_t number;

	assert_ok(store_machine_run_add(&f->store, computation, &w, &no_limit, &number, &f->e),
		  f->e);
	return number;
}

/* A computation, in a workspace of that name. */
static void create_in(struct store_room *f, const char *id, const char *name)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	store_room_create(f, id);
	if (workspace_find(&f->store.db, name, &w, &f->e) < 0) {
		assert_ok(workspace_add(&f->store.db, name, 1, &f->e), f->e);
		assert_ok(workspace_find(&f->store.db, name, &w, &f->e), f->e);
	}
	assert_ok(workspace_forget(&f->store.db, id, &f->e), f->e);
	assert_ok(workspace_take(&f->store.db, w.number, id, &f->e), f->e);
}

/* One of the workspace that has the machines, and one of another. */
static void create_both(struct store_room *f)
{
	store_room_create(f, "ours");
	create_in(f, "theirs", "lab");
}

static bool doubts(struct store_room *f, const char *cvm, const char *computation)
{
	bool yes;

	assert_ok(store_machine_claim_doubts(&f->store, cvm, computation, &yes, &f->e), f->e);
	return yes;
}

static void check(struct store_room *f, const char *cvm, bool ours, bool theirs)
{
	assert_int_equal(doubts(f, cvm, "ours"), ours);
	assert_int_equal(doubts(f, cvm, "theirs"), theirs);
}

static void set(struct store_room *f, const char *sql, int64_t value)
{
	assert_ok(db_run(&f->store.db, &f->e, sql, "i", value), f->e);
}

static void gone(struct store_room *f, int64_t number)
{
	CLEANUP(free) char *failed = NULL;

	assert_ok(store_machine_gone(&f->store, number, MACHINE_REMOVED, "", &failed, &f->e), f->e);
}

static int claims(struct store_room *f, int64_t number, const char *cvm)
{
	return store_machine_made(&f->store, number, cvm, "h:1", &f->e);
}

static void one_that_comes_meanwhile_is_its_workspaces(void **state)
{
	struct store_room *f = *state;
	int64_t number;

	create_both(f);
	store_room_arrive_idle(f, ID_A);
	check(f, ID_A, false, false); /* nothing is being made */
	number = add(f, "t1");
	set(f, "UPDATE cvms SET first_seen = ?", store_now());
	check(f, ID_A, false, true);
	check(f, ID_B, false, false); /* has not connected: there is nothing to be had */
	assert_ok(claims(f, number, ID_A), f->e);
	check(f, ID_A, false, false); /* from now on store_machine_check() says whose it is */
	assert_refused(store_machine_check(&f->store, ID_A, "theirs", &f->e), f->e, ERR_UNAVAILABLE,
		       "is not connected");
}

/* To the millisecond. */
static void one_that_was_known_before_is_none_of_them(void **state)
{
	struct store_room *f = *state;
	struct machine m CLEANUP_MACHINE = { .name = NULL };
	int64_t number;

	create_both(f);
	number = add(f, "t1");
	store_room_arrive_idle(f, ID_A);
	assert_ok(store_machine_at(&f->store, number, &m, &f->e), f->e);
	set(f, "UPDATE cvms SET first_seen = ?", m.created - 1);
	check(f, ID_A, false, false);
	assert_refused(claims(f, number, ID_A), f->e, ERR_DENIED, "another one");
	set(f, "UPDATE cvms SET first_seen = ?", m.created);
	check(f, ID_A, false, true);
	assert_ok(claims(f, number, ID_A), f->e);
}

static void no_manager_calls_one_like_that(void **state)
{
	struct store_room *f = *state;

	create_both(f);
	add(f, "t1");
	store_room_arrive_idle(f, "operators");
	check(f, "operators", false, false);
	store_room_arrive_idle(f, ID_A "a");
	check(f, ID_A "a", false, false);
}

static void it_is_in_doubt_until_each_has_an_id_or_is_gone(void **state)
{
	struct store_room *f = *state;
	int64_t first, second;

	create_both(f);
	first = add(f, "t1");
	second = add(f, "t2");
	store_room_arrive_idle(f, ID_A);
	assert_ok(claims(f, first, ID_B), f->e);
	check(f, ID_A, false, true);
	/* What is to be removed may be made all the same. */
	assert_ok(store_machine_leave(&f->store, second, true, &f->e), f->e);
	check(f, ID_A, false, true);
	gone(f, second);
	check(f, ID_A, false, false);
	/* Also after a manager's word that can't be, and a restart. */
	first = add(f, "t3");
	assert_int_equal(claims(f, first, ID_B), -ERR_DENIED);
	store_room_arrive_idle(f, "5b1c6d3e-0000-4000-8000-00000000000c");
	store_close(&f->store);
	store_room_open(f);
	check(f, "5b1c6d3e-0000-4000-8000-00000000000c", false, true);
}

static void who_can_use_each_of_them_may_have_it(void **state)
{
	struct store_room *f = *state;
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };
	struct machine w;
	int64_t number;

	create_both(f);
	add(f, "t1");
	assert_ok(workspace_find(&f->store.db, "lab", &lab, &f->e), f->e);
	w = wish(f, "t2");
	w.workspace_number = lab.number;
	assert_ok(store_machine_add(&f->store, &w, &no_limit, &number, &f->e), f->e);
	store_room_arrive_idle(f, ID_A);
	check(f, ID_A, true, true);
	gone(f, number);
	check(f, ID_A, false, true);
	/* One that is in no workspace. */
	assert_ok(workspace_forget(&f->store.db, "ours", &f->e), f->e);
	check(f, ID_A, true, true);
}

static void one_for_a_run_is_nobodys(void **state)
{
	struct store_room *f = *state;
	int64_t number;

	create_both(f);
	store_room_create(f, "run");
	number = add_for_run(f, "run", "t1");
	store_room_arrive_idle(f, ID_A);
	check(f, ID_A, true, true);
	assert_true(doubts(f, ID_A, "run"));
	assert_ok(claims(f, number, ID_A), f->e);
	check(f, ID_A, false, false);
	assert_int_equal(store_machine_check(&f->store, ID_A, "ours", &f->e), -ERR_UNAVAILABLE);
}

static void a_manager_that_never_answers_keeps_it_for_so_long(void **state)
{
	struct store_room *f = *state;
	int64_t now;

	create_both(f);
	add(f, "t1");
	store_room_arrive_idle(f, ID_A);
	now = store_now();
	set(f, "UPDATE machines SET created = ?", now - 9 * MACHINE_DOUBT_MS);
	set(f, "UPDATE cvms SET first_seen = ?", now - MACHINE_DOUBT_MS / 2);
	check(f, ID_A, false, true);
	set(f, "UPDATE cvms SET first_seen = ?", now - MACHINE_DOUBT_MS);
	check(f, ID_A, false, false);
}

static void what_holds_another_ones_is_claimed_when_that_is_over(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *cvm = NULL;
	int64_t number, of_run;

	create_both(f);
	number = add(f, "t1");
	store_room_arrive_idle(f, ID_A);
	assert_ok(store_assign(&f->store, "theirs", ID_A, false, &f->e), f->e);
	assert_refused(claims(f, number, ID_A), f->e, ERR_DENIED, "given another computation");
	assert_null(strstr(f->e.text, "theirs"));
	store_room_check(f, "theirs", COMPUTATION_CREATED, false);
	/* Removed by force, it is held until its agent has stopped. */
	assert_ok(store_remove(&f->store, "theirs", true, &cvm, &f->e), f->e);
	assert_int_equal(claims(f, number, ID_A), -ERR_DENIED);
	assert_ok(store_stopped(&f->store, ID_A, "theirs", &f->e), f->e);
	assert_ok(claims(f, number, ID_A), f->e);
	/* And once it is, it is whatever it holds. */
	assert_ok(store_assign(&f->store, "ours", ID_A, false, &f->e), f->e);
	assert_ok(claims(f, number, ID_A), f->e);
	/* Of one for a run, whatever it holds is another one's. */
	store_room_create(f, "run");
	of_run = add_for_run(f, "run", "t2");
	store_room_create(f, "more");
	store_room_run_on(f, "last", ID_B);
	assert_refused(claims(f, of_run, ID_B), f->e, ERR_DENIED, "given another computation");
}

static void what_holds_its_workspaces_own_is_claimed(void **state)
{
	struct store_room *f = *state;
	int64_t number = add(f, "t1");
	struct machine m CLEANUP_MACHINE = { .name = NULL };

	store_room_run_on(f, "c1", ID_A);
	assert_ok(claims(f, number, ID_A), f->e);
	assert_ok(store_machine_at(&f->store, number, &m, &f->e), f->e);
	assert_string_equal(machine_state(&m), "Busy");
	assert_string_equal(m.computation_id, "c1");
}

/* ---- which one is chosen of those that are connected ---- */

#define ID_C "5b1c6d3e-0000-4000-8000-00000000000c"

static const char *const known[] = { "waits", "new", "runs", "holds", ID_A, ID_B, ID_C };
enum { KNOWN = ARRAY_LEN(known) };

/* Bit i: known[i] is. */
static bool is_in_set(const char *id, void *data)
{
	const unsigned *set = data;

	for (unsigned i = 0; i < KNOWN; i++)
		if (strcmp(id, known[i]) == 0)
			return *set & 1U << i;
	return false;
}

static void set_up_one_of_each(struct store_room *f)
{
	struct store_todo todo CLEANUP_TODO = { .computation_id = NULL };

	create_both(f);
	assert_ok(claims(f, add(f, "t1"), ID_A), f->e);
	store_room_create(f, "run");
	assert_ok(claims(f, add_for_run(f, "run", "t2"), ID_B), f->e);
	for (unsigned i = 0; i + 1 < KNOWN; i++)
		store_room_arrive_idle(f, known[i]);
	assert_ok(store_agent_state(&f->store, "waits", "ReceivingManifest", &todo, &f->e), f->e);
	assert_ok(store_agent_state(&f->store, "runs", "Running", &todo, &f->e), f->e);
	store_room_create(f, "held");
	assert_ok(store_assign(&f->store, "held", "holds", false, &f->e), f->e);
	add(f, "t3");
	store_room_arrive_idle(f, ID_C);
}

/* Each by itself, in the words of whoever is asked to give it that one. */
static void judge_each(struct store_room *f, const char *computation, unsigned *is_free,
		       unsigned *doubted)
{
	*is_free = *doubted = 0;
	for (unsigned i = 0; i < KNOWN; i++) {
		struct cvm cvm CLEANUP_CVM = { .id = NULL };

		assert_ok(store_cvm(&f->store, known[i], &cvm, &f->e), f->e);
		if (store_machine_check(&f->store, known[i], computation, &f->e) < 0 ||
		    *cvm.computation_id || (*cvm.agent_state && !state_is_free(cvm.agent_state)))
			continue;
		if (doubts(f, known[i], computation))
			*doubted |= 1U << i;
		else
			*is_free |= 1U << i;
	}
}

static void the_choice_is_among_those_that_each_may_be_given(void **state)
{
	static const struct {
		const char *computation;
		unsigned is_free, doubted;
	} rows[] = {
		{ "ours", 1U | 1U << 1 | 1U << 4 | 1U << 6, 0 },
		{ "theirs", 1U | 1U << 1, 1U << 6 },
	};
	struct store_room *f = *state;

	f->store.limits.cvms = KNOWN;
	set_up_one_of_each(f);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		unsigned is_free, doubted;

		judge_each(f, rows[i].computation, &is_free, &doubted);
		assert_int_equal(is_free, rows[i].is_free);
		assert_int_equal(doubted, rows[i].doubted);
		for (unsigned set = 0; set < 1U << KNOWN; set++) {
			struct store_free_cvms got CLEANUP_FREE_CVMS = { .one = NULL };

			assert_ok(store_machine_claim_free(&f->store, rows[i].computation,
							   is_in_set, &set, &got, &f->e),
				  f->e);
			assert_int_equal(got.count, __builtin_popcount(is_free & set));
			assert_int_equal(got.doubted, __builtin_popcount(doubted & set));
			if (got.count == 0)
				assert_null(got.one);
			else
				assert_true(is_in_set(got.one, &(unsigned){ is_free & set }));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(one_that_comes_meanwhile_is_its_workspaces),
		STORE_ROOM_ROW(one_that_was_known_before_is_none_of_them),
		STORE_ROOM_ROW(no_manager_calls_one_like_that),
		STORE_ROOM_ROW(it_is_in_doubt_until_each_has_an_id_or_is_gone),
		STORE_ROOM_ROW(who_can_use_each_of_them_may_have_it),
		STORE_ROOM_ROW(one_for_a_run_is_nobodys),
		STORE_ROOM_ROW(a_manager_that_never_answers_keeps_it_for_so_long),
		STORE_ROOM_ROW(what_holds_another_ones_is_claimed_when_that_is_over),
		STORE_ROOM_ROW(what_holds_its_workspaces_own_is_claimed),
		STORE_ROOM_ROW(the_choice_is_among_those_that_each_may_be_given),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
