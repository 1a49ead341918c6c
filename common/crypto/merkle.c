/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/merkle.h"

#include <string.h>

int merkle_leaf(const void *bytes, size_t len, uint8_t hash[SHA256_LEN], struct err *e)
{
	const struct digest_part parts[] = { { "\x00", 1 }, { bytes, len } };

	return digest_parts(DIGEST_SHA256, parts, ARRAY_LEN(parts), hash, e);
}

int merkle_join(const uint8_t left[SHA256_LEN], const uint8_t right[SHA256_LEN],
		uint8_t hash[SHA256_LEN], struct err *e)
{
	const struct digest_part parts[] = { { "\x01", 1 },
					     { left, SHA256_LEN },
					     { right, SHA256_LEN } };

	return digest_parts(DIGEST_SHA256, parts, ARRAY_LEN(parts), hash, e);
}

int merkle_empty(uint8_t hash[SHA256_LEN], struct err *e)
{
	return digest(DIGEST_SHA256, "", 0, hash, e);
}

/* ---- the owner's side ---- */

int merkle_add(const struct merkle_nodes *nodes, uint64_t size, const uint8_t leaf[SHA256_LEN],
	       struct err *e)
{
	uint8_t hash[SHA256_LEN], left[SHA256_LEN];

	if (size >= MERKLE_LEAVES_MAX)
		return err_set(e, ERR_EXHAUSTED, "the log has %llu leaves, and no more",
			       (unsigned long long)MERKLE_LEAVES_MAX);
	memcpy(hash, leaf, SHA256_LEN);
	if (nodes->put(nodes->data, 0, size, hash, e) < 0)
		return err_code(e);
	for (unsigned level = 0; size & 1; level++, size >>= 1)
		if (nodes->get(nodes->data, level, size - 1, left, e) < 0 ||
		    merkle_join(left, hash, hash, e) < 0 ||
		    nodes->put(nodes->data, level + 1, size >> 1, hash, e) < 0)
			return err_code(e);
	return 0;
}

/* MTH of the `count` leaves from `start` on, which is a multiple of each power of two in `count`: its
 * complete subtrees, joined from the smallest, the last, on. */
static int root_of(const struct merkle_nodes *nodes, uint64_t start, uint64_t count,
		   uint8_t root[SHA256_LEN], struct err *e)
{
	uint64_t end = start + count;
	uint8_t subtree[SHA256_LEN];
	bool some = false;

	for (unsigned level = 0; count >> level; level++) {
		if (!(count >> level & 1))
			continue;
		end -= UINT64_C(1) << level;
		if (nodes->get(nodes->data, level, end >> level, subtree, e) < 0 ||
		    (some && merkle_join(subtree, root, root, e) < 0))
			return err_code(e);
		if (!some)
			memcpy(root, subtree, SHA256_LEN);
		some = true;
	}
	return 0;
}

int merkle_root(const struct merkle_nodes *nodes, uint64_t size, uint8_t root[SHA256_LEN],
		struct err *e)
{
	uint8_t found[SHA256_LEN];

	if ((size ? root_of(nodes, 0, size, found, e) : merkle_empty(found, e)) < 0)
		return err_code(e);
	memcpy(root, found, SHA256_LEN);
	return 0;
}

/* The largest power of two below `count`, which is 2 or more. */
static uint64_t split(uint64_t count)
{
	return UINT64_C(1) << (63 - __builtin_clzll(count - 1));
}

static int push(const struct merkle_nodes *nodes, uint64_t start, uint64_t count,
		struct merkle_path *path, struct err *e)
{
	if (path->count == MERKLE_PATH_MAX)
		return err_set(e, ERR_INTERNAL, "a proof of more than %d hashes", MERKLE_PATH_MAX);
	return root_of(nodes, start, count, path->hashes[path->count++], e);
}

/* Found from the root down, and written from the leaves up. */
static void turn(const struct merkle_path *down, struct merkle_path *path)
{
	path->count = down->count;
	for (size_t i = 0; i < down->count; i++)
		memcpy(path->hashes[i], down->hashes[down->count - 1 - i], SHA256_LEN);
}

int merkle_prove_inclusion(const struct merkle_nodes *nodes, uint64_t index, uint64_t size,
			   struct merkle_path *path, struct err *e)
{
	struct merkle_path down = { .count = 0 };
	uint64_t start = 0, count = size;

	if (index >= size || size > MERKLE_LEAVES_MAX)
		return err_set(e, ERR_INVALID, "leaf %llu of a log of %llu",
			       (unsigned long long)index, (unsigned long long)size);
	while (count > 1) {
		uint64_t half = split(count);
		bool right = index - start >= half;

		if (push(nodes, right ? start : start + half, right ? half : count - half, &down,
			 e) < 0)
			return err_code(e);
		start += right ? half : 0;
		count = right ? count - half : half;
	}
	turn(&down, path);
	return 0;
}

