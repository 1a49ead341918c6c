/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/keeper/keeper_budget.h"

#include <inttypes.h>

enum { WHOLE = 1000 };

static const struct limit {
	const char *name;
	uint64_t at_once, per_second, in_all;
} limits[KEEPER_USES] = {
	[KEEPER_USE_CHANNELS] = { "evidence for channels and runs", KEEPER_CHANNELS_AT_ONCE,
				  KEEPER_CHANNELS_PER_SECOND, KEEPER_CHANNELS_MAX },
	[KEEPER_USE_QUESTIONS] = { "questions to the devices", KEEPER_QUESTIONS_AT_ONCE,
				   KEEPER_QUESTIONS_PER_SECOND, KEEPER_QUESTIONS_MAX },
	[KEEPER_USE_SIGNATURES] = { "signatures", KEEPER_SIGNATURES_AT_ONCE,
				    KEEPER_SIGNATURES_PER_SECOND, KEEPER_SIGNATURES_MAX },
};

/* What is still used up at that time: each millisecond gives back per_second thousandths. */
static uint64_t left_of(const struct keeper_share *share, const struct limit *limit, int64_t now_ms)
{
	uint64_t passed = now_ms > share->at_ms ? (uint64_t)(now_ms - share->at_ms) : 0;

	/* so long that all of it is back, and that the product fits */
	if (passed >= limit->at_once * WHOLE)
		return 0;
	uint64_t back = passed * limit->per_second;
	return share->thousandths > back ? share->thousandths - back : 0;
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
			       "keeper: %s: more than %" PRIu64 " since the machine started: "
			       "restart it",
			       limit->name, limit->in_all);
	uint64_t left = left_of(share, limit, now_ms);
	if (left + WHOLE > limit->at_once * WHOLE)
		return err_set(e, ERR_EXHAUSTED,
			       "keeper: %s: more than %" PRIu64 " at once and then %" PRIu64
			       " a second: ask again later",
			       limit->name, limit->at_once, limit->per_second);
	share->thousandths = left + WHOLE;
	share->at_ms = now_ms;
	share->used++;
	return 0;
}

int64_t keeper_budget_wait(const struct keeper_budget *budget, enum keeper_use use, int64_t now_ms)
{
	const struct limit *limit = &limits[use];

	if (use == KEEPER_USE_NONE)
		return 0;
	uint64_t left = left_of(&budget->shares[use], limit, now_ms);
	uint64_t most = (limit->at_once / 2 - 1) * WHOLE;
	return left <= most ? 0
			    : (int64_t)((left - most + limit->per_second - 1) / limit->per_second);
}
