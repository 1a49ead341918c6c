/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/tdx/tdx_verify.h"

#include "attestation/formats/ecdsa.h"
#include "attestation/formats/x509.h"
#include "attestation/tdx/tdx_chain.h"
#include "attestation/tdx/tdx_crl.h"
#include "attestation/tdx/tdx_signed.h"
#include "attestation/tdx/tdx_tcb.h"
#include "attestation/verdict/crl_age.h"
#include "common/base/encode.h"
#include "common/base/timestamp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct state {
	const struct tdx_endorsements *en;
	struct verdict *v;
	struct tdx_result *result;
	struct tdx_chains chains;
	struct tdx_tcb_info *tcb_info;
	struct tdx_qe_identity *qe_identity;
	const struct tdx_isv_level *qe_level;
};

/* Every step, in order; a yes has to have all of them. */
/* clang-format off */
static const enum check_id steps[] = {
	CHECK_PARSE_QUOTE,
	CHECK_CHAIN_PCK, CHECK_TIME_PCK, CHECK_CHAIN_PCK_EXTENSION,
	CHECK_SIGNATURE_QE_REPORT, CHECK_SIGNATURE_QE_REPORT_DATA, CHECK_SIGNATURE_QUOTE,

	CHECK_CHAIN_CRL_ISSUER, CHECK_TIME_CRL_ISSUER,
	CHECK_CRL_ROOT, CHECK_CRL_PCK, CHECK_CRL_INTERMEDIATE, CHECK_CRL_CRL_ISSUER, CHECK_CRL_LEAF,

	CHECK_COLLATERAL_TCB_INFO, CHECK_CHAIN_TCB_INFO, CHECK_TIME_TCB_INFO_ISSUER,
	CHECK_CRL_TCB_INFO_ISSUER, CHECK_SIGNATURE_TCB_INFO, CHECK_TIME_TCB_INFO,
	CHECK_COLLATERAL_FMSPC, CHECK_COLLATERAL_PCEID,

	CHECK_COLLATERAL_QE_IDENTITY, CHECK_CHAIN_QE_IDENTITY, CHECK_TIME_QE_IDENTITY_ISSUER,
	CHECK_CRL_QE_IDENTITY_ISSUER, CHECK_SIGNATURE_QE_IDENTITY, CHECK_TIME_QE_IDENTITY,

	CHECK_IDENTITY_MISCSELECT, CHECK_IDENTITY_ATTRIBUTES, CHECK_IDENTITY_MRSIGNER,
	CHECK_IDENTITY_ISVPRODID, CHECK_IDENTITY_ISVSVN,
	CHECK_MODULE_IDENTITY, CHECK_MODULE_MRSIGNERSEAM, CHECK_MODULE_SEAMATTRIBUTES,
	CHECK_TCB_LEVEL, CHECK_TCB_STATUS,
};
/* clang-format on */

static void state_done(struct state *s)
{
	tdx_chains_done(&s->chains);
	tdx_tcb_info_free(s->tcb_info);
	tdx_qe_identity_free(s->qe_identity);
}

static bool root_load(struct state *s)
{
	struct err e;
	struct span root = s->en->trusted_root;

	if (root.len == 0)
		return true;
	if (x509_load(root.bytes, root.len, &s->chains.own_root, &e) < 0)
		return verdict_err(s->v, CHECK_CHAIN_TRUSTED_ROOT, &e);

	char hex[2 * SHA256_LEN + 1];

	hex_encode(s->chains.own_root->key_digest, SHA256_LEN, hex);
	verdict_note(s->v, NOTE_OWN_ROOT,
		     "the root is one that you named, not Intel's: key SHA-256 %s", hex);
	s->result->own_root = true;
	verdict_root(s->v, s->chains.own_root);
	return true;
}

