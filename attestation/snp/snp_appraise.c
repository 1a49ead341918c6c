/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_appraise.h"

#include "attestation/snp/idblock.h"
#include "attestation/snp/snp_verify.h"

#include <string.h>

/* Each stage says what it takes before the first one runs: one that is never reached is a no. */
static void require(const struct snp_input *in, const struct snp_parsed *p, struct verdict *v)
{
	verdict_require(v, CHECK_PARSE_REPORT);
	if (p->table_bytes.len)
		verdict_require(v, CHECK_CERTTABLE_FORMAT);
	snp_chain_require(in, v);
	snp_verify_require(v);
	if (in->id_block.len || in->id_auth.len)
		idblock_require(v);
	if (v->scope == VERDICT_SCOPE_FULL)
		snp_policy_require(v);
	else
		snp_policy_require_report_data(v);
}

static bool parse(const struct snp_parsed *p, struct verdict *v)
{
	if (!p->has_report)
		return verdict_err(v, CHECK_PARSE_REPORT, &p->report_why);
	verdict_check(v, CHECK_PARSE_REPORT, true, NULL, NULL);
	if (p->table_bytes.len == 0)
		return true;
	if (!p->has_table)
		return verdict_err(v, CHECK_CERTTABLE_FORMAT, &p->table_why);
	return verdict_check(v, CHECK_CERTTABLE_FORMAT, true, NULL, NULL);
}

static void judge_idblock(const struct snp_input *in, const struct snp_report *report,
			  struct verdict *v)
{
	if (in->id_block.len && in->id_auth.len)
		idblock_judge(in->id_block, in->id_auth, report, v);
	else if (in->id_block.len || in->id_auth.len)
		verdict_check(v, CHECK_IDBLOCK_FORMAT, false,
			      "only one of ID block and ID authentication", "both");
}

static void judge_policy(const struct snp_input *in, const struct snp_result *result,
			 struct verdict *v)
{
	struct snp_evidence evidence = {
		.report = &result->report,
		.product = result->product,
		.key = result->key,
		.tcb = result->tcb,
		.csp_id = result->csp_id[0] ? result->csp_id : NULL,
		.report_data = in->report_data,
	};

	if (v->scope == VERDICT_SCOPE_GENUINE_ONLY)
		snp_policy_judge_report_data(&evidence, v);
	else if (in->policy)
		snp_policy_judge(in->policy, &evidence, v);
	else
		verdict_check(v, CHECK_POLICY_MEASUREMENT, false, "no policy",
			      "a policy: nothing says which measurement is right");
}

/* Each stage stands on the one before. Once the key is believed to be the chip's, the rest is gone
 * through to the end, so that a reader sees everything that is wrong with the report. */
static void appraise(const struct snp_input *in, const struct snp_parsed *p,
		     struct snp_chain *chain, struct snp_result *result, struct verdict *v)
{
	struct snp_vcek vcek = { 0 };
	bool timely;

	if (p->has_report)
		result->report = p->report;
	if (!parse(p, v) ||
	    !snp_chain_load(chain, in, &p->table, snp_report_signing_key(&result->report), v) ||
	    !snp_chain_verify(chain, v))
		return;
	timely = snp_chain_time(chain, in, v);
	if (!snp_chain_crl(chain, in, &p->table, v) || !timely ||
	    !snp_verify_signature(chain, p->report_bytes, &result->report, v))
		return;
	snp_verify_binding(chain, in, &result->report, &vcek, v);
	result->product = chain->product;
	result->key = chain->kind;
	result->tcb = vcek.tcb;
	result->not_before = chain->vek->not_before;
	result->not_after = chain->vek->not_after;
	result->own_root = chain->own_root;
	memcpy(result->csp_id, vcek.csp_id, sizeof(result->csp_id));
	memcpy(result->root_digest, chain->ark->key_digest, SHA256_LEN);
	snp_verify_tcb(&result->report, chain->product, v);
	judge_idblock(in, &result->report, v);
	judge_policy(in, result, v);
}

void snp_appraise(const struct snp_input *in, struct snp_result *result, struct verdict *v)
{
	const struct snp_parsed *parsed = in->parsed;
	struct snp_chain chain = { 0 };
	struct snp_result made = { 0 };
	struct snp_parsed own;

	_Static_assert(sizeof(made.csp_id) == SNP_CSP_ID_MAX, "cspID as snp_vcek.h has it");
	if (!parsed) {
		snp_parsed_of(in->report, in->cert_table, &own);
		parsed = &own;
	}
	require(in, parsed, v);
	appraise(in, parsed, &chain, &made, v);
	snp_chain_done(&chain);
	if (result)
		*result = made;
}
