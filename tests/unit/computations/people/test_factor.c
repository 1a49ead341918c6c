/* SPDX-License-Identifier: Apache-2.0 */
/* Second factors: set up by a code, each code once, wrong ones, recovery codes, removed; and who owes a code. */
#include "computations/people/account.h"
#include "computations/people/device.h"
#include "computations/people/entry.h"
#include "computations/people/factor.h"
#include "computations/people/half.h"
#include "computations/people/login.h"
#include "computations/seal/secret_keep.h"
#include "tests/unit/computations/store_room.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#define NOW INT64_C(1700000000000)

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

static void refused(struct store_room *f, int status, enum err_code code, const char *words)
{
	assert_refused(status, f->e, code, words);
}

/* Somebody with a factor, set up at NOW with the code of then. */
struct owner {
	int64_t person;
	uint8_t secret[TOTP_SECRET_LEN];
	struct factor_recovery recovery;
};

static void code_at(const struct owner *o, int64_t now, char code[TOTP_DIGITS + 1])
{
	struct err e;

	assert_ok(totp_code(o->secret, now / TOTP_STEP_MS, code, &e), e);
}

/* One whose codes are known: else two of a random one may be the same. */
static void begin(struct store_room *f, struct owner *o)
{
	assert_ok(factor_begin(db_of(f), f->store.secrets, o->person, NOW, o->secret, &f->e), f->e);
	memcpy(o->secret, "12345678901234567890", sizeof(o->secret));
	assert_ok(secret_keep(db_of(f), f->store.secrets, &secret_totp,
			      secret_owner_of(o->person).text, o->secret, sizeof(o->secret), &f->e),
		  f->e);
}

static void set_up(struct store_room *f, const char *name, struct owner *o)
{
	char code[TOTP_DIGITS + 1];

	o->person = add(f, name);
	begin(f, o);
	code_at(o, NOW, code);
	assert_ok(factor_confirm(db_of(f), f->store.secrets, o->person, code, 0, NOW, &o->recovery,
				 &f->e),
		  f->e);
}

static enum factor_answer answer(struct store_room *f, int64_t person, const char *code,
				 int64_t now)
{
	enum factor_answer got = FACTOR_WRONG;

	assert_ok(factor_try(db_of(f), f->store.secrets, person, code, now, &got, &f->e), f->e);
	return got;
}

static enum factor_answer answer_code(struct store_room *f, const struct owner *o, int64_t of,
				      int64_t now)
{
	char code[TOTP_DIGITS + 1];

	code_at(o, of, code);
	return answer(f, o->person, code, now);
}

/* None of the codes around that time. */
static enum factor_answer answer_wrong(struct store_room *f, const struct owner *o, int64_t now)
{
	char wrong[16], code[TOTP_DIGITS + 1];
	bool taken = true;

	for (int number = 0; taken; number++) {
		snprintf(wrong, sizeof(wrong), "%06d", number);
		taken = false;
		for (int64_t i = -1; i <= 1; i++) {
			code_at(o, now + i * TOTP_STEP_MS, code);
			taken = taken || strcmp(code, wrong) == 0;
		}
	}
	return answer(f, o->person, wrong, now);
}

static bool is_on(struct store_room *f, int64_t person)
{
	struct factor_state state;

	assert_ok(factor_look(db_of(f), person, &state, &f->e), f->e);
	return state.is_on;
}

