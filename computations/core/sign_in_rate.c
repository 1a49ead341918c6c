/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/sign_in_rate.h"

#include <stdlib.h>
#include <string.h>

static const struct rate of_pair = { SIGN_IN_NAME_EVERY_MS, SIGN_IN_NAME_BURST };
static const struct rate of_source = { SIGN_IN_SOURCE_EVERY_MS, SIGN_IN_SOURCE_BURST };

int sign_in_rate_new(struct sign_in_rate **rate, struct err *e)
{
	struct sign_in_rate *made = calloc(1, sizeof(*made));

	if (!made)
		return err_nomem(e);
	made->hash = keyed_hash_new(NULL, e);
	if (!made->hash) {
		free(made);
		return err_set(e, ERR_EXHAUSTED, "no memory or randomness for a table");
	}
	*rate = made;
	return 0;
}

void sign_in_rate_free(struct sign_in_rate *rate)
{
	if (!rate)
		return;
	keyed_hash_free(rate->hash);
	free(rate);
}

/* Its own way, or the one to be forgotten. */
static struct sign_in_way *way_of(struct sign_in_way sets[SIGN_IN_SETS][SIGN_IN_WAYS], uint64_t who)
{
	/* Not by the lowest bit, which find() sets. */
	struct sign_in_way *set = sets[(who >> 1) % SIGN_IN_SETS], *oldest = set;

	for (int i = 0; i < SIGN_IN_WAYS; i++) {
		if (set[i].who == who)
			return &set[i];
		if (set[i].spent_until < oldest->spent_until)
			oldest = &set[i];
	}
	*oldest = (struct sign_in_way){ .who = who };
	return oldest;
}

/* What of an address, and of it with a name. */
static int find(struct sign_in_rate *rate, const struct rpc_source *source, const char *name,
		struct sign_in_way **by_source, struct sign_in_way **by_pair, struct err *e)
{
	uint8_t pair[RPC_SOURCE_LEN + 64] = { 0 };
	size_t len = strnlen(name, sizeof(pair) - RPC_SOURCE_LEN);
	uint64_t who;

	memcpy(pair, source->bytes, RPC_SOURCE_LEN);
	memcpy(pair + RPC_SOURCE_LEN, name, len);
	if (keyed_hash_of(rate->hash, source->bytes, RPC_SOURCE_LEN, &who, e) < 0)
		return err_code(e);
	*by_source = way_of(rate->sources, who | 1);
	if (keyed_hash_of(rate->hash, pair, RPC_SOURCE_LEN + len, &who, e) < 0)
		return err_code(e);
	*by_pair = way_of(rate->pairs, who | 1);
	return 0;
}

int sign_in_rate_take(struct sign_in_rate *rate, const struct rpc_source *source, const char *name,
		      int64_t now, struct err *e)
{
	struct sign_in_way *by_source, *by_pair;
	int64_t wait, other;

	if (find(rate, source, name, &by_source, &by_pair, e) < 0)
		return err_code(e);
	wait = rate_wait(&of_source, now, by_source->spent_until);
	other = rate_wait(&of_pair, now, by_pair->spent_until);
	wait = wait > other ? wait : other;
	if (wait)
		return err_set(e, ERR_EXHAUSTED,
			       "too many tries from your address: the next is in %lld seconds",
			       (long long)(wait + 999) / 1000);
	(void)rate_take(&of_source, now, &by_source->spent_until);
	(void)rate_take(&of_pair, now, &by_pair->spent_until);
	return 0;
}

void sign_in_rate_good(struct sign_in_rate *rate, const struct rpc_source *source, const char *name,
		       int64_t now)
{
	struct sign_in_way *by_source, *by_pair;
	struct err ignored;

	if (find(rate, source, name, &by_source, &by_pair, &ignored) < 0)
		return;
	by_pair->spent_until = now;
	by_source->spent_until -= of_source.every;
}
