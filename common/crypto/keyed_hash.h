/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyed_hash.h — SipHash-2-4 (Aumasson, Bernstein 2012) under a key that nobody knows: for tables of names that
 * others choose, who could else choose names that meet. No digest, and never for what is kept or sent.
 */
#pragma once

#include "common/base/err.h"

#include <stddef.h>
#include <stdint.h>

enum { KEYED_HASH_KEY_LEN = 16 };

struct keyed_hash;

/* Under a random key; with `key` (of KEYED_HASH_KEY_LEN bytes) under that one. NULL: out of memory or of randomness. */
struct keyed_hash *keyed_hash_new(const uint8_t *key, struct err *e);
void keyed_hash_free(struct keyed_hash *hash);

int keyed_hash_of(struct keyed_hash *hash, const void *bytes, size_t len, uint64_t *value,
		  struct err *e) MUST_CHECK;
