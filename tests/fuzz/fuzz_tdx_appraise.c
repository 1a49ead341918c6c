/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole TDX appraisal over a quote and collateral that were right, with edits in what is signed;
 * signed again with the same keys, or with a stranger's (edits.h, resign.h). A yes is about what the
 * forge says is honest.
 *
 * Head: the form, who signed, what is missing or revoked; the bits below.
 */
#define EDITS_HEAD 3
#include "tests/fuzz/resign.h"
#include "tests/fuzz/tdx_edited.h"

enum form {
	FORM_V4 = 1,  /* quote of version 4, TD 1.0 */
	FORM_LOG = 2, /* with an event log */
	FORM_GENUINE = 4,
	FORM_YOUNG = 8, /* lists have an age */
	NO_POLICY = 16,
	NO_REPORT_DATA = 32,
	MOMENT_LATER = 64,
	FORM_NO_ROOT = 128,
};
enum stranger {
	STRANGER_QUOTE = 1,
	STRANGER_QE = 2,
	STRANGER_PCK = 4,
	STRANGER_CA = 8,
	STRANGER_SIGNER = 16,
	STRANGER_TCB_INFO = 32,
	STRANGER_IDENTITY = 64,
	STRANGER_LISTS = 128,
};
enum lack {
	LACK_DOCUMENT = 7, /* the first of the collateral is 1 */
	REVOKED_PCK = 8,
	REVOKED_CA = 16,
	REVOKED_SIGNER = 32,
	LACK_ROOT_IN_CHAIN = 64,
};
enum part {
	PART_QUOTE,
	PART_QE,
	PART_AUTH,
	PART_PCK,
	PART_CA,
	PART_SIGNER,
	PART_ROOT_CRL,
	PART_PCK_CRL,
	PART_TCB_INFO,
	PART_IDENTITY,
	PART_LOG,
	PART_POLICY,
	PART_SIGNED, /* the quote after all is signed */
	PARTS,
};

static struct edited parts[PARTS];
static struct tdx_edited td;

struct made {
	struct writer certs[3], lists[2], pck_chain, issuer_chain, crl_chain, tcb_info, identity,
		quote;
};

static EVP_PKEY *signer_of(const uint8_t *head, enum stranger who, enum forge_key key)
{
	EVP_PKEY *stranger =
		td.forge.keys[key == FORGE_ATTESTATION ? FORGE_PCK : FORGE_ATTESTATION];

	return head[1] & who ? stranger : td.forge.keys[key];
}

static void make_certs(const uint8_t *head, struct made *m)
{
	static const struct {
		enum part part;
		enum stranger who;
		enum forge_key issuer;
	} rows[] = { { PART_PCK, STRANGER_PCK, FORGE_CA },
		     { PART_CA, STRANGER_CA, FORGE_ROOT },
		     { PART_SIGNER, STRANGER_SIGNER, FORGE_ROOT } };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		resign_close(&parts[rows[i].part], td.algorithm,
			     signer_of(head, rows[i].who, rows[i].issuer), &m->certs[i]);
	for (size_t i = 0; i < 2; i++)
		resign_close(&parts[PART_ROOT_CRL + i], td.algorithm,
			     signer_of(head, STRANGER_LISTS, i ? FORGE_CA : FORGE_ROOT),
			     &m->lists[i]);
	for (size_t i = 0; i < 2; i++)
		resign_pem((struct span){ m->certs[i].bytes, m->certs[i].len }, &m->pck_chain);
	resign_pem((struct span){ m->certs[1].bytes, m->certs[1].len }, &m->crl_chain);
	resign_pem((struct span){ m->certs[2].bytes, m->certs[2].len }, &m->issuer_chain);
	if (head[2] & LACK_ROOT_IN_CHAIN)
		return;
	writer_text(&m->pck_chain, td.forge.root_pem);
	writer_text(&m->crl_chain, td.forge.root_pem);
	writer_text(&m->issuer_chain, td.forge.root_pem);
}

static void make_document(const char *name, enum part part, EVP_PKEY *key, struct writer *w)
{
	uint8_t raw[64];

	resign_raw(key, EVP_sha256(), edited_span(&parts[part]), 32, raw);
	writer_printf(w, "{\"%s\":", name);
	writer_bytes(w, parts[part].bytes, parts[part].len);
	writer_text(w, ",\"signature\":\"");
	writer_hex(w, raw, sizeof(raw));
	writer_text(w, "\"}");
}

