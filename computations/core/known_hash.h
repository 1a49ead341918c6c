/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known_hash.h — hashes of tokens and sessions that were somebody's when they were last shown: one is looked up behind
 * the audit log's entry that its call begins, and whoever invents some could fill the disk. Only those that were right
 * are learned, so nobody drives others out but by having as many himself.
 */
#pragma once

#include "common/crypto/digest.h"
#include "common/rpc/source.h"

#include <stdbool.h>

enum {
	KNOWN_HASH_WAYS = 16, /* of one set; the one that was shown longest ago gives way */
	KNOWN_HASH_SETS = 2048,
	KNOWN_HASH_STRANGERS =
		16, /* turns of all that are nobody's yet: whoever makes them up has no more */
};

struct known_hash {
	uint8_t bytes[SHA256_LEN];
	uint64_t account; /* a number of the user's own; 0: not known */
};

/* Zeroed: none. */
struct known_hashes {
	struct known_hash sets[KNOWN_HASH_SETS][KNOWN_HASH_WAYS];
};

bool known_hash_is(struct known_hashes *known, const uint8_t hash[SHA256_LEN]);
/* That of its user: the same for all that are his; 0: it is nobody's, or not known whose. */
uint64_t known_hash_account(struct known_hashes *known, const uint8_t hash[SHA256_LEN]);
/* For which account work is (store_queue.h), never 0: that one, or one of the hash's own where it is not known whose; of what is
 * nobody's yet one of KNOWN_HASH_STRANGERS. */
uint64_t known_hash_work(struct known_hashes *known, const uint8_t hash[SHA256_LEN]);
/* That of who shows nothing, by whence he comes; never 0. */
uint64_t known_hash_stranger(const struct rpc_source *source);
/* `user` NULL: whose it is comes later. */
void known_hash_learn(struct known_hashes *known, const uint8_t hash[SHA256_LEN], const char *user);
void known_hash_forget(struct known_hashes *known, const uint8_t hash[SHA256_LEN]);
