/* SPDX-License-Identifier: Apache-2.0 */
/* Passkeys in the database: begun within a session, added once, found, counted, removed. */
#include "computations/people/login.h"
#include "computations/people/passkey.h"
#include "computations/people/password.h"
#include "computations/people/user.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1700000000000)

static struct db *db_of(struct store_room *f)
{
	return &f->store.db;
}

static void refused(struct store_room *f, int status, enum err_code code, const char *words)
{
	assert_refused(status, f->e, code, words);
}

static int64_t add_user(struct store_room *f, const char *name)
{
	struct user u CLEANUP_USER = { .name = NULL };

	assert_ok(user_add(db_of(f), name, false, NOW, &f->e), f->e);
	assert_ok(user_find(db_of(f), name, &u, &f->e), f->e);
	return u.number;
}

/* A user with a session, and its number. */
struct owner {
	int64_t person, login;
};

static struct owner owner_of(struct store_room *f, const char *name)
{
	const struct login from = { .peer = (char *)(uintptr_t)"peer",
				    .about = (char *)(uintptr_t)"test" };
	struct owner o = { .person = add_user(f, name) };
	char text[LOGIN_TEXT_LEN + 1];

	assert_ok(login_add(db_of(f), o.person, "name", &from, NOW, text, &f->e), f->e);
	assert_ok(db_number(db_of(f), &o.login, &f->e, "SELECT number FROM logins WHERE person = ?",
			    "i", o.person),
		  f->e);
	return o;
}

static struct webauthn_new made_of(uint8_t id)
{
	struct webauthn_new made = { .id_len = WEBAUTHN_ID_MIN, .spki_len = 44, .count = 5 };

	memset(made.id, id, made.id_len);
	memset(made.spki, id, made.spki_len);
	return made;
}

static void begin(struct store_room *f, const struct owner *o, const char *name,
		  struct passkey_begun *begun)
{
	char text[PASSKEY_TEXT_LEN + 1];

	assert_ok(passkey_begin(db_of(f), o->person, o->login, name, NOW, text, &f->e), f->e);
	assert_ok(passkey_begun_find(db_of(f), text, NOW, begun, &f->e), f->e);
}

/* As users mostly have one: then no passkey is the last way in. */
static void give_password(struct store_room *f, const struct owner *o)
{
	struct password p = { .memory = 8, .passes = 1 };

	assert_ok(password_set(db_of(f), o->person, &p, NOW, &f->e), f->e);
}

static void add(struct store_room *f, const struct owner *o, const char *name, uint8_t id)
{
	struct webauthn_new made = made_of(id);
	struct passkey_begun begun;

	begin(f, o, name, &begun);
	assert_ok(passkey_begun_end(db_of(f), &begun, &f->e), f->e);
	assert_ok(passkey_add(db_of(f), &begun, &made, NOW, &f->e), f->e);
}

static int find(struct store_room *f, uint8_t id, struct passkey_owner *owner)
{
	struct webauthn_new made = made_of(id);

	return passkey_find(db_of(f), (struct span){ made.id, made.id_len }, owner, &f->e);
}

