/* SPDX-License-Identifier: Apache-2.0 */
/* cocos_verify.c — the caller's objects as one input of the verifier, and its answer as a verdict. */
#include "attestation/claims/claims.h"
#include "attestation/envelope/evidence_json.h"
#include "attestation/library/library_error.h"
#include "attestation/library/library_objects.h"
#include "common/base/writer.h"

#include <string.h>

enum { INTERMEDIATES_MAX = 16 };

/* One call: the verifier's input, and what it points into beside the caller's objects. */
struct call {
	const struct cocos_request *request;
	const struct library_store *endorsements; /* an empty one if there are none */
	struct verify_input in;
	struct policy policy; /* a copy, which a CoRIM completes; owns nothing */
	struct corim_values corim;
	EVP_PKEY *token_key;
	struct x509_chain chain;
	struct span intermediates[INTERMEDIATES_MAX];
	struct binding_nonce nonce;
	uint8_t manifests[VERIFY_MANIFESTS_MAX][SHA3_256_LEN];
	uint8_t *evidence;          /* of its JSON form, malloc'ed */
	char problem[ERR_TEXT_MAX]; /* why that could not be read; empty: it could */
	struct verify_result result;
};

DEFINE_CLEANUP(struct cocos_verdict *, cocos_verdict_free)

static void call_free(struct call *c)
{
	corim_values_done(&c->corim);
	EVP_PKEY_free(c->token_key);
	x509_chain_done(&c->chain);
	free(c->evidence);
	free(c);
}
DEFINE_CLEANUP(struct call *, call_free)

/* ---- modes ---- */

static const struct {
	enum cocos_mode mode;
	enum evidence_kind ours;
} modes[] = {
	{ COCOS_SNP, EVIDENCE_SNP },           { COCOS_TDX, EVIDENCE_TDX },
	{ COCOS_VTPM, EVIDENCE_VTPM },         { COCOS_SNP_VTPM, EVIDENCE_SNP_VTPM },
	{ COCOS_TDX_VTPM, EVIDENCE_TDX_VTPM }, { COCOS_EAT, EVIDENCE_EAT },
};

static enum evidence_kind mode_of(enum cocos_mode mode)
{
	size_t i = 0;

	while (modes[i].mode != mode) /* cocos_request_new() took it */
		i++;
	return modes[i].ours;
}

static enum cocos_mode mode_back(enum evidence_kind mode)
{
	size_t i = 0;

	while (modes[i].ours != mode)
		i++;
	return modes[i].mode;
}

/* ---- where each input goes ---- */

struct place {
	unsigned number;
	size_t at; /* of a struct span in struct verify_input */
};

#define PLACE(number, member) { number, offsetof(struct verify_input, member) }

/* clang-format off */
static const struct place input_places[] = {
	PLACE(COCOS_EVENT_LOG,    tpm.event_log),
	PLACE(COCOS_EVENT_LOG,    tdx.event_log),
	PLACE(COCOS_HCL_REPORT,   hcl_report),
	PLACE(COCOS_TD_QUOTE,     td_quote),
	PLACE(COCOS_RUNTIME_DATA, tpm.binding.runtime),
	PLACE(COCOS_ID_BLOCK,     snp.id_block),
	PLACE(COCOS_ID_AUTH,      snp.id_auth),
	PLACE(COCOS_EXTRA_DATA,   binding.tpm_nonce),
};

static const struct place endorsement_places[] = {
	PLACE(COCOS_SNP_VLEK,              snp.vek),
	PLACE(COCOS_SNP_VCEK,              snp.vek),
	PLACE(COCOS_SNP_ASK,               snp.intermediate),
	PLACE(COCOS_SNP_ARK,               snp.ark),
	PLACE(COCOS_SNP_ROOT,              snp.trusted_root),
	PLACE(COCOS_TDX_TCB_INFO,          tdx.endorsements.collateral.tcb_info),
	PLACE(COCOS_TDX_TCB_INFO_CHAIN,    tdx.endorsements.collateral.tcb_info_chain),
	PLACE(COCOS_TDX_QE_IDENTITY,       tdx.endorsements.collateral.qe_identity),
	PLACE(COCOS_TDX_QE_IDENTITY_CHAIN, tdx.endorsements.collateral.qe_identity_chain),
	PLACE(COCOS_TDX_PCK_CRL,           tdx.endorsements.collateral.pck_crl),
	PLACE(COCOS_TDX_PCK_CRL_CHAIN,     tdx.endorsements.collateral.pck_crl_chain),
	PLACE(COCOS_TDX_ROOT_CRL,          tdx.endorsements.collateral.root_crl),
	PLACE(COCOS_TDX_ROOT,              tdx.endorsements.trusted_root),
	PLACE(COCOS_TPM_AK,                tpm.binding.named),
	PLACE(COCOS_TPM_AK_CERT,           tpm.binding.cert),
	PLACE(COCOS_TPM_AK_ROOT,           tpm.binding.root),
	PLACE(COCOS_TPM_EK_CERT,           tpm.binding.ek_cert),
	PLACE(COCOS_TPM_EK_ROOT,           tpm.binding.ek_root),
};
/* clang-format on */

