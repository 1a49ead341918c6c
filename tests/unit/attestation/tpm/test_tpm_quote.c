/* SPDX-License-Identifier: Apache-2.0 */
/* One quote and what is presented with it; what is signed is signed right in every case. */
#include "attestation/tpm/tpm_quote.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"

#include <openssl/ecdsa.h>

enum { PART = 32, SM3 = 0x0012, PRESENTED = 1u << 16 };

static struct forge_tpm forge;
static struct forge_tpm_parts parts;
static struct verdict verdict;

static int setup(void **state)
{
	tpm_forge_init(&forge);
	tpm_forge_parts(&forge, &parts);
	return 0;
}

static int teardown(void **state)
{
	tpm_forge_parts_done(&parts);
	tpm_forge_done(&forge);
	return 0;
}

/* A signature whose r and s have as many bytes, zeros in front; 0: none at all. */
static void signature_put(struct span bytes, size_t r_len, size_t s_len, struct writer *w)
{
	uint8_t der[SIGNATURE_MAX], r[4 * PART] = { 0 }, s[4 * PART] = { 0 };
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	const uint8_t *at = der;
	size_t len = sizeof(der);

	assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, forge.key), 1);
	assert_int_equal(EVP_DigestSign(ctx, der, &len, bytes.bytes, bytes.len), 1);
	ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &at, (long)len);
	assert_non_null(sig);
	if (r_len)
		assert_true(BN_bn2binpad(ECDSA_SIG_get0_r(sig), r, (int)r_len) >= 0);
	if (s_len)
		assert_true(BN_bn2binpad(ECDSA_SIG_get0_s(sig), s, (int)s_len) >= 0);
	*w = writer_up_to(FORGE_TPM_PART_MAX);
	writer_be16(w, TPM_ALG_ECDSA);
	writer_be16(w, TPM_ALG_SHA256);
	writer_be16(w, (uint16_t)r_len);
	writer_bytes(w, r, r_len);
	writer_be16(w, (uint16_t)s_len);
	writer_bytes(w, s, s_len);
	ECDSA_SIG_free(sig);
	EVP_MD_CTX_free(ctx);
}

static bool check(struct span quote, struct span signature, struct span nonce,
		  const struct tpm_pcrs *pcrs)
{
	const struct tpm_quote_input in = { .quote = quote,
					    .signature = signature,
					    .ak_public = tpm_forge_span(&parts.ak_public),
					    .nonce = nonce,
					    .pcrs = pcrs };
	struct tpm_quote out;

	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	bool right = tpm_quote_check(&in, &verdict, &out);
	if (right != verdict_ok(&verdict))
		fail_msg("%s", verdict_reason(&verdict).text);
	return verdict_ok(&verdict);
}

static void assert_told(const char *words)
{
	if (!strstr(verdict_reason(&verdict).text, words))
		fail_msg("%s, not %s", verdict_reason(&verdict).text, words);
}

static const struct span nonce = { forge.nonce, sizeof(forge.nonce) };

static void a_signature_has_the_length_of_its_curve(void **state)
{
	static const struct {
		size_t r, s;
		bool right;
	} rows[] = {
		{ PART, PART, true },      { PART + 1, PART, false }, { PART, PART + 1, false },
		{ 4 * PART, PART, false }, { PART, 4 * PART, false }, { 0, PART, false },
		{ PART, 0, false },
	};
	struct span quote = tpm_forge_span(&parts.quote);

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_WRITER struct writer w;
		bool right;

		signature_put(quote, rows[i].r, rows[i].s, &w);
		right = check(quote, tpm_forge_span(&w), nonce, &forge.pcrs);
		if (right != rows[i].right)
			fail_msg("r of %zu, s of %zu bytes: %s", rows[i].r, rows[i].s,
				 right ? "accepted" : verdict_reason(&verdict).text);
		if (!right)
			assert_told("wanted up to 32");
	}
}

/* Longer ones than a TPM takes are no nonce of its. */
static void a_nonce_is_one_that_a_tpm_can_have_signed(void **state)
{
	static const uint8_t bytes[4096];
	struct span quote = tpm_forge_span(&parts.quote);
	struct span signature = tpm_forge_span(&parts.signature);

	assert_true(check(quote, signature, nonce, &forge.pcrs));
	assert_false(check(quote, signature, (struct span){ bytes, 67 }, &forge.pcrs));
	assert_told("quote.nonce");
	assert_false(check(quote, signature, (struct span){ bytes, sizeof(bytes) }, &forge.pcrs));
	assert_told("quote.nonce");
	assert_false(check(quote, signature, (struct span){ NULL, 0 }, &forge.pcrs));
	assert_told("quote.nonce");
	assert_false(
		check(quote, signature, (struct span){ nonce.bytes, nonce.len - 1 }, &forge.pcrs));
	assert_told("quote.nonce");
}

