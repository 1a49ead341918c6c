/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot_files.h — what a CVM is given at boot, in a folder that QEMU's user can read and nobody else.
 *
 * The image says in which form it takes it: a disk, or two folders that are offered by 9p. Either is
 * written once, before the domain starts, and never again.
 */
#pragma once

#include "common/manifest/bootconfig.h"
#include "manager/virt.h"

/* Of one CVM; borrowed texts. */
struct boot_paths {
	const char *folder;      /* that of all */
	const char *disk;        /* in it; or … */
	const char *env, *certs; /* … these, where `disk` is NULL */
};

/* Nothing of it may be there already. What was made stays after a failure: remove the folder. */
int boot_files_make(const struct boot_paths *paths, const struct bootconfig *boot,
		    const struct virt_host *host, struct err *e) MUST_CHECK;
