/* SPDX-License-Identifier: Apache-2.0 */
/* The whole TPM judgement over quotes of our own making, one thing changed at a time. */
#include "attestation/policy.h"
#include "common/base/encode.h"
#include "tests/unit/attestation/tpm_forge.h"

static struct forge_tpm good;
static struct verdict verdict;
static struct policy_tpm policy;

static int setup(void **state)
{
	tpm_forge_init(&good);
	return 0;
}

static int teardown(void **state)
{
	tpm_forge_done(&good);
	return 0;
}

/* PCR 4, 8 and 16 as they are right. */
static void policy_make(void)
{
	static const unsigned pcrs[] = { 4, 8, 16 };

	memset(&policy, 0, sizeof(policy));
	for (size_t i = 0; i < ARRAY_LEN(pcrs); i++)
		policy.pcrs[policy.count++] = (struct policy_pcr){
			DIGEST_SHA256, pcrs[i], good.pcrs.banks[0].values[pcrs[i]], 1
		};
}

/* The message of that quote, its AK named. */
static int judge(const struct forge_tpm *f, struct err *e)
{
	struct forge_tpm_parts p;
	struct tpm_input in;

	tpm_forge_parts(f, &p);
	in = (struct tpm_input){ .attestation = tpm_forge_span(&p.message),
				 .nonce = { good.nonce, sizeof(good.nonce) },
				 .binding.named = tpm_forge_span(&p.ak_public),
				 .policy = &policy };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);

	int rc = tpm_appraise(&in, NULL, &verdict, e);

	tpm_forge_parts_done(&p);
	return rc;
}

static void a_right_quote_is_verified(void **state)
{
	struct err e;

	policy_make();
	assert_ok(judge(&good, &e), e);
}

static void each_fault_is_refused_by_name(void **state)
{
	struct forge_tpm f;
	struct err e;

	policy_make();
	f = good, f.attributes &= ~TPM_ATTR_RESTRICTED;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "not restricted");
	f = good, f.attributes &= ~TPM_ATTR_FIXED_TPM;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "not fixedTPM");
	f = good, f.attributes &= ~TPM_ATTR_FIXED_PARENT;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "not fixedParent");
	f = good, f.attributes &= ~TPM_ATTR_SENSITIVE_DATA_ORIGIN;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "not sensitiveDataOrigin");
	f = good, f.attributes &= ~TPM_ATTR_SIGN;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "not sign");
	f = good, f.attributes |= TPM_ATTR_DECRYPT;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "decrypt");
	f = good, f.attributes |= 1;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "reserved attributes");
	f = good, f.hash = f.signature_hash = TPM_ALG_SHA1;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "ak.attributes");
	f = good, f.scheme = TPM_ALG_NULL;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "ak.");
	f = good, f.signature_hash = TPM_ALG_SHA384;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "quote.scheme");
	f = good, f.magic = 0;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "magic");
	f = good, f.type = 0x8017;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "type");
	f = good, f.nonce[31] ^= 1;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "quote.nonce");
	f = good, f.pcrs.banks[0].values[16][0] ^= 1;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "policy.pcr16");
	f = good, f.pcrs.banks[0].present &= ~(1u << 16);
	assert_refused(judge(&f, &e), e, ERR_DENIED, "policy.pcr16");
	f = good, f.pcrs.banks[0].values[7][0] ^= 1;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "log.replay");
	/* A firmware register that the log knows nothing of, and yet it is not at its start. */
	f = good, f.pcrs.banks[0].values[9][0] ^= 1;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "log.replay");
	policy.has_reset_count = true;
	policy.reset_count = 0;
	f = good, f.reset_count = 1;
	assert_refused(judge(&f, &e), e, ERR_DENIED, "policy.reset_count");
	assert_ok(judge(&good, &e), e);
}

