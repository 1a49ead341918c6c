/* SPDX-License-Identifier: Apache-2.0 */
/* What a quote comes in: messages, keys and banks have one form, and every bit of it counts. */
#include "tests/answers.h"
#include "tests/unit/attestation/tpm/tpm_room.h"

/* One field of the message changed. */
static void a_message_is_read_in_one_way(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *fault; /* NULL: stepped over */
	} additions[] = {
		{ "\x0a\x00", 2, "field 1 is there twice" },
		{ "\x1a\x00", 2, "field 3 is there twice" },
		{ "\x32\x01x", 3, NULL },
		{ "\x3a\x01x", 3, NULL },
		{ "\x30\x01", 2, "wire type" },
		{ "\x38\x01", 2, "intermediate_certs" },
		{ "\x10\x01", 2, "quotes" },
		{ "\x9a\x06\x01x", 4, NULL },
		{ "\x12\x02\x08\x01", 4, "quotes[1]" },
		{ "\x12\x04\x1a\x02\x08\x07", 6, "hash 7" },
		{ "\x12\x06\x1a\x04\x08\x0b\x10\x01", 8, "a malformed entry" },
		{ "\x12\x08\x1a\x06\x08\x0b\x12\x02\x08\x18", 10, "PCR 24" },
		{ "\x12\x08\x1a\x06\x08\x0b\x12\x02\x10\x01", 10, "a malformed entry" },
		/* Unknown in an entry: stepped over; what is missing there is not. */
		{ "\x12\x08\x1a\x06\x08\x0b\x12\x02\x18\x01", 10, "0 bytes, wanted 32" },
		{ "\x12\x2a\x1a\x28\x08\x0b\x12\x24\x12\x20"
		  "0123456789abcdef0123456789abcdef\x18\x01",
		  44, NULL },
		/* Two members of one oneof. */
		{ "\x42\x01x\x4a\x01x", 6, "reports of two TEEs" },
		{ "\x42\x01x", 3, NULL },
		{ "\x12\x08\x1a\x06\x08\x0b\x12\x02\x08\x01", 10, "0 bytes, wanted 32" },
		{ "\x12\x06\x1a\x04\x08\x0b\x08\x0b", 8, "twice" },
		{ "\x0b", 1, "no protobuf" },
	};
	static struct tpm_evidence a;
	struct forge_tpm_parts p;
	struct err e;

	tpm_forge_parts(&tpm_room_good, &p);
	for (size_t i = 0; i < ARRAY_LEN(additions); i++) {
		struct writer w = writer_up_to(1 << 16);

		writer_bytes(&w, p.message.bytes, p.message.len);
		writer_bytes(&w, additions[i].bytes, additions[i].len);
		if (additions[i].fault)
			assert_refused(tpm_attestation_parse(tpm_forge_span(&w), &a, &e), e,
				       ERR_INVALID, additions[i].fault);
		else
			assert_ok(tpm_attestation_parse(tpm_forge_span(&w), &a, &e), e);
		writer_done(&w);
	}
	tpm_forge_parts_done(&p);
}

static void banks_have_names(void **state)
{
	static const enum digest_kind kinds[] = { DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384,
						  DIGEST_SHA512 };
	enum digest_kind kind;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		assert_true(tpm_bank_parse(tpm_bank_name(kinds[i]), &kind));
		assert_int_equal(kind, kinds[i]);
	}
	assert_false(tpm_bank_parse("md5", &kind));
	assert_string_equal(tpm_bank_name(DIGEST_SHA3_256), "unknown");
}

