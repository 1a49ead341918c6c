/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_limits.h — how much a jail may use: a control group (v2) for all of it where the kernel
 * lets us, and limits of each process anyway.
 */
#pragma once

#include "agent/jail/jail_spec.h"

#include <stdbool.h>
#include <sys/types.h>

/* A group with memory.max and pids.max; `dir` is -1 if none could be made. */
struct jail_group {
	int dir, parent;
	char name[48];
};

/* Never fails: without a group, jail_limits_apply() and jail_watch are what is left. */
struct jail_group jail_group_make(const struct jail_limits *limits);
int jail_group_add(const struct jail_group *group, pid_t pid, struct err *e) MUST_CHECK;
bool jail_group_ran_out(const struct jail_group *group); /* of memory, and was killed for it */
void jail_group_remove(struct jail_group *group);        /* empty by then */

/* For the process that becomes the program. `grouped`: memory is bounded by a group. */
int jail_limits_apply(const struct jail_limits *limits, bool grouped, struct err *e) MUST_CHECK;
