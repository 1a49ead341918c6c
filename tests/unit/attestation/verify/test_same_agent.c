/* SPDX-License-Identifier: Apache-2.0 */
/* A later session beside the first: each thing that has to stay, changed one at a time. */
#include "attestation/verify/same_agent.h"
#include "tests/answers.h"
#include "tests/unit.h"

static struct same_agent first, now;
static struct verdict verdict;

static void fill(void *bytes, size_t len, uint8_t seed)
{
	for (size_t i = 0; i < len; i++)
		((uint8_t *)bytes)[i] = (uint8_t)(seed + i);
}

static void start(enum evidence_kind mode)
{
	struct verify_result *r = &first.result;

	memset(&first, 0, sizeof(first));
	fill(first.key, sizeof(first.key), 1);
	r->mode = mode;
	r->has_identity = r->has_manifest = r->tpm.has_ak = true;
	fill(r->identity, sizeof(r->identity), 2);
	fill(r->manifest, sizeof(r->manifest), 3);
	fill(r->snp.report.chip_id, sizeof(r->snp.report.chip_id), 4);
	fill(r->snp.report.measurement, sizeof(r->snp.report.measurement), 5);
	fill(r->snp.report.report_id, sizeof(r->snp.report.report_id), 6);
	fill(&r->snp.tcb, sizeof(r->snp.tcb), 7);
	fill(r->tdx.quote.body.mrtd, sizeof(r->tdx.quote.body.mrtd), 8);
	fill(r->tdx.quote.body.rtmr, sizeof(r->tdx.quote.body.rtmr), 9);
	fill(r->tdx.quote.body.tee_tcb_svn, sizeof(r->tdx.quote.body.tee_tcb_svn), 10);
	fill(r->tdx.quote.body.tee_tcb_svn2, sizeof(r->tdx.quote.body.tee_tcb_svn2), 10);
	fill(r->tdx.pck.ppid, sizeof(r->tdx.pck.ppid), 11);
	fill(r->tdx.pck.components, sizeof(r->tdx.pck.components), 12);
	r->tdx.pck.pcesvn = 13;
	fill(r->tpm.ak, sizeof(r->tpm.ak), 14);
	r->tpm.reset_count = 15;
	r->tpm.restart_count = 16;
	now = first;
}

static int judge(struct err *e)
{
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	same_agent_judge(&first, &now, &verdict);
	return answer(&verdict, e);
}

static void the_same_agent_is_the_same_in_every_mode(void **state)
{
	static const enum evidence_kind modes[] = { EVIDENCE_SNP, EVIDENCE_TDX, EVIDENCE_VTPM,
						    EVIDENCE_SNP_VTPM, EVIDENCE_TDX_VTPM };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		start(modes[i]);
		assert_ok(judge(&e), e);
	}
}

/* What has to stay, where it is, and in which modes it counts (bits of 1 << mode). */
#define SNP_MODES (1u << EVIDENCE_SNP | 1u << EVIDENCE_SNP_VTPM)
#define TDX_MODES (1u << EVIDENCE_TDX | 1u << EVIDENCE_TDX_VTPM)
#define TPM_MODES (1u << EVIDENCE_VTPM | 1u << EVIDENCE_SNP_VTPM | 1u << EVIDENCE_TDX_VTPM)
#define ALL_MODES (SNP_MODES | TDX_MODES | TPM_MODES)

static const struct {
	const char *check;
	unsigned modes;
	void *at;
} fields[] = {
	{ "same.key", ALL_MODES, now.key + 31 },
	{ "same.identity", ALL_MODES, now.result.identity + 31 },
	{ "same.identity", ALL_MODES, &now.result.has_identity },
	{ "same.manifest", ALL_MODES, now.result.manifest },
	{ "same.manifest", ALL_MODES, &now.result.has_manifest },
	{ "same.chip", SNP_MODES, now.result.snp.report.chip_id + 63 },
	{ "same.measurement", SNP_MODES, now.result.snp.report.measurement + 47 },
	{ "same.report_id", SNP_MODES, now.result.snp.report.report_id + 31 },
	{ "same.host_data", SNP_MODES, now.result.snp.report.host_data + 31 },
	{ "same.chip", TDX_MODES, now.result.tdx.pck.ppid + 15 },
	{ "same.measurement", TDX_MODES, now.result.tdx.quote.body.mrtd + 47 },
	{ "same.rtmrs", TDX_MODES, now.result.tdx.quote.body.rtmr[0] },
	{ "same.rtmrs", TDX_MODES, &now.result.tdx.quote.body.rtmr[3][47] },
	{ "same.mrconfigid", TDX_MODES, now.result.tdx.quote.body.mrconfigid },
	{ "same.mrowner", TDX_MODES, now.result.tdx.quote.body.mrowner + 47 },
	{ "same.mrownerconfig", TDX_MODES, now.result.tdx.quote.body.mrownerconfig + 47 },
	{ "same.ak", TPM_MODES, now.result.tpm.ak + 31 },
	{ "same.ak", TPM_MODES, &now.result.tpm.has_ak },
	{ "same.boot", TPM_MODES, &now.result.tpm.reset_count },
	{ "same.boot", TPM_MODES, &now.result.tpm.restart_count },
};

