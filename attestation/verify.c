/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/verify.h"

#include <string.h>

#include "attestation/eat_agree.h"
#include "attestation/hcl_report.h"
#include "attestation/verify_run.h"
#include "common/base/encode.h"

static const char *const mode_names[] = {
	[VERIFY_SNP] = "snp",
	[VERIFY_TDX] = "tdx",
	[VERIFY_VTPM] = "vtpm",
	[VERIFY_SNP_VTPM] = "snp-vtpm",
	[VERIFY_EAT] = "eat",
};

int verify_mode_of(const char *name, enum verify_mode *mode, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(mode_names); i++)
		if (strcmp(name, mode_names[i]) == 0) {
			*mode = (enum verify_mode)i;
			return 0;
		}
	return err_set(e, ERR_INVALID, "mode '%s': use snp, tdx, vtpm, snp-vtpm or eat", name);
}

const char *verify_mode_name(enum verify_mode mode)
{
	return mode_names[mode];
}

/* Which platform_type of a token each mode takes, and its number on the wire. */
static const struct {
	enum eat_platform platform;
	enum verify_mode mode;
	uint8_t type;
} platforms[] = {
	{ EAT_SNP, VERIFY_SNP, 0 },
	{ EAT_VTPM, VERIFY_VTPM, 1 },
	{ EAT_SNP_VTPM, VERIFY_SNP_VTPM, 2 },
	{ EAT_TDX, VERIFY_TDX, 4 },
};

/* One verification under way. */
struct verification {
	const struct verify_input *in;
	enum verify_mode mode; /* once the token, if any, is open */
	struct span evidence;  /* what the token held, or the input's */
	bool has_token;
	struct eat token;
	struct binding binding; /* what the evidence has to be bound to */
	bool has_report_data;
	struct span tpm_nonce;
	struct snp_input snp;
	struct tdx_input tdx;
	struct tpm_input tpm;
	struct tpm_attestation attestation;
	struct sevsnp_attestation sevsnp;
	uint8_t snp_report_data[BINDING_REPORT_DATA_LEN];
	struct verify_result *result;
	struct verdict *v;
};

/* ---- the token ---- */

/* COSE_Sign1 begins with the head of tag 18; no report, quote or protobuf does (their first byte is
 * a version or a field). */
static bool is_token(struct span bytes)
{
	return bytes.len && bytes.bytes[0] == 0xD2;
}

static bool check_signer(struct verification *x)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *own = NULL;
	EVP_PKEY *key = x->in->token_key;
	struct err e;

	if (!key && !x->token.spki)
		return verdict_check(x->v, "token.signer", "RFC 9711 9", false,
				     "nobody says who may have signed it",
				     "a key in cnf, or one that is named (--key)");
	if (!key && key_from_spki(x->token.spki, x->token.spki_len, &own, &e) < 0)
		return verdict_err(x->v, "token.signer", "RFC 8747 3.1", &e);
	if (eat_verify(&x->token, key ? key : own, &e) < 0)
		return verdict_err(x->v, "token.signature", "RFC 9052 4.4", &e);
	verdict_check(x->v, "token.signer", "RFC 9711 9", true,
		      key ? "the key that was named" : "its own key (cnf)", NULL);
	return verdict_check(x->v, "token.signature", "RFC 9052 4.4", true, NULL, NULL);
}

static bool check_age(struct verification *x)
{
	const struct verify_input *in = x->in;
	uint64_t max = in->policy ? in->policy->token.max_age : 0;
	struct err e;

	if (eat_check_time(&x->token, in->at, in->skew, &e) < 0)
		return verdict_err(x->v, "token.time", "RFC 8392 3.1", &e);
	verdict_check(x->v, "token.time", "RFC 8392 3.1", true, NULL, NULL);
	if (!max)
		return true;
	int64_t age = in->at - x->token.issued - (int64_t)in->skew;
	return verdict_checkf(x->v, "token.age", NULL, age <= 0 || (uint64_t)age <= max,
			      "as young as the policy asks", "%lld s", (long long)age);
}

static bool check_required_claims(struct verification *x)
{
	enum { CLAIM_UEID = 256, CLAIM_MEASUREMENTS = 265 };
	const struct policy *p = x->in->policy;
	const struct datum *ueid = datum_get(x->token.claims, CLAIM_UEID);
	const struct datum *measurements = datum_get(x->token.claims, CLAIM_MEASUREMENTS);
	bool there = !p || ((!p->token.require_ueid || (ueid && ueid->type == DATUM_BYTES)) &&
			    (!p->token.require_measurements ||
			     (measurements && measurements->type == DATUM_BYTES)));

	return verdict_check(x->v, "token.claims", "RFC 9711 4", there,
			     there ? "there" : "a claim is missing", "the claims that the policy asks");
}

