/* SPDX-License-Identifier: Apache-2.0 */
/* Whose room a computation takes, by itself and in the database; and to whom it goes from who did not create it. */
#include "computations/people/creator.h"
#include "computations/people/role.h"
#include "computations/people/workspace_member.h"
#include "computations/store/store_form.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>

enum { NOW = 1000000, MAX = 100000, PEOPLE = 6, STEPS = 3000 };

/* ---- the rule ---- */

static uint32_t draw(uint32_t *seed, uint32_t below)
{
	*seed = *seed * 1664525 + 1013904223;
	return (*seed >> 8) % below;
}

static bool may(const int64_t *own, int64_t users, int64_t who, int64_t max)
{
	struct creator_room room = { .max = max, .users = users, .own = own[who] };
	const int64_t share = creator_share(max, users);

	for (int64_t i = 0; i < users; i++) {
		room.all += own[i];
		room.used += own[i] < share ? own[i] : share;
	}
	return creator_has_room(&room);
}

/* Users come and go with what they create, in any order: nobody ever waits for his share. */
static void try_in_any_order(int64_t users, int64_t max, uint32_t seed)
{
	const int64_t open = max - max / 10, share = (open - open / 2) / users;
	int64_t own[PEOPLE] = { 0 }, all = 0;

	for (int step = 0; step < STEPS; step++) {
		const size_t who = draw(&seed, (uint32_t)users);

		if (draw(&seed, 5) == 0 && own[who]) {
			all -= own[who];
			own[who] = 0;
		} else if (may(own, users, (int64_t)who, max)) {
			own[who]++;
			all++;
		}
		assert_true(all <= open);
		for (int64_t i = 0; i < users; i++)
			assert_true(own[i] >= share || may(own, users, i, max));
	}
}

static void nobody_waits_for_his_share(void **state)
{
	for (int64_t users = 1; users <= PEOPLE; users++)
		for (int64_t max = 20; max < 220; max += 7)
			try_in_any_order(users, max, (uint32_t)(users * 1000 + max));
}

/* How many one gets who goes on until he is refused, where others have none. */
static int64_t most(int64_t users, int64_t max)
{
	struct creator_room room = { .max = max, .users = users };

	while (creator_has_room(&room)) {
		room.own++;
		room.all++;
		room.used += room.own <= creator_share(max, users);
	}
	return room.own;
}

static void one_leaves_the_others_theirs(void **state)
{
	assert_int_equal(most(1, 40), 36);
	assert_int_equal(most(2, 40), 27);
	assert_int_equal(most(18, 40), 19);
	assert_int_equal(most(1000, 40), 18);
	assert_int_equal(most(2, 10000), 6750);
	assert_int_equal(most(1, 1), 1);
	assert_int_equal(most(2, 1), 1);
	assert_int_equal(most(2, 3), 2);
	assert_int_equal(most(10000, 10000000), 4500450);
}

/* ---- in the database ---- */

static struct db *db_of(struct store_room *f)
{
	return &f->store.db;
}

static int64_t person_of(struct store_room *f, const char *user)
{
	struct user u CLEANUP_USER = { .name = NULL };

	assert_ok(user_find(db_of(f), user, &u, &f->e), f->e);
	return u.number;
}

/* As a call does, which changes nothing if it is refused. */
static int create(struct store_room *f, const char *id, const char *user, bool operates,
		  int64_t max)
{
	int64_t person = person_of(f, user);
	int failed;

	assert_ok(db_begin(db_of(f), &f->e), f->e);
	failed = workspace_take(db_of(f), store_room_workspace(f), id, &f->e);
	if (!failed && !operates)
		failed = creator_keep(db_of(f), id, person, max, &f->e);
	if (!failed)
		failed = role_own(db_of(f), id, person, &f->e);
	if (failed)
		db_rollback(db_of(f));
	else
		failed = db_commit(db_of(f), &f->e);
	return failed;
}