/* TPMT_PUBLIC of an RSA key with that modulus. */
static int rsa_key(uint16_t bits, uint32_t exponent, const uint8_t *n, size_t len, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct writer w = writer_up_to(2 * TPM_PUBLIC_MAX);
	struct tpm_public pub;
	int rc;

	writer_be16(&w, TPM_ALG_RSA);
	writer_be16(&w, TPM_ALG_SHA256);
	writer_be32(&w, tpm_room_good.attributes);
	writer_be16(&w, 0);
	writer_be16(&w, TPM_ALG_NULL);
	writer_be16(&w, TPM_ALG_RSASSA);
	writer_be16(&w, TPM_ALG_SHA256);
	writer_be16(&w, bits);
	writer_be32(&w, exponent);
	writer_be16(&w, (uint16_t)len);
	writer_bytes(&w, n, len);
	rc = tpm_public_parse(tpm_forge_span(&w), &pub, e);
	if (rc == 0)
		rc = tpm_public_check_ak(&pub, e);
	if (rc == 0)
		rc = tpm_public_key(&pub, &key, e);
	assert_int_equal(key != NULL, rc == 0);
	writer_done(&w);
	return rc;
}

static void rsa_keys_are_large_enough_and_usual(void **state)
{
	static uint8_t n[TPM_PUBLIC_MAX];
	struct err e;

	memset(n, 0xff, sizeof(n));
	assert_ok(rsa_key(2048, 0, n, 256, &e), e);
	assert_ok(rsa_key(2048, 65537, n, 256, &e), e);
	assert_ok(rsa_key(4096, 0, n, 512, &e), e);
	assert_refused(rsa_key(1024, 0, n, 128, &e), e, ERR_DENIED, "1024 bits");
	assert_refused(rsa_key(2048, 0, n, 255, &e), e, ERR_DENIED, "255 bytes");
	assert_refused(rsa_key(8192, 0, n, 1024, &e), e, ERR_DENIED, "8192 bits");
	assert_refused(rsa_key(2048, 3, n, 256, &e), e, ERR_DENIED, "exponent 3");
	assert_refused(rsa_key(2048, 0, n, TPM_PUBLIC_MAX, &e), e, ERR_INVALID, "more than 2048");
	n[0] = 0x7f;
	assert_refused(rsa_key(2048, 0, n, 256, &e), e, ERR_DENIED, "2048 bits");
	n[0] = 0xff;
	n[255] = 0xfe;
	assert_refused(rsa_key(2048, 0, n, 256, &e), e, ERR_DENIED, "2048 bits");
}

/* Values that two quotes give for one register could differ: each comes once. */
static void two_quotes_speak_of_different_registers(void **state)
{
	struct forge_tpm_parts p;
	struct writer w = writer_up_to(1 << 16);
	struct tpm_evidence a;
	struct tpm_input in;
	struct err e;

	tpm_room_policy_make();
	tpm_forge_parts(&tpm_room_good, &p);
	assert_ok(tpm_attestation_parse(tpm_forge_span(&p.message), &a, &e), e);

	/* The message's own quote a second time: tag, length, and what ak_pub leaves of it. */
	const uint8_t *quote = p.message.bytes + 2 + p.ak_public.len;
	size_t len = p.message.len - 2 - p.ak_public.len - 3 - p.log.len;

	writer_bytes(&w, p.message.bytes, p.message.len);
	writer_bytes(&w, quote, len);
	in = (struct tpm_input){ .nonce = { tpm_room_good.nonce, sizeof(tpm_room_good.nonce) },
				 .binding.named = tpm_forge_span(&p.ak_public),
				 .policy = &tpm_room_policy };
	tpm_forge_read(tpm_forge_span(&w), &in);
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED, "quote.once");
	writer_done(&w);
	tpm_forge_parts_done(&p);
}

/* PCR 16 by a second quote, of a TPM that was reset or resumed that often more. */
static int judge_in_two(uint32_t resets, uint32_t restarts, struct err *e)
{
	struct forge_tpm boot = tpm_room_good, other = tpm_room_good;
	struct forge_tpm_parts p, q;
	struct writer w = writer_up_to(1 << 16);
	struct tpm_input in;

	tpm_room_policy_make();
	boot.pcrs.banks[0].present &= ~(UINT32_C(1) << 16);
	other.pcrs.banks[0].present = UINT32_C(1) << 16;
	other.reset_count += resets;
	other.restart_count += restarts;
	tpm_forge_parts(&boot, &p);
	tpm_forge_parts(&other, &q);
	writer_bytes(&w, p.message.bytes, p.message.len);
	writer_bytes(&w, q.message.bytes + 2 + q.ak_public.len,
		     q.message.len - 2 - q.ak_public.len - 3 - q.log.len);
	in = (struct tpm_input){ .nonce = { tpm_room_good.nonce, sizeof(tpm_room_good.nonce) },
				 .binding.named = tpm_forge_span(&p.ak_public),
				 .policy = &tpm_room_policy };
	tpm_forge_read(tpm_forge_span(&w), &in);
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	int rc = tpm_answer(&in, NULL, &tpm_room_verdict, e);
	writer_done(&w);
	tpm_forge_parts_done(&p);
	tpm_forge_parts_done(&q);
	return rc;
}

