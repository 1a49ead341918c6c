/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/verify/same_agent.h"

#include <string.h>

static const char section[] = "attestation.md, Binding";

static void equal(struct verdict *v, const char *name, const void *first, const void *now,
		  size_t len)
{
	verdict_require(v, name);
	verdict_bytes(v, name, section, now, first, len);
}

/* A digest that one of the two may not have; both without it are alike. */
static void equal_if(struct verdict *v, const char *name, const uint8_t *first, bool first_has,
		     const uint8_t *now, bool now_has)
{
	verdict_require(v, name);
	if (first_has && now_has)
		verdict_bytes(v, name, section, now, first, SHA256_LEN);
	else
		verdict_check(v, name, section, !first_has && !now_has, now_has ? "one" : "none",
			      first_has ? "the one of before" : "none");
}

static void judge_snp(const struct verify_result *before, const struct verify_result *after,
		      struct verdict *v)
{
	const struct snp_result *first = &before->snp, *now = &after->snp;
	const struct snp_report *a = &first->report, *b = &now->report;
	char found[SNP_TCB_TEXT_MAX], wanted[SNP_TCB_TEXT_MAX];

	equal(v, "same.chip", a->chip_id, b->chip_id, sizeof(a->chip_id));
	equal(v, "same.measurement", a->measurement, b->measurement, sizeof(a->measurement));
	equal(v, "same.report_id", a->report_id, b->report_id, sizeof(a->report_id));
	equal(v, "same.host_data", a->host_data, b->host_data, sizeof(a->host_data));
	snp_tcb_text(&now->tcb, found);
	snp_tcb_text(&first->tcb, wanted);
	verdict_require(v, "same.tcb");
	verdict_check(v, "same.tcb", section, snp_tcb_at_least(&now->tcb, &first->tcb), found,
		      wanted);
}

static bool none_lower(const uint8_t *now, const uint8_t *first, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (now[i] < first[i])
			return false;
	return true;
}

static void judge_tdx(const struct verify_result *before, const struct verify_result *after,
		      struct verdict *v)
{
	const struct tdx_result *first = &before->tdx, *now = &after->tdx;
	const struct tdx_body *a = &first->quote.body, *b = &now->quote.body;

	equal(v, "same.chip", first->pck.ppid, now->pck.ppid, sizeof(first->pck.ppid));
	equal(v, "same.measurement", a->mrtd, b->mrtd, sizeof(a->mrtd));
	equal(v, "same.rtmrs", a->rtmr, b->rtmr, sizeof(a->rtmr));
	equal(v, "same.mrconfigid", a->mrconfigid, b->mrconfigid, sizeof(a->mrconfigid));
	verdict_require(v, "same.tcb");
	verdict_check(v, "same.tcb", section,
		      none_lower(b->tee_tcb_svn, a->tee_tcb_svn, sizeof(a->tee_tcb_svn)) &&
			      none_lower(now->pck.components, first->pck.components,
					 sizeof(first->pck.components)) &&
			      now->pck.pcesvn >= first->pck.pcesvn,
		      "TEE_TCB_SVN, SGX components or PCESVN", "none of them lower than before");
}

static void judge_tpm(const struct tpm_result *first, const struct tpm_result *now,
		      struct verdict *v)
{
	equal_if(v, "same.ak", first->ak, first->has_ak, now->ak, now->has_ak);
	verdict_require(v, "same.boot");
	verdict_checkf(v, "same.boot", section,
		       first->reset_count == now->reset_count &&
			       first->restart_count == now->restart_count,
		       "the boot of before", "boot %u.%u after %u.%u", now->reset_count,
		       now->restart_count, first->reset_count, first->restart_count);
}

/* By the TEE that says what runs. */
static void (*const judges[])(const struct verify_result *before, const struct verify_result *after,
			      struct verdict *v) = {
	[TEE_SNP] = judge_snp,
	[TEE_TDX] = judge_tdx,
};
_Static_assert(ARRAY_LEN(judges) == TEES, "one for each TEE");

void same_agent_judge(const struct same_agent *first, const struct same_agent *now,
		      struct verdict *v)
{
	const struct verify_result *a = &first->result, *b = &now->result;
	const struct evidence_kind_row *row = &evidence_kind_rows[a->mode];

	verdict_require(v, "same.kind");
	if (!verdict_check(v, "same.kind", section, a->mode == b->mode, evidence_kind_name(b->mode),
			   evidence_kind_name(a->mode)))
		return;
	equal(v, "same.key", first->key, now->key, sizeof(first->key));
	equal_if(v, "same.identity", a->identity, a->has_identity, b->identity, b->has_identity);
	equal_if(v, "same.manifest", a->manifest, a->has_manifest, b->manifest, b->has_manifest);
	if (row->tee)
		judges[row->tee](a, b, v);
	if (row->tpm)
		judge_tpm(&a->tpm, &b->tpm, v);
}
