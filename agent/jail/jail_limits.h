/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_limits.h — how much a jail may use: a control group (v2) for all of it where the kernel
 * lets us, and limits of each process anyway.
 */
#pragma once

#include "agent/jail/jail_spec.h"

#include <stdbool.h>
#include <sys/types.h>

/* Where no group counts the memory of sockets and pipes, there may be fewer of them. */
enum { JAIL_UNGROUPED_FILES = 128 };

/* A group with memory.max and pids.max, and cpu.max if that is limited; `dir` is -1 if none could be made. */
struct jail_group {
	int dir, parent;
	char name[48];
};

/* Never fails: without a group, jail_limits_apply() and jail_watch are what is left, with the
 * limits of jail_limits_ungrouped(). */
struct jail_group jail_group_make(const struct jail_limits *limits);
/* Writes the limits into the files of the group's folder; false if it can't hold all of them. */
bool jail_group_set_up(int dir, const struct jail_limits *limits);
/* Fails where a run may not go on without a group. */
int jail_limits_ungrouped(bool group_required, struct jail_limits *limits,
			  struct err *e) MUST_CHECK;
int jail_group_add(const struct jail_group *group, pid_t pid, struct err *e) MUST_CHECK;
bool jail_group_ran_out(const struct jail_group *group); /* of memory, and was killed for it */
void jail_group_remove(struct jail_group *group);        /* empty by then */

/* For the process that becomes the program. `grouped`: memory is bounded by a group. */
int jail_limits_apply(const struct jail_limits *limits, bool grouped, struct err *e) MUST_CHECK;