static void it_counts_once_a_code_has_confirmed_it(void **state)
{
	struct store_room *f = *state;
	struct owner o = { .person = add(f, "anna") };
	uint8_t first[TOTP_SECRET_LEN];
	char code[TOTP_DIGITS + 1];
	struct factor_state s;

	refused(f,
		factor_confirm(db_of(f), f->store.secrets, o.person, "123456", 0, NOW, &o.recovery,
			       &f->e),
		ERR_PRECONDITION, "set one up");
	assert_ok(factor_begin(db_of(f), f->store.secrets, o.person, NOW, first, &f->e), f->e);
	assert_ok(factor_begin(db_of(f), f->store.secrets, o.person, NOW, o.secret, &f->e), f->e);
	assert_memory_not_equal(first, o.secret, sizeof(first));
	begin(f, &o);
	/* It asks for nothing yet. */
	assert_false(is_on(f, o.person));
	assert_int_equal(answer(f, o.person, "", NOW), FACTOR_RIGHT);
	refused(f, factor_remove(db_of(f), o.person, &f->e), ERR_NOT_FOUND, "no second factor");

	code_at(&o, NOW, code);
	refused(f,
		factor_confirm(db_of(f), f->store.secrets, o.person, code, 0,
			       NOW + 2 * TOTP_STEP_MS, &o.recovery, &f->e),
		ERR_INVALID, "not the code");
	assert_false(is_on(f, o.person));
	/* What was left is begun anew, however right the code is. */
	code_at(&o, NOW + FACTOR_BEGIN_MS, code);
	refused(f,
		factor_confirm(db_of(f), f->store.secrets, o.person, code, 0, NOW + FACTOR_BEGIN_MS,
			       &o.recovery, &f->e),
		ERR_PRECONDITION, "set one up");
	code_at(&o, NOW, code);
	assert_ok(factor_confirm(db_of(f), f->store.secrets, o.person, code, 0, NOW, &o.recovery,
				 &f->e),
		  f->e);
	assert_ok(factor_look(db_of(f), o.person, &s, &f->e), f->e);
	assert_true(s.is_on);
	assert_int_equal(s.since, NOW);
	assert_int_equal(s.left, FACTOR_RECOVERY);

	refused(f, factor_begin(db_of(f), f->store.secrets, o.person, NOW, o.secret, &f->e),
		ERR_EXISTS, "already");
	refused(f,
		factor_confirm(db_of(f), f->store.secrets, o.person, code, 0, NOW, &o.recovery,
			       &f->e),
		ERR_PRECONDITION, "set one up");
	/* Of nobody else. */
	assert_false(is_on(f, add(f, "bert")));
}

static void a_code_is_taken_once(void **state)
{
	struct store_room *f = *state;
	enum factor_answer ignored;
	struct owner o;

	set_up(f, "anna", &o);
	refused(f, factor_try(db_of(f), f->store.secrets, o.person, "", NOW, &ignored, &f->e),
		ERR_INVALID, "second factor");
	/* The one that confirmed it was taken, and none before it is. */
	assert_int_equal(answer_code(f, &o, NOW, NOW), FACTOR_WRONG);
	assert_int_equal(answer_code(f, &o, NOW - TOTP_STEP_MS, NOW), FACTOR_WRONG);
	assert_int_equal(answer_code(f, &o, NOW + TOTP_STEP_MS, NOW), FACTOR_RIGHT);
	assert_int_equal(answer_code(f, &o, NOW + TOTP_STEP_MS, NOW + TOTP_STEP_MS), FACTOR_WRONG);
	/* Not beyond the window. */
	assert_int_equal(answer_code(f, &o, NOW + 4 * TOTP_STEP_MS, NOW + 2 * TOTP_STEP_MS),
			 FACTOR_WRONG);
	assert_int_equal(answer_code(f, &o, NOW + 2 * TOTP_STEP_MS, NOW + 4 * TOTP_STEP_MS),
			 FACTOR_WRONG);
	assert_int_equal(answer_code(f, &o, NOW + 4 * TOTP_STEP_MS, NOW + 5 * TOTP_STEP_MS),
			 FACTOR_RIGHT);
	assert_int_equal(answer_code(f, &o, NOW + 5 * TOTP_STEP_MS, NOW + 5 * TOTP_STEP_MS),
			 FACTOR_RIGHT);
}

static void codes_are_read_as_people_type_them(void **state)
{
	struct store_room *f = *state;
	char code[TOTP_DIGITS + 1], typed[64];
	struct owner o;

	set_up(f, "anna", &o);
	code_at(&o, NOW + TOTP_STEP_MS, code);
	snprintf(typed, sizeof(typed), " %.3s %s ", code, code + 3);
	assert_int_equal(answer(f, o.person, typed, NOW), FACTOR_RIGHT);
	snprintf(typed, sizeof(typed), "%s", o.recovery.codes[0]);
	for (char *at = typed; *at; at++)
		*at = (char)(*at == '-' ? ' ' : toupper((unsigned char)*at));
	assert_int_equal(answer(f, o.person, typed, NOW), FACTOR_RIGHT);
	for (size_t i = 0; i < 4; i++) {
		static const char *const none[] = { " ", "12345", "0123456789012345678901234",
						    "\xff" };

		assert_int_equal(answer(f, o.person, none[i], NOW), FACTOR_WRONG);
	}
}

