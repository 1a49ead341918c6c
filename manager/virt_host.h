/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt_host.h — reading what a host can do from libvirt's capabilities and /proc/cpuinfo.
 */
#pragma once

#include "manager/virt.h"

/* From the XML of virConnectGetCapabilities() and the text of /proc/cpuinfo. A /dev/kvm that opens
 * proves nothing, so KVM needs the word of both. */
int virt_host_read(const char *capabilities, const char *cpuinfo, struct virt_host *host,
		   struct err *e) MUST_CHECK;
