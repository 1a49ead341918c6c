/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper_budget.h — how often the devices are asked, whoever asks: so many at once, then so many a
 * second, and so many in all until the machine restarts.
 *
 * A processor of AMD's or a TPM serves others, too, and an agent that an intruder has taken over could
 * keep it busy for good. The keeper refuses what is over its limits. The agent counts as well, by less
 * at once, and lets requests wait, so that it never comes to that.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

/* What each device needs for one is milliseconds: an honest agent's rates are below these. The totals
 * are more than a year of the highest rate. */
enum {
	KEEPER_CHANNELS_AT_ONCE = 1024,
	KEEPER_CHANNELS_PER_SECOND = 64,
	KEEPER_QUESTIONS_AT_ONCE = 256,
	KEEPER_QUESTIONS_PER_SECOND = 16,
	KEEPER_SIGNATURES_AT_ONCE = 1024,
	KEEPER_SIGNATURES_PER_SECOND = 256,
};
#define KEEPER_CHANNELS_MAX   (UINT64_C(1) << 31)
#define KEEPER_QUESTIONS_MAX  (UINT64_C(1) << 29)
#define KEEPER_SIGNATURES_MAX (UINT64_C(1) << 33)

/* What is counted together: what anybody may ask has no share in what channels need. */
enum keeper_use {
	KEEPER_USE_NONE,       /* no device, or bounded by something else (KEEPER_EVENTS_MAX) */
	KEEPER_USE_CHANNELS,   /* RUN, CHANNEL */
	KEEPER_USE_QUESTIONS,  /* what else reads a TPM or makes evidence */
	KEEPER_USE_SIGNATURES, /* by the journal's key: no device, and yet not for ever */
	KEEPER_USES,
};

struct keeper_budget {
	struct keeper_share {
		uint64_t used;          /* since the machine started */
		int64_t spent_until_ns; /* as of common/base/rate.h */
	} shares[KEEPER_USES];
};

/* Takes one; ERR_EXHAUSTED, and nothing is taken, over a limit. `now_ms` is of a clock that never
 * goes back, of less than two centuries. */
int keeper_budget_take(struct keeper_budget *budget, enum keeper_use use, int64_t now_ms,
		       struct err *e) MUST_CHECK;

/* For who asks: milliseconds until the next one may be, 0 if that is now, by half of what may be at
 * once. The rest is for answers that came late. */
int64_t keeper_budget_wait(const struct keeper_budget *budget, enum keeper_use use, int64_t now_ms);
