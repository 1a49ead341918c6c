/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program under test: the time of day jumps by years, forth and back, from one
 * question to the next, while time that only runs is left alone. */
#include <stdatomic.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#pragma GCC visibility push(default)

int clock_gettime(clockid_t clock, struct timespec *now)
{
	static const long years[] = { 0, 40, -20, 3, -45 };
	static atomic_uint asked;
	long r = syscall(SYS_clock_gettime, clock, now);

	if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)
		now->tv_sec += years[asked++ % 5] * 366 * 24 * 3600;
	return (int)r;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	now->tv_sec = ts.tv_sec;
	now->tv_usec = ts.tv_nsec / 1000;
	return 0;
}

time_t time(time_t *now)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	if (now)
		*now = ts.tv_sec;
	return ts.tv_sec;
}

#pragma GCC visibility pop
