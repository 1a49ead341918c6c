/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines that ask to be let in: codes as people type them, ends, limits, one answer, one token. */
#include "computations/people/account.h"
#include "computations/people/action.h"
#include "computations/people/device.h"
#include "tests/unit/computations/store_room.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1000000000)
#define END (NOW + (int64_t)DEVICE_MINUTES * 60000)
#define DAY (INT64_C(86400) * 1000)

static struct db *db_of(struct store_room *f)
{
	return &f->store.db;
}

static int64_t add(struct store_room *f, const char *name)
{
	struct user u CLEANUP_USER = { .name = NULL };

	assert_ok(user_add(db_of(f), name, false, NOW, &f->e), f->e);
	assert_ok(user_find(db_of(f), name, &u, &f->e), f->e);
	return u.number;
}

static struct device ask(struct store_room *f, char secret[DEVICE_TEXT_LEN + 1])
{
	struct device d = { .about = "laptop", .peer = "192.0.2.1", .scope = ACTIONS_ALL };

	assert_ok(device_ask(db_of(f), &d, NOW, secret, &f->e), f->e);
	return d;
}

static void refused(struct store_room *f, int status, enum err_code code, const char *words)
{
	assert_refused(status, f->e, code, words);
}

static void it_is_let_in_once_and_takes_one_token(void **state)
{
	char secret[DEVICE_TEXT_LEN + 1], other[DEVICE_TEXT_LEN + 1];
	struct store_room *f = *state;
	int64_t anna = add(f, "anna"), bert = add(f, "bert");
	struct device d = ask(f, secret), e = ask(f, other), seen;
	uint8_t hash[SHA256_LEN];
	struct device_token token;
	enum device_state is;
	struct token_owner who;

	assert_string_not_equal(d.code, e.code);
	assert_int_equal(d.days, DEVICE_DAYS);
	assert_int_equal(d.ends, END);
	assert_ok(device_find(db_of(f), d.code, NOW, &seen, &f->e), f->e);
	assert_string_equal(seen.about, "laptop");
	assert_string_equal(seen.peer, "192.0.2.1");
	assert_ok(device_look(db_of(f), secret, NOW, &is, &f->e), f->e);
	assert_int_equal(is, DEVICE_WAITS);
	refused(f, device_take(db_of(f), secret, NOW, &token, &f->e), ERR_PRECONDITION, "nobody");
	refused(f, device_may_take(db_of(f), secret, NOW, &f->e), ERR_PRECONDITION, "nobody");

	assert_ok(device_answer(db_of(f), d.code, anna, NOW, &f->e), f->e);
	refused(f, device_answer(db_of(f), d.code, bert, NOW, &f->e), ERR_INVALID, "code");
	refused(f, device_answer(db_of(f), d.code, 0, NOW, &f->e), ERR_INVALID, "code");
	refused(f, device_find(db_of(f), d.code, NOW, &seen, &f->e), ERR_INVALID, "code");
	assert_ok(device_look(db_of(f), secret, NOW, &is, &f->e), f->e);
	assert_int_equal(is, DEVICE_IS_IN);
	assert_ok(device_look(db_of(f), other, NOW, &is, &f->e), f->e);
	assert_int_equal(is, DEVICE_WAITS);

	for (int i = 0; i < 2; i++) /* it takes nothing */
		assert_ok(device_may_take(db_of(f), secret, NOW + 5, &f->e), f->e);
	assert_ok(device_take(db_of(f), secret, NOW + 5, &token, &f->e), f->e);
	refused(f, device_may_take(db_of(f), secret, NOW + 5, &f->e), ERR_UNAUTHENTICATED, "again");
	assert_string_equal(token.user, "anna");
	assert_int_equal(token.expires, NOW + 5 + DEVICE_DAYS * DAY);
	assert_int_equal(strncmp(token.name, "login-", 6), 0);
	assert_int_equal(tolower(d.code[0]), token.name[6]);
	assert_ok(token_hash(token.text, hash, &f->e), f->e);
	assert_ok(token_who(db_of(f), hash, NOW + 5, &who, &f->e), f->e);
	assert_int_equal(who.person, anna);
	assert_int_equal(who.scope, ACTIONS_ALL);
	refused(f, device_take(db_of(f), secret, NOW, &token, &f->e), ERR_UNAUTHENTICATED, "again");
	refused(f, device_look(db_of(f), secret, NOW, &is, &f->e), ERR_UNAUTHENTICATED, "again");

	assert_ok(token_end(db_of(f), hash, &f->e), f->e);
	refused(f, token_who(db_of(f), hash, NOW + 5, &who, &f->e), ERR_UNAUTHENTICATED, "token");
}

