/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions of users: whose they are, and when they end. */
#include "computations/people/action.h"
#include "computations/people/credential.h"
#include "computations/people/login.h"
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

static const struct login from = { .peer = (char *)(uintptr_t)"192.0.2.1:5",
				   .about = (char *)(uintptr_t)"Browser/1" };

static int who_is(struct store_room *f, const char *text, const char *host, int64_t now,
		  struct token_owner *who, int64_t *number)
{
	uint8_t hash[SHA256_LEN];

	assert_ok(login_hash(text, hash, &f->e), f->e);
	return login_who(db_of(f), hash, host, now, who, number, &f->e);
}

static void a_session_is_its_user_s_until_it_ends(void **state)
{
	struct store_room *f = *state;
	char text[LOGIN_TEXT_LEN + 1], other[LOGIN_TEXT_LEN + 1];
	int64_t anna = add(f, "anna", true), number, now = NOW;
	struct token_owner who;

	assert_ok(login_add(db_of(f), anna, "h", &from, NOW, text, &f->e), f->e);
	assert_ok(login_add(db_of(f), anna, "h", &from, NOW, other, &f->e), f->e);
	assert_string_not_equal(text, other);
	assert_ok(who_is(f, text, "h", NOW, &who, &number), f->e);
	assert_string_equal(who.name, "anna");
	assert_true(who.administrator);
	assert_int_equal(who.scope, ACTIONS_ALL);
	assert_refused(who_is(f, text, "", NOW, &who, &number), f->e, ERR_UNAUTHENTICATED,
		       "sign in");
	assert_refused(who_is(f, text, "g", NOW, &who, &number), f->e, ERR_UNAUTHENTICATED,
		       "sign in");
	/* In use it lasts, up to its longest; the other one ends by silence. */
	assert_ok(who_is(f, other, "h", NOW + LOGIN_IDLE_MS - 1, &who, &number), f->e);
	while (now + LOGIN_IDLE_MS - 1 < NOW + LOGIN_LONGEST_MS) {
		now += LOGIN_IDLE_MS - 1;
		assert_ok(who_is(f, text, "h", now, &who, &number), f->e);
	}
	assert_refused(who_is(f, other, "h", NOW + 2 * (int64_t)LOGIN_IDLE_MS, &who, &number), f->e,
		       ERR_UNAUTHENTICATED, "sign in");
	assert_ok(who_is(f, text, "h", NOW + LOGIN_LONGEST_MS - 1, &who, &number), f->e);
	assert_refused(who_is(f, text, "h", NOW + LOGIN_LONGEST_MS, &who, &number), f->e,
		       ERR_UNAUTHENTICATED, "sign in");
}

