/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/verify/verify.h"

#include "attestation/verify/verification.h"
#include "attestation/verify/verify_run.h"
#include "common/base/encode.h"

#include <string.h>

static int check_call(const struct verify_input *in, struct err *e)
{
	const struct verify_binding *b = &in->binding;
	bool tpm = in->mode == EVIDENCE_VTPM || in->mode == EVIDENCE_TDX_VTPM || in->hcl_report.len;
	int given = (b->report_data != NULL) + (b->nonce != NULL) + (b->channel != NULL);
	bool run = in->statement.len > 0;

	if (in->mode >= EVIDENCE_KINDS)
		return err_set(e, ERR_INVALID, "no such kind of evidence");
	if (in->skew > SNP_SKEW_MAX)
		return err_set(e, ERR_INVALID, "a skew of %u s; at most a day", in->skew);
	if (given > 1)
		return err_set(e, ERR_INVALID,
			       "report data and nonces are two ways to say one thing");
	if (run && (given || b->tpm_nonce.len || in->hcl_report.len || in->before_run))
		return err_set(e, ERR_INVALID,
			       "evidence over a run statement is bound to that, and to nothing "
			       "else");
	if (!given && !b->tpm_nonce.len && !run)
		return err_set(e, ERR_INVALID,
			       "nothing says what the evidence is bound to: give its report data, "
			       "or the nonce that it was asked with");
	if (tpm && !b->tpm_nonce.len && !b->nonce && !b->channel && !run)
		return err_set(e, ERR_INVALID, "a TPM's quote is judged by its nonce: give that");
	if (in->corim && in->genuine_only)
		return err_set(e, ERR_INVALID,
			       "a CoRIM says what runs, and nothing is asked about that");
	if (in->genuine_only && (in->policy || in->manifest_count))
		return err_set(e, ERR_INVALID,
			       "a policy or a manifest says what has to run, and nothing is asked "
			       "about that");
	if (b->nonce && !b->nonce->tee_len && !b->nonce->vtpm_len)
		return err_set(e, ERR_INVALID, "an empty nonce");
	return 0;
}

/* No evidence says it: it goes with the measurements, and the policy's author looked at the image. */
static void note_kernel(struct verification *x)
{
	switch (x->in->policy->run.kernel) {
	case POLICY_KERNEL_UNSAID:
		return;
	case POLICY_KERNEL_OWN:
		verdict_note(x->v, NOTE_OWN_KERNEL,
			     "the policy's image has our own kernel, which runs no ACPI code of "
			     "the host's");
		return;
	case POLICY_KERNEL_STOCK:
		verdict_note(x->v, NOTE_HOST_CODE,
			     "host's code runs: the policy's image has Debian's kernel, which runs "
			     "ACPI code of the host's");
		return;
	}
}

static void note_policy(struct verification *x)
{
	char hex[2 * SHA256_LEN + 1];

	if (!x->in->policy || x->in->genuine_only)
		return;
	hex_encode(x->in->policy->digest, SHA256_LEN, hex);
	verdict_note(x->v, NOTE_POLICY, "policy sha256:%s", hex);
	if (x->in->policy->run.relayable)
		verdict_note(x->v, NOTE_RELAYABLE,
			     "relayable: a stock agent vouches for whatever it is asked");
	note_kernel(x);
}

static void note_corim(struct verification *x)
{
	char hex[2 * SHA256_LEN + 1];

	if (!x->in->corim)
		return;
	corim_judge_file(x->in->corim, x->v);
	hex_encode(x->in->corim->digest, SHA256_LEN, hex);
	verdict_note(x->v, NOTE_CORIM, "corim sha256:%s, %s", hex,
		     x->in->corim->is_signed ? "signed by the key that was named"
					     : "unsigned: as good as who named the file");
}

static int note_identity(struct verification *x, struct err *e)
{
	bool bound = x->in->binding.nonce || verify_token_is_connections(x);
	bool stock = x->in->policy && x->in->policy->run.relayable; /* has any key bound */

	if (!x->parts->token.spki || !verdict_ok(x->v) || !bound || stock)
		return 0;
	x->result->has_identity = true;
	return digest(DIGEST_SHA256, x->parts->token.spki, x->parts->token.spki_len,
		      x->result->identity, e);
}

int verification_begin(struct verification *x, const struct verify_input *in,
		       const struct evidence_parts *parts, struct verdict *v,
		       struct verify_result *result, struct err *e)
{
	if (check_call(in, e) < 0)
		return err_code(e);
	if (!evidence_parts_are_of(parts, in))
		return err_set(e, ERR_INVALID, "the parts of other evidence than is to be judged");
	*x = (struct verification){
		.in = in,
		.parts = parts,
		.v = v,
		.result = result,
		.mode = in->mode,
		.snp = in->snp,
		.tdx = in->tdx,
		.tpm = in->tpm,
	};
	return 0;
}

int verify_parts(const struct verify_input *in, const struct evidence_parts *parts,
		 struct verdict *v, struct verify_result *result, struct err *e)
{
	CLEANUP(free) struct verify_result *own = NULL;
	CLEANUP(free) struct verification *x = calloc(1, sizeof(*x));

	verdict_init(v, in->genuine_only ? VERDICT_SCOPE_GENUINE_ONLY : VERDICT_SCOPE_FULL);
	if (!result)
		result = own = calloc(1, sizeof(*own));
	if (!x || !result)
		return err_nomem(e);
	memset(result, 0, sizeof(*result)); /* also for a call that makes no sense */
	if (verification_begin(x, in, parts, v, result, e) < 0)
		return err_code(e);
	note_policy(x);
	note_corim(x);
	if (verify_token(x) && verify_binding(x) && verify_evidence(x)) {
		if (!in->genuine_only)
			verify_run(in, x->mode, parts->has_token ? &parts->token : NULL, verify,
				   result, v);
	} else {
		verdict_require(v, CHECK_EVIDENCE_JUDGED); /* there is no such check: never a yes */
	}
	/* Whatever kind of evidence it was, a CoRIM that was given has to describe it. */
	if (in->corim)
		verdict_require(v, CHECK_CORIM_REFERENCE);
	result->mode = x->mode;
	if (note_identity(x, e) == 0)
		return 0;
	/* Who asks verdict_ok() although there is no verdict must not be told yes. */
	verdict_init(v, v->scope);
	return err_code(e);
}

int verify(const struct verify_input *in, struct verdict *v, struct verify_result *result,
	   struct err *e)
{
	CLEANUP(evidence_parts_free) struct evidence_parts *parts = NULL;

	verdict_init(v, in->genuine_only ? VERDICT_SCOPE_GENUINE_ONLY : VERDICT_SCOPE_FULL);
	if (evidence_parts_new(in, &parts, e) < 0)
		return err_code(e);
	return verify_parts(in, parts, v, result, e);
}
