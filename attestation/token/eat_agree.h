/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eat_agree.h — a token's other claims must say what its raw report says.
 *
 * They are for display, or for readers that don't parse reports; one that contradicts the signed
 * report shows that somebody lies, whoever signed the token. Claims that no evidence can confirm are
 * named (eat_uncompared()); a map of another platform's contradicts any report. A null counts as absent.
 */
#pragma once

#include "attestation/envelope/tpm_attestation.h"
#include "attestation/snp/snp_report.h"
#include "attestation/tdx/tdx_quote.h"
#include "attestation/token/eat.h"

/* ERR_DENIED names the first claim that disagrees. */
int eat_agree_snp(const struct eat *token, const struct snp_report *report,
		  struct err *e) MUST_CHECK;
int eat_agree_tdx(const struct eat *token, const struct tdx_quote *quote, struct err *e) MUST_CHECK;

/* Of a TPM's message: its registers, quotes and log; and the agent's events (eat_log.h). */
int eat_agree_tpm(const struct eat *token, const struct tpm_evidence *message,
		  struct err *e) MUST_CHECK;

enum { EAT_UNCOMPARED_MAX = 150 };

/* Names of the claims, and of members of a platform's map, that nothing in the evidence is compared
 * with, for people: "iss, submods, 'x-cocos-gpu'"; where they are too many it ends in ", and 7 more";
 * empty if there are none. Whoever signed the token says them, and nobody else. `message` is the
 * TPM's inside, or NULL: an event log of registers that it does not have is named, too. */
void eat_uncompared(const struct eat *token, const struct tpm_evidence *message,
		    char text[EAT_UNCOMPARED_MAX]);
