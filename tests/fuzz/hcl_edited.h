/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hcl_edited.h — Azure's way, right in everything: the paravisor's report around a report or TDREPORT,
 * the quote that was made of the latter, and the TPM's message; what fuzz_verify.c edits.
 */
#pragma once

#include "tests/forge/must.h"
#include "tests/forge/tdx_forge.h"
#include "tests/unit/attestation/snp/forge.h"
#include "tests/unit/attestation/verify/hcl_build.h"
#include "tests/unit/attestation/verify/verify_kind.h"

struct hcl_edited {
	bool made, tdx;
	EVP_PKEY *ak;
	uint8_t nonce[HCL_NONCE_LEN], quote[FORGE_QUOTE_MAX];
	struct forge snp;
	struct tdx_forge td;
	struct forge_tpm tpm;
	struct policy policy;
	struct verify_input in;
	struct writer runtime, hcl, message;
};

static inline void hcl_edited_snp(struct hcl_edited *h, const uint8_t digest[SHA256_LEN])
{
	forge_init(&h->snp, SNP_MILAN, 3, SNP_KEY_VCEK);
	memset(h->snp.report.report_data, 0, SNP_REPORT_DATA_LEN);
	memcpy(h->snp.report.report_data, digest, SHA256_LEN);
	forge_report(&h->snp);
	hcl_put_report(HCL_REPORT_SNP, (struct span){ h->snp.bytes, SNP_REPORT_LEN },
		       tpm_forge_span(&h->runtime), &h->hcl);
	h->policy.has_snp = true;
	h->policy.snp.measurements = (struct value_set){ h->snp.report.measurement, 1 };
	h->in.mode = EVIDENCE_SNP_VTPM;
	h->in.snp.vek = h->snp.input.vek;
	h->in.snp.intermediate = h->snp.input.intermediate;
	h->in.snp.trusted_root = h->snp.input.trusted_root;
}

static inline void hcl_edited_tdx(struct hcl_edited *h, const uint8_t digest[SHA256_LEN])
{
	uint8_t tdreport[HCL_TDREPORT_LEN] = { 0x81 };
	struct tdx_input tdx;
	struct forge_quote q;

	tdx_forge_init(&h->td);
	h->td.good.body.reportdata[0] = 0;
	q = h->td.good;
	memset(q.body.reportdata, 0, sizeof(q.body.reportdata));
	memcpy(q.body.reportdata, digest, SHA256_LEN);
	memcpy(tdreport + 128, q.body.reportdata, sizeof(q.body.reportdata));
	hcl_put_report(HCL_REPORT_TDX, (struct span){ tdreport, sizeof(tdreport) },
		       tpm_forge_span(&h->runtime), &h->hcl);
	h->policy.has_tdx = true;
	tdx_forge_policy(&h->td.good.body, &h->policy.tdx);
	tdx_forge_input(&h->td, NULL, 0, &h->td.good.body, NULL, &tdx);
	h->in.mode = EVIDENCE_TDX_VTPM;
	h->in.tdx.endorsements = tdx.endorsements;
	h->in.td_quote = (struct span){ h->quote, tdx_forge_quote(&h->td, &q, h->quote) };
}

static inline void hcl_edited_make(struct hcl_edited *h, bool tdx)
{
	uint8_t value[SHA256_LEN];
	struct err e;

	if (h->made)
		return;
	h->made = true;
	h->ak = EVP_RSA_gen(2048);
	memset(h->nonce, 0x6e, sizeof(h->nonce));
	tpm_forge_init(&h->tpm);
	policy_init(&h->policy);
	h->policy.has_tpm = h->policy.run.relayable = h->policy.run.azure_paravisor = true;
	h->policy.tpm.pcrs[0] =
		(struct tpm_policy_pcr){ DIGEST_SHA256, 4, { h->tpm.pcrs.banks[0].values[4], 1 } };
	h->policy.tpm.count = 1;
	h->in = (struct verify_input){ .product = SNP_PRODUCT_ANY,
				       .policy = &h->policy,
				       .binding.tpm_nonce = { h->nonce, sizeof(h->nonce) },
				       .at = tdx ? (int64_t)1781481600 : FORGE_AT };
	hcl_put_runtime(h->ak, "\"sign\"", "1", &h->runtime);
	MUST(digest(DIGEST_SHA256, h->runtime.bytes, h->runtime.len, value, &e) == 0);
	if (tdx)
		hcl_edited_tdx(h, value);
	else
		hcl_edited_snp(h, value);
	hcl_put_message(&h->tpm, h->nonce, h->ak, &h->message);
	h->in.evidence = tpm_forge_span(&h->message);
	h->in.hcl_report = tpm_forge_span(&h->hcl);
}