static bool pck_extension(struct state *s)
{
	const struct x509 *leaf = s->chains.chain[TDX_CHAIN_PCK].certs[0];
	const struct x509_extension *x = x509_extension_of(leaf, TDX_PCK_EXTENSION);
	struct err e;

	if (!x)
		return verdict_check(s->v, CHECK_CHAIN_PCK_EXTENSION, false, "none",
				     "the SGX extension " TDX_PCK_EXTENSION);
	s->result->has_pck = verdict_step(s->v, CHECK_CHAIN_PCK_EXTENSION,
					  tdx_pck_parse(x->value, &s->result->pck, &e), &e);
	return s->result->has_pck;
}

/* The QE vouches for the attestation key: SHA-256(key ‖ authentication data) ‖ 32 zeros. */
static bool qe_report_data(struct state *s)
{
	const struct tdx_quote *q = &s->result->quote;
	struct digest_part parts[] = { { q->key.bytes, q->key.len },
				       { q->qe_auth.bytes, q->qe_auth.len } };
	uint8_t wanted[TDX_REPORT_DATA_LEN] = { 0 };
	struct err e;

	if (digest_parts(DIGEST_SHA256, parts, ARRAY_LEN(parts), wanted, &e) < 0)
		return verdict_err(s->v, CHECK_SIGNATURE_QE_REPORT_DATA, &e);
	return verdict_bytes(s->v, CHECK_SIGNATURE_QE_REPORT_DATA, q->qe_report.reportdata, wanted,
			     sizeof(wanted));
}

static int quote_signature(const struct tdx_quote *q, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	if (ecdsa_key(ECDSA_P256, q->key, &key, e) < 0)
		return err_wrap(e, "attestation key");
	return ecdsa_verify(key, ECDSA_P256, DIGEST_SHA256, q->signed_bytes, q->signature, e);
}

/* Steps 1 to 3 without revocation: what the quote's own bytes show. */
static bool quote_verify(struct state *s)
{
	const struct tdx_quote *q = &s->result->quote;
	struct err e;

	if (!tdx_chain_check(&s->chains, TDX_CHAIN_PCK, q->pck_chain, s->v))
		return false;

	const struct x509_chain *chain = &s->chains.chain[TDX_CHAIN_PCK];
	/* A quoting enclave keeps its attestation key, and its PCK's word for it, for many quotes. */
	const struct x509_known known = { s->chains.signatures, SIGNATURES_LEAVES };

	memcpy(s->result->root_digest, chain->certs[chain->count - 1]->key_digest, SHA256_LEN);
	if (!pck_extension(s))
		return false;

	bool qe = verdict_step(
		s->v, CHECK_SIGNATURE_QE_REPORT,
		tdx_signed_verify(chain->certs[0], q->qe_report_bytes, q->qe_signature, &known, &e),
		&e);
	bool bound = qe_report_data(s);
	bool quote = verdict_step(s->v, CHECK_SIGNATURE_QUOTE, quote_signature(q, &e), &e);

	return qe && bound && quote;
}

static bool is_there(struct state *s, enum check_id id, struct span document)
{
	/* An empty one was given, and is refused for its form. */
	return document.bytes ||
	       verdict_check(s->v, id, false, "not given",
			     "the document from Intel's PCS, or --collateral with its folder");
}

/* Root CRL over intermediate and signers, intermediate's CRL over the PCK. */
static bool revocation(struct state *s)
{
	const struct tdx_collateral *c = &s->en->collateral;

	if (!is_there(s, CHECK_COLLATERAL_ROOT_CRL, c->root_crl) ||
	    !is_there(s, CHECK_COLLATERAL_PCK_CRL, c->pck_crl) ||
	    !is_there(s, CHECK_COLLATERAL_PCK_CRL_CHAIN, c->pck_crl_chain))
		return false;
	if (!tdx_chain_check(&s->chains, TDX_CHAIN_CRL_ISSUER, c->pck_crl_chain, s->v))
		return false;
	return tdx_crl_check_platform(&s->chains, c, s->v);
}

