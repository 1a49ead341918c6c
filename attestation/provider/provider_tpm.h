/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider_tpm.h — the TPM 2.0 through tpm2-tss ESYS: both banks of a register at once.
 *
 * Blocking; for the keeper's process only. Library specification: TCG TSS 2.0 ESAPI; commands: TCG
 * TPM 2.0 Library, Part 3.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdbool.h>
#include <stdint.h>

/* One value for each bank. */
struct provider_digests {
	uint8_t sha256[32], sha384[48];
};

struct provider_tpm;

struct provider_tpm_options {
	const char *tcti;   /* as tpm2-tss writes it; NULL: the machine's device */
	uint32_t registers; /* set of 1 << PCR that both banks must have */
};

/* Is there a device at all? */
bool provider_tpm_is_there(void);

/* Fails with ERR_UNAVAILABLE if there is none or it does not answer, ERR_PRECONDITION if a bank is
 * not active for the registers that are needed. */
int provider_tpm_open(const struct provider_tpm_options *options, struct provider_tpm **tpm,
		      struct err *e) MUST_CHECK;
void provider_tpm_close(struct provider_tpm *tpm);
DEFINE_CLEANUP(struct provider_tpm *, provider_tpm_close)

/* Are the banks active (again)? */
int provider_tpm_check(struct provider_tpm *tpm, struct err *e) MUST_CHECK;

int provider_tpm_read(struct provider_tpm *tpm, uint32_t pcr, struct provider_digests *values,
		      struct err *e) MUST_CHECK;

/* Extends both banks in one command, reads back and compares with what must be there now; another
 * value is ERR_DATA_LOSS. */
int provider_tpm_extend(struct provider_tpm *tpm, uint32_t pcr,
			const struct provider_digests *digests, struct err *e) MUST_CHECK;

/* Resets a register that may be reset (16) and sees that it is zero. */
int provider_tpm_reset(struct provider_tpm *tpm, uint32_t pcr, struct err *e) MUST_CHECK;
