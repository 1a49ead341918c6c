/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_group1.h — control groups of version 1 (Documentation/admin-guide/cgroup-v1/), for hosts
 * that start with them. Version 2 comes first: it holds more, and all at once.
 */
#pragma once

#include "agent/jail/jail_group.h"

/* A group in each place; a controller that can't hold its limit has none, and no bit. */
void jail_group1_make(const struct cgroup_places *places, const struct jail_limits *limits,
		      struct jail_group *group);
/* Writes the controller's limits into the files of a group's folder; false if it can't hold them. */
bool jail_group1_set_up(int dir, enum cgroup_controller controller,
			const struct jail_limits *limits);
/* Where cpuset is mounted together with one of ours, it lets nothing into a group that names no processors
 * and memory: gives `dir` those of its parent, whole. True also where there is no cpuset. */
bool jail_group1_inherit(int parent, int dir);
bool jail_group1_ran_out(const struct jail_group *group);
