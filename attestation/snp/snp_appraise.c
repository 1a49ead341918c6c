/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/snp/snp_appraise.h"

#include "attestation/snp/idblock.h"
#include "attestation/snp/snp_verify.h"

#include <string.h>

/* Without each of these there is no yes. */
static const char *const required_always[] = {
	"parse.report",          "chain.vek",
	"chain.intermediate",    "chain.ark",
	"chain.names",           "chain.root",
	"chain.ark_signature",   "chain.intermediate_signature",
	"chain.vek_signature",   "chain.leaf",
	"chain.extensions",      "time.ark",
	"time.intermediate",     "time.vek",
	"signature.report",      "binding.signing_key",
	"binding.mask_chip_key", "binding.extensions",
	"binding.product",       "binding.tcb",
	"binding.chip_id",       "tcb.reported",
	"tcb.committed",         "tcb.firmware",
	"policy.report_data",
};
static const char *const required_full[] = { "policy.measurement", "policy.debug",
					     "policy.applied" };

static void require(const struct snp_input *in, const struct snp_parsed *p, struct verdict *v)
{
	for (size_t i = 0; i < ARRAY_LEN(required_always); i++)
		verdict_require(v, required_always[i]);
	for (size_t i = 0; v->scope == VERDICT_SCOPE_FULL && i < ARRAY_LEN(required_full); i++)
		verdict_require(v, required_full[i]);
	if (in->require_crl || in->crl_count)
		verdict_require(v, "crl.revoked");
	if (p->table_bytes.len)
		verdict_require(v, "certtable.format");
	if (in->id_block.len || in->id_auth.len)
		verdict_require(v, "idblock.signature");
}

static bool parse(const struct snp_parsed *p, struct verdict *v)
{
	if (!p->has_report)
		return verdict_err(v, "parse.report", "56860 table 23", &p->report_why);
	verdict_check(v, "parse.report", "56860 table 23", true, NULL, NULL);
	if (p->table_bytes.len == 0)
		return true;
	if (!p->has_table)
		return verdict_err(v, "certtable.format", "56421 4.1.8.1", &p->table_why);
	return verdict_check(v, "certtable.format", "56421 4.1.8.1", true, NULL, NULL);
}

static void judge_idblock(const struct snp_input *in, const struct snp_report *report,
			  struct verdict *v)
{
	if (in->id_block.len && in->id_auth.len)
		idblock_judge(in->id_block, in->id_auth, report, v);
	else if (in->id_block.len || in->id_auth.len)
		verdict_check(v, "idblock.format", "56860 table 76", false,
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
		verdict_check(v, "policy.measurement", "56860 table 23", false, "no policy",
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
