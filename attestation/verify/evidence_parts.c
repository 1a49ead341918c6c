/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/verify/evidence_parts.h"

#include <stdlib.h>

enum {
	PROTOBUF_FIELD_1 = 0x0A /* a message: no report begins so, whose first byte is a version */
};

/* COSE_Sign1 begins with the head of tag 18; no report, quote or protobuf does (their first byte is
 * a version or a field). */
static bool is_token(struct span bytes)
{
	return bytes.len && bytes.bytes[0] == 0xD2;
}

static void open_sevsnp(struct evidence_parts *p, struct span message)
{
	p->has_sevsnp = sevsnp_attestation_parse(message, &p->sevsnp, &p->sevsnp_why) == 0;
}

static void open_sevsnp_report(struct evidence_parts *p)
{
	p->has_snp = p->has_sevsnp;
	if (p->has_snp)
		snp_parsed_of((struct span){ p->sevsnp.report, SNP_REPORT_LEN },
			      (struct span){ NULL, 0 }, &p->snp);
}

/* The bare report with its table, or the protobuf of go-sev-guest. */
static void open_snp(struct evidence_parts *p, const struct verify_input *in)
{
	if (p->raw.len && p->raw.bytes[0] == PROTOBUF_FIELD_1) {
		open_sevsnp(p, p->raw);
		open_sevsnp_report(p);
		return;
	}
	p->has_snp = true;
	snp_parsed_of_raw(p->raw, &p->snp);
}

static void open_tdx(struct evidence_parts *p, const struct verify_input *in)
{
	tdx_parsed_of(p->raw, &p->tdx);
}

static void open_tpm(struct evidence_parts *p, const struct verify_input *in)
{
	p->has_tpm = tpm_attestation_parse(p->raw, &p->tpm, &p->tpm_why) == 0;
}

/* Of the TEE that the mode speaks of. */
static void open_hcl(struct evidence_parts *p, const struct verify_input *in, unsigned type)
{
	p->has_hcl = hcl_report_parse(in->hcl_report, &p->hcl, &p->hcl_why) == 0;
	if (p->has_hcl && p->hcl.type != type) {
		err_record(&p->hcl_why, ERR_INVALID, "HCL report: of type %u; wanted %u for %s",
			   p->hcl.type, type, evidence_kind_name(p->kind));
		p->has_hcl = false;
	}
}

static void open_hcl_snp(struct evidence_parts *p, const struct verify_input *in)
{
	open_hcl(p, in, HCL_REPORT_SNP);
	p->has_snp = p->has_hcl;
	if (p->has_snp)
		snp_parsed_of(p->hcl.report, (struct span){ NULL, 0 }, &p->snp);
}

/* The report as it was, if the token has it; else put together from the protobuf. */
static void open_snp_vtpm(struct evidence_parts *p, const struct verify_input *in)
{
	const struct eat_bytes *beside = &p->token.tee_report;

	open_tpm(p, in);
	if (in->hcl_report.len) {
		open_hcl_snp(p, in);
		return;
	}
	if (p->has_tpm && p->tpm.sev_snp.len)
		open_sevsnp(p, p->tpm.sev_snp);
	if (beside->len) {
		p->has_snp = true;
		snp_parsed_of_raw((struct span){ beside->bytes, beside->len }, &p->snp);
	} else {
		open_sevsnp_report(p);
	}
}

static void open_tdx_vtpm(struct evidence_parts *p, const struct verify_input *in)
{
	open_tpm(p, in);
	open_hcl(p, in, HCL_REPORT_TDX);
	tdx_parsed_of(in->td_quote, &p->tdx);
}

/* By kind; of what is not here nothing is read. */
static void (*const openers[])(struct evidence_parts *p, const struct verify_input *in) = {
	[EVIDENCE_SNP] = open_snp,           [EVIDENCE_TDX] = open_tdx,
	[EVIDENCE_VTPM] = open_tpm,          [EVIDENCE_SNP_VTPM] = open_snp_vtpm,
	[EVIDENCE_TDX_VTPM] = open_tdx_vtpm,
};
_Static_assert(ARRAY_LEN(openers) == EVIDENCE_HARDWARE_COUNT, "one for each that hardware makes");

int evidence_parts_new(const struct verify_input *in, struct evidence_parts **parts, struct err *e)
{
	struct evidence_parts *p = calloc(1, sizeof(*p));

	if (!p)
		return err_nomem(e);
	*parts = p;
	p->mode = in->mode;
	p->evidence = in->evidence;
	p->hcl_report = in->hcl_report;
	p->td_quote = in->td_quote;
	p->kind = in->mode;
	p->raw = in->evidence;
	p->in_token = is_token(in->evidence);
	if (p->in_token) {
		p->has_token = eat_parse(in->evidence.bytes, in->evidence.len, &p->token,
					 &p->token_why) == 0;
		if (!p->has_token)
			return 0;
		p->kind = p->token.platform;
		p->raw = (struct span){ p->token.raw_report.bytes, p->token.raw_report.len };
	}
	if (p->kind < ARRAY_LEN(openers) && openers[p->kind])
		openers[p->kind](p, in);
	return 0;
}

static bool same_bytes(struct span a, struct span b)
{
	return a.bytes == b.bytes && a.len == b.len;
}

bool evidence_parts_are_of(const struct evidence_parts *parts, const struct verify_input *in)
{
	return parts->mode == in->mode && same_bytes(parts->evidence, in->evidence) &&
	       same_bytes(parts->hcl_report, in->hcl_report) &&
	       same_bytes(parts->td_quote, in->td_quote);
}

void evidence_parts_free(struct evidence_parts *parts)
{
	if (!parts)
		return;
	if (parts->has_token)
		eat_done(&parts->token);
	free(parts);
}
