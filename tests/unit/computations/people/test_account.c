/* SPDX-License-Identifier: Apache-2.0 */
/* What a new password does to the other ways in. */
#include "computations/people/account.h"
#include "computations/people/entry.h"
#include "computations/people/login.h"
#include "tests/unit/computations/store_room.h"

#define NOW INT64_C(1000000000)

static const struct login from = { .peer = (char *)(uintptr_t)"p",
				   .about = (char *)(uintptr_t)"a" };

static int64_t add(struct store_room *f, const char *name)
{
	struct user u CLEANUP_USER = { .name = NULL };

	assert_ok(user_add(&f->store.db, name, false, NOW, &f->e), f->e);
	assert_ok(user_find(&f->store.db, name, &u, &f->e), f->e);
	return u.number;
}

static int64_t enter(struct store_room *f, int64_t person, char text[LOGIN_TEXT_LEN + 1])
{
	struct token_owner who;
	uint8_t hash[SHA256_LEN];
	int64_t number;

	assert_ok(login_add(&f->store.db, person, "", &from, NOW, text, &f->e), f->e);
	assert_ok(login_hash(text, hash, &f->e), f->e);
	assert_ok(login_who(&f->store.db, hash, "", NOW, &who, &number, &f->e), f->e);
	return number;
}

static bool is_in(struct store_room *f, const char *text)
{
	struct token_owner who;
	uint8_t hash[SHA256_LEN];
	int64_t number;

	assert_ok(login_hash(text, hash, &f->e), f->e);
	return login_who(&f->store.db, hash, "", NOW, &who, &number, &f->e) == 0;
}

static void who_came_in_before_is_out(void **state)
{
	struct password p = { .memory = 8, .passes = 1 };
	char one[LOGIN_TEXT_LEN + 1], two[LOGIN_TEXT_LEN + 1], other[LOGIN_TEXT_LEN + 1];
	char link[ENTRY_TEXT_LEN + 1];
	struct store_room *f = *state;
	struct entry_owner owner;
	int64_t anna = add(f, "anna"), bert = add(f, "bert"), kept;

	kept = enter(f, anna, one);
	(void)enter(f, anna, two);
	(void)enter(f, bert, other);
	assert_ok(entry_add(&f->store.db, anna, NOW, link, &f->e), f->e);
	assert_ok(account_password(&f->store.db, anna, &p, kept, NOW, &f->e), f->e);
	assert_true(is_in(f, one) && is_in(f, other));
	assert_false(is_in(f, two));
	assert_refused(entry_find(&f->store.db, link, NOW, &owner, &f->e), f->e,
		       ERR_UNAUTHENTICATED, "this link");
	assert_ok(account_password(&f->store.db, anna, &p, 0, NOW, &f->e), f->e);
	assert_true(is_in(f, other));
	assert_false(is_in(f, one));
}

int main(void)
{
	const struct CMUnitTest tests[] = { STORE_ROOM_ROW(who_came_in_before_is_out) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
