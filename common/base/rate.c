/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/rate.h"

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

void rate_settle(const struct rate *rate, int64_t now, int64_t *spent_until)
{
	const int64_t most = now + rate->burst * rate->every;

	if (*spent_until > most)
		*spent_until = most;
}

int64_t rate_wait(const struct rate *rate, int64_t now, int64_t spent_until)
{
	rate_settle(rate, now, &spent_until);
	return later(0, later(spent_until, now) - now - (rate->burst - 1) * rate->every);
}

int64_t rate_take(const struct rate *rate, int64_t now, int64_t *spent_until)
{
	int64_t wait = rate_wait(rate, now, *spent_until);

	rate_settle(rate, now, spent_until);
	if (wait == 0)
		*spent_until = later(*spent_until, now) + rate->every;
	return wait;
}
