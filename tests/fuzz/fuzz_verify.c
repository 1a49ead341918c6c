/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The verifier's whole call over evidence that was right. The input says which kind, whether it is
 * in a token, and what is edited in it. The token is sealed again with its own key, which corrects
 * the lengths around the edits, so that edits reach what is judged. If the evidence is still
 * accepted, it must say what was signed.
 *
 * Input: kind, form, then edits of five bytes each: part, operation, offset (two, little-endian),
 * value.
 */
#include "common/base/bytes.h"
#include "common/base/reader.h"
#include "tests/answers.h"
#include "tests/unit/attestation/verify/verify_build.h"

enum { EDITS_MAX = 64, PART_ROOM = 65536, SNP_SIGNED = 0x2a0 };

enum part { PART_EVIDENCE, PART_STATEMENT, PART_RUN_EVIDENCE, PART_TOKEN, PARTS };
enum operation { OP_FLIP, OP_SET, OP_INSERT, OP_DELETE, OP_ADD32, OP_CUT, OPS };

static const struct verify_kind *const kinds[] = { &verify_kind_snp, &verify_kind_tdx,
						   &verify_kind_vtpm, &verify_kind_snp_vtpm };
static struct verify_build built[ARRAY_LEN(kinds)];

struct bytes {
	uint8_t bytes[PART_ROOM];
	size_t len;
};
static struct bytes parts[PARTS];

static void build_once(void)
{
	static bool done;

	for (size_t i = 0; !done && i < ARRAY_LEN(kinds); i++) {
		kinds[i]->setup();
		verify_build_begin(&built[i], kinds[i]);
		verify_build_seal(&built[i]);
	}
	done = true;
}

static void take(struct bytes *p, const struct writer *w)
{
	if (w->len > sizeof(p->bytes))
		abort();
	memcpy(p->bytes, w->bytes, w->len);
	p->len = w->len;
}

static void add32(uint8_t *at, int8_t delta)
{
	bytes_put_le(at, bytes_le(at, 4) + (uint64_t)(int64_t)delta, 4);
}

static void edit(struct bytes *p, uint8_t operation, size_t offset, uint8_t value)
{
	if (!p->len)
		return;
	offset %= p->len;
	switch (operation % OPS) {
	case OP_FLIP:
		p->bytes[offset] ^= value;
		break;
	case OP_SET:
		p->bytes[offset] = value;
		break;
	case OP_INSERT:
		if (p->len == sizeof(p->bytes))
			break;
		memmove(p->bytes + offset + 1, p->bytes + offset, p->len - offset);
		p->bytes[offset] = value;
		p->len++;
		break;
	case OP_DELETE:
		memmove(p->bytes + offset, p->bytes + offset + 1, p->len - offset - 1);
		p->len--;
		break;
	case OP_ADD32:
		if (offset + 4 <= p->len)
			add32(p->bytes + offset, (int8_t)value);
		break;
	case OP_CUT:
		p->len = offset;
		break;
	}
}

static void edit_all(struct reader *r, bool token)
{
	for (unsigned i = 0; i < EDITS_MAX && reader_left(r) >= 5; i++) {
		uint8_t part = reader_u8(r) % PARTS, operation = reader_u8(r);
		size_t offset = reader_le16(r);
		uint8_t value = reader_u8(r);

		if ((part == PART_TOKEN) == token)
			edit(&parts[part], operation, offset, value);
	}
}

/* A yes is about what was signed. */
static void check_yes(const struct verify_build *b, const struct verify_result *result, bool token)
{
	const struct writer *w = &b->evidence;
	struct snp_report report;
	struct tdx_quote quote;
	struct err e;

	if (token && (parts[PART_STATEMENT].len != b->run_bytes.len ||
		      memcmp(parts[PART_STATEMENT].bytes, b->run_bytes.bytes, b->run_bytes.len)))
		__builtin_trap();
	if (b->kind->mode == EVIDENCE_SNP &&
	    (snp_report_parse(w->bytes, SNP_REPORT_LEN, &report, &e) < 0 ||
	     memcmp(parts[PART_EVIDENCE].bytes, w->bytes, SNP_SIGNED) != 0 ||
	     memcmp(report.measurement, result->snp.report.measurement, SNP_DIGEST_LEN) != 0))
		__builtin_trap();
	if (b->kind->mode == EVIDENCE_TDX &&
	    (tdx_quote_parse(w->bytes, w->len, &quote, &e) < 0 ||
	     memcmp(&quote.body, &result->tdx.quote.body, sizeof(quote.body)) != 0))
		__builtin_trap();
}

static void bind_bare(struct verify_build *b, struct verify_input *in, struct policy *policy)
{
	const struct verify_binding before = b->in.binding;

	verify_build_raw_binding(b);
	in->binding = b->in.binding;
	b->in.binding = before;
	if (b->kind->mode == EVIDENCE_SNP || b->kind->mode == EVIDENCE_TDX)
		in->binding.tpm_nonce.len = 0;
	*policy = b->policy; /* shares the memory behind it */
	policy->run.relayable = true;
	in->policy = policy;
	in->mode = b->kind->mode;
	in->manifest_count = 0;
}

static struct span reseal(struct verify_build *b, struct writer *w)
{
	struct eat_content content = b->content;
	struct err e;

	content.raw_report =
		(struct eat_bytes){ parts[PART_EVIDENCE].bytes, parts[PART_EVIDENCE].len };
	content.run = (struct eat_bytes){ parts[PART_STATEMENT].bytes, parts[PART_STATEMENT].len };
	content.run_evidence =
		(struct eat_bytes){ parts[PART_RUN_EVIDENCE].bytes, parts[PART_RUN_EVIDENCE].len };
	if (!content.raw_report.len || eat_write(&content, b->key, w, &e) < 0)
		return (struct span){ NULL, 0 };
	take(&parts[PART_TOKEN], w);
	return (struct span){ parts[PART_TOKEN].bytes, parts[PART_TOKEN].len };
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct verdict v;
	static struct verify_result result;
	static struct policy policy;
	CLEANUP_WRITER struct writer w = writer_up_to(PART_ROOM);
	struct reader r = reader_over(bytes, len), again;
	struct verify_input in;
	struct verify_build *b;
	struct err e;

	build_once();
	b = &built[reader_u8(&r) % ARRAY_LEN(built)];
	bool token = reader_u8(&r) & 1;

	again = r;
	take(&parts[PART_EVIDENCE], &b->evidence);
	take(&parts[PART_STATEMENT], &b->run_bytes);
	take(&parts[PART_RUN_EVIDENCE], &b->run_quote);
	edit_all(&r, false);
	in = b->in;
	if (token) {
		in.evidence = reseal(b, &w);
		edit_all(&again, true);
		in.evidence.len = in.evidence.len ? parts[PART_TOKEN].len : 0;
	} else {
		bind_bare(b, &in, &policy);
		in.evidence = (struct span){ parts[PART_EVIDENCE].bytes, parts[PART_EVIDENCE].len };
	}
	int rc = verify_answer(&in, &v, &result, &e);
	if (rc == 0)
		check_yes(b, &result, token);
	else if (verdict_ok(&v) || len <= 2) /* nothing was edited */
		__builtin_trap();
	return 0;
}
