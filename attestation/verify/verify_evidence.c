/* SPDX-License-Identifier: Apache-2.0 */
/* verify_evidence.c — what the hardware signed: one judge for each kind of evidence. */
#include "attestation/token/eat_agree.h"
#include "attestation/tpm/hcl_report.h"
#include "attestation/verify/verification.h"

#include <string.h>

static bool has_policy(struct verification *x, bool described, const char *kind)
{
	const char *said = !x->in->policy ? "no policy for"
			   : described    ? "a policy that speaks of"
					  : "a policy that says nothing of";

	if (x->in->genuine_only)
		return true;
	return verdict_checkf(x->v, CHECK_POLICY_GIVEN, x->in->policy && described,
			      "a policy that says which measurement is right", "%s %s", said, kind);
}

/* What the message brings beside the report, where the caller gives nothing. */
static bool open_sevsnp(struct verification *x)
{
	const struct evidence_parts *p = x->parts;

	if (!p->has_sevsnp)
		return verdict_err(x->v, CHECK_PARSE_PROTOBUF, &p->sevsnp_why);
	if (!x->snp.vek.len)
		x->snp.vek = p->sevsnp.vcek.len ? p->sevsnp.vcek : p->sevsnp.vlek;
	return true;
}

static bool open_snp(struct verification *x)
{
	if (x->parts->has_snp && !x->parts->has_sevsnp)
		return true;
	if (!open_sevsnp(x))
		return false;
	if (!x->snp.intermediate.len)
		x->snp.intermediate = x->parts->sevsnp.ask;
	if (!x->snp.ark.len)
		x->snp.ark = x->parts->sevsnp.ark;
	return true;
}

/* False: it was not judged at all, and nothing can rest on it. */
static bool judge_snp(struct verification *x, const uint8_t *report_data)
{
	const struct policy *p = x->in->policy;
	struct err e;

	if (!has_policy(x, p && p->has_snp, "SNP"))
		return false;
	x->snp.parsed = &x->parts->snp;
	x->snp.report_data = report_data;
	x->snp.at = x->in->at;
	x->snp.skew = x->in->skew;
	x->snp.policy = p ? &p->snp : NULL;
	x->snp.require_crl |= p && p->require_crl;
	x->snp.crl_max_age = p ? p->crl_max_age : 0;
	x->snp.signatures = x->in->signatures;
	snp_appraise(&x->snp, &x->result->snp, x->v);
	if (!verdict_ok(x->v))
		return true;
	if (x->in->product != SNP_PRODUCT_ANY)
		verdict_check(
			x->v, CHECK_BINDING_PRODUCT_NAMED, x->result->snp.product == x->in->product,
			snp_product_name(x->result->snp.product), snp_product_name(x->in->product));
	if (p && p->has_report_data && !x->in->genuine_only)
		verdict_bytes(x->v, CHECK_POLICY_REPORT_DATA_OF_POLICY,
			      x->result->snp.report.report_data, p->report_data,
			      sizeof(p->report_data));
	if (x->parts->has_token && eat_agree_snp(&x->parts->token, &x->result->snp.report, &e) < 0)
		verdict_err(x->v, CHECK_TOKEN_AGREES, &e);
	if (x->in->corim)
		corim_judge_snp(x->in->corim, &x->result->snp, x->v);
	return true;
}

static bool judge_tdx(struct verification *x, const uint8_t *report_data)
{
	const struct policy *p = x->in->policy;
	struct err e;

	if (!has_policy(x, p && p->has_tdx, "TDX"))
		return false;
	x->tdx.parsed = &x->parts->tdx;
	x->tdx.report_data = report_data;
	x->tdx.endorsements.at = x->in->at;
	x->tdx.endorsements.skew = x->in->skew;
	x->tdx.endorsements.crl_max_age = p ? p->crl_max_age : 0;
	x->tdx.endorsements.signatures = x->in->signatures;
	x->tdx.policy = p ? &p->tdx : NULL;
	tdx_appraise(&x->tdx, &x->result->tdx, x->v);
	if (!verdict_ok(x->v))
		return true;
	if (p && p->has_report_data && !x->in->genuine_only)
		verdict_bytes(x->v, CHECK_POLICY_REPORT_DATA_OF_POLICY,
			      x->result->tdx.quote.body.reportdata, p->report_data,
			      sizeof(p->report_data));
	if (x->parts->has_token && eat_agree_tdx(&x->parts->token, &x->result->tdx.quote, &e) < 0)
		verdict_err(x->v, CHECK_TOKEN_AGREES, &e);
	if (x->in->corim)
		corim_judge_tdx(x->in->corim, &x->result->tdx, x->v);
	return true;
}

