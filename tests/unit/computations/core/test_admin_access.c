/* SPDX-License-Identifier: Apache-2.0 */
/* What callers may do in the service's store, and what becomes of people with its computations. */
#include "computations/core/admin_access.h"
#include "computations/people/role.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>

enum { NOW = 1000000 };

static struct db *db_of(struct store_room *f)
{
	return &f->store.db;
}

static void add(struct store_room *f, const char *name)
{
	store_room_user(f, name);
}

static int64_t number_of(struct store_room *f, const char *name)
{
	struct user u CLEANUP_USER = { .name = NULL };

	assert_ok(user_find(db_of(f), name, &u, &f->e), f->e);
	return u.number;
}

static unsigned granted(struct store_room *f, const char *computation, const char *user)
{
	unsigned actions = 0;

	assert_ok(role_granted(db_of(f), computation, number_of(f, user), &actions, &f->e), f->e);
	return actions;
}

/* ---- in the service's store ---- */

static void who_removes_a_computation_removes_its_roles(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *cvm = NULL;

	add(f, "anna");
	store_room_create(f, "one");
	assert_ok(role_own(db_of(f), "one", number_of(f, "anna"), &f->e), f->e);
	assert_ok(role_define(db_of(f), "one", "own", ACTION_BIT(ACTION_VIEW), &f->e), f->e);
	assert_ok(store_remove(&f->store, "one", false, &cvm, &f->e), f->e);
	store_room_create(f, "one");
	assert_int_equal(granted(f, "one", "anna"), 0);
	assert_refused(role_give(db_of(f), "one", "own", "anna", &f->e), f->e, ERR_NOT_FOUND,
		       "own");
}

static void a_list_has_what_its_reader_may_see(void **state)
{
	struct store_room *f = *state;
	struct computation rows[3] = { { .id = NULL } };
	int64_t anna;
	size_t count;
	bool more;

	add(f, "anna");
	anna = number_of(f, "anna");
	store_room_create(f, "one");
	store_room_create(f, "two");
	store_room_create(f, "three");
	assert_ok(store_computations(&f->store, (struct store_view){ anna, 0 }, "", 3, rows, &count,
				     &more, &f->e),
		  f->e);
	assert_int_equal(count, 0);
	assert_ok(role_give(db_of(f), "three", "viewer", "anna", &f->e), f->e);
	assert_ok(role_give(db_of(f), "one", "runner", "anna", &f->e), f->e);
	assert_ok(role_give(db_of(f), "one", "viewer", "anna", &f->e), f->e);
	assert_ok(store_computations(&f->store, (struct store_view){ anna, 0 }, "one", 3, rows,
				     &count, &more, &f->e),
		  f->e);
	assert_int_equal(count, 1);
	assert_string_equal(rows[0].id, "three");
	computation_done(&rows[0]);
	/* Not even that it is there. */
	assert_refused(store_computations(&f->store, (struct store_view){ anna, 0 }, "two", 3, rows,
					  &count, &more, &f->e),
		       f->e, ERR_NOT_FOUND, "the page after");
}

static void an_older_database_gets_people(void **state)
{
	struct store_room *f = *state;

	store_room_create(f, "one");
	store_room_age(f, 8);
	add(f, "anna");
	assert_ok(role_give(db_of(f), "one", "viewer", "anna", &f->e), f->e);
	assert_int_equal(granted(f, "one", "anna"), ACTION_BIT(ACTION_VIEW));
}

/* ---- a call ---- */

static struct admin_caller caller_with(struct store_room *f, const char *text)
{
	struct admin_caller c = { .has_token = text != NULL };

	if (text)
		assert_ok(token_hash(text, c.hash, &f->e), f->e);
	assert_ok(admin_access_know(&f->store, &c, &f->e), f->e);
	return c;
}

