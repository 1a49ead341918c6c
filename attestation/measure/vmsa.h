/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vmsa.h — the initial state of a virtual processor as the hypervisor sets it up, which is part of
 * the launch measurement (AMD64 manual, volume 2, table B-4).
 */
#pragma once

#include "attestation/measure/snp_launch.h"

#include <stdbool.h>

enum vmsa_vmm { VMSA_QEMU, VMSA_EC2, VMSA_GCE };

/* By the name that tools use: "QEMU", "ec2", "gce"; false if there is no such. */
bool vmsa_vmm_of(const char *name, enum vmsa_vmm *vmm);

/* The processor's reset address for the boot processor. */
#define VMSA_BOOT_EIP UINT32_C(0xfffffff0)

/* Fills one page. `signature` is CPUID Fn0000_0001 EAX, which QEMU leaves in RDX. */
void vmsa_make(enum vmsa_vmm vmm, uint32_t eip, uint32_t signature, uint64_t features,
	       uint8_t page[SNP_PAGE_LEN]);

/* Whether the page is what QEMU makes of the boot processor, whatever starts there: the same but for the
 * processor's signature, CR0.NE, which KVM sets, DebugSwap, and registers of the FPU that are left zero.
 * `at` is the offset of the first byte that is otherwise. */
bool vmsa_is_reset(const uint8_t page[SNP_PAGE_LEN], size_t *at);

/* The same as vmsa_make() of a processor that starts in an SVSM: flat 32-bit segments, features 1. */
void vmsa_make_svsm(uint64_t eip, uint32_t signature, uint8_t page[SNP_PAGE_LEN]);

/* CPUID Fn0000_0001 EAX of a processor type of QEMU, "EPYC-Milan-v2"; false if unknown. */
bool vmsa_cpu_type(const char *name, uint32_t *signature);
/* The types one by one, NULL at the end. */
const char *vmsa_cpu_type_name(size_t i);

/* From combined family, model and stepping (AMD64 manual, volume 3, E.3.2). */
uint32_t vmsa_cpu_signature(unsigned family, unsigned model, unsigned stepping);
