/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merkle.h — the Merkle tree of RFC 9162, section 2.1, with SHA-256: what a log of leaves that only grows
 * hands out to prove that a leaf is in it, and that it still begins as it did.
 *
 * The tree's owner keeps the hash of each subtree that is complete: number n of level l is over the
 * leaves from n · 2^l on, 2^l of them. Nothing here allocates.
 */
#pragma once

#include "common/crypto/digest.h"

#define MERKLE_LEAVES_MAX (UINT64_C(1) << 32)
enum { MERKLE_PATH_MAX = 33 }; /* hashes in a proof; 32 for inclusion */

struct merkle_path {
	uint8_t hashes[MERKLE_PATH_MAX][SHA256_LEN];
	size_t count;
};

/* MTH of a single leaf, of two halves, and of no leaves (2.1.1). */
int merkle_leaf(const void *bytes, size_t len, uint8_t hash[SHA256_LEN], struct err *e) MUST_CHECK;
int merkle_join(const uint8_t left[SHA256_LEN], const uint8_t right[SHA256_LEN],
		uint8_t hash[SHA256_LEN], struct err *e) MUST_CHECK;
int merkle_empty(uint8_t hash[SHA256_LEN], struct err *e) MUST_CHECK;

/* Where complete subtrees are kept. put() may be NULL unless leaves are added. */
struct merkle_nodes {
	int (*get)(void *data, unsigned level, uint64_t number, uint8_t hash[SHA256_LEN],
		   struct err *e);
	int (*put)(void *data, unsigned level, uint64_t number, const uint8_t hash[SHA256_LEN],
		   struct err *e);
	void *data;
};

/* One more leaf, behind the `size` that are there: each subtree that it completes is put.
 * ERR_EXHAUSTED: there are MERKLE_LEAVES_MAX. */
int merkle_add(const struct merkle_nodes *nodes, uint64_t size, const uint8_t leaf[SHA256_LEN],
	       struct err *e) MUST_CHECK;
int merkle_root(const struct merkle_nodes *nodes, uint64_t size, uint8_t root[SHA256_LEN],
		struct err *e) MUST_CHECK;

/* PATH (2.1.3.1): leaf `index`, from 0, is in the tree of `size`. */
int merkle_prove_inclusion(const struct merkle_nodes *nodes, uint64_t index, uint64_t size,
			   struct merkle_path *path, struct err *e) MUST_CHECK;
/* PROOF (2.1.4.1): the tree of `size` begins with that of `old`, which has a leaf at least. */
int merkle_prove_consistency(const struct merkle_nodes *nodes, uint64_t old, uint64_t size,
			     struct merkle_path *path, struct err *e) MUST_CHECK;

/* 0 only if the proof holds (2.1.3.2, 2.1.4.2); else ERR_DENIED. */
int merkle_check_inclusion(const uint8_t leaf[SHA256_LEN], uint64_t index, uint64_t size,
			   const struct merkle_path *path, const uint8_t root[SHA256_LEN],
			   struct err *e) MUST_CHECK;
int merkle_check_consistency(uint64_t old, const uint8_t old_root[SHA256_LEN], uint64_t size,
			     const uint8_t root[SHA256_LEN], const struct merkle_path *path,
			     struct err *e) MUST_CHECK;
