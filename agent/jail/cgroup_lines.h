/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cgroup_lines.h — where control groups lie: what /proc/self/cgroup (cgroups(7)) and
 * /proc/self/mountinfo (proc(5)) say. Only their text: nothing is opened here.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"

#include <stdint.h>

/* A host with many containers has thousands of mounts, and overlays long lines. More is refused
 * whole: half a table may name the wrong folder. */
enum {
	CGROUP_TEXT_MAX = 4 << 20, /* bytes of one file */
	CGROUP_LINES_MAX = 16384,
	CGROUP_LINE_MAX = 32768,
	CGROUP_PATH_MAX = 1024, /* with its zero */
	CGROUP_MOUNTS_MAX = 64, /* of version 1: a kernel has not twenty controllers */
};

/* Those of version 1 that a run needs. */
enum cgroup_controller { CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CPU, CGROUP_CONTROLLERS };

extern const char *const cgroup_controller_names[CGROUP_CONTROLLERS];

struct cgroup_place {
	char path[CGROUP_PATH_MAX]; /* the folder of our own group; empty: there is none */
	uint32_t major, minor;      /* of the file system that is mounted there */
};

struct cgroup_places {
	struct cgroup_place of[CGROUP_CONTROLLERS];
};

/* Our own group in version 2, from the hierarchy's root and without a slash before it; 1 if there
 * is none. */
int cgroup_lines_unified(struct span groups, char path[CGROUP_PATH_MAX], struct err *e) MUST_CHECK;

/* Our own groups in version 1. Controllers may share a place. */
int cgroup_lines_places(struct span groups, struct span mounts, struct cgroup_places *places,
			struct err *e) MUST_CHECK;