static void forget(struct store_room *f, const char *id)
{
	assert_ok(role_forget(db_of(f), id, &f->e), f->e);
	assert_ok(workspace_forget(db_of(f), id, &f->e), f->e);
}

static void create_many(struct store_room *f, const char *prefix, const char *user, int64_t count)
{
	char id[32];

	for (int64_t i = 0; i < count; i++) {
		snprintf(id, sizeof(id), "%s%lld", prefix, (long long)i);
		assert_ok(create(f, id, user, false, MAX), f->e);
	}
}

static int64_t owned_by(struct store_room *f, const char *user)
{
	int64_t count;

	assert_ok(db_number(db_of(f), &count, &f->e,
			    "SELECT count(*) FROM role_members WHERE role = 'owner' AND person = ?",
			    "i", person_of(f, user)),
		  f->e);
	return count;
}

/* All that anna owns, as bert's alone. */
static void hand_over(struct store_room *f)
{
	assert_ok(db_run(db_of(f), &f->e, "UPDATE role_members SET person = ? WHERE person = ?",
			 "ii", person_of(f, "bert"), person_of(f, "anna")),
		  f->e);
}

static void what_was_given_to_somebody_takes_of_the_giver_s_room(void **state)
{
	struct store_room *f = *state;

	store_room_user(f, "anna");
	store_room_user(f, "bert");
	create_many(f, "a", "anna", CREATOR_MAX - 1);
	hand_over(f);
	assert_ok(create(f, "last", "anna", false, MAX), f->e);
	assert_refused(create(f, "more", "anna", false, MAX), f->e, ERR_EXHAUSTED,
		       "1000 computations that you created are kept");
	assert_int_equal(owned_by(f, "bert"), CREATOR_MAX - 1);
	assert_ok(create(f, "his", "bert", false, MAX), f->e);
	/* One that is removed takes no room, whoever removes it. */
	forget(f, "a7");
	assert_ok(create(f, "more", "anna", false, MAX), f->e);
	assert_refused(create(f, "evenmore", "anna", false, MAX), f->e, ERR_EXHAUSTED,
		       "others own");
	assert_ok(create(f, "evenmore", "anna", true, MAX), f->e); /* who operates the service */
}

static void one_user_does_not_fill_the_service(void **state)
{
	struct store_room *f = *state;
	char id[32];
	int count = 0;

	store_room_user(f, "anna");
	store_room_user(f, "bert");
	for (;; count++) {
		snprintf(id, sizeof(id), "a%d", count);
		if (create(f, id, "anna", false, 40) < 0)
			break;
	}
	assert_int_equal(count, 27);
	assert_refused(create(f, "more", "anna", false, 40), f->e, ERR_EXHAUSTED,
		       "COMPUTATIONS_MAX_COMPUTATIONS raised");
	create_many(f, "b", "bert", 8);
	assert_ok(create(f, "b8", "bert", false, 40), f->e);
	assert_refused(create(f, "b9", "bert", false, 40), f->e, ERR_EXHAUSTED, "9 computations");
	/* A tenth is the administrators', who take of the users' room behind that. */
	for (int i = 0; i < 4; i++) {
		const char own[] = { 'c', (char)('0' + i), '\0' };

		assert_ok(create(f, own, "bert", true, 40), f->e);
	}
	forget(f, "a3");
	assert_ok(create(f, "more", "anna", false, 40), f->e);
	forget(f, "a4");
	assert_ok(create(f, "c4", "bert", true, 40), f->e);
	assert_refused(create(f, "a4", "anna", false, 40), f->e, ERR_EXHAUSTED, "26 computations");
}

/* What they created takes room, and no share of those who are there. */
static void who_is_gone_takes_nobody_s_share(void **state)
{
	struct store_room *f = *state;
	char id[32];
	int count = 0;

	store_room_user(f, "anna");
	store_room_user(f, "bert");
	create_many(f, "g", "anna", 10);
	assert_ok(db_script(db_of(f), "UPDATE workspace_computations SET creator = 99", &f->e),
		  f->e);
	for (;; count++) {
		snprintf(id, sizeof(id), "a%d", count);
		if (create(f, id, "anna", false, 40) < 0)
			break;
	}
	assert_int_equal(count, 17);
	create_many(f, "b", "bert", 8);
	assert_ok(create(f, "b8", "bert", false, 40), f->e);
	assert_refused(create(f, "b9", "bert", false, 40), f->e, ERR_EXHAUSTED, "9 computations");
}

