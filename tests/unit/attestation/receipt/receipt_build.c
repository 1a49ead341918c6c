/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attestation/receipt/receipt_build.h"

static void make_key(EVP_PKEY **key, uint8_t **spki, size_t *len)
{
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, key, &e), e);
	if (spki)
		assert_ok(key_to_spki(*key, spki, len, &e), e);
}

static void fill(struct receipt_build *b)
{
	struct receipt *r = &b->r;

	memset(b->datasets[0].digest, 0x31, SHA3_256_LEN);
	memset(b->datasets[0].owner, 0x32, SHA3_256_LEN);
	b->datasets[0].name = "h1.zip";
	memset(b->datasets[1].digest, 0x33, SHA3_256_LEN);
	memset(b->datasets[1].owner, 0x34, SHA3_256_LEN);
	b->datasets[1].name = "";
	memset(b->wheel.sha256, 0x35, SHA256_LEN);
	b->wheel.name = "xgboost-3.0.0-py3-none-any.whl";
	b->args[0] = "--epochs";
	b->args[1] = "3";
	*r = (struct receipt){ .computation = "7a",
			       .algorithm_type = "python",
			       .has_requirements = true,
			       .datasets = b->datasets,
			       .dataset_count = RECEIPT_BUILD_DATASETS,
			       .wheels = &b->wheel,
			       .wheel_count = 1,
			       .args = b->args,
			       .arg_count = 2,
			       .limits = { 1 << 30, 256, 1 << 20, 1 << 20, 7200000, 150 },
			       .platform = b->kind->mode,
			       .has_journal = true,
			       .journal = { .count = 12 },
			       .started = (uint64_t)b->kind->at - 100,
			       .ended = (uint64_t)b->kind->at - 10 };
	memset(r->manifest, 0x73, SHA3_256_LEN);
	for (size_t i = 0; i < RECEIPT_SALT_LEN; i++)
		b->opening.salt[i] = (uint8_t)i;
	b->opening.results.size = 4711;
	memset(b->opening.results.sha256, 0x36, SHA256_LEN);
	memset(b->opening.results.sha3_256, 0x37, SHA3_256_LEN);
	memset(r->algorithm, 0x38, SHA3_256_LEN);
	memset(r->algorithm_owner, 0x39, SHA3_256_LEN);
	memset(r->requirements, 0x3a, SHA3_256_LEN);
	memset(r->journal.digest, 0x3b, SHA256_LEN);
}

void receipt_build_begin(struct receipt_build *b, const struct verify_kind *kind)
{
	memset(b, 0, sizeof(*b));
	b->kind = kind;
	make_key(&b->identity, &b->identity_spki, &b->identity_len);
	make_key(&b->journal, &b->journal_spki, &b->journal_len);
	make_key(&b->other, NULL, NULL);
	b->signer = b->journal;
	b->aad = JOURNAL_RECEIPT_AAD;
	memset(b->manifest, 0x73, sizeof(b->manifest));
	b->run = (struct run_statement){ .computation = "7a",
					 .fixed = true,
					 .identity = b->identity_spki,
					 .identity_len = b->identity_len,
					 .journal = b->journal_spki,
					 .journal_len = b->journal_len };
	memcpy(b->run.manifest, b->manifest, SHA3_256_LEN);
	fill(b);
	if (kind->fix_boot)
		kind->fix_boot(NULL);
	policy_init(&b->policy);
	kind->policy(&b->policy);
	b->in = (struct verify_input){ .product = SNP_PRODUCT_ANY,
				       .policy = &b->policy,
				       .manifests = b->manifest,
				       .manifest_count = 1,
				       .at = kind->at,
				       .skew = RECEIPT_BUILD_SKEW };
	kind->endorse(&b->in);
}

