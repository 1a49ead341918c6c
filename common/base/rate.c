/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/rate.h"

int64_t rate_take(const struct rate *rate, int64_t now, int64_t *spent_until)
{
	int64_t from = *spent_until > now ? *spent_until : now;
	int64_t wait = from - now - (rate->burst - 1) * rate->every_ms;

	if (wait > 0)
		return wait;
	*spent_until = from + rate->every_ms;
	return 0;
}
