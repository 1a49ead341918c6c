/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mounts.h — the file systems of the image and the settings of the kernel: two tables.
 */
#pragma once

#include "common/base/err.h"

#define MOUNTS_WORK "/var/lib/cocos" /* memory-backed; uploads and results live here */
#define MOUNTS_ROOT "/system"        /* the image's root, as seen from the initrd */

/* proc, sys with securityfs, and dev, in the initrd; then SysRq is off. */
int mounts_early(struct err *e) MUST_CHECK;

/* What needs modules (configfs, cgroup2) and the memory-backed folders of the root
 * that lies at MOUNTS_ROOT. */
int mounts_late(struct err *e) MUST_CHECK;

/* Kernel settings that lower what the machine's owner or a program could do. */
int mounts_harden(struct err *e) MUST_CHECK;

/* Makes MOUNTS_ROOT, read-only, the root of this process. pivot_root() does not work on an
 * initramfs. */
int mounts_switch_root(struct err *e) MUST_CHECK;
