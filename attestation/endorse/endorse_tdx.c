/* SPDX-License-Identifier: Apache-2.0 */
/* endorse_tdx.c — Intel's Provisioning Certification Service (PCS API v4), or a cache of it (PCCS).
 */
#include "attestation/endorse/endorse_tdx.h"

#include "attestation/endorse/endorse_document.h"
#include "attestation/endorse/endorse_need.h"
#include "attestation/formats/ecdsa.h"
#include "attestation/formats/x509_crl.h"
#include "attestation/tdx/tdx_chain.h"
#include "common/base/encode.h"
#include "common/base/file.h"

#include <stdio.h>
#include <string.h>

enum { GROUP_MAX = 96, ROOT_ID_BYTES = 8, PLATFORM_CA_MAX = 16 };

/* The platform that is asked about. */
struct tdx_ask {
	struct endorsements *n;
	const struct tdx_endorsements *en; /* root, time, skew */
	struct span pck_chain;             /* of the quote */
	struct tdx_pck pck;
	char ca[PLATFORM_CA_MAX]; /* "platform" or "processor" */
	struct endorse_group group;
};

/* ---- checks ---- */

/* The quote's chain under the trusted root, on which the rest stands. */
struct ground {
	struct tdx_chains chains;
	struct verdict *v;
};

static void ground_done(struct ground *g)
{
	tdx_chains_done(&g->chains);
	free(g->v);
}
#define CLEANUP_GROUND __attribute__((cleanup(ground_done)))

static int chain_open(struct ground *g, enum tdx_chain_kind kind, struct span pem, struct err *e)
{
	if (tdx_chain_check(&g->chains, kind, pem, g->v))
		return 0;
	return err_set(e, ERR_DENIED, "%s", verdict_reason(g->v).text);
}

static int ground_open(struct ground *g, const struct tdx_ask *a, struct err *e)
{
	g->v = calloc(1, sizeof(*g->v));
	if (!g->v)
		return err_nomem(e);
	verdict_init(g->v, VERDICT_SCOPE_GENUINE_ONLY);
	g->chains.at = a->en->at;
	g->chains.skew = a->en->skew;
	g->chains.signatures = a->n->signatures;
	if (a->en->trusted_root.len && x509_load(a->en->trusted_root.bytes, a->en->trusted_root.len,
						 &g->chains.own_root, e) < 0)
		return err_wrap(e, "the trusted root");
	return chain_open(g, TDX_CHAIN_PCK, a->pck_chain, e);
}

static int check_crl(const struct ground *g, const struct endorse_parts *parts,
		     const struct x509 *issuer, int64_t *dated, struct err *e)
{
	CLEANUP(x509_crl_free) struct x509_crl *crl = NULL;

	if (x509_crl_load(parts->body.bytes, parts->body.len, &crl, e) < 0 ||
	    x509_crl_verify_known(
		    crl, issuer, X509_P256_SHA256,
		    x509_moment(g->chains.at, g->chains.skew, crl->this_update, crl->next_update),
		    g->chains.signatures, e) < 0)
		return err_code(e);
	*dated = crl->this_update;
	return 0;
}

static int check_root_crl(const void *data, const struct endorse_parts *parts, int64_t *dated,
			  struct err *e)
{
	CLEANUP_GROUND struct ground g = { 0 };

	if (ground_open(&g, data, e) < 0)
		return err_code(e);
	return check_crl(&g, parts, g.chains.chain[TDX_CHAIN_PCK].certs[2], dated, e);
}

static int check_pck_crl(const void *data, const struct endorse_parts *parts, int64_t *dated,
			 struct err *e)
{
	CLEANUP_GROUND struct ground g = { 0 };