static void quotes_of_two_boots_are_not_one(void **state)
{
	struct err e;

	assert_ok(judge_in_two(0, 0, &e), e);
	assert_refused(judge_in_two(1, 0, &e), e, ERR_DENIED, "quote.same_boot");
	assert_refused(judge_in_two(0, 1, &e), e, ERR_DENIED, "quote.same_boot");
}

/* Any bit of what is signed, of the signature and of the key. */
static void every_bit_of_a_quote_counts(void **state)
{
	struct forge_tpm_parts p;
	struct tpm_quote q;
	struct writer *parts[3];
	size_t flipped = 0;

	tpm_forge_parts(&tpm_room_good, &p);
	parts[0] = &p.quote;
	parts[1] = &p.signature;
	parts[2] = &p.ak_public;
	for (size_t k = 0; k < ARRAY_LEN(parts); k++)
		for (size_t bit = 0; bit < 8 * parts[k]->len; bit++, flipped++) {
			struct tpm_quote_input in = { .quote = tpm_forge_span(&p.quote),
						      .signature = tpm_forge_span(&p.signature),
						      .ak_public = tpm_forge_span(&p.ak_public),
						      .nonce = { tpm_room_good.nonce,
								 sizeof(tpm_room_good.nonce) },
						      .pcrs = &tpm_room_good.pcrs };
			bool ok;

			parts[k]->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
			ok = tpm_quote_check(&in, &tpm_room_verdict, &q);
			parts[k]->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			/* What an AK is called by, and attributes that we don't judge, are not in
			 * the quote: whoever binds the AK covers its whole public area. */
			if (ok && k < 2)
				fail_msg("part %zu, bit %zu: accepted", k, bit);
		}
	print_message("# %zu bits\n", flipped);
	tpm_forge_parts_done(&p);
}

static void every_truncation_is_refused(void **state)
{
	struct forge_tpm_parts p;
	static struct tpm_evidence a;
	struct tpm_attest attest;
	struct tpm_signature signature;
	struct tpm_public pub;
	struct err e;

	tpm_forge_parts(&tpm_room_good, &p);
	for (size_t len = 0; len < p.quote.len; len++)
		assert_int_equal(tpm_attest_parse((struct span){ p.quote.bytes, len }, &attest, &e),
				 -ERR_INVALID);
	for (size_t len = 0; len < p.signature.len; len++)
		assert_int_equal(tpm_signature_parse((struct span){ p.signature.bytes, len },
						     &signature, &e),
				 -ERR_INVALID);
	for (size_t len = 0; len < p.ak_public.len; len++)
		assert_int_equal(
			tpm_public_parse((struct span){ p.ak_public.bytes, len }, &pub, &e),
			-ERR_INVALID);
	/* A message that ends between two fields is one: it only says less. */
	for (size_t len = 0; len < p.message.len; len++)
		if (tpm_attestation_parse((struct span){ p.message.bytes, len }, &a, &e) == 0)
			assert_true(a.event_log.len == 0);
	tpm_forge_parts_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_is_read_in_one_way),
		cmocka_unit_test(banks_have_names),
		cmocka_unit_test(rsa_keys_are_large_enough_and_usual),
		cmocka_unit_test(two_quotes_speak_of_different_registers),
		cmocka_unit_test(quotes_of_two_boots_are_not_one),
		cmocka_unit_test(every_bit_of_a_quote_counts),
		cmocka_unit_test(every_truncation_is_refused),
	};

	return cmocka_run_group_tests(tests, tpm_room_enter, tpm_room_leave);
}
