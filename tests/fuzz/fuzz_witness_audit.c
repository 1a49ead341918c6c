/* SPDX-License-Identifier: Apache-2.0 */
/* Leaves of a log of journals' heads, as a service shows them: what is none is refused, each other is written
 * as it came; and an audit of them says yes exactly where they are those of both heads, in that order. */
#include "attestation/journal/witness_audit.h"
#include "common/base/reader.h"
#include "common/base/writer.h"

#include <assert.h>
#include <string.h>

enum { LEAVES = 40 };

/* What the service does, in the input's first byte. */
enum {
	SPOILS_BEFORE = 1,
	SPOILS_ROOT = 2,
	CLAIMS_MORE = 4,
	CLAIMS_LESS = 8,
	SWAPS = 16,
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* The first are honest; the service shows `shown`. */
struct input {
	uint8_t flags, old, at;
	struct span leaves[LEAVES], shown[LEAVES];
	size_t count;
};

static void check_same(struct span bytes, const struct witness_leaf *leaf)
{
	struct writer w = writer_up_to(WITNESS_LEAF_MAX);
	struct err e;

	assert(witness_leaf_write(leaf, &w, &e) == 0);
	assert(w.len == bytes.len && memcmp(w.bytes, bytes.bytes, w.len) == 0);
	writer_done(&w);
}

static bool is_leaf(struct span bytes)
{
	const struct witness_head none = { .size = 0 }, one = { .size = 1 };
	struct witness_audit audit;
	struct witness_leaf leaf;
	struct err e;

	witness_audit_begin(&audit, &none, &one);
	int failed = witness_audit_take(&audit, bytes, &leaf, &e);
	assert(failed == 0 || failed == -ERR_INVALID);
	if (!failed)
		check_same(bytes, &leaf);
	return !failed;
}

/* By the definition, from all leaves. */
static void naive_root(const struct span *leaves, size_t count, uint8_t root[SHA256_LEN])
{
	uint8_t right[SHA256_LEN];
	size_t k = 1;
	struct err e;

	if (count < 2) {
		assert((count ? merkle_leaf(leaves->bytes, leaves->len, root, &e)
			      : merkle_empty(root, &e)) == 0);
		return;
	}
	while (2 * k < count)
		k *= 2;
	naive_root(leaves, k, root);
	naive_root(leaves + k, count - k, right);
	assert(merkle_join(root, right, root, &e) == 0);
}

static void read_input(const uint8_t *bytes, size_t len, struct input *in)
{
	struct reader r = reader_over(bytes, len);

	in->flags = reader_u8(&r);
	in->old = reader_u8(&r);
	in->at = reader_u8(&r);
	while (reader_left(&r) && in->count < LEAVES) {
		struct span leaf = { .len = reader_be16(&r) };

		leaf.bytes = reader_take(&r, leaf.len);
		if (!reader_ok(&r))
			return;
		if (is_leaf(leaf))
			in->leaves[in->count++] = leaf;
	}
}

/* Two neighbours in each other's place; whether that is another log. */
static bool swap(struct input *in)
{
	size_t at = in->count ? in->at % in->count : 0;
	struct span first = in->shown[at];

	if (!(in->flags & SWAPS) || at + 1 >= in->count)
		return false;
	in->shown[at] = in->shown[at + 1];
	in->shown[at + 1] = first;
	return !span_equal(in->shown[at], first);
}

static bool passes(const struct input *in, const struct witness_head *before,
		   const struct witness_head *now)
{
	struct witness_audit audit;
	struct witness_leaf leaf;
	struct err e;

	witness_audit_begin(&audit, before, now);
	for (size_t i = 0; i < in->count; i++) {
		assert(audit.tree.size == i);
		if (witness_audit_take(&audit, in->shown[i], &leaf, &e) < 0)
			return false;
	}
	assert(witness_audit_wants(&audit) == now->size - in->count);
	return witness_audit_end(&audit, &e) == 0;
}

static void check_log(struct input *in)
{
	struct witness_head before = { .size = in->old % (in->count + 1) };
	struct witness_head now = { .size = in->count };
	bool honest = true;

	naive_root(in->leaves, (size_t)before.size, before.root);
	naive_root(in->leaves, in->count, now.root);
	memcpy(in->shown, in->leaves, sizeof(in->shown));
	if (in->flags & SPOILS_BEFORE && before.size) {
		before.root[in->at % SHA256_LEN] ^= 1;
		honest = false;
	}
	if (in->flags & SPOILS_ROOT) {
		now.root[in->at % SHA256_LEN] ^= 1;
		honest = false;
	}
	if (in->flags & (CLAIMS_MORE | CLAIMS_LESS)) {
		now.size += in->flags & CLAIMS_MORE || !now.size ? 1 : (uint64_t)-1;
		honest = false;
	}
	honest &= !swap(in);
	assert(passes(in, &before, &now) == honest);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct input in = { .count = 0 };

	read_input(bytes, len, &in);
	check_log(&in);
	return 0;
}