/* SUBPROOF, whose flag says whether the reader knows the root of what is left. */
int merkle_prove_consistency(const struct merkle_nodes *nodes, uint64_t old, uint64_t size,
			     struct merkle_path *path, struct err *e)
{
	struct merkle_path down = { .count = 0 };
	uint64_t start = 0, count = size;
	bool known = true;

	if (!old || old > size || size > MERKLE_LEAVES_MAX)
		return err_set(e, ERR_INVALID, "a log of %llu leaves that begins with %llu",
			       (unsigned long long)size, (unsigned long long)old);
	while (old < start + count) {
		uint64_t half = split(count);
		bool right = old - start > half;

		if (push(nodes, right ? start : start + half, right ? half : count - half, &down,
			 e) < 0)
			return err_code(e);
		known &= !right;
		start += right ? half : 0;
		count = right ? count - half : half;
	}
	if (!known && push(nodes, start, count, &down, e) < 0)
		return err_code(e);
	turn(&down, path);
	return 0;
}

/* ---- the reader's side, in the words of the RFC ---- */

static void up(uint64_t *fn, uint64_t *sn)
{
	*fn >>= 1;
	*sn >>= 1;
}

/* Past the levels on which the node has no sibling. */
static void climb(uint64_t *fn, uint64_t *sn)
{
	while (!(*fn & 1) && *fn)
		up(fn, sn);
}

static int refuse(struct err *e, const char *what)
{
	return err_set(e, ERR_DENIED, "the proof that %s does not hold", what);
}

int merkle_check_inclusion(const uint8_t leaf[SHA256_LEN], uint64_t index, uint64_t size,
			   const struct merkle_path *path, const uint8_t root[SHA256_LEN],
			   struct err *e)
{
	static const char what[] = "the log has this leaf";
	uint64_t fn = index, sn = size - 1;
	uint8_t r[SHA256_LEN];

	if (index >= size || size > MERKLE_LEAVES_MAX)
		return refuse(e, what);
	memcpy(r, leaf, SHA256_LEN);
	for (size_t i = 0; i < path->count; i++) {
		const uint8_t *p = path->hashes[i];
		bool left = fn & 1 || fn == sn;

		if (!sn)
			return refuse(e, what);
		if ((left ? merkle_join(p, r, r, e) : merkle_join(r, p, r, e)) < 0)
			return err_code(e);
		if (left)
			climb(&fn, &sn);
		up(&fn, &sn);
	}
	return !sn && memcmp(r, root, SHA256_LEN) == 0 ? 0 : refuse(e, what);
}

/* The old root and the new one, from the proof's hashes. */
static int two_roots(uint64_t old, uint64_t size, const uint8_t *first,
		     const struct merkle_path *path, size_t from, uint8_t fr[SHA256_LEN],
		     uint8_t sr[SHA256_LEN], bool *whole, struct err *e)
{
	uint64_t fn = old - 1, sn = size - 1;

	while (fn & 1)
		up(&fn, &sn);
	memcpy(fr, first, SHA256_LEN);
	memcpy(sr, first, SHA256_LEN);
	*whole = false;
	for (size_t i = from; i < path->count; i++) {
		const uint8_t *c = path->hashes[i];
		bool left = fn & 1 || fn == sn;

		if (!sn)
			return 0;
		if (left ? merkle_join(c, fr, fr, e) < 0 || merkle_join(c, sr, sr, e) < 0
			 : merkle_join(sr, c, sr, e) < 0)
			return err_code(e);
		if (left)
			climb(&fn, &sn);
		up(&fn, &sn);
	}
	*whole = !sn;
	return 0;
}

int merkle_check_consistency(uint64_t old, const uint8_t old_root[SHA256_LEN], uint64_t size,
			     const uint8_t root[SHA256_LEN], const struct merkle_path *path,
			     struct err *e)
{
	static const char what[] = "the log begins as it did";
	bool power = !(old & (old - 1)), whole;
	uint8_t fr[SHA256_LEN], sr[SHA256_LEN];

	if (!old || old > size || size > MERKLE_LEAVES_MAX)
		return refuse(e, what);
	if (old == size)
		return !path->count && memcmp(old_root, root, SHA256_LEN) == 0 ? 0
									       : refuse(e, what);
	if (!path->count)
		return refuse(e, what);
	if (two_roots(old, size, power ? old_root : path->hashes[0], path, !power, fr, sr, &whole,
		      e) < 0)
		return err_code(e);
	return whole && memcmp(fr, old_root, SHA256_LEN) == 0 && memcmp(sr, root, SHA256_LEN) == 0
		       ? 0
		       : refuse(e, what);
}
