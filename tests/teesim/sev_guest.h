/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sev_guest.h — the calls of /dev/sev-guest (drivers/virt/coco/sev-guest), for guests without
 * configfs-tsm: reports, with and without the host's certificates.
 */
#pragma once

#include "tests/teesim/device.h"

#include <sys/types.h>

enum { SEV_GUEST_CALL_LEN = 32 }; /* struct snp_guest_request_ioctl */

/* Who calls, and where that struct is in its memory. */
struct sev_guest_caller {
	pid_t pid;
	uint64_t call;
};

/* `call` is the struct, in and out; what it points to is read and written in the caller's memory.
 * 0 or what the driver returns. */
int sev_guest_ioctl(struct device *device, const struct sev_guest_caller *caller,
		    unsigned long command, uint8_t call[SEV_GUEST_CALL_LEN]);