static void who_guesses_has_to_wait_and_a_recovery_code_does_not(void **state)
{
	const int64_t ends = NOW + FACTOR_WAIT_MS;
	struct store_room *f = *state;
	struct owner o, other;

	set_up(f, "anna", &o);
	set_up(f, "bert", &other);
	/* A right one begins anew. */
	for (int i = 0; i < FACTOR_TRIES - 1; i++)
		assert_int_equal(answer_wrong(f, &o, NOW), FACTOR_WRONG);
	assert_int_equal(answer_code(f, &o, NOW + TOTP_STEP_MS, NOW), FACTOR_RIGHT);
	for (int i = 0; i < FACTOR_TRIES; i++)
		assert_int_equal(answer_wrong(f, &o, NOW), FACTOR_WRONG);
	assert_int_equal(answer_wrong(f, &o, NOW), FACTOR_LATER);
	assert_int_equal(answer_code(f, &o, ends, ends - 1), FACTOR_LATER);
	/* Neither another user waits, nor who has a recovery code; a wrong one of those makes nobody wait longer. */
	assert_int_equal(answer_code(f, &other, ends, ends - 1), FACTOR_RIGHT);
	assert_int_equal(answer(f, o.person, "00000-00000-00000-00000", ends - 1), FACTOR_WRONG);
	assert_int_equal(answer(f, o.person, o.recovery.codes[3], ends - 1), FACTOR_RIGHT);
	/* One try each, from then on. */
	assert_int_equal(answer_wrong(f, &o, ends), FACTOR_WRONG);
	assert_int_equal(answer_code(f, &o, ends, ends), FACTOR_LATER);
	assert_int_equal(answer_code(f, &o, ends + FACTOR_WAIT_MS, ends + FACTOR_WAIT_MS),
			 FACTOR_RIGHT);
	assert_int_equal(answer_wrong(f, &o, ends + FACTOR_WAIT_MS), FACTOR_WRONG);
	refused(f, factor_refuse(FACTOR_LATER, &f->e), ERR_EXHAUSTED, "recovery code at once");
	refused(f, factor_refuse(FACTOR_WRONG, &f->e), ERR_UNAUTHENTICATED, "wrong, or was used");
}

static void a_clock_that_was_set_back_makes_nobody_wait_for_ever(void **state)
{
	const int64_t before = NOW - INT64_C(86400) * 1000;
	struct store_room *f = *state;
	struct owner o;

	set_up(f, "anna", &o);
	for (int i = 0; i < FACTOR_TRIES; i++)
		assert_int_equal(answer_wrong(f, &o, NOW), FACTOR_WRONG);
	assert_int_equal(answer_wrong(f, &o, before), FACTOR_WRONG);
	assert_int_equal(answer_wrong(f, &o, before), FACTOR_LATER);
	assert_int_equal(answer_wrong(f, &o, before + FACTOR_WAIT_MS), FACTOR_WRONG);
}

static void nor_whose_last_code_was_of_a_day_to_come(void **state)
{
	const int64_t day = INT64_C(86400) * 1000, before = NOW - day - TOTP_STEP_MS;
	struct store_room *f = *state;
	struct owner o;

	set_up(f, "anna", &o);
	assert_int_equal(answer_code(f, &o, NOW - day, NOW - day), FACTOR_WRONG);
	assert_int_equal(answer_code(f, &o, before, before), FACTOR_RIGHT);
	assert_int_equal(answer_code(f, &o, before, before), FACTOR_WRONG);
}

static void recovery_codes_work_once_each(void **state)
{
	struct store_room *f = *state;
	struct factor_recovery fresh;
	struct factor_state s;
	struct owner o, other;

	set_up(f, "anna", &o);
	set_up(f, "bert", &other);
	for (int i = 0; i < FACTOR_RECOVERY; i++) {
		assert_int_equal(strlen(o.recovery.codes[i]), FACTOR_RECOVERY_TEXT_LEN);
		for (int k = 0; k < i; k++)
			assert_string_not_equal(o.recovery.codes[i], o.recovery.codes[k]);
	}
	assert_int_equal(answer(f, o.person, other.recovery.codes[0], NOW), FACTOR_WRONG);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(answer(f, o.person, o.recovery.codes[i], NOW), FACTOR_RIGHT);
		assert_int_equal(answer(f, o.person, o.recovery.codes[i], NOW), FACTOR_WRONG);
	}
	assert_ok(factor_look(db_of(f), o.person, &s, &f->e), f->e);
	assert_int_equal(s.left, FACTOR_RECOVERY - 3);

	assert_ok(factor_renew(db_of(f), o.person, &fresh, &f->e), f->e);
	assert_ok(factor_look(db_of(f), o.person, &s, &f->e), f->e);
	assert_int_equal(s.left, FACTOR_RECOVERY);
	assert_int_equal(answer(f, o.person, o.recovery.codes[5], NOW), FACTOR_WRONG);
	assert_int_equal(answer(f, o.person, fresh.codes[5], NOW), FACTOR_RIGHT);
	refused(f, factor_renew(db_of(f), add(f, "carl"), &fresh, &f->e), ERR_NOT_FOUND,
		"no second");
}