static void no_register_named_accepts_nothing(void **state)
{
	struct err e;

	memset(&policy, 0, sizeof(policy));
	assert_refused(judge(&good, &e), e, ERR_DENIED, "policy.pcrs");
	/* A register without values asks for events that nobody named. */
	policy.pcrs[policy.count++] = (struct policy_pcr){ DIGEST_SHA256, 4, NULL, 0 };
	assert_refused(judge(&good, &e), e, ERR_DENIED, "policy.pcr4");
}

/* Registers accounted for by the log, event by event. */
static void events_account_for_a_register(void **state)
{
	struct event_rule rules[2] = { { .pcr = 4, .bank = DIGEST_SHA256 },
				       { .pcr = 4, .bank = DIGEST_SHA256 } };
	struct err e;

	memset(&policy, 0, sizeof(policy));
	assert_ok(digest(DIGEST_SHA256, "kernel", 6, rules[0].digest, &e), e);
	assert_ok(digest(DIGEST_SHA256, "\0\0\0\0", 4, rules[1].digest, &e), e);
	policy.pcrs[policy.count++] = (struct policy_pcr){ DIGEST_SHA256, 4, NULL, 0 };
	policy.events = (struct event_rules){ rules, 2 };
	assert_ok(judge(&good, &e), e);
	policy.events.count = 1;
	assert_refused(judge(&good, &e), e, ERR_DENIED, "policy.");
	/* The value is right, but an event isn't among those named. */
	policy.pcrs[0].values = good.pcrs.banks[0].values[4];
	policy.pcrs[0].count = 1;
	assert_refused(judge(&good, &e), e, ERR_DENIED, "policy.events");
}

/* The same from an owner's file: `register` of `bank` may hold the log's events of PCR 4. */
static int judge_by_file(const char *bank, const char *pcr, const char *events, struct err *e)
{
	char text[1024];
	int len = snprintf(text, sizeof(text),
			   "{\"cocos\":1,\"tpm\":{\"events\":{\"%s\":{\"%s\":[%s]}}}}", bank, pcr,
			   events);
	const struct policy_file file = { "events", text, (size_t)len };
	struct policy p;

	assert_ok(policy_parse(&file, 1, &p, e), *e);
	policy = p.tpm;
	int rc = judge(&good, e);
	policy_done(&p);
	return rc;
}

static void events_of_an_owner_s_file_account_for_a_register(void **state)
{
	char hex[2][2 * SHA256_LEN + 1], kernel[2 * SHA256_LEN + 3], both[4 * SHA256_LEN + 8];
	uint8_t digests[2][SHA256_LEN];
	struct err e;

	assert_ok(digest(DIGEST_SHA256, "kernel", 6, digests[0], &e), e);
	assert_ok(digest(DIGEST_SHA256, "\0\0\0\0", 4, digests[1], &e), e);
	for (size_t i = 0; i < 2; i++)
		hex_encode(digests[i], SHA256_LEN, hex[i]);
	snprintf(kernel, sizeof(kernel), "\"%s\"", hex[0]);
	snprintf(both, sizeof(both), "%s,\"%s\"", kernel, hex[1]);
	assert_ok(judge_by_file("sha256", "4", both, &e), e);
	assert_refused(judge_by_file("sha256", "4", kernel, &e), e, ERR_DENIED, "policy.pcr4");
	assert_ok(judge_by_file("sha256", "5", both, &e), e); /* its separator alone */
	assert_refused(judge_by_file("sha256", "5", kernel, &e), e, ERR_DENIED, "policy.pcr5");
	assert_refused(judge_by_file("sha256", "20", both, &e), e, ERR_DENIED, "not quoted");
	/* No event stands there, so that nothing accounts for its value. */
	assert_refused(judge_by_file("sha256", "16", both, &e), e, ERR_DENIED, "policy.pcr16");
}

