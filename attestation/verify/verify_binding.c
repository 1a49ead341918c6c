/* SPDX-License-Identifier: Apache-2.0 */
/* verify_binding.c — what the evidence has to be bound to, and that nothing given goes unused. */
#include "attestation/verify/verification.h"

#include <string.h>

/* Each kind of evidence is bound by the nonce that was meant for it: 16 bytes or more. With the
 * token's key both are hashed together, so that either will do. */
static bool check_nonce_length(struct verification *x, const struct binding_nonce *nonce)
{
	bool keyed = x->parts->has_token && x->parts->token.spki;
	bool tee = evidence_kind_rows[x->mode].tee && !x->in->hcl_report.len &&
		   x->mode != EVIDENCE_TDX_VTPM;
	size_t len = tee ? nonce->tee_len : nonce->vtpm_len;

	if (keyed && len < nonce->tee_len)
		len = nonce->tee_len;
	if (keyed && len < nonce->vtpm_len)
		len = nonce->vtpm_len;
	return verdict_checkf(x->v, CHECK_TOKEN_NONCE_LENGTH,
			      len >= TPM_NONCE_MIN && nonce->tee_len <= BINDING_TEE_NONCE_MAX &&
				      nonce->vtpm_len <= BINDING_VTPM_NONCE_MAX,
			      "at least 16 bytes for this kind of evidence", "%zu", len);
}

/* Form NONCE: the token's own key is inside. A stock agent's token names none, and its report data
 * are the caller's bytes; a policy has to say that it takes such an agent. */
static bool bind_nonce(struct verification *x)
{
	struct binding_nonce nonce = *x->in->binding.nonce;
	bool stock = x->in->policy && x->in->policy->run.relayable;
	struct err e;

	nonce.type = (uint8_t)evidence_kind_rows[x->mode].type;
	x->has_report_data = true;
	if (!check_nonce_length(x, &nonce))
		return false;
	if (x->parts->has_token && x->parts->token.spki) {
		if (binding_nonce(&nonce, x->parts->token.spki, x->parts->token.spki_len,
				  &x->binding, &e) < 0)
			return verdict_err(x->v, CHECK_TOKEN_BINDING, &e);
		x->tpm_nonce = (struct span){ x->binding.tpm_nonce, BINDING_TPM_NONCE_LEN };
		return true;
	}
	if (!verdict_check(x->v, CHECK_TOKEN_BINDING, stock || x->in->genuine_only,
			   "no key in the evidence for the nonce to be bound to",
			   "a token with cnf, or a policy that takes a stock agent"))
		return false;
	memset(x->binding.report_data, 0, sizeof(x->binding.report_data));
	if (nonce.tee_len)
		memcpy(x->binding.report_data, nonce.tee, nonce.tee_len);
	x->tpm_nonce = (struct span){ nonce.vtpm, nonce.vtpm_len };
	return true;
}

/* extraData by itself beside a nonce or a channel: two words about one thing, which have to agree. A
 * stock agent's TPM nonce may be said in either way. */
static bool check_named_nonce(struct verification *x)
{
	struct span named = x->in->binding.tpm_nonce;

	if (!named.len)
		return true;
	if (!x->tpm_nonce.len) {
		x->tpm_nonce = named;
		return true;
	}
	return span_equal(named, x->tpm_nonce) ||
	       verdict_check(x->v, CHECK_TOKEN_NONCE_NAMED, false,
			     "another extraData than follows from the nonce or channel",
			     "one of the two, or the same twice");
}

/* Form CHANNEL: the token names the key that ended the TLS session. */
static bool bind_channel(struct verification *x)
{
	bool own = verify_token_is_connections(x);
	bool stock = x->in->policy && x->in->policy->run.relayable;

	x->binding = *x->in->binding.channel;
	x->has_report_data = true;
	x->tpm_nonce = (struct span){ x->binding.tpm_nonce, BINDING_TPM_NONCE_LEN };
	return verdict_check(x->v, CHECK_TOKEN_BINDING, own || stock,
			     own ? "the connection's key" : "another key, or none",
			     "the key of this connection");
}

/* Form RUN: the statement names its keys itself. */
static bool bind_run(struct verification *x)
{
	const struct evidence_kind_row *row = &evidence_kind_rows[x->mode];
	struct err e;

	if (binding_run(x->in->statement.bytes, x->in->statement.len, &x->binding, &e) < 0)
		return verdict_err(x->v, CHECK_RUN_FORM, &e);
	x->has_report_data = row->tee != TEE_NONE;
	if (row->tpm)
		x->tpm_nonce = (struct span){ x->binding.tpm_nonce, BINDING_TPM_NONCE_LEN };
	return true;
}

static bool bind_evidence(struct verification *x)
{
	const struct verify_binding *b = &x->in->binding;

	if (x->in->statement.len)
		return bind_run(x);
	if (b->channel)
		return bind_channel(x) && check_named_nonce(x);
	if (b->nonce)
		return bind_nonce(x) && check_named_nonce(x);
	x->tpm_nonce = b->tpm_nonce;
	if (b->report_data) {
		memcpy(x->binding.report_data, b->report_data, BINDING_REPORT_DATA_LEN);
		x->has_report_data = true;
	}
	return true;
}

/* A token says what it is, and so does who shows a statement with its evidence (a receipt): neither
 * may leave out what the policy speaks of. A caller who names a mode knows what it leaves out, and a
 * note repeats it. */