static void what_a_caller_may_not_see_is_not_there(void **state)
{
	struct store_room *f = *state;
	char text[TOKEN_TEXT_LEN + 1], there[ERR_TEXT_MAX];
	const struct token t = { .name = (char *)(uintptr_t)"t",
				 .scope = ACTIONS_ALL,
				 .expires = store_now() + 100000 };
	struct admin_caller anna;

	add(f, "anna");
	store_room_run_on(f, "one", "cvm");
	assert_ok(token_add(db_of(f), number_of(f, "anna"), &t, store_now(), text, &f->e), f->e);
	anna = caller_with(f, text);
	assert_refused(admin_access_check(&f->store, &anna, DEED_SEE, "one", &f->e), f->e,
		       ERR_NOT_FOUND, "no computation 'one'");
	snprintf(there, sizeof(there), "%s", f->e.text);
	assert_refused(admin_access_check(&f->store, &anna, DEED_STOP, "two", &f->e), f->e,
		       ERR_NOT_FOUND, "no computation 'two'");
	assert_int_equal(strlen(there), strlen(f->e.text));
	assert_ok(role_give(db_of(f), "one", "viewer", "anna", &f->e), f->e);
	assert_ok(admin_access_check(&f->store, &anna, DEED_SEE, "one", &f->e), f->e);
	assert_refused(admin_access_check(&f->store, &anna, DEED_STOP, "one", &f->e), f->e,
		       ERR_DENIED, "user anna may not stop it");
	assert_ok(role_give(db_of(f), "one", "owner", "anna", &f->e), f->e);
	assert_ok(admin_access_check(&f->store, &anna, DEED_STOP, "one", &f->e), f->e);
	assert_refused(admin_access_check(&f->store, &anna, DEED_PARTIES, "one", &f->e), f->e,
		       ERR_PRECONDITION, "frozen");
	assert_refused(admin_access_check(&f->store, &anna, DEED_RUN, "one", &f->e), f->e,
		       ERR_PRECONDITION, "was run before");
	assert_refused(admin_access_check(&f->store, &anna, DEED_RUN_AGAIN, "one", &f->e), f->e,
		       ERR_PRECONDITION, "only one that failed");
	assert_refused(admin_access_check(&f->store, &anna, DEED_OPERATE, "", &f->e), f->e,
		       ERR_DENIED, "administer");
}

/* What a run freezes is free where there was none. */
static void what_was_stopped_before_it_ran_is_not_frozen(void **state)
{
	struct store_room *f = *state;
	struct admin_caller local;
	bool tell;

	store_room_create(f, "one");
	assert_ok(store_stop(&f->store, "one", &tell, &f->e), f->e);
	local = caller_with(f, NULL);
	assert_ok(admin_access_check(&f->store, &local, DEED_PARTIES, "one", &f->e), f->e);
	assert_refused(admin_access_check(&f->store, &local, DEED_RUN, "one", &f->e), f->e,
		       ERR_PRECONDITION, "has ended (Cancelled): 'computation retry' runs it");
	assert_ok(admin_access_check(&f->store, &local, DEED_RUN_AGAIN, "one", &f->e), f->e);
	store_room_run_on(f, "two", "cvm");
	assert_ok(store_stop(&f->store, "two", &tell, &f->e), f->e);
	assert_refused(admin_access_check(&f->store, &local, DEED_PARTIES, "two", &f->e), f->e,
		       ERR_PRECONDITION, "was run");
	/* It stays so while it waits for its next run. */
	assert_ok(store_stopped(&f->store, "cvm", "two", &f->e), f->e);
	assert_ok(store_retry(&f->store, "two", &f->e), f->e);
	assert_ok(admin_access_check(&f->store, &local, DEED_RUN, "two", &f->e), f->e);
	assert_refused(admin_access_check(&f->store, &local, DEED_PARTIES, "two", &f->e), f->e,
		       ERR_PRECONDITION, "was run");
}

static void nobody_is_let_in_who_was_not_asked_for(void **state)
{
	struct store_room *f = *state;
	struct admin_caller unknown = { .has_token = true }, nobody = { .is_nobody = true }, local;

	assert_refused(admin_access_check(&f->store, &unknown, DEED_BE, "", &f->e), f->e,
		       ERR_INTERNAL, "who calls");
	assert_refused(admin_access_know(&f->store, &unknown, &f->e), f->e, ERR_UNAUTHENTICATED,
		       "none");
	assert_refused(admin_access_check(&f->store, &unknown, DEED_BE, "", &f->e), f->e,
		       ERR_INTERNAL, "who calls");
	/* Who shows nothing where nobody has to be known administers nothing by that. */
	assert_ok(admin_access_know(&f->store, &nobody, &f->e), f->e);
	assert_ok(admin_access_check(&f->store, &nobody, DEED_ENTER, "", &f->e), f->e);
	assert_refused(admin_access_check(&f->store, &nobody, DEED_OPERATE, "", &f->e), f->e,
		       ERR_DENIED, "administer");
	assert_refused(admin_access_check(&f->store, &nobody, DEED_CREATE, "", &f->e), f->e,
		       ERR_DENIED, "create");
	local = caller_with(f, NULL);
	assert_ok(admin_access_check(&f->store, &local, DEED_OPERATE, "", &f->e), f->e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(who_removes_a_computation_removes_its_roles),
		STORE_ROOM_ROW(a_list_has_what_its_reader_may_see),
		STORE_ROOM_ROW(an_older_database_gets_people),
		STORE_ROOM_ROW(what_a_caller_may_not_see_is_not_there),
		STORE_ROOM_ROW(what_was_stopped_before_it_ran_is_not_frozen),
		STORE_ROOM_ROW(nobody_is_let_in_who_was_not_asked_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