/* Every register that a quote is over: violated alone it is refused by its name. */
static void every_register_is_judged(void **state)
{
	struct tpm_pcr_bank *bank = &good.pcrs.banks[0];
	struct err e;

	memset(&policy, 0, sizeof(policy));
	for (unsigned pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
		if (bank->present & (UINT32_C(1) << pcr))
			policy.pcrs[policy.count++] =
				(struct policy_pcr){ DIGEST_SHA256, pcr, bank->values[pcr], 1 };
	assert_ok(judge(&good, &e), e);
	for (size_t i = 0; i < policy.count; i++) {
		const uint8_t *right = policy.pcrs[i].values;
		uint8_t wrong[SHA256_LEN];
		char name[32];

		memcpy(wrong, right, sizeof(wrong));
		wrong[i % SHA256_LEN] ^= 1;
		policy.pcrs[i].values = wrong;
		snprintf(name, sizeof(name), "policy.pcr%u:", policy.pcrs[i].index);
		assert_refused(judge(&good, &e), e, ERR_DENIED, name);
		policy.pcrs[i].values = right;
		policy.pcrs[i].bank = DIGEST_SHA384;
		assert_refused(judge(&good, &e), e, ERR_DENIED, name);
		policy.pcrs[i].bank = DIGEST_SHA256;
	}
}

/*
 * The members of a quote and how each is judged; one that is left out changes the sum of their sizes
 * and does not compile. Violated alone, each is refused by its name.
 */
#define ATTEST_FIELDS(X)                                                                           \
	X(bytes, "quote.signature")                                                                \
	X(qualified_signer, NULL) /* a name of the key; the key itself is bound */                 \
	X(extra_data, "quote.nonce")                                                               \
	X(clock, NULL) /* shown */                                                                 \
	X(reset_count, "policy.reset_count")                                                       \
	X(restart_count, NULL) /* of two quotes: quote.same_boot */                                \
	X(safe, NULL)	       /* whether the clock may have been put back */                      \
	X(firmware_version, NULL)                                                                  \
	X(selection_count, "quote.selection")                                                      \
	X(selections, "quote.selection")                                                           \
	X(pcr_digest, "quote.digest")

enum { ATTEST_PADDING = 7 /* behind `safe` */ };

#define ATTEST_SIZE(member, check) +sizeof(((struct tpm_attest *)0)->member)
_Static_assert(0 ATTEST_FIELDS(ATTEST_SIZE) + ATTEST_PADDING == sizeof(struct tpm_attest),
	       "every member of a quote needs a row");

static int judge_with(const char *check, struct err *e)
{
	struct forge_tpm f = good;
	struct forge_tpm_parts p;
	struct tpm_pcrs presented = good.pcrs;
	struct tpm_input in;

	policy_make();
	policy.has_reset_count = true;
	if (strcmp(check, "quote.nonce") == 0)
		f.nonce[0] ^= 1;
	if (strcmp(check, "policy.reset_count") == 0)
		f.reset_count++;
	tpm_forge_parts(&f, &p);
	if (strcmp(check, "quote.signature") == 0)
		p.signature.bytes[p.signature.len - 1] ^= 1;
	if (strcmp(check, "quote.selection") == 0)
		presented.banks[0].present ^= UINT32_C(1) << 20;
	if (strcmp(check, "quote.digest") == 0)
		presented.banks[0].values[9][0] ^= 1;
	in = (struct tpm_input){ .quote = tpm_forge_span(&p.quote),
				 .signature = tpm_forge_span(&p.signature),
				 .ak_public = tpm_forge_span(&p.ak_public),
				 .pcrs = &presented,
				 .nonce = { good.nonce, sizeof(good.nonce) },
				 .binding.named = tpm_forge_span(&p.ak_public),
				 .policy = &policy };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	int rc = tpm_appraise(&in, NULL, &verdict, e);
	tpm_forge_parts_done(&p);
	return rc;
}

static void every_member_of_a_quote_is_judged(void **state)
{
	static const char *const checks[] = {
#define ATTEST_CHECK(member, check) check,
		ATTEST_FIELDS(ATTEST_CHECK)
	};
	struct err e;

	assert_ok(judge_with("nothing", &e), e);
	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		if (checks[i])
			assert_refused(judge_with(checks[i], &e), e, ERR_DENIED, checks[i]);
}

static void an_ak_needs_a_binding(void **state)
{
	struct forge_tpm_parts p;
	struct forge_tpm other;
	struct tpm_input in;
	uint8_t wanted[TPM_REPORT_DATA_LEN], report_data[TPM_REPORT_DATA_LEN] = { 7 };
	uint8_t *spki;
	size_t spki_len;
	struct err e;

	policy_make();
	tpm_forge_init(&other);
	tpm_forge_parts(&good, &p);
	in = (struct tpm_input){ .attestation = tpm_forge_span(&p.message),
				 .nonce = { good.nonce, sizeof(good.nonce) },
				 .policy = &policy };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "ak.binding");
	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "ak.binding");
	/* By its public key. */
	assert_ok(key_to_spki(good.key, &spki, &spki_len, &e), e);
	in.binding.named = (struct span){ spki, spki_len };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_ok(tpm_appraise(&in, NULL, &verdict, &e), e);
	free(spki);
	assert_ok(key_to_spki(other.key, &spki, &spki_len, &e), e);
	in.binding.named = (struct span){ spki, spki_len };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "ak.named");
	free(spki);
	/* By a TEE's report. */
	in.binding.named = (struct span){ 0 };
	assert_ok(tpm_report_data(report_data, tpm_forge_span(&p.ak_public), wanted, &e), e);
	in.binding.tee_report_data = wanted;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "ak.report");
	in.binding.report_data = report_data;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_ok(tpm_appraise(&in, NULL, &verdict, &e), e);
	wanted[63] ^= 1;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "ak.report");
	/* A root that is named wants a certificate, also beside another binding that holds. */
	wanted[63] ^= 1;
	in.binding.root = (struct span){ (const uint8_t *)"x", 1 };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "ak.certificate");
	tpm_forge_parts_done(&p);
	tpm_forge_done(&other);
}

