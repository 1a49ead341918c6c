/* SPDX-License-Identifier: Apache-2.0 */
/* The tree of RFC 9162 beside a naive one: roots, paths and proofs computed from all leaves by the
 * recursive definitions of 2.1.1, 2.1.3.1 and 2.1.4.1. */
#include "common/crypto/merkle.h"
#include "tests/unit.h"

enum { LEAVES = 130, LEVELS = 40 };

static uint8_t leaves[LEAVES][SHA256_LEN];
static uint8_t kept[8 + 1][LEAVES][SHA256_LEN]; /* complete subtrees, as they are put */
static bool there[8 + 1][LEAVES];

static int get(void *data, unsigned level, uint64_t number, uint8_t hash[SHA256_LEN], struct err *e)
{
	(void)data;
	(void)e;
	assert_true(level <= 8 && number < LEAVES && there[level][number]);
	memcpy(hash, kept[level][number], SHA256_LEN);
	return 0;
}

static int put(void *data, unsigned level, uint64_t number, const uint8_t hash[SHA256_LEN],
	       struct err *e)
{
	(void)data;
	(void)e;
	assert_true(level <= 8 && number < LEAVES && !there[level][number]);
	memcpy(kept[level][number], hash, SHA256_LEN);
	there[level][number] = true;
	return 0;
}

static const struct merkle_nodes nodes = { get, put, NULL };

static int grow(void **state)
{
	struct err e;

	(void)state;
	for (uint64_t i = 0; i < LEAVES; i++) {
		uint8_t content[2] = { (uint8_t)i, 7 };

		if (merkle_leaf(content, 1 + i % 2, leaves[i], &e) < 0 ||
		    merkle_add(&nodes, i, leaves[i], &e) < 0)
			return -1;
	}
	return 0;
}

/* ---- the naive one ---- */

static size_t naive_split(size_t n)
{
	size_t k = 1;

	while (2 * k < n)
		k *= 2;
	return k;
}

static void naive_root(size_t start, size_t n, uint8_t out[SHA256_LEN])
{
	uint8_t bytes[1 + 2 * SHA256_LEN] = { 1 };
	struct err e;

	if (n == 1) {
		memcpy(out, leaves[start], SHA256_LEN);
		return;
	}
	naive_root(start, naive_split(n), bytes + 1);
	naive_root(start + naive_split(n), n - naive_split(n), bytes + 1 + SHA256_LEN);
	assert_ok(digest(DIGEST_SHA256, bytes, sizeof(bytes), out, &e), e);
}

static void naive_path(size_t m, size_t start, size_t n, struct merkle_path *path)
{
	size_t k;

	if (n == 1)
		return;
	k = naive_split(n);
	if (m < k) {
		naive_path(m, start, k, path);
		naive_root(start + k, n - k, path->hashes[path->count++]);
	} else {
		naive_path(m - k, start + k, n - k, path);
		naive_root(start, k, path->hashes[path->count++]);
	}
}

static void naive_proof(size_t m, size_t start, size_t n, bool known, struct merkle_path *path)
{
	size_t k;

	if (m == n) {
		if (!known)
			naive_root(start, n, path->hashes[path->count++]);
		return;
	}
	k = naive_split(n);
	if (m <= k) {
		naive_proof(m, start, k, known, path);
		naive_root(start + k, n - k, path->hashes[path->count++]);
	} else {
		naive_proof(m - k, start + k, n - k, false, path);
		naive_root(start, k, path->hashes[path->count++]);
	}
}

static void assert_same(const struct merkle_path *a, const struct merkle_path *b)
{
	assert_int_equal(a->count, b->count);
	assert_memory_equal(a->hashes, b->hashes, a->count * SHA256_LEN);
}

/* ---- */

static void leaves_and_nodes_are_hashed_apart(void **state)
{
	static const uint8_t empty[] = { 0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14 };
	static const uint8_t none[] = { 0x6e, 0x34, 0x0b, 0x9c, 0xff, 0xb3, 0x7a, 0x98 };
	uint8_t hash[SHA256_LEN], other[SHA256_LEN], both[2 * SHA256_LEN];
	struct err e;

	(void)state;
	assert_ok(merkle_root(&nodes, 0, hash, &e), e);
	assert_memory_equal(hash, empty, sizeof(empty)); /* SHA-256 of nothing */
	assert_ok(merkle_leaf("", 0, hash, &e), e);
	assert_memory_equal(hash, none, sizeof(none)); /* SHA-256 of a zero byte */
	memcpy(both, leaves[0], SHA256_LEN);
	memcpy(both + SHA256_LEN, leaves[1], SHA256_LEN);
	assert_ok(merkle_join(leaves[0], leaves[1], hash, &e), e);
	assert_ok(merkle_leaf(both, sizeof(both), other, &e), e);
	assert_memory_not_equal(hash, other, SHA256_LEN);
}

