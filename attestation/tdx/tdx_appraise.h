/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_appraise.h — the whole judgement of one TDX quote.
 *
 * One call: parse, chains, signatures, collateral, CRLs, QE identity, module, TCB, event log, policy;
 * every step leaves checks in the verdict, named "stage.what" with the stages parse, chain, time,
 * signature, crl, collateral, identity, module, tcb, log, policy. No globals, nothing allocated is
 * left behind, any number of threads may call it at once.
 */
#pragma once

#include "attestation/tdx/tdx_policy.h"
#include "attestation/tdx/tdx_verify.h"

struct tdx_input {
	const struct tdx_parsed
		*parsed; /* taken apart before; NULL: `quote`, which counts only then */
	struct span quote;
	struct span event_log; /* CCEL; empty: none. One that is given has to fit the RTMRs */
	struct tdx_endorsements endorsements;

	/* What REPORTDATA has to be, 64 bytes. NULL is a refusal: no verdict without a binding. */
	const uint8_t *report_data;

	/* NULL with VERDICT_SCOPE_FULL is a refusal; ignored for VERDICT_SCOPE_GENUINE_ONLY, whose
	 * answer covers report data, signatures, chains, CRLs and a TCB that is not revoked. */
	const struct tdx_policy *policy;
};

/* `v` has been through verdict_init() and may hold checks already. Adds its own
 * and requires them; verdict_ok(v) is the answer. `result` may be NULL. */
void tdx_appraise(const struct tdx_input *in, struct tdx_result *result, struct verdict *v);