	if (ground_open(&g, data, e) < 0 ||
	    chain_open(&g, TDX_CHAIN_CRL_ISSUER, parts->chain, e) < 0)
		return err_code(e);
	const struct x509 *issuer = g.chains.chain[TDX_CHAIN_CRL_ISSUER].certs[0];
	const struct x509 *intermediate = g.chains.chain[TDX_CHAIN_PCK].certs[1];
	if (memcmp(issuer->key_digest, intermediate->key_digest, SHA256_LEN) != 0)
		return err_set(e, ERR_DENIED, "the list is of another CA than the PCK's");
	return check_crl(&g, parts, issuer, dated, e);
}

/* Signer, signature and dates of what Intel signs over JSON. */
static int check_signed(const struct tdx_ask *a, enum tdx_chain_kind kind, struct span chain,
			const struct tdx_document *d, int64_t *dated, struct err *e)
{
	CLEANUP_GROUND struct ground g = { 0 };
	int64_t at = a->en->at, skew = a->en->skew;

	if (ground_open(&g, a, e) < 0 || chain_open(&g, kind, chain, e) < 0 ||
	    tdx_document_verify(d, g.chains.chain[kind].certs[0], a->n->signatures, e) < 0)
		return err_code(e);
	if (d->issue_date > at + skew || d->next_update <= at - skew)
		return err_set(e, ERR_DENIED, "its dates don't hold at that moment");
	*dated = d->issue_date;
	return 0;
}

static int check_tcb_info(const void *data, const struct endorse_parts *parts, int64_t *dated,
			  struct err *e)
{
	const struct tdx_ask *a = data;
	CLEANUP(tdx_tcb_info_free) struct tdx_tcb_info *info = NULL;

	if (tdx_tcb_info_parse(parts->body, &info, e) < 0)
		return err_code(e);
	if (memcmp(info->fmspc, a->pck.fmspc, TDX_FMSPC_LEN) != 0 ||
	    memcmp(info->pceid, a->pck.pceid, TDX_PCEID_LEN) != 0)
		return err_set(e, ERR_DENIED, "it is of another platform");
	return check_signed(a, TDX_CHAIN_TCB_INFO, parts->chain, &info->document, dated, e);
}

static int check_qe_identity(const void *data, const struct endorse_parts *parts, int64_t *dated,
			     struct err *e)
{
	CLEANUP(tdx_qe_identity_free) struct tdx_qe_identity *identity = NULL;

	if (tdx_qe_identity_parse(parts->body, &identity, e) < 0)
		return err_code(e);
	return check_signed(data, TDX_CHAIN_QE_IDENTITY, parts->chain, &identity->document, dated,
			    e);
}

/* ---- requests ---- */

/* A PCCS delivers lists as hexadecimal text, whose first character is a 3; DER begins with 0x30. */
static void unhex(uint8_t *body, size_t *len)
{
	CLEANUP(free) char *text = body[0] == '3' ? strndup((const char *)body, *len) : NULL;
	struct err ignored;
	size_t got;

	for (size_t n = text ? strlen(text) : 0; n && strchr("\r\n", text[n - 1]); n--)
		text[n - 1] = '\0';
	if (text && hex_decode_up_to(text, body, *len, &got, &ignored) == 0)
		*len = got;
}

static const char *base_of(const struct tdx_ask *a)
{
	return a->n->config.pcs ? a->n->config.pcs : ENDORSEMENTS_PCS;
}

static int tcb_info_url(const struct tdx_ask *a, char **url, struct err *e)
{
	char fmspc[2 * TDX_FMSPC_LEN + 1];

	hex_encode(a->pck.fmspc, TDX_FMSPC_LEN, fmspc);
	return text_format(url, e, "%s/tdx/certification/v4/tcb?fmspc=%s", base_of(a), fmspc);
}

static int qe_identity_url(const struct tdx_ask *a, char **url, struct err *e)
{
	return text_format(url, e, "%s/tdx/certification/v4/qe/identity", base_of(a));
}

