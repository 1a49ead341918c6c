/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: their claims. */
#include "attestation/token/eat.h"
#include "attestation/token/eat_agree.h"

/* Compares its other claims with the report that it carries, by platform. */
static void agree(const struct eat *t, struct err *e)
{
	static struct tpm_evidence message;
	struct span raw = { t->raw_report.bytes, t->raw_report.len };
	struct snp_report report;
	struct tdx_quote quote;

	if (t->platform == EVIDENCE_TDX && tdx_quote_parse(raw.bytes, raw.len, &quote, e) == 0)
		(void)!eat_agree_tdx(t, &quote, e);
	if (t->platform == EVIDENCE_SNP && raw.len >= SNP_REPORT_LEN &&
	    snp_report_parse(raw.bytes, SNP_REPORT_LEN, &report, e) == 0)
		(void)!eat_agree_snp(t, &report, e);
	if ((t->platform == EVIDENCE_VTPM || t->platform == EVIDENCE_SNP_VTPM) &&
	    tpm_attestation_parse(raw, &message, e) == 0)
		(void)!eat_agree_tpm(t, &message, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct eat t;
	struct err e;

	if (eat_parse(bytes, len, &t, &e) < 0)
		return 0;
	if (t.nonce.len < EAT_NONCE_MIN || !t.raw_report.len)
		__builtin_trap();
	(void)!eat_check_time(&t, INT64_MAX / 2, UINT32_MAX, &e);
	agree(&t, &e);
	eat_done(&t);
	return 0;
}
