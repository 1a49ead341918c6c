/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_chain.h — the certificate chains of Intel's provisioning service, each to a trusted root.
 *
 * Every chain is given leaf first and whole, root included: nothing is searched. The root counts by
 * its key, never by its name.
 */
#pragma once

#include "attestation/formats/x509.h"
#include "attestation/formats/x509_crl.h"
#include "attestation/verdict/verdict.h"

enum tdx_chain_kind {
	TDX_CHAIN_PCK,         /* in the quote: PCK, Platform or Processor CA, root */
	TDX_CHAIN_CRL_ISSUER,  /* Platform or Processor CA, root */
	TDX_CHAIN_TCB_INFO,    /* TCB signing, root */
	TDX_CHAIN_QE_IDENTITY, /* TCB signing, root */
	TDX_CHAIN_COUNT,
};

/* Chains whose links hold; a link that was verified once is not verified again. */
struct tdx_chains {
	struct x509 *own_root; /* trusted in place of Intel's; NULL: Intel's is */
	int64_t at;
	uint32_t skew;
	struct x509_chain chain[TDX_CHAIN_COUNT];
	bool good[TDX_CHAIN_COUNT];
	uint64_t crl_max_age; /* as tdx_endorsements has these three */
	int64_t root_crl_asked, pck_crl_asked;
	struct x509_crl *root_crl;     /* see tdx_crl.h */
	struct signatures *signatures; /* as tdx_endorsements has it */
};

/* Adds the checks of that chain and its time: chain.pck and time.pck, chain.crl_issuer and
 * time.crl_issuer, chain.tcb_info and time.tcb_info_issuer, chain.qe_identity and
 * time.qe_identity_issuer. True if both passed. */
bool tdx_chain_check(struct tdx_chains *chains, enum tdx_chain_kind kind, struct span pem,
		     struct verdict *v);

void tdx_chains_done(struct tdx_chains *chains);
