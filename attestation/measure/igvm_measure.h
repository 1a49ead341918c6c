/* SPDX-License-Identifier: Apache-2.0 */
/*
 * igvm_measure.h — the launch digest of an IGVM file on SEV-SNP, SEV-ES or SEV.
 *
 * By default what coconut-svsm's igvmmeasure prints, which is what people have in their policies;
 * `as_loaded` is what a loader really produces where the two differ: it adds every page of a
 * parameter area (igvmmeasure counts one), and only the VMSAs of the platform (igvmmeasure counts
 * all in the file).
 */
#pragma once

#include "attestation/measure/igvm.h"
#include "attestation/measure/snp_launch.h"
#include "common/crypto/digest.h"

enum { IGVM_MEASURE_PAGES_MAX = 4 << 20 }; /* 16 GiB of guest memory */

struct igvm_measure {
	enum igvm_platform platform; /* IGVM_SEV_SNP, IGVM_SEV_ES or IGVM_SEV */
	bool native_zero; /* pages without data as zero pages, not as normal pages of zeros */
	bool check_kvm;   /* refuse what QEMU with KVM would load otherwise than the file says */
	bool as_loaded;
	void (*trace)(void *data, const struct snp_step *step); /* SEV-SNP only; may be NULL */
	void *data;
};

enum igvm_id_block { IGVM_ID_BLOCK_NONE, IGVM_ID_BLOCK_MATCH, IGVM_ID_BLOCK_MISMATCH };

/* `out` gets *len bytes: 48 for SEV-SNP, else 32. `*id_block` says whether the file's ID block, if
 * it has one for the platform, names this digest. */
int igvm_measure(const struct igvm *igvm, const struct igvm_measure *how,
		 uint8_t out[SNP_DIGEST_LEN], size_t *len, enum igvm_id_block *id_block,
		 struct err *e) MUST_CHECK;
