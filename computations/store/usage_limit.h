/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage_limit.h — how much of what a workspace's CVMs may run in a month they have run (store_usage.h).
 *
 * Months are in UTC, and a moment is in one of them: what is used of one counts in no other, and with the next one it is
 * nothing again. What runs is noted each minute, so that a limit is passed by a minute of each CVM at most.
 */
#pragma once

#include "computations/store/store_usage.h"

enum {
	USAGE_LIMIT_MAX =
		100 * 1000 * 1000, /* hours; in a month it is more than MACHINES_MAX of one CPU */
	USAGE_STANDING_MAX = 256,
};

enum usage_level { USAGE_WITHIN, USAGE_NEARLY, USAGE_SPENT };

/* How far a workspace is, by what is used most. */
struct usage_standing {
	enum usage_level level;
	char text[USAGE_STANDING_MAX]; /* which limit; "" within all */
};

/* How far sums of that month are. */
void usage_limit_judge(const struct usage_sums *sums, const struct machine_quota *quota,
		       const struct usage_month *month, struct usage_standing *standing);

/* How far a workspace is in the month of `now`. */
int usage_limit_standing(struct store *store, int64_t workspace, const struct machine_quota *quota,
			 int64_t now, struct usage_standing *standing, struct err *e) MUST_CHECK;

/* ERR_EXHAUSTED: its month's is spent. */
int usage_limit_check(struct store *store, int64_t workspace, const struct machine_quota *quota,
		      int64_t now, struct err *e) MUST_CHECK;

/* A CVM that runs: says so in its reason if it is nearly spent; if it is spent, it is to be removed, for that reason,
 * which it keeps. */
int usage_limit_apply(struct store *store, int64_t machine, const struct machine_quota *quota,
		      int64_t now, struct err *e) MUST_CHECK;
/* Why it is to be removed: "" unless it is by such a limit; lent. */
const char *usage_limit_reason(const struct machine *m);