/* Opens a token; true also where there is none to open. */
static bool open_token(struct verification *x)
{
	struct err e;
	size_t i = 0;

	if (!is_token(x->in->evidence)) {
		if (x->in->mode != VERIFY_EAT)
			return true;
		return verdict_check(x->v, "token.form", "RFC 9052 4.2", false, "no COSE_Sign1",
				     "a token");
	}
	verdict_require(x->v, "token.form");
	verdict_require(x->v, "token.signature");
	verdict_require(x->v, "token.time");
	if (eat_parse(x->in->evidence.bytes, x->in->evidence.len, &x->token, &e) < 0)
		return verdict_err(x->v, "token.form", "RFC 9711", &e);
	x->has_token = true;
	verdict_check(x->v, "token.form", "RFC 9711", true, NULL, NULL);
	while (i < ARRAY_LEN(platforms) && platforms[i].platform != x->token.platform)
		i++;
	bool wanted = i < ARRAY_LEN(platforms) &&
		      (x->in->mode == VERIFY_EAT || x->in->mode == platforms[i].mode);
	if (!verdict_check(x->v, "token.platform", NULL, wanted,
			   eat_platform_name(x->token.platform),
			   x->in->mode == VERIFY_EAT ? "SNP, TDX, vTPM or SNP-vTPM"
						     : mode_names[x->in->mode]))
		return false;
	x->mode = platforms[i].mode;
	x->evidence = (struct span){ x->token.raw_report.bytes, x->token.raw_report.len };
	return check_signer(x) && check_age(x) && check_required_claims(x);
}

/* ---- the binding ---- */

static uint8_t wire_type(enum verify_mode mode)
{
	for (size_t i = 0; i < ARRAY_LEN(platforms); i++)
		if (platforms[i].mode == mode)
			return platforms[i].type;
	return UINT8_MAX;
}

/* Each kind of evidence is bound by the nonce that was meant for it: 16 bytes or more. With the
 * token's key both are hashed together, so that either will do. */
