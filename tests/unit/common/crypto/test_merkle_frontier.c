/* SPDX-License-Identifier: Apache-2.0 */
/* The root of leaves that come one by one beside that of a tree which keeps all of its subtrees. */
#include "common/crypto/merkle_frontier.h"
#include "tests/unit.h"

enum { LEAVES = 300, LEVELS = 9 };

static uint8_t kept[LEVELS][LEAVES][SHA256_LEN];

static int get(void *data, unsigned level, uint64_t number, uint8_t hash[SHA256_LEN], struct err *e)
{
	(void)data;
	(void)e;
	memcpy(hash, kept[level][number], SHA256_LEN);
	return 0;
}

static int put(void *data, unsigned level, uint64_t number, const uint8_t hash[SHA256_LEN],
	       struct err *e)
{
	(void)data;
	(void)e;
	memcpy(kept[level][number], hash, SHA256_LEN);
	return 0;
}

static void each_size_has_the_root_of_the_whole_tree(void **state)
{
	const struct merkle_nodes nodes = { get, put, NULL };
	struct merkle_frontier frontier = { .size = 0 };
	uint8_t leaf[SHA256_LEN], root[SHA256_LEN], wanted[SHA256_LEN];
	struct err e;

	(void)state;
	for (uint64_t n = 0; n <= LEAVES; n++) {
		assert_ok(merkle_root(&nodes, n, wanted, &e), e);
		assert_ok(merkle_frontier_root(&frontier, root, &e), e);
		assert_memory_equal(root, wanted, SHA256_LEN);
		if (n == LEAVES)
			break;
		assert_ok(merkle_leaf(&n, sizeof(n), leaf, &e), e);
		assert_ok(merkle_add(&nodes, n, leaf, &e), e);
		assert_ok(merkle_frontier_add(&frontier, leaf, &e), e);
		assert_int_equal(frontier.size, n + 1);
	}
}

/* The last leaf that there can be completes the one subtree that is the whole. */
static void a_full_tree_takes_no_leaf_more(void **state)
{
	struct merkle_frontier frontier = { .size = MERKLE_LEAVES_MAX - 1 };
	uint8_t leaf[SHA256_LEN], root[SHA256_LEN], node[SHA256_LEN];
	struct err e;

	(void)state;
	assert_ok(merkle_leaf("", 0, leaf, &e), e);
	memcpy(node, leaf, SHA256_LEN); /* all leaves are alike */
	for (unsigned level = 0; level < MERKLE_FRONTIER_LEVELS - 1; level++) {
		frontier.numbers[level] = (frontier.size >> level) - 1;
		memcpy(frontier.hashes[level], node, SHA256_LEN);
		assert_ok(merkle_join(node, node, node, &e), e);
	}
	assert_ok(merkle_frontier_add(&frontier, leaf, &e), e);
	assert_ok(merkle_frontier_root(&frontier, root, &e), e);
	assert_memory_equal(root, node, SHA256_LEN);
	assert_refused(merkle_frontier_add(&frontier, leaf, &e), e, ERR_EXHAUSTED, "no more");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_size_has_the_root_of_the_whole_tree),
		cmocka_unit_test(a_full_tree_takes_no_leaf_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
