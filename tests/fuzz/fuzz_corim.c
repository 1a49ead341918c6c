/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CoRIMs, unsigned and signed, and whether their values agree with a report or quote. The first byte
 * says what follows: 0 an unsigned one; 1 one that is signed here, before it is read; 2 a byte that says
 * how long corim-meta is, that, and a payload, signed here; 3 a whole message, which no input can have
 * signed.
 */
#include "attestation/corim/corim_values.h"
#include "attestation/corim/corim_write.h"
#include "attestation/formats/cose.h"
#include "common/base/bytes.h"
#include "common/base/writer.h"
#include "tests/forge/must.h"

enum { AT = 1000, FILE_MAX = 1 << 20, ENTRIES_TRIED = 4 };
enum form { FORM_PLAIN, FORM_SIGNED, FORM_META, FORM_MESSAGE, FORMS };

static EVP_PKEY *key; /* lives as long as the program */

/* {0: {0: "signer"}, 1: {1: 2000}} */
static void put_meta(struct writer *w)
{
	datum_put_map(w, 2);
	datum_put_uint(w, 0);
	datum_put_map(w, 1);
	datum_put_uint(w, 0);
	datum_put_text(w, "signer");
	datum_put_uint(w, 1);
	datum_put_map(w, 1);
	datum_put_uint(w, 1);
	datum_put_uint(w, 2 * AT);
}

static void sign(struct span meta, struct span payload, struct writer *w)
{
	const struct cose_content content = { .payload = payload.bytes,
					      .payload_len = payload.len,
					      .content_type = "application/rim+cbor",
					      .kid = "key",
					      .kid_len = 3,
					      .extra_label = 8,
					      .extra = meta.bytes,
					      .extra_len = meta.len };
	struct err e;

	MUST(cose_sign(&content, key, w, &e) == 0 || e.code == ERR_INVALID);
}

/* The bytes to read; in `w` where they are made here. */
static struct span make(enum form form, struct span rest, struct writer *w)
{
	CLEANUP_WRITER struct writer meta = writer_up_to(256);
	size_t len;

	switch (form) {
	case FORM_SIGNED:
		put_meta(&meta);
		sign((struct span){ meta.bytes, meta.len }, rest, w);
		return (struct span){ w->bytes, w->len };
	case FORM_META:
		len = rest.len ? rest.bytes[0] : 0;
		if (rest.len < 1 + len)
			return rest;
		sign((struct span){ rest.bytes + 1, len },
		     (struct span){ rest.bytes + 1 + len, rest.len - 1 - len }, w);
		return (struct span){ w->bytes, w->len };
	default:
		return rest;
	}
}

static bool judged(const struct corim_values *values, const struct corim_entry *e,
		   const struct snp_result *snp, const struct tdx_result *tdx)
{
	static struct verdict v;

	verdict_init(&v, VERDICT_SCOPE_FULL);
	verdict_require(&v, CHECK_CORIM_REFERENCE);
	corim_judge_file(values, &v);
	if (e->tdx)
		corim_judge_tdx(values, tdx, &v);
	else
		corim_judge_snp(values, snp, &v);
	return verdict_ok(&v);
}

/* Evidence as the entry wants it. */
static void fulfil(const struct corim_entry *e, struct snp_result *snp, struct tdx_result *tdx)
{
	struct tdx_body *b = &tdx->quote.body;
	uint8_t *const mrs[CORIM_MRS] = { b->mrtd,    b->mrseam,  b->rtmr[0],
					  b->rtmr[1], b->rtmr[2], b->rtmr[3] };

	memset(snp, 0, sizeof(*snp));
	memset(tdx, 0, sizeof(*tdx));
	snp->product = e->product;
	snp->report.guest_svn = (uint32_t)e->svn.number;
	snp->report.policy = e->has_policy ? e->policy : SNP_POLICY_RESERVED_ONE;
	memcpy(snp->report.measurement, e->measurement, SNP_DIGEST_LEN);
	memcpy(snp->report.host_data, e->host_data, SNP_HOST_DATA_LEN);
	bytes_put_le(snp->report.launch_tcb, e->launch_tcb.number, SNP_TCB_LEN);
	b->tee_tcb_svn[0] = (uint8_t)e->svn.number;
	for (size_t i = 0; i < CORIM_MRS; i++)
		memcpy(mrs[i], e->mr[i], TDX_MR_LEN);
}