static void put(struct call *c, const struct library_store *store, const struct place *places,
		size_t count)
{
	char *in = (char *)c + offsetof(struct call, in);

	for (size_t i = 0; i < count; i++) {
		struct span bytes = library_store_get(store, places[i].number, 0);

		if (library_store_has(store, places[i].number))
			memcpy(in + places[i].at, &bytes, sizeof(bytes));
	}
}

/* ---- the parts that are more than bytes ---- */

/* The mode says which message a JSON form is of. One that can't be read stays as it is: the verifier
 * refuses it, as it refuses every other malformed evidence. */
static void open_evidence(struct call *c)
{
	struct span bytes = library_store_get(&c->request->store, COCOS_EVIDENCE, 0);
	enum evidence_kind mode = c->in.mode;
	struct err e;

	c->in.evidence = bytes;
	if (!evidence_is_json(bytes) || !evidence_has_json(mode))
		return;
	if (evidence_from_json(bytes, mode, &c->evidence, &c->in.evidence.len, &e) < 0)
		memcpy(c->problem, e.text, sizeof(c->problem));
	else
		c->in.evidence.bytes = c->evidence;
}

static int bind(struct call *c, struct err *e)
{
	const struct cocos_request *r = c->request;
	struct span tee = library_store_get(&r->store, COCOS_TEE_NONCE, 0);
	struct span vtpm = library_store_get(&r->store, COCOS_VTPM_NONCE, 0);
	struct verify_binding *b = &c->in.binding;

	if (!library_store_has(&r->store, COCOS_EVIDENCE))
		return err_set(e, ERR_INVALID, "no evidence was set");
	if (!r->has_at)
		return err_set(e, ERR_INVALID, "no moment to judge at was set");
	c->in.at = r->at;
	c->in.skew = r->skew;
	c->in.signatures = r->signatures;
	b->report_data = library_store_get(&r->store, COCOS_REPORT_DATA, 0).bytes;
	if (tee.len || vtpm.len) {
		c->nonce = (struct binding_nonce){ .tee = tee.bytes,
						   .tee_len = tee.len,
						   .vtpm = vtpm.bytes,
						   .vtpm_len = vtpm.len };
		b->nonce = &c->nonce;
	}
	if (r->has_channel) {
		b->channel = &r->channel;
		b->channel_spki = (struct span){ r->channel_spki, r->channel_spki_len };
	}
	return 0;
}

static void list(struct call *c)
{
	struct snp_input *snp = &c->in.snp;
	struct tpm_binding *tpm = &c->in.tpm.binding;
	struct span one;

	while ((one = library_store_get(c->endorsements, COCOS_SNP_CRL, snp->crl_count)).len)
		snp->crls[snp->crl_count++] = one;
	while ((one = library_store_get(c->endorsements, COCOS_TPM_INTERMEDIATE,
					tpm->intermediate_count))
		       .len)
		c->intermediates[tpm->intermediate_count++] = one;
	tpm->intermediates = c->intermediates;
	while ((one = library_store_get(&c->request->store, COCOS_MANIFEST_DIGEST,
					c->in.manifest_count))
		       .len)
		memcpy(c->manifests[c->in.manifest_count++], one.bytes, SHA3_256_LEN);
	c->in.manifests = (const uint8_t(*)[SHA3_256_LEN])c->manifests;
}

/* ASK and ARK of one PEM. */
static int split_chain(struct call *c, struct err *e)
{
	struct span pem = library_store_get(c->endorsements, COCOS_SNP_CHAIN, 0);
	struct snp_input *snp = &c->in.snp;

	snp->need_vcek = library_store_has(c->endorsements, COCOS_SNP_VCEK);
	snp->need_vlek = library_store_has(c->endorsements, COCOS_SNP_VLEK);
	if (snp->need_vcek && snp->need_vlek)
		return err_set(e, ERR_INVALID, "VCEK and VLEK: one report has one");
	if (!pem.len)
		return 0;
	if (snp->intermediate.len || snp->ark.len)
		return err_set(e, ERR_INVALID, "SEV-SNP chain: it has ASK and ARK already");
	if (x509_chain_from_pem(pem.bytes, pem.len, &c->chain, e) < 0)
		return err_wrap(e, "SEV-SNP chain");
	if (c->chain.count != 2)
		return err_set(e, ERR_INVALID, "SEV-SNP chain: %zu certificates; 2 are wanted",
			       c->chain.count);
	snp->intermediate = (struct span){ c->chain.certs[0]->der, c->chain.certs[0]->len };
	snp->ark = (struct span){ c->chain.certs[1]->der, c->chain.certs[1]->len };
	return 0;
}

/* PEM, or DER; none: `*key` stays NULL. */
static int load_key(struct call *c, unsigned number, const char *what, EVP_PKEY **key,
		    struct err *e)
{
	struct span bytes = library_store_get(c->endorsements, number, 0);
	int failed;

