/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A large receipt, with as much in it as there may be: a bit changed, a piece dropped, doubled or
 * exchanged with the next, the end cut off, at random places. CI takes a sample (tests/sample.h); of a small
 * one test_receipt.c has all bits and all lengths.
 */
#include "tests/sample.h"
#include "tests/unit/attestation/receipt/receipt_build.h"

#include <stdio.h>

enum { SAMPLE = 2000, WHOLE = 100000, PIECE_MAX = 64 };

static struct receipt_build built;
static struct verdict verdict;
static struct receipt_dataset datasets[RECEIPT_DATASETS_MAX];
static struct receipt_wheel wheels[RECEIPT_WHEELS_MAX];
static const char *args[RECEIPT_ARGS_MAX];
static char names[RECEIPT_DATASETS_MAX][16];

static int make(void **state)
{
	verify_kind_snp.setup();
	receipt_build_begin(&built, &verify_kind_snp);
	for (size_t i = 0; i < ARRAY_LEN(datasets); i++) {
		snprintf(names[i], sizeof(names[i]), "h%zu.zip", i);
		datasets[i] = built.datasets[0];
		datasets[i].name = names[i];
	}
	for (size_t i = 0; i < ARRAY_LEN(wheels); i++)
		wheels[i] = built.wheel;
	for (size_t i = 0; i < ARRAY_LEN(args); i++)
		args[i] = names[i];
	built.r.datasets = datasets;
	built.r.wheels = wheels;
	built.r.args = args;
	built.r.dataset_count = ARRAY_LEN(datasets);
	built.r.wheel_count = ARRAY_LEN(wheels);
	built.r.arg_count = ARRAY_LEN(args);
	receipt_build_seal(&built);
	return 0;
}

static int unmake(void **state)
{
	receipt_build_end(&built);
	verify_kind_snp.teardown();
	return 0;
}

/* A verdict is a yes only if both halves are one; the cheap half first. */
static bool is_taken(const uint8_t *bytes, size_t len)
{
	struct receipt r;
	struct err e;

	if (receipt_parse(bytes, len, &r, &e) < 0)
		return false;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_ok(receipt_judge(&r, &built.opening.results, &built.in, &verdict, &e), e);
	receipt_done(&r);
	return verdict_ok(&verdict) &&
	       receipt_build_judge(&built, bytes, len, &built.opening.results, &verdict);
}

static uint32_t next_random(uint32_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 17;
	*seed ^= *seed << 5;
	return *seed;
}

/* What is done to the `len` bytes at `at` of a receipt; returns how long it is then. There is room for
 * PIECE_MAX more. */
typedef size_t alter_fn(uint8_t *bytes, size_t total, size_t at, size_t len);

static size_t changed(uint8_t *bytes, size_t total, size_t at, size_t len)
{
	bytes[at] ^= (uint8_t)(1u << len % 8);
	return total;
}

static size_t dropped(uint8_t *bytes, size_t total, size_t at, size_t len)
{
	memmove(bytes + at, bytes + at + len, total - at - len);
	return total - len;
}

static size_t doubled(uint8_t *bytes, size_t total, size_t at, size_t len)
{
	memmove(bytes + at + len, bytes + at, total - at);
	return total + len;
}

static size_t exchanged(uint8_t *bytes, size_t total, size_t at, size_t len)
{
	uint8_t piece[PIECE_MAX];

	if (at + 2 * len > total)
		return total;
	memcpy(piece, bytes + at, len);
	memcpy(bytes + at, bytes + at + len, len);
	memcpy(bytes + at + len, piece, len);
	return total;
}

static size_t cut_off(uint8_t *bytes, size_t total, size_t at, size_t len)
{
	return at;
}

/* Each `rounds` times; what comes out as it was, such as equal pieces exchanged, counts for none. */
static void none_is_taken(alter_fn *alter, int rounds)
{
	const struct writer *whole = &built.bytes;
	CLEANUP(free) uint8_t *bytes = malloc(whole->len + PIECE_MAX);
	uint32_t seed = 20261123;
	int altered = 0;

	assert_non_null(bytes);
	assert_true(is_taken(whole->bytes, whole->len));
	for (int i = 0; altered < rounds; i++) {
		size_t at = next_random(&seed) % (whole->len - PIECE_MAX);
		size_t len = 1 + next_random(&seed) % PIECE_MAX;

		assert_true(i < 2 * rounds + 100);
		memcpy(bytes, whole->bytes, whole->len);
		size_t total = alter(bytes, whole->len, at, len);
		if (total == whole->len && memcmp(bytes, whole->bytes, total) == 0)
			continue;
		altered++;
		if (is_taken(bytes, total))
			fail_msg("%zu bytes at %zu of %zu: nothing noticed", len, at, whole->len);
	}
}

static int rounds(void)
{
	return sample_is_whole() ? WHOLE : SAMPLE;
}

static void a_changed_bit_is_refused(void **state)
{
	none_is_taken(changed, rounds());
}

static void a_dropped_piece_is_refused(void **state)
{
	none_is_taken(dropped, rounds() / 20);
}

static void a_doubled_piece_is_refused(void **state)
{
	none_is_taken(doubled, rounds() / 20);
}

static void exchanged_pieces_are_refused(void **state)
{
	none_is_taken(exchanged, rounds() / 20);
}

static void one_that_is_cut_off_is_refused(void **state)
{
	none_is_taken(cut_off, rounds() / 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_changed_bit_is_refused),
		cmocka_unit_test(a_dropped_piece_is_refused),
		cmocka_unit_test(a_doubled_piece_is_refused),
		cmocka_unit_test(exchanged_pieces_are_refused),
		cmocka_unit_test(one_that_is_cut_off_is_refused),
	};

	return cmocka_run_group_tests(tests, make, unmake);
}
