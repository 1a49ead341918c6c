/* SPDX-License-Identifier: Apache-2.0 */
/* Users, their tokens and roles in the database. */
#include "computations/people/role.h"
#include "computations/people/token.h"
#include "computations/people/workspace.h"
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

/* A computation of that name is in the first workspace. */
static void take(struct store_room *f, const char *computation)
{
	assert_ok(workspace_take(db_of(f), store_room_workspace(f), computation, &f->e), f->e);
}

static int64_t number_of(struct store_room *f, const char *name)
{
	struct user u CLEANUP_USER = { .name = NULL };

	assert_ok(user_find(db_of(f), name, &u, &f->e), f->e);
	return u.number;
}

/* ---- names ---- */

static void names_are_few_characters_that_look_different(void **state)
{
	static const char *const good[] = { "a", "0", "anna", "anna@clinic.example", "a.b_c+d-e" };
	static const char *const bad[] = { "",          "Anna",          "-a",    ".a",  "@a",
					   "a b",       "a/b",           "a,b",   "a\n", "\xc3\xbc",
					   "a\xcc\x88", "a\xe2\x80\xae", "a\xff", "a'b" };
	char text[PEOPLE_NAME_MAX + 2];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(people_name_check("user", good[i], &e), e);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(people_name_check("user", bad[i], &e), e, ERR_INVALID, "at most 63");
	memset(text, 'a', sizeof(text));
	text[PEOPLE_NAME_MAX] = 0;
	assert_ok(people_name_check("user", text, &e), e);
	text[PEOPLE_NAME_MAX] = 'a';
	text[PEOPLE_NAME_MAX + 1] = 0;
	assert_refused(people_name_check("user", text, &e), e, ERR_INVALID, "at most 63");
}

/* ---- users ---- */