static void sessions_are_listed_and_ended(void **state)
{
	struct store_room *f = *state;
	char text[LOGIN_TEXT_LEN + 1], other[LOGIN_TEXT_LEN + 1];
	int64_t anna = add(f, "anna", false), bert = add(f, "bert", false), number;
	struct login rows[LOGINS_MAX];
	struct token_owner who;
	size_t count;

	assert_ok(login_add(db_of(f), anna, "h", &from, NOW, text, &f->e), f->e);
	assert_ok(login_add(db_of(f), anna, "h", &from, NOW, other, &f->e), f->e);
	assert_ok(login_list(db_of(f), anna, NOW, rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_string_equal(rows[0].peer, "192.0.2.1:5");
	assert_string_equal(rows[1].about, "Browser/1");
	/* Nobody ends somebody else's. */
	assert_refused(login_end(db_of(f), bert, rows[0].number, &f->e), f->e, ERR_NOT_FOUND,
		       "no session");
	assert_ok(login_end(db_of(f), anna, rows[0].number, &f->e), f->e);
	assert_refused(login_end(db_of(f), anna, rows[0].number, &f->e), f->e, ERR_NOT_FOUND,
		       "no session");
	assert_refused(who_is(f, text, "h", NOW, &who, &number), f->e, ERR_UNAUTHENTICATED, "");
	assert_ok(who_is(f, other, "h", NOW, &who, &number), f->e);
	assert_int_equal(number, rows[1].number);
	assert_ok(user_suspend(db_of(f), "anna", true, &f->e), f->e);
	assert_refused(who_is(f, other, "h", NOW, &who, &number), f->e, ERR_UNAUTHENTICATED, "");
	assert_ok(user_suspend(db_of(f), "anna", false, &f->e), f->e);
	assert_ok(login_end_others(db_of(f), anna, number, &f->e), f->e);
	assert_ok(who_is(f, other, "h", NOW, &who, &number), f->e);
	assert_ok(login_end_others(db_of(f), anna, 0, &f->e), f->e);
	assert_refused(who_is(f, other, "h", NOW, &who, &number), f->e, ERR_UNAUTHENTICATED, "");
	login_done(&rows[0]);
	login_done(&rows[1]);
}

static void a_user_has_a_few_and_the_oldest_gives_way(void **state)
{
	struct store_room *f = *state;
	char first[LOGIN_TEXT_LEN + 1], text[LOGIN_TEXT_LEN + 1];
	int64_t anna = add(f, "anna", false), bert = add(f, "bert", false), number;
	struct login rows[LOGINS_MAX];
	struct token_owner who;
	size_t count;

	assert_ok(login_add(db_of(f), bert, "h", &from, NOW, text, &f->e), f->e);
	for (int i = 0; i < LOGINS_MAX; i++)
		assert_ok(login_add(db_of(f), anna, "h", &from, NOW + i, i ? text : first, &f->e),
			  f->e);
	assert_ok(who_is(f, first, "h", NOW, &who, &number), f->e);
	assert_ok(login_add(db_of(f), anna, "h", &from, NOW + 100, text, &f->e), f->e);
	assert_refused(who_is(f, first, "h", NOW, &who, &number), f->e, ERR_UNAUTHENTICATED, "");
	assert_ok(login_list(db_of(f), anna, NOW + 100, rows, &count, &f->e), f->e);
	assert_int_equal(count, LOGINS_MAX);
	while (count > 0)
		login_done(&rows[--count]);
	assert_ok(login_list(db_of(f), bert, NOW, rows, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	login_done(&rows[0]);
}

/* What of these is somebody's, tokens beside sessions, the one that was used last first. */
static void hashes_come_as_they_were_used(void **state)
{
	struct store_room *f = *state;
	char session[LOGIN_TEXT_LEN + 1], token[TOKEN_TEXT_LEN + 1], text[TOKEN_TEXT_LEN + 1];
	int64_t anna = add(f, "anna", false), bert = add(f, "bert", false), number;
	struct token t = { .name = (char *)(uintptr_t)"t", .scope = 1, .expires = NOW + 1000 };
	struct credential_hash found[4];
	uint8_t of_session[SHA256_LEN], of_token[SHA256_LEN];
	struct token_owner who;
	size_t count;

	assert_ok(credential_newest(db_of(f), NOW, ARRAY_LEN(found), found, &count, &f->e), f->e);
	assert_int_equal(count, 0);
	assert_ok(login_add(db_of(f), anna, "h", &from, NOW, session, &f->e), f->e);
	assert_ok(token_add(db_of(f), anna, &t, NOW, token, &f->e), f->e);
	assert_ok(token_add(db_of(f), bert, &t, NOW, text, &f->e), f->e);
	assert_ok(user_suspend(db_of(f), "bert", true, &f->e), f->e);
	assert_ok(login_hash(session, of_session, &f->e), f->e);
	assert_ok(token_hash(token, of_token, &f->e), f->e);
	assert_ok(credential_newest(db_of(f), NOW, ARRAY_LEN(found), found, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_memory_equal(found[0].bytes, of_session, SHA256_LEN); /* the token was never used */
	assert_memory_equal(found[1].bytes, of_token, SHA256_LEN);
	assert_string_equal(found[0].user, "anna");
	assert_string_equal(found[1].user, "anna");
	assert_ok(token_who(db_of(f), of_token, NOW + 500, &who, &f->e), f->e);
	assert_ok(credential_newest(db_of(f), NOW, 1, found, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_memory_equal(found[0].bytes, of_token, SHA256_LEN);
	/* What has ended is nobody's: the token by its own end, the session by how long nobody showed it. */
	assert_ok(credential_newest(db_of(f), NOW + 999, 4, found, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	assert_ok(credential_newest(db_of(f), NOW + 1000, 4, found, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_ok(
		credential_newest(db_of(f), NOW + (int64_t)LOGIN_IDLE_MS, 4, found, &count, &f->e),
		f->e);
	assert_int_equal(count, 0);
	assert_ok(who_is(f, session, "h", NOW + 1, &who, &number), f->e);
	assert_ok(user_suspend(db_of(f), "anna", true, &f->e), f->e);
	assert_ok(credential_newest(db_of(f), NOW, 4, found, &count, &f->e), f->e);
	assert_int_equal(count, 0);
}

static void what_a_browser_says_of_itself_is_cut(void **state)
{
	struct store_room *f = *state;
	char text[LOGIN_TEXT_LEN + 1], about[LOGIN_ABOUT_MAX + 2];
	const struct login long_one = { .peer = (char *)(uintptr_t)"p", .about = about };
	const struct login bad_one = { .peer = (char *)(uintptr_t)"p",
				       .about = (char *)(uintptr_t)"ab\xff"
								   "c" };
	int64_t anna = add(f, "anna", false);
	struct login rows[LOGINS_MAX];
	size_t count;

	memset(about, 'a', sizeof(about));
	about[LOGIN_ABOUT_MAX + 1] = 0;
	memcpy(about + LOGIN_ABOUT_MAX - 1, "\xc3\xa4", 2); /* half of it would fit */
	assert_ok(login_add(db_of(f), anna, "h", &long_one, NOW, text, &f->e), f->e);
	assert_ok(login_add(db_of(f), anna, "h", &bad_one, NOW, text, &f->e), f->e);
	assert_ok(login_list(db_of(f), anna, NOW, rows, &count, &f->e), f->e);
	assert_int_equal(strlen(rows[0].about), LOGIN_ABOUT_MAX - 1);
	assert_string_equal(rows[1].about, "ab");
	login_done(&rows[0]);
	login_done(&rows[1]);
}

static void what_is_no_session_is_not_looked_up(void **state)
{
	static const char zeros[] =
		"0000000000000000000000000000000000000000000000000000000000000000";
	uint8_t hash[SHA256_LEN];
	char text[LOGIN_TEXT_LEN + 2];
	struct err e;

	assert_ok(login_hash(zeros, hash, &e), e);
	assert_refused(login_hash(zeros + 1, hash, &e), e, ERR_UNAUTHENTICATED, "sign in");
	snprintf(text, sizeof(text), "%s0", zeros);
	assert_refused(login_hash(text, hash, &e), e, ERR_UNAUTHENTICATED, "sign in");
	snprintf(text, sizeof(text), "%.63sA", zeros);
	assert_refused(login_hash(text, hash, &e), e, ERR_UNAUTHENTICATED, "sign in");
	assert_refused(login_hash("", hash, &e), e, ERR_UNAUTHENTICATED, "sign in");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(a_session_is_its_user_s_until_it_ends),
		STORE_ROOM_ROW(sessions_are_listed_and_ended),
		STORE_ROOM_ROW(a_user_has_a_few_and_the_oldest_gives_way),
		STORE_ROOM_ROW(hashes_come_as_they_were_used),
		STORE_ROOM_ROW(what_a_browser_says_of_itself_is_cut),
		cmocka_unit_test(what_is_no_session_is_not_looked_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