static void it_is_removed_with_all_of_it(void **state)
{
	struct store_room *f = *state;
	int64_t rows;
	struct owner o;

	set_up(f, "anna", &o);
	assert_ok(factor_remove(db_of(f), o.person, &f->e), f->e);
	assert_false(is_on(f, o.person));
	refused(f, factor_remove(db_of(f), o.person, &f->e), ERR_NOT_FOUND, "no second factor");
	assert_ok(db_number(db_of(f), &rows, &f->e, "SELECT count(*) FROM recovery_codes", ""),
		  f->e);
	assert_int_equal(rows, 0);
	assert_ok(factor_begin(db_of(f), f->store.secrets, o.person, NOW, o.secret, &f->e), f->e);
	/* And with its user. */
	set_up(f, "bert", &o);
	assert_ok(user_remove(db_of(f), "bert", &f->e), f->e);
	assert_ok(db_number(db_of(f), &rows, &f->e,
			    "SELECT (SELECT count(*) FROM recovery_codes) +"
			    " (SELECT count(*) FROM factors WHERE confirmed = 1)",
			    ""),
		  f->e);
	assert_int_equal(rows, 0);
}

/* ---- who owes a code ---- */

static void a_half_opens_one_sign_in(void **state)
{
	const int64_t ends = NOW + (int64_t)HALF_MINUTES * 60000;
	char text[HALF_TEXT_LEN + 1], second[HALF_TEXT_LEN + 1];
	struct store_room *f = *state;
	uint8_t hash[SHA256_LEN];
	struct token_owner who;
	struct owner o;
	struct half h;
	int64_t number;

	set_up(f, "anna", &o);
	assert_ok(half_add(db_of(f), o.person, NOW, text, &f->e), f->e);
	assert_ok(half_add(db_of(f), o.person, NOW, second, &f->e), f->e);
	assert_ok(half_find(db_of(f), text, ends - 1, &h, &f->e), f->e);
	assert_int_equal(h.person, o.person);
	assert_string_equal(h.user, "anna");
	refused(f, half_find(db_of(f), text, ends, &h, &f->e), ERR_UNAUTHENTICATED, "again");
	/* It is no session, */
	assert_ok(login_hash(text, hash, &f->e), f->e);
	refused(f, login_who(db_of(f), hash, "", NOW, &who, &number, &f->e), ERR_UNAUTHENTICATED,
		"sign in");
	/* nor for one who is suspended, */
	assert_ok(user_suspend(db_of(f), "anna", true, &f->e), f->e);
	refused(f, half_find(db_of(f), text, NOW, &h, &f->e), ERR_UNAUTHENTICATED, "again");
	assert_ok(user_suspend(db_of(f), "anna", false, &f->e), f->e);
	/* and works once. */
	assert_ok(half_take(db_of(f), text, NOW, &h, &f->e), f->e);
	refused(f, half_take(db_of(f), text, NOW, &h, &f->e), ERR_UNAUTHENTICATED, "again");
	assert_ok(half_find(db_of(f), second, NOW, &h, &f->e), f->e);
	for (size_t i = 0; i < 3; i++) {
		const char *none[] = { "", second + 1, "0123" };

		refused(f, half_find(db_of(f), none[i], NOW, &h, &f->e), ERR_UNAUTHENTICATED,
			"again");
	}
}

static void a_user_has_few_halves(void **state)
{
	char texts[HALVES_MAX + 1][HALF_TEXT_LEN + 1];
	struct store_room *f = *state;
	struct owner o;
	struct half h;

	set_up(f, "anna", &o);
	for (int i = 0; i <= HALVES_MAX; i++)
		assert_ok(half_add(db_of(f), o.person, NOW, texts[i], &f->e), f->e);
	refused(f, half_find(db_of(f), texts[0], NOW, &h, &f->e), ERR_UNAUTHENTICATED, "again");
	assert_ok(half_find(db_of(f), texts[1], NOW, &h, &f->e), f->e);
	assert_ok(half_find(db_of(f), texts[HALVES_MAX], NOW, &h, &f->e), f->e);
}

