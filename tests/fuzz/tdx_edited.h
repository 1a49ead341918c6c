/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tdx_edited.h — a TDX quote with its collateral, right in everything, and the policy that it meets;
 * what fuzz_tdx_appraise.c edits.
 */
#pragma once

#include "attestation/formats/x509.h"
#include "tests/forge/must.h"
#include "tests/forge/tdx_forge.h"
#include "tests/fuzz/edits.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"

enum { TDX_EDITED_POLICY_LEN = 40 };

struct tdx_edited {
	struct tdx_forge forge; /* keys live as long as the program */
	struct tdx_body body;   /* with the registers of the log, where there is one */
	uint8_t bytes[FORGE_QUOTE_MAX];
	struct tdx_quote quote;
	uint8_t key[TDX_KEY_LEN];
	struct x509_chain pck, signing;
	struct span certs[3]; /* PCK, its CA, the signer of the documents */
	struct span algorithm;
	struct writer log;
	uint8_t policy_bytes[TDX_EDITED_POLICY_LEN];
};

/* What the bytes of a policy are, to be edited one by one. */
enum tdx_edited_policy {
	TDX_EDITED_FLAGS,    /* the bits below */
	TDX_EDITED_STATUSES, /* two */
	TDX_EDITED_EVALUATION = 3,
	TDX_EDITED_QE_SVN,
	TDX_EDITED_PCE_SVN,
	TDX_EDITED_EMPTY, /* of which registers the policy says nothing */
	TDX_EDITED_ATTRIBUTES = 8,
	TDX_EDITED_SVN = 16,
	TDX_EDITED_PLATFORM = 32, /* bits: FMSPC and instance, each its own, another */
};
enum tdx_edited_flag {
	TDX_EDITED_SEPT_VE = 1,
	TDX_EDITED_EXACT_ATTRIBUTES = 2,
	TDX_EDITED_EXACT_XFAM = 4,
	TDX_EDITED_OF_RUN = 8,
	TDX_EDITED_EVENTS = 16, /* the log's, of RTMR 0 and 3 */
};

static inline void tdx_edited_begin(struct tdx_edited *td)
{
	struct err e;
	uint8_t point[1 + TDX_KEY_LEN];
	size_t len;

	if (td->forge.root_pem)
		return;
	tdx_forge_init(&td->forge);
	tpm_forge_cc_log(&td->log);
	MUST(EVP_PKEY_get_octet_string_param(td->forge.keys[FORGE_ATTESTATION], "pub", point,
					     sizeof(point), &len) == 1);
	memcpy(td->key, point + 1, TDX_KEY_LEN);
	MUST(x509_chain_from_pem(td->forge.pck_chain, strlen(td->forge.pck_chain), &td->pck, &e) ==
	     0);
	MUST(x509_chain_from_pem(td->forge.issuer_chain, strlen(td->forge.issuer_chain),
				 &td->signing, &e) == 0);
	td->certs[0] = (struct span){ td->pck.certs[0]->der, td->pck.certs[0]->len };
	td->certs[1] = (struct span){ td->pck.certs[1]->der, td->pck.certs[1]->len };
	td->certs[2] = (struct span){ td->signing.certs[0]->der, td->signing.certs[0]->len };
}

static inline void tdx_edited_make(struct tdx_edited *td, bool v4, bool log)
{
	CLEANUP_EVENT_LOG struct event_log events = { 0 };
	const struct event_log_form form = { .cc = true };
	struct event_replay replay;
	struct forge_quote q;
	struct err e;
	size_t len;

	tdx_edited_begin(td);
	q = td->forge.good;
	if (v4) {
		q.version = 4;
		q.body_type = TDX_BODY_10;
		memset(q.body.tee_tcb_svn2, 0, TDX_SVN_LEN);
	}
	if (log) {
		MUST(event_log_parse(tpm_forge_span(&td->log), form, &events, &e) == 0);
		MUST(event_log_replay(&events, DIGEST_SHA384, &replay, &e) == 0);
		for (size_t i = 0; i < TDX_RTMR_COUNT; i++)
			memcpy(q.body.rtmr[i], replay.values[i + 1], TDX_MR_LEN);
	}
	td->body = q.body;
	len = tdx_forge_quote(&td->forge, &q, td->bytes);
	MUST(tdx_quote_parse(td->bytes, len, &td->quote, &e) == 0);
	memset(td->policy_bytes, 0, sizeof(td->policy_bytes));
	td->policy_bytes[TDX_EDITED_STATUSES] = 1u << TDX_UP_TO_DATE;
}

