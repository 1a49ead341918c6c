/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Azure's way through the verifier's call: the hardware's report vouches for the paravisor's runtime
 * data, these name the AK, and the AK's quote is fresh. Right in everything, then one thing changed.
 */
#include "attestation/claims/claims.h"
#include "attestation/verify/verify.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"
#include "tests/answers.h"
#include "tests/unit/attestation/snp/forge.h"
#include "tests/unit/attestation/verify/hcl_build.h"

#include <openssl/rsa.h>

enum { NONCE_LEN = HCL_NONCE_LEN };

/* One call in the making; changed between begin() and judge(). */
struct azure {
	uint32_t vmpl;          /* who asked for the report */
	const char *operations; /* of the key that the runtime data name */
	bool other_runtime;     /* beside the one that the report vouches for */
	bool apart;             /* the runtime data are given by themselves */
	bool other_area; /* the message brings the public area of another key, which signed */
	EVP_PKEY *signer;
	uint8_t nonce[NONCE_LEN];
	struct policy policy;
	struct verify_input in;
	struct writer runtime, hcl, message, other;
};

static struct forge forge;
static struct forge_tpm tpm;
static struct forge_tpm_parts tpm_parts;
static EVP_PKEY *ak, *stranger;
static struct verdict verdict;

static int setup(void **state)
{
	forge_init(&forge, SNP_MILAN, 3, SNP_KEY_VCEK);
	tpm_forge_init(&tpm);
	tpm_forge_parts(&tpm, &tpm_parts);
	ak = EVP_RSA_gen(2048);
	stranger = EVP_RSA_gen(2048);
	return ak && stranger ? 0 : -1;
}

static int teardown(void **state)
{
	tpm_forge_parts_done(&tpm_parts);
	tpm_forge_done(&tpm);
	EVP_PKEY_free(ak);
	EVP_PKEY_free(stranger);
	return 0;
}

static void put_hcl(const struct azure *a, struct writer *w)
{
	struct err e;
	uint8_t *data = forge.report.report_data;

	memset(data, 0, SNP_REPORT_DATA_LEN);
	assert_ok(digest(DIGEST_SHA256, a->runtime.bytes, a->runtime.len, data, &e), e);
	forge.report.vmpl = a->vmpl;
	forge_report(&forge);
	hcl_put_report(HCL_REPORT_SNP, (struct span){ forge.bytes, SNP_REPORT_LEN },
		       tpm_forge_span(a->other_runtime ? &a->other : &a->runtime), w);
}

static void begin(struct azure *a)
{
	memset(a, 0, sizeof(*a));
	a->operations = "\"sign\"";
	a->signer = ak;
	memset(a->nonce, 0x6e, sizeof(a->nonce));
	policy_init(&a->policy);
	a->policy.has_snp = a->policy.has_tpm = a->policy.run.relayable = true;
	a->policy.run.azure_paravisor = true;
	a->policy.snp.measurements = (struct value_set){ forge.report.measurement, 1 };
	a->policy.tpm.pcrs[0] =
		(struct tpm_policy_pcr){ DIGEST_SHA256, 4, { tpm.pcrs.banks[0].values[4], 1 } };
	a->policy.tpm.count = 1;
	a->in = (struct verify_input){ .mode = EVIDENCE_SNP_VTPM,
				       .product = SNP_PRODUCT_ANY,
				       .policy = &a->policy,
				       .binding.tpm_nonce = { a->nonce, sizeof(a->nonce) },
				       .at = FORGE_AT };
	a->in.snp.vek = forge.input.vek;
	a->in.snp.intermediate = forge.input.intermediate;
	a->in.snp.trusted_root = forge.input.trusted_root;
}