static void codes_are_read_as_people_type_them(void **state)
{
	struct store_room *f = *state;
	char secret[DEVICE_TEXT_LEN + 1], typed[DEVICE_CODE_TEXT_LEN + 3];
	struct device d = ask(f, secret), seen;

	for (size_t i = 0; i <= DEVICE_CODE_TEXT_LEN; i++)
		typed[i] = (char)tolower((unsigned char)d.code[i]);
	assert_ok(device_find(db_of(f), typed, NOW, &seen, &f->e), f->e);
	snprintf(typed, sizeof(typed), "%.4s%.4s", d.code, d.code + 5);
	assert_ok(device_find(db_of(f), typed, NOW, &seen, &f->e), f->e);
	snprintf(typed, sizeof(typed), " %.4s %.4s", d.code, d.code + 5);
	assert_ok(device_find(db_of(f), typed, NOW, &seen, &f->e), f->e);
	/* Every front of it, one letter more, and what is none. */
	for (int len = 0; len < DEVICE_CODE_TEXT_LEN; len++) {
		snprintf(typed, sizeof(typed), "%.*s", len, d.code);
		refused(f, device_find(db_of(f), typed, NOW, &seen, &f->e), ERR_INVALID, "code");
	}
	snprintf(typed, sizeof(typed), "%.9sB", d.code);
	refused(f, device_find(db_of(f), typed, NOW, &seen, &f->e), ERR_INVALID, "code");
	snprintf(typed, sizeof(typed), "A%.8s", d.code + 1);
	refused(f, device_find(db_of(f), typed, NOW, &seen, &f->e), ERR_INVALID, "code");
}

static void it_ends(void **state)
{
	char secret[DEVICE_TEXT_LEN + 1], text[DEVICE_TEXT_LEN + 1];
	struct store_room *f = *state;
	int64_t anna = add(f, "anna"), left;
	struct device d = ask(f, secret), seen;
	struct device_token token;
	enum device_state is;

	assert_ok(device_find(db_of(f), d.code, END - 1, &seen, &f->e), f->e);
	refused(f, device_find(db_of(f), d.code, END, &seen, &f->e), ERR_INVALID, "10 minutes");
	refused(f, device_answer(db_of(f), d.code, anna, END, &f->e), ERR_INVALID, "code");
	refused(f, device_look(db_of(f), secret, END, &is, &f->e), ERR_UNAUTHENTICATED, "again");
	assert_ok(device_answer(db_of(f), d.code, anna, END - 1, &f->e), f->e);
	refused(f, device_take(db_of(f), secret, END, &token, &f->e), ERR_UNAUTHENTICATED, "again");
	/* Those that have ended give their places back. */
	d = (struct device){ .scope = ACTIONS_ALL };
	assert_ok(device_ask(db_of(f), &d, END, text, &f->e), f->e);
	assert_ok(db_number(db_of(f), &left, &f->e, "SELECT count(*) FROM devices", ""), f->e);
	assert_int_equal(left, 1);
}

static void whoever_let_it_in_has_to_be_there_still(void **state)
{
	struct password p = { .memory = 8, .passes = 1 };
	char secret[DEVICE_TEXT_LEN + 1];
	struct store_room *f = *state;
	int64_t anna = add(f, "anna");
	struct device d = ask(f, secret);
	struct device_token token;

	assert_ok(device_answer(db_of(f), d.code, anna, NOW, &f->e), f->e);
	assert_ok(user_suspend(db_of(f), "anna", true, &f->e), f->e);
	refused(f, device_take(db_of(f), secret, NOW, &token, &f->e), ERR_UNAUTHENTICATED, "again");
	assert_ok(user_suspend(db_of(f), "anna", false, &f->e), f->e);
	/* A new password: whoever let it in by the old one did so for nothing. */
	assert_ok(account_password(db_of(f), anna, &p, 0, NOW, &f->e), f->e);
	refused(f, device_take(db_of(f), secret, NOW, &token, &f->e), ERR_UNAUTHENTICATED, "again");
	d = ask(f, secret);
	assert_ok(device_answer(db_of(f), d.code, anna, NOW, &f->e), f->e);
	assert_ok(user_remove(db_of(f), "anna", &f->e), f->e);
	refused(f, device_take(db_of(f), secret, NOW, &token, &f->e), ERR_UNAUTHENTICATED, "again");
}

