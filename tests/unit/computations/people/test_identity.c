/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/people/password.h"
#include "computations/people/trip.h"
#include "tests/unit/computations/store_room.h"

#include <stdio.h>

enum { NOW = 1000000, MINUTE = 60000 };

#define IDP "https://idp.example"

static const struct rpc_source here = { { '4', 192, 0, 2, 1 } };

static int64_t number_of(struct store_room *f, const char *name)
{
	struct user u CLEANUP_USER = { .name = NULL };

	assert_ok(user_find(&f->store.db, name, &u, &f->e), f->e);
	return u.number;
}

static void whose(struct store_room *f, const char *issuer, const char *subject, const char *user)
{
	struct identity_owner owner;

	assert_ok(identity_sign_in(&f->store.db, issuer, subject, NOW, &owner, &f->e), f->e);
	assert_int_equal(owner.person != 0, *user != '\0');
	assert_string_equal(owner.user, user);
}

static void issuer_and_subject_name_one_user(void **state)
{
	struct store_room *f = *state;
	struct db *db = &f->store.db;
	struct identity rows[IDENTITIES_MAX];
	size_t count;

	store_room_user(f, "anna");
	store_room_user(f, "bert");
	whose(f, IDP, "7", "");
	assert_ok(identity_add(db, number_of(f, "anna"), "clinic", IDP, "7", NOW, &f->e), f->e);
	whose(f, IDP, "7", "anna");
	whose(f, IDP "/", "7", "");
	whose(f, IDP, "70", "");
	whose(f, "", "7", "");
	assert_refused(identity_add(db, number_of(f, "bert"), "clinic", IDP, "7", NOW, &f->e), f->e,
		       ERR_EXISTS, "linked with a user already");
	assert_ok(identity_add(db, number_of(f, "bert"), "lab", IDP "/lab", "7", NOW, &f->e), f->e);
	whose(f, IDP "/lab", "7", "bert");
	assert_ok(identity_list(db, number_of(f, "anna"), rows, &count, &f->e), f->e);
	assert_int_equal(count, 1);
	assert_string_equal(rows[0].provider, "clinic");
	assert_string_equal(rows[0].subject, "7");
	assert_int_equal(rows[0].used, NOW);
	assert_ok(user_suspend(db, "anna", true, &f->e), f->e);
	struct identity_owner owner;
	assert_refused(identity_sign_in(db, IDP, "7", NOW, &owner, &f->e), f->e, ERR_DENIED,
		       "suspended");
	assert_ok(user_remove(db, "bert", &f->e), f->e);
	whose(f, IDP "/lab", "7", "");
}

static void the_last_way_in_stays(void **state)
{
	struct store_room *f = *state;
	struct db *db = &f->store.db;
	struct identity rows[IDENTITIES_MAX];
	struct password p = { .memory = 8, .passes = 1 };
	char subject[16];
	int64_t anna;
	size_t count;

	store_room_user(f, "anna");
	anna = number_of(f, "anna");
	for (int i = 0; i < IDENTITIES_MAX; i++) {
		snprintf(subject, sizeof(subject), "%d", i);
		assert_ok(identity_add(db, anna, "clinic", IDP, subject, NOW, &f->e), f->e);
	}
	assert_refused(identity_add(db, anna, "clinic", IDP, "more", NOW, &f->e), f->e,
		       ERR_EXHAUSTED, "8 accounts");
	assert_ok(identity_list(db, anna, rows, &count, &f->e), f->e);
	assert_int_equal(count, IDENTITIES_MAX);
	for (size_t i = 1; i < count; i++)
		assert_ok(identity_remove(db, anna, rows[i].number, &f->e), f->e);
	assert_refused(identity_remove(db, anna, rows[1].number, &f->e), f->e, ERR_NOT_FOUND,
		       "no such account");
	assert_refused(identity_remove(db, anna + 1, rows[0].number, &f->e), f->e, ERR_NOT_FOUND,
		       "no such account");
	assert_ok(db_begin(db, &f->e), f->e);
	assert_refused(identity_remove(db, anna, rows[0].number, &f->e), f->e, ERR_PRECONDITION,
		       "only way in");
	db_rollback(db);
	whose(f, IDP, "0", "anna");
	assert_ok(password_set(db, anna, &p, NOW, &f->e), f->e);
	assert_ok(identity_remove(db, anna, rows[0].number, &f->e), f->e);
	whose(f, IDP, "0", "");
}

