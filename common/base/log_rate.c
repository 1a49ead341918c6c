/* SPDX-License-Identifier: Apache-2.0 */
#include "common/base/log_rate.h"

bool log_rate_take(struct log_rate *rate, uint64_t now_ms, unsigned long *skipped)
{
	uint64_t earned = (now_ms - rate->since) / LOG_RATE_MS;

	if (earned >= rate->used) {
		rate->used = 0;
		rate->since = now_ms;
	} else {
		rate->used -= (unsigned)earned;
		rate->since += earned * LOG_RATE_MS;
	}
	if (rate->used == LOG_RATE_BURST) {
		rate->skipped++;
		return false;
	}
	rate->used++;
	*skipped = rate->skipped;
	rate->skipped = 0;
	return true;
}