static void values_that_were_not_quoted_are_nobody_s(void **state)
{
	static const uint8_t value[DIGEST_MAX] = { 1 };
	struct span quote = tpm_forge_span(&parts.quote);
	struct span signature = tpm_forge_span(&parts.signature);
	struct tpm_pcrs pcrs = forge.pcrs;
	struct err e;

	assert_ok(tpm_pcrs_add(&pcrs, DIGEST_SHA384, 16, (struct span){ value, SHA384_LEN }, &e),
		  e);
	assert_false(check(quote, signature, nonce, &pcrs));
	assert_told("PCRs of a bank are presented that was not quoted");
	pcrs = forge.pcrs;
	pcrs.banks[0].present |= 1u << 23;
	assert_false(check(quote, signature, nonce, &pcrs));
	assert_told("quote.selection");
	pcrs.banks[0].present = 0;
	assert_false(check(quote, signature, nonce, &pcrs));
	assert_told("quote.selection");
	pcrs.count = 0;
	assert_false(check(quote, signature, nonce, &pcrs));
	assert_told("quote.selection");
}

/* Over PCR 16, with a digest that is right and has `more` bytes behind it; and, perhaps, a bank that we
 * don't know. */
static void quote_put(size_t nonce_len, size_t more, bool stranger, struct writer *w)
{
	const uint8_t *value = forge.pcrs.banks[0].values[16];
	uint8_t hash[SHA256_LEN];
	struct err e;

	assert_ok(digest(DIGEST_SHA256, value, SHA256_LEN, hash, &e), e);
	*w = writer_up_to(FORGE_TPM_PART_MAX);
	writer_be32(w, forge.magic);
	writer_be16(w, forge.type);
	writer_be16(w, 0);
	writer_be16(w, (uint16_t)nonce_len);
	writer_bytes(w, forge.nonce, nonce_len);
	writer_be64(w, 1000);
	writer_be32(w, 0);
	writer_be32(w, 0);
	writer_u8(w, 1);
	writer_be64(w, 7);
	writer_be32(w, stranger ? 2 : 1);
	writer_be16(w, TPM_ALG_SHA256);
	writer_u8(w, 3);
	writer_bytes(w, "\0\0\1", 3);
	if (stranger) {
		writer_be16(w, SM3);
		writer_u8(w, 3);
		writer_bytes(w, "\0\0\1", 3);
	}
	writer_be16(w, (uint16_t)(sizeof(hash) + more));
	writer_bytes(w, hash, sizeof(hash));
	writer_zeros(w, more);
}

static void a_digest_is_of_the_signature_s_hash(void **state)
{
	struct tpm_pcrs pcrs = forge.pcrs;

	pcrs.banks[0].present = PRESENTED;
	for (int wrong = 0; wrong < 3; wrong++) {
		CLEANUP_WRITER struct writer quote, signature;

		quote_put(nonce.len, wrong == 1, wrong == 2, &quote);
		signature_put(tpm_forge_span(&quote), PART, PART, &signature);
		bool right =
			check(tpm_forge_span(&quote), tpm_forge_span(&signature), nonce, &pcrs);
		if (!wrong && !right)
			fail_msg("%s", verdict_reason(&verdict).text);
		if (!wrong)
			continue;
		assert_false(right);
		assert_told(wrong == 1 ? "a digest with the signature's hash"
				       : "PCRs of bank 0x0012");
	}
}

/* It was asked for and is in the quote, and yet others may have asked for it before. */
static void a_nonce_of_few_bytes_says_nothing(void **state)
{
	struct tpm_pcrs pcrs = forge.pcrs;

	pcrs.banks[0].present = PRESENTED;
	for (size_t len = TPM_NONCE_MIN - 1; len <= TPM_NONCE_MIN; len++) {
		CLEANUP_WRITER struct writer quote, signature;

		quote_put(len, 0, false, &quote);
		signature_put(tpm_forge_span(&quote), PART, PART, &signature);
		const struct tpm_input in = {
			.quote = tpm_forge_span(&quote),
			.signature = tpm_forge_span(&signature),
			.ak_public = tpm_forge_span(&parts.ak_public),
			.pcrs = &pcrs,
			.nonce = { forge.nonce, len },
			.binding.named = tpm_forge_span(&parts.ak_public),
		};
		verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
		tpm_appraise(&in, NULL, &verdict);
		if (verdict_ok(&verdict) != (len == TPM_NONCE_MIN))
			fail_msg("%zu bytes: %s", len, verdict_reason(&verdict).text);
	}
	assert_true(verdict_ok(&verdict));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_signature_has_the_length_of_its_curve),
		cmocka_unit_test(a_nonce_is_one_that_a_tpm_can_have_signed),
		cmocka_unit_test(values_that_were_not_quoted_are_nobody_s),
		cmocka_unit_test(a_digest_is_of_the_signature_s_hash),
		cmocka_unit_test(a_nonce_of_few_bytes_says_nothing),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
