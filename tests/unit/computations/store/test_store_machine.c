/* SPDX-License-Identifier: Apache-2.0 */
/* The CVMs that managers make, on disk: what a row may become, whose a CVM is, and what a manager can't say of it. */
#include "computations/people/workspace.h"
#include "computations/store/store_machine.h"
#include "tests/unit/computations/store_room.h"

#include <inttypes.h>

#define ID_A "5b1c6d3e-0000-4000-8000-00000000000a"
#define ID_B "5b1c6d3e-0000-4000-8000-00000000000b"
#define ID_C "5b1c6d3e-0000-4000-8000-00000000000c"

static const struct machine_quota no_limit = MACHINE_QUOTA_NONE;

static struct machine wish(struct store_room *f, const char *name, const char *tag)
{
	static char word[] = "";

	return (struct machine){ .name = (char *)(uintptr_t)name,
				 .manager = (char *)(uintptr_t)"here",
				 .tag = (char *)(uintptr_t)tag,
				 .image = word,
				 .tee = word,
				 .workspace_number = store_room_workspace(f),
				 .cpus = 1,
				 .memory = 1 << 20 };
}

static int try_add(struct store_room *f, const char *name, const char *tag,
		   const struct machine_quota *quota, int64_t *number)
{
	const struct machine w = wish(f, name, tag);

	return store_machine_add(&f->store, &w, quota, number, &f->e);
}

static int64_t add(struct store_room *f, const char *name, const char *tag)
{
	int64_t number;

	assert_ok(try_add(f, name, tag, &no_limit, &number), f->e);
	return number;
}

static int64_t add_made(struct store_room *f, const char *name, const char *id)
{
	int64_t number = add(f, name, id);

	assert_ok(store_machine_made(&f->store, number, id, "h:1", &f->e), f->e);
	return number;
}

static void gone(struct store_room *f, int64_t number, enum machine_phase phase, const char *why,
		 const char *expected)
{
	CLEANUP(free) char *failed = NULL;

	assert_ok(store_machine_gone(&f->store, number, phase, why, &failed, &f->e), f->e);
	if (expected)
		assert_string_equal(failed, expected);
	else
		assert_null(failed);
}

static int64_t rows_of(struct store_room *f)
{
	int64_t rows;

	assert_ok(db_number(&f->store.db, &rows, &f->e, "SELECT count(*) FROM machines", ""), f->e);
	return rows;
}

static void check(struct store_room *f, int64_t number, const char *state, const char *reason)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };

	assert_ok(store_machine_at(&f->store, number, &m, &f->e), f->e);
	assert_string_equal(machine_state(&m), state);
	assert_string_equal(m.reason, reason);
	assert_int_equal(m.ended != 0, machine_is_gone(m.phase));
}

static void a_row_goes_its_way(void **state)
{
	struct store_room *f = *state;
	int64_t number = add(f, "one", "t1"), other;

	check(f, number, "Provisioning", "");
	assert_ok(store_machine_note(&f->store, number, "away\nfor now", &f->e), f->e);
	check(f, number, "Provisioning", "away for now");
	assert_ok(store_machine_made(&f->store, number, ID_A, "h:1", &f->e), f->e);
	check(f, number, "Provisioning", "");
	store_room_run_on(f, "c1", ID_A);
	check(f, number, "Busy", "");
	assert_refused(store_machine_leave(&f->store, number, false, &f->e), f->e, ERR_PRECONDITION,
		       "holds computation 'c1'");
	assert_ok(store_machine_leave(&f->store, number, true, &f->e), f->e);
	check(f, number, "Busy", "");
	gone(f, number, MACHINE_REMOVED, "", "c1");
	check(f, number, "Removed", "");
	store_room_check(f, "c1", COMPUTATION_FAILED, true);
	/* It is over: nothing changes it any more. */
	gone(f, number, MACHINE_LOST, "again", NULL);
	check(f, number, "Removed", "");
	assert_refused(store_machine_leave(&f->store, number, true, &f->e), f->e, ERR_PRECONDITION,
		       "CVM one is gone");
	other = add(f, "one", "t2");
	assert_true(other > number);
}

static void names_and_ids_are_those_of_one(void **state)
{
	struct store_room *f = *state;
	int64_t first, second = add(f, "two", "t2"), number;

	store_room_arrive_idle(f, "operators");
	store_room_arrive_idle(f, ID_B); /* somebody's, before this one was asked for */
	assert_ok(db_script(&f->store.db, "UPDATE cvms SET first_seen = 1", &f->e), f->e);
	first = add_made(f, "one", ID_A);
	assert_int_equal(try_add(f, "one", "t9", &no_limit, &number), -ERR_EXISTS);
	assert_refused(store_machine_made(&f->store, second, ID_A, "h:1", &f->e), f->e, ERR_DENIED,
		       "another one");
	assert_refused(store_machine_made(&f->store, second, ID_B, "h:1", &f->e), f->e, ERR_DENIED,
		       "another one");
	assert_refused(store_machine_made(&f->store, first, ID_B, "h:1", &f->e), f->e, ERR_DENIED,
		       "another one");
	assert_ok(store_machine_made(&f->store, first, ID_A, "h:2", &f->e), f->e);
	check(f, second, "Provisioning", "");
	gone(f, first, MACHINE_LOST, "x", NULL);
	/* Nor that of one which is gone. */
	assert_int_equal(store_machine_made(&f->store, second, ID_A, "h:1", &f->e), -ERR_DENIED);
	assert_int_equal(try_add(f, "", "t3", &no_limit, &number), -ERR_INVALID);
}

