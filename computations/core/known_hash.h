/* SPDX-License-Identifier: Apache-2.0 */
/*
 * known_hash.h — hashes of tokens and sessions that were somebody's when they were last shown, each in its place: one is
 * looked up behind the audit log's entry that its call begins, and whoever invents some could fill the disk.
 */
#pragma once

#include "common/crypto/digest.h"

#include <stdbool.h>

enum { KNOWN_HASHES = 1024 };

/* Zeroed: none. */
struct known_hashes {
	uint8_t places[KNOWN_HASHES][SHA256_LEN];
};

bool known_hash_is(const struct known_hashes *known, const uint8_t hash[SHA256_LEN]);
void known_hash_learn(struct known_hashes *known, const uint8_t hash[SHA256_LEN]);
void known_hash_forget(struct known_hashes *known, const uint8_t hash[SHA256_LEN]);
