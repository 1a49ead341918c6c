/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/endorse/endorse_need.h"

#include "attestation/tpm/hcl_report.h"

enum { COSE_SIGN1_HEAD = 0xD2, PROTOBUF_FIELD_1 = 0x0A };

static void take(struct span *to, struct span from)
{
	if (!to->len)
		*to = from;
}

static bool take_report(struct endorse_need *n, struct span report)
{
	struct err ignored;

	n->snp = snp_report_parse(report.bytes, report.len, &n->report, &ignored) == 0;
	return n->snp;
}

/* As snp_chain_load() chooses from it. */
static void take_raw(struct endorse_need *n, struct span raw)
{
	struct snp_cert_table table = { 0 };
	struct span report, tail;
	struct err ignored;

	snp_evidence_split(raw, &report, &tail);
	if (!take_report(n, report))
		return;
	if (tail.len && snp_cert_table_parse(tail, &table, &ignored) < 0)
		return;
	take(&n->vek, snp_report_signing_key(&n->report) == SNP_KEY_VLEK ? table.vlek : table.vcek);
	take(&n->intermediate, table.ask);
	take(&n->ark, table.ark);
}

static void take_protobuf(struct endorse_need *n, struct span message)
{
	struct err ignored;

	if (sevsnp_attestation_parse(message, &n->sevsnp, &ignored) < 0 ||
	    !take_report(n, (struct span){ n->sevsnp.report, SNP_REPORT_LEN }))
		return;
	take(&n->vek, n->sevsnp.vcek.len ? n->sevsnp.vcek : n->sevsnp.vlek);
	take(&n->intermediate, n->sevsnp.ask);
	take(&n->ark, n->sevsnp.ark);
}

static void take_snp(struct endorse_need *n, struct span evidence)
{
	if (evidence.len && evidence.bytes[0] == PROTOBUF_FIELD_1)
		take_protobuf(n, evidence);
	else
		take_raw(n, evidence);
}

static void take_snp_vtpm(struct endorse_need *n, const struct verify_input *in,
			  struct span evidence)
{
	struct hcl_report hcl;
	struct err ignored;

	if (in->hcl_report.len) {
		if (hcl_report_parse(in->hcl_report, &hcl, &ignored) == 0)
			take_report(n, hcl.report);
		return;
	}
	if (n->token.tee_report.len)
		take_raw(n, (struct span){ n->token.tee_report.bytes, n->token.tee_report.len });
	else if (tpm_attestation_parse(evidence, &n->tpm, &ignored) == 0 && n->tpm.sev_snp.len)
		take_protobuf(n, n->tpm.sev_snp);
}

void endorse_need_open(struct endorse_need *n, const struct verify_input *in)
{
	struct span evidence = in->evidence;
	enum evidence_kind mode = in->mode;
	struct err ignored;

	n->vek = in->snp.vek;
	n->intermediate = in->snp.intermediate;
	n->ark = in->snp.ark;
	if (evidence.len && evidence.bytes[0] == COSE_SIGN1_HEAD) {
		if (eat_parse(evidence.bytes, evidence.len, &n->token, &ignored) < 0)
			return;
		n->has_token = true;
		mode = n->token.platform;
		evidence = (struct span){ n->token.raw_report.bytes, n->token.raw_report.len };
	}
	if (mode == EVIDENCE_SNP)
		take_snp(n, evidence);
	else if (mode == EVIDENCE_SNP_VTPM)
		take_snp_vtpm(n, in, evidence);
	n->tdx = mode == EVIDENCE_TDX;
	n->quote = evidence;
}

void endorse_need_done(struct endorse_need *n)
{
	if (n->has_token)
		eat_done(&n->token);
	n->has_token = false;
}
