/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/keeper/keeper_budget.h"

#include "common/base/rate.h"

#include <inttypes.h>

/* Nanoseconds, so that each of the rates is a whole number of them. */
#define NS_PER_MS INT64_C(1000000)
#define NS_PER_S  INT64_C(1000000000)

static const struct limit {
	const char *name;
	int64_t at_once, per_second;
	uint64_t in_all;
} limits[KEEPER_USES] = {
	[KEEPER_USE_CHANNELS] = { "evidence for channels and runs", KEEPER_CHANNELS_AT_ONCE,
				  KEEPER_CHANNELS_PER_SECOND, KEEPER_CHANNELS_MAX },
	[KEEPER_USE_QUESTIONS] = { "questions to the devices", KEEPER_QUESTIONS_AT_ONCE,
				   KEEPER_QUESTIONS_PER_SECOND, KEEPER_QUESTIONS_MAX },
	[KEEPER_USE_SIGNATURES] = { "signatures", KEEPER_SIGNATURES_AT_ONCE,
				    KEEPER_SIGNATURES_PER_SECOND, KEEPER_SIGNATURES_MAX },
};

static struct rate rate_of(const struct limit *limit, int64_t at_once)
{
	return (struct rate){ .every = NS_PER_S / limit->per_second, .burst = at_once };
}

int keeper_budget_take(struct keeper_budget *budget, enum keeper_use use, int64_t now_ms,
		       struct err *e)
{
	struct keeper_share *share = &budget->shares[use];
	const struct limit *limit = &limits[use];

	if (use == KEEPER_USE_NONE)
		return 0;
	if (share->used >= limit->in_all)
		return err_set(e, ERR_EXHAUSTED,
			       "keeper: %s: more than %" PRIu64
			       " requests since the machine started: "
			       "restart it",
			       limit->name, limit->in_all);
	struct rate rate = rate_of(limit, limit->at_once);
	if (rate_take(&rate, now_ms * NS_PER_MS, &share->spent_until_ns) > 0)
		return err_set(e, ERR_EXHAUSTED,
			       "keeper: %s: more than %" PRId64
			       " requests at once and then %" PRId64 " a second: ask again later",
			       limit->name, limit->at_once, limit->per_second);
	share->used++;
	return 0;
}

int64_t keeper_budget_wait(const struct keeper_budget *budget, enum keeper_use use, int64_t now_ms)
{
	const struct limit *limit = &limits[use];

	if (use == KEEPER_USE_NONE)
		return 0;
	struct rate rate = rate_of(limit, limit->at_once / 2);
	int64_t wait = rate_wait(&rate, now_ms * NS_PER_MS, budget->shares[use].spent_until_ns);
	return (wait + NS_PER_MS - 1) / NS_PER_MS;
}
