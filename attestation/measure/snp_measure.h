/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_measure.h — the measurement that a guest will have, computed from what it is launched with:
 * firmware, kernel, initrd, command line, processors.
 *
 * As QEMU, Amazon's and Google's monitors load them; see vmsa.h and snp_launch.h for the parts.
 */
#pragma once

#include "attestation/measure/ovmf.h"
#include "attestation/measure/vmsa.h"
#include "common/crypto/digest.h"

enum snp_measure_mode {
	SNP_MEASURE_SNP,
	SNP_MEASURE_SEV,
	SNP_MEASURE_SEVES,
	SNP_MEASURE_SVSM,
	SNP_MEASURE_OVMF_HASH, /* the digest after the firmware's pages alone */
};

enum {
	SNP_MEASURE_VCPUS_MAX = 4096,
	SNP_HASHES_TABLE_LEN = 176, /* three entries, filled up to 16 */
	SNP_MEASURE_LEN_MAX = SNP_DIGEST_LEN,
};

/* "snp", "sev", "seves", "snp:svsm", "snp:ovmf-hash"; false if there is no such. */
bool snp_measure_mode_of(const char *name, enum snp_measure_mode *mode);

struct snp_measure {
	enum snp_measure_mode mode;
	unsigned vcpus;
	uint32_t vcpu_signature;
	enum vmsa_vmm vmm;
	uint64_t guest_features; /* SEV_FEATURES of each VMSA; mode snp only */
	struct span ovmf;

	/* Direct boot: SHA-256 of the kernel, of the initrd (of nothing, if there is none) and of
	 * the command line with its final zero. */
	bool has_kernel;
	uint8_t kernel[SHA256_LEN], initrd[SHA256_LEN], cmdline[SHA256_LEN];

	const uint8_t *ovmf_hash; /* SNP_DIGEST_LEN, in place of the firmware's pages; or NULL */
	struct span svsm;
	uint64_t vars_size; /* between SVSM and firmware */

	void (*trace)(void *data, const struct snp_step *step); /* SNP modes; may be NULL */
	/* Called with each processor's VMSA, in order; may be NULL. Fails the whole if it does. */
	int (*vmsa)(void *data, unsigned vcpu, const uint8_t page[SNP_PAGE_LEN], struct err *e);
	void *data; /* of both */
};

/* SHA-256 of `text` and a zero byte, as the loader hashes the command line. */
int snp_measure_cmdline(const char *text, uint8_t out[SHA256_LEN], struct err *e) MUST_CHECK;

/* The table of hashes as QEMU puts it into the guest (hw/i386: sev.c). */
void snp_measure_hashes(const struct snp_measure *m, uint8_t table[SNP_HASHES_TABLE_LEN]);

/* The measurement: SNP_DIGEST_LEN bytes, or SHA256_LEN for sev and seves; `*len` says which. */
int snp_measure(const struct snp_measure *m, uint8_t out[SNP_MEASURE_LEN_MAX], size_t *len,
		struct err *e) MUST_CHECK;
