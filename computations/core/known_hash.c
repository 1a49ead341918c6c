/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/known_hash.h"

#include "common/base/bytes.h"

#include <string.h>

static size_t place_of(const uint8_t hash[SHA256_LEN])
{
	return (size_t)(hash[0] | hash[1] << 8) % KNOWN_HASHES;
}

bool known_hash_is(const struct known_hashes *known, const uint8_t hash[SHA256_LEN])
{
	return bytes_equal(known->places[place_of(hash)], hash, SHA256_LEN);
}

void known_hash_learn(struct known_hashes *known, const uint8_t hash[SHA256_LEN])
{
	memcpy(known->places[place_of(hash)], hash, SHA256_LEN);
}

void known_hash_forget(struct known_hashes *known, const uint8_t hash[SHA256_LEN])
{
	if (known_hash_is(known, hash))
		memset(known->places[place_of(hash)], 0, SHA256_LEN);
}