/* The list of the root (0) or of the PCK's CA (1). */
static inline struct span tdx_edited_list(const struct tdx_edited *td, size_t which, bool pck,
					  bool ca, bool signer, uint8_t **der)
{
	const struct span good =
		which ? td->forge.collateral.pck_crl : td->forge.collateral.root_crl;
	const bool listed[FORGE_KEY_COUNT] = { [FORGE_CA] = !which && ca,
					       [FORGE_PCK] = which && pck,
					       [FORGE_SIGNING] = !which && signer };
	const uint8_t *at = good.bytes;
	X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)good.len);
	ASN1_TIME *when = ASN1_TIME_set(NULL, FORGE_AT);
	int len;

	MUST(crl);
	for (size_t i = 0; i < FORGE_KEY_COUNT; i++) {
		X509_REVOKED *entry = listed[i] ? X509_REVOKED_new() : NULL;
		ASN1_INTEGER *number = ASN1_INTEGER_new();

		if (entry) {
			ASN1_INTEGER_set(number, 100 + (long)i);
			MUST(X509_REVOKED_set_serialNumber(entry, number) == 1);
			MUST(X509_REVOKED_set_revocationDate(entry, when) == 1);
			MUST(X509_CRL_add0_revoked(crl, entry) == 1);
		}
		ASN1_INTEGER_free(number);
	}
	ASN1_TIME_free(when);
	MUST(X509_CRL_sign(crl, td->forge.keys[which ? FORGE_CA : FORGE_ROOT], EVP_sha256()) > 0);
	*der = NULL;
	len = i2d_X509_CRL(crl, der);
	MUST(len > 0);
	X509_CRL_free(crl);
	return (struct span){ *der, (size_t)len };
}

/* The enclave's REPORTDATA, where the report is long enough: SHA-256(key || authentication data). */
static inline void tdx_edited_vouch(const struct tdx_edited *td, struct span auth,
				    struct edited *report)
{
	struct digest_part both[] = { { td->key, TDX_KEY_LEN }, { auth.bytes, auth.len } };
	struct err e;

	if (report->len >= 320 + SHA256_LEN)
		MUST(digest_parts(DIGEST_SHA256, both, 2, report->bytes + 320, &e) == 0);
}

static inline void tdx_edited_sets(const struct tdx_edited *td, uint8_t empty, uint8_t platform,
				   struct tdx_policy *p)
{
	static uint8_t fmspcs[2][TDX_FMSPC_LEN] = { { 0xa1, 0xb2, 0xc3, 0xd4, 0xe5, 0xf6 } };
	static uint8_t instances[2][16] = { [1] = { 1 } };
	struct value_set *const sets[] = { &p->mrseam,  &p->mrconfigid,    &p->mrowner,
					   &p->rtmr[3], &p->mrownerconfig, &p->mrtd,
					   &p->rtmr[0], &p->rtmr[1] };

	tdx_forge_policy(&td->body, p);
	for (size_t i = 0; i < ARRAY_LEN(sets); i++)
		if (empty & 1u << i)
			sets[i]->count = 0;
	if (platform & 3)
		p->fmspcs = (struct value_set){ fmspcs[!(platform & 1)], 1 };
	if (platform & 12)
		p->instances = (struct value_set){ instances[!(platform & 4)], 1 };
}

/* The policy of those bytes; missing ones are zero. */
static inline void tdx_edited_policy(const struct tdx_edited *td, struct span bytes,
				     struct tdx_policy *p)
{
	static struct event_rule rules[] = { { .pcr = 0, .bank = DIGEST_SHA384 },
					     { .pcr = 3, .bank = DIGEST_SHA384 } };
	uint8_t b[TDX_EDITED_POLICY_LEN] = { 0 }, flags;
	struct err e;

	memcpy(b, bytes.bytes, bytes.len < sizeof(b) ? bytes.len : sizeof(b));
	flags = b[TDX_EDITED_FLAGS];
	tdx_edited_sets(td, b[TDX_EDITED_EMPTY], b[TDX_EDITED_PLATFORM], p);
	p->statuses = (uint32_t)bytes_le(b + TDX_EDITED_STATUSES, 2) & ~(1u << TDX_REVOKED);
	p->min_evaluation = b[TDX_EDITED_EVALUATION];
	p->min_qe_svn = b[TDX_EDITED_QE_SVN];
	p->min_pce_svn = b[TDX_EDITED_PCE_SVN];
	p->allow_attributes = bytes_le(b + TDX_EDITED_ATTRIBUTES, 8);
	memcpy(p->min_tee_tcb_svn, b + TDX_EDITED_SVN, TDX_SVN_LEN);
	p->allow_sept_ve = flags & TDX_EDITED_SEPT_VE;
	p->of_run = flags & TDX_EDITED_OF_RUN;
	p->has_attributes = flags & TDX_EDITED_EXACT_ATTRIBUTES;
	p->has_xfam = flags & TDX_EDITED_EXACT_XFAM;
	memcpy(p->attributes, td->body.tdattributes, sizeof(p->attributes));
	memcpy(p->xfam, td->body.xfam, sizeof(p->xfam));
	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		MUST(digest(DIGEST_SHA384, "Start", 5, rules[i].digest, &e) == 0);
	if (flags & TDX_EDITED_EVENTS)
		p->events = (struct event_rules){ rules, ARRAY_LEN(rules) };
}