static void what_the_password_alone_began_ends(void **state)
{
	const struct login from = { .peer = (char *)(uintptr_t)"here",
				    .about = (char *)(uintptr_t)"" };
	struct device d = { .about = "laptop", .peer = "192.0.2.1", .scope = 1 };
	char half[HALF_TEXT_LEN + 1], login[LOGIN_TEXT_LEN + 1], kept[LOGIN_TEXT_LEN + 1];
	char asked[DEVICE_TEXT_LEN + 1], code[TOTP_DIGITS + 1], link[ENTRY_TEXT_LEN + 1];
	struct store_room *f = *state;
	struct owner o = { .person = add(f, "anna") };
	struct entry_owner chooses;
	uint8_t hash[SHA256_LEN];
	struct device_token token;
	struct token_owner who;
	struct half h;
	int64_t number, own;

	assert_ok(login_add(db_of(f), o.person, "", &from, NOW, login, &f->e), f->e);
	assert_ok(login_add(db_of(f), o.person, "", &from, NOW, kept, &f->e), f->e);
	assert_ok(half_add(db_of(f), o.person, NOW, half, &f->e), f->e);
	assert_ok(device_ask(db_of(f), &d, NOW, asked, &f->e), f->e);
	assert_ok(device_answer(db_of(f), d.code, o.person, NOW, &f->e), f->e);
	assert_ok(entry_add(db_of(f), o.person, NOW, link, &f->e), f->e);
	assert_ok(login_hash(kept, hash, &f->e), f->e);
	assert_ok(login_who(db_of(f), hash, "", NOW, &who, &own, &f->e), f->e);

	begin(f, &o);
	code_at(&o, NOW, code);
	assert_ok(factor_confirm(db_of(f), f->store.secrets, o.person, code, own, NOW, &o.recovery,
				 &f->e),
		  f->e);
	assert_ok(login_who(db_of(f), hash, "", NOW, &who, &number, &f->e), f->e);
	assert_ok(login_hash(login, hash, &f->e), f->e);
	refused(f, login_who(db_of(f), hash, "", NOW, &who, &number, &f->e), ERR_UNAUTHENTICATED,
		"sign in");
	refused(f, half_find(db_of(f), half, NOW, &h, &f->e), ERR_UNAUTHENTICATED, "again");
	refused(f, device_take(db_of(f), asked, NOW, &token, &f->e), ERR_UNAUTHENTICATED, "again");
	refused(f, entry_find(db_of(f), link, NOW, &chooses, &f->e), ERR_UNAUTHENTICATED, "link");

	/* A new password ends what owes a code; the factor stays. */
	assert_ok(half_add(db_of(f), o.person, NOW, half, &f->e), f->e);
	assert_ok(account_password(db_of(f), o.person,
				   &(struct password){ .memory = 8, .passes = 1 }, 0, NOW, &f->e),
		  f->e);
	refused(f, half_find(db_of(f), half, NOW, &h, &f->e), ERR_UNAUTHENTICATED, "again");
	assert_true(is_on(f, o.person));
}

static void what_nobody_wrote_there_is_refused(void **state)
{
	static const char *const wrong[] = {
		"UPDATE factors SET failed = 11",
		"UPDATE factors SET failed = -1",
		"UPDATE factors SET last = -1",
		"UPDATE factors SET failed_at = -1",
		"UPDATE factors SET confirmed = 2",
		"UPDATE secrets SET sealed = ''",
		"DELETE FROM secrets",
		"UPDATE secrets SET owner = '0'",
		"UPDATE secrets SET kind = 'webhook'",
	};
	struct store_room *f = *state;
	enum factor_answer got;
	struct owner o;

	set_up(f, "anna", &o);
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		assert_ok(db_begin(db_of(f), &f->e), f->e);
		assert_ok(db_run(db_of(f), &f->e, wrong[i], ""), f->e);
		refused(f,
			factor_try(db_of(f), f->store.secrets, o.person, "123456", NOW, &got,
				   &f->e),
			ERR_DATA_LOSS, "database");
		db_rollback(db_of(f));
	}
	assert_int_equal(answer_code(f, &o, NOW + TOTP_STEP_MS, NOW), FACTOR_RIGHT);
}

