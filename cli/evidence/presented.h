/* SPDX-License-Identifier: Apache-2.0 */
/*
 * presented.h — what a token's evidence by a TPM says of itself, read without judging it: the verdict is elsewhere.
 */
#pragma once

#include "attestation/envelope/tpm_attestation.h"
#include "attestation/token/eat.h"

/* Its AK, a view into the token, for a judgement in which whose it is remains open. Empty where the evidence is of no TPM or
 * can't be read: then the verdict says so. `a` gets what was read. */
struct span presented_ak(const struct eat *token, struct tpm_evidence *a);

/* The value of that register in the bank SHA-256, as the first quote that has it says; false: none has. */
bool presented_pcr(const struct eat *token, struct tpm_evidence *a, unsigned pcr,
		   uint8_t value[SHA256_LEN]);