static void an_administrator_parts_also_the_last_one(void **state)
{
	struct store_room *f = *state;
	struct db *db = &f->store.db;
	struct identity rows[IDENTITIES_MAX], was = { .number = 0 };
	int64_t anna, bert, first;
	size_t count;

	store_room_user(f, "anna");
	store_room_user(f, "bert");
	anna = number_of(f, "anna");
	bert = number_of(f, "bert");
	assert_ok(identity_add(db, anna, "clinic", IDP, "7", NOW, &f->e), f->e);
	assert_ok(identity_list(db, anna, rows, &count, &f->e), f->e);
	first = rows[0].number;
	assert_string_equal(rows[0].issuer, IDP);
	assert_refused(identity_part(db, bert, first, &was, &f->e), f->e, ERR_NOT_FOUND,
		       "no such account");
	assert_refused(identity_part(db, anna, first + 1, &was, &f->e), f->e, ERR_NOT_FOUND,
		       "no such account");
	assert_int_equal(was.number, 0);
	whose(f, IDP, "7", "anna");
	assert_ok(identity_part(db, anna, first, &was, &f->e), f->e);
	assert_int_equal(was.number, first);
	assert_string_equal(was.subject, "7");
	whose(f, IDP, "7", "");
	/* A page that still shows it removes no other one. */
	assert_ok(identity_add(db, anna, "clinic", IDP, "7", NOW, &f->e), f->e);
	assert_refused(identity_part(db, anna, first, &was, &f->e), f->e, ERR_NOT_FOUND,
		       "no such account");
}

static void a_trip_ends_once_for_its_browser(void **state)
{
	struct store_room *f = *state;
	struct db *db = &f->store.db;
	char state_text[TRIP_TEXT_LEN + 1], browser[TRIP_TEXT_LEN + 1], other[TRIP_TEXT_LEN + 1];
	struct trip out = { .provider = "clinic" }, t;
	const int64_t end = NOW + TRIP_MINUTES * MINUTE;

	assert_ok(trip_secret(state_text, &f->e), f->e);
	assert_ok(trip_secret(browser, &f->e), f->e);
	assert_ok(trip_secret(other, &f->e), f->e);
	assert_string_not_equal(browser, other);
	assert_ok(trip_add(db, state_text, browser, &here, &out, NOW, &f->e), f->e);
#define TAKE_TRIP(state_, browser_, provider, back, now) \
	trip_take(db, state_, browser_, provider, back, now, &t, &f->e)
	assert_int_equal(TAKE_TRIP(state_text, other, "clinic", false, NOW), -ERR_DENIED);
	assert_int_equal(TAKE_TRIP(other, browser, "clinic", false, NOW), -ERR_DENIED);
	assert_int_equal(TAKE_TRIP(browser, state_text, "clinic", false, NOW), -ERR_DENIED);
	assert_int_equal(TAKE_TRIP(state_text, browser, "lab", false, NOW), -ERR_DENIED);
	assert_int_equal(TAKE_TRIP(state_text, browser, "clinic", true, NOW), -ERR_DENIED);
	assert_int_equal(TAKE_TRIP(state_text, browser, "clinic", false, end), -ERR_DENIED);
	assert_int_equal(TAKE_TRIP("", browser, "clinic", false, NOW), -ERR_DENIED);
	assert_int_equal(TAKE_TRIP(state_text, "", "clinic", false, NOW), -ERR_DENIED);
	assert_ok(TAKE_TRIP(state_text, browser, "clinic", false, end - 1), f->e);
	assert_int_equal(TAKE_TRIP(state_text, browser, "clinic", false, NOW), -ERR_DENIED);
	/* The second one, of who is known there. */
	out = (struct trip){ "clinic", IDP, "7" };
	assert_ok(trip_add(db, other, browser, &here, &out, NOW, &f->e), f->e);
	assert_int_equal(TAKE_TRIP(other, browser, "clinic", false, NOW), -ERR_DENIED);
	assert_ok(trip_find(db, other, browser, "clinic", true, NOW, &t, &f->e), f->e);
	assert_ok(TAKE_TRIP(other, browser, "clinic", true, NOW), f->e);
	assert_string_equal(t.issuer, IDP);
	assert_string_equal(t.subject, "7");
}