/* The same bytes of somebody else, or too few. */
static void a_key_is_its_user_s_alone(void **state)
{
	struct store_room *f = *state;
	enum factor_answer got;
	struct owner o, other;

	set_up(f, "anna", &o);
	set_up(f, "bert", &other);
	assert_ok(db_run(db_of(f), &f->e,
			 "UPDATE secrets SET sealed ="
			 " (SELECT s.sealed FROM secrets s WHERE s.owner = ?) WHERE owner = ?",
			 "tt", secret_owner_of(other.person).text, secret_owner_of(o.person).text),
		  f->e);
	refused(f, factor_try(db_of(f), f->store.secrets, o.person, "123456", NOW, &got, &f->e),
		ERR_DATA_LOSS, "it is not what was sealed");
	assert_ok(secret_keep(db_of(f), f->store.secrets, &secret_totp,
			      secret_owner_of(o.person).text, "short", 5, &f->e),
		  f->e);
	refused(f, factor_try(db_of(f), f->store.secrets, o.person, "123456", NOW, &got, &f->e),
		ERR_DATA_LOSS, "another length");
	assert_int_equal(answer_code(f, &other, NOW + TOTP_STEP_MS, NOW), FACTOR_RIGHT);
}

/* Nobody gets in without his second factor then, and nobody is kept out who has his recovery codes. */
static void where_its_key_is_lost_recovery_codes_are_left(void **state)
{
	struct store_room *f = *state;
	enum factor_answer got;
	struct owner o;

	set_up(f, "anna", &o);
	refused(f, factor_try(db_of(f), NULL, o.person, "123456", NOW, &got, &f->e),
		ERR_PRECONDITION, "which is not open");
	assert_ok(db_run(db_of(f), &f->e, "UPDATE secrets SET key = '', sealed = NULL", ""), f->e);
	refused(f, factor_try(db_of(f), f->store.secrets, o.person, "123456", NOW, &got, &f->e),
		ERR_PRECONDITION, "the key of the second factor is gone: a recovery code");
	refused(f, factor_try(db_of(f), f->store.secrets, o.person, "", NOW, &got, &f->e),
		ERR_INVALID, "give its code");
	assert_ok(factor_try(db_of(f), f->store.secrets, o.person, o.recovery.codes[0], NOW, &got,
			     &f->e),
		  f->e);
	assert_int_equal(got, FACTOR_RIGHT);
}

static int64_t kept(struct store_room *f)
{
	int64_t count;

	assert_ok(db_number(db_of(f), &count, &f->e, "SELECT count(*) FROM secrets", ""), f->e);
	return count;
}

static void its_key_goes_with_it(void **state)
{
	struct store_room *f = *state;
	struct owner o, other;

	set_up(f, "anna", &o);
	set_up(f, "bert", &other);
	assert_int_equal(kept(f), 2);
	assert_ok(factor_remove(db_of(f), o.person, &f->e), f->e);
	assert_int_equal(kept(f), 1);
	assert_ok(user_remove(db_of(f), "bert", &f->e), f->e);
	assert_int_equal(kept(f), 0);
}

static void an_older_database_learns_it(void **state)
{
	struct store_room *f = *state;
	struct owner o;

	assert_false(is_on(f, add(f, "bert")));
	store_room_age(f, 18);
	set_up(f, "anna", &o);
	assert_int_equal(answer_code(f, &o, NOW + TOTP_STEP_MS, NOW), FACTOR_RIGHT);
	assert_int_equal(answer(f, o.person, o.recovery.codes[9], NOW), FACTOR_RIGHT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		STORE_ROOM_ROW(it_counts_once_a_code_has_confirmed_it),
		STORE_ROOM_ROW(a_code_is_taken_once),
		STORE_ROOM_ROW(codes_are_read_as_people_type_them),
		STORE_ROOM_ROW(who_guesses_has_to_wait_and_a_recovery_code_does_not),
		STORE_ROOM_ROW(a_clock_that_was_set_back_makes_nobody_wait_for_ever),
		STORE_ROOM_ROW(nor_whose_last_code_was_of_a_day_to_come),
		STORE_ROOM_ROW(recovery_codes_work_once_each),
		STORE_ROOM_ROW(it_is_removed_with_all_of_it),
		STORE_ROOM_ROW(a_half_opens_one_sign_in),
		STORE_ROOM_ROW(a_user_has_few_halves),
		STORE_ROOM_ROW(what_the_password_alone_began_ends),
		STORE_ROOM_ROW(what_nobody_wrote_there_is_refused),
		STORE_ROOM_ROW(a_key_is_its_user_s_alone),
		STORE_ROOM_ROW(where_its_key_is_lost_recovery_codes_are_left),
		STORE_ROOM_ROW(its_key_goes_with_it),
		STORE_ROOM_ROW(an_older_database_learns_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
