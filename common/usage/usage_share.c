/* SPDX-License-Identifier: Apache-2.0 */
#include "common/usage/usage_share.h"

#include "common/base/cleanup.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
	MS_IN_HOUR = 3600 * 1000,
	S_IN_HOUR = 3600,
	MIB_S_IN_GIB_HOUR = 1024 * 3600,
	PERCENT_MAX = 999
};

static void thousandths(unsigned long long number, unsigned long long unit,
			char text[USAGE_HOURS_MAX])
{
	snprintf(text, USAGE_HOURS_MAX, "%llu.%03llu", number / unit, number % unit * 1000 / unit);
}

void usage_hours(unsigned long long ms, char text[USAGE_HOURS_MAX])
{
	thousandths(ms, MS_IN_HOUR, text);
}

void usage_gib_hours(unsigned long long mib_seconds, char text[USAGE_HOURS_MAX])
{
	thousandths(mib_seconds, MIB_S_IN_GIB_HOUR, text);
}

void usage_mib_hours(unsigned long long mib_seconds, char text[USAGE_HOURS_MAX])
{
	thousandths(mib_seconds, S_IN_HOUR, text);
}

void usage_bytes(unsigned long long bytes, char text[USAGE_HOURS_MAX])
{
	static const char *const units[] = { "bytes", "kB", "MB", "GB", "TB" };
	unsigned long long tenth = 0;
	size_t unit = 0;

	for (; bytes >= 1000 && unit + 1 < ARRAY_LEN(units); unit++) {
		tenth = bytes % 1000 / 100;
		bytes /= 1000;
	}
	if (unit)
		snprintf(text, USAGE_HOURS_MAX, "%llu.%llu %s", bytes, tenth, units[unit]);
	else
		snprintf(text, USAGE_HOURS_MAX, "%llu bytes", bytes);
}

void usage_bytes_add(unsigned long long *sum, unsigned long long more)
{
	if (__builtin_add_overflow(*sum, more, sum))
		*sum = ULLONG_MAX;
}

void usage_share_done(struct usage_share *share)
{
	free(share->workspace);
	*share = (struct usage_share){ .workspace = NULL };
}

bool usage_share_is_other(const struct usage_share *share, const Computations__Usage *row)
{
	return !share->workspace || share->is_removed != row->removed ||
	       strcmp(share->workspace, row->workspace) != 0;
}

bool usage_share_add(struct usage_share *share, const Computations__Usage *row)
{
	if (usage_share_is_other(share, row)) {
		usage_share_done(share);
		share->workspace = strdup(row->workspace);
		share->is_removed = row->removed;
		if (row->limit) {
			share->limit.cvm_hours = row->limit->cvm_hours;
			share->limit.cpu_hours = row->limit->cpu_hours;
			share->limit.memory_gib_hours = row->limit->memory_gib_hours;
		}
	}
	share->cvm_ms += row->cvm_ms;
	share->cpu_ms += row->cpu_ms;
	share->memory_mib_seconds += row->memory_mib_seconds;
	return share->workspace;
}

/* Of numbers of a service, which may be any. */
static unsigned percent(unsigned long long used, unsigned long long limit, unsigned long long unit)
{
	double share = (double)used / ((double)limit * (double)unit) * 100;

	return share < (double)PERCENT_MAX ? (unsigned)share : PERCENT_MAX;
}

size_t usage_share_rows(const struct usage_share *share,
			struct usage_share_row rows[USAGE_SHARE_ROWS])
{
	const struct {
		const char *what;
		unsigned long long used, limit, unit;
	} all[USAGE_SHARE_ROWS] = {
		{ "CVM hours", share->cvm_ms, share->limit.cvm_hours, MS_IN_HOUR },
		{ "CPU hours", share->cpu_ms, share->limit.cpu_hours, MS_IN_HOUR },
		{ "GiB hours", share->memory_mib_seconds, share->limit.memory_gib_hours,
		  MIB_S_IN_GIB_HOUR },
	};
	size_t count = 0;

	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		struct usage_share_row *row = &rows[count];

		if (!all[i].limit)
			continue;
		row->what = all[i].what;
		thousandths(all[i].used, all[i].unit, row->used);
		row->limit = all[i].limit;
		row->percent = percent(all[i].used, all[i].limit, all[i].unit);
		count++;
	}
	return count;
}
