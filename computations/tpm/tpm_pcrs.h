/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tpm_pcrs.h — registers of a TPM that something is bound to: "sha256:7,14".
 */
#pragma once

#include "computations/tpm/tpm_link.h"

/* One bank, sha256 or sha384; each register once. Not 16 and 23, which anybody sets back (PC Client Platform TPM Profile,
 * 4.6), nor those above. */
int tpm_pcrs_read(const char *words, TPML_PCR_SELECTION *pcrs, struct err *e) MUST_CHECK;
/* Whether the TPM has each of them; one that it has not it would leave out without a word. */
int tpm_pcrs_check(ESYS_CONTEXT *esys, const TPML_PCR_SELECTION *pcrs, struct err *e) MUST_CHECK;
