/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_attest.h — what a TPM signs, TPMS_ATTEST of type quote (TPM 2.0 Library, part 2, 10.12.12),
 * and its signature, TPMT_SIGNATURE (11.3.4). Parsing only.
 */
#pragma once

#include "attestation/tpm/tpm_pcrs.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum { TPM_ATTEST_MAX = 2048, TPM_SIGNATURE_MAX = 1024 };

struct tpm_selection {
	uint16_t alg;
	uint32_t pcrs; /* set of 1 << index, 0 to 23 */
};

/* Spans point into the bytes that were parsed. */
struct tpm_attest {
	struct span bytes; /* what is signed */
	struct span qualified_signer, extra_data, pcr_digest;
	uint64_t clock;
	uint32_t reset_count, restart_count;
	bool safe;
	uint64_t firmware_version;
	size_t selection_count; /* each algorithm at most once, at least one PCR in all */
	struct tpm_selection selections[TPM_BANKS_MAX];
};

int tpm_attest_parse(struct span bytes, struct tpm_attest *attest, struct err *e) MUST_CHECK;

struct tpm_signature {
	uint16_t scheme; /* TPM_ALG_RSASSA, TPM_ALG_RSAPSS or TPM_ALG_ECDSA */
	uint16_t hash;
	struct span rsa, r, s;
};

int tpm_signature_parse(struct span bytes, struct tpm_signature *signature,
			struct err *e) MUST_CHECK;
