/* SPDX-License-Identifier: Apache-2.0 */
/* verify_before.c — what can be judged without endorsements, before anybody is asked for them. */
#include "attestation/tpm/hcl_report.h"
#include "attestation/verify/verification.h"
#include "attestation/verify/verify.h"

#include <string.h>

static void before_nothing(struct verification *x)
{
}

/* A report's signature is its chip's, whose certificate is what is missing: binding is all there is. */
static void before_report(struct verification *x, const uint8_t *report_data)
{
	const struct snp_parsed *p = &x->parts->snp;

	verdict_require(x->v, CHECK_PARSE_REPORT);
	if (!x->parts->has_snp || !p->has_report) {
		verdict_err(x->v, CHECK_PARSE_REPORT, &p->report_why);
		return;
	}
	verdict_check(x->v, CHECK_PARSE_REPORT, true, NULL, NULL);
	verdict_require(x->v, CHECK_SIGNATURE_REPORT);
	verdict_check(x->v, CHECK_SIGNATURE_REPORT, snp_report_signature_in_range(&p->report),
		      "r and s", "1 to n-1");
	if (report_data)
		verdict_bytes(x->v, CHECK_POLICY_REPORT_DATA, p->report.report_data, report_data,
			      SNP_REPORT_DATA_LEN);
}

static void before_snp(struct verification *x)
{
	before_report(x, x->has_report_data ? x->binding.report_data : NULL);
}

static void before_snp_vtpm(struct verification *x)
{
	struct span runtime = x->tpm.binding.runtime, ak = x->parts->tpm.ak_public;
	struct err e = { 0 };
	int failed;

	if (x->in->hcl_report.len)
		failed = hcl_report_data(runtime.len ? runtime : x->parts->hcl.runtime,
					 x->tee_report_data, &e);
	else
		failed = binding_with_ak(x->binding.report_data, ak.bytes, ak.len,
					 x->tee_report_data, &e);
	if (verdict_require_step(x->v, CHECK_AK_REPORT, failed, &e))
		before_report(x, x->tee_report_data);
}

/* A quote brings the chain of its own signature along. */
static void before_quote(struct verification *x, const uint8_t *report_data)
{
	static const enum check_id own[] = { CHECK_PARSE_QUOTE, CHECK_SIGNATURE_QE_REPORT,
					     CHECK_SIGNATURE_QE_REPORT_DATA,
					     CHECK_SIGNATURE_QUOTE };
	CLEANUP(free) struct verdict *all = calloc(1, sizeof(*all));
	const struct tdx_quote *quote = &x->result->tdx.quote;

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		verdict_require(x->v, own[i]);
	if (!all)
		return;
	verdict_init(all, VERDICT_SCOPE_GENUINE_ONLY);
	x->tdx.endorsements.at = x->in->at;
	x->tdx.endorsements.skew = x->in->skew;
	x->tdx.endorsements.signatures = x->in->signatures;
	/* What is given of it is judged with the rest. */
	memset(&x->tdx.endorsements.collateral, 0, sizeof(x->tdx.endorsements.collateral));
	tdx_verify(&x->parts->tdx, &x->tdx.endorsements, all, &x->result->tdx);
	for (size_t i = 0; i < ARRAY_LEN(own); i++) {
		const struct check *c = verdict_find(all, own[i]);

		if (c)
			verdict_check(x->v, own[i], c->outcome == CHECK_PASSED, c->found,
				      c->wanted);
	}
	if (report_data && x->result->tdx.has_quote)
		verdict_bytes(x->v, CHECK_POLICY_REPORTDATA, quote->body.reportdata, report_data,
			      BINDING_REPORT_DATA_LEN);
}

static void before_tdx(struct verification *x)
{
	before_quote(x, x->has_report_data ? x->binding.report_data : NULL);
}

static void before_tdx_vtpm(struct verification *x)
{
	struct span runtime = x->tpm.binding.runtime;
	struct err e = { 0 };
	int failed = hcl_report_data(runtime.len ? runtime : x->parts->hcl.runtime,
				     x->tee_report_data, &e);

	if (verdict_require_step(x->v, CHECK_AK_REPORT, failed, &e))
		before_quote(x, x->tee_report_data);
}

/* By kind; of what is not here nothing is fetched. */
static void (*const befores[])(struct verification *x) = {
	[EVIDENCE_SNP] = before_snp,           [EVIDENCE_TDX] = before_tdx,
	[EVIDENCE_VTPM] = before_nothing,      [EVIDENCE_SNP_VTPM] = before_snp_vtpm,
	[EVIDENCE_TDX_VTPM] = before_tdx_vtpm,
};
_Static_assert(ARRAY_LEN(befores) == EVIDENCE_HARDWARE_COUNT, "one for each that hardware makes");

int verify_before(const struct verify_input *in, const struct evidence_parts *parts,
		  struct verdict *v, struct err *e)
{
	CLEANUP(free) struct verification *x = malloc(sizeof(*x));
	CLEANUP(free) struct verify_result *result = calloc(1, sizeof(*result));

	verdict_init(v, in->genuine_only ? VERDICT_SCOPE_GENUINE_ONLY : VERDICT_SCOPE_FULL);
	verdict_require(v, CHECK_EVIDENCE_JUDGED);
	if (!x || !result)
		return err_nomem(e);
	if (verification_begin(x, in, parts, v, result, e) < 0)
		return err_code(e);
	if (!verify_token(x) || !verify_binding(x) || x->mode >= ARRAY_LEN(befores))
		return 0;
	befores[x->mode](x);
	verdict_check(v, CHECK_EVIDENCE_JUDGED, true, NULL, NULL);
	return 0;
}
