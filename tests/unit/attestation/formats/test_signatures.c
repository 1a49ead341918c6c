/* SPDX-License-Identifier: Apache-2.0 */
/* What is remembered is one fact, whole; the shelves are of fixed size, and one does not push out the
 * other's. */
#include "attestation/formats/signatures.h"
#include "tests/unit.h"

#include <pthread.h>

enum { THREADS = 4, ROUNDS = 2000 };

static const uint8_t key[SHA256_LEN] = { 1 }, other_key[SHA256_LEN] = { 2 };

static struct span text(const char *bytes, size_t len)
{
	return (struct span){ (const uint8_t *)bytes, len };
}

/* A fact like no other of another number. */
static struct signatures_fact numbered(const uint32_t *number)
{
	return (struct signatures_fact){
		key, text("a", 1), { (const uint8_t *)number, sizeof(*number) }, text("s", 1)
	};
}

static bool knows(struct signatures *s, uint32_t number)
{
	const struct signatures_fact fact = numbered(&number);
	uint8_t digest[SHA256_LEN];

	return signatures_know(s, &fact, digest);
}

static void add(struct signatures *s, enum signatures_shelf shelf, uint32_t number)
{
	const struct signatures_fact fact = numbered(&number);
	uint8_t digest[SHA256_LEN];

	signatures_know(s, &fact, digest);
	signatures_add(s, shelf, digest);
}

static void each_part_of_a_fact_counts(void **state)
{
	const struct signatures_fact fact = { key, text("ab", 2), text("cd", 2), text("ef", 2) };
	const struct signatures_fact others[] = {
		{ other_key, text("ab", 2), text("cd", 2), text("ef", 2) },
		{ key, text("aB", 2), text("cd", 2), text("ef", 2) },
		{ key, text("ab", 2), text("cD", 2), text("ef", 2) },
		{ key, text("ab", 2), text("cd", 2), text("eF", 2) },
		/* The same text with its borders elsewhere. */
		{ key, text("abc", 3), text("d", 1), text("ef", 2) },
		{ key, text("ab", 2), text("cde", 3), text("f", 1) },
		{ key, text("ab", 2), text("cdef", 4), text("", 0) },
		{ key, text("", 0), text("abcd", 4), text("ef", 2) },
	};
	CLEANUP(signatures_free) struct signatures *s = NULL;
	uint8_t digest[SHA256_LEN], ignored[SHA256_LEN];
	struct err e;

	assert_ok(signatures_new(&s, &e), e);
	assert_false(signatures_know(s, &fact, digest));
	assert_false(signatures_know(s, &fact, digest)); /* asking is not adding */
	signatures_add(s, SIGNATURES_AUTHORITIES, digest);
	assert_true(signatures_know(s, &fact, digest));
	for (size_t i = 0; i < ARRAY_LEN(others); i++)
		assert_false(signatures_know(s, &others[i], ignored));
	/* Without a memory nothing is known, and another one knows nothing of it. */
	assert_false(signatures_know(NULL, &fact, ignored));
	signatures_add(NULL, SIGNATURES_AUTHORITIES, digest);
	CLEANUP(signatures_free) struct signatures *empty = NULL;
	assert_ok(signatures_new(&empty, &e), e);
	assert_false(signatures_know(empty, &fact, ignored));
}

static void a_full_shelf_forgets_what_was_used_least_recently(void **state)
{
	static const struct {
		enum signatures_shelf shelf;
		uint32_t max;
	} shelves[] = { { SIGNATURES_AUTHORITIES, SIGNATURES_AUTHORITIES_MAX },
			{ SIGNATURES_LEAVES, SIGNATURES_LEAVES_MAX } };
	struct err e;

	for (size_t k = 0; k < ARRAY_LEN(shelves); k++) {
		CLEANUP(signatures_free) struct signatures *s = NULL;
		const uint32_t max = shelves[k].max;

		assert_ok(signatures_new(&s, &e), e);
		for (uint32_t i = 0; i < max; i++)
			add(s, shelves[k].shelf, i);
		add(s, shelves[k].shelf, 5); /* again: one place */
		for (uint32_t i = 0; i < max; i++)
			assert_true(knows(s, i));
		assert_true(knows(s, 0)); /* used just now */
		add(s, shelves[k].shelf, max);
		assert_true(knows(s, max));
		assert_true(knows(s, 0));
		assert_false(knows(s, 1));
		for (uint32_t i = 2; i < max; i++)
			assert_true(knows(s, i));
	}
}

/* Strangers bring as many machines' certificates as they like. */
static void a_crowd_of_leaves_pushes_out_no_authority(void **state)
{
	CLEANUP(signatures_free) struct signatures *s = NULL;
	struct err e;

	assert_ok(signatures_new(&s, &e), e);
	for (uint32_t i = 0; i < SIGNATURES_AUTHORITIES_MAX; i++)
		add(s, SIGNATURES_AUTHORITIES, i);
	for (uint32_t i = 0; i < 3 * SIGNATURES_LEAVES_MAX; i++)
		add(s, SIGNATURES_LEAVES, 1000 + i);
	for (uint32_t i = 0; i < SIGNATURES_AUTHORITIES_MAX; i++)
		assert_true(knows(s, i));
	/* What was pushed out, and what was never there, is not known. */
	for (uint32_t i = 0; i < 2 * SIGNATURES_LEAVES_MAX; i++)
		assert_false(knows(s, 1000 + i));
	for (uint32_t i = 2 * SIGNATURES_LEAVES_MAX; i < 3 * SIGNATURES_LEAVES_MAX; i++)
		assert_true(knows(s, 1000 + i));
	assert_false(knows(s, 999));
}

struct user {
	struct signatures *s;
	uint32_t first;
	bool wrong;
};

/* Its own numbers are odd ones, which it adds; the even ones nobody does. */
static void *use(void *data)
{
	struct user *u = data;

	for (uint32_t i = 0; i < ROUNDS; i++) {
		const uint32_t number = u->first + 2 * (i % 16);

		add(u->s, SIGNATURES_LEAVES, number + 1);
		u->wrong |= !knows(u->s, number + 1) || knows(u->s, number);
	}
	return NULL;
}

static void many_threads_may_use_one(void **state)
{
	CLEANUP(signatures_free) struct signatures *s = NULL;
	struct user users[THREADS];
	pthread_t threads[THREADS];
	struct err e;

	assert_ok(signatures_new(&s, &e), e);
	for (uint32_t i = 0; i < THREADS; i++) {
		users[i] = (struct user){ s, 1000 * i, false };
		assert_int_equal(pthread_create(&threads[i], NULL, use, &users[i]), 0);
	}
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_false(users[i].wrong);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_part_of_a_fact_counts),
		cmocka_unit_test(a_full_shelf_forgets_what_was_used_least_recently),
		cmocka_unit_test(a_crowd_of_leaves_pushes_out_no_authority),
		cmocka_unit_test(many_threads_may_use_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
