/* SPDX-License-Identifier: Apache-2.0 */
/*
 * devices.h — the machine's PCI devices, against those that a launch has.
 *
 * A host may add any device. Drivers of ours are few, Debian's kernel has hundreds: what is not in the table
 * stops the boot, before modules are loaded and before anything of an owner's is in the machine.
 */
#pragma once

#include "common/base/err.h"

#include <stdbool.h>

#define DEVICES_BUS "/sys/bus/pci"

enum {
	DEVICES_MAX = 128, /* of one machine; with more, it does not boot */
};

/* Each device below `bus` is one of a launch's; with `shares`, 9p is one. A line on the console names each other one. */
int devices_check(const char *bus, bool shares, struct err *e) MUST_CHECK;

/* From here on no driver takes a device that appears on `bus`. */
int devices_close(const char *bus, struct err *e) MUST_CHECK;
