/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/vectors.h"

#include "attestation/eat_agree.h"
#include "common/base/writer.h"

/* The report alone, for what other claims have to agree with. */
static int judge_report(const struct eat *t, struct err *e)
{
	struct snp_report report;

	if (t->platform != EAT_SNP)
		return 0;
	size_t len = t->raw_report.len < SNP_REPORT_LEN ? t->raw_report.len : SNP_REPORT_LEN;
	if (snp_report_parse(t->raw_report.bytes, len, &report, e) < 0)
		return -(int)e->code;
	return eat_agree_snp(t, &report, e);
}

static int judge(const uint8_t *bytes, size_t len, EVP_PKEY *key, const struct vector_case *c,
		 struct err *e)
{
	uint8_t nonce[EAT_NONCE_MAX];
	struct eat t;

	if (eat_parse(bytes, len, &t, e) < 0)
		return -(int)e->code;
	size_t nonce_len = vector_hex(c, "input.nonce", nonce, sizeof(nonce));
	int failed = eat_verify(&t, key, e);
	if (!failed)
		failed = eat_check_time(&t, (int64_t)vector_u64(c, "input.now", 0),
					(uint32_t)vector_u64(c, "input.skew_seconds", 0), e);
	if (!failed)
		failed = eat_check_nonce(&t, nonce, nonce_len, e);
	if (!failed)
		failed = judge_report(&t, e);
	if (!failed && vector_accepts(c) && vector_text(c, "fields.platform_type"))
		assert_string_equal(eat_platform_name(t.platform),
				    vector_text(c, "fields.platform_type"));
	eat_done(&t);
	return failed;
}

static void run_case(const struct vector_case *c)
{
	size_t len, key_len;
	CLEANUP(free) uint8_t *bytes = vector_file(c, "token.cbor", &len);
	CLEANUP(free) uint8_t *pem = vector_file(c, "key.pem", &key_len);
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct err e = { 0 };

	assert_ok(key_from_public_pem((char *)pem, key_len, &key, &e), e);
	bool yes = judge(bytes, len, key, c, &e) == 0;
	if (yes != vector_accepts(c))
		fail_msg("%s: %s", c->name, yes ? "accepted" : e.text);
}

static void the_shared_tokens_are_judged_right(void **state)
{
	VECTORS_OR_SKIP();
	assert_int_equal(vectors_walk("cose-eat", "eat-", run_case), 41);
}

static void make(EVP_PKEY *key, struct writer *w)
{
	static const uint8_t nonce[32] = { 1, 2, 3 };
	const struct eat_content c = { .issuer = "cocos-agent",
				       .platform = EAT_VTPM,
				       .nonce_use = EAT_USE_NONCE,
				       .issued = 1000,
				       .expires = 2000,
				       .nonce = { nonce, sizeof(nonce) },
				       .raw_report = { (const uint8_t *)"report", 6 },
				       .run = { (const uint8_t *)"run", 3 } };
	struct err e;

	assert_ok(eat_write(&c, key, w, &e), e);
}

static void what_we_write_reads_back(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP(free) uint8_t *spki = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(65536);
	size_t spki_len;
	struct eat t;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	assert_ok(key_to_spki(key, &spki, &spki_len, &e), e);
	make(key, &w);
	assert_ok(eat_parse(w.bytes, w.len, &t, &e), e);
	assert_ok(eat_verify(&t, key, &e), e);
	assert_int_equal(t.platform, EAT_VTPM);
	assert_int_equal(t.nonce_use, EAT_USE_NONCE);
	assert_int_equal(t.raw_report.len, 6);
	assert_memory_equal(t.run.bytes, "run", 3);
	assert_null(t.tee_report.bytes);
	assert_int_equal(t.spki_len, spki_len);
	assert_memory_equal(t.spki, spki, spki_len);
	eat_done(&t);
	for (size_t len = 0; len < w.len; len++)
		assert_true(eat_parse(w.bytes, len, &t, &e) < 0);
}

static void times_have_exact_edges(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(65536);
	struct eat t;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	make(key, &w);
	assert_ok(eat_parse(w.bytes, w.len, &t, &e), e);
	assert_int_equal(eat_check_time(&t, 1000 - 61, 60, &e), -ERR_DENIED);
	assert_ok(eat_check_time(&t, 1000 - 60, 60, &e), e);
	assert_ok(eat_check_time(&t, 2000 + 60, 60, &e), e);
	assert_int_equal(eat_check_time(&t, 2000 + 61, 60, &e), -ERR_DENIED);
	t.expires = 999;
	assert_int_equal(eat_check_time(&t, 1000, 60, &e), -ERR_DENIED);
	eat_done(&t);
}

static void a_short_or_cut_nonce_never_matches(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(65536);
	uint8_t nonce[32] = { 1, 2, 3 };
	struct eat t;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	make(key, &w);
	assert_ok(eat_parse(w.bytes, w.len, &t, &e), e);
	assert_ok(eat_check_nonce(&t, nonce, 32, &e), e);
	assert_int_equal(eat_check_nonce(&t, nonce, 31, &e), -ERR_DENIED);
	assert_int_equal(eat_check_nonce(&t, nonce, 8, &e), -ERR_DENIED);
	assert_int_equal(eat_check_nonce(&t, nonce, 0, &e), -ERR_INVALID);
	eat_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shared_tokens_are_judged_right),
		cmocka_unit_test(what_we_write_reads_back),
		cmocka_unit_test(times_have_exact_edges),
		cmocka_unit_test(a_short_or_cut_nonce_never_matches),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