static void a_short_nonce_is_refused(void **state)
{
	struct forge_tpm_parts p;
	struct err e;

	policy_make();
	tpm_forge_parts(&good, &p);
	for (size_t len = 0; len <= sizeof(good.nonce); len++) {
		struct tpm_input in = { .attestation = tpm_forge_span(&p.message),
					.nonce = { good.nonce, len },
					.binding.named = tpm_forge_span(&p.ak_public),
					.policy = &policy };

		verdict_init(&verdict, VERDICT_SCOPE_FULL);
		assert_int_equal(tpm_appraise(&in, NULL, &verdict, &e),
				 len == sizeof(good.nonce) ? 0 : -ERR_DENIED);
	}
	tpm_forge_parts_done(&p);
}

/* One quote without a message around it. */
static void a_bare_quote_is_judged_alike(void **state)
{
	struct forge_tpm_parts p;
	struct tpm_input in;
	struct err e;

	policy_make();
	tpm_forge_parts(&good, &p);
	in = (struct tpm_input){ .quote = tpm_forge_span(&p.quote),
				 .signature = tpm_forge_span(&p.signature),
				 .ak_public = tpm_forge_span(&p.ak_public),
				 .pcrs = &good.pcrs,
				 .event_log = tpm_forge_span(&p.log),
				 .nonce = { good.nonce, sizeof(good.nonce) },
				 .binding.named = tpm_forge_span(&p.ak_public),
				 .policy = &policy };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_ok(tpm_appraise(&in, NULL, &verdict, &e), e);
	in.pcrs = NULL;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "quote.selection");
	in.pcrs = &good.pcrs;
	in.policy = NULL;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "policy.given");
	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_ok(tpm_appraise(&in, NULL, &verdict, &e), e);
	in.nonce.bytes = NULL;
	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "quote.nonce");
	in.nonce.bytes = good.nonce;
	in.binding.named = (struct span){ (const uint8_t *)"no key", 6 };
	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "ak.named");
	/* Azure's data without the report that vouches for them. */
	in.binding.named = in.ak_public;
	in.binding.runtime = (struct span){ (const uint8_t *)"{}", 2 };
	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "ak.runtime_data");
	/* A log of another bank explains nothing. */
	in.binding.runtime.len = 0;
	writer_done(&p.log);
	tpm_forge_log(&p.log, true);
	in.event_log = tpm_forge_span(&p.log);
	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "none of the banks");
	in.event_log.len = 9;
	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "log.parse");
	tpm_forge_parts_done(&p);
}

