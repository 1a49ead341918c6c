/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/known_hash.h"
#include "tests/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void hash_of(unsigned number, uint8_t hash[SHA256_LEN])
{
	char text[16];
	struct err e;

	snprintf(text, sizeof(text), "%u", number);
	assert_ok(digest(DIGEST_SHA256, text, strlen(text), hash, &e), e);
}

/* As many as a hospital's programs have, behind one proxy: none is a stranger at its next call. */
static void thousands_are_known_at_once(void **state)
{
	enum { MANY = 10000 };
	struct known_hashes *known = calloc(1, sizeof(*known));
	uint8_t hash[SHA256_LEN];

	(void)state;
	assert_non_null(known);
	for (unsigned i = 0; i < MANY; i++) {
		hash_of(i, hash);
		assert_false(known_hash_is(known, hash));
		known_hash_learn(known, hash, "anna");
	}
	for (unsigned i = 0; i < MANY; i++) {
		hash_of(i, hash);
		assert_true(known_hash_is(known, hash));
	}
	hash_of(0, hash);
	known_hash_forget(known, hash);
	assert_false(known_hash_is(known, hash));
	known_hash_forget(known, hash);
	hash_of(1, hash);
	assert_true(known_hash_is(known, hash));
	free(known);
}

static void number(uint8_t hash[SHA256_LEN], unsigned i)
{
	memset(hash, 0, SHA256_LEN);
	hash[0] = 7; /* the set */
	hash[2] = (uint8_t)(i + 1);
}

static void the_one_shown_longest_ago_gives_way(void **state)
{
	struct known_hashes *known = calloc(1, sizeof(*known));
	uint8_t hash[SHA256_LEN];

	(void)state;
	assert_non_null(known);
	for (unsigned i = 0; i < KNOWN_HASH_WAYS; i++) {
		number(hash, i);
		known_hash_learn(known, hash, "anna");
	}
	number(hash, 0);
	known_hash_learn(known, hash, "anna"); /* once more, and no second time */
	for (unsigned i = 0; i < KNOWN_HASH_WAYS; i++) {
		number(hash, i);
		assert_true(known_hash_is(known, hash));
	}
	number(hash, KNOWN_HASH_WAYS);
	known_hash_learn(known, hash, "anna");
	assert_true(known_hash_is(known, hash));
	number(hash, 0);
	assert_true(known_hash_is(known, hash));
	number(hash, 1);
	assert_false(known_hash_is(known, hash));
	number(hash, 2);
	assert_true(known_hash_is(known, hash));
	/* All bytes count. */
	hash[SHA256_LEN - 1] = 1;
	assert_false(known_hash_is(known, hash));
	free(known);
}

/* Another of the same user's counts for the same account; one whose user is not known yet for none. */
static void whose_it_is_comes_along(void **state)
{
	struct known_hashes *known = calloc(1, sizeof(*known));
	uint8_t first[SHA256_LEN], second[SHA256_LEN], other[SHA256_LEN];
	uint64_t anna;

	(void)state;
	assert_non_null(known);
	hash_of(1, first);
	hash_of(2, second);
	hash_of(3, other);
	assert_int_equal(known_hash_account(known, first), 0);
	known_hash_learn(known, first, NULL);
	assert_true(known_hash_is(known, first));
	assert_int_equal(known_hash_account(known, first), 0);
	known_hash_learn(known, first, "anna");
	known_hash_learn(known, second, "anna");
	known_hash_learn(known, other, "bert");
	anna = known_hash_account(known, first);
	assert_int_not_equal(anna, 0);
	assert_true(known_hash_account(known, second) == anna);
	assert_int_not_equal(known_hash_account(known, other), 0);
	assert_true(known_hash_account(known, other) != anna);
	known_hash_forget(known, first);
	assert_int_equal(known_hash_account(known, first), 0);
	assert_true(known_hash_account(known, second) == anna);
	free(known);
}

/* Who makes tokens up has a few turns, however many they are. */
static void what_is_nobodys_has_few_turns(void **state)
{
	const struct rpc_source here = { { 1, 127, 0, 0, 1 } }, there = { { 1, 127, 0, 0, 2 } };
	struct known_hashes *known = calloc(1, sizeof(*known));
	uint8_t hash[SHA256_LEN], other[SHA256_LEN];

	(void)state;
	assert_non_null(known);
	assert_true(known_hash_stranger(&here) != known_hash_stranger(&there));
	for (unsigned i = 0; i < 1000; i++) {
		hash_of(i, hash);
		assert_in_range(known_hash_work(known, hash), 1, KNOWN_HASH_STRANGERS);
		assert_in_range(known_hash_work(NULL, hash), 1, KNOWN_HASH_STRANGERS);
	}
	hash_of(1, hash);
	hash_of(2, other);
	known_hash_learn(known, hash, NULL); /* somebody's, and whose comes later */
	known_hash_learn(known, other, NULL);
	assert_true(known_hash_work(known, hash) > KNOWN_HASH_STRANGERS);
	assert_true(known_hash_work(known, hash) != known_hash_work(known, other));
	known_hash_learn(known, hash, "anna");
	known_hash_learn(known, other, "anna");
	assert_true(known_hash_work(known, hash) > KNOWN_HASH_STRANGERS);
	assert_true(known_hash_work(known, hash) == known_hash_work(known, other));
	free(known);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(thousands_are_known_at_once),
		cmocka_unit_test(the_one_shown_longest_ago_gives_way),
		cmocka_unit_test(whose_it_is_comes_along),
		cmocka_unit_test(what_is_nobodys_has_few_turns),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
