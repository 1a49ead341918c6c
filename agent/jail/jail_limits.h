/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_limits.h — how much a jail may use where no control group holds it, and limits of each
 * process anyway.
 */
#pragma once

#include "agent/jail/jail_spec.h"

#include <stdbool.h>

/* Where no group counts the memory of sockets and pipes, there may be fewer of them. */
enum { JAIL_UNGROUPED_FILES = 128 };

/* Lowers what `held` (jail_group.h) leaves open. Fails where a run may not go on without a group
 * of version 2, or without what the settings demand. */
int jail_limits_ungrouped(bool group_required, unsigned int held, struct jail_limits *limits,
			  struct err *e) MUST_CHECK;

/* In the log: which groups hold a run, and what stands for those that are missing. */
void jail_limits_tell(unsigned int held);

/* For the process that becomes the program. `grouped`: memory is bounded by a group. */
int jail_limits_apply(const struct jail_limits *limits, bool grouped, struct err *e) MUST_CHECK;