static void one_is_begun_added_and_found(void **state)
{
	CLEANUP(free) struct passkey *rows = NULL;
	struct store_room *f = *state;
	struct owner anna = owner_of(f, "anna");
	struct webauthn_new made = made_of(1);
	struct passkey_begun begun;
	struct passkey_owner owner;
	size_t count = 9;

	assert_ok(passkey_list(db_of(f), anna.person, &rows, &count, &f->e), f->e);
	assert_true(count == 0 && !rows);
	begin(f, &anna, "phone", &begun);
	assert_string_equal(begun.user, "anna");
	assert_string_equal(begun.name, "phone");
	assert_string_equal(begun.host, "name");
	assert_ok(passkey_begun_end(db_of(f), &begun, &f->e), f->e);
	assert_ok(passkey_add(db_of(f), &begun, &made, NOW, &f->e), f->e);
	refused(f, passkey_begun_end(db_of(f), &begun, &f->e), ERR_UNAUTHENTICATED, "begin again");
	assert_ok(find(f, 1, &owner), f->e);
	assert_string_equal(owner.user, "anna");
	assert_memory_equal(owner.handle, begun.handle, PASSKEY_HANDLE_LEN);
	assert_memory_equal(owner.spki, made.spki, made.spki_len);
	assert_int_equal(owner.count, 5);
	refused(f, find(f, 2, &owner), ERR_UNAUTHENTICATED, "none of this service");
	assert_ok(passkey_list(db_of(f), anna.person, &rows, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_memory_equal(rows[0].id, made.id, made.id_len);
	assert_string_equal(rows[0].name, "phone");
}

static void what_was_begun_ends(void **state)
{
	struct store_room *f = *state;
	struct owner anna = owner_of(f, "anna");
	char first[PASSKEY_TEXT_LEN + 1], text[PASSKEY_TEXT_LEN + 1];
	const int64_t end = NOW + PASSKEY_MINUTES * 60000;
	struct passkey_begun begun;

	refused(f, passkey_begun_find(db_of(f), "x", NOW, &begun, &f->e), ERR_UNAUTHENTICATED,
		"begin again");
	assert_ok(passkey_begin(db_of(f), anna.person, anna.login, "a", NOW, first, &f->e), f->e);
	assert_ok(passkey_begun_find(db_of(f), first, end - 1, &begun, &f->e), f->e);
	refused(f, passkey_begun_find(db_of(f), first, end, &begun, &f->e), ERR_UNAUTHENTICATED,
		"begin again");
	/* More than there may be: the oldest gives way. */
	for (int i = 1; i < PASSKEYS_BEGUN_MAX; i++)
		assert_ok(passkey_begin(db_of(f), anna.person, anna.login, "a", NOW, text, &f->e),
			  f->e);
	assert_ok(passkey_begun_find(db_of(f), first, NOW, &begun, &f->e), f->e);
	assert_ok(passkey_begin(db_of(f), anna.person, anna.login, "a", NOW, text, &f->e), f->e);
	refused(f, passkey_begun_find(db_of(f), first, NOW, &begun, &f->e), ERR_UNAUTHENTICATED,
		"begin again");
	/* With its session, also one that is over by itself: nobody showed it for so long, or it is as old as one can be. */
	assert_ok(db_run(db_of(f), &f->e, "UPDATE logins SET seen = ? WHERE number = ?", "ii",
			 NOW + 1 - LOGIN_IDLE_MS, anna.login),
		  f->e);
	assert_ok(passkey_begun_find(db_of(f), text, NOW, &begun, &f->e), f->e);
	refused(f, passkey_begun_find(db_of(f), text, NOW + 1, &begun, &f->e), ERR_UNAUTHENTICATED,
		"begin again");
	assert_ok(
		db_run(db_of(f), &f->e, "UPDATE logins SET seen = ?, ends = ?", "ii", NOW, NOW + 1),
		f->e);
	assert_ok(passkey_begun_find(db_of(f), text, NOW, &begun, &f->e), f->e);
	refused(f, passkey_begun_find(db_of(f), text, NOW + 1, &begun, &f->e), ERR_UNAUTHENTICATED,
		"begin again");
	assert_ok(passkey_begun_find(db_of(f), text, NOW, &begun, &f->e), f->e);
	assert_ok(login_end(db_of(f), anna.person, anna.login, &f->e), f->e);
	refused(f, passkey_begun_find(db_of(f), text, NOW, &begun, &f->e), ERR_UNAUTHENTICATED,
		"begin again");
}

static void ids_and_names_are_one_s(void **state)
{
	struct store_room *f = *state;
	struct owner anna = owner_of(f, "anna"), berta = owner_of(f, "berta");
	struct webauthn_new made = made_of(1);
	char text[PASSKEY_TEXT_LEN + 1];
	struct passkey_begun begun, first;

	add(f, &anna, "phone", 1);
	begin(f, &anna, "other", &first);
	begin(f, &berta, "phone", &begun);
	assert_memory_not_equal(first.handle, begun.handle, PASSKEY_HANDLE_LEN);
	refused(f, passkey_add(db_of(f), &begun, &made, NOW, &f->e), ERR_EXISTS, "known already");
	refused(f, passkey_add(db_of(f), &first, &made, NOW, &f->e), ERR_EXISTS, "known already");
	refused(f, passkey_begin(db_of(f), anna.person, anna.login, "phone", NOW, text, &f->e),
		ERR_EXISTS, "give another name");
	refused(f, passkey_begin(db_of(f), anna.person, anna.login, "My phone", NOW, text, &f->e),
		ERR_INVALID, "use at most");
	for (int i = 1; i < PASSKEYS_MAX; i++) {
		char name[8];

		snprintf(name, sizeof(name), "n%d", i);
		add(f, &anna, name, (uint8_t)(100 + i));
	}
	refused(f, passkey_begin(db_of(f), anna.person, anna.login, "more", NOW, text, &f->e),
		ERR_EXHAUSTED, "there are 16");
	made = made_of(99);
	refused(f, passkey_add(db_of(f), &first, &made, NOW, &f->e), ERR_EXHAUSTED, "there are 16");
}

static void counts_are_kept_and_challenges_answered_once(void **state)
{
	CLEANUP(free) struct passkey *rows = NULL;
	struct store_room *f = *state;
	struct owner anna = owner_of(f, "anna");
	uint8_t challenge[WEBAUTHN_CHALLENGE_LEN] = { 1 };
	struct passkey_owner owner;
	size_t count;

	add(f, &anna, "phone", 1);
	assert_ok(find(f, 1, &owner), f->e);
	assert_ok(passkey_note(db_of(f), &owner, &(struct webauthn_used){ .count = UINT32_MAX },
			       NOW + 1, &f->e),
		  f->e);
	assert_ok(find(f, 1, &owner), f->e);
	assert_int_equal(owner.count, UINT32_MAX);
	assert_ok(passkey_note(db_of(f), &owner,
			       &(struct webauthn_used){ .count = 1, .went_back = true }, NOW + 2,
			       &f->e),
		  f->e);
	assert_ok(find(f, 1, &owner), f->e);
	assert_int_equal(owner.count, UINT32_MAX);
	assert_ok(passkey_list(db_of(f), anna.person, &rows, &count, &f->e), f->e);
	assert_true(rows[0].used == NOW + 1 && rows[0].went_back == NOW + 2);
	assert_ok(passkey_answer(db_of(f), challenge, NOW, &f->e), f->e);
	refused(f, passkey_answer(db_of(f), challenge, NOW + PASSKEY_ANSWER_MS - 1, &f->e),
		ERR_UNAUTHENTICATED, "sent before");
	challenge[0] = 2;
	assert_ok(passkey_answer(db_of(f), challenge, NOW, &f->e), f->e);
	/* What nobody takes any more is not kept. */
	assert_ok(passkey_answer(db_of(f), challenge, NOW + PASSKEY_ANSWER_MS, &f->e), f->e);
}

static void removed_and_suspended_ones_are_nobody_s(void **state)
{
	CLEANUP(free) struct passkey *rows = NULL;
	struct store_room *f = *state;
	struct owner anna = owner_of(f, "anna"), berta = owner_of(f, "berta");
	char text[PASSKEY_TEXT_LEN + 1], name[PEOPLE_NAME_MAX + 1];
	struct passkey_begun begun;
	struct passkey_owner owner;
	size_t count;

	give_password(f, &anna);
	add(f, &anna, "phone", 1);
	add(f, &anna, "stick", 2);
	assert_ok(passkey_list(db_of(f), anna.person, &rows, &count, &f->e), f->e);
	assert_int_equal(count, 2);
	refused(f, passkey_remove(db_of(f), berta.person, rows[0].number, name, &f->e),
		ERR_NOT_FOUND, "no such passkey");
	assert_ok(passkey_remove(db_of(f), anna.person, rows[0].number, name, &f->e), f->e);
	assert_string_equal(name, "phone");
	refused(f, find(f, 1, &owner), ERR_UNAUTHENTICATED, "was removed");
	assert_ok(passkey_begin(db_of(f), anna.person, anna.login, "x", NOW, text, &f->e), f->e);
	assert_ok(db_run(db_of(f), &f->e, "UPDATE users SET suspended = 1 WHERE number = ?", "i",
			 anna.person),
		  f->e);
	refused(f, find(f, 2, &owner), ERR_UNAUTHENTICATED, "may not sign in");
	refused(f, passkey_begun_find(db_of(f), text, NOW, &begun, &f->e), ERR_UNAUTHENTICATED,
		"begin again");
	assert_ok(db_run(db_of(f), &f->e, "UPDATE users SET suspended = 0", ""), f->e);
	assert_ok(find(f, 2, &owner), f->e);
	assert_ok(passkey_remove_all(db_of(f), anna.person, &f->e), f->e);
	refused(f, find(f, 2, &owner), ERR_UNAUTHENTICATED, "was removed");
	refused(f, passkey_begun_find(db_of(f), text, NOW, &begun, &f->e), ERR_UNAUTHENTICATED,
		"begin again");
	refused(f, passkey_remove_all(db_of(f), anna.person, &f->e), ERR_NOT_FOUND, "no passkey");
}

static void one_has_another_name_and_the_last_way_in_stays(void **state)
{
	CLEANUP(free) struct passkey *rows = NULL;
	struct store_room *f = *state;
	struct owner anna = owner_of(f, "anna"), berta = owner_of(f, "berta");
	char old[PEOPLE_NAME_MAX + 1] = "";
	struct passkey_owner owner;
	int64_t count;
	size_t listed;

	add(f, &anna, "phone", 1);
	add(f, &anna, "stick", 2);
	assert_ok(passkey_list(db_of(f), anna.person, &rows, &listed, &f->e), f->e);
	const int64_t phone = rows[0].number, stick = rows[1].number;

	refused(f, passkey_rename(db_of(f), berta.person, phone, "hers", old, &f->e), ERR_NOT_FOUND,
		"no such passkey");
	refused(f, passkey_rename(db_of(f), anna.person, phone, "stick", old, &f->e), ERR_EXISTS,
		"give another name");
	refused(f, passkey_rename(db_of(f), anna.person, phone, "My phone", old, &f->e),
		ERR_INVALID, "use at most");
	assert_ok(passkey_rename(db_of(f), anna.person, phone, "phone", old, &f->e), f->e);
	assert_ok(passkey_rename(db_of(f), anna.person, phone, "new", old, &f->e), f->e);
	assert_string_equal(old, "phone");
	assert_ok(find(f, 1, &owner), f->e);
	assert_string_equal(owner.name, "new");
	assert_ok(passkey_remove(db_of(f), anna.person, phone, old, &f->e), f->e);
	assert_ok(db_begin(db_of(f), &f->e), f->e);
	refused(f, passkey_remove(db_of(f), anna.person, stick, old, &f->e), ERR_PRECONDITION,
		"only way in");
	db_rollback(db_of(f));
	assert_ok(passkey_count(db_of(f), anna.person, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	give_password(f, &anna);
	assert_ok(passkey_remove(db_of(f), anna.person, stick, old, &f->e), f->e);
}

static void a_command_line_is_let_in_by_who_has_one(void **state)
{
	struct store_room *f = *state;
	struct owner anna = owner_of(f, "anna");
	char text[PASSKEY_TEXT_LEN + 1];
	struct passkey_begun begun;

	refused(f,
		passkey_begin_device(db_of(f), anna.person, anna.login, "BCDF-GHJK", NOW, text,
				     &f->e),
		ERR_PRECONDITION, "no passkey");
	add(f, &anna, "phone", 1);
	begin(f, &anna, "more", &begun);
	assert_string_equal(begun.device, "");
	assert_ok(passkey_begin_device(db_of(f), anna.person, anna.login, "BCDF-GHJK", NOW, text,
				       &f->e),
		  f->e);
	assert_ok(passkey_begun_find(db_of(f), text, NOW, &begun, &f->e), f->e);
	assert_string_equal(begun.device, "BCDF-GHJK");
	assert_string_equal(begun.name, "");
	assert_ok(db_run(db_of(f), &f->e, "UPDATE passkeys_begun SET device = 'BCDF-GHJKL'", ""),
		  f->e);
	refused(f, passkey_begun_find(db_of(f), text, NOW, &begun, &f->e), ERR_DATA_LOSS,
		"longer than it can be");
}

static void a_session_is_fresh_for_five_minutes(void **state)
{
	const int64_t end = NOW + LOGIN_FRESH_MINUTES * 60000;
	struct store_room *f = *state;
	struct owner anna = owner_of(f, "anna");

	assert_ok(login_check_fresh(db_of(f), anna.login, NOW, &f->e), f->e);
	assert_ok(login_check_fresh(db_of(f), anna.login, end - 1, &f->e), f->e);
	refused(f, login_check_fresh(db_of(f), anna.login, end, &f->e), ERR_INVALID,
		"more than 5 minutes");
	refused(f, login_check_fresh(db_of(f), anna.login, NOW - 1, &f->e), ERR_INVALID,
		"sign in again");
	refused(f, login_check_fresh(db_of(f), anna.login + 1, NOW, &f->e), ERR_INVALID,
		"sign in again");
}

static void damage_is_told_from_none(void **state)
{
	static const struct {
		const char *sql;
	} damages[] = { { "UPDATE passkeys SET count = -1" },
			{ "UPDATE passkeys SET eligible = 2" },
			{ "UPDATE passkey_handles SET handle = credential FROM passkeys" } };
	struct store_room *f = *state;
	struct owner anna = owner_of(f, "anna");
	struct passkey_owner owner;

	add(f, &anna, "phone", 1);
	for (size_t i = 0; i < ARRAY_LEN(damages); i++) {
		assert_ok(db_begin(db_of(f), &f->e), f->e);
		assert_ok(db_run(db_of(f), &f->e, damages[i].sql, ""), f->e);
		refused(f, find(f, 1, &owner), ERR_DATA_LOSS, "database");
		db_rollback(db_of(f));
	}
	assert_ok(find(f, 1, &owner), f->e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(one_is_begun_added_and_found),
		STORE_ROOM_ROW(what_was_begun_ends),
		STORE_ROOM_ROW(ids_and_names_are_one_s),
		STORE_ROOM_ROW(counts_are_kept_and_challenges_answered_once),
		STORE_ROOM_ROW(removed_and_suspended_ones_are_nobody_s),
		STORE_ROOM_ROW(one_has_another_name_and_the_last_way_in_stays),
		STORE_ROOM_ROW(a_command_line_is_let_in_by_who_has_one),
		STORE_ROOM_ROW(a_session_is_fresh_for_five_minutes),
		STORE_ROOM_ROW(damage_is_told_from_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