static void each_difference_is_refused_by_name(void **state)
{
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		for (unsigned mode = EVIDENCE_SNP; mode < EVIDENCE_EAT; mode++) {
			start((enum evidence_kind)mode);
			*(uint8_t *)fields[i].at ^= 1;
			if (fields[i].modes & (1u << mode))
				assert_refused(judge(&e), e, ERR_DENIED, fields[i].check);
			else
				assert_ok(judge(&e), e);
		}
}

/* What neither has was compared with nothing: the rest decides, and it is told so. */
static void what_neither_has_is_not_asked(void **state)
{
	struct err e;

	start(EVIDENCE_SNP);
	first.result.has_identity = first.result.has_manifest = false;
	now = first;
	assert_ok(judge(&e), e);
	assert_int_equal(verdict_find(&verdict, CHECK_SAME_IDENTITY)->outcome, CHECK_NOT_ASKED);
	assert_int_equal(verdict_find(&verdict, CHECK_SAME_MANIFEST)->outcome, CHECK_NOT_ASKED);
	now.result.snp.report.chip_id[0] ^= 1;
	assert_refused(judge(&e), e, ERR_DENIED, "same.chip");
}

static void another_kind_of_evidence_is_refused(void **state)
{
	struct err e;

	for (unsigned a = EVIDENCE_SNP; a < EVIDENCE_EAT; a++)
		for (unsigned b = EVIDENCE_SNP; b < EVIDENCE_EAT; b++) {
			start((enum evidence_kind)a);
			now.result.mode = (enum evidence_kind)b;
			if (a == b)
				assert_ok(judge(&e), e);
			else
				assert_refused(judge(&e), e, ERR_DENIED, "same.kind");
		}
}

/* An update in the middle is fine; older firmware is not. */
static void each_part_of_the_tcb_may_rise_and_never_fall(void **state)
{
	uint8_t *snp[SNP_TCB_COMPONENTS];
	struct err e;

	for (size_t i = 0; i < SNP_TCB_COMPONENTS; i++)
		snp[i] = (uint8_t *)&now.result.snp.tcb + snp_tcb_components[i].at;
	for (size_t i = 0; i < SNP_TCB_COMPONENTS; i++) {
		start(EVIDENCE_SNP);
		(*snp[i])++;
		assert_ok(judge(&e), e);
		*snp[i] = (uint8_t)(*snp[i] - 2);
		assert_refused(judge(&e), e, ERR_DENIED, "same.tcb");
	}
	for (size_t i = 0; i < TDX_COMPONENTS; i++) {
		start(EVIDENCE_TDX);
		now.result.tdx.pck.components[i]++;
		assert_ok(judge(&e), e);
		now.result.tdx.pck.components[i] = (uint8_t)(now.result.tdx.pck.components[i] - 2);
		assert_refused(judge(&e), e, ERR_DENIED, "same.tcb");
	}
	for (size_t i = 0; i < TDX_SVN_LEN; i++) {
		start(EVIDENCE_TDX);
		now.result.tdx.quote.body.tee_tcb_svn[i]--;
		assert_refused(judge(&e), e, ERR_DENIED, "same.tcb");
		/* What runs now, where the launch stays what it was. */
		start(EVIDENCE_TDX);
		now.result.tdx.quote.body.tee_tcb_svn2[i]++;
		assert_ok(judge(&e), e);
		now.result.tdx.quote.body.tee_tcb_svn2[i] -= 2;
		assert_refused(judge(&e), e, ERR_DENIED, "same.tcb");
	}
	start(EVIDENCE_TDX);
	now.result.tdx.pck.pcesvn++;
	assert_ok(judge(&e), e);
	now.result.tdx.pck.pcesvn = 12;
	assert_refused(judge(&e), e, ERR_DENIED, "same.tcb");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_agent_is_the_same_in_every_mode),
		cmocka_unit_test(each_difference_is_refused_by_name),
		cmocka_unit_test(what_neither_has_is_not_asked),
		cmocka_unit_test(another_kind_of_evidence_is_refused),
		cmocka_unit_test(each_part_of_the_tcb_may_rise_and_never_fall),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