static int64_t creator_of(struct store_room *f, const char *id)
{
	int64_t person;

	assert_ok(db_number(db_of(f), &person, &f->e,
			    "SELECT creator FROM workspace_computations WHERE computation = ?", "t",
			    id),
		  f->e);
	return person;
}

static void of_older_ones_an_owner_counts_as_the_creator(void **state)
{
	struct store_room *f = *state;

	store_room_user(f, "anna");
	store_room_user(f, "bert");
	store_room_create(f, "theirs");
	store_room_create(f, "nobodys");
	store_room_create(f, "his");
	assert_ok(role_own(db_of(f), "his", person_of(f, "bert"), &f->e), f->e);
	assert_ok(role_own(db_of(f), "theirs", person_of(f, "bert"), &f->e), f->e);
	assert_ok(role_own(db_of(f), "theirs", person_of(f, "anna"), &f->e), f->e);
	assert_ok(role_give(db_of(f), "his", "viewer", "anna", &f->e), f->e);
	store_room_age(f, STORE_FORM_CREATORS - 1);
	assert_int_equal(creator_of(f, "his"), person_of(f, "bert"));
	assert_int_equal(creator_of(f, "theirs"), person_of(f, "anna"));
	assert_int_equal(creator_of(f, "nobodys"), 0);
}

/* ---- to whom they go ---- */

enum { UNASKED = 3 };

/* anna, a member, makes carl the only owner of three; head and vice administer the workspace. */
static void make_carl_an_owner(struct store_room *f, struct workspace *w)
{
	static const char *const users[] = { "vice", "head", "anna", "carl" };

	assert_ok(workspace_find(db_of(f), "default", w, &f->e), f->e);
	for (size_t i = 0; i < ARRAY_LEN(users); i++)
		assert_ok(user_add(db_of(f), users[i], false, NOW, &f->e), f->e);
	for (size_t i = ARRAY_LEN(users); i > 0; i--)
		assert_ok(
			workspace_member_add(db_of(f), w, person_of(f, users[i - 1]),
					     i <= 2 ? MEMBERSHIP_ADMINISTRATOR : MEMBERSHIP_MEMBER,
					     NOW + (i == 1), &f->e),
			f->e);
	create_many(f, "d", "anna", UNASKED);
	for (int i = 0; i < UNASKED; i++) {
		const char id[] = { 'd', (char)('0' + i), '\0' };

		assert_ok(role_give(db_of(f), id, "owner", "carl", &f->e), f->e);
		assert_ok(role_take(db_of(f), id, "owner", "anna", &f->e), f->e);
	}
	assert_int_equal(owned_by(f, "carl"), UNASKED);
}

static void an_owner_whom_nobody_asked_gives_it_up(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;

	make_carl_an_owner(f, &w);
	assert_ok(role_take(db_of(f), "d1", "owner", "carl", &f->e), f->e);
	assert_int_equal(owned_by(f, "carl"), UNASKED - 1);
	assert_int_equal(owned_by(f, "head"), 1); /* who has been there longest */
	assert_int_equal(owned_by(f, "anna") + owned_by(f, "vice"), 0);
	/* It is still anna's room that it takes. */
	assert_int_equal(creator_of(f, "d1"), person_of(f, "anna"));
	/* Where there is another owner, it is as ever. */
	assert_ok(role_give(db_of(f), "d0", "owner", "anna", &f->e), f->e);
	assert_ok(role_take(db_of(f), "d0", "owner", "carl", &f->e), f->e);
	assert_int_equal(owned_by(f, "head"), 1);
	/* What he created himself he does not get rid of so. */
	assert_ok(create(f, "own", "carl", false, MAX), f->e);
	assert_refused(role_take(db_of(f), "own", "owner", "carl", &f->e), f->e, ERR_PRECONDITION,
		       "only owner");
}

