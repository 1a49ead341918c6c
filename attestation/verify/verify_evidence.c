/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/token/eat_agree.h"
#include "attestation/tpm/hcl_report.h"
#include "attestation/verify/verification.h"

#include <string.h>

static bool has_policy(struct verification *x, bool described, const char *kind)
{
	if (x->in->genuine_only)
		return true;
	return verdict_checkf(
		x->v, "policy.given", NULL, x->in->policy && described,
		"a policy that says which measurement is right",
		x->in->policy ? "a policy that says nothing of %s" : "no policy for %s", kind);
}

/* The bare report with its table, or the protobuf of go-sev-guest. */
static bool open_snp(struct verification *x)
{
	struct err e;
	bool protobuf = x->evidence.len && x->evidence.bytes[0] == 0x0A; /* field 1, a message */

	if (!protobuf) {
		snp_evidence_split(x->evidence, &x->snp.report, &x->snp.cert_table);
		return true;
	}
	if (sevsnp_attestation_parse(x->evidence, &x->sevsnp, &e) < 0)
		return verdict_err(x->v, "parse.protobuf", "sevsnp.proto", &e);
	x->snp.report = (struct span){ x->sevsnp.report, SNP_REPORT_LEN };
	if (!x->snp.vek.len)
		x->snp.vek = x->sevsnp.vcek.len ? x->sevsnp.vcek : x->sevsnp.vlek;
	if (!x->snp.intermediate.len)
		x->snp.intermediate = x->sevsnp.ask;
	if (!x->snp.ark.len)
		x->snp.ark = x->sevsnp.ark;
	return true;
}

static void judge_snp(struct verification *x, const uint8_t *report_data)
{
	const struct policy *p = x->in->policy;
	struct err e;

	if (!has_policy(x, p && p->has_snp, "SNP"))
		return;
	x->snp.report_data = report_data;
	x->snp.at = x->in->at;
	x->snp.skew = x->in->skew;
	x->snp.policy = p ? &p->snp : NULL;
	x->snp.require_crl |= p && p->require_crl;
	if (snp_appraise(&x->snp, &x->result->snp, x->v, &e) < 0)
		return; /* the verdict has it */
	if (x->in->product != SNP_PRODUCT_ANY)
		verdict_check(x->v, "binding.product_named", NULL,
			      x->result->snp.product == x->in->product,
			      snp_product_name(x->result->snp.product),
			      snp_product_name(x->in->product));
	if (p && p->has_report_data && !x->in->genuine_only)
		verdict_bytes(x->v, "policy.report_data_of_policy", "56860 table 23",
			      x->result->snp.report.report_data, p->report_data,
			      sizeof(p->report_data));
	if (x->has_token && eat_agree_snp(&x->token, &x->result->snp.report, &e) < 0)
		verdict_err(x->v, "token.agrees", NULL, &e);
	if (x->in->corim)
		corim_judge_snp(x->in->corim, &x->result->snp, x->v);
}

static void judge_tdx(struct verification *x)
{
	const struct policy *p = x->in->policy;
	struct err e;

	if (!has_policy(x, p && p->has_tdx, "TDX"))
		return;
	x->tdx.quote = x->evidence;
	x->tdx.report_data = x->has_report_data ? x->binding.report_data : NULL;
	x->tdx.endorsements.at = x->in->at;
	x->tdx.endorsements.skew = x->in->skew;
	x->tdx.policy = p ? &p->tdx : NULL;
	if (tdx_appraise(&x->tdx, &x->result->tdx, x->v, &e) < 0)
		return;
	if (p && p->has_report_data && !x->in->genuine_only)
		verdict_bytes(x->v, "policy.report_data_of_policy", "TDX module ABI, REPORTDATA",
			      x->result->tdx.quote.body.reportdata, p->report_data,
			      sizeof(p->report_data));
	if (x->has_token && eat_agree_tdx(&x->token, &x->result->tdx.quote, &e) < 0)
		verdict_err(x->v, "token.agrees", NULL, &e);
	if (x->in->corim)
		corim_judge_tdx(x->in->corim, &x->result->tdx, x->v);
}

static void judge_tpm(struct verification *x, bool beside_tee)
{
	const struct policy *p = x->in->policy;
	struct err e;

	if (!beside_tee && !has_policy(x, p && p->has_tpm, "the TPM"))
		return;
	if (!x->tpm.quote.len)
		x->tpm.attestation = x->evidence;
	x->tpm.nonce = x->tpm_nonce;
	x->tpm.at = x->in->at;
	x->tpm.policy = p ? &p->tpm : NULL;
	/* The report binds the AK; a root is then the report's, but for who gives a certificate too. */
	if (beside_tee && !x->tpm.binding.cert.len)
		x->tpm.binding.root = (struct span){ NULL, 0 };
	if (x->tpm.binding.root.len && (x->in->snp.require_crl || (p && p->require_crl)))
		verdict_check(x->v, "crl.ak", "RFC 5280 6.3", false,
			      "no revocation list is read for AK certificates",
			      "one of each issuer, as was asked for");
	if (!beside_tee && x->has_token && p &&
	    (p->token.require_measurements || p->token.require_ueid))
		verdict_check(x->v, "token.agrees", NULL, false,
			      "a TPM's quote has nothing to compare these claims with",
			      "no rule about them");
	if (!beside_tee)
		verdict_note(x->v, "operator trusted: a TPM alone says nothing against its host");
	/* A message without form is refused below, by its own check. */
	if (x->has_token && tpm_attestation_parse(x->evidence, &x->attestation, &e) == 0 &&
	    eat_agree_tpm(&x->token, &x->attestation, &e) < 0)
		verdict_err(x->v, "token.agrees", NULL, &e);
	if (tpm_appraise(&x->tpm, &x->result->tpm, x->v, &e) < 0)
		return;
}

