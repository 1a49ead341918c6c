/* SPDX-License-Identifier: Apache-2.0 */
/*
 * boot_files.h — what a CVM is given at boot, in a folder that QEMU's user can read and nobody else.
 *
 * The image says in which form it takes it: a disk, or two folders that are offered by 9p. Either is
 * written once, before the domain starts, and never again. To another host goes a disk alone, as a volume of that
 * host's storage pool.
 */
#pragma once

#include "common/manifest/bootconfig.h"
#include "manager/launch/vm_hosts.h"

/* Of one CVM; borrowed texts. */
struct boot_paths {
	const char *folder;      /* that of all */
	const char *disk;        /* in it; or … */
	const char *env, *certs; /* … these, where `disk` is NULL */
};

/* Nothing of it may be there already. What was made stays after a failure: remove the folder. */
int boot_files_make(const struct boot_paths *paths, const struct bootconfig *boot,
		    const struct virt_host *host, struct err *e) MUST_CHECK;

/* The disk of that CVM on another host, where its path is `path`. Nothing stays after a failure, if the host can be
 * asked. */
int boot_files_send(const struct vm_host *to, const char *id, const struct bootconfig *boot,
		    char path[VIRT_PATH_MAX], struct err *e) MUST_CHECK;

/* Fine if it is not there. */
int boot_files_take_back(const struct vm_host *from, const char *id, struct err *e) MUST_CHECK;
