/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/known_hash.h"

#include "common/base/bytes.h"

#include <string.h>

static struct known_hash *set_of(struct known_hashes *known, const uint8_t hash[SHA256_LEN])
{
	return known->sets[(size_t)(hash[0] | hash[1] << 8) % KNOWN_HASH_SETS];
}

/* Which way of its set it has; KNOWN_HASH_WAYS: none. */
static size_t way_of(const struct known_hash *set, const uint8_t hash[SHA256_LEN])
{
	size_t way = 0;

	while (way < KNOWN_HASH_WAYS && !bytes_equal(set[way].bytes, hash, SHA256_LEN))
		way++;
	return way;
}

bool known_hash_is(struct known_hashes *known, const uint8_t hash[SHA256_LEN])
{
	return way_of(set_of(known, hash), hash) < KNOWN_HASH_WAYS;
}

uint64_t known_hash_account(struct known_hashes *known, const uint8_t hash[SHA256_LEN])
{
	const struct known_hash *set = set_of(known, hash);
	size_t way = way_of(set, hash);

	return way < KNOWN_HASH_WAYS ? set[way].account : 0;
}

uint64_t known_hash_work(struct known_hashes *known, const uint8_t hash[SHA256_LEN])
{
	uint64_t account;

	if (!known || !known_hash_is(known, hash))
		return 1 + hash[0] % KNOWN_HASH_STRANGERS;
	account = known_hash_account(known, hash);
	if (!account)
		memcpy(&account, hash, sizeof(account));
	return account ? account : 1;
}

/* Who chooses them finds none that meets another's in these bits. */
static uint64_t number_of(const void *bytes, size_t len)
{
	uint8_t sha[SHA256_LEN];
	uint64_t number;
	struct err ignored;

	if (digest(DIGEST_SHA256, bytes, len, sha, &ignored) < 0)
		return 0;
	memcpy(&number, sha, sizeof(number));
	return number;
}

uint64_t known_hash_stranger(const struct rpc_source *source)
{
	uint64_t number = number_of(source->bytes, sizeof(source->bytes));

	return number ? number : 1;
}

void known_hash_learn(struct known_hashes *known, const uint8_t hash[SHA256_LEN], const char *user)
{
	struct known_hash *set = set_of(known, hash);
	size_t way = way_of(set, hash);

	/* Those before it move up, into its own way or the last one's, which was shown longest ago. */
	memmove(set + 1, set, (way < KNOWN_HASH_WAYS ? way : KNOWN_HASH_WAYS - 1) * sizeof(*set));
	memcpy(set[0].bytes, hash, SHA256_LEN);
	set[0].account = user ? number_of(user, strlen(user)) : 0;
}

void known_hash_forget(struct known_hashes *known, const uint8_t hash[SHA256_LEN])
{
	struct known_hash *set = set_of(known, hash);
	size_t way = way_of(set, hash);

	if (way < KNOWN_HASH_WAYS)
		set[way] = (struct known_hash){ .account = 0 };
}