static void a_machine_ends_what_its_workspace_runs_there_alone(void **state)
{
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	int64_t number = add_made(f, "one", ID_A);
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	bool tell;

	store_room_run_on(f, "c1", ID_A);
	assert_ok(workspace_add(&f->store.db, "lab", 1, &f->e), f->e);
	assert_ok(workspace_find(&f->store.db, "lab", &lab, &f->e), f->e);
	assert_ok(workspace_forget(&f->store.db, "c1", &f->e), f->e);
	assert_ok(workspace_take(&f->store.db, lab.number, "c1", &f->e), f->e);
	gone(f, number, MACHINE_LOST, "a lie", NULL);
	store_room_check(f, "c1", COMPUTATION_CREATED, false);
	number = add_made(f, "two", ID_B);
	store_room_run_on(f, "c2", ID_B);
	gone(f, number, MACHINE_LOST, "its machine ended by itself", "c2");
	store_room_check(f, "c2", COMPUTATION_FAILED, true);
	assert_ok(store_computation(&f->store, "c2", &c, &f->e), f->e);
	assert_string_equal(c.failure, "CVM two is gone: its machine ended by itself");
	/* It can be run again. */
	assert_ok(store_retry(&f->store, "c2", &f->e), f->e);
	/* Nobody hears any more what the answer to the stop would have been. */
	number = add_made(f, "three", ID_C);
	store_room_run_on(f, "c3", ID_C);
	store_room_event(f, ID_C, "c3", "ConsumingResults", "Ready");
	assert_ok(store_stop(&f->store, "c3", &tell, &f->e), f->e);
	gone(f, number, MACHINE_LOST, "its machine ended by itself", NULL);
	store_room_check(f, "c3", COMPUTATION_CANCELLED, true);
}

static void a_cvm_is_its_workspaces(void **state)
{
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	int64_t number = add_made(f, "one", ID_A);

	store_room_create(f, "c1");
	store_room_create(f, "c2");
	assert_ok(workspace_add(&f->store.db, "lab", 1, &f->e), f->e);
	assert_ok(workspace_find(&f->store.db, "lab", &lab, &f->e), f->e);
	assert_ok(workspace_forget(&f->store.db, "c2", &f->e), f->e);
	assert_ok(workspace_take(&f->store.db, lab.number, "c2", &f->e), f->e);
	assert_ok(store_machine_check(&f->store, ID_A, "c1", &f->e), f->e);
	assert_refused(store_machine_check(&f->store, ID_A, "c2", &f->e), f->e, ERR_UNAVAILABLE,
		       "is not connected");
	assert_ok(store_machine_check(&f->store, "operators", "c2", &f->e), f->e);
	gone(f, number, MACHINE_REMOVED, "", NULL);
	/* It may run all the same, and be connected: then it is nobody else's. */
	assert_ok(store_machine_check(&f->store, ID_A, "c1", &f->e), f->e);
	assert_refused(store_machine_check(&f->store, ID_A, "c2", &f->e), f->e, ERR_UNAVAILABLE,
		       "is not connected");
}

static void a_quota_is_what_is_there_together(void **state)
{
	const struct machine_quota two = { .cvms = 2, .cpus = 2, .memory = 2 << 20 },
				   cpus = { .cvms = 9, .cpus = 1, .memory = UINT64_MAX },
				   memory = { .cvms = 9, .cpus = UINT64_MAX, .memory = 1 << 20 };
	struct store_room *f = *state;
	struct machine w = wish(f, "more", "t4");
	int64_t number, count;

	assert_ok(try_add(f, "one", "t1", &two, &number), f->e);
	assert_ok(try_add(f, "two", "t2", &two, &number), f->e);
	assert_refused(try_add(f, "three", "t3", &two, &number), f->e, ERR_EXHAUSTED,
		       "2 of 2 CVMs");
	assert_refused(try_add(f, "three", "t3", &cpus, &number), f->e, ERR_EXHAUSTED, "CPUs");
	assert_refused(try_add(f, "three", "t3", &memory, &number), f->e, ERR_EXHAUSTED, "memory");
	w.cpus = 0;
	assert_refused(store_machine_add(&f->store, &w, &cpus, &number, &f->e), f->e, ERR_INVALID,
		       "say how much");
	assert_ok(store_machines_count(&f->store, "default", &count, &f->e), f->e);
	assert_int_equal(count, 2);
	gone(f, number, MACHINE_LOST, "", NULL);
	assert_ok(try_add(f, "three", "t3", &two, &number), f->e);
}

