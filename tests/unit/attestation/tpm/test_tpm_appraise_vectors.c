/* SPDX-License-Identifier: Apache-2.0 */
/* Every case of the TPM vectors: quotes, attest.Attestation messages, AK certificates, Azure. */
#include "attestation/envelope/tpm_attestation.h"
#include "attestation/tpm/hcl_report.h"
#include "attestation/tpm/tpm_appraise.h"
#include "common/crypto/key.h"
#include "tests/answers.h"
#include "tests/unit/attestation/tdx/tdx_case.h"

enum { NONCE_MAX = 128, RULES_MAX = TPM_POLICY_BANKS_MAX * TPM_POLICY_PCRS_MAX };

static struct {
	size_t quotes, messages, certificates, azure, accepted, refused;
} tally;

static struct verdict verdict;

/* pcrs.json: bank -> index -> value. */
static void pcrs_read(const struct json *json, struct tpm_pcrs *pcrs)
{
	struct err e;

	memset(pcrs, 0, sizeof(*pcrs));
	for (size_t i = 0; i < json->count; i++) {
		const struct json *bank = &json->items[i];
		enum digest_kind kind;

		assert_true(tpm_bank_parse(bank->key, &kind));
		for (size_t k = 0; k < bank->count; k++) {
			uint8_t value[DIGEST_MAX];
			size_t len;

			assert_ok(hex_decode_up_to(bank->items[k].text, value, sizeof(value), &len,
						   &e),
				  e);
			assert_ok(tpm_pcrs_add(pcrs, kind,
					       (uint32_t)strtoul(bank->items[k].key, NULL, 10),
					       (struct span){ value, len }, &e),
				  e);
		}
	}
}

/* A policy that names the values presented. */
static void policy_of(const struct tpm_pcrs *pcrs, struct tpm_policy *policy)
{
	memset(policy, 0, sizeof(*policy));
	for (size_t i = 0; i < pcrs->count; i++)
		for (unsigned pcr = 0; pcr < TPM_PCR_COUNT; pcr++)
			if (pcrs->banks[i].present & (1u << pcr) &&
			    pcrs->banks[i].kind != DIGEST_SHA1)
				policy->pcrs[policy->count++] = (struct tpm_policy_pcr){
					pcrs->banks[i].kind, pcr, { pcrs->banks[i].values[pcr], 1 }
				};
}

static void policy_change(const struct vector_case *c, struct tpm_policy *policy,
			  const struct tpm_pcrs *pcrs)
{
	const struct json *sha1 = vector_value(c, "input.policy.allow_sha1_bank");
	const struct tpm_pcr_bank *bank = tpm_pcrs_bank(pcrs, DIGEST_SHA1);

	policy->allow_sha1_bank = sha1 && sha1->boolean;
	for (unsigned pcr = 0; policy->allow_sha1_bank && bank && pcr < TPM_PCR_COUNT; pcr++)
		if (bank->present & (1u << pcr))
			policy->pcrs[policy->count++] = (struct tpm_policy_pcr){
				DIGEST_SHA1, pcr, { bank->values[pcr], 1 }
			};
	if (vector_value(c, "input.policy.reset_count")) {
		policy->has_reset_count = true;
		policy->reset_count = (uint32_t)vector_u64(c, "input.policy.reset_count", 0);
	}
}

static void report(const struct vector_case *c, bool accepted, const char *why)
{
	if (getenv("COCOS_TEST_REASONS"))
		print_message("# %s: %s [%s]\n", c->name, accepted ? "verified" : why,
			      vector_text(c, "why"));
	if (accepted != vector_accepts(c))
		fail_msg("%s: %s", c->name, accepted ? "accepted" : why);
	*(accepted ? &tally.accepted : &tally.refused) += 1;
}

static void check_fields(const struct vector_case *c, const struct tpm_quote *q)
{
	uint8_t bytes[NONCE_MAX];
	size_t len = vector_hex(c, "fields.qualified_signer", bytes, sizeof(bytes));

	if (!vector_value(c, "fields.pcr_digest"))
		return;
	assert_int_equal(len, q->attest.qualified_signer.len);
	assert_memory_equal(bytes, q->attest.qualified_signer.bytes, len);
	len = vector_hex(c, "fields.pcr_digest", bytes, sizeof(bytes));
	assert_int_equal(len, q->attest.pcr_digest.len);
	assert_memory_equal(bytes, q->attest.pcr_digest.bytes, len);
	len = vector_hex(c, "fields.extra_data", bytes, sizeof(bytes));
	assert_int_equal(len, q->attest.extra_data.len);
	assert_int_equal(vector_u64(c, "fields.reset_count", 0), q->attest.reset_count);
	assert_int_equal(strtoul(vector_text(c, "fields.signature_algorithm"), NULL, 0),
			 q->signature.scheme);
	if (vector_text(c, "key_name")) {
		uint8_t name[TPM_NAME_MAX];
		size_t name_len;
		struct err e;

		len = vector_hex(c, "key_name", bytes, sizeof(bytes));
		assert_ok(tpm_public_name(&q->ak, name, &name_len, &e), e);
		assert_int_equal(len, name_len);
		assert_memory_equal(bytes, name, len);
	}
}

