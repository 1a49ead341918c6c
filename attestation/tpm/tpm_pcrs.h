/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_pcrs.h — values of PCRs as somebody presents them. Nothing vouches for them until a quote's
 * digest over exactly these was verified (tpm_quote.h).
 */
#pragma once

#include "attestation/tpm/tpm_alg.h"
#include "common/base/err.h"
#include "common/base/span.h"

enum { TPM_PCR_COUNT = 24, TPM_BANKS_MAX = 16 };

struct tpm_pcr_bank {
	enum digest_kind kind;
	uint32_t present; /* set of 1 << index */
	uint8_t values[TPM_PCR_COUNT][DIGEST_MAX];
};

struct tpm_pcrs {
	size_t count;
	struct tpm_pcr_bank banks[4]; /* one for each kind that tpm_alg.h knows */
};

/* The bank of that kind, or NULL. */
const struct tpm_pcr_bank *tpm_pcrs_bank(const struct tpm_pcrs *pcrs, enum digest_kind kind);

/* Adds a value; refuses an index over 23, another length than the bank's, and one that is there. */
int tpm_pcrs_add(struct tpm_pcrs *pcrs, enum digest_kind kind, uint32_t index, struct span value,
		 struct err *e) MUST_CHECK;
