/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rate.h — how often something may be done: a few times at once, then one after the other.
 */
#pragma once

#include <stdint.h>

/* `burst` at once, and one more each `every_ms`. */
struct rate {
	int64_t every_ms, burst;
};

/* Counts one at `now` (milliseconds of a clock that does not go back) and returns 0; or counts nothing and
 * returns in how many ms one may come. `*spent_until` is the state: the moment at which all is as if nothing
 * had been counted, at first 0. */
int64_t rate_take(const struct rate *rate, int64_t now, int64_t *spent_until);
