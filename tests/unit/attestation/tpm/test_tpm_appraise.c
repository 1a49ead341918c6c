/* SPDX-License-Identifier: Apache-2.0 */
/* The whole TPM judgement over quotes of our own making, one thing changed at a time. */
#include "common/base/encode.h"
#include "tests/answers.h"
#include "tests/unit/attestation/tpm/tpm_room.h"

static void a_right_quote_is_verified(void **state)
{
	struct err e;

	tpm_room_policy_make();
	assert_ok(tpm_room_judge(&tpm_room_good, &e), e);
}

static void each_fault_is_refused_by_name(void **state)
{
	struct forge_tpm f;
	struct err e;

	tpm_room_policy_make();
	f = tpm_room_good, f.attributes &= ~TPM_ATTR_RESTRICTED;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "not restricted");
	f = tpm_room_good, f.attributes &= ~TPM_ATTR_FIXED_TPM;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "not fixedTPM");
	f = tpm_room_good, f.attributes &= ~TPM_ATTR_FIXED_PARENT;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "not fixedParent");
	f = tpm_room_good, f.attributes &= ~TPM_ATTR_SENSITIVE_DATA_ORIGIN;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "not sensitiveDataOrigin");
	f = tpm_room_good, f.attributes &= ~TPM_ATTR_SIGN;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "not sign");
	f = tpm_room_good, f.attributes |= TPM_ATTR_DECRYPT;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "decrypt");
	f = tpm_room_good, f.attributes |= 1;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "reserved attributes");
	f = tpm_room_good, f.hash = f.signature_hash = TPM_ALG_SHA1;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "ak.attributes");
	f = tpm_room_good, f.name_hash = TPM_ALG_SHA1;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "the AK's name is made with");
	f = tpm_room_good, f.scheme = TPM_ALG_NULL;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "ak.");
	f = tpm_room_good, f.signature_hash = TPM_ALG_SHA384;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "quote.scheme");
	f = tpm_room_good, f.magic = 0;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "magic");
	f = tpm_room_good, f.type = 0x8017;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "type");
	f = tpm_room_good, f.nonce[31] ^= 1;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "quote.nonce");
	f = tpm_room_good, f.pcrs.banks[0].values[16][0] ^= 1;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "policy.pcr16");
	f = tpm_room_good, f.pcrs.banks[0].present &= ~(1u << 16);
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "policy.pcr16");
	f = tpm_room_good, f.pcrs.banks[0].values[7][0] ^= 1;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "log.replay");
	/* A firmware register that the log knows nothing of, and yet it is not at its start. */
	f = tpm_room_good, f.pcrs.banks[0].values[9][0] ^= 1;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "log.replay");
	tpm_room_policy.has_reset_count = true;
	tpm_room_policy.reset_count = 0;
	f = tpm_room_good, f.reset_count = 1;
	assert_refused(tpm_room_judge(&f, &e), e, ERR_DENIED, "policy.reset_count");
	assert_ok(tpm_room_judge(&tpm_room_good, &e), e);
}

static void no_register_named_accepts_nothing(void **state)
{
	struct err e;

	memset(&tpm_room_policy, 0, sizeof(tpm_room_policy));
	assert_refused(tpm_room_judge(&tpm_room_good, &e), e, ERR_DENIED, "policy.pcrs");
	/* A register without values asks for events that nobody named. */
	tpm_room_policy.pcrs[tpm_room_policy.count++] =
		(struct tpm_policy_pcr){ DIGEST_SHA256, 4, { NULL, 0 } };
	assert_refused(tpm_room_judge(&tpm_room_good, &e), e, ERR_DENIED, "policy.pcr4");
}