static bool check_nonce_length(struct verification *x, const struct binding_nonce *nonce)
{
	bool keyed = x->has_token && x->token.spki;
	bool tee = x->mode != VERIFY_VTPM && !x->in->hcl_report.len;
	size_t len = tee ? nonce->tee_len : nonce->vtpm_len;

	if (keyed && len < nonce->tee_len)
		len = nonce->tee_len;
	if (keyed && len < nonce->vtpm_len)
		len = nonce->vtpm_len;
	return verdict_checkf(x->v, "token.nonce_length", "wire.md, NONCE",
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

	nonce.type = wire_type(x->mode);
	x->has_report_data = true;
	if (!check_nonce_length(x, &nonce))
		return false;
	if (x->has_token && x->token.spki) {
		if (binding_nonce(&nonce, x->token.spki, x->token.spki_len, &x->binding, &e) < 0)
			return verdict_err(x->v, "token.binding", "wire.md, NONCE", &e);
		x->tpm_nonce = (struct span){ x->binding.tpm_nonce, BINDING_TPM_NONCE_LEN };
		return true;
	}
	if (!verdict_check(x->v, "token.binding", "wire.md, NONCE", stock || x->in->genuine_only,
			   "no key in the evidence for the nonce to be bound to",
			   "a token with cnf, or a policy that takes a stock agent"))
		return false;
	memset(x->binding.report_data, 0, sizeof(x->binding.report_data));
	if (nonce.tee_len)
		memcpy(x->binding.report_data, nonce.tee, nonce.tee_len);
	x->tpm_nonce = (struct span){ nonce.vtpm, nonce.vtpm_len };
	return true;
}

/* Form CHANNEL: the token names the key that ended the TLS session. */
static bool bind_channel(struct verification *x)
{
	struct span spki = x->in->binding.channel_spki;
	bool own = x->has_token && x->token.spki && x->token.spki_len == spki.len &&
		   memcmp(x->token.spki, spki.bytes, spki.len) == 0;
	bool stock = x->in->policy && x->in->policy->run.relayable;

	x->binding = *x->in->binding.channel;
	x->has_report_data = true;
	x->tpm_nonce = (struct span){ x->binding.tpm_nonce, BINDING_TPM_NONCE_LEN };
	return verdict_check(x->v, "token.binding", "wire.md, CHANNEL", own || stock,
			     own ? "the connection's key" : "another key, or none",
			     "the key of this connection");
}

static bool bind(struct verification *x)
{
	const struct verify_binding *b = &x->in->binding;

	x->tpm_nonce = b->tpm_nonce;
	if (b->channel)
		return bind_channel(x);
	if (b->nonce)
		return bind_nonce(x);
	if (b->report_data) {
		memcpy(x->binding.report_data, b->report_data, BINDING_REPORT_DATA_LEN);
		x->has_report_data = true;
	}
	return true;
}

/* In mode eat the token says what it is; it must not leave out what the policy speaks of. */
static bool check_whole(struct verification *x)
{
	const struct policy *p = x->in->policy;
	bool tpm = x->mode == VERIFY_VTPM || x->mode == VERIFY_SNP_VTPM;

	if (x->in->mode != VERIFY_EAT || x->in->genuine_only || !p)
		return true;
	return verdict_check(x->v, "token.whole", NULL,
			     (tpm || !p->has_tpm) &&
				     (x->mode != VERIFY_VTPM || !(p->has_snp || p->has_tdx)),
			     verify_mode_name(x->mode),
			     "every kind that the policy speaks of, or a mode by name");
}

/* What was given has to be judged; an input that changes nothing was meant to change something. */
static bool check_used(struct verification *x)
{
	const struct verify_input *in = x->in;
	bool tpm = x->mode == VERIFY_VTPM || x->mode == VERIFY_SNP_VTPM;
	bool snp = x->mode == VERIFY_SNP || x->mode == VERIFY_SNP_VTPM;
	bool unused = (in->binding.report_data && (x->mode == VERIFY_VTPM || in->hcl_report.len)) ||
		      (!tpm && !x->has_token && in->binding.tpm_nonce.len) ||
		      (!tpm && (in->tpm.binding.named.len || in->tpm.binding.cert.len ||
				in->tpm.binding.runtime.len)) ||
		      (x->mode == VERIFY_SNP && in->tpm.event_log.len) ||
		      (!snp && (in->snp.id_block.len || in->snp.id_auth.len ||
				in->product != SNP_PRODUCT_ANY));

	return !unused || verdict_check(x->v, "input.used", NULL, false,
					"something that this kind of evidence is not judged by",
					"only what is judged");
}

/* A signer whom neither the report data nor the caller vouches for could say anything; where a run
 * statement is demanded, that one binds him. */
static bool check_vouched(struct verification *x)
{
	const struct verify_binding *b = &x->in->binding;
	bool stock = x->in->policy && x->in->policy->run.relayable;
	bool bound = b->nonce || (b->channel && x->token.spki && x->token.spki_len == b->channel_spki.len &&
				  memcmp(x->token.spki, b->channel_spki.bytes, b->channel_spki.len) == 0);

	return !x->has_token || x->in->token_key || bound || (!stock && !x->in->genuine_only) ||
	       verdict_check(x->v, "token.vouched", "RFC 9711 9", false,
			     "its own key, which nothing binds",
			     "the key of this connection or nonce, or one that is named (--key)");
}

/* The claim, not proof: it must not say another form than the one that was asked for. */
static bool check_nonce_use(struct verification *x)
{
	enum eat_nonce_use wanted = x->in->binding.channel ? EAT_USE_CHANNEL : EAT_USE_NONCE;

	if (!x->has_token || x->token.nonce_use == EAT_USE_UNSAID ||
	    (!x->in->binding.channel && !x->in->binding.nonce))
		return true;
	return verdict_check(x->v, "token.nonce_use", "wire.md", x->token.nonce_use == wanted,
			     eat_nonce_use_name(x->token.nonce_use), eat_nonce_use_name(wanted));
}

/* A nonce that the token carries has to be the TPM's, in every form (wire.md, Evidence). */
static bool check_token_nonce(struct verification *x)
{
	struct err e;

	if (!x->has_token || !x->tpm_nonce.len)
		return true;
	if (eat_check_nonce(&x->token, x->tpm_nonce.bytes, x->tpm_nonce.len, &e) < 0)
		return verdict_err(x->v, "token.nonce", "RFC 9711 4.1", &e);
	return verdict_check(x->v, "token.nonce", "RFC 9711 4.1", true, NULL, NULL);
}

/* ---- each kind of evidence ---- */

static bool has_policy(struct verification *x, bool described, const char *kind)
{
	if (x->in->genuine_only)
		return true;
	return verdict_checkf(x->v, "policy.given", NULL, x->in->policy && described,
			      "a policy that says which measurement is right",
			      x->in->policy ? "a policy that says nothing of %s" : "no policy for %s",
			      kind);
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
	if (x->has_token && eat_agree_tdx(&x->token, &x->result->tdx.quote.body, &e) < 0)
		verdict_err(x->v, "token.agrees", NULL, &e);
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
	if (tpm_appraise(&x->tpm, x->v, &e) < 0)
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
		verdict_check(x->v, "ak.report", "wire.md", false, "no AK, or no report data wanted",
			      "REPORT_DATA = SHA3-512(report data || AK public area)");
		return;
	}
	judge_snp(x, x->snp_report_data);
	x->tpm.binding.tee_report_data = x->result->snp.report.report_data;
	x->tpm.binding.report_data = x->binding.report_data;
	judge_tpm(x, true);
}

