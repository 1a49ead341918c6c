/* SPDX-License-Identifier: Apache-2.0 */
#include "common/crypto/merkle_frontier.h"

#include <assert.h>
#include <string.h>

/* Neither a new leaf nor a root asks for any but the last subtree of a level that is a left one. */
static int get(void *data, unsigned level, uint64_t number, uint8_t hash[SHA256_LEN], struct err *e)
{
	const struct merkle_frontier *f = data;

	(void)e;
	assert(level < MERKLE_FRONTIER_LEVELS && f->numbers[level] == number);
	memcpy(hash, f->hashes[level], SHA256_LEN);
	return 0;
}

static int put(void *data, unsigned level, uint64_t number, const uint8_t hash[SHA256_LEN],
	       struct err *e)
{
	struct merkle_frontier *f = data;

	(void)e;
	assert(level < MERKLE_FRONTIER_LEVELS);
	if (number & 1)
		return 0;
	f->numbers[level] = number;
	memcpy(f->hashes[level], hash, SHA256_LEN);
	return 0;
}

int merkle_frontier_add(struct merkle_frontier *frontier, const uint8_t leaf[SHA256_LEN],
			struct err *e)
{
	const struct merkle_nodes nodes = { get, put, frontier };

	if (merkle_add(&nodes, frontier->size, leaf, e) < 0)
		return err_code(e);
	frontier->size++;
	return 0;
}

int merkle_frontier_root(const struct merkle_frontier *frontier, uint8_t root[SHA256_LEN],
			 struct err *e)
{
	const struct merkle_nodes nodes = { get, NULL, (void *)(uintptr_t)frontier };

	return merkle_root(&nodes, frontier->size, root, e);
}