/* The layer by itself: any nonce's length, policy of the case. */
static void judge_quote(const struct vector_case *c)
{
	struct span quote = case_file(c->path, "quote.bin"), sig = case_file(c->path, "sig.bin");
	struct span ak = case_file(c->path, "ak.pub");
	struct json *json = case_json(c->path, "pcrs.json");
	uint8_t nonce[NONCE_MAX];
	static struct tpm_pcrs pcrs;
	static struct tpm_quote q;
	static struct tpm_policy policy;
	struct tpm_quote_input in = { .quote = quote,
				      .signature = sig,
				      .ak_public = ak,
				      .nonce = { nonce, 0 },
				      .pcrs = &pcrs };
	struct tpm_facts facts = { &q, 1, &pcrs, NULL };
	struct err e = { 0 };

	pcrs_read(json, &pcrs);
	in.nonce.len = vector_hex(c, "input.nonce", nonce, sizeof(nonce));
	policy_of(&pcrs, &policy);
	policy_change(c, &policy, &pcrs);
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	if (tpm_quote_check(&in, &verdict, &q)) {
		check_fields(c, &q);
		tpm_policy_judge(&policy, &facts, &verdict);
	}

	bool ok = answer(&verdict, &e) == 0;

	report(c, ok, e.text);
	tally.quotes++;
	case_free(&quote);
	case_free(&sig);
	case_free(&ak);
	json_free(json);
}

/* The whole call, bound by the report; by one that anybody may have asked for; and by runtime data that the
 * report doesn't vouch for. */
static void check_azure_binding(const struct tpm_quote_input *quote, const struct hcl_report *hcl,
				const struct snp_report *snp)
{
	struct tpm_input in = { .quote = quote->quote,
				.signature = quote->signature,
				.pcrs = quote->pcrs,
				.nonce = quote->nonce,
				.binding = { .tee_report_data = snp->report_data,
					     .runtime = hcl->runtime } };
	struct err e;

	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_ok(tpm_answer(&in, NULL, &verdict, &e), e);
	in.binding.by_anybody = true;
	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "ak.binding");
	in.binding.runtime.len--;
	verdict_init(&verdict, VERDICT_SCOPE_GENUINE_ONLY);
	assert_refused(tpm_answer(&in, NULL, &verdict, &e), e, ERR_DENIED, "ak.runtime_data");
}

/* The AK is the JWK's; the report around it is SEV-SNP's to verify. */
static void judge_azure(const struct vector_case *c)
{
	struct span hcl = case_file(c->path, "hcl_report.bin");
	struct span quote = case_file(c->path, "quote.bin"), sig = case_file(c->path, "sig.bin");
	CLEANUP(EVP_PKEY_free) EVP_PKEY *ak = NULL;
	static struct tpm_pcrs pcrs;
	static struct tpm_quote q;
	struct hcl_report parsed;
	struct snp_report snp;
	uint8_t wanted[SNP_REPORT_DATA_LEN], nonce[NONCE_MAX];
	struct err e = { 0 };
	int rc = hcl_report_parse(hcl, &parsed, &e);

	if (rc == 0)
		rc = snp_report_parse(parsed.report.bytes, parsed.report.len, &snp, &e);
	if (rc == 0)
		rc = hcl_report_data(parsed.runtime, wanted, &e);
	if (rc == 0 && memcmp(wanted, snp.report_data, sizeof(wanted)) != 0)
		rc = err_set(&e, ERR_DENIED, "REPORT_DATA is not of the runtime data");
	if (rc == 0)
		rc = hcl_report_ak(parsed.runtime, &ak, &e);
	if (rc == 0) {
		struct json *json = case_json(c->path, "pcrs.json");
		struct tpm_quote_input in = { .quote = quote,
					      .signature = sig,
					      .ak_key = ak,
					      .nonce = { nonce, 0 },
					      .pcrs = &pcrs };

		in.nonce.len = vector_hex(c, "input.nonce", nonce, sizeof(nonce));
		pcrs_read(json, &pcrs);
		verdict_init(&verdict, VERDICT_SCOPE_FULL);
		if (tpm_quote_check(&in, &verdict, &q))
			check_fields(c, &q);
		rc = answer(&verdict, &e);
		if (rc == 0 && in.nonce.len >= TPM_NONCE_MIN)
			check_azure_binding(&in, &parsed, &snp);
		json_free(json);
	}
	report(c, rc == 0, e.text);
	tally.azure++;
	case_free(&hcl);
	case_free(&quote);
	case_free(&sig);
}

static void judge_certificate(const struct vector_case *c)
{
	struct span cert = case_file(c->path, "ak_cert.der");
	struct span ca = case_file(c->path, "ca-intermediate.der");
	struct span root = case_file(c->path, "root-gce.der");
	struct ak_cert_input in = { cert, &ca, 1, root, 0, false };
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct err e = { 0 };

	assert_ok(timestamp_parse(vector_text(c, "input.time"), &in.at, &e), e);

	int rc = ak_cert_verify(&in, &key, &e);

	report(c, rc == 0, e.text);
	tally.certificates++;
	case_free(&cert);
	case_free(&ca);
	case_free(&root);
}

