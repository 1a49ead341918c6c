/* SPDX-License-Identifier: Apache-2.0 */
/*
 * call_rate.h — how many calls may come of one account, whichever of its tokens and sessions they show: a number each second, and
 * what CALL_RATE_SECONDS of quiet left over at once. Each is counted by itself, so that nobody uses up what is another's. Who shows
 * nothing that is known is not counted: what strangers may do has limits of its own (sign_in_rate.h, call_audit.h), and who shares
 * their address would wait for them.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

enum {
	CALL_RATE_SECONDS = 60,
	CALL_RATE_SETS = 1024,
	CALL_RATE_WAYS = 16,
	CALL_RATE_MOST = 100000, /* calls a second */
	CALL_RATE_LINES = 3,     /* of the log about one account, at once; then one each: */
	CALL_RATE_LINE_SECONDS = 60,
	CALL_RATE_ALL_LINES = 10, /* about all; then one a second */
};

/* Nanoseconds of CLOCK_BOOTTIME. */
int64_t call_rate_now(void);

struct call_rate;
/* `each_second` is from 1 to CALL_RATE_MOST. */
int call_rate_new(uint64_t each_second, struct call_rate **rate, struct err *e) MUST_CHECK;
void call_rate_free(struct call_rate *rate);

/* Counts a call at `now` (ns) of known_hash_account(), which is not 0; `peer` is for the log.
 * ERR_EXHAUSTED: not yet, and nothing is counted; `*seconds`, at least 1, is in how long one may come. */
int call_rate_take(struct call_rate *rate, uint64_t account, const char *peer, int64_t now,
		   int64_t *seconds, struct err *e) MUST_CHECK;