/* issueDate <= at < nextUpdate. */
static bool document_time(struct state *s, enum check_id id, const struct tdx_document *d)
{
	char found[2 * TIMESTAMP_TEXT_MAX + 8], from[TIMESTAMP_TEXT_MAX], to[TIMESTAMP_TEXT_MAX];
	char at[TIMESTAMP_TEXT_MAX];
	int64_t skew = s->en->skew;

	timestamp_format(d->issue_date, from);
	timestamp_format(d->next_update, to);
	timestamp_format(s->en->at, at);
	snprintf(found, sizeof(found), "%s to %s", from, to);
	return verdict_check(s->v, id,
			     d->issue_date <= s->en->at + skew && s->en->at - skew < d->next_update,
			     found, at);
}

/* Chain, revocation and signature of one document, by the names of its steps. */
struct document_checks {
	enum tdx_chain_kind kind;
	enum check_id revoked, signature, time;
};

static bool document_verify(struct state *s, const struct document_checks *n, struct span chain,
			    const struct tdx_document *d)
{
	struct err e;

	if (!tdx_chain_check(&s->chains, n->kind, chain, s->v) ||
	    !tdx_crl_check_signer(&s->chains, n->kind, n->revoked, s->v))
		return false;

	bool good = verdict_step(
		s->v, n->signature,
		tdx_document_verify(d, s->chains.chain[n->kind].certs[0], s->chains.signatures, &e),
		&e);

	return document_time(s, n->time, d) && good;
}

static bool tcb_info_verify(struct state *s)
{
	static const struct document_checks names = { TDX_CHAIN_TCB_INFO, CHECK_CRL_TCB_INFO_ISSUER,
						      CHECK_SIGNATURE_TCB_INFO,
						      CHECK_TIME_TCB_INFO };
	const struct tdx_collateral *c = &s->en->collateral;
	struct err e;

	if (!is_there(s, CHECK_COLLATERAL_TCB_INFO, c->tcb_info) ||
	    !is_there(s, CHECK_COLLATERAL_TCB_INFO_CHAIN, c->tcb_info_chain) ||
	    !verdict_step(s->v, CHECK_COLLATERAL_TCB_INFO,
			  tdx_tcb_info_parse(c->tcb_info, &s->tcb_info, &e), &e) ||
	    !document_verify(s, &names, c->tcb_info_chain, &s->tcb_info->document))
		return false;
	s->result->tcb_evaluation = s->tcb_info->document.evaluation;
	s->result->issued = s->tcb_info->document.issue_date;
	s->result->next_update = s->tcb_info->document.next_update;

	const struct tdx_pck *pck = &s->result->pck;
	bool fmspc = verdict_bytes(s->v, CHECK_COLLATERAL_FMSPC, pck->fmspc, s->tcb_info->fmspc,
				   TDX_FMSPC_LEN);
	bool pceid = verdict_bytes(s->v, CHECK_COLLATERAL_PCEID, pck->pceid, s->tcb_info->pceid,
				   TDX_PCEID_LEN);

	return fmspc && pceid;
}

static bool qe_identity_verify(struct state *s)
{
	static const struct document_checks names = { TDX_CHAIN_QE_IDENTITY,
						      CHECK_CRL_QE_IDENTITY_ISSUER,
						      CHECK_SIGNATURE_QE_IDENTITY,
						      CHECK_TIME_QE_IDENTITY };
	const struct tdx_collateral *c = &s->en->collateral;
	struct err e;

	if (!is_there(s, CHECK_COLLATERAL_QE_IDENTITY, c->qe_identity) ||
	    !is_there(s, CHECK_COLLATERAL_QE_IDENTITY_CHAIN, c->qe_identity_chain) ||
	    !verdict_step(s->v, CHECK_COLLATERAL_QE_IDENTITY,
			  tdx_qe_identity_parse(c->qe_identity, &s->qe_identity, &e), &e) ||
	    !document_verify(s, &names, c->qe_identity_chain, &s->qe_identity->document))
		return false;
	s->result->qe_evaluation = s->qe_identity->document.evaluation;
	return true;
}

