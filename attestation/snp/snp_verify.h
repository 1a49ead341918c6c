/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_verify.h — the report against the certificate that signed it, and its TCBs against each
 * other: the steps of snp_appraise() after the chain.
 */
#pragma once

#include "attestation/snp/snp_chain.h"
#include "attestation/snp/snp_vcek.h"

/* Requires what the steps below check, whether they are reached or not. */
void snp_verify_require(struct verdict *v);

/* "signature.report": the leaf's key signed bytes 0x000 to 0x29f. */
bool snp_verify_signature(const struct snp_chain *chain, struct span bytes,
			  const struct snp_report *report, struct verdict *v);

/* "binding.…": key kind, AMD's extensions, product, TCB and chip of both agree. `vcek` is filled
 * if its extensions could be read. */
bool snp_verify_binding(const struct snp_chain *chain, const struct snp_input *in,
			const struct snp_report *report, struct snp_vcek *vcek, struct verdict *v);

/* "tcb.…": REPORTED <= COMMITTED <= CURRENT, COMMITTED firmware <= CURRENT firmware. */
bool snp_verify_tcb(const struct snp_report *report, enum snp_product product, struct verdict *v);
