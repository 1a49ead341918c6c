/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verifier's whole call over evidence that was right. The head says which kind, whether it is in a
 * token, what is asked and what is odd about the call; behind it edits (edits.h). The token is sealed
 * again with its own key, which corrects the lengths around the edits, so that edits reach what is
 * judged. If the evidence is still accepted, it must say what was signed.
 */
#define EDITS_HEAD 4
#include "attestation/claims/claims.h"
#include "attestation/corim/corim_write.h"
#include "attestation/verify/same_agent.h"
#include "common/base/bytes.h"
#include "common/base/json.h"
#include "tests/answers.h"
#include "tests/fuzz/edits.h"
#include "tests/fuzz/hcl_edited.h"
#include "tests/unit/attestation/verify/verify_build.h"

enum { SNP_SIGNED = SNP_REPORT_SIGNED_LEN };

enum part { PART_EVIDENCE, PART_STATEMENT, PART_RUN_EVIDENCE, PART_TOKEN, PARTS };
/* Of Azure's kinds the second part is the paravisor's report, the third the TD's quote. */
enum { PART_HCL = PART_STATEMENT, PART_TD_QUOTE = PART_RUN_EVIDENCE };

enum form {
	FORM_TOKEN = 1,
	FORM_CHANNEL = 2, /* bound to a session, not to a nonce */
	FORM_GENUINE = 4,
	FORM_PRODUCT = 8, /* named: Genoa */
	FORM_CORIM = 16,
	FORM_NO_POLICY = 32,
	FORM_REPORT_DATA = 64, /* the policy names report data, too */
	FORM_STOCK = 128,      /* the policy takes stock agents */
};
enum odd {
	ODD_SKEW = 1,
	ODD_MODE = 2,
	ODD_TWO_BINDINGS = 4,
	ODD_NO_BINDING = 8,
	ODD_EMPTY_NONCE = 16,
	ODD_NO_MANIFEST = 32,
	ODD_TOKEN_KEY = 64, /* of a stranger, who is to have signed the token */
	ODD_BEFORE_RUN = 128,
};
/* The low bits of the fourth byte: what is different in the statement's own evidence, or these. */
enum statement {
	NO_RUN = TWIST_BOOT + 1,
	RUN_BY_CHANNEL,
	CUT_RUN,
	RELAYED,
	FIXED_BOOT, /* the policy leaves it to the statement what was fixed */
	STATEMENTS,
};

static const struct verify_kind *const kinds[] = { &verify_kind_snp, &verify_kind_tdx,
						   &verify_kind_vtpm, &verify_kind_snp_vtpm };
enum { HCL_SNP = ARRAY_LEN(kinds), HCL_TDX, KINDS };

static struct edited parts[PARTS];
static struct verdict v;
static struct verify_result result;

static struct verify_build *build(size_t kind, bool channel, unsigned statement)
{
	static struct verify_build *built[ARRAY_LEN(kinds)][2][STATEMENTS];
	static bool ready[ARRAY_LEN(kinds)];
	struct verify_build **b = &built[kind][channel][statement];

	if (*b)
		return *b;
	if (!ready[kind])
		kinds[kind]->setup();
	ready[kind] = true;
	*b = calloc(1, sizeof(**b));
	MUST(*b);
	verify_build_begin(*b, kinds[kind]);
	(*b)->by_channel = channel;
	(*b)->twist = statement <= TWIST_BOOT ? (enum verify_twist)statement : TWIST_NONE;
	(*b)->no_run = statement == NO_RUN;
	(*b)->run_by_channel = statement == RUN_BY_CHANNEL;
	(*b)->cut_run = statement == CUT_RUN;
	(*b)->relayed = statement == RELAYED;
	(*b)->policy.run.fixed_boot = statement == FIXED_BOOT;
	if (channel)
		(*b)->content.nonce_use = EAT_USE_CHANNEL;
	verify_build_seal(*b);
	return *b;
}

static void take(struct edited *p, const struct writer *w)
{
	edited_take(p, w->bytes, w->len);
}

