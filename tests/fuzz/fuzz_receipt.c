/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: read, written again, and held against what stands beside them. */
#include "attestation/receipt/receipt_judge.h"
#include "common/base/writer.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

/* Nothing else opens it. A copy without an opening may be of any commitment, that of zeros too. */
static void check_opening(const struct receipt *r)
{
	CLEANUP_WRITER struct writer w = writer_up_to(RECEIPT_OPENING_MAX);
	uint8_t commitment[SHA3_256_LEN];
	struct err e;

	assert(receipt_opening_write(&r->opening, &w, &e) == 0);
	assert(receipt_commit((struct span){ w.bytes, w.len }, commitment, &e) == 0);
	assert(!r->is_open || memcmp(commitment, r->results, SHA3_256_LEN) == 0);
}

/* What was read is written as it came. */
static void check_writing(const struct receipt *r, const uint8_t *bytes, size_t len)
{
	CLEANUP_WRITER struct writer proof = writer_up_to(RECEIPT_PROOF_MAX);
	CLEANUP_WRITER struct writer payload = writer_up_to(RECEIPT_PAYLOAD_MAX);
	CLEANUP_WRITER struct writer twice = writer_up_to(RECEIPT_MAX);
	struct err e;

	assert(receipt_proof_write(&r->proof, &proof, &e) == 0);
	assert(proof.len == r->proof_bytes.len);
	assert(memcmp(proof.bytes, r->proof_bytes.bytes, proof.len) == 0);
	assert(receipt_payload_write(r, &payload, &e) == 0);
	assert(payload.len == r->cose.payload_len);
	/* It has its evidence already. */
	assert(receipt_put((struct span){ bytes, len }, r->proof_bytes, (struct span){ 0 }, &twice,
			   &e) == -ERR_INVALID);
	check_opening(r);
}

static void check_judging(const struct receipt *r)
{
	struct verdict *v = malloc(sizeof(*v));
	struct verify_input in = { .at = (int64_t)1 << 40 };
	struct receipt_results other = r->opening.results;
	struct err e;

	assert(v);
	receipt_evidence(r, &in);
	assert(in.mode == r->platform && in.statement.len == r->proof.statement.len);
	verdict_init(v, VERDICT_SCOPE_FULL);
	assert(receipt_judge(r, &other, &in, v, &e) == 0);
	assert(r->is_open || !verdict_ok(v));
	other.size++;
	verdict_init(v, VERDICT_SCOPE_FULL);
	assert(receipt_judge(r, &other, &in, v, &e) == 0 && !verdict_ok(v));
	other = r->opening.results;
	other.sha3_256[0] ^= 1;
	verdict_init(v, VERDICT_SCOPE_FULL);
	assert(receipt_judge(r, &other, &in, v, &e) == 0 && !verdict_ok(v));
	free(v);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct receipt r;
	struct err e;

	if (receipt_parse(bytes, len, &r, &e) < 0)
		return 0;
	check_writing(&r, bytes, len);
	check_judging(&r);
	receipt_done(&r);
	return 0;
}
