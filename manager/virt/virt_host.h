/* SPDX-License-Identifier: Apache-2.0 */
/*
 * virt_host.h — reading what a host can do from libvirt's capabilities and the CPU's.
 */
#pragma once

#include "manager/virt/virt.h"

/* What libvirt and the kernel say about the host. */
struct virt_host_sources {
	const char *capabilities; /* XML of virConnectGetCapabilities() */
	const char
		*domain_capabilities; /* of virConnectGetDomainCapabilities() for KVM; NULL: none */
	const char *kvm_amd_snp;      /* /sys/module/kvm_amd/parameters/sev_snp; NULL: no such */
	const char *kvm_intel_tdx;    /* /sys/module/kvm_intel/parameters/tdx; NULL: no such */
	bool virtualizes;             /* virt_cpu() */
};

/* Whether the CPU offers SVM or VMX. It is asked itself: the unit hides /proc/cpuinfo. */
bool virt_cpu(void);

/* A /dev/kvm that opens proves nothing: for KVM both libvirt and the CPU must offer it, for a
 * TEE both libvirt and the kernel. */
int virt_host_read(const struct virt_host_sources *sources, struct virt_host *host,
		   struct err *e) MUST_CHECK;

/* The description of the host's CPU in its capabilities, as XML of its own, malloc'ed. ERR_NOT_FOUND: there is none. */
int virt_host_cpu(const char *capabilities, char **xml, struct err *e) MUST_CHECK;
