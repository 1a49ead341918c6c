/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fs.h — the simulated interfaces as a file system: report/ as configfs-tsm's; for TDX
 * measurements/ as that of the guest device, for SEV-SNP sev-guest, a file that answers the calls
 * of the device of that name.
 */
#pragma once

#include "tests/teesim/tsm.h"

/* Mounts at that folder, runs `ready` when everything can be used, and serves until the folder
 * is unmounted or SIGTERM. One request at a time, as a device does. */
int fs_serve(struct tsm *tsm, const char *folder, int (*ready)(void *data, struct err *e),
	     void *data, struct err *e) MUST_CHECK;
