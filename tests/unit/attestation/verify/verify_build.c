/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/attestation/verify/verify_build.h"

enum { TOKEN_MAX = 1 << 20 };

void verify_build_begin(struct verify_build *b, const struct verify_kind *kind)
{
	static const uint8_t exporter[BINDING_EXPORTER_LEN] = { 0xe0 };
	struct err e;

	memset(b, 0, sizeof(*b));
	b->kind = kind;
	assert_ok(key_generate(KEY_ECDSA, &b->key, &e), e);
	assert_ok(key_generate(KEY_ECDSA, &b->other, &e), e);
	assert_ok(key_to_spki(b->key, &b->spki, &b->spki_len, &e), e);
	assert_ok(key_to_spki(b->other, &b->other_spki, &b->other_spki_len, &e), e);
	memset(b->tee, 0x71, sizeof(b->tee));
	memset(b->vtpm, 0x72, sizeof(b->vtpm));
	memset(b->manifest, 0x73, sizeof(b->manifest));
	b->nonce = (struct binding_nonce){ (uint8_t)evidence_kind_rows[kind->mode].type, b->tee,
					   b->vtpm, 32, 32 };
	assert_ok(binding_channel(DIGEST_SHA384, b->spki, b->spki_len, exporter, NULL, &b->channel,
				  &e),
		  e);
	b->run = (struct run_statement){ .computation = "7a",
					 .fixed = true,
					 .identity = b->spki,
					 .identity_len = b->spki_len,
					 .entry_count = 1,
					 .entries = {
						 { .key = "AGENT_LOG_LEVEL", .value = "info" } } };
	memcpy(b->run.manifest, b->manifest, SHA3_256_LEN);
	b->content = (struct eat_content){ .issuer = "cocos-agent",
					   .platform = kind->mode,
					   .nonce_use = EAT_USE_NONCE,
					   .issued = kind->at - 10,
					   .expires = kind->at + 300 };
	if (kind->fix_boot)
		kind->fix_boot(NULL);
	policy_init(&b->policy);
	kind->policy(&b->policy);
	b->in = (struct verify_input){ .mode = EVIDENCE_EAT,
				       .product = SNP_PRODUCT_ANY,
				       .policy = &b->policy,
				       .manifests = b->manifest,
				       .manifest_count = 1,
				       .at = kind->at,
				       .skew = VERIFY_BUILD_SKEW };
	kind->endorse(&b->in);
}

static void make_run(struct verify_build *b)
{
	struct binding bound;
	struct err e;

	b->run_bytes = writer_up_to(RUN_STATEMENT_MAX);
	assert_ok(run_statement_write(&b->run, &b->run_bytes, &e), e);
	assert_ok(binding_run(b->run_bytes.bytes, b->run_bytes.len, &bound, &e), e);
	b->kind->evidence(b->run_by_channel ? &b->channel : &bound, b->twist, &b->run_quote);
	b->content.run = (struct eat_bytes){ b->run_bytes.bytes, b->run_bytes.len - b->cut_run };
	b->content.run_evidence = (struct eat_bytes){ b->run_quote.bytes, b->run_quote.len };
	if (b->run_evidence.bytes)
		b->content.run_evidence = b->run_evidence;
}

void verify_build_seal(struct verify_build *b)
{
	struct binding relayed = { .report_data = { 1 } };
	struct err e;

	b->bound = b->channel;
	if (!b->by_channel)
		assert_ok(binding_nonce(&b->nonce, b->spki, b->spki_len, &b->bound, &e), e);
	b->kind->evidence(b->relayed ? &relayed : &b->bound, TWIST_NONE, &b->evidence);
	if (!b->content.nonce.bytes)
		b->content.nonce = (struct eat_bytes){ b->bound.tpm_nonce, BINDING_TPM_NONCE_LEN };
	b->content.raw_report = (struct eat_bytes){ b->evidence.bytes, b->evidence.len };
	if (!b->no_run)
		make_run(b);
	b->token = writer_up_to(TOKEN_MAX);
	assert_ok(eat_write(&b->content, b->key, &b->token, &e), e);
	b->in.evidence = (struct span){ b->token.bytes, b->token.len };
	if (b->by_channel) {
		b->in.binding.channel = &b->channel;
		b->in.binding.channel_spki = (struct span){ b->spki, b->spki_len };
	} else {
		b->in.binding.nonce = &b->nonce;
	}
}

void verify_build_end(struct verify_build *b)
{
	writer_done(&b->token);
	writer_done(&b->evidence);
	writer_done(&b->run_bytes);
	writer_done(&b->run_quote);
	policy_done(&b->policy);
	free(b->spki);
	free(b->other_spki);
	EVP_PKEY_free(b->key);
	EVP_PKEY_free(b->other);
}

void verify_build_stock(struct verify_build *b)
{
	b->policy.run.relayable = true;
	b->policy.has_tpm = b->policy.has_tpm && !evidence_kind_rows[b->kind->mode].tee;
}

void verify_build_raw_binding(struct verify_build *b)
{
	memcpy(b->report_data, b->bound.report_data, sizeof(b->report_data));
	memcpy(b->tpm_nonce, b->bound.tpm_nonce, sizeof(b->tpm_nonce));
	b->in.binding =
		(struct verify_binding){ .tpm_nonce = { b->tpm_nonce, sizeof(b->tpm_nonce) } };
	if (b->kind->mode != EVIDENCE_VTPM)
		b->in.binding.report_data = b->report_data;
}