static void roots_are_those_of_the_definition(void **state)
{
	uint8_t found[SHA256_LEN], wanted[SHA256_LEN];
	struct err e;

	(void)state;
	for (size_t n = 1; n <= LEAVES; n++) {
		naive_root(0, n, wanted);
		assert_ok(merkle_root(&nodes, n, found, &e), e);
		assert_memory_equal(found, wanted, SHA256_LEN);
	}
}

static void each_leaf_of_each_tree_is_proven(void **state)
{
	uint8_t root[SHA256_LEN];
	struct err e;

	(void)state;
	for (size_t n = 1; n <= LEAVES; n++) {
		assert_ok(merkle_root(&nodes, n, root, &e), e);
		for (size_t i = 0; i < n; i++) {
			struct merkle_path path, wanted = { .count = 0 };

			naive_path(i, 0, n, &wanted);
			assert_ok(merkle_prove_inclusion(&nodes, i, n, &path, &e), e);
			assert_same(&path, &wanted);
			assert_ok(merkle_check_inclusion(leaves[i], i, n, &path, root, &e), e);
			assert_refused(merkle_check_inclusion(leaves[(i + 1) % LEAVES], i, n, &path,
							      root, &e),
				       e, ERR_DENIED, "has this leaf");
		}
	}
}

static void each_tree_is_proven_to_begin_with_each_before(void **state)
{
	uint8_t root[SHA256_LEN], before[SHA256_LEN];
	struct err e;

	(void)state;
	for (size_t n = 1; n <= LEAVES; n++) {
		assert_ok(merkle_root(&nodes, n, root, &e), e);
		for (size_t m = 1; m <= n; m++) {
			struct merkle_path path, wanted = { .count = 0 };

			naive_proof(m, 0, n, true, &wanted);
			assert_ok(merkle_root(&nodes, m, before, &e), e);
			assert_ok(merkle_prove_consistency(&nodes, m, n, &path, &e), e);
			assert_same(&path, &wanted);
			assert_ok(merkle_check_consistency(m, before, n, root, &path, &e), e);
			before[m % SHA256_LEN] ^= 1;
			assert_refused(merkle_check_consistency(m, before, n, root, &path, &e), e,
				       ERR_DENIED, "begins as it did");
		}
	}
}

/* Each proof of a few trees, changed: cut, grown, a bit of each hash, other numbers. */
static int included(size_t i, size_t n, const struct merkle_path *path, const uint8_t *root)
{
	struct err e;

	return merkle_check_inclusion(leaves[i % LEAVES], i, n, path, root, &e);
}

static void a_changed_inclusion_holds_nowhere(void **state)
{
	(void)state;
	for (size_t n = 1; n <= 40; n++)
		for (size_t i = 0; i < n; i++) {
			struct merkle_path path;
			uint8_t root[SHA256_LEN];
			struct err e;

			assert_ok(merkle_root(&nodes, n, root, &e), e);
			assert_ok(merkle_prove_inclusion(&nodes, i, n, &path, &e), e);
			for (size_t k = 0; k < path.count; k++) {
				path.hashes[k][k % 32] ^= 4;
				assert_true(included(i, n, &path, root) < 0);
				path.hashes[k][k % 32] ^= 4;
			}
			for (size_t k = 0; k < n + 3; k++)
				assert_true(k == i || included(k, n, &path, root) < 0);
			/* The leaf itself has one place: none of another tree's with the same last bits. */
			for (size_t k = 0; k < 160; k++)
				assert_true(k == i || merkle_check_inclusion(leaves[i], k, n, &path,
									     root, &e) < 0);
			root[31] ^= 128;
			assert_true(included(i, n, &path, root) < 0);
			root[31] ^= 128;
			memcpy(path.hashes[path.count++], root, SHA256_LEN);
			assert_true(included(i, n, &path, root) < 0);
			path.count--;
			if (path.count--)
				assert_true(included(i, n, &path, root) < 0);
		}
}

static int follows(size_t m, const uint8_t *before, size_t n, const uint8_t *root,
		   const struct merkle_path *path)
{
	struct err e;

	return merkle_check_consistency(m, before, n, root, path, &e);
}