static void an_owner_whom_nobody_asked_can_be_removed(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;

	make_carl_an_owner(f, &w);
	assert_ok(create(f, "own", "carl", false, MAX), f->e);
	assert_refused(workspace_member_remove(db_of(f), &w, "carl", &f->e), f->e, ERR_PRECONDITION,
		       "only owner of 1 computation in");
	assert_refused(workspace_member_set(db_of(f), &w, "carl", MEMBERSHIP_VIEWER, NOW, &f->e),
		       f->e, ERR_PRECONDITION, "only owner of 1 computation in");
	assert_refused(user_remove(db_of(f), "carl", &f->e), f->e, ERR_PRECONDITION,
		       "only owner of 1 computation:");
	assert_int_equal(owned_by(f, "carl"), UNASKED + 1);
	assert_ok(role_give(db_of(f), "own", "owner", "anna", &f->e), f->e);
	assert_ok(workspace_member_remove(db_of(f), &w, "carl", &f->e), f->e);
	assert_int_equal(owned_by(f, "carl"), 0);
	assert_int_equal(owned_by(f, "head"), UNASKED);
}

static void an_owner_whom_nobody_asked_becomes_a_viewer(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;

	make_carl_an_owner(f, &w);
	assert_ok(workspace_member_suspend(db_of(f), &w, "head", true, NOW, &f->e), f->e);
	assert_ok(workspace_member_set(db_of(f), &w, "carl", MEMBERSHIP_VIEWER, NOW, &f->e), f->e);
	assert_int_equal(owned_by(f, "vice"), UNASKED); /* head is suspended */
	assert_int_equal(owned_by(f, "carl") + owned_by(f, "head"), 0);
}

/* Who administers a workspace alone, or none: the refusal names the way out, as for any owner. */
static void nobody_is_there_to_own_it(void **state)
{
	struct workspace w CLEANUP_WORKSPACE = { .name = NULL };
	struct store_room *f = *state;

	make_carl_an_owner(f, &w);
	assert_ok(user_suspend(db_of(f), "vice", true, &f->e), f->e);
	assert_ok(workspace_member_set(db_of(f), &w, "carl", MEMBERSHIP_ADMINISTRATOR, NOW, &f->e),
		  f->e);
	assert_ok(workspace_member_suspend(db_of(f), &w, "head", true, NOW, &f->e), f->e);
	assert_refused(user_remove(db_of(f), "carl", &f->e), f->e, ERR_PRECONDITION,
		       "only owner of 3 computations: make somebody else an owner first");
	assert_refused(role_take(db_of(f), "d0", "owner", "carl", &f->e), f->e, ERR_PRECONDITION,
		       "only owner");
	assert_ok(workspace_member_suspend(db_of(f), &w, "head", false, NOW, &f->e), f->e);
	assert_ok(user_remove(db_of(f), "carl", &f->e), f->e);
	assert_int_equal(owned_by(f, "head"), UNASKED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nobody_waits_for_his_share),
		cmocka_unit_test(one_leaves_the_others_theirs),
		STORE_ROOM_ROW(what_was_given_to_somebody_takes_of_the_giver_s_room),
		STORE_ROOM_ROW(one_user_does_not_fill_the_service),
		STORE_ROOM_ROW(who_is_gone_takes_nobody_s_share),
		STORE_ROOM_ROW(of_older_ones_an_owner_counts_as_the_creator),
		STORE_ROOM_ROW(an_owner_whom_nobody_asked_gives_it_up),
		STORE_ROOM_ROW(an_owner_whom_nobody_asked_can_be_removed),
		STORE_ROOM_ROW(an_owner_whom_nobody_asked_becomes_a_viewer),
		STORE_ROOM_ROW(nobody_is_there_to_own_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
