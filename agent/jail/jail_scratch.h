/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jail_scratch.h — the memory file systems that a jailed program writes to, and private layers over
 * folders that stay as they are.
 *
 * /task, /home and all layers lie on one memory file system and share its room; /tmp, /dev/shm and
 * /task/results have one each. A layer is an overlay (Documentation/filesystems/overlayfs.rst) whose
 * lower part is the folder and whose upper part nobody can reach by another way.
 *
 * For jail_root.c while it builds: paths are relative to the new root, which is the working
 * directory.
 */
#pragma once

#include "agent/jail/jail_spec.h"

/* A memory file system that holds so much and no more, at a directory that is there. */
int jail_scratch_tmpfs(const char *target, const char *mode, uint64_t bytes, uint64_t files,
		       unsigned long flags, struct err *e) MUST_CHECK;

/* All of the above; layers can be made until jail_scratch_close(). */
int jail_scratch_open(const struct jail_limits *limits, struct err *e) MUST_CHECK;
int jail_scratch_close(struct err *e) MUST_CHECK;

enum { JAIL_LAYER_CANNOT = 1 };

/* A layer over the folder of the detached mount `lower`, at a directory that is there. JAIL_LAYER_CANNOT: this
 * kernel makes none, `e` says why, and `lower` can be put elsewhere. What it can make needs Linux
 * 6.6: overlays in user namespaces (5.11) with their marks in tmpfs (user.* attributes, 6.6). */
int jail_scratch_layer(int lower, const char *target, unsigned long flags,
		       struct err *e) MUST_CHECK;
