/* SPDX-License-Identifier: Apache-2.0 */
#include "computations/core/call_rate.h"

#include "common/base/log.h"
#include "common/base/log_rate.h"
#include "common/base/rate.h"
#include "common/crypto/keyed_hash.h"

#include <stdlib.h>
#include <time.h>

#define SECOND_NS INT64_C(1000000000)

/* Who called lately. Who comes when all of a set are taken gets the place of the one that has the least to wait off, and that
 * wait with it: nobody is as if he had not called because others came, and it takes as many who call without end as there are
 * places to make somebody wait. Which set it is, nobody can choose. */
struct way {
	uint64_t who; /* 0: nobody */
	int64_t spent_until;
};

struct call_rate {
	struct rate each;
	uint64_t each_second;
	struct keyed_hash *hash;
	struct log_rate refusals;
	struct way sets[CALL_RATE_SETS][CALL_RATE_WAYS];
};

int64_t call_rate_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (int64_t)now.tv_sec * SECOND_NS + now.tv_nsec;
}

int call_rate_new(uint64_t each_second, struct call_rate **rate, struct err *e)
{
	struct call_rate *made = calloc(1, sizeof(*made));

	if (!made)
		return err_nomem(e);
	made->hash = keyed_hash_new(NULL, e);
	if (!made->hash) {
		free(made);
		return err_code(e);
	}
	made->each = (struct rate){ SECOND_NS / (int64_t)each_second,
				    CALL_RATE_SECONDS * (int64_t)each_second };
	made->each_second = each_second;
	*rate = made;
	return 0;
}

void call_rate_free(struct call_rate *rate)
{
	if (!rate)
		return;
	keyed_hash_free(rate->hash);
	free(rate);
}

static struct way *way_of(struct way sets[CALL_RATE_SETS][CALL_RATE_WAYS], uint64_t who)
{
	/* Not by the lowest bit, which call_rate_take() sets. */
	struct way *set = sets[(who >> 1) % CALL_RATE_SETS], *least = set;

	for (int i = 0; i < CALL_RATE_WAYS; i++) {
		if (set[i].who == who)
			return &set[i];
		if (set[i].spent_until < least->spent_until)
			least = &set[i];
	}
	least->who = who;
	return least;
}

/* Whose account it is, other logs say of that address. */
static void tell(struct call_rate *rate, const char *peer, int64_t now)
{
	unsigned long skipped;

	if (!log_rate_take(&rate->refusals, (uint64_t)(now / (SECOND_NS / 1000)), &skipped))
		return;
	if (skipped)
		log_warn("%lu other calls were refused: more than COMPUTATIONS_MAX_CALLS", skipped);
	log_warn("a call of %s is refused: more than %llu a second of its user "
		 "(COMPUTATIONS_MAX_CALLS)",
		 log_quote(peer).text, (unsigned long long)rate->each_second);
}

int call_rate_take(struct call_rate *rate, uint64_t account, const char *peer, int64_t now,
		   int64_t *seconds, struct err *e)
{
	uint64_t who;
	int64_t wait;

	if (keyed_hash_of(rate->hash, &account, sizeof(account), &who, e) < 0)
		return err_code(e);
	wait = rate_take(&rate->each, now, &way_of(rate->sets, who | 1)->spent_until);
	if (!wait)
		return 0;
	tell(rate, peer, now);
	*seconds = (wait + SECOND_NS - 1) / SECOND_NS;
	return err_set(e, ERR_EXHAUSTED,
		       "too many calls from your account: the next is in %lld second%s. Make fewer "
		       "than %llu a second, or have the service's COMPUTATIONS_MAX_CALLS raised",
		       (long long)*seconds, *seconds == 1 ? "" : "s",
		       (unsigned long long)rate->each_second);
}