/* A stock agent has a report made over whatever it is given: over another key, or the digest of runtime data
 * that nobody's paravisor made. A guest of Azure's can't ask for a report of its paravisor's level, but that
 * the level is a paravisor's, the policy alone says. A token's signer that the caller named stands behind the
 * report inside of it, not behind Azure's beside it. */
static bool is_by_anybody(const struct verification *x)
{
	const struct policy *p = x->in->policy;

	if (!p || !p->run.relayable || x->in->beside_statement)
		return false;
	if (x->in->hcl_report.len)
		return !p->run.azure_paravisor;
	return p->has_tpm && !x->in->token_key && !x->in->statement.len;
}

static void judge_tpm(struct verification *x, bool beside_tee)
{
	const struct policy *p = x->in->policy;
	struct err e;

	if (!beside_tee && !has_policy(x, p && p->has_tpm, "the TPM"))
		return;
	x->tpm.evidence = NULL;
	x->tpm.unreadable = NULL;
	if (!x->tpm.quote.len && x->parts->has_tpm)
		x->tpm.evidence = &x->parts->tpm;
	else if (!x->tpm.quote.len && x->parts->raw.len)
		x->tpm.unreadable = &x->parts->tpm_why;
	x->tpm.nonce = x->tpm_nonce;
	x->tpm.at = x->in->at;
	x->tpm.policy = p ? &p->tpm : NULL;
	/* The report binds the AK; a root is then the report's, but for who gives a certificate too. */
	if (beside_tee && !x->tpm.binding.cert.len)
		x->tpm.binding.root = (struct span){ NULL, 0 };
	x->tpm.binding.by_anybody = is_by_anybody(x);
	x->tpm.require_crl = x->in->snp.require_crl || (p && p->require_crl);
	if (!beside_tee && x->parts->has_token && p &&
	    (p->token.require_measurements || p->token.require_ueid))
		verdict_check(x->v, CHECK_TOKEN_AGREES, false,
			      "a TPM's quote has nothing to compare these claims with",
			      "no rule about them");
	if (!beside_tee)
		verdict_note(x->v, NOTE_OPERATOR_TRUSTED,
			     "operator trusted: a TPM alone says nothing against its host");
	/* What is measured of a paravisor says nothing of what boots in it. */
	if ((!beside_tee || x->in->hcl_report.len) && p && policy_leaves_open_alone(p) &&
	    !x->in->genuine_only)
		verdict_note(x->v, NOTE_LEAVES_OPEN, "the policy: %s", policy_leaves_open_alone(p));
	/* A message without form is refused below, by its own check. */
	if (x->parts->has_token && x->parts->has_tpm &&
	    eat_agree_tpm(&x->parts->token, &x->parts->tpm, &e) < 0)
		verdict_err(x->v, CHECK_TOKEN_AGREES, &e);
	tpm_appraise(&x->tpm, &x->result->tpm, x->v); /* verify()'s caller asks verdict_ok() */
}

/* A report in both places is the same one. */
static bool open_report_of_vtpm(struct verification *x)
{
	const struct evidence_parts *p = x->parts;
	const struct span report = p->snp.report_bytes;

	if (!p->has_tpm)
		return verdict_err(x->v, CHECK_PARSE_PROTOBUF, &p->tpm_why);
	if (!verdict_check(x->v, CHECK_PARSE_REPORT_THERE,
			   p->tpm.sev_snp.len > 0 || p->token.tee_report.len > 0, "no TEE report",
			   "the report that binds the TPM"))
		return false;
	if (p->tpm.sev_snp.len && !open_sevsnp(x))
		return false;
	return !p->token.tee_report.len || !p->tpm.sev_snp.len ||
	       verdict_check(x->v, CHECK_TOKEN_AGREES,
			     report.len == SNP_REPORT_LEN &&
				     memcmp(report.bytes, p->sevsnp.report, SNP_REPORT_LEN) == 0,
			     "two different reports", "the same in both places");
}