	if (!bytes.len)
		return 0;
	failed = bytes.bytes[0] == '-'
			 ? key_from_public_pem((const char *)bytes.bytes, bytes.len, key, e)
			 : key_from_spki(bytes.bytes, bytes.len, key, e);
	return failed ? err_wrap(e, "%s", what) : 0;
}

/* What the policy says nothing about is the CoRIM's to say; without a policy, that is which
 * measurement is right. */
static int take_corim(struct call *c, struct err *e)
{
	struct span file = library_store_get(c->endorsements, COCOS_CORIM, 0);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (!file.len && library_store_has(c->endorsements, COCOS_CORIM_KEY))
		return err_set(e, ERR_INVALID, "CoRIM key: there is no CoRIM");
	if (!file.len)
		return 0;
	if (load_key(c, COCOS_CORIM_KEY, "CoRIM key", &key, e) < 0)
		return err_code(e);
	if (corim_values_read(file, key, c->in.at, &c->corim, e) < 0)
		return err_wrap(e, "CoRIM");
	if (!c->in.policy)
		memcpy(c->policy.digest, c->corim.digest, SHA256_LEN);
	c->in.policy = &c->policy;
	c->in.corim = &c->corim;
	return corim_values_policy(&c->corim, &c->policy, e);
}

static void take_policy(struct call *c, const struct cocos_policy *policy)
{
	if (policy) {
		c->policy = policy->policy;
		c->in.policy = &c->policy;
	} else {
		policy_init(&c->policy);
	}
}

static int fill(struct call *c, const struct cocos_policy *policy, struct err *e)
{
	const struct cocos_request *r = c->request;

	c->in.mode = mode_of(r->mode);
	c->in.product = r->product;
	c->in.genuine_only = r->flags & COCOS_GENUINE_ONLY;
	c->in.before_run = r->flags & COCOS_BEFORE_RUN;
	c->in.snp.require_crl = r->flags & COCOS_REQUIRE_CRL;
	put(c, &r->store, input_places, ARRAY_LEN(input_places));
	put(c, c->endorsements, endorsement_places, ARRAY_LEN(endorsement_places));
	list(c);
	if (r->credential.answered)
		c->in.tpm.binding.activated = &r->credential;
	open_evidence(c);
	take_policy(c, policy);
	if (bind(c, e) < 0 || split_chain(c, e) < 0 ||
	    load_key(c, COCOS_TOKEN_KEY, "token key", &c->token_key, e) < 0)
		return err_code(e);
	c->in.token_key = c->token_key;
	return take_corim(c, e);
}

/* ---- the answer ---- */

static void take_result(const struct verify_result *result, struct cocos_verdict *v)
{
	v->mode = mode_back(result->mode);
	v->has_identity = result->has_identity;
	memcpy(v->identity, result->identity, sizeof(v->identity));
	v->has_manifest = result->has_manifest;
	memcpy(v->manifest, result->manifest, sizeof(v->manifest));
	if (!result->tdx.has_status)
		return;
	v->tdx_status = tdx_status_name(result->tdx.status);
	v->advisory_count = result->tdx.advisory_count;
	memcpy(v->advisories, result->tdx.advisories, sizeof(v->advisories));
}

static int judge(struct call *c, struct cocos_verdict *v, struct err *e)
{
	struct verdict_reason reason;

	CLEANUP_WRITER struct writer claims = writer_up_to(CLAIMS_MAX);

	if (verify(&c->in, &v->verdict, &c->result, e) < 0 ||
	    claims_json(&c->in, &c->result, &v->verdict, &claims, e) < 0)
		return err_code(e);
	v->claims = writer_take(&claims, &v->claims_len);
	if (!v->claims)
		return err_nomem(e);
	/* cocos_verdict_ok() asks verdict_ok(). */
	if (c->problem[0])
		verdict_note(&v->verdict, NOTE_EVIDENCE, "evidence: %s", c->problem);
	reason = verdict_reason(&v->verdict);
	memcpy(v->reason, reason.text, sizeof(v->reason));
	take_result(&c->result, v);
	return 0;
}

int cocos_verify(const struct cocos_request *request, const struct cocos_endorsements *endorsements,
		 const struct cocos_policy *policy, struct cocos_verdict **verdict,
		 struct cocos_error *error)
{
	static const struct library_store none;
	CLEANUP(call_free) struct call *c = NULL;
	CLEANUP(cocos_verdict_free) struct cocos_verdict *v = NULL;
	struct err e;

	if (verdict)
		*verdict = NULL;
	if (!request || !verdict)
		return library_missing(error, "an argument");
	c = calloc(1, sizeof(*c));
	v = calloc(1, sizeof(*v));
	if (!c || !v) {
		err_nomem(&e);
		return library_error(error, &e);
	}
	c->request = request;
	c->endorsements = endorsements ? &endorsements->store : &none;
	if (fill(c, policy, &e) < 0 || judge(c, v, &e) < 0)
		return library_error(error, &e);
	*verdict = TAKE_PTR(v);
	return 0;
}
