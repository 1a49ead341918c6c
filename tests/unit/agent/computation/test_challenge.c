/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/computation/challenge.h"
#include "tests/unit.h"

static void a_challenge_serves_once(void **state)
{
	static struct challenges c;
	uint8_t v[PROOF_SESSION_LEN], zeros[PROOF_SESSION_LEN] = { 0 };
	struct err e;

	assert_refused(challenge_use(&c, 0, zeros, &e), e, ERR_DENIED, "proof-challenge");
	assert_ok(challenge_make(&c, 1000, v, &e), e);
	assert_ok(challenge_use(&c, 1000 + CHALLENGE_LIFE_MS, v, &e), e);
	assert_int_equal(challenge_use(&c, 1000, v, &e), -ERR_DENIED);
}

static void a_challenge_expires(void **state)
{
	static struct challenges c;
	uint8_t v[PROOF_SESSION_LEN];
	struct err e;

	assert_ok(challenge_make(&c, 0, v, &e), e);
	assert_int_equal(challenge_use(&c, CHALLENGE_LIFE_MS + 1, v, &e), -ERR_DENIED);
	assert_int_equal(challenge_use(&c, 0, v, &e), -ERR_DENIED);
}

static void the_oldest_gives_way(void **state)
{
	static struct challenges c;
	uint8_t first[PROOF_SESSION_LEN], second[PROOF_SESSION_LEN], v[PROOF_SESSION_LEN];
	struct err e;

	assert_ok(challenge_make(&c, 0, first, &e), e);
	assert_ok(challenge_make(&c, 0, second, &e), e);
	for (int i = 0; i < CHALLENGES_MAX - 1; i++)
		assert_ok(challenge_make(&c, 0, v, &e), e);
	assert_int_equal(challenge_use(&c, 0, first, &e), -ERR_DENIED);
	assert_ok(challenge_use(&c, 0, second, &e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_challenge_serves_once),
		cmocka_unit_test(a_challenge_expires),
		cmocka_unit_test(the_oldest_gives_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