static int judge(struct azure *a, struct err *e)
{
	hcl_put_runtime(ak, a->operations, "1", &a->runtime);
	hcl_put_runtime(ak, a->operations, "2", &a->other);
	put_hcl(a, &a->hcl);
	hcl_put_message(&tpm, a->nonce, a->signer, &a->message);
	a->in.evidence = tpm_forge_span(a->other_area ? &tpm_parts.message : &a->message);
	if (!a->in.hcl_report.len)
		a->in.hcl_report = tpm_forge_span(&a->hcl);
	if (a->apart)
		a->in.tpm.binding.runtime = tpm_forge_span(&a->runtime);

	int rc = verify_answer(&a->in, &verdict, NULL, e);

	writer_done(&a->runtime);
	writer_done(&a->other);
	writer_done(&a->hcl);
	writer_done(&a->message);
	return rc;
}

static void the_runtime_data_bind_the_ak(void **state)
{
	struct azure a;
	struct err e;

	begin(&a);
	assert_ok(judge(&a, &e), e);
	begin(&a);
	a.apart = true;
	assert_ok(judge(&a, &e), e);
	/* Those given apart are judged, in place of those inside. */
	begin(&a);
	a.apart = a.other_runtime = true;
	assert_ok(judge(&a, &e), e);
	/* The quote's nonce alone, or as the nonce of `attestation get`. */
	begin(&a);
	const struct binding_nonce nonce = { .vtpm = a.nonce, .vtpm_len = sizeof(a.nonce) };

	a.in.binding = (struct verify_binding){ .nonce = &nonce };
	assert_ok(judge(&a, &e), e);
	begin(&a);
	a.in.genuine_only = true;
	a.in.policy = NULL;
	assert_ok(judge(&a, &e), e);
}

static void each_link_is_needed(void **state)
{
	static const uint8_t junk[] = "HCLA";
	struct azure a;
	struct err e;

	begin(&a);
	a.other_runtime = true;
	assert_refused(judge(&a, &e), e, ERR_DENIED, "policy.report_data");
	begin(&a);
	a.signer = stranger;
	assert_refused(judge(&a, &e), e, ERR_DENIED, "quote.signature");
	begin(&a);
	a.operations = "\"encrypt\"";
	assert_refused(judge(&a, &e), e, ERR_DENIED, "ak.runtime_key");
	begin(&a);
	a.operations = "\"sign\",\"encrypt\"";
	assert_refused(judge(&a, &e), e, ERR_DENIED, "ak.runtime_key");
	begin(&a);
	a.in.hcl_report = (struct span){ junk, sizeof(junk) };
	assert_refused(judge(&a, &e), e, ERR_DENIED, "parse.hcl_report");
	/* A quote of a TDX machine says nothing about this one. */
	begin(&a);
	a.in.td_quote = (struct span){ junk, sizeof(junk) };
	assert_refused(judge(&a, &e), e, ERR_DENIED, "input.used");
	/* The guest itself asked for the report, and the policy takes its level. */
	begin(&a);
	a.vmpl = a.policy.snp.vmpl = 2;
	assert_refused(judge(&a, &e), e, ERR_DENIED, "ak.runtime_vmpl");
	begin(&a);
	a.vmpl = 2;
	assert_refused(judge(&a, &e), e, ERR_DENIED, "policy.vmpl");
	/* Whoever has a TPM of his own quotes with that, beside the runtime data of a good one. */
	begin(&a);
	a.other_area = true;
	memcpy(a.nonce, tpm.nonce, sizeof(a.nonce));
	assert_refused(judge(&a, &e), e, ERR_DENIED, "ak.runtime_match");
}