/* Statement and evidence of a Genoa machine, and of a TD, as the forges make them. */
static const struct corim_values *reference(enum evidence_kind mode)
{
	static const uint8_t mrs[CORIM_MRS] = { 0xa0, 0xa1, 0xb0, 0xb1, 0xb2, 0xb3 };
	static struct corim_values made[2];
	bool tdx = mode == EVIDENCE_TDX;
	struct corim_entry entry = { .tdx = tdx, .product = SNP_GENOA };
	struct writer w = writer_up_to(65536);
	struct err e;

	if (made[tdx].count)
		return &made[tdx];
	memset(entry.measurement, 0xa2, sizeof(entry.measurement));
	for (size_t i = 0; i < CORIM_MRS; i++)
		memset(entry.mr[i], mrs[i], TDX_MR_LEN);
	memset(entry.has_mr, tdx, sizeof(entry.has_mr));
	MUST(corim_write(&entry, NULL, &w, &e) == 0);
	MUST(corim_values_read((struct span){ w.bytes, w.len }, NULL, 0, &made[tdx], &e) == 0);
	MUST(made[tdx].count == 1);
	writer_done(&w);
	return &made[tdx];
}

/* A yes is about what was signed. */
static void check_yes(const struct verify_build *b, bool statement)
{
	const struct writer *w = &b->evidence;
	struct snp_report report;
	struct tdx_quote quote;
	struct err e;

	if (statement && b->run_bytes.len)
		MUST(parts[PART_STATEMENT].len == b->run_bytes.len &&
		     memcmp(parts[PART_STATEMENT].bytes, b->run_bytes.bytes, b->run_bytes.len) ==
			     0);
	if (b->kind->mode == EVIDENCE_SNP)
		MUST(snp_report_parse(w->bytes, SNP_REPORT_LEN, &report, &e) == 0 &&
		     memcmp(parts[PART_EVIDENCE].bytes, w->bytes, SNP_SIGNED) == 0 &&
		     memcmp(report.measurement, result.snp.report.measurement, SNP_DIGEST_LEN) ==
			     0);
	if (b->kind->mode == EVIDENCE_TDX)
		MUST(tdx_quote_parse(w->bytes, w->len, &quote, &e) == 0 &&
		     memcmp(&quote.body, &result.tdx.quote.body, sizeof(quote.body)) == 0);
}

static void check_yes_hcl(const struct hcl_edited *h)
{
	MUST(parts[PART_HCL].len >= h->hcl.len);
	MUST(h->tdx || memcmp(&result.snp.report.report_data, h->snp.report.report_data,
			      SNP_REPORT_DATA_LEN) == 0);
	MUST(h->tdx || memcmp(&result.snp.report.measurement, h->snp.report.measurement,
			      SNP_DIGEST_LEN) == 0);
	MUST(!h->tdx || memcmp(result.tdx.quote.body.mrtd, h->td.good.body.mrtd, TDX_MR_LEN) == 0);
}

/* What is the same agent as itself is none with another key. */
static void check_same(void)
{
	static struct same_agent first, now;
	static struct verdict same;

	memset(&first, 0, sizeof(first));
	first.result = result;
	now = first;
	verdict_init(&same, VERDICT_SCOPE_FULL);
	same_agent_judge(&first, &now, &same);
	MUST(verdict_ok(&same) || !result.has_manifest || !result.has_identity);
	now.key[0] ^= 1;
	verdict_init(&same, VERDICT_SCOPE_FULL);
	same_agent_judge(&first, &now, &same);
	MUST(!verdict_ok(&same));
}

/* What programs go on with is JSON, whatever came; and nothing in it is verified that is not genuine. */
static void tell(const struct verify_input *in)
{
	static const char *const parts_told[] = { "snp", "tdx", "tpm", "token", "run" };
	CLEANUP_WRITER struct writer w = writer_up_to(CLAIMS_MAX);
	struct json *root = NULL;
	struct err e;

	if (in->mode >= EVIDENCE_KINDS || claims_json(in, &result, &v, &w, &e) < 0)
		return;
	MUST(json_parse(w.bytes, w.len, &root, &e) == 0);
	for (size_t i = 0; i < ARRAY_LEN(parts_told); i++) {
		const struct json *part = json_get(root, parts_told[i]);
		bool verified = false;

		MUST(!part || json_get_bool(part, "verified", &verified, &e) == 0);
		MUST(!verified || verdict_is_genuine(&v));
	}
	json_free(root);
}

