/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/log_rate.h"

#include "common/base/rate.h"

bool log_rate_take(struct log_rate *rate, uint64_t now_ms, unsigned long *skipped)
{
	static const struct rate lines = { .every = LOG_RATE_MS, .burst = LOG_RATE_BURST };

	if (rate_take(&lines, (int64_t)now_ms, &rate->spent_until) > 0) {
		rate->skipped++;
		return false;
	}
	*skipped = rate->skipped;
	rate->skipped = 0;
	return true;
}
