/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/receipt/receipt_judge.h"

#include "attestation/token/run_statement.h"
#include "common/base/log.h"
#include "common/base/timestamp.h"

#include <inttypes.h>
#include <string.h>

void receipt_evidence(const struct receipt *r, struct verify_input *in)
{
	const struct evidence_kind_row *row = &evidence_kind_rows[r->platform];

	in->mode = r->platform;
	in->evidence = r->proof.evidence;
	in->statement = r->proof.statement;
	in->binding = (struct verify_binding){ .report_data = NULL };
	/* A log where the kind has none is refused below, and one of the caller's stays. */
	if (r->proof.log.len && row->tpm)
		in->tpm.event_log = r->proof.log;
	else if (r->proof.log.len && row->tee == TEE_TDX)
		in->tdx.event_log = r->proof.log;
}

/* The statement's, of which the evidence is. */
static void judge_statement(const struct receipt *r, const struct run_statement *s,
			    struct verdict *v)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct err e = { 0 };
	int failed;

	verdict_check(v, CHECK_RECEIPT_COMPUTATION, strcmp(r->computation, s->computation) == 0,
		      log_quote(r->computation).text, log_quote(s->computation).text);
	verdict_bytes(v, CHECK_RECEIPT_MANIFEST, r->manifest, s->manifest, SHA3_256_LEN);
	if (!verdict_check(v, CHECK_RECEIPT_KEY, s->journal != NULL, "a statement without one",
			   "the journal's key"))
		return;
	failed = key_from_spki(s->journal, s->journal_len, &key, &e);
	if (!failed)
		failed = cose_verify(&r->cose, key, JOURNAL_RECEIPT_AAD,
				     strlen(JOURNAL_RECEIPT_AAD), &e);
	verdict_step(v, CHECK_RECEIPT_SIGNATURE, failed, &e);
}

static int judge_proof(const struct receipt *r, struct verdict *v, bool *its_own, struct err *e)
{
	uint8_t found[SHA256_LEN];

	if (digest(DIGEST_SHA256, r->proof_bytes.bytes, r->proof_bytes.len, found, e) < 0)
		return err_code(e);
	*its_own = verdict_bytes(v, CHECK_RECEIPT_PROOF, found, r->proof_digest, SHA256_LEN);
	return 0;
}

static void judge_image(const struct receipt *r, struct verdict *v)
{
	uint8_t image[RECEIPT_IMAGE_MAX];
	bool log = evidence_kind_rows[r->platform].tpm ||
		   evidence_kind_rows[r->platform].tee == TEE_TDX;
	size_t len = 0;
	struct err e;

	if (receipt_image(r->platform, r->proof.evidence, image, &len, &e) < 0)
		verdict_err(v, CHECK_RECEIPT_IMAGE, &e);
	else if (!log && r->proof.log.len)
		verdict_check(v, CHECK_RECEIPT_IMAGE, false, "an event log", "none of this kind");
	else if (len != r->image_len)
		verdict_checkf(v, CHECK_RECEIPT_IMAGE, false, "the evidence's measurement",
			       "%zu bytes of %zu", r->image_len, len);
	else if (!len)
		verdict_check(v, CHECK_RECEIPT_IMAGE, true, "none", "none: a TPM's registers");
	else
		verdict_bytes(v, CHECK_RECEIPT_IMAGE, r->image, image, len);
}

/* What the proof says, once it is the receipt's. */
static void judge_by_proof(const struct receipt *r, struct verdict *v)
{
	struct run_statement s;
	struct err why;

	if (run_statement_parse(r->proof.statement.bytes, r->proof.statement.len, &s, &why) < 0) {
		verdict_err(v, CHECK_RECEIPT_KEY, &why);
	} else {
		judge_statement(r, &s, v);
		run_statement_done(&s);
	}
	judge_image(r, v);
}

static void judge_times(const struct receipt *r, const struct verify_input *in, struct verdict *v)
{
	uint64_t until = (uint64_t)(in->at > 0 ? in->at : 0) + in->skew;
	char when[TIMESTAMP_TEXT_MAX];

	verdict_checkf(v, CHECK_RECEIPT_TIME, r->started <= r->ended && r->ended <= until,
		       "a start, an end, and then the moment that is judged at",
		       "%" PRIu64 " to %" PRIu64, r->started, r->ended);
	timestamp_format((int64_t)r->ended, when);
	verdict_note(v, NOTE_RECEIPT_TIME,
		     "the receipt says it was made at %s, by a clock that the machine's host sets",
		     when);
}

static void judge_results(const struct receipt *r, const struct receipt_results *found,
			  struct verdict *v)
{
	const struct receipt_results *said = &r->opening.results;

	verdict_require(v, CHECK_RECEIPT_RESULTS);
	if (!r->is_open)
		verdict_check(v, CHECK_RECEIPT_RESULTS, false, "a copy that says of no results",
			      "a consumer's, with the salt");
	else if (found->size != said->size)
		verdict_checkf(v, CHECK_RECEIPT_RESULTS, false, "the file that the receipt is of",
			       "%" PRIu64 " bytes in place of %" PRIu64, found->size, said->size);
	else if (verdict_bytes(v, CHECK_RECEIPT_RESULTS, found->sha256, said->sha256, SHA256_LEN) &&
		 !bytes_equal(found->sha3_256, said->sha3_256, SHA3_256_LEN))
		verdict_bytes(v, CHECK_RECEIPT_RESULTS, found->sha3_256, said->sha3_256,
			      SHA3_256_LEN);
}

int receipt_judge(const struct receipt *r, const struct receipt_results *found,
		  const struct verify_input *in, struct verdict *v, struct err *e)
{
	static const enum check_id always[] = {
		CHECK_RECEIPT_PROOF, CHECK_RECEIPT_COMPUTATION, CHECK_RECEIPT_MANIFEST,
		CHECK_RECEIPT_KEY,   CHECK_RECEIPT_SIGNATURE,   CHECK_RECEIPT_IMAGE,
		CHECK_RECEIPT_TIME,
	};
	bool its_own;

	for (size_t i = 0; i < ARRAY_LEN(always); i++)
		verdict_require(v, always[i]);
	if (judge_proof(r, v, &its_own, e) < 0) {
		verdict_init(v, v->scope); /* never a yes */
		return err_code(e);
	}
	if (its_own)
		judge_by_proof(r, v);
	judge_times(r, in, v);
	if (found)
		judge_results(r, found, v);
	return 0;
}