/* No yes without one before. */
static void judge(const struct verify_input *in, const uint8_t *head, bool never)
{
	CLEANUP(evidence_parts_free) struct evidence_parts *open = NULL;
	static struct verdict before;
	struct err e;

	if (verify_answer(in, &v, &result, &e) < 0) {
		MUST(!verdict_ok(&v));
		tell(in);
		MUST(evidence_parts_new(in, &open, &e) == 0);
		(void)!verify_before(in, open, &before, &e);
		return;
	}
	MUST(!never);
	tell(in);
	MUST(evidence_parts_new(in, &open, &e) == 0);
	MUST(verify_before(in, open, &before, &e) == 0 && verdict_ok(&before));
	check_same();
}

static struct span reseal(struct verify_build *b, struct reader edits, struct writer *w)
{
	struct eat_content content = b->content;
	struct err e;

	content.raw_report =
		(struct eat_bytes){ parts[PART_EVIDENCE].bytes, parts[PART_EVIDENCE].len };
	if (!b->no_run) {
		content.run = (struct eat_bytes){ parts[PART_STATEMENT].bytes,
						  parts[PART_STATEMENT].len - b->cut_run };
		content.run_evidence = (struct eat_bytes){ parts[PART_RUN_EVIDENCE].bytes,
							   parts[PART_RUN_EVIDENCE].len };
	}
	if (!content.raw_report.len || (b->cut_run && !parts[PART_STATEMENT].len) ||
	    eat_write(&content, b->key, w, &e) < 0)
		return (struct span){ NULL, 0 };
	take(&parts[PART_TOKEN], w);
	edit_all(edits, parts, PARTS, PART_TOKEN, PARTS);
	return edited_span(&parts[PART_TOKEN]);
}

static void bind_bare(struct verify_build *b, struct verify_input *in)
{
	const struct verify_binding before = b->in.binding;

	verify_build_raw_binding(b);
	in->binding = b->in.binding;
	b->in.binding = before;
	if (b->kind->mode == EVIDENCE_SNP || b->kind->mode == EVIDENCE_TDX)
		in->binding.tpm_nonce.len = 0;
	in->mode = b->kind->mode;
	in->manifest_count = 0;
}

/* What the head asks beside the kind. */
static void ask(const uint8_t *head, struct verify_build *b, struct verify_input *in,
		struct policy *policy)
{
	static struct binding_nonce empty;
	bool token = head[1] & FORM_TOKEN;

	*policy = b->policy; /* shares the memory behind it */
	policy->run.relayable = !token || head[1] & FORM_STOCK;
	/* A report of such an agent says of no registers whose they are. */
	policy->has_tpm = policy->has_tpm &&
			  !(policy->run.relayable && evidence_kind_rows[b->kind->mode].tee);
	policy->has_report_data = head[1] & FORM_REPORT_DATA;
	memcpy(policy->report_data, b->bound.report_data, sizeof(policy->report_data));
	in->policy = head[1] & (FORM_NO_POLICY | FORM_GENUINE) ? NULL : policy;
	in->genuine_only = head[1] & FORM_GENUINE;
	in->manifest_count = in->genuine_only ? 0 : in->manifest_count;
	in->product = head[1] & FORM_PRODUCT ? SNP_GENOA : SNP_PRODUCT_ANY;
	in->corim = head[1] & FORM_CORIM ? reference(b->kind->mode) : NULL;
	in->skew = head[2] & ODD_SKEW ? SNP_SKEW_MAX + 1 : in->skew;
	in->before_run = head[2] & ODD_BEFORE_RUN;
	if (head[2] & ODD_MODE)
		in->mode = EVIDENCE_KINDS;
	if (head[2] & ODD_TWO_BINDINGS)
		in->binding.report_data = b->bound.report_data, in->binding.nonce = &b->nonce;
	if (head[2] & ODD_NO_BINDING)
		in->binding = (struct verify_binding){ 0 };
	if (head[2] & ODD_EMPTY_NONCE)
		in->binding.nonce = &empty;
	if (head[2] & (ODD_NO_MANIFEST | ODD_BEFORE_RUN))
		in->manifest_count = 0;
	if (head[2] & ODD_TOKEN_KEY)
		in->token_key = b->other;
}

