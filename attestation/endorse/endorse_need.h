/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorse_need.h — which machine some evidence speaks of, and which endorsements it brings along.
 *
 * Reading only, to know what to ask for: nothing here is verified, and evidence that can't be read
 * needs nothing.
 */
#pragma once

#include "attestation/snp/snp_cert_table.h"
#include "attestation/verify/verify.h"

struct endorse_need {
	bool snp, tdx; /* at most one */
	struct snp_report report;
	/* In the evidence or in `in`; empty: missing. */
	struct span vek, intermediate, ark;
	struct span quote;

	/* What the spans lead into. */
	bool has_token;
	struct eat token;
	struct sevsnp_attestation sevsnp;
	struct tpm_attestation tpm;
};

/* `need` is zero before, and `in` has to outlive it. */
void endorse_need_open(struct endorse_need *need, const struct verify_input *in);
void endorse_need_done(struct endorse_need *need);
