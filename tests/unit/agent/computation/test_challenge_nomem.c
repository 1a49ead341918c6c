/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every allocation fails once, from a listener's beginning to two keys that have used up a challenge each: a call whose
 * challenge could not be kept as used up is refused, and the challenge is as good as before.
 */
#include "agent/computation/challenge.h"
#include "tests/unit.h"
#include "tests/unit/nomem/nomem.h"

static const struct span keys[] = { { (const uint8_t *)"anna", 4 },
				    { (const uint8_t *)"bert", 4 } };

static bool is_good(struct challenges *c, const uint8_t v[PROOF_SESSION_LEN])
{
	struct challenge_claim *claim = NULL;
	struct err e;

	nomem_pause();
	int failed = challenge_hold(c, 0, v, &claim, &e);
	assert_true(!failed || failed == -ERR_DENIED);
	challenge_release(claim);
	nomem_go_on();
	return !failed;
}

static int one_call(struct challenges *c, struct span key, struct err *e)
{
	struct challenge_claim *claim = NULL;
	uint8_t v[PROOF_SESSION_LEN];
	int failed = challenge_make(c, 0, v, e);

	if (failed)
		return failed;
	failed = challenge_hold(c, 0, v, &claim, e);
	if (!failed)
		failed = challenge_use(claim, 0, key, e);
	challenge_release(claim);
	assert_true(is_good(c, v) == !!failed);
	return failed;
}

static int attempt(void *data, struct err *e)
{
	struct challenges c = { 0 };
	int failed = challenges_begin(&c, e);

	for (size_t i = 0; !failed && i < ARRAY_LEN(keys); i++)
		failed = one_call(&c, keys[i], e);
	challenges_end(&c);
	return failed;
}

static void each_allocation_may_fail(void **state)
{
	nomem_each("challenges", attempt, NULL, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_allocation_may_fail) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
