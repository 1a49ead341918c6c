/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_rate.h — how many calls may come of one account, whichever of its tokens and sessions they show, and of one address
 * without an account: a number each second, and what CALL_RATE_SECONDS of quiet left over at once. Each is counted by
 * itself, so that nobody uses up what is another's. Who administers the service without being one of its users is not counted.
 */
#pragma once

#include "common/base/err.h"
#include "common/rpc/source.h"

#include <stdint.h>

enum {
	CALL_RATE_SECONDS = 60,
	CALL_RATE_SETS = 1024, /* of accounts, and as many of addresses */
	CALL_RATE_WAYS = 16,
	CALL_RATE_MOST = 100000, /* calls a second */
};

/* Nanoseconds of CLOCK_BOOTTIME. */
int64_t call_rate_now(void);

struct call_rate;
/* `each_second` is from 1 to CALL_RATE_MOST. */
int call_rate_new(uint64_t each_second, struct call_rate **rate, struct err *e) MUST_CHECK;
void call_rate_free(struct call_rate *rate);

struct call_rate_caller {
	uint64_t account; /* known_hash_account(); 0: none that is known, and the address counts */
	struct rpc_source source;
	const char *peer; /* for the log */
};

/* Counts a call at `now` (ns of a clock that does not go back). ERR_EXHAUSTED: not yet, and nothing is counted; `*seconds`,
 * at least 1, is in how long one may come. */
int call_rate_take(struct call_rate *rate, const struct call_rate_caller *caller, int64_t now,
		   int64_t *seconds, struct err *e) MUST_CHECK;
