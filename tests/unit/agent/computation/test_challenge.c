/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/challenge.h"
#include "tests/unit.h"

enum { NOW = 1000000 };

static const struct span anna = { (const uint8_t *)"anna", 4 },
			 bert = { (const uint8_t *)"bert", 4 };

struct room {
	struct challenges c, other;
	uint8_t v[PROOF_SESSION_LEN];
	struct err e;
};

static int enter(void **state)
{
	struct room *t = calloc(1, sizeof(*t));

	assert_non_null(t);
	assert_ok(challenges_begin(&t->c, &t->e), t->e);
	assert_ok(challenges_begin(&t->other, &t->e), t->e);
	assert_ok(challenge_make(&t->c, NOW, t->v, &t->e), t->e);
	*state = t;
	return 0;
}

static int leave(void **state)
{
	struct room *t = *state;

	assert_true(LIST_EMPTY(&t->c.claims));
	challenges_end(&t->c);
	challenges_end(&t->other);
	free(t);
	return 0;
}
#define ROW(name) cmocka_unit_test_setup_teardown(name, enter, leave)

/* A call that shows no key. */
static int look(struct room *t, uint64_t now_ms, const uint8_t *v)
{
	struct challenge_claim *claim = NULL;
	int failed = challenge_hold(&t->c, now_ms, v, &claim, &t->e);

	assert_true(!failed == !!claim);
	challenge_release(claim);
	return failed;
}

static void assert_no(struct room *t, uint64_t now_ms, const uint8_t *v)
{
	assert_refused(look(t, now_ms, v), t->e, ERR_DENIED,
		       "proof-challenge: not one of this agent's, or used or expired");
}

/* A call that shows this key, some time after it began. */
static int use_late(struct room *t, uint64_t now_ms, uint64_t later_ms, const uint8_t *v,
		    struct span key)
{
	struct challenge_claim *claim = NULL;
	struct err again;
	int failed = challenge_hold(&t->c, now_ms, v, &claim, &t->e);

	if (failed)
		return failed;
	failed = challenge_use(claim, later_ms, key, &t->e);
	assert_true(challenge_was_refused(claim, &again) == !!failed);
	if (failed)
		assert_string_equal(again.text, t->e.text);
	else /* its call may be asked twice, which is one use */
		assert_ok(challenge_use(claim, later_ms, key, &t->e), t->e);
	challenge_release(claim);
	return failed;
}

static int use(struct room *t, uint64_t now_ms, const uint8_t *v, struct span key)
{
	return use_late(t, now_ms, now_ms, v, key);
}

/* So many, one after the other. */
static void use_fresh(struct room *t, uint64_t now_ms, size_t count, struct span key)
{
	uint8_t v[PROOF_SESSION_LEN];

	for (size_t i = 0; i < count; i++) {
		assert_ok(challenge_make(&t->c, now_ms, v, &t->e), t->e);
		assert_ok(use(t, now_ms, v, key), t->e);
	}
}

static void it_is_good_for_one_use(void **state)
{
	struct room *t = *state;

	assert_ok(use(t, NOW, t->v, anna), t->e);
	for (uint64_t now = NOW; now <= NOW + CHALLENGE_LIFE_MS + 1; now += CHALLENGE_LIFE_MS / 10)
		assert_no(t, now, t->v);
	assert_refused(use(t, NOW, t->v, bert), t->e, ERR_DENIED, "used");
}

static void who_shows_no_key_uses_up_none(void **state)
{
	struct room *t = *state;

	for (int i = 0; i < 2 * CHALLENGES_OF_ONE; i++)
		assert_ok(look(t, NOW, t->v), t->e);
	assert_int_equal(t->c.user_count, 0);
	assert_ok(use(t, NOW, t->v, anna), t->e);
}

static void however_many_are_asked_for_it_holds(void **state)
{
	uint8_t strangers[PROOF_SESSION_LEN];
	struct room *t = *state;

	for (int i = 0; i < 10000; i++)
		assert_ok(challenge_make(&t->c, NOW, strangers, &t->e), t->e);
	assert_memory_not_equal(strangers, t->v, PROOF_SESSION_LEN);
	assert_ok(use(t, NOW, t->v, anna), t->e);
	assert_ok(use(t, NOW, strangers, anna), t->e);
}

static void it_has_an_end(void **state)
{
	struct room *t = *state;

	assert_no(t, NOW - 1, t->v); /* of later */
	assert_ok(look(t, NOW, t->v), t->e);
	assert_no(t, NOW + CHALLENGE_LIFE_MS + 1, t->v);
	assert_ok(use(t, NOW + CHALLENGE_LIFE_MS, t->v, anna), t->e);
}

static void what_it_did_not_make_is_none(void **state)
{
	uint8_t v[PROOF_SESSION_LEN] = { 0 };
	struct room *t = *state;

	assert_no(t, NOW, v);
	assert_ok(challenge_make(&t->other, NOW, v, &t->e), t->e);
	assert_no(t, NOW, v);
	for (size_t len = 0; len < PROOF_SESSION_LEN; len++) {
		memset(v, 0, sizeof(v));
		memcpy(v, t->v, len);
		if (memcmp(v, t->v, sizeof(v)) != 0)
			assert_no(t, NOW, v);
	}
	for (size_t bit = 0; bit < 8 * (size_t)PROOF_SESSION_LEN; bit++) {
		memcpy(v, t->v, sizeof(v));
		v[bit / 8] ^= (uint8_t)(1u << bit % 8);
		assert_no(t, NOW, v);
	}
	assert_ok(use(t, NOW, t->v, anna), t->e);
}

