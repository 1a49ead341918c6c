/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disks.h — the machine's virtio disks, by the serial numbers that the host gives them.
 */
#pragma once

#include "common/base/err.h"

#define DISKS_FOLDER "/sys/block"

enum {
	DISKS_MAX = 64,      /* disks of one machine; with more, it does not boot */
	DISKS_PATH_MAX = 64, /* of "/dev/vda" */
};

/* The device of the disk with that serial number; an empty text if there is none. Two of them are refused. */
int disks_find(const char *folder, const char *serial, char path[DISKS_PATH_MAX],
	       struct err *e) MUST_CHECK;

/* That of the first disk, in the order of their places, with another serial number. */
int disks_first_but(const char *folder, const char *serial, char path[DISKS_PATH_MAX],
		    struct err *e) MUST_CHECK;

/* One of the two above, for as long as a disk that is there may be on its way; -ERR_NOT_FOUND with the text
 * `missing` then. */
typedef int disks_finder(const char *folder, const char *serial, char path[DISKS_PATH_MAX],
			 struct err *e);
int disks_await(disks_finder *find, const char *serial, const char *missing,
		char path[DISKS_PATH_MAX], struct err *e) MUST_CHECK;