/* found & mask == wanted, over the bytes. */
static bool masked_check(struct state *s, enum check_id id, const uint8_t *found,
			 const uint8_t *mask, const uint8_t *wanted, size_t len)
{
	uint8_t masked[16];

	for (size_t i = 0; i < len; i++)
		masked[i] = found[i] & mask[i];
	return verdict_bytes(s->v, id, masked, wanted, len);
}

/* Step 5: the QE that signed is the one that Intel published. */
static bool qe_check(struct state *s)
{
	const struct tdx_qe_report *r = &s->result->quote.qe_report;
	const struct tdx_qe_identity *q = s->qe_identity;
	bool ok = masked_check(s, CHECK_IDENTITY_MISCSELECT, r->miscselect, q->miscselect_mask,
			       q->miscselect, sizeof(q->miscselect));

	/* Also where the signed identity leaves that bit open: it would be Intel's slip. */
	if (r->attributes[0] & SGX_ATTR_DEBUG)
		ok = verdict_check(s->v, CHECK_IDENTITY_ATTRIBUTES, false, "a debug enclave",
				   "DEBUG clear, whatever the QE identity masks");
	else
		ok &= masked_check(s, CHECK_IDENTITY_ATTRIBUTES, r->attributes, q->attributes_mask,
				   q->attributes, sizeof(q->attributes));
	ok &= verdict_bytes(s->v, CHECK_IDENTITY_MRSIGNER, r->mrsigner, q->mrsigner,
			    sizeof(q->mrsigner));
	ok &= verdict_checkf(s->v, CHECK_IDENTITY_ISVPRODID, r->isvprodid == q->isvprodid,
			     "the ISVPRODID of the QE identity", "%u", r->isvprodid);
	s->qe_level = tdx_isv_level_of(q->levels, q->level_count, r->isvsvn);
	ok &= verdict_checkf(s->v, CHECK_IDENTITY_ISVSVN, s->qe_level != NULL,
			     "a level at or below it", "%u", r->isvsvn);
	if (s->qe_level)
		s->result->qe_status = s->qe_level->status;
	return ok;
}

/* Step 6. SEAMATTRIBUTES are zero for every module that Intel has published: more than the mask asks. */
static bool module_check(struct state *s)
{
	static const uint8_t zero[8] = { 0 };
	const struct tdx_body *b = &s->result->quote.body;
	const struct tdx_module *m = tdx_tcb_module_of(s->tcb_info, b->tee_tcb_svn);

	if (!verdict_checkf(s->v, CHECK_MODULE_IDENTITY, m != NULL,
			    "an identity of that version in the TCB info", "TDX_%02X",
			    b->tee_tcb_svn[1]))
		return false;

	bool ok = verdict_bytes(s->v, CHECK_MODULE_MRSIGNERSEAM, b->mrsignerseam, m->mrsigner,
				sizeof(m->mrsigner));
	uint8_t masked[8];

	for (size_t i = 0; i < sizeof(masked); i++)
		masked[i] = b->seamattributes[i] & m->attributes_mask[i];
	if (memcmp(masked, m->attributes, sizeof(masked)) != 0)
		return verdict_bytes(s->v, CHECK_MODULE_SEAMATTRIBUTES, masked, m->attributes,
				     sizeof(masked));
	return verdict_bytes(s->v, CHECK_MODULE_SEAMATTRIBUTES, b->seamattributes, zero,
			     sizeof(zero)) &&
	       ok;
}