/* Registers accounted for by the log, event by event. */
static void events_account_for_a_register(void **state)
{
	struct event_rule rules[3] = { { .pcr = 4, .bank = DIGEST_SHA256 },
				       { .pcr = 4, .bank = DIGEST_SHA256 },
				       { .pcr = 4, .bank = DIGEST_SHA256 } };
	struct err e;

	memset(&tpm_room_policy, 0, sizeof(tpm_room_policy));
	assert_ok(digest(DIGEST_SHA256, "kernel", 6, rules[0].digest, &e), e);
	assert_ok(digest(DIGEST_SHA256, "\0\0\0\0", 4, rules[1].digest, &e), e);
	tpm_room_policy.pcrs[tpm_room_policy.count++] =
		(struct tpm_policy_pcr){ DIGEST_SHA256, 4, { NULL, 0 } };
	tpm_room_policy.events = (struct event_rules){ rules, 2 };
	assert_ok(tpm_room_judge(&tpm_room_good, &e), e);
	tpm_room_policy.events.count = 1;
	assert_refused(tpm_room_judge(&tpm_room_good, &e), e, ERR_DENIED, "is not named");
	/* One more that is named has to be there, also one that is there, but once. */
	tpm_room_policy.events.count = 3;
	assert_refused(tpm_room_judge(&tpm_room_good, &e), e, ERR_DENIED, "0 times, not 1");
	rules[2] = rules[0];
	assert_refused(tpm_room_judge(&tpm_room_good, &e), e, ERR_DENIED, "1 times, not 2");
	/* In a bank that the log lacks nothing is shown. */
	rules[2].bank = DIGEST_SHA384;
	assert_refused(tpm_room_judge(&tpm_room_good, &e), e, ERR_DENIED, "policy.events");
	tpm_room_policy.events.count = 1;
	/* The value is right, but an event isn't among those named. */
	tpm_room_policy.pcrs[0].values =
		(struct value_set){ tpm_room_good.pcrs.banks[0].values[4], 1 };
	assert_refused(tpm_room_judge(&tpm_room_good, &e), e, ERR_DENIED, "policy.events");
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
	tpm_room_policy = p.tpm;
	int rc = tpm_room_judge(&tpm_room_good, e);
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
	assert_refused(judge_by_file("sha256", "5", both, &e), e, ERR_DENIED, "policy.pcr5");
	snprintf(both, sizeof(both), "\"%s\"", hex[1]);
	assert_ok(judge_by_file("sha256", "5", both, &e), e); /* its separator alone */
	assert_refused(judge_by_file("sha256", "5", kernel, &e), e, ERR_DENIED, "policy.pcr5");
	assert_refused(judge_by_file("sha256", "20", both, &e), e, ERR_DENIED, "not quoted");
	/* No event stands there, so that nothing accounts for its value. */
	assert_refused(judge_by_file("sha256", "16", both, &e), e, ERR_DENIED, "policy.pcr16");
}

/* Every register that a quote is over: violated alone it is refused by its name. */
static void every_register_is_judged(void **state)
{
	struct tpm_pcr_bank *bank = &tpm_room_good.pcrs.banks[0];
	struct err e;

	memset(&tpm_room_policy, 0, sizeof(tpm_room_policy));
	for (unsigned pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
		if (bank->present & (UINT32_C(1) << pcr))
			tpm_room_policy.pcrs[tpm_room_policy.count++] = (struct tpm_policy_pcr){
				DIGEST_SHA256, pcr, { bank->values[pcr], 1 }
			};
	assert_ok(tpm_room_judge(&tpm_room_good, &e), e);
	for (size_t i = 0; i < tpm_room_policy.count; i++) {
		const uint8_t *right = tpm_room_policy.pcrs[i].values.values;
		uint8_t wrong[SHA256_LEN];
		char name[32];

		memcpy(wrong, right, sizeof(wrong));
		wrong[i % SHA256_LEN] ^= 1;
		tpm_room_policy.pcrs[i].values.values = wrong;
		snprintf(name, sizeof(name), "policy.pcr%u:", tpm_room_policy.pcrs[i].index);
		assert_refused(tpm_room_judge(&tpm_room_good, &e), e, ERR_DENIED, name);
		tpm_room_policy.pcrs[i].values.values = right;
		tpm_room_policy.pcrs[i].bank = DIGEST_SHA384;
		assert_refused(tpm_room_judge(&tpm_room_good, &e), e, ERR_DENIED, name);
		tpm_room_policy.pcrs[i].bank = DIGEST_SHA256;
	}
}

/*
 * The members of a quote and how each is judged; one that is left out changes the sum of their sizes
 * and does not compile. Violated alone, each is refused by its name.
 */
#define ATTEST_FIELDS(X)                                                           \
	X(bytes, "quote.signature")                                                \
	X(qualified_signer, NULL) /* a name of the key; the key itself is bound */ \
	X(extra_data, "quote.nonce")                                               \
	X(clock, NULL) /* shown */                                                 \
	X(reset_count, "policy.reset_count")                                       \
	X(restart_count, NULL) /* of two quotes: quote.same_boot */                \
	X(safe, NULL)          /* whether the clock may have been put back */      \
	X(firmware_version, NULL)                                                  \
	X(selection_count, "quote.selection")                                      \
	X(selections, "quote.selection")                                           \
	X(pcr_digest, "quote.digest")

enum { ATTEST_PADDING = 7 /* behind `safe` */ };

#define ATTEST_SIZE(member, check) +sizeof(((struct tpm_attest *)0)->member)
_Static_assert(0 ATTEST_FIELDS(ATTEST_SIZE) + ATTEST_PADDING == sizeof(struct tpm_attest),
	       "every member of a quote needs a row");

static int judge_with(const char *check, struct err *e)
{
	struct forge_tpm f = tpm_room_good;
	struct forge_tpm_parts p;
	struct tpm_pcrs presented = tpm_room_good.pcrs;
	struct tpm_input in;

	tpm_room_policy_make();
	tpm_room_policy.has_reset_count = true;
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
				 .nonce = { tpm_room_good.nonce, sizeof(tpm_room_good.nonce) },
				 .binding.named = tpm_forge_span(&p.ak_public),
				 .policy = &tpm_room_policy };
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	int rc = tpm_answer(&in, NULL, &tpm_room_verdict, e);
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

	tpm_room_policy_make();
	tpm_forge_init(&other);
	tpm_forge_parts(&tpm_room_good, &p);
	in = (struct tpm_input){ .nonce = { tpm_room_good.nonce, sizeof(tpm_room_good.nonce) },
				 .policy = &tpm_room_policy };
	tpm_forge_read(tpm_forge_span(&p.message), &in);
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED, "ak.binding");
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED, "ak.binding");
	/* By its public key. */
	assert_ok(key_to_spki(tpm_room_good.key, &spki, &spki_len, &e), e);
	in.binding.named = (struct span){ spki, spki_len };
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	assert_ok(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e);
	free(spki);
	assert_ok(key_to_spki(other.key, &spki, &spki_len, &e), e);
	in.binding.named = (struct span){ spki, spki_len };
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED, "ak.named");
	free(spki);
	/* By a TEE's report. */
	in.binding.named = (struct span){ 0 };
	assert_ok(tpm_report_data(report_data, tpm_forge_span(&p.ak_public), wanted, &e), e);
	in.binding.tee_report_data = wanted;
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED, "ak.report");
	in.binding.report_data = report_data;
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	assert_ok(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e);
	wanted[63] ^= 1;
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED, "ak.report");
	/* A root that is named wants a certificate, also beside another binding that holds. */
	wanted[63] ^= 1;
	in.binding.root = (struct span){ (const uint8_t *)"x", 1 };
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED,
		       "ak.certificate");
	/* Nobody demanded its lists, and nobody read one: so it is told. */
	assert_int_equal(verdict_find(&tpm_room_verdict, CHECK_CRL_AK)->outcome, CHECK_NOT_ASKED);
	assert_null(verdict_find(&tpm_room_verdict, CHECK_CRL_EK));
	tpm_forge_parts_done(&p);
	tpm_forge_done(&other);
}