static void what_is_derived_needs_both_secrets(void **state)
{
	struct store_room *f = *state;
	char a[TRIP_TEXT_LEN + 1], b[TRIP_TEXT_LEN + 1], made[4][TRIP_TEXT_LEN + 1];

	memset(a, 'a', TRIP_TEXT_LEN);
	memset(b, 'b', TRIP_TEXT_LEN);
	a[TRIP_TEXT_LEN] = b[TRIP_TEXT_LEN] = '\0';
	assert_ok(trip_derive(a, b, TRIP_NONCE, made[0], &f->e), f->e);
	assert_ok(trip_derive(b, a, TRIP_NONCE, made[1], &f->e), f->e);
	assert_ok(trip_derive(a, b, TRIP_VERIFIER, made[2], &f->e), f->e);
	assert_ok(trip_derive(a, b, TRIP_NONCE, made[3], &f->e), f->e);
	assert_string_equal(made[0], made[3]);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(strlen(made[i]), TRIP_TEXT_LEN);
		assert_string_not_equal(made[i], made[(i + 1) % 3]);
	}
	a[0] = 'A';
	assert_int_equal(trip_derive(a, b, TRIP_NONCE, made[0], &f->e), -ERR_DENIED);
	assert_int_equal(trip_derive(b, "", TRIP_NONCE, made[0], &f->e), -ERR_DENIED);
}

static void the_oldest_trip_gives_way(void **state)
{
	struct store_room *f = *state;
	struct db *db = &f->store.db;
	char browser[TRIP_TEXT_LEN + 1], text[TRIP_TEXT_LEN + 1];
	struct trip t = { .provider = "clinic" };

	assert_ok(trip_secret(browser, &f->e), f->e);
	assert_ok(db_begin(db, &f->e), f->e);
	for (unsigned i = 0; i <= TRIPS_MAX; i++) {
		snprintf(text, sizeof(text), "%064x", i);
		assert_ok(trip_add(db, text, browser, &here, &t, NOW, &f->e), f->e);
		if (i % 512 == 0) { /* the first until there are too many */
			int64_t count;

			assert_ok(db_number(db, &count, &f->e, "SELECT count(*) FROM trips", ""),
				  f->e);
			assert_true(count <= TRIPS_MAX);
		}
	}
	assert_ok(db_commit(db, &f->e), f->e);
	snprintf(text, sizeof(text), "%064x", 0);
	assert_int_equal(TAKE_TRIP(text, browser, "clinic", false, NOW), -ERR_DENIED);
	snprintf(text, sizeof(text), "%064x", 1);
	assert_ok(TAKE_TRIP(text, browser, "clinic", false, NOW), f->e);
	/* Those that ended are gone with the next. */
	snprintf(text, sizeof(text), "%064x", TRIPS_MAX + 1);
	assert_ok(
		trip_add(db, text, browser, &here, &t, NOW + (int64_t)TRIP_MINUTES * MINUTE, &f->e),
		f->e);
	int64_t count;
	assert_ok(db_number(db, &count, &f->e, "SELECT count(*) FROM trips", ""), f->e);
	assert_int_equal(count, 1);
}

static void put(struct store_room *f, unsigned number, const struct rpc_source *from)
{
	char browser[TRIP_TEXT_LEN + 1], text[TRIP_TEXT_LEN + 1];
	struct trip t = { .provider = "clinic" };

	snprintf(browser, sizeof(browser), "%064x", number);
	snprintf(text, sizeof(text), "%064x", number);
	assert_ok(trip_add(&f->store.db, text, browser, from, &t, NOW, &f->e), f->e);
}