static void two_calls_have_not_the_same_one(void **state)
{
	struct challenge_claim *first = NULL;
	struct room *t = *state;

	assert_ok(challenge_hold(&t->c, NOW, t->v, &first, &t->e), t->e);
	assert_no(t, NOW, t->v);
	challenge_release(first);
	assert_ok(look(t, NOW, t->v), t->e);
}

/* An upload may show its key late: nobody else had it meanwhile, and nobody has it afterwards. */
static void a_call_that_began_in_time_may_take_long(void **state)
{
	const uint64_t late = NOW + 10ul * CHALLENGE_LIFE_MS;
	struct challenge_claim *slow = NULL;
	struct room *t = *state;

	assert_ok(challenge_hold(&t->c, NOW + CHALLENGE_LIFE_MS, t->v, &slow, &t->e), t->e);
	assert_no(t, late, t->v);
	assert_ok(challenge_use(slow, late, anna, &t->e), t->e);
	assert_ok(challenge_use(slow, late, anna, &t->e), t->e);
	assert_int_equal(t->c.user_count, 1);
	challenge_release(slow);
	assert_no(t, NOW + CHALLENGE_LIFE_MS, t->v);
	assert_no(t, late, t->v);
}

static void a_key_uses_up_so_many_and_waits(void **state)
{
	uint8_t more[PROOF_SESSION_LEN];
	struct room *t = *state;

	use_fresh(t, NOW, CHALLENGES_OF_ONE - 1, anna);
	assert_ok(use(t, NOW, t->v, anna), t->e);
	assert_ok(challenge_make(&t->c, NOW + 1, more, &t->e), t->e);
	assert_refused(use(t, NOW + CHALLENGE_LIFE_MS, more, anna), t->e, ERR_EXHAUSTED,
		       "this key has used 1024 within 10 minutes");
	assert_no(t, NOW, t->v);
	/* Nobody else waits for that, with this one or another. */
	use_fresh(t, NOW, CHALLENGES_OF_ONE, bert);
	assert_ok(use(t, NOW + 1 + CHALLENGE_LIFE_MS, more, anna), t->e);
	use_fresh(t, NOW + 1 + CHALLENGE_LIFE_MS, CHALLENGES_OF_ONE - 1, anna);
}

static void keys_have_a_limit(void **state)
{
	uint8_t number[4], v[PROOF_SESSION_LEN];
	struct room *t = *state;

	for (uint32_t i = 0; i < CHALLENGE_USERS_MAX; i++) {
		memcpy(number, &i, sizeof(number));
		use_fresh(t, NOW, 1, (struct span){ number, sizeof(number) });
	}
	assert_ok(challenge_make(&t->c, NOW, v, &t->e), t->e);
	assert_refused(use(t, NOW, v, anna), t->e, ERR_INTERNAL, "more than 513 keys");
	assert_ok(use(t, NOW, v, (struct span){ number, sizeof(number) }), t->e);
}

static void the_next_listener_takes_none_of_the_last(void **state)
{
	struct challenge_claim *open = NULL;
	uint8_t used[PROOF_SESSION_LEN];
	struct room *t = *state;

	assert_ok(challenge_make(&t->c, NOW, used, &t->e), t->e);
	assert_ok(use(t, NOW, used, anna), t->e);
	assert_ok(challenge_hold(&t->c, NOW, t->v, &open, &t->e), t->e);
	assert_ok(challenges_begin(&t->c, &t->e), t->e);
	assert_int_equal(t->c.user_count, 0);
	assert_refused(challenge_use(open, NOW, anna, &t->e), t->e, ERR_DENIED, "not one of");
	challenge_release(open);
	assert_no(t, NOW, t->v);
	assert_no(t, NOW, used);
}

static void without_a_listener_there_is_none(void **state)
{
	static const uint8_t zeros[SHA256_LEN];
	struct room *t = *state;

	challenges_end(&t->c);
	assert_memory_equal(t->c.secret, zeros, sizeof(zeros));
	assert_refused(challenge_make(&t->c, NOW, t->v, &t->e), t->e, ERR_PRECONDITION,
		       "no computation");
	assert_no(t, NOW, t->v);
	assert_false(challenge_was_refused(NULL, &t->e));
	challenge_release(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ROW(it_is_good_for_one_use),
		ROW(who_shows_no_key_uses_up_none),
		ROW(however_many_are_asked_for_it_holds),
		ROW(it_has_an_end),
		ROW(what_it_did_not_make_is_none),
		ROW(two_calls_have_not_the_same_one),
		ROW(a_call_that_began_in_time_may_take_long),
		ROW(a_key_uses_up_so_many_and_waits),
		ROW(keys_have_a_limit),
		ROW(the_next_listener_takes_none_of_the_last),
		ROW(without_a_listener_there_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
