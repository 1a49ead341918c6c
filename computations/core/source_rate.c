/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/source_rate.h"

#include "common/crypto/keyed_hash.h"

#include <stdlib.h>

enum { SETS = 256, WAYS = 4 };

/* Who asked lately. Who comes when all of a set are taken makes the one forgotten that is soonest as if nothing had been;
 * which set it is, nobody can choose. */
struct way {
	uint64_t who; /* 0: nobody */
	int64_t spent_until;
};

struct source_rate {
	struct source_rates rates;
	struct keyed_hash *hash;
	int64_t spent_until; /* by all */
	struct way ways[SETS][WAYS];
};

int source_rate_new(const struct source_rates *rates, struct source_rate **rate, struct err *e)
{
	struct source_rate *made = calloc(1, sizeof(*made));

	if (!made)
		return err_nomem(e);
	made->hash = keyed_hash_new(NULL, e);
	if (!made->hash) {
		free(made);
		return err_set(e, ERR_EXHAUSTED, "no memory or randomness for a table");
	}
	made->rates = *rates;
	*rate = made;
	return 0;
}

void source_rate_free(struct source_rate *rate)
{
	if (!rate)
		return;
	keyed_hash_free(rate->hash);
	free(rate);
}

static struct way *way_of(struct source_rate *rate, uint64_t who)
{
	struct way *set = rate->ways[(who >> 1) % SETS], *oldest = set; /* not by the lowest bit */

	for (int i = 0; i < WAYS; i++) {
		if (set[i].who == who)
			return &set[i];
		if (set[i].spent_until < oldest->spent_until)
			oldest = &set[i];
	}
	*oldest = (struct way){ .who = who };
	return oldest;
}

bool source_rate_take(struct source_rate *rate, const struct rpc_source *source, int64_t now)
{
	struct err ignored;
	struct way *way;
	uint64_t who;

	if (keyed_hash_of(rate->hash, source->bytes, RPC_SOURCE_LEN, &who, &ignored) < 0)
		return false;
	way = way_of(rate, who | 1);
	return !rate_wait(&rate->rates.source, now, way->spent_until) &&
	       !rate_take(&rate->rates.all, now, &rate->spent_until) &&
	       !rate_take(&rate->rates.source, now, &way->spent_until);
}