static bool is_there(struct store_room *f, unsigned number)
{
	char text[TRIP_TEXT_LEN + 1];
	struct trip t;

	snprintf(text, sizeof(text), "%064x", number);
	return trip_find(&f->store.db, text, text, "clinic", false, NOW, &t, &f->e) == 0;
}

/* Whoever has many networks: all /48s of one /32, all /64s of one /48, all addresses of one /16, or one address. */
static void a_network_takes_from_itself(void **state)
{
	static const struct rpc_source honest[] = {
		{ { '4', 198, 51, 100, 7 } },
		{ { '6', 0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 1 } },
		{ { '6', 0x20, 0x01, 0x0d, 0xb9, 0xff, 2, 0, 1 } },
		{ { 'u', 1 } },
	};
	static const struct {
		uint8_t begin[5];
		size_t high, low; /* the bytes that he varies */
	} evil[] = {
		{ { '6', 0x20, 0x01, 0x0d, 0xba }, 5, 6 },
		{ { '6', 0x20, 0x01, 0x0d, 0xb9 }, 7, 8 },
		{ { '4', 198, 52 }, 3, 4 },
		{ { '4', 198, 51, 100, 8 }, 9, 9 },
	};
	struct store_room *f = *state;
	unsigned number = 0;

	assert_ok(db_begin(&f->store.db, &f->e), f->e);
	for (; number < ARRAY_LEN(honest); number++)
		put(f, number, &honest[number]);
	for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
		/* The first fills it; of those behind him each takes more than a half, were they let. */
		for (unsigned n = 1; n <= (i ? TRIPS_MAX / 2 : TRIPS_MAX) + 3; n++) {
			struct rpc_source from = { { 0 } };

			memcpy(from.bytes, evil[i].begin, sizeof(evil[i].begin));
			if (evil[i].high < 9) {
				from.bytes[evil[i].high] = (uint8_t)(n >> 8);
				from.bytes[evil[i].low] = (uint8_t)n;
			}
			put(f, number++, &from);
		}
		assert_true(is_there(f, number - 1));
		for (unsigned k = 0; k < ARRAY_LEN(honest); k++)
			assert_true(is_there(f, k));
	}
	assert_ok(db_commit(&f->store.db, &f->e), f->e);
}

static void a_browser_has_the_newest_of_its_trips(void **state)
{
	struct store_room *f = *state;
	char text[TRIP_TEXT_LEN + 1];

	put(f, 1, &here);
	put(f, 2, &here);
	snprintf(text, sizeof(text), "%064x", 1);
	assert_ok(trip_forget(&f->store.db, text, &f->e), f->e);
	assert_false(is_there(f, 1));
	assert_true(is_there(f, 2));
	assert_ok(trip_forget(&f->store.db, "", &f->e), f->e);
	assert_ok(trip_forget(&f->store.db, "2", &f->e), f->e);
	assert_true(is_there(f, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(issuer_and_subject_name_one_user, store_room_enter,
						store_room_leave),
		cmocka_unit_test_setup_teardown(the_last_way_in_stays, store_room_enter,
						store_room_leave),
		STORE_ROOM_ROW(an_administrator_parts_also_the_last_one),
		cmocka_unit_test_setup_teardown(a_trip_ends_once_for_its_browser, store_room_enter,
						store_room_leave),
		cmocka_unit_test_setup_teardown(what_is_derived_needs_both_secrets,
						store_room_enter, store_room_leave),
		cmocka_unit_test_setup_teardown(the_oldest_trip_gives_way, store_room_enter,
						store_room_leave),
		cmocka_unit_test_setup_teardown(a_network_takes_from_itself, store_room_enter,
						store_room_leave),
		cmocka_unit_test_setup_teardown(a_browser_has_the_newest_of_its_trips,
						store_room_enter, store_room_leave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
