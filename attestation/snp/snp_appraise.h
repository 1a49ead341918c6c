/* SPDX-License-Identifier: Apache-2.0 */
/*
 * snp_appraise.h — the whole judgement of one SEV-SNP report.
 *
 * One call: parse, certificate table, chain, time, CRLs, signature, binding of certificate and
 * report, TCB, ID block, policy; every step leaves checks in the verdict, named "stage.what" with
 * the stages parse, certtable, chain, time, crl, signature, binding, tcb, idblock, policy. No
 * globals, nothing allocated is left behind, any number of threads may call it at once.
 */
#pragma once

#include "attestation/snp/snp_input.h"

/* What was found out on the way, for further binding (identity, chip, REPORT_ID); only `report`
 * is filled before the certificates are believed. */
struct snp_result {
	struct snp_report report;
	enum snp_product product;
	enum snp_signing_key key;
	struct snp_tcb tcb;
	int64_t not_before, not_after;   /* of the VCEK or VLEK */
	char csp_id[128];                /* empty unless a VLEK's */
	uint8_t root_digest[SHA256_LEN]; /* of the root's key */
	bool own_root;                   /* not AMD's */
};

/* `v` has been through verdict_init() and may hold checks already (of a TPM quote that the report
 * binds, say). Adds its own and requires them; verdict_ok(v) is the answer. `result` may be NULL and
 * is to be used only after a yes. */
void snp_appraise(const struct snp_input *in, struct snp_result *result, struct verdict *v);