static int pck_crl_url(const struct tdx_ask *a, char **url, struct err *e)
{
	return text_format(url, e, "%s/sgx/certification/v4/pckcrl?ca=%s&encoding=der", base_of(a),
			   a->ca);
}

static int root_crl_url(const struct tdx_ask *a, char **url, struct err *e)
{
	if (!a->n->config.pcs)
		return text_format(url, e, "%s", ENDORSEMENTS_ROOT_CRL);
	return text_format(url, e, "%s/sgx/certification/v4/rootcacrl", base_of(a));
}

/* The documents, by the names that a folder of collateral has. The lists first: TCB info and QE
 * identity stand on them. */
static const struct row {
	struct endorse_document document;
	int (*url)(const struct tdx_ask *a, char **url, struct err *e);
	size_t body, chain; /* in struct tdx_collateral */
	bool has_chain;
	size_t asked; /* in struct tdx_endorsements; of a revocation list */
} rows[] = {
	{ { .name = "the root's revocation list",
	    .file = "root_ca_crl.der",
	    .max = X509_CRL_MAX,
	    .ages = true,
	    .is_crl = true,
	    .check = check_root_crl,
	    .tidy = unhex },
	  root_crl_url,
	  offsetof(struct tdx_collateral, root_crl),
	  0,
	  false,
	  offsetof(struct tdx_endorsements, root_crl_asked) },
	{ { .name = "the PCK's revocation list",
	    .file = "pck_crl.der",
	    .chain_file = "pck_crl_issuer_chain.pem",
	    .header = "SGX-PCK-CRL-Issuer-Chain",
	    .max = X509_CRL_MAX,
	    .ages = true,
	    .is_crl = true,
	    .check = check_pck_crl,
	    .tidy = unhex },
	  pck_crl_url,
	  offsetof(struct tdx_collateral, pck_crl),
	  offsetof(struct tdx_collateral, pck_crl_chain),
	  true,
	  offsetof(struct tdx_endorsements, pck_crl_asked) },
	{ { .name = "TCB info",
	    .file = "tcb_info.json",
	    .chain_file = "tcb_info_issuer_chain.pem",
	    .header = "TCB-Info-Issuer-Chain",
	    .other_header = "SGX-TCB-Info-Issuer-Chain",
	    .max = TDX_COLLATERAL_FILE_MAX,
	    .ages = true,
	    .check = check_tcb_info },
	  tcb_info_url,
	  offsetof(struct tdx_collateral, tcb_info),
	  offsetof(struct tdx_collateral, tcb_info_chain),
	  true,
	  0 },
	{ { .name = "QE identity",
	    .file = "qe_identity.json",
	    .chain_file = "qe_identity_issuer_chain.pem",
	    .header = "SGX-Enclave-Identity-Issuer-Chain",
	    .max = TDX_COLLATERAL_FILE_MAX,
	    .ages = true,
	    .check = check_qe_identity },
	  qe_identity_url,
	  offsetof(struct tdx_collateral, qe_identity),
	  offsetof(struct tdx_collateral, qe_identity_chain),
	  true,
	  0 },
};

static struct span *part_of(struct tdx_collateral *c, size_t at)
{
	return (struct span *)((char *)c + at);
}

static bool is_missing(struct tdx_collateral *c, const struct row *row)
{
	return !part_of(c, row->body)->len || (row->has_chain && !part_of(c, row->chain)->len);
}

/* What was given stays; the other half of a pair is filled in and has to fit it. */
static int row_complete(struct tdx_ask *a, const struct row *row, struct tdx_endorsements *en,
			struct err *e)
{
	struct tdx_collateral *c = &en->collateral;
	struct endorse_document d = row->document;
	CLEANUP(free) char *url = NULL;
	struct endorse_parts parts;

