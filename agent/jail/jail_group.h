/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_group.h — the control groups that hold all of a jail together: one of version 2, else one
 * of version 1 for each controller that there is.
 */
#pragma once

#include "agent/jail/cgroup_lines.h"
#include "agent/jail/group_files.h"
#include "agent/jail/jail_spec.h"

#include <stdbool.h>
#include <sys/types.h>

/* What groups hold, as bits; one byte of JAIL_STARTED. */
enum {
	JAIL_HELD_MEMORY = 1 << CGROUP_MEMORY,
	JAIL_HELD_PIDS = 1 << CGROUP_PIDS,
	JAIL_HELD_CPU = 1 << CGROUP_CPU,
	JAIL_HELD_BY_2 = JAIL_HELD_MEMORY | JAIL_HELD_PIDS | JAIL_HELD_CPU,
	JAIL_HELD_BY_1 = 1 << CGROUP_CONTROLLERS, /* and by groups of version 1 */
};

/* Descriptors are -1 where nothing is. Version 2 has all in the first. */
struct jail_group {
	unsigned int held;
	struct {
		int dir, parent;
		char name[GROUP_NAME_MAX];
	} of[CGROUP_CONTROLLERS];
};

extern const struct jail_group jail_group_none;

/* Never fails: what no group holds is for jail_limits_ungrouped() to lower or to refuse.
 * `strict`: version 2 or none. */
struct jail_group jail_group_make(const struct jail_limits *limits, bool strict);
/* Writes the limits into the files of the group's folder; false if it can't hold all of them. */
bool jail_group_set_up(int dir, const struct jail_limits *limits);
int jail_group_add(const struct jail_group *group, pid_t pid, struct err *e) MUST_CHECK;
bool jail_group_ran_out(const struct jail_group *group); /* of memory, and was killed for it */
void jail_group_remove(struct jail_group *group);        /* empty by then */