static void users_are_added_listed_suspended_and_removed(void **state)
{
	struct store_room *f = *state;
	struct user rows[3] = { { .name = NULL } };
	size_t count = 0;

	add(f, "anna");
	assert_ok(user_add(db_of(f), "bert", true, NOW, &f->e), f->e);
	add(f, "carl");
	assert_refused(user_add(db_of(f), "anna", false, NOW, &f->e), f->e, ERR_EXISTS, "anna");
	assert_ok(user_list(db_of(f), "", 2, rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].name, "anna");
	assert_true(rows[1].administrator && !rows[0].administrator);
	assert_int_equal(rows[1].created, NOW);
	user_done(&rows[0]);
	user_done(&rows[1]);
	assert_ok(user_suspend(db_of(f), "carl", true, &f->e), f->e);
	assert_ok(user_list(db_of(f), "bert", 2, rows, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_true(rows[0].suspended);
	user_done(&rows[0]);
	assert_ok(user_remove(db_of(f), "anna", &f->e), f->e);
	assert_refused(user_remove(db_of(f), "anna", &f->e), f->e, ERR_NOT_FOUND, "anna");
	assert_refused(user_suspend(db_of(f), "anna", true, &f->e), f->e, ERR_NOT_FOUND, "anna");
	assert_refused(user_list(db_of(f), "anna", 2, rows, &count, &f->e), f->e, ERR_NOT_FOUND,
		       "the page after");
	assert_int_equal(count, 1);
}

/* ---- tokens ---- */

static void new_token(struct store_room *f, const char *user, const char *name, unsigned scope,
		      int64_t expires, char text[TOKEN_TEXT_LEN + 1])
{
	const struct token t = { .name = (char *)(uintptr_t)name,
				 .scope = scope,
				 .expires = expires };

	assert_ok(token_add(db_of(f), number_of(f, user), &t, NOW, text, &f->e), f->e);
}

static int who(struct store_room *f, const char *text, int64_t now, struct token_owner *owner)
{
	uint8_t hash[SHA256_LEN];

	assert_ok(token_hash(text, hash, &f->e), f->e);
	return token_who(db_of(f), hash, now, owner, &f->e);
}

static void a_token_says_whose_it_is_until_it_ends(void **state)
{
	struct store_room *f = *state;
	char text[TOKEN_TEXT_LEN + 1], other[TOKEN_TEXT_LEN + 1];
	struct token_owner owner;

	add(f, "anna");
	add(f, "bert");
	new_token(f, "anna", "one", ACTION_BIT(ACTION_VIEW), NOW + 10, text);
	new_token(f, "bert", "one", ACTIONS_ALL, NOW + 20, other);
	assert_string_not_equal(text, other);
	assert_ok(who(f, text, NOW, &owner), f->e);
	assert_string_equal(owner.name, "anna");
	assert_int_equal(owner.scope, ACTION_BIT(ACTION_VIEW));
	assert_ok(who(f, text, NOW + 9, &owner), f->e);
	assert_refused(who(f, text, NOW + 10, &owner), f->e, ERR_UNAUTHENTICATED, "ended");
	assert_ok(user_suspend(db_of(f), "bert", true, &f->e), f->e);
	assert_refused(who(f, other, NOW, &owner), f->e, ERR_UNAUTHENTICATED, "revoked");
	assert_ok(user_suspend(db_of(f), "bert", false, &f->e), f->e);
	assert_ok(who(f, other, NOW, &owner), f->e);
	assert_ok(token_remove(db_of(f), number_of(f, "bert"), "one", &f->e), f->e);
	assert_refused(who(f, other, NOW, &owner), f->e, ERR_UNAUTHENTICATED, "revoked");
	assert_refused(token_remove(db_of(f), number_of(f, "bert"), "one", &f->e), f->e,
		       ERR_NOT_FOUND, "one");
	assert_ok(user_remove(db_of(f), "anna", &f->e), f->e);
	assert_refused(who(f, text, NOW, &owner), f->e, ERR_UNAUTHENTICATED, "none");
}

static void what_has_not_the_form_of_a_token_is_none(void **state)
{
	struct store_room *f = *state;
	char text[TOKEN_TEXT_LEN + 2];
	uint8_t hash[SHA256_LEN];

	snprintf(text, sizeof(text), "%s%064d", TOKEN_PREFIX, 0);
	assert_ok(token_hash(text, hash, &f->e), f->e);
	for (size_t i = 0; i < TOKEN_TEXT_LEN; i++) {
		char kept = text[i];

		text[i] = 'A';
		assert_refused(token_hash(text, hash, &f->e), f->e, ERR_UNAUTHENTICATED, "none");
		text[i] = 0;
		assert_refused(token_hash(text, hash, &f->e), f->e, ERR_UNAUTHENTICATED, "none");
		text[i] = kept;
	}
	text[TOKEN_TEXT_LEN] = '0';
	text[TOKEN_TEXT_LEN + 1] = 0;
	assert_refused(token_hash(text, hash, &f->e), f->e, ERR_UNAUTHENTICATED, "none");
}

static void the_secret_is_not_in_the_database(void **state)
{
	struct store_room *f = *state;
	char text[TOKEN_TEXT_LEN + 1];
	uint8_t hash[SHA256_LEN];
	int64_t found;

	add(f, "anna");
	new_token(f, "anna", "one", ACTIONS_ALL, NOW + 10, text);
	assert_ok(token_hash(text, hash, &f->e), f->e);
	assert_ok(db_number(db_of(f), &found, &f->e,
			    "SELECT count(*) FROM tokens WHERE hash = ? AND name <> ?", "bt", hash,
			    sizeof(hash), text),
		  f->e);
	assert_int_equal(found, 1);
}

static int try_token(struct store_room *f, const char *name, unsigned scope, int64_t expires)
{
	const struct token t = { .name = (char *)(uintptr_t)name,
				 .scope = scope,
				 .expires = expires };
	char text[TOKEN_TEXT_LEN + 1];

	return token_add(db_of(f), number_of(f, "anna"), &t, NOW, text, &f->e);
}

static void tokens_have_limits(void **state)
{
	const int64_t longest = NOW + (int64_t)TOKEN_DAYS_MAX * 86400 * 1000;
	struct store_room *f = *state;
	struct token rows[TOKENS_MAX] = { { .name = NULL } };
	char name[16];
	size_t count;

	add(f, "anna");
	assert_refused(try_token(f, "A", ACTIONS_ALL, NOW + 1), f->e, ERR_INVALID, "token");
	assert_refused(try_token(f, "a", 0, NOW + 1), f->e, ERR_INVALID, "view");
	assert_refused(try_token(f, "a", ACTIONS_ALL, NOW), f->e, ERR_INVALID, "days");
	assert_refused(try_token(f, "a", ACTIONS_ALL, longest + 1), f->e, ERR_INVALID, "days");
	for (int i = 0; i < TOKENS_MAX; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_ok(try_token(f, name, ACTIONS_ALL, longest), f->e);
	}
	assert_refused(try_token(f, "t3", ACTIONS_ALL, longest), f->e, ERR_EXISTS, "t3");
	assert_refused(try_token(f, "more", ACTIONS_ALL, longest), f->e, ERR_EXHAUSTED, "32");
	assert_ok(token_list(db_of(f), number_of(f, "anna"), rows, &count, &f->e), f->e);
	assert_int_equal(count, TOKENS_MAX);
	assert_string_equal(rows[31].name, "t31");
	for (size_t i = 0; i < count; i++)
		token_done(&rows[i]);
}

static void what_has_ended_makes_room(void **state)
{
	struct token rows[TOKENS_MAX] = { { .name = NULL } };
	struct store_room *f = *state;
	char name[16];
	size_t count;

	add(f, "anna");
	for (int i = 0; i < TOKENS_MAX; i++) {
		snprintf(name, sizeof(name), "t%d", i);
		assert_ok(try_token(f, name, ACTIONS_ALL,
				    NOW + (i == 5   ? 1
					   : i == 7 ? 2
						    : 1000)),
			  f->e);
	}
	assert_refused(try_token(f, "more", ACTIONS_ALL, NOW + 1000), f->e, ERR_EXHAUSTED, "32");
	/* Two have ended, and the one that did so first goes. */
	const struct token t = { .name = (char *)(uintptr_t)"more",
				 .scope = 1,
				 .expires = NOW + 1000 };
	char text[TOKEN_TEXT_LEN + 1];

	assert_ok(token_add(db_of(f), number_of(f, "anna"), &t, NOW + 2, text, &f->e), f->e);
	assert_ok(token_list(db_of(f), number_of(f, "anna"), rows, &count, &f->e), f->e);
	assert_int_equal(count, TOKENS_MAX);
	assert_string_equal(rows[5].name, "t6");
	assert_string_equal(rows[6].name, "t7");
	assert_string_equal(rows[31].name, "more");
	for (size_t i = 0; i < count; i++)
		token_done(&rows[i]);
}

static int64_t used(struct store_room *f)
{
	int64_t at;

	assert_ok(db_number(db_of(f), &at, &f->e, "SELECT used FROM tokens", ""), f->e);
	return at;
}

static void when_it_was_used_is_known_to_the_minute(void **state)
{
	struct store_room *f = *state;
	char text[TOKEN_TEXT_LEN + 1];
	struct token_owner owner;

	add(f, "anna");
	new_token(f, "anna", "one", ACTIONS_ALL, NOW + 1000000, text);
	assert_int_equal(used(f), 0);
	assert_ok(who(f, text, NOW, &owner), f->e);
	assert_int_equal(used(f), NOW);
	assert_ok(who(f, text, NOW + TOKEN_USED_EVERY_MS - 1, &owner), f->e);
	assert_int_equal(used(f), NOW);
	assert_ok(who(f, text, NOW + TOKEN_USED_EVERY_MS, &owner), f->e);
	assert_int_equal(used(f), NOW + TOKEN_USED_EVERY_MS);
	assert_ok(who(f, text, NOW - 5, &owner), f->e); /* the clock was set back */
	assert_int_equal(used(f), NOW - 5);
}

/* ---- roles ---- */

static unsigned granted(struct store_room *f, const char *computation, const char *user)
{
	unsigned actions = 0;

	assert_ok(role_granted(db_of(f), computation, number_of(f, user), &actions, &f->e), f->e);
	return actions;
}

static void a_user_has_the_actions_of_all_roles(void **state)
{
	struct store_room *f = *state;

	add(f, "anna");
	take(f, "one");
	take(f, "two");
	assert_int_equal(granted(f, "one", "anna"), 0);
	assert_ok(role_give(db_of(f), "one", "runner", "anna", &f->e), f->e);
	assert_ok(role_give(db_of(f), "one", "runner", "anna", &f->e), f->e); /* again */
	assert_ok(role_give(db_of(f), "one", "algo_provider", "anna", &f->e), f->e);
	assert_int_equal(granted(f, "one", "anna"), ACTION_BIT(ACTION_VIEW) |
							    ACTION_BIT(ACTION_RUN) |
							    ACTION_BIT(ACTION_ALGO_PROVIDER));
	assert_int_equal(granted(f, "two", "anna"), 0);
	assert_ok(role_take(db_of(f), "one", "runner", "anna", &f->e), f->e);
	assert_int_equal(granted(f, "one", "anna"),
			 ACTION_BIT(ACTION_VIEW) | ACTION_BIT(ACTION_ALGO_PROVIDER));
	assert_refused(role_give(db_of(f), "one", "king", "anna", &f->e), f->e, ERR_NOT_FOUND,
		       "king");
	assert_refused(role_give(db_of(f), "one", "viewer", "bert", &f->e), f->e, ERR_NOT_FOUND,
		       "bert");
}

static void an_owner_stays(void **state)
{
	struct store_room *f = *state;

	add(f, "anna");
	add(f, "bert");
	take(f, "one");
	assert_ok(role_own(db_of(f), "one", number_of(f, "anna"), &f->e), f->e);
	assert_refused(role_take(db_of(f), "one", "owner", "anna", &f->e), f->e, ERR_PRECONDITION,
		       "only owner");
	assert_ok(role_take(db_of(f), "one", "owner", "bert", &f->e), f->e); /* is none */
	assert_refused(user_remove(db_of(f), "anna", &f->e), f->e, ERR_PRECONDITION,
		       "1 computation:");
	assert_ok(role_give(db_of(f), "one", "owner", "bert", &f->e), f->e);
	assert_ok(role_take(db_of(f), "one", "owner", "anna", &f->e), f->e);
	assert_ok(user_remove(db_of(f), "anna", &f->e), f->e);
	assert_int_equal(granted(f, "one", "bert"), ACTIONS_ALL);
	assert_ok(role_forget(db_of(f), "one", &f->e), f->e);
	assert_ok(user_remove(db_of(f), "bert", &f->e), f->e);
}

static void a_computation_has_roles_of_its_own(void **state)
{
	const unsigned both = ACTION_BIT(ACTION_VIEW) | ACTION_BIT(ACTION_EDIT);
	struct store_room *f = *state;
	CLEANUP(role_list_free) struct role_list *list = NULL;
	char name[16];

	add(f, "anna");
	take(f, "one");
	take(f, "two");
	assert_ok(role_define(db_of(f), "one", "auditor", both, &f->e), f->e);
	assert_ok(role_give(db_of(f), "one", "auditor", "anna", &f->e), f->e);
	assert_int_equal(granted(f, "one", "anna"), both);
	assert_ok(role_define(db_of(f), "one", "auditor", ACTION_BIT(ACTION_VIEW), &f->e), f->e);
	assert_int_equal(granted(f, "one", "anna"), ACTION_BIT(ACTION_VIEW));
	assert_ok(role_list(db_of(f), "one", &list, &f->e), f->e);
	assert_int_equal(list->own_count, 1);
	assert_int_equal(list->member_count, 1);
	assert_string_equal(list->members[0].user, "anna");
	assert_refused(role_give(db_of(f), "two", "auditor", "anna", &f->e), f->e, ERR_NOT_FOUND,
		       "auditor");
	assert_ok(role_define(db_of(f), "one", "auditor", 0, &f->e), f->e);
	assert_int_equal(granted(f, "one", "anna"), 0);
	assert_refused(role_define(db_of(f), "one", "viewer", both, &f->e), f->e, ERR_PRECONDITION,
		       "the same in each");
	assert_refused(role_define(db_of(f), "one", "x", ACTION_BIT(ACTION_RUN), &f->e), f->e,
		       ERR_INVALID, "view");
	assert_refused(role_define(db_of(f), "one", "X", both, &f->e), f->e, ERR_INVALID, "role");
	for (int i = 0; i < ROLE_OWN_MAX; i++) {
		snprintf(name, sizeof(name), "r%d", i);
		assert_ok(role_define(db_of(f), "one", name, both, &f->e), f->e);
	}
	assert_refused(role_define(db_of(f), "one", "more", both, &f->e), f->e, ERR_EXHAUSTED,
		       "16");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_few_characters_that_look_different),
		STORE_ROOM_ROW(users_are_added_listed_suspended_and_removed),
		STORE_ROOM_ROW(a_token_says_whose_it_is_until_it_ends),
		STORE_ROOM_ROW(what_has_not_the_form_of_a_token_is_none),
		STORE_ROOM_ROW(the_secret_is_not_in_the_database),
		STORE_ROOM_ROW(tokens_have_limits),
		STORE_ROOM_ROW(what_has_ended_makes_room),
		STORE_ROOM_ROW(when_it_was_used_is_known_to_the_minute),
		STORE_ROOM_ROW(a_user_has_the_actions_of_all_roles),
		STORE_ROOM_ROW(an_owner_stays),
		STORE_ROOM_ROW(a_computation_has_roles_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