	d.data = a;
	if (row->url(a, &url, e) < 0 ||
	    endorse_document_get(a->n, &a->group, &d, url, a->en->at, &parts, e) < 0)
		return err_code(e);
	if (!part_of(c, row->body)->len) {
		*part_of(c, row->body) = parts.body;
		if (row->document.is_crl)
			*(int64_t *)((char *)en + row->asked) = parts.asked;
	}
	if (row->has_chain && !part_of(c, row->chain)->len)
		*part_of(c, row->chain) = parts.chain;
	return 0;
}

/* ---- which platform ---- */

static int platform_of(struct tdx_ask *a, const struct x509_chain *chain, struct err *e)
{
	static const char *const cas[][2] = { { "Intel SGX PCK Platform CA", "platform" },
					      { "Intel SGX PCK Processor CA", "processor" } };
	const struct x509_extension *x = x509_extension_of(chain->certs[0], TDX_PCK_EXTENSION);
	char name[64];

	if (!x)
		return err_set(e, ERR_INVALID, "a PCK without the SGX extension");
	if (tdx_pck_parse(x->value, &a->pck, e) < 0 ||
	    x509_common_name(chain->certs[0]->issuer, name, sizeof(name), e) < 0)
		return err_code(e);
	for (size_t i = 0; i < ARRAY_LEN(cas); i++)
		if (strcmp(name, cas[i][0]) == 0) {
			snprintf(a->ca, sizeof(a->ca), "%s", cas[i][1]);
			return 0;
		}
	return err_set(e, ERR_INVALID, "a PCK of neither of Intel's CAs");
}

static int group_open(struct tdx_ask *a, struct err *e)
{
	char name[GROUP_MAX], fmspc[2 * TDX_FMSPC_LEN + 1], id[2 * ROOT_ID_BYTES + 1] = "";
	CLEANUP(x509_free) struct x509 *root = NULL;
	struct span trusted = a->en->trusted_root;

	if (trusted.len && x509_load(trusted.bytes, trusted.len, &root, e) < 0)
		return err_wrap(e, "the trusted root");
	/* A named root's documents don't mix with Intel's. */
	if (root)
		hex_encode(root->key_digest, ROOT_ID_BYTES, id);
	hex_encode(a->pck.fmspc, TDX_FMSPC_LEN, fmspc);
	snprintf(name, sizeof(name), "tdx/%s-%s%s%s", fmspc, a->ca, root ? "-" : "", id);
	return endorse_group_of(a->n, name, &a->group, e);
}

/* Only for a quote whose chain holds: anything else is verify()'s to refuse, and no reason to tell
 * a service about it. */
static bool ask_open(struct tdx_ask *a, const struct tdx_quote *quote)
{
	CLEANUP_GROUND struct ground g = { 0 };
	struct err ignored;

	a->pck_chain = quote->pck_chain;
	return ground_open(&g, a, &ignored) == 0 &&
	       platform_of(a, &g.chains.chain[TDX_CHAIN_PCK], &ignored) == 0;
}

bool endorse_tdx_lacks(const struct verify_input *in)
{
	struct tdx_collateral c = in->tdx.endorsements.collateral;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (is_missing(&c, &rows[i]))
			return true;
	return false;
}

int endorse_tdx(struct endorsements *n, const struct endorse_need *need, struct verify_input *in,
		struct err *e)
{
	struct tdx_endorsements en = in->tdx.endorsements;
	struct tdx_ask a = { .n = n, .en = &en, .group = { .lock = -1 } };
	struct tdx_collateral *c = &in->tdx.endorsements.collateral;
	int failed = 0;

	en.at = in->at;
	en.skew = in->skew;
	if (!endorse_tdx_lacks(in) || !ask_open(&a, need->quote))
		return 0;
	if (group_open(&a, e) < 0)
		return err_code(e);
	for (size_t i = 0; failed == 0 && i < ARRAY_LEN(rows); i++)
		if (is_missing(c, &rows[i]))
			failed = row_complete(&a, &rows[i], &in->tdx.endorsements, e);
	endorse_group_done(&a.group);
	return failed;
}
