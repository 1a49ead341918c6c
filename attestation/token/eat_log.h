/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eat_log.h — the claim x-cocos-event-log beside the registers that the evidence has.
 *
 * The claim may be the whole log or the agent's events alone, so that a register without events says
 * nothing; one that has some has to come to the value in the evidence.
 */
#pragma once

#include "attestation/envelope/tpm_attestation.h"
#include "attestation/tdx/tdx_quote.h"
#include "attestation/token/eat.h"

/* 0 where there is no claim; ERR_DENIED where a register disagrees, or the claim is no log. */
int eat_log_agree_tdx(const struct eat *token, const struct tdx_quote *quote,
		      struct err *e) MUST_CHECK;
/* Of registers that no quote has nothing is said here. */
int eat_log_agree_tpm(const struct eat *token, const struct tpm_evidence *message,
		      struct err *e) MUST_CHECK;

/* Whether the evidence has every register that the claim speaks of, in a bank of the claim's; false
 * for a platform without such registers. `message` is NULL where there is no TPM's. */
bool eat_log_is_compared(const struct eat *token, const struct tpm_evidence *message);
