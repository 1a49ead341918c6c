/* SPDX-License-Identifier: Apache-2.0 */
#include "attestation/token/eat_agree.h"
#include "common/base/writer.h"
#include "tests/vectors.h"

/* The report alone, for what other claims have to agree with. */
static int judge_report(const struct eat *t, struct err *e)
{
	struct snp_report report;

	if (t->platform != EVIDENCE_SNP)
		return 0;
	size_t len = t->raw_report.len < SNP_REPORT_LEN ? t->raw_report.len : SNP_REPORT_LEN;
	if (snp_report_parse(t->raw_report.bytes, len, &report, e) < 0)
		return err_code(e);
	return eat_agree_snp(t, &report, e);
}

static int judge(const uint8_t *bytes, size_t len, EVP_PKEY *key, const struct vector_case *c,
		 struct err *e)
{
	uint8_t nonce[EAT_NONCE_MAX];
	struct eat t;

	if (eat_parse(bytes, len, &t, e) < 0)
		return err_code(e);
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
		assert_string_equal(evidence_kind_platform(t.platform),
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
				       .platform = EVIDENCE_VTPM,
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
	assert_int_equal(t.platform, EVIDENCE_VTPM);
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

/* The claims that a token has to have, and `more` behind them: encoded pairs. */
static void make_with(EVP_PKEY *key, const char *platform, struct span raw, size_t pairs,
		      const struct writer *more, struct writer *out)
{
	static const uint8_t nonce[32] = { 1, 2, 3 };
	CLEANUP_WRITER struct writer claims = writer_up_to(65536);
	struct err e;

	datum_put_map(&claims, 5 + pairs);
	datum_put_uint(&claims, 4);
	datum_put_uint(&claims, 2000);
	datum_put_uint(&claims, 6);
	datum_put_uint(&claims, 1000);
	datum_put_uint(&claims, 10);
	datum_put_bytes(&claims, nonce, sizeof(nonce));
	datum_put_text(&claims, "platform_type");
	datum_put_text(&claims, platform);
	datum_put_text(&claims, "raw_report");
	datum_put_bytes(&claims, raw.bytes, raw.len);
	writer_bytes(&claims, more->bytes, more->len);
	const struct cose_content c = { .payload = claims.bytes, .payload_len = claims.len };
	assert_ok(cose_sign(&c, key, out, &e), e);
}

static const struct span some_report = { (const uint8_t *)"report", 6 };

/* RFC 8392, 3.1.5: not to be accepted before. */
static void a_token_may_say_from_when_on_it_counts(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(65536), more = writer_up_to(64);
	CLEANUP_WRITER struct writer odd = writer_up_to(65536), text = writer_up_to(64);
	struct eat t;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	datum_put_uint(&more, 5);
	datum_put_uint(&more, 1500);
	make_with(key, "vTPM", some_report, 1, &more, &w);
	assert_ok(eat_parse(w.bytes, w.len, &t, &e), e);
	assert_int_equal(eat_check_time(&t, 1500 - 61, 60, &e), -ERR_DENIED);
	assert_non_null(strstr(e.text, "nbf"));
	assert_ok(eat_check_time(&t, 1500 - 60, 60, &e), e);
	eat_done(&t);
	datum_put_uint(&text, 5);
	datum_put_text(&text, "1500");
	make_with(key, "vTPM", some_report, 1, &text, &odd);
	assert_refused(eat_parse(odd.bytes, odd.len, &t, &e), e, ERR_INVALID, "'nbf'");
}

static void no_tag_stands_within_the_claims(void **state)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(65536), more = writer_up_to(64);
	struct eat t;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	datum_put_text(&more, "x-other");
	datum_put_array(&more, 1);
	datum_put_map(&more, 1);
	datum_put_uint(&more, 1);
	datum_put_tag(&more, 0);
	datum_put_text(&more, "2026-01-01T00:00:00Z");
	make_with(key, "vTPM", some_report, 1, &more, &w);
	assert_refused(eat_parse(w.bytes, w.len, &t, &e), e, ERR_INVALID, "a tag inside");
}

/* Judges one claim {name: {member: value}}, the value bytes or text, against a report that is zero
 * but for its TCBs. */
static int agree_snp(const char *member, const void *value, size_t len, bool text, struct err *e)
{
	struct snp_report report = { .version = 2, .current_tcb = { 2 }, .reported_tcb = { 0, 1 } };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(65536), more = writer_up_to(4096);
	struct eat t;

	assert_ok(key_generate(KEY_ECDSA, &key, e), *e);
	report.signature_r[0] = 7;
	datum_put_text(&more, "x-cocos-sevsnp");
	datum_put_map(&more, 1);
	datum_put_text(&more, member);
	if (text)
		datum_put_text(&more, value);
	else
		datum_put_bytes(&more, value, len);
	make_with(key, "SNP", some_report, 1, &more, &w);
	assert_ok(eat_parse(w.bytes, w.len, &t, e), *e);
	int failed = eat_agree_snp(&t, &report, e);
	eat_done(&t);
	return failed;
}

/* {263: value} beside a report or a quote with or without DEBUG. */
static int agree_dbgstat(bool tdx, uint64_t value, bool text, bool debug, struct err *e)
{
	struct snp_report report = { .version = 2, .policy = debug ? SNP_POLICY_DEBUG : 0 };
	static struct tdx_quote quote;
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(65536), more = writer_up_to(64);
	struct eat t;

	quote.body.tdattributes[0] = debug;
	assert_ok(key_generate(KEY_ECDSA, &key, e), *e);
	datum_put_uint(&more, 263);
	if (text)
		datum_put_text(&more, "2");
	else
		datum_put_uint(&more, value);
	make_with(key, tdx ? "TDX" : "SNP", some_report, 1, &more, &w);
	assert_ok(eat_parse(w.bytes, w.len, &t, e), *e);
	int failed = tdx ? eat_agree_tdx(&t, &quote, e) : eat_agree_snp(&t, &report, e);
	eat_done(&t);
	return failed;
}

static void what_is_said_of_debugging_has_to_agree(void **state)
{
	struct err e;

	for (int tdx = 0; tdx < 2; tdx++) {
		for (uint64_t value = 1; value <= 4; value++) {
			assert_ok(agree_dbgstat(tdx, value, false, false, &e), e);
			assert_refused(agree_dbgstat(tdx, value, false, true, &e), e, ERR_DENIED,
				       "dbgstat");
		}
		assert_ok(agree_dbgstat(tdx, 0, false, true, &e), e);
		assert_refused(agree_dbgstat(tdx, 0, false, false, &e), e, ERR_DENIED, "dbgstat");
		assert_refused(agree_dbgstat(tdx, 5, false, false, &e), e, ERR_DENIED, "dbgstat");
		assert_refused(agree_dbgstat(tdx, 2, true, false, &e), e, ERR_DENIED, "dbgstat");
	}
}

static void put_claims(struct writer *w, const char *platform_map)
{
	datum_put_uint(w, 256);
	datum_put_bytes(w, "u", 1);
	datum_put_uint(w, 259);
	datum_put_bytes(w, "m", 1);
	datum_put_uint(w, 262);
	datum_put_null(w);
	datum_put_uint(w, 263);
	datum_put_uint(w, 2);
	datum_put_uint(w, 266);
	datum_put_map(w, 0);
	datum_put_text(w, "x-cocos-gpu");
	datum_put_map(w, 0);
	datum_put_text(w, "x\n");
	datum_put_bool(w, true);
	datum_put_text(w, platform_map);
	datum_put_map(w, 3);
	datum_put_text(w, "signature");
	datum_put_bytes(w, "s", 1);
	datum_put_text(w, "pcrs");
	datum_put_map(w, 0);
	datum_put_uint(w, 7);
	datum_put_uint(w, 7);
}

static void what_nothing_confirms_is_named(void **state)
{
	static const struct {
		const char *platform, *map, *names;
	} rows[] = {
		{ "SNP", "x-cocos-sevsnp",
		  "hwmodel, submods, 'x-cocos-gpu', 'x\\x0a', x-cocos-sevsnp.'pcrs', "
		  "x-cocos-sevsnp.7" },
		{ "TDX", "x-cocos-tdx",
		  "hwmodel, submods, 'x-cocos-gpu', 'x\\x0a', x-cocos-tdx.'signature', "
		  "x-cocos-tdx.'pcrs', x-cocos-tdx.7" },
		{ "vTPM", "x-cocos-vtpm",
		  "hwmodel, dbgstat, submods, 'x-cocos-gpu', 'x\\x0a', "
		  "x-cocos-vtpm.'signature', x-cocos-vtpm.7" },
	};
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	char names[EAT_UNCOMPARED_MAX];
	struct eat t;
	struct err e;

	assert_ok(key_generate(KEY_ECDSA, &key, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(65536), more = writer_up_to(512);

		put_claims(&more, rows[i].map);
		make_with(key, rows[i].platform, some_report, 8, &more, &w);
		assert_ok(eat_parse(w.bytes, w.len, &t, &e), e);
		eat_uncompared(&t, NULL, names);
		assert_string_equal(names, rows[i].names);
		eat_done(&t);
	}
	/* A list that is cut says so; of a token of ours, no evidence says who issued it. */
	CLEANUP_WRITER struct writer w = writer_up_to(65536), more = writer_up_to(8192);
	CLEANUP_WRITER struct writer plain = writer_up_to(65536);

	for (unsigned i = 0; i < 100; i++) {
		datum_put_uint(&more, 1000 + i);
		datum_put_uint(&more, i);
	}
	make_with(key, "SNP", some_report, 100, &more, &w);
	assert_ok(eat_parse(w.bytes, w.len, &t, &e), e);
	eat_uncompared(&t, NULL, names);
	assert_string_equal(names, "1000, 1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, "
				   "1010, 1011, 1012, 1013, 1014, 1015, 1016, 1017, 1018, 1019, "
				   "and 80 more");
	eat_done(&t);
	make(key, &plain);
	assert_ok(eat_parse(plain.bytes, plain.len, &t, &e), e);
	eat_uncompared(&t, NULL, names);
	assert_string_equal(names, "iss");
	eat_done(&t);
}

/* One event in a register; a claim by itself, as the agent writes its own. */
static void put_own_log(bool cc, uint32_t reg, struct writer *w)
{
	static const uint8_t value[SHA384_LEN] = { 0xe7 };

	*w = writer_up_to(4096);
	writer_le32(w, cc);
	writer_le32(w, 3);
	writer_zeros(w, 20);
	writer_le32(w, 16 + 8 + 4 + 4 + 1);
	writer_bytes(w, "Spec ID Event03", 16);
	writer_zeros(w, 8);
	writer_le32(w, 1);
	writer_le16(w, cc ? 0x0c : 0x0b);
	writer_le16(w, cc ? SHA384_LEN : SHA256_LEN);
	writer_u8(w, 0);
	writer_le32(w, reg);
	writer_le32(w, 6 /* EV_EVENT_TAG */);
	writer_le32(w, 1);
	writer_le16(w, cc ? 0x0c : 0x0b);
	writer_bytes(w, value, cc ? SHA384_LEN : SHA256_LEN);
	writer_le32(w, 0);
}

/* What that log's register comes to. */
static void replay_own_log(bool cc, uint8_t *value)
{
	static const uint8_t zero[SHA384_LEN], event[SHA384_LEN] = { 0xe7 };
	const size_t len = cc ? SHA384_LEN : SHA256_LEN;
	const struct digest_part parts[] = { { zero, len }, { event, len } };
	struct err e;

	assert_ok(digest_parts(cc ? DIGEST_SHA384 : DIGEST_SHA256, parts, 2, value, &e), e);
}

/* The names that nothing is compared with, or "" and the refusal. */
static int claim_log(const char *platform, const struct writer *log,
		     const struct tpm_evidence *message, const struct tdx_quote *quote,
		     char names[EAT_UNCOMPARED_MAX], struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(65536), more = writer_up_to(8192);
	static struct snp_report report;
	struct eat t;

	assert_ok(key_generate(KEY_ECDSA, &key, e), *e);
	datum_put_text(&more, "x-cocos-event-log");
	datum_put_bytes(&more, log->bytes, log->len);
	make_with(key, platform, some_report, 1, &more, &w);
	assert_ok(eat_parse(w.bytes, w.len, &t, e), *e);
	int failed = message ? eat_agree_tpm(&t, message, e)
		     : quote ? eat_agree_tdx(&t, quote, e)
			     : eat_agree_snp(&t, &report, e);
	eat_uncompared(&t, message, names);
	eat_done(&t);
	return failed;
}

static void an_event_log_has_to_come_to_the_registers_or_is_named(void **state)
{
	static struct tpm_evidence message;
	static struct tdx_quote quote;
	char names[EAT_UNCOMPARED_MAX];
	uint8_t value[SHA384_LEN];
	struct writer log;
	struct err e;

	/* A TPM's, in PCR 16, which is quoted; or is not, and then nothing confirms the log. */
	put_own_log(false, 16, &log);
	message.quote_count = 1;
	assert_ok(claim_log("vTPM", &log, &message, NULL, names, &e), e);
	assert_string_equal(names, "'x-cocos-event-log'");
	replay_own_log(false, value);
	assert_ok(tpm_pcrs_add(&message.quotes[0].pcrs, DIGEST_SHA256, 16,
			       (struct span){ value, SHA256_LEN }, &e),
		  e);
	assert_ok(claim_log("vTPM", &log, &message, NULL, names, &e), e);
	assert_string_equal(names, "");
	message.quotes[0].pcrs.banks[0].values[16][31] ^= 1;
	assert_refused(claim_log("vTPM", &log, &message, NULL, names, &e), e, ERR_DENIED,
		       "register 16");
	log.len--;
	assert_refused(claim_log("vTPM", &log, &message, NULL, names, &e), e, ERR_DENIED,
		       "x-cocos-event-log");
	writer_done(&log);
	/* TDX: RTMR3 is register 4. */
	put_own_log(true, 4, &log);
	replay_own_log(true, quote.body.rtmr[3]);
	assert_ok(claim_log("TDX", &log, NULL, &quote, names, &e), e);
	assert_string_equal(names, "");
	quote.body.rtmr[3][0] ^= 1;
	assert_refused(claim_log("TDX", &log, NULL, &quote, names, &e), e, ERR_DENIED,
		       "register 4");
	writer_done(&log);
	put_own_log(true, 0, &log);
	assert_refused(claim_log("TDX", &log, NULL, &quote, names, &e), e, ERR_DENIED,
		       "register 0");
	/* An SNP report has no such registers. */
	assert_ok(claim_log("SNP", &log, NULL, NULL, names, &e), e);
	assert_string_equal(names, "'x-cocos-event-log'");
	writer_done(&log);
}

static void a_report_s_signature_and_tcb_text_have_to_agree(void **state)
{
	uint8_t signature[512] = { 7 };
	struct err e;

	assert_ok(agree_snp("signature", signature, sizeof(signature), false, &e), e);
	assert_refused(agree_snp("signature", signature, 511, false, &e), e, ERR_DENIED,
		       "signature");
	signature[511] = 1;
	assert_refused(agree_snp("signature", signature, sizeof(signature), false, &e), e,
		       ERR_DENIED, "signature");
	assert_ok(agree_snp("tcb", "current:2,reported:256", 0, true, &e), e);
	assert_refused(agree_snp("tcb", "current:2,reported:257", 0, true, &e), e, ERR_DENIED,
		       "tcb");
	assert_refused(agree_snp("tcb", "\2", 1, false, &e), e, ERR_DENIED, "tcb");
}

/* A claim of a platform's map, and what the report has there. */
struct fact {
	const char *key;
	size_t len; /* of bytes; 0: a number */
	uint8_t value;
};

enum wrong { RIGHT, ANOTHER, LONGER, ANOTHER_TYPE, WRONGS };

/* {map: {key: value}} in a token of that platform, the value right or wrong in one way. */
static void put_fact(struct writer *w, const char *map, const struct fact *fact, enum wrong wrong)
{
	uint8_t bytes[128];

	memset(bytes, fact->value, sizeof(bytes));
	if (wrong == ANOTHER)
		bytes[fact->len ? fact->len - 1 : 0]++;
	datum_put_text(w, map);
	datum_put_map(w, 1);
	datum_put_text(w, fact->key);
	if (!fact->len && wrong == ANOTHER_TYPE) /* whose value counts from -1 down */
		datum_put_int(w, -1 - (int64_t)fact->value);
	else if ((fact->len == 0) == (wrong == ANOTHER_TYPE))
		datum_put_bytes(w, bytes, fact->len + (wrong == LONGER));
	else
		datum_put_uint(w, bytes[0]);
}

static int agree_claims(const char *platform, const struct writer *claims,
			const struct snp_report *r, const struct tdx_quote *q, struct err *e)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(65536);
	struct eat t;

	assert_ok(key_generate(KEY_ECDSA, &key, e), *e);
	make_with(key, platform, some_report, 1, claims, &w);
	assert_ok(eat_parse(w.bytes, w.len, &t, e), *e);
	int failed = q ? eat_agree_tdx(&t, q, e) : eat_agree_snp(&t, r, e);
	eat_done(&t);
	return failed;
}

static void agree_facts(const struct fact *facts, size_t count, const struct snp_report *r,
			const struct tdx_quote *q)
{
	struct err e;

	for (size_t i = 0; i < count; i++)
		for (enum wrong wrong = RIGHT; wrong < WRONGS; wrong++) {
			CLEANUP_WRITER struct writer w = writer_up_to(1024);

			if (wrong == LONGER && !facts[i].len)
				continue;
			put_fact(&w, q ? "x-cocos-tdx" : "x-cocos-sevsnp", &facts[i], wrong);
			if (wrong == RIGHT)
				assert_ok(agree_claims(q ? "TDX" : "SNP", &w, r, q, &e), e);
			else
				assert_refused(agree_claims(q ? "TDX" : "SNP", &w, r, q, &e), e,
					       ERR_DENIED, facts[i].key);
		}
}

static void each_claim_that_repeats_the_report_has_to_agree(void **state)
{
	static const struct fact snp[] = {
		{ "measurement", SNP_DIGEST_LEN, 1 },
		{ "platform_info", 0, 2 },
		{ "policy", 0, 3 },
		{ "family_id", SNP_ID_LEN, 4 },
		{ "image_id", SNP_ID_LEN, 5 },
		{ "vmpl", 0, 6 },
		{ "signature_algo", 0, 7 },
		{ "current_tcb", 0, 8 },
		{ "reported_tcb", 0, 9 },
		{ "chip_id", SNP_CHIP_ID_LEN, 10 },
		{ "committed_tcb", 0, 11 },
		{ "launch_tcb", 0, 12 },
	};
	static const struct fact tdx[] = {
		{ "tdx_mrtd", TDX_MR_LEN, 1 },    { "tdx_rtmr0", TDX_MR_LEN, 2 },
		{ "tdx_rtmr1", TDX_MR_LEN, 3 },   { "tdx_rtmr2", TDX_MR_LEN, 4 },
		{ "tdx_rtmr3", TDX_MR_LEN, 5 },   { "tdx_xfam", 0, 6 },
		{ "tdx_td_attributes", 0, 7 },    { "tdx_mrconfigid", TDX_MR_LEN, 8 },
		{ "tdx_mrowner", TDX_MR_LEN, 9 }, { "tdx_mrownerconfig", TDX_MR_LEN, 10 },
		{ "tdx_mrseam", TDX_MR_LEN, 11 },
	};
	struct snp_report r = { .version = 2,
				.platform_info = 2,
				.policy = 3,
				.vmpl = 6,
				.signature_algo = 7,
				.current_tcb = { 8 },
				.reported_tcb = { 9 },
				.committed_tcb = { 11 },
				.launch_tcb = { 12 } };
	static struct tdx_quote q;

	memset(r.measurement, 1, sizeof(r.measurement));
	memset(r.family_id, 4, sizeof(r.family_id));
	memset(r.image_id, 5, sizeof(r.image_id));
	memset(r.chip_id, 10, sizeof(r.chip_id));
	agree_facts(snp, ARRAY_LEN(snp), &r, NULL);
	memset(q.body.mrtd, 1, TDX_MR_LEN);
	for (size_t i = 0; i < TDX_RTMR_COUNT; i++)
		memset(q.body.rtmr[i], (int)(2 + i), TDX_MR_LEN);
	q.body.xfam[0] = 6;
	q.body.tdattributes[0] = 7;
	memset(q.body.mrconfigid, 8, TDX_MR_LEN);
	memset(q.body.mrowner, 9, TDX_MR_LEN);
	memset(q.body.mrownerconfig, 10, TDX_MR_LEN);
	memset(q.body.mrseam, 11, TDX_MR_LEN);
	agree_facts(tdx, ARRAY_LEN(tdx), NULL, &q);
}

/* Measurements and ueid by their numbers; and what a report of this platform could not say. */
static void claims_of_eat_and_of_other_platforms_have_to_agree(void **state)
{
	static const struct {
		uint64_t claim;
		size_t len;
		bool text, agrees;
	} rows[] = {
		{ 265, SNP_DIGEST_LEN, false, true },
		{ 265, SNP_DIGEST_LEN, true, false },
		{ 265, SNP_DIGEST_LEN + 1, false, false },
		{ 256, SNP_CHIP_ID_LEN, false, true },
		{ 256, SNP_CHIP_ID_LEN, true, false },
		{ 256, SNP_CHIP_ID_LEN + 1, false, false },
	};
	static const char *const strangers[] = { "x-cocos-tdx", "x-cocos-vtpm" };
	const struct snp_report r = { .version = 2 };
	char zeros[SNP_CHIP_ID_LEN + 1] = { 0 };
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(256);

		datum_put_uint(&w, rows[i].claim);
		datum_put_bytes(&w, zeros, rows[i].len);
		if (rows[i].text) /* the major type of a text is one more than of bytes */
			w.bytes[3] = (uint8_t)(w.bytes[3] + 0x20);
		if (rows[i].agrees)
			assert_ok(agree_claims("SNP", &w, &r, NULL, &e), e);
		else
			assert_refused(agree_claims("SNP", &w, &r, NULL, &e), e, ERR_DENIED,
				       rows[i].claim == 256 ? "ueid" : "measurements");
	}
	for (size_t i = 0; i < ARRAY_LEN(strangers); i++) {
		CLEANUP_WRITER struct writer w = writer_up_to(256);

		datum_put_text(&w, strangers[i]);
		datum_put_map(&w, 0);
		assert_refused(agree_claims("SNP", &w, &r, NULL, &e), e, ERR_DENIED, strangers[i]);
	}
}

