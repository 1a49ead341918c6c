/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock.h — the time of one of the machine's clocks, in milliseconds.
 *
 * Use CLOCK_MONOTONIC for how long something takes, CLOCK_REALTIME (since 1970) for when it was,
 * and CLOCK_BOOTTIME where the time that a guest is paused counts, too.
 */
#pragma once

#include <stdint.h>
#include <time.h>

static inline int64_t clock_ms(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