static void a_refusal_is_told(void **state)
{
	char secret[DEVICE_TEXT_LEN + 1];
	struct store_room *f = *state;
	struct device d = ask(f, secret);
	struct device_token token;
	enum device_state is;

	assert_ok(device_answer(db_of(f), d.code, 0, NOW, &f->e), f->e);
	refused(f, device_look(db_of(f), secret, NOW, &is, &f->e), ERR_DENIED, "refused");
	refused(f, device_take(db_of(f), secret, NOW, &token, &f->e), ERR_DENIED, "refused");
	refused(f, device_answer(db_of(f), d.code, add(f, "anna"), NOW, &f->e), ERR_INVALID,
		"code");
}

static void what_no_token_could_be_is_refused_at_once(void **state)
{
	struct device d = { .scope = ACTIONS_ALL, .days = TOKEN_DAYS_MAX };
	char secret[DEVICE_TEXT_LEN + 1];
	struct store_room *f = *state;

	assert_ok(device_ask(db_of(f), &d, NOW, secret, &f->e), f->e);
	d.days++;
	refused(f, device_ask(db_of(f), &d, NOW, secret, &f->e), ERR_INVALID, "366 days");
	d.days = 1;
	d.scope = ACTION_BIT(ACTION_RUN);
	refused(f, device_ask(db_of(f), &d, NOW, secret, &f->e), ERR_INVALID, "view");
	d.scope = ACTIONS_ALL;
	snprintf(d.about, sizeof(d.about), "a\nb");
	refused(f, device_ask(db_of(f), &d, NOW, secret, &f->e), ERR_INVALID, "about");
	snprintf(d.about, sizeof(d.about), "\xff");
	refused(f, device_ask(db_of(f), &d, NOW, secret, &f->e), ERR_INVALID, "about");
}

static bool waits(struct store_room *f, const char *secret)
{
	enum device_state is;

	return device_look(db_of(f), secret, NOW, &is, &f->e) == 0;
}

static struct device ask_from(struct store_room *f, const char *peer,
			      char secret[DEVICE_TEXT_LEN + 1])
{
	struct device d = { .scope = ACTIONS_ALL };

	snprintf(d.peer, sizeof(d.peer), "%s", peer);
	assert_ok(device_ask(db_of(f), &d, NOW, secret, &f->e), f->e);
	return d;
}

static int64_t count(struct store_room *f)
{
	int64_t found;

	assert_ok(db_number(db_of(f), &found, &f->e, "SELECT count(*) FROM devices", ""), f->e);
	return found;
}

/* As many as there are places, DEVICES_PER_PEER from each address: 198.51.100.0, .1 and so on. */
static void fill(struct store_room *f, char secrets[DEVICES_MAX][DEVICE_TEXT_LEN + 1])
{
	char peer[DEVICE_PEER_MAX + 1];

	for (int i = count(f) != 0; i < DEVICES_MAX; i++) {
		snprintf(peer, sizeof(peer), "198.51.100.%d", i / DEVICES_PER_PEER);
		ask_from(f, peer, secrets[i]);
	}
	assert_int_equal(count(f), DEVICES_MAX);
}

static void few_wait_from_one_address(void **state)
{
	struct device d = { .peer = "a", .scope = ACTIONS_ALL };
	char secret[DEVICE_TEXT_LEN + 1];
	struct store_room *f = *state;

	for (int i = 0; i < DEVICES_PER_PEER; i++)
		ask_from(f, "a", secret);
	refused(f, device_ask(db_of(f), &d, NOW, secret, &f->e), ERR_EXHAUSTED,
		"from your address");
	assert_int_equal(count(f), DEVICES_PER_PEER);
	ask_from(f, "b", secret);
	assert_ok(device_ask(db_of(f), &d, END, secret, &f->e), f->e);
}