/* In an SNP token, the report beside raw_report is the same again. */
static void a_second_report_is_the_first(void **state)
{
	uint8_t raw[SNP_REPORT_LEN] = { 2 }, beside[SNP_REPORT_LEN] = { 2 };
	const struct snp_report r = { .version = 2 };
	const struct eat_bytes bytes = { raw, sizeof(raw) };
	struct eat t = { .platform = EVIDENCE_SNP, .raw_report = bytes, .tee_report = bytes };
	struct datum none = { .type = DATUM_MAP };
	struct err e;

	t.claims = &none;
	t.tee_report.bytes = beside;
	assert_ok(eat_agree_snp(&t, &r, &e), e);
	beside[SNP_REPORT_LEN - 1] = 1;
	assert_refused(eat_agree_snp(&t, &r, &e), e, ERR_DENIED, "x-cocos-tee-report");
	beside[SNP_REPORT_LEN - 1] = 0;
	t.tee_report.len--;
	assert_refused(eat_agree_snp(&t, &r, &e), e, ERR_DENIED, "x-cocos-tee-report");
	t.tee_report.len++;
	t.raw_report.len--;
	assert_refused(eat_agree_snp(&t, &r, &e), e, ERR_DENIED, "x-cocos-tee-report");
}

/* What stands beside a TPM's message, by the pairs that follow. */
static int agree_tpm(const struct writer *more, size_t pairs, struct err *e)
{
	static struct tpm_evidence message;
	static const uint8_t value[32] = { 0xab };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	CLEANUP_WRITER struct writer w = writer_up_to(65536);
	struct eat t;

	memset(&message, 0, sizeof(message));
	message.quote_count = 1;
	message.quotes[0].quote = (struct span){ (const uint8_t *)"quote", 5 };
	message.event_log = (struct span){ (const uint8_t *)"log", 3 };
	assert_ok(tpm_pcrs_add(&message.quotes[0].pcrs, DIGEST_SHA256, 16,
			       (struct span){ value, sizeof(value) }, e),
		  *e);
	assert_ok(key_generate(KEY_ECDSA, &key, e), *e);
	make_with(key, "vTPM", some_report, pairs, more, &w);
	assert_ok(eat_parse(w.bytes, w.len, &t, e), *e);
	int failed = eat_agree_tpm(&t, &message, e);
	eat_done(&t);
	return failed;
}

