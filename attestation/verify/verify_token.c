/* SPDX-License-Identifier: Apache-2.0 */
/* verify_token.c — a token around the evidence: who signed it, when, and of what kind it is. */
#include "attestation/token/eat_agree.h"
#include "attestation/verify/verification.h"

#include <string.h>

bool verify_token_is_connections(const struct verification *x)
{
	struct span spki = x->in->binding.channel_spki;

	return x->in->binding.channel && x->parts->has_token && x->parts->token.spki &&
	       x->parts->token.spki_len == spki.len &&
	       memcmp(x->parts->token.spki, spki.bytes, spki.len) == 0;
}

static bool check_signer(struct verification *x)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *own = NULL;
	EVP_PKEY *key = x->in->token_key;
	struct err e;

	if (!key && !x->parts->token.spki)
		return verdict_check(x->v, CHECK_TOKEN_SIGNER, false,
				     "nobody says who may have signed it",
				     "a key in cnf, or one that is named (--key)");
	if (!key && key_from_spki(x->parts->token.spki, x->parts->token.spki_len, &own, &e) < 0)
		return verdict_err(x->v, CHECK_TOKEN_SIGNER, &e);
	if (eat_verify(&x->parts->token, key ? key : own, &e) < 0)
		return verdict_err(x->v, CHECK_TOKEN_SIGNATURE, &e);
	verdict_check(x->v, CHECK_TOKEN_SIGNER, true,
		      key ? "the key that was named" : "its own key (cnf)", NULL);
	return verdict_check(x->v, CHECK_TOKEN_SIGNATURE, true, NULL, NULL);
}

/* Whose moment that is says nothing against a host's clock: it exempts from the token's own end alone,
 * and from nothing by being later than the one judged at. */
static bool check_time(struct verification *x)
{
	const struct verify_input *in = x->in;
	struct err e;

	if (in->token_at &&
	    !verdict_checkf(x->v, CHECK_TOKEN_TIME, in->token_at <= in->at + (int64_t)in->skew,
			    "a token that came before the moment that is judged at", "%lld s later",
			    (long long)(in->token_at - in->at)))
		return false;
	if (eat_check_time(&x->parts->token, in->token_at ? in->token_at : in->at, in->skew, &e) <
	    0)
		return verdict_err(x->v, CHECK_TOKEN_TIME, &e);
	return verdict_check(x->v, CHECK_TOKEN_TIME, true, NULL, NULL);
}

static bool check_age(struct verification *x)
{
	const struct verify_input *in = x->in;
	uint64_t max = in->policy ? in->policy->token.max_age : 0;

	if (!check_time(x))
		return false;
	if (!max)
		return true;
	int64_t age = in->at - x->parts->token.issued - (int64_t)in->skew;
	return verdict_checkf(x->v, CHECK_TOKEN_AGE, age <= 0 || (uint64_t)age <= max,
			      "as young as the policy asks", "%lld s", (long long)age);
}

static bool check_required_claims(struct verification *x)
{
	enum { CLAIM_UEID = 256, CLAIM_MEASUREMENTS = 265 };
	const struct policy *p = x->in->policy;
	const struct datum *ueid = datum_get(x->parts->token.claims, CLAIM_UEID);
	const struct datum *measurements = datum_get(x->parts->token.claims, CLAIM_MEASUREMENTS);
	bool there = !p || ((!p->token.require_ueid || (ueid && ueid->type == DATUM_BYTES)) &&
			    (!p->token.require_measurements ||
			     (measurements && measurements->type == DATUM_BYTES)));

	return verdict_check(x->v, CHECK_TOKEN_CLAIMS, there,
			     there ? "there" : "a claim is missing",
			     "the claims that the policy asks");
}

/* A reader of the token may take these for the hardware's word. */
static void note_uncompared(struct verification *x)
{
	char names[EAT_UNCOMPARED_MAX];

	eat_uncompared(&x->parts->token, x->parts->has_tpm ? &x->parts->tpm : NULL, names);
	if (names[0])
		verdict_note(x->v, NOTE_CLAIMS,
			     "the signer's word alone, compared with nothing: %s", names);
}

/* Evidence by itself has no claims. That beside a run statement (a receipt's) is bare by its form. */
static bool wants_token(const struct verify_input *in)
{
	const struct policy_token *p = in->policy ? &in->policy->token : NULL;

	return in->mode == EVIDENCE_EAT ||
	       (p && !in->genuine_only && !in->statement.len &&
		(p->required || p->max_age || p->require_ueid || p->require_measurements));
}

bool verify_token(struct verification *x)
{
	/* It would bring a statement of its own. */
	if (x->in->statement.len && x->parts->in_token)
		return verdict_check(x->v, CHECK_RUN_EVIDENCE, false, "a token",
				     "bare evidence, as the TEE made it");
	if (!x->parts->in_token) {
		if (!wants_token(x->in))
			return true;
		return verdict_check(x->v, CHECK_TOKEN_FORM, false, "no COSE_Sign1", "a token");
	}
	verdict_require(x->v, CHECK_TOKEN_FORM);
	verdict_require(x->v, CHECK_TOKEN_SIGNATURE);
	verdict_require(x->v, CHECK_TOKEN_TIME);
	if (!x->parts->has_token)
		return verdict_err(x->v, CHECK_TOKEN_FORM, &x->parts->token_why);
	verdict_check(x->v, CHECK_TOKEN_FORM, true, NULL, NULL);
	bool wanted = verify_evidence_takes(x->parts->token.platform) &&
		      (x->in->mode == EVIDENCE_EAT || x->in->mode == x->parts->token.platform);
	if (!verdict_check(x->v, CHECK_TOKEN_PLATFORM, wanted,
			   evidence_kind_platform(x->parts->token.platform),
			   x->in->mode == EVIDENCE_EAT ? evidence_kind_platforms().text
						       : evidence_kind_name(x->in->mode)))
		return false;
	x->mode = x->parts->token.platform;
	note_uncompared(x);
	return check_signer(x) && check_age(x) && check_required_claims(x);
}
