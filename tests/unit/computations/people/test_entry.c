/* SPDX-License-Identifier: Apache-2.0 */
/* Links that work once, and what becomes of all ways to sign in with their users. */
#include "computations/people/entry.h"
#include "computations/people/login.h"
#include "computations/people/password.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>

#define NOW INT64_C(1000000000)

static struct db *db_of(struct store_room *f)
{
	return &f->store.db;
}

static int64_t add(struct store_room *f, const char *name, bool administrator)
{
	struct user u CLEANUP_USER = { .name = NULL };

	assert_ok(user_add(db_of(f), name, administrator, NOW, &f->e), f->e);
	assert_ok(user_find(db_of(f), name, &u, &f->e), f->e);
	return u.number;
}

static void a_link_works_once(void **state)
{
	struct store_room *f = *state;
	char text[ENTRY_TEXT_LEN + 1], newer[ENTRY_TEXT_LEN + 1];
	const int64_t end = NOW + (int64_t)ENTRY_MINUTES * 60000;
	int64_t anna = add(f, "anna", false);
	struct entry_owner owner;

	assert_ok(entry_add(db_of(f), anna, NOW, text, &f->e), f->e);
	/* To look at it changes nothing. */
	for (int i = 0; i < 2; i++)
		assert_ok(entry_find(db_of(f), text, end - 1, &owner, &f->e), f->e);
	assert_string_equal(owner.name, "anna");
	assert_int_equal(owner.person, anna);
	assert_refused(entry_take(db_of(f), text, end, &owner, &f->e), f->e, ERR_UNAUTHENTICATED,
		       "this link");
	assert_ok(entry_take(db_of(f), text, end - 1, &owner, &f->e), f->e);
	assert_refused(entry_take(db_of(f), text, NOW, &owner, &f->e), f->e, ERR_UNAUTHENTICATED,
		       "this link");
	/* A newer one replaces it; not that of somebody who is suspended. */
	assert_ok(entry_add(db_of(f), anna, NOW, text, &f->e), f->e);
	assert_ok(entry_add(db_of(f), anna, NOW, newer, &f->e), f->e);
	assert_refused(entry_take(db_of(f), text, NOW, &owner, &f->e), f->e, ERR_UNAUTHENTICATED,
		       "this link");
	assert_ok(user_suspend(db_of(f), "anna", true, &f->e), f->e);
	assert_refused(entry_find(db_of(f), newer, NOW, &owner, &f->e), f->e, ERR_UNAUTHENTICATED,
		       "this link");
	assert_refused(entry_find(db_of(f), "", NOW, &owner, &f->e), f->e, ERR_UNAUTHENTICATED,
		       "this link");
}

static void the_first_administrator_s_ends_with_the_first(void **state)
{
	struct store_room *f = *state;
	char text[ENTRY_TEXT_LEN + 1];
	struct entry_owner owner;
	bool wanted = false;

	assert_ok(entry_first_is_wanted(db_of(f), &wanted, &f->e), f->e);
	assert_true(wanted);
	assert_ok(entry_add(db_of(f), 0, NOW, text, &f->e), f->e);
	add(f, "anna", false);
	assert_ok(entry_find(db_of(f), text, NOW, &owner, &f->e), f->e);
	assert_int_equal(owner.person, 0);
	assert_string_equal(owner.name, "");
	add(f, "bert", true);
	assert_ok(entry_first_is_wanted(db_of(f), &wanted, &f->e), f->e);
	assert_false(wanted);
	assert_refused(entry_take(db_of(f), text, NOW, &owner, &f->e), f->e, ERR_UNAUTHENTICATED,
		       "this link");
}

static const struct login from = { .peer = (char *)(uintptr_t)"192.0.2.1:5",
				   .about = (char *)(uintptr_t)"Browser/1" };

static void who_is_removed_leaves_nothing(void **state)
{
	struct store_room *f = *state;
	char text[ENTRY_TEXT_LEN + 1];
	int64_t anna = add(f, "anna", false), left;
	struct password p = { .memory = 8, .passes = 1 };

	assert_ok(password_set(db_of(f), anna, &p, NOW, &f->e), f->e);
	assert_ok(login_add(db_of(f), anna, "", &from, NOW, text, &f->e), f->e);
	assert_ok(entry_add(db_of(f), anna, NOW, text, &f->e), f->e);
	assert_ok(user_remove(db_of(f), "anna", &f->e), f->e);
	assert_ok(
		db_number(db_of(f), &left, &f->e,
			  "SELECT (SELECT count(*) FROM passwords) + (SELECT count(*) FROM logins)"
			  " + (SELECT count(*) FROM entry_links)",
			  ""),
		f->e);
	assert_int_equal(left, 0);
}

static void users_of_an_older_database_can_get_passwords(void **state)
{
	struct store_room *f = *state;
	char text[ENTRY_TEXT_LEN + 1];
	struct entry_owner owner;
	int64_t anna = add(f, "anna", true);

	store_room_age(f, 9);
	assert_ok(entry_add(db_of(f), anna, NOW, text, &f->e), f->e);
	assert_ok(entry_take(db_of(f), text, NOW, &owner, &f->e), f->e);
	assert_string_equal(owner.name, "anna");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(a_link_works_once),
		STORE_ROOM_ROW(the_first_administrator_s_ends_with_the_first),
		STORE_ROOM_ROW(who_is_removed_leaves_nothing),
		STORE_ROOM_ROW(users_of_an_older_database_can_get_passwords),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
