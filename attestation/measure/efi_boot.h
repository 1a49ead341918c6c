/* SPDX-License-Identifier: Apache-2.0 */
/*
 * efi_boot.h — what OVMF and Linux's EFI stub measure of a kernel that QEMU boots directly: the
 * registers of a TPM, or of a TD, that come of the image's files alone.
 *
 * Found by replaying the logs of such boots (tests/integration/efi_boot.py does it again):
 *
 *   PCR 2, 3, 6  a separator: no code and no data of devices, which CVMs' devices have none of
 *   PCR 4        the kernel's Authenticode digest, "Calling EFI Application from Boot Option",
 *                a separator
 *   PCR 7        Secure Boot is off and has no keys; a separator (Debian 12 and 13 differ)
 *   PCR 9        the command line with what firmware adds to it, the initrd
 *
 * PCR 0 is of the firmware alone, PCR 1 of its settings, PCR 5 of how often the kernel had to ask
 * it to leave. In a TD (OvmfPkg/IntelTdx) RTMR1 has the kernel, RTMR2 what PCR 9 has; RTMR0, of the
 * machine's memory layout and ACPI tables, is rtmr0.h's.
 */
#pragma once

#include "common/base/err.h"
#include "common/base/span.h"
#include "common/crypto/digest.h"

enum {
	EFI_BOOT_KERNELS_MAX = 24,
	EFI_BOOT_VALUES_MAX = 2 * EFI_BOOT_KERNELS_MAX, /* firmware has two ways with RTMR1 */
	EFI_BOOT_INITRD_MAX = 1 << 30,
	/* QEMU tells a kernel where it put the initrd, which depends on the machine's memory. We
	 * compute it for whole multiples of this; from EFI_BOOT_MEMORY_HIGH_MIB on it is always the same. */
	EFI_BOOT_MEMORY_STEP_MIB = 256,
	EFI_BOOT_MEMORY_HIGH_MIB = 2816,
};

/* The digests that are extended, of each kind of bank. */
struct efi_boot_bank {
	enum digest_kind kind;
	uint8_t kernels[EFI_BOOT_KERNELS_MAX][DIGEST_MAX]; /* acceptable ones, all of one kernel */
	uint8_t options[DIGEST_MAX], initrd[DIGEST_MAX];
};

enum { EFI_BOOT_SHA256, EFI_BOOT_SHA384, EFI_BOOT_BANKS };

struct efi_boot {
	struct efi_boot_bank banks[EFI_BOOT_BANKS];
	size_t kernel_count;
};

/* From the kernel's file, the initrd's, the command line as it is given to QEMU, and the least memory
 * that the image is started with. Blocking: it takes digests of some 300 MB. */
int efi_boot_measure(struct span kernel, struct span initrd, const char *cmdline,
		     uint64_t min_memory_mib, struct efi_boot *boot, struct err *e) MUST_CHECK;

/* The acceptable values of one register. */
struct efi_boot_values {
	unsigned index;
	enum digest_kind kind;
	size_t len, count;
	uint8_t values[EFI_BOOT_VALUES_MAX][DIGEST_MAX]; /* `len` bytes of each count */
};

enum { EFI_BOOT_PCRS = 6, EFI_BOOT_RTMRS = 2 };

/* The registers of a TPM in one bank, ascending. */
int efi_boot_pcrs(const struct efi_boot *boot, size_t bank,
		  struct efi_boot_values out[EFI_BOOT_PCRS], struct err *e) MUST_CHECK;

/* A TD's RTMR1 and RTMR2. */
int efi_boot_rtmrs(const struct efi_boot *boot, struct efi_boot_values out[EFI_BOOT_RTMRS],
		   struct err *e) MUST_CHECK;