static void a_short_nonce_is_refused(void **state)
{
	struct forge_tpm_parts p;
	struct err e;

	tpm_room_policy_make();
	tpm_forge_parts(&tpm_room_good, &p);
	for (size_t len = 0; len <= sizeof(tpm_room_good.nonce); len++) {
		struct tpm_input in = { .nonce = { tpm_room_good.nonce, len },
					.binding.named = tpm_forge_span(&p.ak_public),
					.policy = &tpm_room_policy };
		tpm_forge_read(tpm_forge_span(&p.message), &in);

		verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
		assert_int_equal(tpm_answer(&in, NULL, &tpm_room_verdict, &e),
				 len == sizeof(tpm_room_good.nonce) ? 0 : -ERR_DENIED);
	}
	tpm_forge_parts_done(&p);
}

/* One quote without a message around it. */
static void a_bare_quote_is_judged_alike(void **state)
{
	struct forge_tpm_parts p;
	struct tpm_input in;
	struct err e;

	tpm_room_policy_make();
	tpm_forge_parts(&tpm_room_good, &p);
	in = (struct tpm_input){ .quote = tpm_forge_span(&p.quote),
				 .signature = tpm_forge_span(&p.signature),
				 .ak_public = tpm_forge_span(&p.ak_public),
				 .pcrs = &tpm_room_good.pcrs,
				 .event_log = tpm_forge_span(&p.log),
				 .nonce = { tpm_room_good.nonce, sizeof(tpm_room_good.nonce) },
				 .binding.named = tpm_forge_span(&p.ak_public),
				 .policy = &tpm_room_policy };
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	assert_ok(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e);
	in.pcrs = NULL;
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED,
		       "quote.selection");
	in.pcrs = &tpm_room_good.pcrs;
	in.policy = NULL;
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_FULL);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED, "policy.given");
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_ok(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e);
	in.nonce.bytes = NULL;
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED, "quote.nonce");
	in.nonce.bytes = tpm_room_good.nonce;
	in.binding.named = (struct span){ (const uint8_t *)"no key", 6 };
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED, "ak.named");
	/* Azure's data without the report that vouches for them. */
	in.binding.named = in.ak_public;
	in.binding.runtime = (struct span){ (const uint8_t *)"{}", 2 };
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED,
		       "ak.runtime_data");
	/* A log of another bank explains nothing. */
	in.binding.runtime.len = 0;
	writer_done(&p.log);
	tpm_forge_log(&p.log, true);
	in.event_log = tpm_forge_span(&p.log);
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED,
		       "none of the banks");
	in.event_log.len = 9;
	verdict_init(&tpm_room_verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_answer(&in, NULL, &tpm_room_verdict, &e), e, ERR_DENIED, "log.parse");
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
	};

	return cmocka_run_group_tests(tests, tpm_room_enter, tpm_room_leave);
}
