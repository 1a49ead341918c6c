/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate.h — how often something may be done: a few times at once, then one after the other.
 */
#pragma once

#include <stdint.h>

/* `burst` at once, and one more each `every`, in the unit of the clock that the caller uses. */
struct rate {
	int64_t every, burst;
};

/* In how long one may come, 0 if that is now, and at most `every`: also where the clock went back. `spent_until` is
 * the state: the moment at which all is as if nothing had been counted, at first 0. */
int64_t rate_wait(const struct rate *rate, int64_t now, int64_t spent_until);

/* Counts one and returns 0; or counts nothing and returns in how long one may come. */
int64_t rate_take(const struct rate *rate, int64_t now, int64_t *spent_until);

/* For who keeps a state without counting: what the clock has shown before it went back is not waited off. */
void rate_settle(const struct rate *rate, int64_t now, int64_t *spent_until);
