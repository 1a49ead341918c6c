/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/rate.h"

static int64_t later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

int64_t rate_wait(const struct rate *rate, int64_t now, int64_t spent_until)
{
	return later(0, later(spent_until, now) - now - (rate->burst - 1) * rate->every);
}

int64_t rate_take(const struct rate *rate, int64_t now, int64_t *spent_until)
{
	int64_t wait = rate_wait(rate, now, *spent_until);

	if (wait == 0)
		*spent_until = later(*spent_until, now) + rate->every;
	return wait;
}
