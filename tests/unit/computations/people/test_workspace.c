/* SPDX-License-Identifier: Apache-2.0 */
/* Workspaces and their members in the database, and how an older one gets them. */
#include "computations/people/role.h"
#include "computations/people/workspace_member.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>

enum { NOW = 1000000 };

static struct db *db_of(struct store_room *f)
{
	return &f->store.db;
}

static void find(struct store_room *f, const char *name, struct workspace *w)
{
	assert_ok(workspace_find(db_of(f), name, w, &f->e), f->e);
}

static int64_t person_of(struct store_room *f, const char *user)
{
	struct user u CLEANUP_USER = { .name = NULL };

	assert_ok(user_find(db_of(f), user, &u, &f->e), f->e);
	return u.number;
}

static void add_to(struct store_room *f, const char *workspace, const char *user,
		   enum membership membership)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	find(f, workspace, &w);
	assert_ok(workspace_member_add(db_of(f), &w, person_of(f, user), membership, NOW, &f->e),
		  f->e);
}

/* ---- workspaces ---- */

static void workspaces_are_added_listed_renamed_and_removed(void **state)
{
	struct workspace rows[3] = { { .name = NULL } };
	struct store_room *f = *state;
	size_t count;

	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	assert_refused(workspace_add(db_of(f), "lab", NOW, &f->e), f->e, ERR_EXISTS, "lab");
	assert_refused(workspace_add(db_of(f), "Lab", NOW, &f->e), f->e, ERR_INVALID, "workspace");
	assert_ok(workspace_list(db_of(f), 0, "", 3, rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].name, "default");
	assert_string_equal(rows[1].name, "lab");
	assert_int_equal(rows[1].created, NOW);
	assert_int_equal(rows[1].members + rows[1].computations, 0);
	for (size_t i = 0; i < count; i++)
		workspace_done(&rows[i]);
	assert_ok(workspace_list(db_of(f), 0, "default", 3, rows, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	workspace_done(&rows[0]);
	assert_refused(workspace_rename(db_of(f), "lab", "default", &f->e), f->e, ERR_EXISTS,
		       "default");
	assert_refused(workspace_rename(db_of(f), "gone", "x", &f->e), f->e, ERR_NOT_FOUND, "gone");
	assert_ok(workspace_rename(db_of(f), "lab", "ward", &f->e), f->e);
	assert_ok(workspace_remove(db_of(f), "ward", &f->e), f->e);
	assert_refused(workspace_remove(db_of(f), "ward", &f->e), f->e, ERR_NOT_FOUND, "ward");
	assert_refused(workspace_remove(db_of(f), "default", &f->e), f->e, ERR_PRECONDITION,
		       "the only one");
}

static void one_with_computations_stays(void **state)
{
	struct store_room *f = *state;
	CLEANUP(free) char *cvm = NULL;

	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	store_room_create(f, "one");
	assert_refused(workspace_remove(db_of(f), "default", &f->e), f->e, ERR_PRECONDITION,
		       "1 computation is in");
	assert_ok(store_remove(&f->store, "one", false, &cvm, &f->e), f->e);
	assert_ok(workspace_remove(db_of(f), "default", &f->e), f->e);
	/* Now the oldest is where users begin. */
	store_room_user(f, "anna");
	assert_refused(workspace_remove(db_of(f), "lab", &f->e), f->e, ERR_PRECONDITION,
		       "the only one");
}

static void they_have_a_limit(void **state)
{
	struct store_room *f = *state;
	char name[16];

	for (int i = 1; i < WORKSPACES_MAX; i++) {
		snprintf(name, sizeof(name), "w%d", i);
		assert_ok(workspace_add(db_of(f), name, NOW, &f->e), f->e);
	}
	assert_refused(workspace_add(db_of(f), "more", NOW, &f->e), f->e, ERR_EXHAUSTED, "1000");
	assert_ok(workspace_remove(db_of(f), "w7", &f->e), f->e);
	assert_ok(workspace_add(db_of(f), "more", NOW, &f->e), f->e);
}

static void check_choice(struct store_room *f, int64_t person, const char *name)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };

	assert_ok(workspace_choose(db_of(f), person, &w, &f->e), f->e);
	assert_string_equal(w.name, name);
}

