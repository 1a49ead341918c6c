/* SPDX-License-Identifier: Apache-2.0 */
/*
 * usage_share.h — how much of what a workspace may run in a month it has run: the sums of its rows beside its limits.
 */
#pragma once

#include "computations.pb-c.h"

#include <stdbool.h>

enum { USAGE_HOURS_MAX = 32 };
/* "1.250": hours of so many ms. */
void usage_hours(unsigned long long ms, char text[USAGE_HOURS_MAX]);
/* "0.500": GiB times hours. */
void usage_gib_hours(unsigned long long mib_seconds, char text[USAGE_HOURS_MAX]);

/* "0.500": MiB times hours. */
void usage_mib_hours(unsigned long long mib_seconds, char text[USAGE_HOURS_MAX]);

/* "4.1 MB": decimal, with one digit behind the point. */
void usage_bytes(unsigned long long bytes, char text[USAGE_HOURS_MAX]);
/* What is too much to be counted is the most that can be. */
void usage_bytes_add(unsigned long long *sum, unsigned long long more);

/* Of one workspace, whose rows follow each other. */
struct usage_share {
	char *workspace; /* or the account that pays for several; NULL: none yet */
	bool is_removed;
	struct {
		unsigned long long cvm_hours, cpu_hours, memory_gib_hours;
	} limit; /* 0: none */
	unsigned long long cvm_ms, cpu_ms, memory_mib_seconds;
};
void usage_share_done(struct usage_share *share);

/* Whether that row is of another workspace. */
bool usage_share_is_other(const struct usage_share *share, const Computations__Usage *row);
/* False: out of memory. */
bool usage_share_add(struct usage_share *share, const Computations__Usage *row);

/* One of its limits. */
struct usage_share_row {
	const char *what; /* "CPU hours" */
	char used[USAGE_HOURS_MAX];
	unsigned long long limit;
	unsigned percent; /* 999 at most */
};
enum { USAGE_SHARE_ROWS = 3, USAGE_NEARLY_PERCENT = 80 };
/* How many it has. */
size_t usage_share_rows(const struct usage_share *share,
			struct usage_share_row rows[USAGE_SHARE_ROWS]);