static void judge_evidence(struct verification *x)
{
	switch (x->mode) {
	case VERIFY_SNP:
		if (open_snp(x))
			judge_snp(x, x->has_report_data ? x->binding.report_data : NULL);
		break;
	case VERIFY_TDX:
		judge_tdx(x);
		break;
	case VERIFY_VTPM:
		judge_tpm(x, false);
		break;
	case VERIFY_SNP_VTPM:
		judge_snp_vtpm(x);
		break;
	case VERIFY_EAT: /* opened before, or refused */
		break;
	}
}

/* ---- the call ---- */

static int check_call(const struct verify_input *in, struct err *e)
{
	const struct verify_binding *b = &in->binding;
	bool tpm = in->mode == VERIFY_VTPM || in->hcl_report.len;
	int given = (b->report_data != NULL) + (b->nonce != NULL) + (b->channel != NULL);

	if (in->skew > SNP_SKEW_MAX)
		return err_set(e, ERR_INVALID, "a skew of %u s; at most a day", in->skew);
	if (given > 1)
		return err_set(e, ERR_INVALID, "report data and nonces are two ways to say one thing");
	if (!given && !b->tpm_nonce.len)
		return err_set(e, ERR_INVALID,
			       "nothing says what the evidence is bound to: give its report data, "
			       "or the nonce that it was asked with");
	if (tpm && !b->tpm_nonce.len && !b->nonce && !b->channel)
		return err_set(e, ERR_INVALID, "a TPM's quote is judged by its nonce: give that");
	if (b->nonce && !b->nonce->tee_len && !b->nonce->vtpm_len)
		return err_set(e, ERR_INVALID, "an empty nonce");
	return 0;
}

static void note_policy(struct verification *x)
{
	char hex[2 * SHA256_LEN + 1];

	if (!x->in->policy || x->in->genuine_only)
		return;
	hex_encode(x->in->policy->digest, SHA256_LEN, hex);
	verdict_note(x->v, "policy sha256:%s", hex);
	if (x->in->policy->run.relayable)
		verdict_note(x->v, "relayable: a stock agent vouches for whatever it is asked");
}

static int note_identity(struct verification *x, struct err *e)
{
	const struct verify_binding *b = &x->in->binding;
	bool own = b->channel && x->token.spki && x->token.spki_len == b->channel_spki.len &&
		   memcmp(x->token.spki, b->channel_spki.bytes, b->channel_spki.len) == 0;

	if (!x->has_token || !x->token.spki || !verdict_ok(x->v) || !(b->nonce || own))
		return 0;
	x->result->has_identity = true;
	return digest(DIGEST_SHA256, x->token.spki, x->token.spki_len, x->result->identity, e);
}

int verify(const struct verify_input *in, struct verdict *v, struct verify_result *result,
	   struct err *e)
{
	CLEANUP(free) struct verify_result *own = NULL;
	CLEANUP(free) struct verification *x = calloc(1, sizeof(*x));

	verdict_init(v, in->genuine_only ? VERDICT_SCOPE_GENUINE_ONLY : VERDICT_SCOPE_FULL);
	if (!result)
		result = own = calloc(1, sizeof(*own));
	if (!x || !result)
		return err_nomem(e);
	memset(result, 0, sizeof(*result));
	if (check_call(in, e) < 0)
		return -(int)e->code;
	x->in = in;
	x->v = v;
	x->result = result;
	x->mode = in->mode;
	x->evidence = in->evidence;
	x->snp = in->snp;
	x->tdx = in->tdx;
	x->tpm = in->tpm;
	note_policy(x);
	if (open_token(x) && check_whole(x) && bind(x) && check_vouched(x) && check_used(x) &&
	    check_nonce_use(x) && check_token_nonce(x)) {
		judge_evidence(x);
		if (!in->genuine_only)
			verify_run(in, x->mode, x->has_token ? &x->token : NULL, result, v);
	} else {
		verdict_require(v, "evidence.judged"); /* there is no such check: never a yes */
	}
	int failed = note_identity(x, e);
	if (x->has_token)
		eat_done(&x->token);
	return failed ? failed : verdict_reason(v, e);
}