static bool check_whole(struct verification *x)
{
	const struct policy *p = x->in->policy;
	const struct evidence_kind_row *row = &evidence_kind_rows[x->mode];
	bool whole = !p || ((row->tpm || !p->has_tpm) && (row->tee || !(p->has_snp || p->has_tdx)));

	if (x->in->genuine_only || !p)
		return true;
	if (x->in->mode == EVIDENCE_EAT || x->in->statement.len)
		return verdict_check(
			x->v, CHECK_TOKEN_WHOLE, whole, evidence_kind_name(x->mode),
			x->in->statement.len
				? "every kind that the policy speaks of"
				: "every kind that the policy speaks of, or a mode by name");
	if (!whole)
		verdict_note(x->v, NOTE_MODE,
			     "mode %s: what the policy says of %s was not looked at",
			     evidence_kind_name(x->mode), row->tee ? "TPM registers" : "the TEE");
	return true;
}

/* Azure's reports bind the paravisor's data, and the quote binds the caller's nonce: one for the TEE counts
 * only where a token's key is hashed with both. */
static bool is_tee_nonce_idle(const struct verification *x)
{
	const struct binding_nonce *nonce = x->in->binding.nonce;
	bool azure = x->in->hcl_report.len || x->mode == EVIDENCE_TDX_VTPM;
	bool keyed = x->parts->has_token && x->parts->token.spki;

	return azure && nonce && nonce->tee_len && !keyed;
}

/* What was given has to be judged; an input that changes nothing was meant to change something. */
static bool check_used(struct verification *x)
{
	const struct verify_input *in = x->in;
	const struct evidence_kind_row *row = &evidence_kind_rows[x->mode];
	bool tpm = row->tpm, snp = row->tee == TEE_SNP;
	const struct tpm_binding *ak = &in->tpm.binding;
	bool whose_ak = ak->named.len || ak->cert.len || ak->runtime.len || ak->ek_cert.len ||
			ak->ek_root.len || ak->activated;
	bool unused =
		(in->hcl_report.len && (!tpm || !row->tee)) ||
		(in->td_quote.len && x->mode != EVIDENCE_TDX_VTPM) || (!snp && in->snp.crl_count) ||
		(in->binding.report_data &&
		 (!row->tee || in->hcl_report.len || x->mode == EVIDENCE_TDX_VTPM)) ||
		is_tee_nonce_idle(x) ||
		(!tpm && !x->parts->has_token && in->binding.tpm_nonce.len) || (!tpm && whose_ak) ||
		(x->mode == EVIDENCE_SNP && in->tpm.event_log.len) ||
		(ak->cert.len && !ak->root.len) || (!x->parts->has_token && in->token_key) ||
		(!snp &&
		 (in->snp.id_block.len || in->snp.id_auth.len || in->product != SNP_PRODUCT_ANY));

	return !unused || verdict_check(x->v, CHECK_INPUT_USED, false,
					"something that this kind of evidence is not judged by",
					"only what is judged");
}

/* A signer that neither the report data nor the caller confirms could say anything. Where a run
 * statement is required, that binds the signer. */
static bool check_vouched(struct verification *x)
{
	bool stock = x->in->policy && x->in->policy->run.relayable;
	bool bound = x->in->binding.nonce || verify_token_is_connections(x);

	return !x->parts->has_token || x->in->token_key || bound ||
	       (!stock && !x->in->genuine_only) ||
	       verdict_check(x->v, CHECK_TOKEN_VOUCHED, false, "its own key, which nothing binds",
			     "the key of this connection or nonce, or one that is named (--key)");
}

/* The claim, not proof: it must not say another form than the one that was asked for. */
static bool check_nonce_use(struct verification *x)
{
	enum eat_nonce_use wanted = x->in->binding.channel ? EAT_USE_CHANNEL : EAT_USE_NONCE;

	if (!x->parts->has_token || x->parts->token.nonce_use == EAT_USE_UNSAID ||
	    (!x->in->binding.channel && !x->in->binding.nonce))
		return true;
	return verdict_check(x->v, CHECK_TOKEN_NONCE_USE, x->parts->token.nonce_use == wanted,
			     eat_nonce_use_name(x->parts->token.nonce_use),
			     eat_nonce_use_name(wanted));
}

/* A nonce that the token carries has to be the TPM's, in every form (wire.md, Evidence). */
static bool check_token_nonce(struct verification *x)
{
	struct err e;

	if (!x->parts->has_token || !x->tpm_nonce.len)
		return true;
	if (eat_check_nonce(&x->parts->token, x->tpm_nonce.bytes, x->tpm_nonce.len, &e) < 0)
		return verdict_err(x->v, CHECK_TOKEN_NONCE, &e);
	return verdict_check(x->v, CHECK_TOKEN_NONCE, true, NULL, NULL);
}

/* Evidence by itself, kept or not, has no key exchange. A connection that nobody knows has none that counts. */
static void check_group(struct verification *x)
{
	const struct verify_binding *b = &x->in->binding;
	uint32_t wanted = x->in->policy ? x->in->policy->tls_groups : 0;
	uint32_t found = b->group ? *b->group : 0;

	if (wanted && (b->group || b->channel))
		verdict_check(x->v, CHECK_CHANNEL_GROUP, (wanted & found) != 0,
			      found ? kex_groups_show(found).text : "none that is known",
			      kex_groups_show(wanted).text);
	else if (wanted)
		verdict_not_asked(x->v, CHECK_CHANNEL_GROUP, "no connection");
	else if (found)
		verdict_not_asked(x->v, CHECK_CHANNEL_GROUP, kex_groups_show(found).text);
}

bool verify_binding(struct verification *x)
{
	check_group(x);
	return check_whole(x) && bind_evidence(x) && check_vouched(x) && check_used(x) &&
	       check_nonce_use(x) && check_token_nonce(x);
}
