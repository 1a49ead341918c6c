/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reference.h — reference values (RFC 9334) of a CVM, computed from what it is launched from: a policy
 * in our form (docs/policy.md).
 *
 * The owner computes it from the image (cocos-cli policy create --image), the manager answers it
 * (AttestationPolicy): the same bytes, if both mean the same image, processors and firmware. What the
 * host chooses beside these, the boot configuration, is not in it: the run statement tells it, and the
 * policy asks that it was fixed at launch where a TEE can do that.
 */
#pragma once

#include "attestation/measure/efi_boot.h"
#include "attestation/measure/launch_tables.h"
#include "common/manifest/image.h"

enum reference_tee { REFERENCE_TPM, REFERENCE_SNP, REFERENCE_TDX };

/* Where Debian's relatives put the firmware of each; what a manager uses if it isn't told. */
#define REFERENCE_TPM_FIRMWARE "/usr/share/OVMF/OVMF_CODE_4M.fd"
/* Debian 12's alone, and used in the other's place where it is: the other measures itself in 32 bits there, which takes
 * seconds without KVM. What a policy asks of registers comes out the same. */
#define REFERENCE_TPM_FIRMWARE_64 "/usr/share/OVMF/OVMF_CODE.fd"
#define REFERENCE_SNP_FIRMWARE    "/usr/share/ovmf/OVMF.amdsev.fd"
#define REFERENCE_TDX_FIRMWARE    "/usr/share/ovmf/OVMF.inteltdx.fd"
#define REFERENCE_SNP_CPU_TYPE    "EPYC-v4"

enum { REFERENCE_POLICY_MAX = 8192, REFERENCE_RTMR0_MAX = 8 };

struct reference {
	const struct image *image;
	const char *cmdline; /* the image's, with the words that the launcher adds */

	/* TPM and TDX: what reference_boot() measured of that image and line; NULL: it is done anew. */
	const struct efi_boot *boot;

	/* SNP and TDX. */
	const char *firmware; /* file */
	bool igvm; /* it is an IGVM file: SNP alone. Processors are its own, and the image's kernel,
		    * initrd and `cmdline` have to be in it (igvm_boot.h) */

	/* SNP. */
	unsigned cpus;
	const char *cpu_type; /* QEMU's name */
	bool smt;             /* the guest policy may allow SMT */

	/* TDX: no image tells RTMR0. It is computed from memory and tables, or given; without either
	 * the policy names none, and refuses. */
	uint64_t memory; /* bytes */
	const struct launch_tables *tables;
	const uint8_t (*rtmr0)[SHA384_LEN];
	size_t rtmr0_count;

	/* Digests of the manifest that has to run; NULL: a policy for any (`policy extend`). */
	const struct manifest_digests *manifest;
	uint32_t tls_groups; /* key exchanges (kex_group.h) that a connection may have; 0: any */
};

/* "vtpm", "snp", "tdx"; false for another. */
bool reference_tee_of(const char *name, enum reference_tee *tee);

/* What firmware measures of the image's files, which must still be those that image.json describes.
 * Blocking, for a second or so. */
int reference_boot(const struct image *image, const char *cmdline, struct efi_boot *boot,
		   struct err *e) MUST_CHECK;

/* The policy: one line of JSON with a line feed. Blocking; reads the image's files and the firmware.
 * ERR_PRECONDITION where nothing can be computed, as with a CPU type of unknown signature. */
struct writer;
int reference_policy(enum reference_tee tee, const struct reference *reference, struct writer *w,
		     struct err *e) MUST_CHECK;
