/* SPDX-License-Identifier: Apache-2.0 */
/* Which passwords there may be, and what is kept of them. */
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

static void passwords_are_long_and_not_what_everybody_tries(void **state)
{
	static const char *const good[] = { "twelve chars", "lamp river copper", "835027461937",
					    "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f 7 Bleistifte" };
	static const struct {
		const char *text, *why;
	} bad[] = {
		{ "", "it has 0 characters, and needs 12" },
		{ "eleven char", "it has 11 characters" },
		{ "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\xa4\xc3\xb6\xc3\xbc", "it has 6 characters" },
		{ "password1234", "besides its user's name" },
		{ "PassWord2345678", "besides its user's name" },
		{ "aaaaaaaaaaaaaaaa", "besides its user's name" },
		{ "abcdefghijklmnop", "besides its user's name" },
		{ "9876543210987654321", "besides its user's name" },
		{ "qwertyasdfzxcv1", "besides its user's name" },
		{ "anna.bergmann99", "besides its user's name" },
		{ "Summer2026!!", "besides its user's name" },
		{ "correcthorsebatterystaple", "besides its user's name" },
		{ "twelve\tchars.", "can't be typed" },
		{ "twelve chars\x7f", "can't be typed" },
		{ "twelve chars\xff", "can't be typed" },
		{ "twelve chars\xe2\x80\xae", "can't be typed" },
	};
	char text[PASSWORD_MAX + 2];
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		assert_ok(password_check("anna.bergmann", good[i], &e), e);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_refused(password_check("anna.bergmann", bad[i].text, &e), e, ERR_INVALID,
			       bad[i].why);
	/* What is said of one does not show it. */
	assert_refused(password_check("anna", "password1234", &e), e, ERR_INVALID, "needs 6");
	assert_null(strstr(e.text, "1234"));
	for (size_t i = 0; i <= PASSWORD_MAX; i++)
		text[i] = "lamp7"[i % 5];
	text[PASSWORD_MAX] = 0;
	assert_ok(password_check("anna", text, &e), e);
	text[PASSWORD_MAX] = 'x';
	text[PASSWORD_MAX + 1] = 0;
	assert_refused(password_check("anna", text, &e), e, ERR_INVALID, "257 bytes");
}

static void six_characters_have_to_be_left(void **state)
{
	struct err e;

	assert_ok(password_check("x", "password:2047.", &e), e);
	assert_refused(password_check("x", "password:204.", &e), e, ERR_INVALID, "it has 5");
	/* A name of two letters stands in many a password. */
	assert_ok(password_check("te", "tetelamp rivers", &e), e);
}

static void a_password_matches_itself_alone(void **state)
{
	struct store_room *f = *state;
	struct password_owner owner, nobody;
	struct password p, again;
	bool matches = false;
	int64_t anna = add(f, "anna", false);

	assert_ok(password_make("lamp river copper", &p, &f->e), f->e);
	assert_ok(password_make("lamp river copper", &again, &f->e), f->e);
	assert_memory_not_equal(p.salt, again.salt, sizeof(p.salt));
	assert_memory_not_equal(p.hash, again.hash, sizeof(p.hash));
	assert_ok(password_set(db_of(f), anna, &again, NOW, &f->e), f->e);
	assert_ok(password_set(db_of(f), anna, &p, NOW, &f->e), f->e);
	assert_ok(password_find(db_of(f), "anna", &owner, &f->e), f->e);
	assert_int_equal(owner.person, anna);
	assert_int_equal(owner.password.memory, PASSWORD_MEMORY_KIB);
	assert_memory_equal(owner.password.hash, p.hash, sizeof(p.hash));
	assert_ok(password_matches(&owner.password, "lamp river copper", &matches, &f->e), f->e);
	assert_true(matches);
	assert_ok(password_matches(&owner.password, "lamp river coppeR", &matches, &f->e), f->e);
	assert_false(matches);
	/* Nobody's costs what anybody's does. */
	assert_ok(password_find(db_of(f), "nobody", &nobody, &f->e), f->e);
	assert_int_equal(nobody.person, 0);
	assert_int_equal(nobody.password.memory, owner.password.memory);
	assert_int_equal(nobody.password.passes, owner.password.passes);
	assert_ok(user_suspend(db_of(f), "anna", true, &f->e), f->e);
	assert_ok(password_find(db_of(f), "anna", &nobody, &f->e), f->e);
	assert_int_equal(nobody.person, 0);
}

/* As another implementation (argon2pure 1.3) computes it. */
static void it_is_argon2id(void **state)
{
	struct password p = {
		.salt = "somesaltsomesalt",
		.hash = {
			0x55, 0xcd, 0x14, 0x8f, 0xd0, 0xc3, 0x33, 0x1a, 0xcf, 0x85, 0x94,
			0xbd, 0x46, 0x56, 0x26, 0xbf, 0xe2, 0xaf, 0x5d, 0x21, 0x1b, 0xe2,
			0xb6, 0xec, 0x2a, 0x7b, 0xab, 0x72, 0x43, 0xae, 0x8b, 0x8f,
		},
		.memory = 64,
		.passes = 3,
	};
	bool matches = false;
	struct err e;

	assert_ok(password_matches(&p, "lamp river copper", &matches, &e), e);
	assert_true(matches);
	p.passes = 2;
	assert_ok(password_matches(&p, "lamp river copper", &matches, &e), e);
	assert_false(matches);
}

/* What another program wrote into the database can't make us take memory or time without end. */
static void a_damaged_password_is_told(void **state)
{
	static const char *const damage[] = {
		"UPDATE passwords SET memory = 262145",
		"UPDATE passwords SET memory = 7",
		"UPDATE passwords SET passes = 17",
		"UPDATE passwords SET passes = 0",
	};
	struct store_room *f = *state;
	struct password_owner owner;
	struct password p = { .memory = PASSWORD_MEMORY_KIB_MAX, .passes = PASSWORD_PASSES_MAX };
	int64_t anna = add(f, "anna", false);

	for (size_t i = 0; i < ARRAY_LEN(damage); i++) {
		assert_ok(password_set(db_of(f), anna, &p, NOW, &f->e), f->e);
		assert_ok(password_find(db_of(f), "anna", &owner, &f->e), f->e);
		assert_ok(db_script(db_of(f), damage[i], &f->e), f->e);
		assert_refused(password_find(db_of(f), "anna", &owner, &f->e), f->e, ERR_DATA_LOSS,
			       "database");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(passwords_are_long_and_not_what_everybody_tries),
		cmocka_unit_test(six_characters_have_to_be_left),
		STORE_ROOM_ROW(a_password_matches_itself_alone),
		cmocka_unit_test(it_is_argon2id),
		STORE_ROOM_ROW(a_damaged_password_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