/* The report of SNP-vTPM as it was, if the token has it; else put together from the protobuf. */
static bool open_report_of_vtpm(struct verification *x)
{
	struct err e;

	if (tpm_attestation_parse(x->evidence, &x->attestation, &e) < 0)
		return verdict_err(x->v, "parse.protobuf", "attest.proto", &e);
	if (!verdict_check(x->v, "parse.report_there", "wire.md, Evidence",
			   x->attestation.sev_snp.len > 0 || x->token.tee_report.len > 0,
			   "no TEE report", "the report that binds the TPM"))
		return false;
	if (x->attestation.sev_snp.len) {
		if (sevsnp_attestation_parse(x->attestation.sev_snp, &x->sevsnp, &e) < 0)
			return verdict_err(x->v, "parse.protobuf", "sevsnp.proto", &e);
		x->snp.report = (struct span){ x->sevsnp.report, SNP_REPORT_LEN };
		if (!x->snp.vek.len)
			x->snp.vek = x->sevsnp.vcek.len ? x->sevsnp.vcek : x->sevsnp.vlek;
	}
	if (!x->token.tee_report.len)
		return true;
	struct span raw = { x->token.tee_report.bytes, x->token.tee_report.len }, report, table;
	snp_evidence_split(raw, &report, &table);
	if (x->attestation.sev_snp.len &&
	    !verdict_check(x->v, "token.agrees", "wire.md, Evidence",
			   report.len == SNP_REPORT_LEN &&
				   memcmp(report.bytes, x->sevsnp.report, SNP_REPORT_LEN) == 0,
			   "two different reports", "the same in both places"))
		return false;
	x->snp.report = report;
	x->snp.cert_table = table;
	return true;
}

/* Azure's way: the report vouches for runtime data that name the AK; freshness is the quote's. */
static void judge_hcl(struct verification *x)
{
	struct hcl_report hcl;
	struct err e;

	if (hcl_report_parse(x->in->hcl_report, &hcl, &e) < 0) {
		verdict_err(x->v, "parse.hcl_report", "Azure HCL report", &e);
		return;
	}
	if (!x->tpm.binding.runtime.len)
		x->tpm.binding.runtime = hcl.runtime;
	if (hcl_report_data(x->tpm.binding.runtime, x->snp_report_data, &e) < 0) {
		verdict_err(x->v, "parse.hcl_report", "Azure HCL report", &e);
		return;
	}
	x->snp.report = hcl.report;
	judge_snp(x, x->snp_report_data);
	/* The paravisor's word counts only if it was the paravisor that asked for the report. */
	verdict_require(x->v, "ak.runtime_vmpl");
	verdict_checkf(x->v, "ak.runtime_vmpl", "Azure HCL report", x->result->snp.report.vmpl == 0,
		       "0, the paravisor's", "%u", x->result->snp.report.vmpl);
	x->tpm.binding.tee_report_data = x->result->snp.report.report_data;
	judge_tpm(x, true);
}

static void judge_snp_vtpm(struct verification *x)
{
	struct span ak;
	struct err e;

	if (x->in->hcl_report.len) {
		judge_hcl(x);
		return;
	}
	if (!open_report_of_vtpm(x))
		return;
	ak = x->attestation.ak_public;
	if (x->has_report_data && ak.len &&
	    binding_with_ak(x->binding.report_data, ak.bytes, ak.len, x->snp_report_data, &e) < 0) {
		verdict_err(x->v, "ak.report", "wire.md", &e);
		return;
	}
	if (!x->has_report_data || !ak.len) {
		verdict_check(x->v, "ak.report", "wire.md", false,
			      "no AK, or no report data wanted",
			      "REPORT_DATA = SHA3-512(report data || AK public area)");
		return;
	}
	judge_snp(x, x->snp_report_data);
	x->tpm.binding.tee_report_data = x->result->snp.report.report_data;
	x->tpm.binding.report_data = x->binding.report_data;
	judge_tpm(x, true);
}

static void judge_snp_alone(struct verification *x)
{
	if (open_snp(x))
		judge_snp(x, x->has_report_data ? x->binding.report_data : NULL);
}

static void judge_tpm_alone(struct verification *x)
{
	judge_tpm(x, false);
}

/* By kind; what is not here is refused. */
static void (*const judges[])(struct verification *x) = {
	[EVIDENCE_SNP] = judge_snp_alone,
	[EVIDENCE_TDX] = judge_tdx,
	[EVIDENCE_VTPM] = judge_tpm_alone,
	[EVIDENCE_SNP_VTPM] = judge_snp_vtpm,
};
_Static_assert(ARRAY_LEN(judges) == EVIDENCE_HARDWARE_COUNT, "one for each that hardware makes");

bool verify_evidence_takes(enum evidence_kind kind)
{
	return kind < ARRAY_LEN(judges) && judges[kind];
}

bool verify_evidence(struct verification *x)
{
	if (!verify_evidence_takes(x->mode))
		return false;
	judges[x->mode](x);
	return true;
}