/* Nobody's yes, whatever is edited. */
static bool never(const uint8_t *head, const struct verify_build *b, unsigned statement)
{
	uint8_t odd = ODD_SKEW | ODD_MODE | ODD_TWO_BINDINGS | ODD_NO_BINDING | ODD_EMPTY_NONCE |
		      ODD_TOKEN_KEY;
	bool genuine = head[1] & FORM_GENUINE;

	if (head[2] & odd || statement == RELAYED || (genuine && head[1] & FORM_CORIM) ||
	    (!genuine && head[1] & FORM_NO_POLICY))
		return true;
	if (genuine || !(head[1] & FORM_TOKEN))
		return false;
	for (const struct verify_same *same = b->kind->same; same->check; same++)
		if (same->twist != TWIST_NONE && (unsigned)same->twist == statement)
			return true;
	return statement == RUN_BY_CHANNEL || statement == CUT_RUN ||
	       (statement == NO_RUN && !(head[1] & FORM_STOCK) && !(head[2] & ODD_BEFORE_RUN));
}

static void check_no(const uint8_t *head, size_t len, bool never)
{
	if (never || len > EDITS_HEAD ||
	    head[1] & ~(FORM_TOKEN | FORM_CHANNEL | FORM_REPORT_DATA) || head[2] ||
	    head[3] % STATEMENTS || verdict_ok(&v) ||
	    (head[1] & FORM_CHANNEL && !(head[1] & FORM_TOKEN)) || head[1] & FORM_REPORT_DATA)
		return;
	fprintf(stderr, "%s\n", verdict_reason(&v).text);
	abort();
}

static void try_kind(const uint8_t *head, size_t len, struct reader edits)
{
	static struct policy policy;
	CLEANUP_WRITER struct writer w = writer_up_to(EDITED_ROOM);
	unsigned statement = head[3] % STATEMENTS;
	struct verify_build *b = build(head[0] % KINDS, head[1] & FORM_CHANNEL, statement);
	bool token = head[1] & FORM_TOKEN, no = never(head, b, statement);
	struct verify_input in = b->in;

	take(&parts[PART_EVIDENCE], &b->evidence);
	take(&parts[PART_STATEMENT], &b->run_bytes);
	take(&parts[PART_RUN_EVIDENCE], &b->run_quote);
	edit_all(edits, parts, PARTS, 0, PART_TOKEN);
	if (token)
		in.evidence = reseal(b, edits, &w);
	else
		in.evidence = edited_span(&parts[PART_EVIDENCE]);
	if (!token)
		bind_bare(b, &in);
	ask(head, b, &in, &policy);
	judge(&in, head, no);
	if (verdict_ok(&v))
		check_yes(b, token && !in.genuine_only); /* else nobody asked what runs */
	else
		check_no(head, len, no);
}

static void try_hcl(const uint8_t *head, size_t len, struct reader edits)
{
	static struct hcl_edited made[2];
	struct hcl_edited *h = &made[head[0] % KINDS == HCL_TDX];
	struct verify_input in;

	h->tdx = head[0] % KINDS == HCL_TDX;
	hcl_edited_make(h, h->tdx);
	in = h->in;
	take(&parts[PART_EVIDENCE], &h->message);
	take(&parts[PART_HCL], &h->hcl);
	edited_take(&parts[PART_TD_QUOTE], in.td_quote.bytes, in.td_quote.len);
	edit_all(edits, parts, PARTS, 0, PART_TOKEN);
	in.evidence = edited_span(&parts[PART_EVIDENCE]);
	in.hcl_report = edited_span(&parts[PART_HCL]);
	in.td_quote = h->tdx ? edited_span(&parts[PART_TD_QUOTE]) : in.td_quote;
	if (head[1] & FORM_STOCK)
		in.tpm.binding.runtime = tpm_forge_span(&h->runtime);
	in.genuine_only = head[1] & FORM_GENUINE;
	in.policy = head[1] & (FORM_NO_POLICY | FORM_GENUINE) ? NULL : in.policy;
	judge(&in, head, !in.policy && !in.genuine_only);
	if (verdict_ok(&v))
		check_yes_hcl(h);
	else
		MUST(len > EDITS_HEAD || head[1] & FORM_NO_POLICY);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct reader edits;

	if (len < EDITS_HEAD)
		return 0;
	edits = reader_over(bytes + EDITS_HEAD, len - EDITS_HEAD);
	for (size_t i = 0; i < PARTS; i++)
		parts[i].len = 0;
	if (bytes[0] % KINDS >= HCL_SNP)
		try_hcl(bytes, len, edits);
	else
		try_kind(bytes, len, edits);
	return 0;
}
