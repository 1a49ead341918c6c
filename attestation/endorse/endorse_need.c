/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/endorse/endorse_need.h"

static void take(struct span *to, struct span from)
{
	if (!to->len)
		*to = from;
}

/* As snp_chain_load() chooses from it. */
static void take_table(struct endorse_need *n, const struct snp_cert_table *table)
{
	take(&n->vek,
	     snp_report_signing_key(n->report) == SNP_KEY_VLEK ? table->vlek : table->vcek);
	take(&n->intermediate, table->ask);
	take(&n->ark, table->ark);
}

static void take_protobuf(struct endorse_need *n, const struct sevsnp_attestation *message)
{
	take(&n->vek, message->vcek.len ? message->vcek : message->vlek);
	take(&n->intermediate, message->ask);
	take(&n->ark, message->ark);
}

static void need_snp(const struct evidence_parts *parts, struct endorse_need *n)
{
	n->snp = parts->has_snp && parts->snp.has_report;
	if (!n->snp)
		return;
	n->report = &parts->snp.report;
	if (parts->has_sevsnp && parts->snp.report_bytes.bytes == parts->sevsnp.report)
		take_protobuf(n, &parts->sevsnp);
	else if (parts->snp.has_table)
		take_table(n, &parts->snp.table);
}

static void need_tdx(const struct evidence_parts *parts, struct endorse_need *n)
{
	n->tdx = parts->tdx.has_quote;
	n->quote = &parts->tdx.quote;
}

static void need_nothing(const struct evidence_parts *parts, struct endorse_need *n)
{
}

static void (*const needs[])(const struct evidence_parts *parts, struct endorse_need *n) = {
	[TEE_NONE] = need_nothing,
	[TEE_SNP] = need_snp,
	[TEE_TDX] = need_tdx,
};
_Static_assert(ARRAY_LEN(needs) == TEES, "one for each TEE");

void endorse_need_of(const struct verify_input *in, const struct evidence_parts *parts,
		     struct endorse_need *need)
{
	*need = (struct endorse_need){ .vek = in->snp.vek,
				       .intermediate = in->snp.intermediate,
				       .ark = in->snp.ark };
	if (parts->kind < EVIDENCE_KINDS)
		needs[evidence_kind_rows[parts->kind].tee](parts, need);
}