/* One field of the message changed. */
static void a_message_is_read_in_one_way(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *fault; /* NULL: stepped over */
	} additions[] = {
		{ "\x0a\x00", 2, "field 1 stands there twice" },
		{ "\x1a\x00", 2, "field 3 stands there twice" },
		{ "\x32\x01x", 3, NULL },
		{ "\x3a\x01x", 3, NULL },
		{ "\x30\x01", 2, "wire type" },
		{ "\x38\x01", 2, "intermediate_certs" },
		{ "\x10\x01", 2, "quotes" },
		{ "\x9a\x06\x01x", 4, NULL },
		{ "\x12\x02\x08\x01", 4, "quotes[1]" },
		{ "\x12\x04\x1a\x02\x08\x07", 6, "hash 7" },
		{ "\x12\x06\x1a\x04\x08\x0b\x10\x01", 8, "an entry that is none" },
		{ "\x12\x08\x1a\x06\x08\x0b\x12\x02\x08\x18", 10, "PCR 24" },
		{ "\x12\x08\x1a\x06\x08\x0b\x12\x02\x10\x01", 10, "an entry that is none" },
		/* Unknown in an entry: stepped over; what is missing there is not. */
		{ "\x12\x08\x1a\x06\x08\x0b\x12\x02\x18\x01", 10, "0 bytes, wanted 32" },
		{ "\x12\x2a\x1a\x28\x08\x0b\x12\x24\x12\x20"
		  "0123456789abcdef0123456789abcdef\x18\x01", 44, NULL },
		/* Two members of one oneof. */
		{ "\x42\x01x\x4a\x01x", 6, "reports of two TEEs" },
		{ "\x42\x01x", 3, NULL },
		{ "\x12\x08\x1a\x06\x08\x0b\x12\x02\x08\x01", 10, "0 bytes, wanted 32" },
		{ "\x12\x06\x1a\x04\x08\x0b\x08\x0b", 8, "twice" },
		{ "\x0b", 1, "no protobuf" },
	};
	static struct tpm_attestation a;
	struct forge_tpm_parts p;
	struct err e;

	tpm_forge_parts(&good, &p);
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
	writer_be32(&w, good.attributes);
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
	struct tpm_attestation a;
	struct tpm_input in;
	struct err e;

	policy_make();
	tpm_forge_parts(&good, &p);
	assert_ok(tpm_attestation_parse(tpm_forge_span(&p.message), &a, &e), e);

	/* The message's own quote a second time: tag, length, and what ak_pub leaves of it. */
	const uint8_t *quote = p.message.bytes + 2 + p.ak_public.len;
	size_t len = p.message.len - 2 - p.ak_public.len - 3 - p.log.len;

	writer_bytes(&w, p.message.bytes, p.message.len);
	writer_bytes(&w, quote, len);
	in = (struct tpm_input){ .attestation = tpm_forge_span(&w),
				 .nonce = { good.nonce, sizeof(good.nonce) },
				 .binding.named = tpm_forge_span(&p.ak_public),
				 .policy = &policy };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_appraise(&in, NULL, &verdict, &e), e, ERR_DENIED, "quote.once");
	writer_done(&w);
	tpm_forge_parts_done(&p);
}