/* They came first, and the others of their network come again and again. */
static void of_a_crowd_the_oldest_give_way(void **state)
{
	static char secrets[DEVICES_MAX][DEVICE_TEXT_LEN + 1];
	char honest[DEVICE_TEXT_LEN + 1], v6[DEVICE_TEXT_LEN + 1], user[DEVICE_TEXT_LEN + 1],
		more[DEVICE_TEXT_LEN + 1], peer[DEVICE_PEER_MAX + 1];
	struct store_room *f = *state;

	fill(f, secrets);
	ask_from(f, "192.0.2.1", honest);
	ask_from(f, "[2001:db8::1]", v6);
	ask_from(f, "unix:uid=7", user);
	/* The oldest of one that has most, and so they take turns. */
	for (int i = 0; i < 3; i++) {
		assert_false(waits(f, secrets[i * DEVICES_PER_PEER]));
		assert_true(waits(f, secrets[i * DEVICES_PER_PEER + 1]));
	}
	/* By as many addresses as they like, of that network or a neighbour's. */
	for (int i = 0; i < 2 * DEVICES_MAX; i++) {
		snprintf(peer, sizeof(peer), "198.51.%d.%d", 101 + i / 200, i % 200);
		ask_from(f, peer, more);
		assert_int_equal(count(f), DEVICES_MAX);
	}
	assert_true(waits(f, honest) && waits(f, v6) && waits(f, user) && waits(f, more));
	assert_false(waits(f, secrets[DEVICES_MAX - 1]));
}

/* In one network the address that has most gives way first. */
static void a_neighbour_of_a_crowd_waits_longer(void **state)
{
	static char secrets[DEVICES_MAX][DEVICE_TEXT_LEN + 1];
	char peer[DEVICE_PEER_MAX + 1], more[DEVICE_TEXT_LEN + 1];
	struct store_room *f = *state;

	ask_from(f, "198.51.0.1", secrets[0]);
	fill(f, secrets);
	for (int i = 0; i < DEVICES_MAX / 2; i++) {
		snprintf(peer, sizeof(peer), "198.51.100.%d", 100 + i / DEVICES_PER_PEER);
		ask_from(f, peer, more);
	}
	assert_true(waits(f, secrets[0]));
	assert_false(waits(f, secrets[1]));
}

/* Whom somebody looks at, or has let in, stays; and where there are no others, the last one has to wait. */
static void who_was_looked_at_stays(void **state)
{
	static char secrets[DEVICES_MAX][DEVICE_TEXT_LEN + 1];
	char seen[DEVICE_TEXT_LEN + 1], in[DEVICE_TEXT_LEN + 1], no[DEVICE_TEXT_LEN + 1];
	struct device d = { .peer = "192.0.2.1", .scope = ACTIONS_ALL }, found;
	struct store_room *f = *state;
	const int64_t anna = add(f, "anna");
	const struct device a = ask_from(f, "198.51.100.250", seen);
	const struct device b = ask_from(f, "198.51.100.250", in);
	const struct device c = ask_from(f, "198.51.100.250", no);
	struct device_token token;

	assert_ok(device_see(db_of(f), &a, anna, &f->e), f->e);
	assert_ok(device_see(db_of(f), &c, anna, &f->e), f->e);
	assert_ok(device_answer(db_of(f), b.code, anna, NOW, &f->e), f->e);
	assert_ok(device_answer(db_of(f), c.code, 0, NOW, &f->e), f->e);
	assert_ok(device_see(db_of(f), &b, anna, &f->e), f->e);
	assert_ok(device_see(db_of(f), &c, anna, &f->e), f->e); /* it stays refused */
	refused(f, device_answer(db_of(f), c.code, anna, NOW, &f->e), ERR_INVALID, "code");
	for (int i = 3; i < DEVICES_MAX; i++) {
		char peer[DEVICE_PEER_MAX + 1];

		snprintf(peer, sizeof(peer), "198.51.100.%d", i / DEVICES_PER_PEER);
		ask_from(f, peer, secrets[i]);
	}
	for (int i = 0; i < DEVICES_MAX; i++) {
		char peer[DEVICE_PEER_MAX + 1], secret[DEVICE_TEXT_LEN + 1];

		snprintf(peer, sizeof(peer), "198.51.101.%d", i % 200);
		ask_from(f, peer, secret);
	}
	assert_true(waits(f, seen) && waits(f, in));
	assert_false(waits(f, no));
	refused(f, device_take(db_of(f), no, NOW, &token, &f->e), ERR_UNAUTHENTICATED, "again");
	assert_ok(device_find(db_of(f), a.code, NOW, &found, &f->e), f->e);
	assert_ok(device_answer(db_of(f), a.code, anna, NOW, &f->e), f->e);
	assert_ok(db_script(db_of(f), "UPDATE devices SET refused = 2 + number", &f->e), f->e);
	refused(f, device_ask(db_of(f), &d, NOW, no, &f->e), ERR_EXHAUSTED, "let in: try again");
	assert_int_equal(count(f), DEVICES_MAX);
	assert_ok(device_take(db_of(f), in, NOW, &token, &f->e), f->e);
	assert_ok(device_ask(db_of(f), &d, NOW, no, &f->e), f->e);
}

