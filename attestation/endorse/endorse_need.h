/* SPDX-License-Identifier: Apache-2.0 */
/*
 * endorse_need.h — which machine some evidence speaks of, and which endorsements it brings along.
 *
 * Reading only, to know what to ask for: nothing here is verified, and evidence that can't be read
 * needs nothing.
 */
#pragma once

#include "attestation/verify/evidence_parts.h"

struct endorse_need {
	bool snp, tdx; /* at most one */
	const struct snp_report *report;
	const struct tdx_quote *quote;
	/* In the evidence or in `in`; empty: missing. */
	struct span vek, intermediate, ark;
};

/* `parts` are those of `in`; both have to outlive it. */
void endorse_need_of(const struct verify_input *in, const struct evidence_parts *parts,
		     struct endorse_need *need);