/* PCR 16 by a second quote, of a TPM that was reset or resumed that often more. */
static int judge_in_two(uint32_t resets, uint32_t restarts, struct err *e)
{
	struct forge_tpm boot = good, other = good;
	struct forge_tpm_parts p, q;
	struct writer w = writer_up_to(1 << 16);
	struct tpm_input in;

	policy_make();
	boot.pcrs.banks[0].present &= ~(UINT32_C(1) << 16);
	other.pcrs.banks[0].present = UINT32_C(1) << 16;
	other.reset_count += resets;
	other.restart_count += restarts;
	tpm_forge_parts(&boot, &p);
	tpm_forge_parts(&other, &q);
	writer_bytes(&w, p.message.bytes, p.message.len);
	writer_bytes(&w, q.message.bytes + 2 + q.ak_public.len,
		     q.message.len - 2 - q.ak_public.len - 3 - q.log.len);
	in = (struct tpm_input){ .attestation = tpm_forge_span(&w),
				 .nonce = { good.nonce, sizeof(good.nonce) },
				 .binding.named = tpm_forge_span(&p.ak_public),
				 .policy = &policy };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	int rc = tpm_appraise(&in, NULL, &verdict, e);
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

	tpm_forge_parts(&good, &p);
	parts[0] = &p.quote;
	parts[1] = &p.signature;
	parts[2] = &p.ak_public;
	for (size_t k = 0; k < ARRAY_LEN(parts); k++)
		for (size_t bit = 0; bit < 8 * parts[k]->len; bit++, flipped++) {
			struct tpm_quote_input in = { .quote = tpm_forge_span(&p.quote),
						      .signature = tpm_forge_span(&p.signature),
						      .ak_public = tpm_forge_span(&p.ak_public),
						      .nonce = { good.nonce, sizeof(good.nonce) },
						      .pcrs = &good.pcrs };
			bool ok;

			parts[k]->bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
			verdict_init(&verdict, VERDICT_SCOPE_FULL);
			ok = tpm_quote_check(&in, &verdict, &q);
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
	static struct tpm_attestation a;
	struct tpm_attest attest;
	struct tpm_signature signature;
	struct tpm_public pub;
	struct err e;

	tpm_forge_parts(&good, &p);
	for (size_t len = 0; len < p.quote.len; len++)
		assert_int_equal(tpm_attest_parse((struct span){ p.quote.bytes, len }, &attest, &e),
				 -ERR_INVALID);
	for (size_t len = 0; len < p.signature.len; len++)
		assert_int_equal(tpm_signature_parse((struct span){ p.signature.bytes, len },
						     &signature, &e),
				 -ERR_INVALID);
	for (size_t len = 0; len < p.ak_public.len; len++)
		assert_int_equal(tpm_public_parse((struct span){ p.ak_public.bytes, len }, &pub,
						  &e),
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
		cmocka_unit_test(a_right_quote_is_verified),
		cmocka_unit_test(each_fault_is_refused_by_name),
		cmocka_unit_test(no_register_named_accepts_nothing),
		cmocka_unit_test(events_account_for_a_register),
		cmocka_unit_test(events_of_an_owner_s_file_account_for_a_register),
		cmocka_unit_test(every_register_is_judged),
		cmocka_unit_test(every_member_of_a_quote_is_judged),
		cmocka_unit_test(an_ak_needs_a_binding),
		cmocka_unit_test(a_short_nonce_is_refused),
		cmocka_unit_test(a_bare_quote_is_judged_alike),
		cmocka_unit_test(a_message_is_read_in_one_way),
		cmocka_unit_test(banks_have_names),
		cmocka_unit_test(rsa_keys_are_large_enough_and_usual),
		cmocka_unit_test(two_quotes_speak_of_different_registers),
		cmocka_unit_test(quotes_of_two_boots_are_not_one),
		cmocka_unit_test(every_bit_of_a_quote_counts),
		cmocka_unit_test(every_truncation_is_refused),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
