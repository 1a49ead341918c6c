/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorse_edited.h — evidence without its endorsements, and what AMD's and Intel's services have of
 * them, right in everything; what fuzz_endorsements.c edits.
 */
#pragma once

#include "attestation/verify/verify_input.h"
#include "tests/forge/must.h"
#include "tests/forge/tdx_forge.h"
#include "tests/fuzz/edits.h"
#include "tests/fuzz/resign.h"
#include "tests/unit/attestation/snp/forge.h"

enum {
	ENDORSE_EDITED_CHAIN,
	ENDORSE_EDITED_VCEK,
	ENDORSE_EDITED_CRL,
	ENDORSE_EDITED_ROOT_CRL,
	ENDORSE_EDITED_PCK_CRL, /* from here on each has an issuer's chain */
	ENDORSE_EDITED_TCB_INFO,
	ENDORSE_EDITED_IDENTITY,
	ENDORSE_EDITED_DOCUMENTS,
	ENDORSE_EDITED_CHAINS = ENDORSE_EDITED_DOCUMENTS - ENDORSE_EDITED_PCK_CRL,
};

struct endorse_edited {
	bool made;
	struct forge snp, v2;
	struct tdx_forge td;
	/* The documents, and behind them the chains of the last three. */
	struct span documents[ENDORSE_EDITED_DOCUMENTS + ENDORSE_EDITED_CHAINS];
	struct writer chain;
	uint8_t crl[FORGE_CRL_MAX], quote[FORGE_QUOTE_MAX], other_data[64];
	size_t quote_len;
};

static inline void endorse_edited_make(struct endorse_edited *d)
{
	const struct tdx_collateral *c = &d->td.collateral;

	if (d->made)
		return;
	d->made = true;
	forge_init(&d->snp, SNP_GENOA, 3, SNP_KEY_VCEK);
	forge_init(&d->v2, SNP_GENOA, 2, SNP_KEY_VCEK);
	tdx_forge_init(&d->td);
	d->quote_len = tdx_forge_quote(&d->td, &d->td.good, d->quote);
	d->chain = writer_up_to(EDITED_ROOM);
	resign_pem(d->snp.input.intermediate, &d->chain);
	resign_pem(d->snp.input.ark, &d->chain);
	d->documents[ENDORSE_EDITED_CHAIN] = (struct span){ d->chain.bytes, d->chain.len };
	d->documents[ENDORSE_EDITED_VCEK] = d->snp.input.vek;
	d->documents[ENDORSE_EDITED_CRL] =
		(struct span){ d->crl, forge_crl(d->snp.root_key, "ARK-Genoa", NULL, 0,
						 FORGE_AT - 9, FORGE_AT + 9, d->crl) };
	d->documents[ENDORSE_EDITED_ROOT_CRL] = c->root_crl;
	d->documents[ENDORSE_EDITED_PCK_CRL] = c->pck_crl;
	d->documents[ENDORSE_EDITED_TCB_INFO] = c->tcb_info;
	d->documents[ENDORSE_EDITED_IDENTITY] = c->qe_identity;
	d->documents[ENDORSE_EDITED_DOCUMENTS] = c->pck_crl_chain;
	d->documents[ENDORSE_EDITED_DOCUMENTS + 1] = c->tcb_info_chain;
	d->documents[ENDORSE_EDITED_DOCUMENTS + 2] = c->qe_identity_chain;
}

/* The call about one of the three, without any endorsement but the root. */
static inline void endorse_edited_call(const struct endorse_edited *d, bool tdx, bool v2,
				       struct verify_input *in, struct policy *policy)
{
	const struct forge *snp = v2 ? &d->v2 : &d->snp;

	policy_init(policy);
	policy->run.relayable = true;
	*in = (struct verify_input){ .mode = tdx ? EVIDENCE_TDX : EVIDENCE_SNP,
				     .product = tdx || !v2 ? SNP_PRODUCT_ANY : SNP_GENOA,
				     .policy = policy,
				     .at = tdx ? INT64_C(1781481600) : FORGE_AT };
	if (tdx) {
		policy->has_tdx = true;
		tdx_forge_policy(&d->td.good.body, &policy->tdx);
		in->evidence = (struct span){ d->quote, d->quote_len };
		in->binding.report_data = d->td.good.body.reportdata;
		in->tdx.endorsements.trusted_root =
			(struct span){ (const uint8_t *)d->td.root_pem, strlen(d->td.root_pem) };
		return;
	}
	policy->has_snp = true;
	policy->snp.measurements = (struct value_set){ snp->report.measurement, 1 };
	in->evidence = (struct span){ snp->bytes, SNP_REPORT_LEN };
	in->binding.report_data = snp->report_data;
	in->snp.trusted_root = snp->input.trusted_root;
}
