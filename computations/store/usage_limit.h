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

/* What an account may have all its workspaces run in a month, by name (store_billing.h); of the quota the hours alone. */
enum { USAGE_PLANS_MAX = 64, USAGE_PLAN_NAME_MAX = 63 };
struct usage_plan {
	char name[USAGE_PLAN_NAME_MAX + 1];
	struct machine_quota quota;
};
struct usage_plans {
	struct usage_plan rows[USAGE_PLANS_MAX];
	size_t count;
};
/* NULL: there is none. */
const struct usage_plan *usage_plan_find(const struct usage_plans *plans, const char *name);

enum usage_level { USAGE_WITHIN, USAGE_NEARLY, USAGE_SPENT };

/* How far a workspace is, by what is used most; or the account that pays for it, with all its workspaces. */
struct usage_standing {
	enum usage_level level;
	bool is_account;
	bool has_no_plan; /* the account's is none that there is: nothing is known of its limits */
	char text[USAGE_STANDING_MAX]; /* which limit; "" within all */
};

/* How far sums of that month are. */
void usage_limit_judge(const struct usage_sums *sums, const struct machine_quota *quota,
		       const struct usage_month *month, struct usage_standing *standing);

/* How far a workspace is in the month of `now`. */
int usage_limit_standing(struct store *store, int64_t workspace, const struct machine_quota *quota,
			 int64_t now, struct usage_standing *standing, struct err *e) MUST_CHECK;

/* ERR_EXHAUSTED: its month's is spent, or that of the account that pays for it; ERR_PRECONDITION: that has no plan that
 * there is. */
int usage_limit_check(struct store *store, int64_t workspace, const struct machine_quota *quota,
		      const struct usage_plans *plans, int64_t now, struct err *e) MUST_CHECK;

/* A CVM that runs: says so in its reason if it is nearly spent; if it is spent, it is to be removed, for that reason,
 * which it keeps. */
int usage_limit_apply(struct store *store, int64_t machine, const struct machine_quota *quota,
		      const struct usage_plans *plans, int64_t now, struct err *e) MUST_CHECK;
/* Why it is to be removed: "" unless it is by such a limit; lent. */
const char *usage_limit_reason(const struct machine *m);
