/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: their claims, as they come and signed again, and what is written from them. */
#include "attestation/token/eat.h"
#include "attestation/token/eat_agree.h"
#include "tests/fuzz/cose_resign.h"

/* Compares its other claims with the report that it carries, by platform; and names the rest. */
static void agree(const struct eat *t, struct err *e)
{
	char uncompared[EAT_UNCOMPARED_MAX];
	static struct tpm_evidence message;
	struct span raw = { t->raw_report.bytes, t->raw_report.len };
	struct snp_report report;
	struct tdx_quote quote;
	bool has_message = false;

	if (t->platform == EVIDENCE_TDX && tdx_quote_parse(raw.bytes, raw.len, &quote, e) == 0)
		(void)!eat_agree_tdx(t, &quote, e);
	if (t->platform == EVIDENCE_SNP && raw.len >= SNP_REPORT_LEN &&
	    snp_report_parse(raw.bytes, SNP_REPORT_LEN, &report, e) == 0)
		(void)!eat_agree_snp(t, &report, e);
	if (t->platform == EVIDENCE_VTPM || t->platform == EVIDENCE_SNP_VTPM)
		has_message = tpm_attestation_parse(raw, &message, e) == 0;
	if (has_message)
		(void)!eat_agree_tpm(t, &message, e);
	eat_uncompared(t, has_message ? &message : NULL, uncompared);
	assert(strlen(uncompared) < sizeof(uncompared));
}

/* Its signature is right by the one key, over its own claims; its nonce is its own. */
static void check_signer(struct eat *t)
{
	uint8_t sig[SIGNATURE_MAX], other[EAT_NONCE_MAX];
	const struct cose_test_key *k = cose_resign(&t->cose, NULL, 0, sig);
	struct err e;

	assert(eat_verify(t, k->key, &e) == 0);
	sig[0] ^= 1;
	assert(eat_verify(t, k->key, &e) == -ERR_DENIED);
	memcpy(other, t->nonce.bytes, t->nonce.len);
	assert(eat_check_nonce(t, other, t->nonce.len, &e) == 0);
	other[0] ^= 1;
	assert(eat_check_nonce(t, other, t->nonce.len, &e) == -ERR_DENIED);
	assert(eat_check_nonce(t, other, EAT_NONCE_MIN - 1, &e) == -ERR_INVALID);
}

/* A token that we make of the same claims is accepted, and says the same. */
static void check_writing(const struct eat *t)
{
	CLEANUP_WRITER struct writer w = writer_up_to(2 * EAT_MAX);
	const struct cose_test_key *k = cose_test_key(COSE_ES256);
	const struct eat_content c = { .issuer = "fuzz",
				       .platform = t->platform,
				       .nonce_use = t->nonce_use,
				       .issued = t->issued,
				       .expires = t->expires,
				       .nonce = t->nonce,
				       .raw_report = t->raw_report,
				       .ueid = t->nonce,
				       .tee_report = t->tee_report,
				       .run = t->run,
				       .run_evidence = t->run_evidence,
				       .event_log = t->event_log };
	struct eat again;
	struct err e;

	if (eat_write(&c, k->key, &w, &e) < 0) { /* too long for one more key */
		assert(err_is(err_code(&e), ERR_EXHAUSTED));
		return;
	}
	assert(eat_parse(w.bytes, w.len, &again, &e) == 0 && eat_verify(&again, k->key, &e) == 0);
	assert(again.platform == t->platform && again.nonce_use == t->nonce_use && again.spki);
	assert(again.expires == t->expires && again.run.len == t->run.len);
	assert(eat_nonce_use_name(again.nonce_use) || again.nonce_use == EAT_USE_UNSAID);
	eat_done(&again);
}

static void check_times(const struct eat *t)
{
	const int64_t times[] = { 0, t->issued, t->not_before, t->expires, INT64_MAX / 2 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(times); i++)
		if (eat_check_time(t, times[i], 0, &e) == 0)
			assert(t->issued <= times[i] && times[i] <= t->expires &&
			       t->not_before <= times[i]);
	(void)!eat_check_time(t, INT64_MAX / 2, UINT32_MAX, &e);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct eat t;
	struct err e;

	if (eat_parse(bytes, len, &t, &e) < 0)
		return 0;
	if (t.nonce.len < EAT_NONCE_MIN || !t.raw_report.len)
		__builtin_trap();
	check_times(&t);
	check_signer(&t);
	check_writing(&t);
	agree(&t, &e);
	eat_done(&t);
	return 0;
}
