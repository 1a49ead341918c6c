/* SPDX-License-Identifier: Apache-2.0 */
/* An audit of a log of journals' heads: the leaves that it is over, and each way in which they are not. */
#include "attestation/journal/witness_audit.h"
#include "common/base/writer.h"
#include "tests/unit.h"

enum { LEAVES = 19 };

static struct span leaf_of(struct writer *w, uint64_t n)
{
	const struct witness_leaf leaf = { .computation = { (const uint8_t *)"c-1", 3 },
					   .run = n + 1,
					   .head = { .count = 7, .digest = { 1, 2 } } };
	struct err e;

	w->len = 0;
	assert_ok(witness_leaf_write(&leaf, w, &e), e);
	return (struct span){ w->bytes, w->len };
}

static struct witness_head head_of(uint64_t size)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_LEAF_MAX);
	struct witness_head head = { .size = size };
	struct merkle_frontier tree = { .size = 0 };
	uint8_t hash[SHA256_LEN];
	struct err e;

	for (uint64_t n = 0; n < size; n++) {
		struct span leaf = leaf_of(&w, n);

		assert_ok(merkle_leaf(leaf.bytes, leaf.len, hash, &e), e);
		assert_ok(merkle_frontier_add(&tree, hash, &e), e);
	}
	assert_ok(merkle_frontier_root(&tree, head.root, &e), e);
	return head;
}

/* The leaves with those numbers, in that order; what take() or end() said first. */
static int shown(const struct witness_head *before, const struct witness_head *now,
		 const uint64_t *numbers, size_t count, struct err *e)
{
	CLEANUP_WRITER struct writer w = writer_up_to(WITNESS_LEAF_MAX);
	struct witness_audit audit;
	struct witness_leaf leaf;

	witness_audit_begin(&audit, before, now);
	for (size_t i = 0; i < count; i++)
		if (witness_audit_take(&audit, leaf_of(&w, numbers[i]), &leaf, e) < 0)
			return err_code(e);
	return witness_audit_end(&audit, e);
}

static void count_up(uint64_t numbers[LEAVES])
{
	for (uint64_t n = 0; n < LEAVES; n++)
		numbers[n] = n;
}

static void all_leaves_of_each_size_pass_from_each_before(void **state)
{
	uint64_t numbers[LEAVES];
	struct err e;

	(void)state;
	count_up(numbers);
	for (uint64_t size = 0; size <= LEAVES; size++) {
		const struct witness_head now = head_of(size);

		for (uint64_t old = 0; old <= size; old++) {
			const struct witness_head before = head_of(old);

			assert_ok(shown(&before, &now, numbers, size, &e), e);
		}
	}
}

static void what_is_left_out_changed_or_moved_is_refused(void **state)
{
	const struct witness_head none = { .size = 0 }, before = head_of(11), now = head_of(LEAVES);
	uint64_t numbers[LEAVES];
	struct err e;

	(void)state;
	for (size_t at = 0; at < LEAVES; at++) {
		count_up(numbers);
		numbers[at] = LEAVES;
		assert_refused(shown(&none, &now, numbers, LEAVES, &e), e, ERR_DATA_LOSS,
			       "not those that its head is over");
		assert_refused(shown(&before, &now, numbers, LEAVES, &e), e, ERR_DATA_LOSS,
			       at < 11 ? "not those that it had" : "not those that its head");
		count_up(numbers);
		memmove(numbers + at, numbers + at + 1, (LEAVES - 1 - at) * sizeof(*numbers));
		assert_refused(shown(&none, &now, numbers, LEAVES - 1, &e), e, ERR_DATA_LOSS,
			       "shows 18 leaves of the 19");
		count_up(numbers);
		numbers[at] = (at + 1) % LEAVES;
		numbers[(at + 1) % LEAVES] = at;
		assert_refused(shown(&none, &now, numbers, LEAVES, &e), e, ERR_DATA_LOSS,
			       "not those that its head is over");
	}
}