static void who_says_nothing_means_the_only_one_or_the_default(void **state)
{
	struct workspace none CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	int64_t anna;

	check_choice(f, 0, "default");
	store_room_user(f, "anna");
	anna = person_of(f, "anna");
	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	check_choice(f, anna, "default");
	add_to(f, "lab", "anna", MEMBERSHIP_MEMBER);
	check_choice(f, anna, "default");
	find(f, "default", &w);
	assert_ok(workspace_member_suspend(db_of(f), &w, "anna", true, 2000, &f->e), f->e);
	check_choice(f, anna, "lab");
	assert_ok(workspace_member_suspend(db_of(f), &w, "anna", false, 2000, &f->e), f->e);
	assert_ok(workspace_rename(db_of(f), "default", "ward", &f->e), f->e);
	assert_refused(workspace_choose(db_of(f), anna, &none, &f->e), f->e, ERR_INVALID,
		       "2 workspaces");
	assert_refused(workspace_choose(db_of(f), 0, &none, &f->e), f->e, ERR_INVALID,
		       "--workspace");
	assert_ok(user_add(db_of(f), "bert", false, NOW, &f->e), f->e);
	assert_refused(workspace_choose(db_of(f), person_of(f, "bert"), &none, &f->e), f->e,
		       ERR_DENIED, "in no workspace");
}

/* ---- members ---- */