static void the_quote_is_fresh_and_of_what_was_asked(void **state)
{
	static const uint8_t other[NONCE_LEN] = { 1 };
	uint8_t report_data[BINDING_REPORT_DATA_LEN] = { 0 };
	struct azure a;
	struct err e;

	begin(&a);
	a.in.binding.tpm_nonce = (struct span){ other, sizeof(other) };
	assert_refused(judge(&a, &e), e, ERR_DENIED, "quote.nonce");
	/* The report's own data are the paravisor's: they can't be asked for. */
	begin(&a);
	a.in.binding.report_data = report_data;
	assert_refused(judge(&a, &e), e, ERR_DENIED, "input.used");
	begin(&a);
	a.in.binding = (struct verify_binding){ .report_data = report_data };
	assert_refused(judge(&a, &e), e, ERR_INVALID, "by its nonce");
	/* A TEE's nonce binds nothing here. */
	begin(&a);
	const struct binding_nonce tee = { .tee = a.nonce, .tee_len = sizeof(a.nonce) };

	a.in.binding = (struct verify_binding){ .nonce = &tee };
	assert_refused(judge(&a, &e), e, ERR_DENIED, "token.nonce_length");
	begin(&a);
	const struct binding_nonce both = {
		.tee = a.nonce, .vtpm = a.nonce, .tee_len = 32, .vtpm_len = sizeof(a.nonce)
	};

	a.in.binding = (struct verify_binding){ .nonce = &both };
	assert_refused(judge(&a, &e), e, ERR_DENIED, "input.used");
	begin(&a);
	a.policy.tpm.pcrs[0].values.values = other;
	assert_refused(judge(&a, &e), e, ERR_DENIED, "policy.pcr4");
	begin(&a);
	a.policy.run.relayable = false;
	assert_refused(judge(&a, &e), e, ERR_DENIED, "run.statement");
}

/* A stock agent has a report made over whatever it is given, the digest of runtime data that name a forger's
 * key, too; and where it is a guest without a paravisor, that is at VMPL 0. */
static void a_stock_guest_s_report_is_no_paravisor_s(void **state)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;
	struct azure a;
	struct err e;

	assert_ok(key_to_spki(ak, &spki, &len, &e), e);
	begin(&a);
	a.policy.run.azure_paravisor = false;
	assert_refused(judge(&a, &e), e, ERR_DENIED, "ak.binding");
	assert_non_null(
		strstr(verdict_find(&verdict, CHECK_AK_BINDING)->wanted, "run.azure_paravisor"));
	begin(&a);
	a.policy.run.azure_paravisor = false;
	a.apart = true;
	assert_refused(judge(&a, &e), e, ERR_DENIED, "ak.binding");
	/* Who says whose key signed a token has said nothing of the report beside it. */
	begin(&a);
	a.policy.run.azure_paravisor = false;
	a.in.binding.tpm_nonce = (struct span){ NULL, 0 };
	const struct binding_nonce nonce = { .vtpm = a.nonce, .vtpm_len = sizeof(a.nonce) };

	a.in.binding.nonce = &nonce;
	assert_refused(judge(&a, &e), e, ERR_DENIED, "ak.binding");
	/* The caller named the key as well. */
	begin(&a);
	a.policy.run.azure_paravisor = false;
	a.in.tpm.binding.named = (struct span){ spki, len };
	assert_ok(judge(&a, &e), e);
	/* An agent of ours is never asked so, and its statement is asked for all the same. */
	begin(&a);
	a.policy.run.azure_paravisor = a.policy.run.relayable = false;
	assert_refused(judge(&a, &e), e, ERR_DENIED, "run.statement");
	begin(&a);
	a.policy.run.relayable = false;
	assert_refused(judge(&a, &e), e, ERR_DENIED, "run.statement");
}

static bool notes_speak_of(const char *words)
{
	for (size_t i = 0; i < verdict.note_count; i++)
		if (strstr(verdict.notes[i].text, words))
			return true;
	return false;
}

/* A paravisor's measurement says nothing of what booted in it. */
static void what_booted_in_a_paravisor_is_its_registers_to_say(void **state)
{
	struct azure a;
	struct err e;

	begin(&a);
	assert_ok(judge(&a, &e), e);
	assert_false(notes_speak_of("can be reset"));
	begin(&a);
	a.policy.tpm.pcrs[0].index = 16;
	a.policy.tpm.pcrs[0].values.values = tpm.pcrs.banks[0].values[16];
	assert_ok(judge(&a, &e), e);
	assert_true(notes_speak_of("can be reset"));
	assert_false(notes_speak_of("no register was judged"));
	/* The report by itself. */
	for (int paravisor = 0; paravisor < 2; paravisor++) {
		begin(&a);
		forge.report.vmpl = 0;
		forge_report(&forge);
		a.policy.run.azure_paravisor = paravisor;
		a.in.mode = EVIDENCE_SNP;
		a.in.evidence = (struct span){ forge.bytes, SNP_REPORT_LEN };
		a.in.binding = (struct verify_binding){ .report_data = forge.report.report_data };
		assert_ok(verify_answer(&a.in, &verdict, NULL, &e), e);
		assert_int_equal(notes_speak_of("no register was judged"), paravisor);
	}
}