static void make_proof(struct receipt_build *b)
{
	struct binding bound = { .report_data = { 1 } };
	struct err e;

	b->statement = writer_up_to(RUN_STATEMENT_MAX);
	assert_ok(run_statement_write(&b->run, &b->statement, &e), e);
	if (!b->other_binding)
		assert_ok(binding_run(b->statement.bytes, b->statement.len, &bound, &e), e);
	b->kind->evidence(&bound, b->twist, &b->evidence);
	b->r.proof.statement = (struct span){ b->statement.bytes, b->statement.len };
	b->r.proof.evidence = (struct span){ b->evidence.bytes, b->evidence.len };
	b->proof = writer_up_to(RECEIPT_PROOF_MAX);
	assert_ok(receipt_proof_write(&b->r.proof, &b->proof, &e), e);
	assert_ok(digest(DIGEST_SHA256, b->proof.bytes, b->proof.len, b->r.proof_digest, &e), e);
	assert_ok(
		receipt_image(b->kind->mode, b->r.proof.evidence, b->r.image, &b->r.image_len, &e),
		e);
	if (b->other_image && b->r.image_len)
		b->r.image[0] ^= 1;
	else if (b->other_image)
		b->r.image_len = 1;
}

void receipt_build_sign(struct receipt_build *b)
{
	const struct cose_content content = { .payload = b->payload.bytes,
					      .payload_len = b->payload.len,
					      .aad = b->aad,
					      .aad_len = strlen(b->aad),
					      .content_type = JOURNAL_RECEIPT_TYPE };
	struct err e;

	writer_done(&b->message);
	writer_done(&b->bytes);
	b->message = writer_up_to(RECEIPT_PAYLOAD_MAX + 1024);
	assert_ok(cose_sign(&content, b->signer, &b->message, &e), e);
	b->bytes = writer_up_to(RECEIPT_MAX);
	assert_ok(receipt_put((struct span){ b->message.bytes, b->message.len },
			      (struct span){ b->proof.bytes, b->proof.len },
			      b->closed ? (struct span){ .len = 0 }
					: (struct span){ b->opened.bytes, b->opened.len },
			      &b->bytes, &e),
		  e);
}

static void commit(struct receipt_build *b)
{
	struct err e;

	writer_done(&b->opened);
	b->opened = writer_up_to(RECEIPT_OPENING_MAX);
	assert_ok(receipt_opening_write(&b->opening, &b->opened, &e), e);
	assert_ok(receipt_commit((struct span){ b->opened.bytes, b->opened.len }, b->r.results, &e),
		  e);
}

void receipt_build_seal(struct receipt_build *b)
{
	struct err e;

	make_proof(b);
	commit(b);
	b->payload = writer_up_to(RECEIPT_PAYLOAD_MAX);
	assert_ok(receipt_payload_write(&b->r, &b->payload, &e), e);
	receipt_build_sign(b);
}

void receipt_build_end(struct receipt_build *b)
{
	writer_done(&b->statement);
	writer_done(&b->evidence);
	writer_done(&b->proof);
	writer_done(&b->opened);
	writer_done(&b->payload);
	writer_done(&b->message);
	writer_done(&b->bytes);
	policy_done(&b->policy);
	free(b->identity_spki);
	free(b->journal_spki);
	EVP_PKEY_free(b->identity);
	EVP_PKEY_free(b->journal);
	EVP_PKEY_free(b->other);
}

bool receipt_build_judge(struct receipt_build *b, const uint8_t *bytes, size_t len,
			 const struct receipt_results *found, struct verdict *v)
{
	struct verify_input in = b->in;
	struct receipt r;
	struct err e;

	verdict_init(v, VERDICT_SCOPE_FULL);
	if (receipt_parse(bytes, len, &r, &e) < 0)
		return verdict_err(v, CHECK_RECEIPT_FORM, &e);
	receipt_evidence(&r, &in);
	assert_ok(verify(&in, v, NULL, &e), e);
	assert_ok(receipt_judge(&r, found, &in, v, &e), e);
	receipt_done(&r);
	return verdict_ok(v);
}