static int compare_ids(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void advisories_add(struct tdx_result *r, const struct tdx_advisories *a)
{
	for (size_t i = 0; a->array && i < a->array->count; i++)
		memcpy(r->advisories[r->advisory_count++], a->array->items[i].text,
		       strlen(a->array->items[i].text) + 1);
}

static void advisories_sort(struct tdx_result *r)
{
	size_t kept = 0;

	qsort(r->advisories, r->advisory_count, sizeof(r->advisories[0]), compare_ids);
	for (size_t i = 0; i < r->advisory_count; i++)
		if (kept == 0 || strcmp(r->advisories[i], r->advisories[kept - 1]) != 0)
			memmove(r->advisories[kept++], r->advisories[i], sizeof(r->advisories[0]));
	r->advisory_count = kept;
}

/* As many to a line as fit: the verdict has room for few notes. */
static void advisories_note(struct verdict *v, const struct tdx_result *r)
{
	char line[VERDICT_TEXT_MAX - TDX_ADVISORY_LEN_MAX] = "";

	for (size_t i = 0; i < r->advisory_count; i++) {
		size_t len = strlen(line);

		if (len + strlen(r->advisories[i]) + 2 > sizeof(line)) {
			verdict_note(v, NOTE_ADVISORIES, "advisories:%s", line);
			len = 0;
		}
		snprintf(line + len, sizeof(line) - len, " %s", r->advisories[i]);
	}
	if (*line)
		verdict_note(v, NOTE_ADVISORIES, "advisories:%s", line);
}

static void status_note(const struct state *s)
{
	const struct tdx_result *r = s->result;

	verdict_note(s->v, NOTE_TCB,
		     "TCB %s (level %s, module %s, QE %s), TCB info %llu, QE identity %llu",
		     tdx_status_name(r->status), tdx_status_name(r->level_status),
		     r->has_module ? tdx_status_name(r->module_status) : "unversioned",
		     tdx_status_name(r->qe_status), (unsigned long long)r->tcb_evaluation,
		     (unsigned long long)r->qe_evaluation);
	advisories_note(s->v, r);
}

/* Step 7, up to the one thing that no policy can allow. */
static void tcb_check(struct state *s)
{
	struct tdx_result *r = s->result;
	struct tdx_tcb_state t;
	struct err e;

	if (!verdict_step(s->v, CHECK_TCB_LEVEL,
			  tdx_tcb_evaluate(s->tcb_info, &r->pck, &r->quote, s->qe_level, &t, &e),
			  &e))
		return;
	r->has_status = true;
	r->status = t.status;
	r->level_status = t.level->status;
	r->has_module = t.module != NULL;
	r->module_status = t.module ? t.module->status : TDX_UP_TO_DATE;
	advisories_add(r, &t.level->advisories);
	if (t.module)
		advisories_add(r, &t.module->advisories);
	advisories_add(r, &t.qe->advisories);
	advisories_sort(r);
	verdict_check(s->v, CHECK_TCB_STATUS, r->status != TDX_REVOKED, tdx_status_name(r->status),
		      "not Revoked");
	status_note(s);
}

static void verify_steps(struct state *s, const struct tdx_parsed *quote)
{
	s->result->quote = quote->quote;
	s->result->has_quote = verdict_step(
		s->v, CHECK_PARSE_QUOTE, quote->has_quote ? 0 : err_code(&quote->why), &quote->why);
	if (!s->result->has_quote || !root_load(s) || !quote_verify(s) || !revocation(s))
		return;
	/* Independent of each other: a person sees what is wrong with both. */
	bool tcb_info = tcb_info_verify(s);
	bool qe_identity = qe_identity_verify(s);

	if (!tcb_info || !qe_identity)
		return;

	bool qe = qe_check(s);
	bool module = module_check(s);

	if (qe && module)
		tcb_check(s);
}

void tdx_verify(const struct tdx_parsed *quote, const struct tdx_endorsements *endorsements,
		struct verdict *v, struct tdx_result *result)
{
	struct state s = { .en = endorsements, .v = v, .result = result };

	memset(result, 0, sizeof(*result));
	s.chains.at = endorsements->at;
	s.chains.skew = endorsements->skew;
	s.chains.crl_max_age = endorsements->crl_max_age;
	s.chains.signatures = endorsements->signatures;
	s.chains.root_crl_asked = endorsements->root_crl_asked;
	s.chains.pck_crl_asked = endorsements->pck_crl_asked;
	crl_age_require(&(struct crl_age){ .max = endorsements->crl_max_age }, v);
	for (size_t i = 0; i < ARRAY_LEN(steps); i++)
		verdict_require(v, steps[i]);
	verify_steps(&s, quote);
	state_done(&s);
}