/* The key of a token is bound by the quote alone, and that by a key of whoever has such a machine: it is as
 * verified as the TPM is. */
static void a_token_is_verified_where_the_tpm_is(void **state)
{
	const struct binding_nonce nonce = {
		.vtpm = (const uint8_t[16]){ 7 },
		.vtpm_len = 16,
		.type = (uint8_t)evidence_kind_rows[EVIDENCE_SNP_VTPM].type,
	};
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = EVP_EC_gen("P-256");
	CLEANUP(free) uint8_t *spki = NULL;
	struct verify_result result;
	struct binding binding;
	size_t len;
	struct azure a;
	struct err e;

	assert_ok(key_to_spki(key, &spki, &len, &e), e);
	assert_ok(binding_nonce(&nonce, spki, len, &binding, &e), e);
	begin(&a);
	hcl_put_runtime(ak, a.operations, "1", &a.runtime);
	put_hcl(&a, &a.hcl);
	hcl_put_message(&tpm, binding.tpm_nonce, ak, &a.message);
	const struct eat_content content = {
		.issuer = "agent",
		.platform = EVIDENCE_SNP_VTPM,
		.issued = FORGE_AT,
		.expires = FORGE_AT + 60,
		.nonce = { binding.tpm_nonce, BINDING_TPM_NONCE_LEN },
		.raw_report = { a.message.bytes, a.message.len },
	};
	CLEANUP_WRITER struct writer token = writer_up_to(EAT_MAX), told = writer_up_to(CLAIMS_MAX);

	assert_ok(eat_write(&content, key, &token, &e), e);
	a.in.evidence = tpm_forge_span(&token);
	a.in.hcl_report = tpm_forge_span(&a.hcl);
	a.in.binding = (struct verify_binding){ .nonce = &nonce };
	a.in.genuine_only = true;
	a.in.policy = NULL;
	assert_ok(verify_answer(&a.in, &verdict, &result, &e), e);
	assert_ok(claims_json(&a.in, &result, &verdict, &told, &e), e);
	writer_u8(&told, 0);
	assert_non_null(strstr((const char *)told.bytes, "\"snp\":{\"verified\":true"));
	assert_non_null(strstr((const char *)told.bytes, "\"tpm\":{\"verified\":false"));
	assert_non_null(strstr((const char *)told.bytes, "\"token\":{\"verified\":false"));
	/* The caller named the TPM's key. */
	CLEANUP(free) uint8_t *named = NULL;

	assert_ok(key_to_spki(ak, &named, &len, &e), e);
	a.in.tpm.binding.named = (struct span){ named, len };
	assert_ok(verify_answer(&a.in, &verdict, &result, &e), e);
	told.len = 0;
	assert_ok(claims_json(&a.in, &result, &verdict, &told, &e), e);
	writer_u8(&told, 0);
	assert_non_null(strstr((const char *)told.bytes, "\"tpm\":{\"verified\":true"));
	assert_non_null(strstr((const char *)told.bytes, "\"token\":{\"verified\":true"));
	writer_done(&a.runtime);
	writer_done(&a.hcl);
	writer_done(&a.message);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_runtime_data_bind_the_ak),
		cmocka_unit_test(each_link_is_needed),
		cmocka_unit_test(the_quote_is_fresh_and_of_what_was_asked),
		cmocka_unit_test(a_stock_guest_s_report_is_no_paravisor_s),
		cmocka_unit_test(what_booted_in_a_paravisor_is_its_registers_to_say),
		cmocka_unit_test(a_token_is_verified_where_the_tpm_is),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