static bool has_measurement(const struct corim_values *values, const struct corim_entry *like,
			    const uint8_t *measurement)
{
	for (size_t i = 0; i < values->count; i++) {
		const struct corim_entry *e = &values->entries[i];

		if (e->tdx == like->tdx &&
		    memcmp(e->tdx ? e->mr[0] : e->measurement, measurement, TDX_MR_LEN) == 0)
			return true;
	}
	return false;
}

/* What the entry wants is described, where no other one makes it ask for more; another measurement,
 * which no entry has, never. */
static void try_entry(const struct corim_values *values, const struct corim_entry *e)
{
	static struct snp_result snp;
	static struct tdx_result tdx;
	uint8_t *measurement = e->tdx ? tdx.quote.body.mrtd : snp.report.measurement;
	bool fits = e->svn.number <= (e->tdx ? UINT8_MAX : UINT32_MAX);

	fulfil(e, &snp, &tdx);
	if (!judged(values, e, &snp, &tdx))
		MUST(!fits || values->count > 1);
	measurement[0] ^= 1;
	if (!has_measurement(values, e, measurement))
		MUST(!judged(values, e, &snp, &tdx));
	fulfil(e, &snp, &tdx);
	snp.report.host_data[0] ^= 1;
	tdx.quote.body.rtmr[0][0] ^= 1;
	snp.report.launch_tcb[7] ^= 0x80;
	(void)judged(values, e, &snp, &tdx);
}

/* Written again, an entry is the same one. */
static void write_again(const struct corim_entry *e, bool is_signed)
{
	CLEANUP_WRITER struct writer w = writer_up_to(FILE_MAX);
	struct corim_values again;
	struct err err;

	if (corim_write(e, is_signed ? key : NULL, &w, &err) < 0)
		return;
	MUST(corim_values_read((struct span){ w.bytes, w.len }, is_signed ? key : NULL, AT, &again,
			       &err) == 0);
	MUST(!again.problem[0] && again.count == 1);
	MUST(again.entries[0].tdx == e->tdx && again.entries[0].svn.number == e->svn.number);
	MUST(memcmp(again.entries[0].measurement, e->measurement, SNP_DIGEST_LEN) == 0);
	corim_values_done(&again);
}

static void judge(struct corim_values *values, bool is_signed)
{
	struct policy policy;
	struct err e;

	for (size_t i = 0; i < values->count && i < ENTRIES_TRIED; i++) {
		try_entry(values, &values->entries[i]);
		write_again(&values->entries[i], is_signed);
	}
	policy_init(&policy);
	MUST(corim_values_policy(values, &policy, &e) == 0);
	for (size_t i = 0; i < values->count && i < ENTRIES_TRIED; i++)
		try_entry(values, &values->entries[i]);
	/* A debug guest passes under no reference. */
	MUST(!(policy.snp.guest_policy & SNP_POLICY_DEBUG));
	policy_done(&policy);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	static struct corim corim;
	CLEANUP_WRITER struct writer made = writer_up_to(FILE_MAX), w = writer_up_to(32 << 20);
	enum form form = len ? (enum form)(bytes[0] % FORMS) : FORM_PLAIN;
	struct corim_values values;
	struct span file;
	struct err e;

	if (!key)
		key = EVP_EC_gen("P-256");
	if (!len)
		return 0;
	file = make(form, (struct span){ bytes + 1, len - 1 }, &made);
	EVP_PKEY *signer = form == FORM_PLAIN ? NULL : key;

	MUST(corim_values_read(file, signer, AT, &values, &e) == 0);
	MUST(!values.problem[0] || !values.count);
	MUST(form != FORM_MESSAGE || values.problem[0]);
	if (!values.problem[0])
		judge(&values, signer != NULL);
	corim_values_done(&values);
	if (corim_parse(file.bytes, file.len, signer, AT, &corim, &e) < 0)
		return 0;
	corim_show(&corim, &w);
	corim_show_stepped_over(&corim, &w);
	corim_done(&corim);
	return 0;
}