/* The whole call, with the AK bound by its certificate, or named where there is none. */
static void judge_message(const struct vector_case *c)
{
	struct span pb = case_file(c->path, "attestation.pb");
	struct span ca = case_file(c->path, "ca-intermediate.der");
	struct span root = case_file(c->path, "root-gce.der");
	static struct tpm_evidence a;
	static struct tpm_policy policy;
	uint8_t nonce[NONCE_MAX];
	struct tpm_input in = { .nonce = { nonce, 0 }, .at = 1780000000 };
	struct err e = { 0 }, reason = { 0 };

	in.nonce.len = vector_hex(c, "input.nonce", nonce, sizeof(nonce));
	memset(&policy, 0, sizeof(policy));
	if (tpm_attestation_parse(pb, &a, &e) < 0) {
		in.unreadable = &e;
	} else {
		static struct tpm_pcrs all;

		in.evidence = &a;
		memset(&all, 0, sizeof(all));
		for (size_t i = 0; i < a.quote_count; i++)
			for (size_t k = 0; k < a.quotes[i].pcrs.count; k++)
				all.banks[all.count++] = a.quotes[i].pcrs.banks[k];
		policy_of(&all, &policy);
		in.binding.named = root.bytes ? (struct span){ 0 } : a.ak_public;
	}
	in.binding.root = root;
	in.binding.intermediates = &ca;
	in.binding.intermediate_count = ca.bytes ? 1 : 0;
	in.policy = &policy;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);

	int rc = tpm_answer(&in, NULL, &verdict, &reason);

	/* GCE's nonces are shorter than we ask for: that, and nothing else, is wrong with them. */
	if (rc < 0 && root.bytes) {
		assert_non_null(strstr(reason.text, "quote.nonce_length"));
		for (size_t i = 0; i < verdict.count; i++)
			if (verdict.checks[i].outcome == CHECK_FAILED)
				assert_string_equal(verdict.checks[i].name, "quote.nonce_length");
		assert_int_equal(verdict_find(&verdict, CHECK_AK_CERTIFICATE)->outcome,
				 CHECK_PASSED);
		assert_int_equal(verdict_find(&verdict, CHECK_CRL_AK)->outcome, CHECK_NOT_ASKED);
		assert_int_equal(verdict_find(&verdict, CHECK_LOG_REPLAY)->outcome, CHECK_PASSED);
		assert_int_equal(verdict_find(&verdict, CHECK_POLICY_PCRS)->outcome, CHECK_PASSED);
		rc = 0;
	}
	report(c, rc == 0, reason.text);
	tally.messages++;
	case_free(&pb);
	case_free(&ca);
	case_free(&root);
}

/* No report there: the AK as published, for the quote alone. */
static void judge_azure_quote(const struct vector_case *c)
{
	struct span pem = case_file(c->path, "ak.pem");
	struct span quote = case_file(c->path, "quote.bin"), sig = case_file(c->path, "sig.bin");
	struct json *json = case_json(c->path, "pcrs.json");
	CLEANUP(EVP_PKEY_free) EVP_PKEY *ak = NULL;
	static struct tpm_pcrs pcrs;
	static struct tpm_quote q;
	uint8_t nonce[NONCE_MAX];
	struct tpm_quote_input in = {
		.quote = quote, .signature = sig, .nonce = { nonce, 0 }, .pcrs = &pcrs
	};
	struct err e = { 0 };

	assert_ok(key_from_public_pem((const char *)pem.bytes, pem.len, &ak, &e), e);
	in.ak_key = ak;
	in.nonce.len = vector_hex(c, "input.nonce", nonce, sizeof(nonce));
	pcrs_read(json, &pcrs);
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	tpm_quote_check(&in, &verdict, &q);

	bool ok = answer(&verdict, &e) == 0;

	report(c, ok, e.text);
	tally.azure++;
	case_free(&pem);
	case_free(&quote);
	case_free(&sig);
	json_free(json);
}

static void judge(const struct vector_case *c)
{
	if (vector_has(c, "attestation.pb"))
		judge_message(c);
	else if (vector_has(c, "ak_cert.der"))
		judge_certificate(c);
	else if (vector_has(c, "hcl_report.bin"))
		judge_azure(c);
	else if (strncmp(c->name, "azure", 5) == 0)
		judge_azure_quote(c);
	else
		judge_quote(c);
}

static void tpm_cases_are_judged_as_expected(void **state)
{
	VECTORS_OR_SKIP();

	unsigned count = vectors_walk("tpm", "", judge);

	print_message(
		"# tpm: %u cases (%zu quotes, %zu messages, %zu certificates, %zu Azure), %zu "
		"accepted, %zu refused\n",
		count, tally.quotes, tally.messages, tally.certificates, tally.azure,
		tally.accepted, tally.refused);
	assert_true(count >= 71);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tpm_cases_are_judged_as_expected),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
