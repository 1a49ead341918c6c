/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merkle_frontier.h — the root of a Merkle tree (merkle.h) from its leaves one after the other, in the same
 * few bytes for any number of them: what is kept is one complete subtree of each size.
 */
#pragma once

#include "common/crypto/merkle.h"

enum { MERKLE_FRONTIER_LEVELS = 33 }; /* of MERKLE_LEAVES_MAX leaves: 2^0 to 2^32 */

/* Zeros: no leaves. */
struct merkle_frontier {
	uint64_t size;
	uint64_t numbers[MERKLE_FRONTIER_LEVELS]; /* of the subtree of that level that is kept */
	uint8_t hashes[MERKLE_FRONTIER_LEVELS][SHA256_LEN];
};

/* After an error the frontier is not to be used. ERR_EXHAUSTED: there are MERKLE_LEAVES_MAX. */
int merkle_frontier_add(struct merkle_frontier *frontier, const uint8_t leaf[SHA256_LEN],
			struct err *e) MUST_CHECK;
int merkle_frontier_root(const struct merkle_frontier *frontier, uint8_t root[SHA256_LEN],
			 struct err *e) MUST_CHECK;
