/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper_devices.h — what root hands to the keeper's user in the guest image, before the keeper runs.
 *
 * The TPM, SEV-SNP's device, TDX's registers, the event logs that belong to them, and two entries of
 * configfs-tsm: the kernel gives root whatever is made in there, so that a user can't make its own.
 */
#pragma once

#include "common/base/err.h"

#include <stdint.h>

/* What the machine does not have is stepped over. */
int keeper_devices_give(uint32_t user, struct err *e) MUST_CHECK;