/* As the quoting enclave does it: the report vouches for the key. */
static void make_quote(const uint8_t *head, struct made *m)
{
	struct writer *w = &m->quote;
	uint8_t raw[64];
	size_t inner = parts[PART_QE].len + 64 + 2 + parts[PART_AUTH].len + 6 + m->pck_chain.len;

	writer_bytes(w, parts[PART_QUOTE].bytes, parts[PART_QUOTE].len);
	resign_raw(signer_of(head, STRANGER_QUOTE, FORGE_ATTESTATION), EVP_sha256(),
		   edited_span(&parts[PART_QUOTE]), 32, raw);
	writer_le32(w, (uint32_t)(64 + TDX_KEY_LEN + 6 + inner));
	writer_bytes(w, raw, sizeof(raw));
	writer_bytes(w, td.key, TDX_KEY_LEN);
	writer_le16(w, 6);
	writer_le32(w, (uint32_t)inner);
	tdx_edited_vouch(&td, edited_span(&parts[PART_AUTH]), &parts[PART_QE]);
	writer_bytes(w, parts[PART_QE].bytes, parts[PART_QE].len);
	resign_raw(signer_of(head, STRANGER_QE, FORGE_PCK), EVP_sha256(),
		   edited_span(&parts[PART_QE]), 32, raw);
	writer_bytes(w, raw, sizeof(raw));
	writer_le16(w, (uint16_t)parts[PART_AUTH].len);
	writer_bytes(w, parts[PART_AUTH].bytes, parts[PART_AUTH].len);
	writer_le16(w, 5);
	writer_le32(w, (uint32_t)m->pck_chain.len);
	writer_bytes(w, m->pck_chain.bytes, m->pck_chain.len);
	MUST(!w->bad);
	edited_take(&parts[PART_SIGNED], w->bytes, w->len);
}

static void take_parts(const uint8_t *head)
{
	struct span list;
	uint8_t *der = NULL;

	tdx_edited_make(&td, head[0] & FORM_V4, head[0] & FORM_LOG);
	edited_take(&parts[PART_QUOTE], td.quote.signed_bytes.bytes, td.quote.signed_bytes.len);
	edited_take(&parts[PART_QE], td.quote.qe_report_bytes.bytes, TDX_QE_REPORT_LEN);
	edited_take(&parts[PART_AUTH], td.quote.qe_auth.bytes, td.quote.qe_auth.len);
	for (size_t i = 0; i < 3; i++)
		td.algorithm = resign_open(td.certs[i], &parts[PART_PCK + i]);
	for (size_t i = 0; i < 2; i++) {
		list = tdx_edited_list(&td, i, head[2] & REVOKED_PCK, head[2] & REVOKED_CA,
				       head[2] & REVOKED_SIGNER, &der);
		resign_open(list, &parts[PART_ROOT_CRL + i]);
		OPENSSL_free(der);
	}
	edited_take(&parts[PART_TCB_INFO], forge_tcb_info, strlen(forge_tcb_info));
	edited_take(&parts[PART_IDENTITY], forge_qe_identity, strlen(forge_qe_identity));
	edited_take(&parts[PART_LOG], td.log.bytes, td.log.len);
	edited_take(&parts[PART_POLICY], td.policy_bytes, sizeof(td.policy_bytes));
}

static struct span span_of(const struct writer *w)
{
	return (struct span){ w->bytes, w->len };
}

static void give(const uint8_t *head, const struct made *m, struct tdx_input *in)
{
	const struct tdx_collateral all = {
		.tcb_info = span_of(&m->tcb_info),
		.tcb_info_chain = span_of(&m->issuer_chain),
		.qe_identity = span_of(&m->identity),
		.qe_identity_chain = span_of(&m->issuer_chain),
		.pck_crl = span_of(&m->lists[1]),
		.pck_crl_chain = span_of(&m->crl_chain),
		.root_crl = span_of(&m->lists[0]),
	};
	size_t lacking = head[2] & LACK_DOCUMENT;

	in->quote = edited_span(&parts[PART_SIGNED]);
	in->endorsements.collateral = all;
	if (lacking)
		((struct span *)&in->endorsements.collateral)[lacking - 1] = (struct span){ 0 };
	if (!(head[0] & FORM_NO_ROOT))
		in->endorsements.trusted_root = (struct span){ (const uint8_t *)td.forge.root_pem,
							       strlen(td.forge.root_pem) };
	in->endorsements.at = FORGE_AT;
	if (head[0] & MOMENT_LATER)
		in->endorsements.at += INT64_C(2) * 365 * 86400;
	in->endorsements.crl_max_age = head[0] & FORM_YOUNG ? 86400 - 1 : 0;
	if (head[0] & FORM_LOG)
		in->event_log = edited_span(&parts[PART_LOG]);
	in->report_data = head[0] & NO_REPORT_DATA ? NULL : td.forge.good.body.reportdata;
}

static bool certs_changed(void)
{
	return parts[PART_PCK].changed || parts[PART_CA].changed || parts[PART_SIGNER].changed ||
	       parts[PART_ROOT_CRL].changed || parts[PART_PCK_CRL].changed;
}