static void what_stands_beside_a_tpm_s_message_has_to_agree(void **state)
{
	static const char ab[] = "ab00000000000000000000000000000000000000000000000000000000000000";
	static const char ac[] = "ac00000000000000000000000000000000000000000000000000000000000000";
	static const struct {
		const char *member, *key, *value, *fault; /* key NULL: value are bytes */
	} rows[] = {
		{ "pcrs", "sha256:16", ab, NULL },
		{ "pcrs", "sha256:16", ac, "pcrs" },
		{ "pcrs", "sha256:17", ab, "pcrs" },
		{ "pcrs", "sha384:16", ab, "pcrs" },
		{ "pcrs", NULL, "x", "pcrs" },
		{ "quote", NULL, "quote", NULL },
		{ "quote", NULL, "quot", "quote" },
		{ "event_log", NULL, "log", NULL },
		{ "event_log", NULL, "other", "event_log" },
		{ "unknown", NULL, "other", NULL },
	};
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		CLEANUP_WRITER struct writer more = writer_up_to(4096);

		datum_put_text(&more, "x-cocos-vtpm");
		datum_put_map(&more, 1);
		datum_put_text(&more, rows[i].member);
		if (rows[i].key) {
			datum_put_map(&more, 1);
			datum_put_text(&more, rows[i].key);
			datum_put_text(&more, rows[i].value);
		} else {
			datum_put_bytes(&more, rows[i].value, strlen(rows[i].value));
		}
		if (rows[i].fault)
			assert_refused(agree_tpm(&more, 1, &e), e, ERR_DENIED, rows[i].fault);
		else
			assert_ok(agree_tpm(&more, 1, &e), e);
	}
	/* The name of one that was quoted says nothing of its neighbour's. */
	CLEANUP_WRITER struct writer two = writer_up_to(4096);
	datum_put_text(&two, "x-cocos-vtpm");
	datum_put_map(&two, 1);
	datum_put_text(&two, "pcrs");
	datum_put_map(&two, 2);
	datum_put_text(&two, "sha256:16");
	datum_put_text(&two, ab);
	datum_put_text(&two, "sha256:17");
	datum_put_text(&two, ab);
	assert_refused(agree_tpm(&two, 1, &e), e, ERR_DENIED, "pcrs");
	CLEANUP_WRITER struct writer measured = writer_up_to(64), array = writer_up_to(64);
	datum_put_uint(&measured, 265);
	datum_put_bytes(&measured, "x", 1);
	assert_refused(agree_tpm(&measured, 1, &e), e, ERR_DENIED, "nothing that ueid");
	CLEANUP_WRITER struct writer foreign = writer_up_to(64), beside = writer_up_to(64);
	datum_put_text(&beside, "x-cocos-tee-report");
	datum_put_bytes(&beside, "x", 1);
	assert_refused(agree_tpm(&beside, 1, &e), e, ERR_DENIED, "x-cocos-tee-report");
	datum_put_text(&foreign, "x-cocos-tdx");
	datum_put_map(&foreign, 0);
	assert_refused(agree_tpm(&foreign, 1, &e), e, ERR_DENIED, "x-cocos-tdx");
	datum_put_text(&array, "x-cocos-vtpm");
	datum_put_array(&array, 0);
	assert_refused(agree_tpm(&array, 1, &e), e, ERR_INVALID, "not a map");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_shared_tokens_are_judged_right),
		cmocka_unit_test(what_we_write_reads_back),
		cmocka_unit_test(times_have_exact_edges),
		cmocka_unit_test(a_short_or_cut_nonce_never_matches),
		cmocka_unit_test(a_token_may_say_from_when_on_it_counts),
		cmocka_unit_test(no_tag_stands_within_the_claims),
		cmocka_unit_test(what_is_said_of_debugging_has_to_agree),
		cmocka_unit_test(what_nothing_confirms_is_named),
		cmocka_unit_test(an_event_log_has_to_come_to_the_registers_or_is_named),
		cmocka_unit_test(a_report_s_signature_and_tcb_text_have_to_agree),
		cmocka_unit_test(each_claim_that_repeats_the_report_has_to_agree),
		cmocka_unit_test(claims_of_eat_and_of_other_platforms_have_to_agree),
		cmocka_unit_test(a_second_report_is_the_first),
		cmocka_unit_test(what_stands_beside_a_tpm_s_message_has_to_agree),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