/* Of that network, of which a user looks at the one or lets it in. */
static void ask_and_look(struct store_room *f, int number, int64_t person,
			 char secret[DEVICE_TEXT_LEN + 1])
{
	char peer[DEVICE_PEER_MAX + 1];
	struct device d;

	snprintf(peer, sizeof(peer), "198.51.%d.%d", 100 + number / 200, number % 200);
	d = ask_from(f, peer, secret);
	assert_ok(device_see(db_of(f), &d, person, &f->e), f->e);
	if (number % 2)
		assert_ok(device_answer(db_of(f), d.code, person, NOW, &f->e), f->e);
}

/* Somebody who looks at all that he asks for keeps nobody out: his newest stay alone, and whatever others have looked at. */
static void one_user_keeps_few_places(void **state)
{
	static char secrets[3 * DEVICES_MAX][DEVICE_TEXT_LEN + 1];
	char honest[DEVICE_TEXT_LEN + 1], late[DEVICE_TEXT_LEN + 1];
	struct store_room *f = *state;
	const int64_t anna = add(f, "anna"), eve = add(f, "eve");
	const struct device a = ask_from(f, "198.51.99.250", honest);
	const int all = 3 * DEVICES_MAX;

	assert_ok(device_see(db_of(f), &a, anna, &f->e), f->e);
	for (int i = 0; i < DEVICES_MAX - 1; i++)
		ask_and_look(f, i, eve, secrets[i]);
	assert_int_equal(count(f), DEVICES_MAX);
	ask_from(f, "192.0.2.1", late);
	assert_false(waits(f, secrets[0]));
	for (int i = DEVICES_MAX - 1; i < all; i++)
		ask_and_look(f, i, eve, secrets[i]);
	assert_int_equal(count(f), DEVICES_MAX);
	assert_true(waits(f, honest) && waits(f, late));
	for (int i = all - DEVICES_PER_USER; i < all; i++)
		assert_true(waits(f, secrets[i]));
}

/* Whoever has one IPv6 address has 2^64 of them. */
static void one_network_is_one_peer(void **state)
{
	struct device d = { .scope = ACTIONS_ALL };
	char secret[DEVICE_TEXT_LEN + 1];
	struct store_room *f = *state;

	for (int i = 0; i < DEVICES_PER_PEER; i++) {
		snprintf(d.peer, sizeof(d.peer), "[2001:db8:0:1:%x::%x]", i, i);
		assert_ok(device_ask(db_of(f), &d, NOW, secret, &f->e), f->e);
	}
	snprintf(d.peer, sizeof(d.peer), "[2001:db8:0:1::ffff]");
	refused(f, device_ask(db_of(f), &d, NOW, secret, &f->e), ERR_EXHAUSTED,
		"from your address");
	snprintf(d.peer, sizeof(d.peer), "[2001:db8:0:2::1]");
	assert_ok(device_ask(db_of(f), &d, NOW, secret, &f->e), f->e);
	snprintf(d.peer, sizeof(d.peer), "192.0.2.1");
	assert_ok(device_ask(db_of(f), &d, NOW, secret, &f->e), f->e);
}

static void an_older_database_learns_it(void **state)
{
	char secret[DEVICE_TEXT_LEN + 1];
	struct store_room *f = *state;
	struct device_token token;
	struct device d;
	int64_t anna = add(f, "anna");

	store_room_age(f, 13);
	d = ask(f, secret);
	assert_ok(device_answer(db_of(f), d.code, anna, NOW, &f->e), f->e);
	assert_ok(device_take(db_of(f), secret, NOW, &token, &f->e), f->e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(it_is_let_in_once_and_takes_one_token),
		STORE_ROOM_ROW(codes_are_read_as_people_type_them),
		STORE_ROOM_ROW(it_ends),
		STORE_ROOM_ROW(whoever_let_it_in_has_to_be_there_still),
		STORE_ROOM_ROW(a_refusal_is_told),
		STORE_ROOM_ROW(what_no_token_could_be_is_refused_at_once),
		STORE_ROOM_ROW(few_wait_from_one_address),
		STORE_ROOM_ROW(of_a_crowd_the_oldest_give_way),
		STORE_ROOM_ROW(a_neighbour_of_a_crowd_waits_longer),
		STORE_ROOM_ROW(who_was_looked_at_stays),
		STORE_ROOM_ROW(one_user_keeps_few_places),
		STORE_ROOM_ROW(one_network_is_one_peer),
		STORE_ROOM_ROW(an_older_database_learns_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