/* Nobody's yes. */
static bool never(const uint8_t *head)
{
	uint8_t form = NO_REPORT_DATA | FORM_NO_ROOT;

	if (!(head[0] & FORM_GENUINE))
		form |= NO_POLICY;
	return head[1] || (head[0] & form) || (head[2] & (LACK_DOCUMENT | LACK_ROOT_IN_CHAIN)) ||
	       (!certs_changed() && (head[2] & (REVOKED_PCK | REVOKED_CA | REVOKED_SIGNER) ||
				     head[0] & (MOMENT_LATER | FORM_YOUNG)));
}

static bool is_good(const void *found, const void *good)
{
	return memcmp(found, good, TDX_MR_LEN) == 0;
}

static void check_yes(const uint8_t *head, const struct tdx_result *r, const struct tdx_policy *p)
{
	const struct tdx_body *b = &r->quote.body, *good = &td.forge.good.body;

	MUST(!never(head));
	MUST(r->quote.signed_bytes.len == parts[PART_QUOTE].len &&
	     memcmp(r->quote.signed_bytes.bytes, parts[PART_QUOTE].bytes, parts[PART_QUOTE].len) ==
		     0);
	MUST(memcmp(b->reportdata, good->reportdata, sizeof(b->reportdata)) == 0);
	MUST(!(r->quote.qe_report.attributes[0] & SGX_ATTR_DEBUG));
	MUST(r->has_status && r->status != TDX_REVOKED);
	MUST(parts[PART_IDENTITY].changed ||
	     memcmp(r->quote.qe_report.mrsigner, td.forge.good.qe.mrsigner, 32) == 0);
	if (head[0] & FORM_GENUINE)
		return;
	MUST(!(b->tdattributes[0] & 1) && (p->statuses & 1u << r->status));
	MUST(is_good(b->mrtd, good->mrtd));
	for (size_t i = 0; i < TDX_RTMR_COUNT - 1; i++)
		MUST(is_good(b->rtmr[i], td.body.rtmr[i]));
	if (!parts[PART_POLICY].changed)
		MUST(is_good(b->mrconfigid, good->mrconfigid) &&
		     is_good(b->mrowner, good->mrowner) && is_good(b->mrseam, good->mrseam) &&
		     is_good(b->mrsignerseam, good->mrsignerseam) &&
		     is_good(b->mrownerconfig, good->mrownerconfig) &&
		     is_good(b->mrservicetd, good->mrservicetd) &&
		     is_good(b->rtmr[3], td.body.rtmr[3]) && r->status == TDX_UP_TO_DATE);
}

static void check_no(const uint8_t *head, size_t len, const struct verdict *v)
{
	if (len > EDITS_HEAD || (head[0] & ~(FORM_V4 | FORM_LOG | FORM_GENUINE)) || head[1] ||
	    head[2] & 0x7f)
		return;
	fprintf(stderr, "%s\n", verdict_reason(v).text);
	abort();
}

static void edit_parts(const uint8_t *bytes, size_t len, uint8_t from, uint8_t to)
{
	edit_all(reader_over(bytes + EDITS_HEAD, len - EDITS_HEAD), parts, PARTS, from, to);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct verdict v;
	static struct tdx_result result;
	struct tdx_policy policy;
	struct tdx_input in = { 0 };
	struct made m;

	if (len < EDITS_HEAD)
		return 0;
	for (size_t i = 0; i < sizeof(m) / sizeof(struct writer); i++)
		((struct writer *)&m)[i] = writer_up_to(RESIGN_DER_MAX);
	take_parts(bytes);
	edit_parts(bytes, len, 0, PART_SIGNED);
	tdx_edited_policy(&td, edited_span(&parts[PART_POLICY]), &policy);
	make_certs(bytes, &m);
	make_document("tcbInfo", PART_TCB_INFO, signer_of(bytes, STRANGER_TCB_INFO, FORGE_SIGNING),
		      &m.tcb_info);
	make_document("enclaveIdentity", PART_IDENTITY,
		      signer_of(bytes, STRANGER_IDENTITY, FORGE_SIGNING), &m.identity);
	make_quote(bytes, &m);
	edit_parts(bytes, len, PART_SIGNED, PARTS);
	give(bytes, &m, &in);
	in.policy = bytes[0] & NO_POLICY ? NULL : &policy;
	verdict_init(&v, bytes[0] & FORM_GENUINE ? VERDICT_SCOPE_GENUINE_ONLY : VERDICT_SCOPE_FULL);
	tdx_appraise(&in, &result, &v);
	if (verdict_ok(&v))
		check_yes(bytes, &result, &policy);
	else
		check_no(bytes, len, &v);
	for (size_t i = 0; i < sizeof(m) / sizeof(struct writer); i++)
		writer_done(&((struct writer *)&m)[i]);
	return 0;
}
