/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims_fields.h — what is in each kind of evidence, field by field, as members of a JSON object
 * without its braces. The names are the specifications', in small letters; bytes are hexadecimal.
 *
 * Nothing here says that any of it is true: see claims.h.
 */
#pragma once

#include "attestation/snp/snp_product.h"
#include "attestation/tdx/tdx_pck.h"
#include "attestation/tdx/tdx_quote.h"
#include "attestation/token/eat.h"
#include "attestation/tpm/tpm_evidence.h"

struct writer;

/* `product` says how the TCBs are laid out; SNP_PRODUCT_ANY: as the report's CPUID says. */
void claims_snp_report(const struct snp_report *report, enum snp_product product, struct writer *w);
/* An object, with its braces. */
void claims_snp_tcb(const struct snp_tcb *tcb, struct writer *w);

void claims_tdx_body(const struct tdx_quote *quote, struct writer *w);
void claims_tdx_qe(const struct tdx_qe_report *report, struct writer *w);
void claims_tdx_pck(const struct tdx_pck *pck, struct writer *w);

/* An object, with its braces; nothing is written if the quote can't be read. */
int claims_tpm_quote(const struct tpm_evidence_quote *quote, struct writer *w,
		     struct err *e) MUST_CHECK;

/* A claim of more than `max` bytes is told by its size alone. */
void claims_token(const struct eat *token, size_t max, struct writer *w);
