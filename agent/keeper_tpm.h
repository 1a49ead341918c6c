/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keeper_tpm.h — the TPM 2.0 through tpm2-tss ESYS: both banks of a register at once.
 *
 * Blocking; for the keeper's process only. Library specification: TCG TSS 2.0 ESAPI; commands: TCG
 * TPM 2.0 Library, Part 3.
 */
#pragma once

#include "common/base/cleanup.h"
#include "common/base/err.h"

#include <stdint.h>

/* One value for each bank. */
struct keeper_digests {
	uint8_t sha256[32], sha384[48];
};

struct keeper_tpm;

/* NULL `tcti` is the machine's device. Fails with ERR_UNAVAILABLE if there is none or it does not
 * answer, ERR_PRECONDITION if a bank is not active for the registers that we use. */
int keeper_tpm_open(const char *tcti, struct keeper_tpm **tpm, struct err *e) MUST_CHECK;
void keeper_tpm_close(struct keeper_tpm *tpm);
DEFINE_CLEANUP(struct keeper_tpm *, keeper_tpm_close)

/* Are the banks active (again)? */
int keeper_tpm_check(struct keeper_tpm *tpm, struct err *e) MUST_CHECK;

int keeper_tpm_read(struct keeper_tpm *tpm, uint32_t pcr, struct keeper_digests *values,
		    struct err *e) MUST_CHECK;

/* Extends both banks in one command, reads back and compares with what must be there now; another
 * value is ERR_DATA_LOSS. */
int keeper_tpm_extend(struct keeper_tpm *tpm, uint32_t pcr, const struct keeper_digests *digests,
		      struct err *e) MUST_CHECK;

/* Resets a register that may be reset (16) and sees that it is zero. */
int keeper_tpm_reset(struct keeper_tpm *tpm, uint32_t pcr, struct err *e) MUST_CHECK;