/* Azure's way: the report vouches for runtime data that name the AK; freshness is the quote's. */
static bool open_hcl(struct verification *x)
{
	struct err e;

	verdict_require(x->v, CHECK_PARSE_HCL_REPORT);
	if (!x->parts->has_hcl)
		return verdict_err(x->v, CHECK_PARSE_HCL_REPORT, &x->parts->hcl_why);
	verdict_check(x->v, CHECK_PARSE_HCL_REPORT, true, NULL, NULL);
	if (!x->tpm.binding.runtime.len)
		x->tpm.binding.runtime = x->parts->hcl.runtime;
	if (hcl_report_data(x->tpm.binding.runtime, x->tee_report_data, &e) < 0)
		return verdict_err(x->v, CHECK_PARSE_HCL_REPORT, &e);
	return true;
}

/* A TDREPORT is nobody's proof: the quote that was made of it is. The paravisor alone can ask for one:
 * a guest in it has no such call (TD partitioning), so that there is no level to look at. */
static void judge_tdx_vtpm(struct verification *x)
{
	const struct hcl_report *hcl = &x->parts->hcl;

	if (!open_hcl(x))
		return;
	verdict_require(x->v, CHECK_AK_RUNTIME);
	verdict_bytes(x->v, CHECK_AK_RUNTIME, hcl_report_found_data(hcl), x->tee_report_data,
		      HCL_REPORT_DATA_LEN);
	x->tdx.event_log = (struct span){ NULL, 0 }; /* the TPM's, in this kind */
	if (!judge_tdx(x, x->tee_report_data))
		return;
	x->tpm.binding.tee_report_data = x->result->tdx.quote.body.reportdata;
	judge_tpm(x, true);
}

static void judge_hcl(struct verification *x)
{
	if (!open_hcl(x))
		return;
	if (!judge_snp(x, x->tee_report_data))
		return;
	/* The paravisor's word counts only if it was the paravisor that asked for the report. */
	verdict_require(x->v, CHECK_AK_RUNTIME_VMPL);
	verdict_checkf(x->v, CHECK_AK_RUNTIME_VMPL, x->result->snp.report.vmpl == 0,
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
	ak = x->parts->tpm.ak_public;
	if (x->has_report_data && ak.len &&
	    binding_with_ak(x->binding.report_data, ak.bytes, ak.len, x->tee_report_data, &e) < 0) {
		verdict_err(x->v, CHECK_AK_REPORT, &e);
		return;
	}
	if (!x->has_report_data || !ak.len) {
		verdict_check(x->v, CHECK_AK_REPORT, false, "no AK, or no report data wanted",
			      "REPORT_DATA = SHA3-512(report data || AK public area)");
		return;
	}
	if (!judge_snp(x, x->tee_report_data))
		return;
	x->tpm.binding.tee_report_data = x->result->snp.report.report_data;
	x->tpm.binding.report_data = x->binding.report_data;
	judge_tpm(x, true);
}

static void judge_snp_alone(struct verification *x)
{
	if (open_snp(x))
		judge_snp(x, x->has_report_data ? x->binding.report_data : NULL);
}

static void judge_tdx_alone(struct verification *x)
{
	judge_tdx(x, x->has_report_data ? x->binding.report_data : NULL);
}

static void judge_tpm_alone(struct verification *x)
{
	judge_tpm(x, false);
}

/* By kind; what is not here is refused. */
static void (*const judges[])(struct verification *x) = {
	[EVIDENCE_SNP] = judge_snp_alone,     [EVIDENCE_TDX] = judge_tdx_alone,
	[EVIDENCE_VTPM] = judge_tpm_alone,    [EVIDENCE_SNP_VTPM] = judge_snp_vtpm,
	[EVIDENCE_TDX_VTPM] = judge_tdx_vtpm,
};
_Static_assert(ARRAY_LEN(judges) == EVIDENCE_HARDWARE_COUNT, "one for each that hardware makes");

bool verify_evidence_takes(enum evidence_kind kind)
{
	return kind < ARRAY_LEN(judges) && judges[kind];
}

bool verify_evidence(struct verification *x)
{
	const struct policy *p = x->in->policy;

	if (!verify_evidence_takes(x->mode))
		return false;
	if (p && p->run.azure_paravisor && !evidence_kind_rows[x->mode].tpm)
		verdict_note(x->v, NOTE_LEAVES_OPEN,
			     "the paravisor's measurement says nothing of what booted in it, and "
			     "no register was judged");
	judges[x->mode](x);
	return true;
}