static void one_leaf_more_is_refused(void **state)
{
	const struct witness_head none = { .size = 0 }, now = head_of(LEAVES - 1);
	uint64_t numbers[LEAVES];
	struct err e;

	(void)state;
	count_up(numbers);
	assert_refused(shown(&none, &now, numbers, LEAVES, &e), e, ERR_DATA_LOSS,
		       "more leaves than the 18");
	assert_refused(shown(&none, &none, numbers, 1, &e), e, ERR_DATA_LOSS,
		       "more leaves than the 0");
}

static void each_bit_of_either_root_counts(void **state)
{
	uint64_t numbers[LEAVES];
	struct err e;

	(void)state;
	count_up(numbers);
	for (size_t bit = 0; bit < 8 * SHA256_LEN; bit++) {
		struct witness_head before = head_of(4), now = head_of(5);

		before.root[bit / 8] ^= (uint8_t)(1U << bit % 8);
		assert_refused(shown(&before, &now, numbers, 5, &e), e, ERR_DATA_LOSS,
			       "the first 4 leaves");
		now.root[bit / 8] ^= (uint8_t)(1U << bit % 8);
		before = head_of(4);
		assert_refused(shown(&before, &now, numbers, 5, &e), e, ERR_DATA_LOSS,
			       "the 5 leaves");
	}
}

static void what_is_no_leaf_is_refused_and_counted_as_none(void **state)
{
	CLEANUP_WRITER struct writer w = writer_up_to(1024);
	const struct witness_head none = { .size = 0 }, one = head_of(1);
	struct witness_audit audit;
	struct witness_leaf leaf;
	struct err e;

	(void)state;
	witness_audit_begin(&audit, &none, &one);
	struct span good = leaf_of(&w, 0);
	writer_zeros(&w, 1);
	good.bytes = w.bytes;
	for (size_t len = 0; len < good.len; len++)
		assert_refused(
			witness_audit_take(&audit, (struct span){ good.bytes, len }, &leaf, &e), e,
			ERR_INVALID, "leaf 0");
	assert_refused(
		witness_audit_take(&audit, (struct span){ good.bytes, good.len + 1 }, &leaf, &e), e,
		ERR_INVALID, "leaf 0");
	assert_int_equal(audit.tree.size, 0);
	assert_ok(witness_audit_take(&audit, good, &leaf, &e), e);
	assert_int_equal(leaf.run, 1);
	assert_ok(witness_audit_end(&audit, &e), e);
	writer_zeros(&w, WITNESS_LEAF_MAX);
	witness_audit_begin(&audit, &none, &one);
	assert_refused(witness_audit_take(&audit, (struct span){ w.bytes, WITNESS_LEAF_MAX + 1 },
					  &leaf, &e),
		       e, ERR_INVALID, "at most 319");
}

static void pages_are_whole_or_the_last(void **state)
{
	const struct witness_head none = { .size = 0 };
	struct witness_head now = { .size = 2 * WITNESS_PAGE_MAX + 3 };
	struct witness_audit audit;

	(void)state;
	witness_audit_begin(&audit, &none, &now);
	assert_int_equal(witness_audit_wants(&audit), WITNESS_PAGE_MAX);
	audit.tree.size = WITNESS_PAGE_MAX + 3;
	assert_int_equal(witness_audit_wants(&audit), WITNESS_PAGE_MAX);
	audit.tree.size++;
	assert_int_equal(witness_audit_wants(&audit), WITNESS_PAGE_MAX - 1);
	audit.tree.size = now.size;
	assert_int_equal(witness_audit_wants(&audit), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_leaves_of_each_size_pass_from_each_before),
		cmocka_unit_test(what_is_left_out_changed_or_moved_is_refused),
		cmocka_unit_test(one_leaf_more_is_refused),
		cmocka_unit_test(each_bit_of_either_root_counts),
		cmocka_unit_test(what_is_no_leaf_is_refused_and_counted_as_none),
		cmocka_unit_test(pages_are_whole_or_the_last),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