static void a_changed_consistency_holds_nowhere(void **state)
{
	(void)state;
	for (size_t n = 2; n <= 40; n++)
		for (size_t m = 1; m < n; m++) {
			struct merkle_path path;
			uint8_t root[SHA256_LEN], before[SHA256_LEN];
			struct err e;

			assert_ok(merkle_root(&nodes, n, root, &e), e);
			assert_ok(merkle_root(&nodes, m, before, &e), e);
			assert_ok(merkle_prove_consistency(&nodes, m, n, &path, &e), e);
			for (size_t k = 0; k < path.count; k++) {
				path.hashes[k][k % 32] ^= 4;
				assert_true(follows(m, before, n, root, &path) < 0);
				path.hashes[k][k % 32] ^= 4;
			}
			assert_true(follows(n, root, m, before, &path) < 0);
			assert_true(follows(n, before, n, root, &path) < 0);
			assert_true(follows(n, root, n, root, &path) < 0);
			assert_true(follows(0, before, n, root, &path) < 0);
			memcpy(path.hashes[path.count++], root, SHA256_LEN);
			assert_true(follows(m, before, n, root, &path) < 0);
			for (path.count--; path.count--;)
				assert_true(follows(m, before, n, root, &path) < 0);
		}
}

/* ---- sizes that nobody fills: subtrees whose hash is their place ---- */

static int place(void *data, unsigned level, uint64_t number, uint8_t hash[SHA256_LEN],
		 struct err *e)
{
	const uint64_t content[] = { level, number };

	(void)data;
	return digest(DIGEST_SHA256, content, sizeof(content), hash, e);
}

static int keep_nothing(void *data, unsigned level, uint64_t number, const uint8_t hash[SHA256_LEN],
			struct err *e)
{
	unsigned *top = data;

	(void)number;
	(void)hash;
	(void)e;
	*top = level;
	return 0;
}

static void the_largest_tree_has_room_in_its_proofs(void **state)
{
	const struct merkle_nodes large = { place, NULL, NULL };
	const uint64_t sizes[] = { MERKLE_LEAVES_MAX, MERKLE_LEAVES_MAX - 1,
				   MERKLE_LEAVES_MAX / 2 + 1 };
	size_t longest = 0;

	(void)state;
	for (size_t s = 0; s < ARRAY_LEN(sizes); s++)
		for (unsigned bit = 0; bit < 32; bit++) {
			uint64_t some = (UINT64_C(1) << bit) | 1;
			struct merkle_path path;
			struct err e;

			if (some >= sizes[s])
				continue;
			assert_ok(merkle_prove_inclusion(&large, some, sizes[s], &path, &e), e);
			assert_true(path.count <= 32);
			assert_ok(merkle_prove_consistency(&large, some, sizes[s], &path, &e), e);
			longest = path.count > longest ? path.count : longest;
		}
	assert_int_equal(longest, MERKLE_PATH_MAX);
}

static void a_tree_has_an_end(void **state)
{
	unsigned top = LEVELS;
	const struct merkle_nodes large = { place, keep_nothing, &top };
	uint8_t leaf[SHA256_LEN] = { 1 }, root[SHA256_LEN];
	struct merkle_path path = { .count = 0 };
	struct err e;

	(void)state;
	assert_ok(merkle_add(&large, MERKLE_LEAVES_MAX - 1, leaf, &e), e);
	assert_int_equal(top, 32);
	assert_refused(merkle_add(&large, MERKLE_LEAVES_MAX, leaf, &e), e, ERR_EXHAUSTED,
		       "no more");
	assert_ok(merkle_root(&large, MERKLE_LEAVES_MAX, root, &e), e);
	assert_refused(merkle_prove_inclusion(&large, 0, MERKLE_LEAVES_MAX + 1, &path, &e), e,
		       ERR_INVALID, "leaf");
	assert_refused(merkle_prove_inclusion(&large, 5, 5, &path, &e), e, ERR_INVALID, "leaf 5");
	assert_refused(merkle_prove_consistency(&large, 1, MERKLE_LEAVES_MAX + 1, &path, &e), e,
		       ERR_INVALID, "begins");
	assert_refused(merkle_prove_consistency(&large, 0, 5, &path, &e), e, ERR_INVALID, "begins");
	assert_refused(merkle_prove_consistency(&large, 6, 5, &path, &e), e, ERR_INVALID, "begins");
	assert_refused(merkle_check_inclusion(leaf, 0, 0, &path, leaf, &e), e, ERR_DENIED, "leaf");
	assert_refused(merkle_check_inclusion(leaf, 0, UINT64_MAX, &path, leaf, &e), e, ERR_DENIED,
		       "leaf");
	assert_refused(merkle_check_consistency(1, leaf, UINT64_MAX, leaf, &path, &e), e,
		       ERR_DENIED, "begins");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_and_nodes_are_hashed_apart),
		cmocka_unit_test(roots_are_those_of_the_definition),
		cmocka_unit_test(each_leaf_of_each_tree_is_proven),
		cmocka_unit_test(each_tree_is_proven_to_begin_with_each_before),
		cmocka_unit_test(a_changed_inclusion_holds_nowhere),
		cmocka_unit_test(a_changed_consistency_holds_nowhere),
		cmocka_unit_test(the_largest_tree_has_room_in_its_proofs),
		cmocka_unit_test(a_tree_has_an_end),
	};

	return cmocka_run_group_tests(tests, grow, NULL);
}
