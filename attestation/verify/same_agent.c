/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/verify/same_agent.h"

#include <string.h>

static void equal(struct verdict *v, enum check_id id, const void *first, const void *now,
		  size_t len)
{
	verdict_require(v, id);
	verdict_bytes(v, id, now, first, len);
}

/* A digest that one of the two may not have; where neither has it, nothing is compared. */
static void equal_if(struct verdict *v, enum check_id id, const uint8_t *first, bool first_has,
		     const uint8_t *now, bool now_has)
{
	if (!first_has && !now_has) {
		verdict_not_asked(v, id, "none, then and now");
		return;
	}
	verdict_require(v, id);
	if (first_has && now_has)
		verdict_bytes(v, id, now, first, SHA256_LEN);
	else
		verdict_check(v, id, false, now_has ? "one" : "none",
			      first_has ? "the one of before" : "none");
}

static void judge_snp(const struct verify_result *before, const struct verify_result *after,
		      struct verdict *v)
{
	const struct snp_result *first = &before->snp, *now = &after->snp;
	const struct snp_report *a = &first->report, *b = &now->report;
	char found[SNP_TCB_TEXT_MAX], wanted[SNP_TCB_TEXT_MAX];

	equal(v, CHECK_SAME_CHIP, a->chip_id, b->chip_id, sizeof(a->chip_id));
	equal(v, CHECK_SAME_MEASUREMENT, a->measurement, b->measurement, sizeof(a->measurement));
	equal(v, CHECK_SAME_REPORT_ID, a->report_id, b->report_id, sizeof(a->report_id));
	equal(v, CHECK_SAME_HOST_DATA, a->host_data, b->host_data, sizeof(a->host_data));
	snp_tcb_text(&now->tcb, found);
	snp_tcb_text(&first->tcb, wanted);
	verdict_require(v, CHECK_SAME_TCB);
	verdict_check(v, CHECK_SAME_TCB, snp_tcb_at_least(&now->tcb, &first->tcb), found, wanted);
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

	equal(v, CHECK_SAME_CHIP, first->pck.ppid, now->pck.ppid, sizeof(first->pck.ppid));
	equal(v, CHECK_SAME_MEASUREMENT, a->mrtd, b->mrtd, sizeof(a->mrtd));
	equal(v, CHECK_SAME_RTMRS, a->rtmr, b->rtmr, sizeof(a->rtmr));
	equal(v, CHECK_SAME_MRCONFIGID, a->mrconfigid, b->mrconfigid, sizeof(a->mrconfigid));
	equal(v, CHECK_SAME_MROWNER, a->mrowner, b->mrowner, sizeof(a->mrowner));
	equal(v, CHECK_SAME_MROWNERCONFIG, a->mrownerconfig, b->mrownerconfig,
	      sizeof(a->mrownerconfig));
	verdict_require(v, CHECK_SAME_TCB);
	verdict_check(
		v, CHECK_SAME_TCB,
		none_lower(b->tee_tcb_svn, a->tee_tcb_svn, sizeof(a->tee_tcb_svn)) &&
			none_lower(b->tee_tcb_svn2, a->tee_tcb_svn2, sizeof(a->tee_tcb_svn2)) &&
			none_lower(now->pck.components, first->pck.components,
				   sizeof(first->pck.components)) &&
			now->pck.pcesvn >= first->pck.pcesvn,
		"TEE_TCB_SVN, TEE_TCB_SVN_2, SGX components or PCESVN",
		"none of them lower than before");
}

static void judge_tpm(const struct tpm_result *first, const struct tpm_result *now,
		      struct verdict *v)
{
	equal_if(v, CHECK_SAME_AK, first->ak, first->has_ak, now->ak, now->has_ak);
	verdict_require(v, CHECK_SAME_BOOT);
	verdict_checkf(v, CHECK_SAME_BOOT,
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

	verdict_require(v, CHECK_SAME_KIND);
	if (!verdict_check(v, CHECK_SAME_KIND, a->mode == b->mode, evidence_kind_name(b->mode),
			   evidence_kind_name(a->mode)))
		return;
	equal(v, CHECK_SAME_KEY, first->key, now->key, sizeof(first->key));
	equal_if(v, CHECK_SAME_IDENTITY, a->identity, a->has_identity, b->identity,
		 b->has_identity);
	equal_if(v, CHECK_SAME_MANIFEST, a->manifest, a->has_manifest, b->manifest,
		 b->has_manifest);
	if (row->tee)
		judges[row->tee](a, b, v);
	if (row->tpm)
		judge_tpm(&a->tpm, &b->tpm, v);
}