static void of_those_that_are_gone_some_are_shown(void **state)
{
	struct machine rows[MACHINE_GONE_KEPT + 8] = { { .name = NULL } };
	struct store_room *f = *state;
	char tag[24];
	size_t count;

	/* Two whose names were given: whatever else comes and goes, they are nobody else's. */
	gone(f, add_made(f, "one", ID_A), MACHINE_REMOVED, "", NULL);
	gone(f, add_made(f, "one", ID_B), MACHINE_LOST, "", NULL);
	for (int i = 0; i < MACHINE_GONE_KEPT + 4; i++) {
		snprintf(tag, sizeof(tag), "t%d", i);
		gone(f, add(f, "one", tag), MACHINE_REMOVED, "", NULL);
	}
	add(f, "one", "last");
	assert_ok(store_machines(&f->store, store_room_workspace(f), 0, ARRAY_LEN(rows), rows,
				 &count, &f->e),
		  f->e);
	assert_int_equal(count, MACHINE_GONE_KEPT + 1);
	assert_string_equal(rows[0].tag, "t4");
	for (size_t i = 0; i < count; i++)
		machine_done(&rows[i]);
	/* Of all workspaces: what a service that starts has to go on with. */
	assert_ok(store_machines(&f->store, 0, 0, ARRAY_LEN(rows), rows, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_string_equal(rows[0].tag, "last");
	machine_done(&rows[0]);
	assert_int_equal(rows_of(f), MACHINE_GONE_KEPT + 3);
	store_room_create(f, "c");
	for (int i = 0; i < 2; i++)
		assert_ok(store_machine_check(&f->store, i ? ID_B : ID_A, "c", &f->e), f->e);
	assert_ok(db_script(&f->store.db, "DELETE FROM workspace_computations", &f->e), f->e);
	for (int i = 0; i < 2; i++)
		assert_refused(store_machine_check(&f->store, i ? ID_B : ID_A, "c", &f->e), f->e,
			       ERR_UNAVAILABLE, "is not connected");
}

static void a_reason_is_cut_and_one_line(void **state)
{
	struct machine m CLEANUP_MACHINE = { .name = NULL };
	char reason[MACHINE_REASON_MAX + 3];
	struct store_room *f = *state;
	int64_t number = add(f, "one", "t1");

	memset(reason, 'a', sizeof(reason) - 1);
	reason[sizeof(reason) - 1] = 0;
	memcpy(reason + MACHINE_REASON_MAX - 1, "\xc3\xa4", 2); /* would be cut in two */
	assert_ok(store_machine_note(&f->store, number, reason, &f->e), f->e);
	assert_ok(store_machine_at(&f->store, number, &m, &f->e), f->e);
	assert_int_equal(strlen(m.reason), MACHINE_REASON_MAX - 1);
}

static void names_have_a_form(void **state)
{
	static const char *const good[] = { "a", "0", "a-b.c9" }, *const bad[] = {
		"", "A", "-a", "a-", ".a", "a.", "a b", "\xc3\xa4"
	};
	char name[MACHINE_NAME_MAX + 2];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(machine_name_check(good[i], &e), e);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(machine_name_check(bad[i], &e), -ERR_INVALID);
	memset(name, 'a', sizeof(name));
	name[MACHINE_NAME_MAX] = 0;
	assert_ok(machine_name_check(name, &e), e);
	name[MACHINE_NAME_MAX] = 'a';
	name[MACHINE_NAME_MAX + 1] = 0;
	assert_int_equal(machine_name_check(name, &e), -ERR_INVALID);
}

/* Form 17 had no such CVMs. */
static void an_older_database_gets_the_table(void **state)
{
	struct store_room *f = *state;

	store_room_create(f, "c1");
	store_room_age(f, 17);
	store_room_check(f, "c1", COMPUTATION_CREATED, false);
	check(f, add(f, "one", "t1"), "Provisioning", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(a_row_goes_its_way),
		STORE_ROOM_ROW(names_and_ids_are_those_of_one),
		STORE_ROOM_ROW(a_machine_ends_what_its_workspace_runs_there_alone),
		STORE_ROOM_ROW(a_cvm_is_its_workspaces),
		STORE_ROOM_ROW(a_quota_is_what_is_there_together),
		STORE_ROOM_ROW(of_those_that_are_gone_some_are_shown),
		STORE_ROOM_ROW(a_reason_is_cut_and_one_line),
		STORE_ROOM_ROW(an_older_database_gets_the_table),
		cmocka_unit_test(names_have_a_form),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
