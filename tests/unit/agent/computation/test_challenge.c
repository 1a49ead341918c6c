/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/challenge.h"
#include "tests/unit.h"

static const struct rpc_source owner = { { 1 } };

static void a_challenge_serves_once(void **state)
{
	static struct challenges c;
	uint8_t v[PROOF_SESSION_LEN], zeros[PROOF_SESSION_LEN] = { 0 };
	struct err e;

	assert_refused(challenge_use(&c, 0, zeros, &e), e, ERR_DENIED, "proof-challenge");
	assert_ok(challenge_make(&c, &owner, 1000, v, &e), e);
	assert_ok(challenge_use(&c, 1000 + CHALLENGE_LIFE_MS, v, &e), e);
	assert_int_equal(challenge_use(&c, 1000, v, &e), -ERR_DENIED);
}

static void a_challenge_expires(void **state)
{
	static struct challenges c;
	uint8_t v[PROOF_SESSION_LEN];
	struct err e;

	assert_ok(challenge_make(&c, &owner, 0, v, &e), e);
	assert_int_equal(challenge_use(&c, CHALLENGE_LIFE_MS + 1, v, &e), -ERR_DENIED);
	assert_int_equal(challenge_use(&c, 0, v, &e), -ERR_DENIED);
}

static void the_oldest_gives_way(void **state)
{
	static struct challenges c;
	uint8_t first[PROOF_SESSION_LEN], second[PROOF_SESSION_LEN], v[PROOF_SESSION_LEN];
	struct err e;

	assert_ok(challenge_make(&c, &owner, 0, first, &e), e);
	assert_ok(challenge_make(&c, &owner, 0, second, &e), e);
	for (int i = 0; i < CHALLENGES_MAX - 1; i++)
		assert_ok(challenge_make(&c, &owner, 0, v, &e), e);
	assert_int_equal(challenge_use(&c, 0, first, &e), -ERR_DENIED);
	assert_ok(challenge_use(&c, 0, second, &e), e);
}

static void make_many(struct challenges *c, uint8_t from, size_t count)
{
	const struct rpc_source source = { { from } };
	uint8_t v[PROOF_SESSION_LEN];
	struct err e;

	for (size_t i = 0; i < count; i++)
		assert_ok(challenge_make(c, &source, 0, v, &e), e);
}

/* They come before and after, from fewer addresses than could fill it by their shares. */
static void strangers_displace_none_of_another(void **state)
{
	enum { STRANGERS = CHALLENGES_MAX / CHALLENGES_OF_ONE - 1, FIRST = 10 };
	uint8_t mine[CHALLENGES_OF_ONE][PROOF_SESSION_LEN];
	static struct challenges c;
	struct err e;

	make_many(&c, FIRST, CHALLENGES_MAX);
	for (int i = 0; i < CHALLENGES_OF_ONE; i++)
		assert_ok(challenge_make(&c, &owner, 0, mine[i], &e), e);
	for (int i = 0; i < STRANGERS; i++)
		make_many(&c, (uint8_t)(FIRST + i), 2 * CHALLENGES_MAX);
	for (int i = 0; i < CHALLENGES_OF_ONE; i++)
		assert_ok(challenge_use(&c, 0, mine[i], &e), e);
}

static void what_is_used_or_over_gives_way_first(void **state)
{
	uint8_t first[PROOF_SESSION_LEN], v[PROOF_SESSION_LEN];
	static struct challenges c;
	struct err e;

	make_many(&c, 10, CHALLENGES_MAX - 1);
	assert_ok(challenge_make(&c, &owner, CHALLENGE_LIFE_MS, first, &e), e);
	for (int i = 0; i < CHALLENGES_MAX - 1; i++)
		assert_ok(challenge_make(&c, &owner, CHALLENGE_LIFE_MS + 1, v, &e), e);
	assert_ok(challenge_use(&c, CHALLENGE_LIFE_MS + 1, v, &e), e);
	assert_ok(challenge_make(&c, &owner, CHALLENGE_LIFE_MS + 1, v, &e), e);
	assert_ok(challenge_use(&c, CHALLENGE_LIFE_MS + 1, first, &e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_challenge_serves_once),
		cmocka_unit_test(a_challenge_expires),
		cmocka_unit_test(the_oldest_gives_way),
		cmocka_unit_test(strangers_displace_none_of_another),
		cmocka_unit_test(what_is_used_or_over_gives_way_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