static void members_are_added_changed_suspended_and_removed(void **state)
{
	struct workspace_member rows[3] = { { .user = NULL } };
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	size_t count;

	store_room_user(f, "anna");
	assert_ok(user_add(db_of(f), "bert", false, NOW, &f->e), f->e);
	find(f, "default", &w);
	assert_refused(workspace_member_add(db_of(f), &w, person_of(f, "anna"), MEMBERSHIP_VIEWER,
					    NOW, &f->e),
		       f->e, ERR_EXISTS, "as member");
	/* In one word for who is none and who is in none. */
	assert_refused(workspace_member_set(db_of(f), &w, "bert", MEMBERSHIP_VIEWER, 2000, &f->e),
		       f->e, ERR_NOT_FOUND, "no user 'bert' in workspace default");
	assert_refused(workspace_member_set(db_of(f), &w, "carl", MEMBERSHIP_VIEWER, 2000, &f->e),
		       f->e, ERR_NOT_FOUND, "no user 'carl' in workspace default");
	add_to(f, "default", "bert", MEMBERSHIP_VIEWER);
	assert_ok(workspace_member_set(db_of(f), &w, "anna", MEMBERSHIP_ADMINISTRATOR, 2000, &f->e),
		  f->e);
	assert_ok(workspace_member_suspend(db_of(f), &w, "bert", true, 2000, &f->e), f->e);
	assert_ok(workspace_member_suspend(db_of(f), &w, "bert", true, 2000, &f->e), f->e);
	assert_ok(workspace_member_list(db_of(f), w.number, "", 3, rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].user, "anna");
	assert_int_equal(rows[0].membership, MEMBERSHIP_ADMINISTRATOR);
	assert_false(rows[0].suspended);
	assert_int_equal(rows[1].membership, MEMBERSHIP_VIEWER);
	assert_int_equal(rows[1].joined, NOW);
	assert_true(rows[1].suspended);
	for (size_t i = 0; i < count; i++)
		workspace_member_done(&rows[i]);
	assert_ok(workspace_member_list(db_of(f), w.number, "anna", 3, rows, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	workspace_member_done(&rows[0]);
	assert_ok(workspace_member_remove(db_of(f), &w, "bert", &f->e), f->e);
	assert_refused(workspace_member_remove(db_of(f), &w, "bert", &f->e), f->e, ERR_NOT_FOUND,
		       "bert");
}

static void an_administrator_stays_until_another_one_is(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	struct workspace_member anna CLEANUP_MEMBER = { .user = NULL };

	store_room_user(f, "anna");
	store_room_user(f, "bert");
	find(f, "default", &w);
	assert_ok(workspace_member_set(db_of(f), &w, "anna", MEMBERSHIP_ADMINISTRATOR, 2000, &f->e),
		  f->e);
	assert_refused(workspace_member_set(db_of(f), &w, "anna", MEMBERSHIP_MEMBER, 2000, &f->e),
		       f->e, ERR_PRECONDITION, "only administrator");
	assert_refused(workspace_member_suspend(db_of(f), &w, "anna", true, 2000, &f->e), f->e,
		       ERR_PRECONDITION, "only administrator");
	assert_refused(workspace_member_remove(db_of(f), &w, "anna", &f->e), f->e, ERR_PRECONDITION,
		       "only administrator");
	/* One who is suspended is no other one, and takes nothing over. */
	assert_ok(workspace_member_set(db_of(f), &w, "bert", MEMBERSHIP_ADMINISTRATOR, 2000, &f->e),
		  f->e);
	assert_ok(workspace_member_suspend(db_of(f), &w, "bert", true, 2000, &f->e), f->e);
	assert_refused(workspace_member_remove(db_of(f), &w, "anna", &f->e), f->e, ERR_PRECONDITION,
		       "only administrator");
	assert_refused(workspace_transfer(db_of(f), &w, "bert", 2000, &f->e), f->e,
		       ERR_PRECONDITION, "suspended");
	assert_ok(workspace_member_suspend(db_of(f), &w, "bert", false, 2000, &f->e), f->e);
	/* Nor is one whose account is. */
	assert_ok(user_suspend(db_of(f), "bert", true, &f->e), f->e);
	assert_refused(workspace_member_set(db_of(f), &w, "anna", MEMBERSHIP_MEMBER, 2000, &f->e),
		       f->e, ERR_PRECONDITION, "only administrator");
	assert_ok(user_suspend(db_of(f), "bert", false, &f->e), f->e);
	assert_ok(workspace_transfer(db_of(f), &w, "bert", 2000, &f->e), f->e);
	assert_ok(workspace_member_find(db_of(f), &w, "anna", &anna, &f->e), f->e);
	assert_int_equal(anna.membership, MEMBERSHIP_MEMBER);
	assert_ok(workspace_member_remove(db_of(f), &w, "anna", &f->e), f->e);
	/* Whoever administers the service can still remove a user. */
	assert_ok(user_remove(db_of(f), "bert", &f->e), f->e);
}

static unsigned granted(struct store_room *f, const char *computation, const char *user)
{
	unsigned actions = 0;

	assert_ok(role_granted(db_of(f), computation, person_of(f, user), &actions, &f->e), f->e);
	return actions;
}

static void who_is_removed_has_no_roles_when_he_comes_back(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;

	store_room_user(f, "anna");
	store_room_user(f, "bert");
	store_room_create(f, "one");
	store_room_create(f, "two");
	find(f, "default", &w);
	assert_ok(role_own(db_of(f), "one", person_of(f, "anna"), &f->e), f->e);
	assert_ok(role_give(db_of(f), "two", "runner", "anna", &f->e), f->e);
	assert_refused(workspace_member_remove(db_of(f), &w, "anna", &f->e), f->e, ERR_PRECONDITION,
		       "only owner of 1 computation in");
	assert_ok(role_give(db_of(f), "one", "owner", "bert", &f->e), f->e);
	assert_ok(workspace_member_remove(db_of(f), &w, "anna", &f->e), f->e);
	add_to(f, "default", "anna", MEMBERSHIP_MEMBER);
	assert_int_equal(granted(f, "one", "anna"), 0);
	assert_int_equal(granted(f, "two", "anna"), 0);
}

/* Such an owner could do nothing with it, nor give it to anybody. */
static void a_computation_is_not_left_to_who_may_only_look(void **state)
{
	static const char *const others[] = { "view", "out", "gone" };
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;

	store_room_user(f, "anna");
	store_room_user(f, "bert");
	store_room_create(f, "one");
	find(f, "default", &w);
	assert_ok(role_own(db_of(f), "one", person_of(f, "anna"), &f->e), f->e);
	for (size_t i = 0; i < ARRAY_LEN(others); i++) {
		store_room_user(f, others[i]);
		assert_ok(role_give(db_of(f), "one", "owner", others[i], &f->e), f->e);
	}
	assert_ok(workspace_member_set(db_of(f), &w, "view", MEMBERSHIP_VIEWER, 2000, &f->e), f->e);
	assert_ok(workspace_member_suspend(db_of(f), &w, "out", true, 2000, &f->e), f->e);
	assert_ok(user_suspend(db_of(f), "gone", true, &f->e), f->e);
	assert_refused(workspace_member_set(db_of(f), &w, "anna", MEMBERSHIP_VIEWER, 2000, &f->e),
		       f->e, ERR_PRECONDITION, "only owner of 1 computation in");
	assert_refused(workspace_member_remove(db_of(f), &w, "anna", &f->e), f->e, ERR_PRECONDITION,
		       "only owner of 1 computation in");
	assert_refused(role_take(db_of(f), "one", "owner", "anna", &f->e), f->e, ERR_PRECONDITION,
		       "only owner");
	assert_refused(user_remove(db_of(f), "anna", &f->e), f->e, ERR_PRECONDITION,
		       "only owner of 1 computation:");
	assert_ok(role_give(db_of(f), "one", "owner", "bert", &f->e), f->e);
	assert_ok(workspace_member_set(db_of(f), &w, "anna", MEMBERSHIP_VIEWER, 2000, &f->e), f->e);
	assert_ok(role_take(db_of(f), "one", "owner", "anna", &f->e), f->e);
	assert_ok(user_remove(db_of(f), "anna", &f->e), f->e);
}

static void nobody_of_another_workspace_gets_a_role(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;

	store_room_create(f, "one");
	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	find(f, "lab", &w);
	assert_ok(workspace_member_new(db_of(f), &w, "anna", true, NOW, &f->e), f->e);
	assert_refused(role_give(db_of(f), "one", "viewer", "anna", &f->e), f->e, ERR_NOT_FOUND,
		       "no user 'anna' in the computation's workspace");
	assert_refused(role_give(db_of(f), "one", "viewer", "bert", &f->e), f->e, ERR_NOT_FOUND,
		       "no user 'bert' in the computation's workspace");
	/* Nor does he own what he creates where he is none. */
	assert_ok(role_own(db_of(f), "one", person_of(f, "anna"), &f->e), f->e);
	assert_int_equal(granted(f, "one", "anna"), 0);
}

/* ---- the database ---- */

static void an_older_database_s_are_all_in_the_first_one(void **state)
{
	struct computation c CLEANUP_COMPUTATION = { .id = NULL };
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct workspace_member chief CLEANUP_MEMBER = { .user = NULL },
				      anna CLEANUP_MEMBER = { .user = NULL };
	struct store_room *f = *state;

	assert_ok(user_add(db_of(f), "chief", true, NOW, &f->e), f->e);
	assert_ok(user_add(db_of(f), "anna", false, NOW, &f->e), f->e);
	store_room_create(f, "one");
	store_room_create(f, "two");
	store_room_age(f, 14);
	find(f, "default", &w);
	assert_int_equal(w.members, 2);
	assert_int_equal(w.computations, 2);
	assert_ok(workspace_member_find(db_of(f), &w, "chief", &chief, &f->e), f->e);
	assert_int_equal(chief.membership, MEMBERSHIP_ADMINISTRATOR);
	assert_ok(workspace_member_find(db_of(f), &w, "anna", &anna, &f->e), f->e);
	assert_int_equal(anna.membership, MEMBERSHIP_MEMBER);
	assert_int_equal(anna.joined, NOW);
	assert_ok(store_computation(&f->store, "two", &c, &f->e), f->e);
	assert_string_equal(c.workspace, "default");
	assert_ok(role_give(db_of(f), "one", "viewer", "anna", &f->e), f->e);
}

static void a_role_that_is_none_is_told(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	enum membership membership;
	bool suspended;

	store_room_user(f, "anna");
	find(f, "default", &w);
	assert_ok(db_script(db_of(f), "UPDATE workspace_members SET role = 'king'", &f->e), f->e);
	assert_refused(workspace_member_in(db_of(f), w.number, person_of(f, "anna"), &membership,
					   &suspended, &f->e),
		       f->e, ERR_DATA_LOSS, "'king'");
}

static void a_list_is_of_one_workspace(void **state)
{
	struct computation rows[3] = { { .id = NULL } };
	struct workspace lab CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;
	struct store_view view = { 0, 0 };
	size_t count;
	bool more;

	store_room_create(f, "one");
	assert_ok(workspace_add(db_of(f), "lab", NOW, &f->e), f->e);
	find(f, "lab", &lab);
	assert_ok(workspace_member_new(db_of(f), &lab, "anna", true, NOW, &f->e), f->e);
	view.workspace = lab.number;
	assert_ok(store_computations(&f->store, view, "", 3, rows, &count, &more, &f->e), f->e);
	assert_int_equal(count, 0);
	assert_refused(store_computations(&f->store, view, "one", 3, rows, &count, &more, &f->e),
		       f->e, ERR_NOT_FOUND, "one");
	view = (struct store_view){ person_of(f, "anna"), 0 };
	assert_ok(store_computations(&f->store, view, "", 3, rows, &count, &more, &f->e), f->e);
	assert_int_equal(count, 0);
	add_to(f, "default", "anna", MEMBERSHIP_ADMINISTRATOR);
	assert_ok(store_computations(&f->store, view, "", 3, rows, &count, &more, &f->e), f->e);
	assert_int_equal(count, 1);
	computation_done(&rows[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(workspaces_are_added_listed_renamed_and_removed),
		STORE_ROOM_ROW(one_with_computations_stays),
		STORE_ROOM_ROW(they_have_a_limit),
		STORE_ROOM_ROW(who_says_nothing_means_the_only_one_or_the_default),
		STORE_ROOM_ROW(members_are_added_changed_suspended_and_removed),
		STORE_ROOM_ROW(an_administrator_stays_until_another_one_is),
		STORE_ROOM_ROW(who_is_removed_has_no_roles_when_he_comes_back),
		STORE_ROOM_ROW(a_computation_is_not_left_to_who_may_only_look),
		STORE_ROOM_ROW(nobody_of_another_workspace_gets_a_role),
		STORE_ROOM_ROW(an_older_database_s_are_all_in_the_first_one),
		STORE_ROOM_ROW(a_role_that_is_none_is_told),
		STORE_ROOM_ROW(a_list_is_of_one_workspace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
