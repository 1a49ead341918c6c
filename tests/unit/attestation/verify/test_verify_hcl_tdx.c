/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Azure's way on TDX: the paravisor's report holds a TDREPORT, which nobody else can check; the quote
 * that was made of it vouches for the runtime data, these name the AK, and the AK's quote is fresh.
 */
#include "attestation/claims/claims.h"
#include "attestation/verify/verify.h"
#include "common/base/json.h"
#include "common/crypto/digest.h"
#include "common/crypto/key.h"
#include "tests/answers.h"
#include "tests/forge/tdx_forge.h"
#include "tests/unit/attestation/verify/hcl_build.h"

#include <openssl/rsa.h>

/* One call in the making; changed between begin() and judge(). */
struct azure {
	const char *operations; /* of the key that the runtime data name */
	uint32_t type;          /* of the report */
	bool other_runtime;     /* in the report, beside the one that the quote vouches for */
	bool other_tdreport;    /* of which the quote was not made */
	bool other_log;         /* a log that is no log */
	EVP_PKEY *signer;
	uint8_t nonce[HCL_NONCE_LEN];
	struct policy policy;
	struct verify_input in;
	struct writer runtime, other, hcl, message;
	uint8_t quote[FORGE_QUOTE_MAX];
};

static struct tdx_forge forge;
static struct forge_tpm tpm;
static EVP_PKEY *ak, *stranger;
static struct azure a;
static struct verdict verdict;
static struct verify_result result;

static int setup(void **state)
{
	tdx_forge_init(&forge);
	tpm_forge_init(&tpm);
	ak = EVP_RSA_gen(2048);
	stranger = EVP_RSA_gen(2048);
	return ak && stranger ? 0 : -1;
}

static int teardown(void **state)
{
	tpm_forge_done(&tpm);
	tdx_forge_done(&forge);
	EVP_PKEY_free(ak);
	EVP_PKEY_free(stranger);
	return 0;
}

static void begin(void)
{
	struct tdx_input tdx;

	memset(&a, 0, sizeof(a));
	a.operations = "\"sign\"";
	a.type = HCL_REPORT_TDX;
	a.signer = ak;
	memset(a.nonce, 0x6e, sizeof(a.nonce));
	policy_init(&a.policy);
	a.policy.has_tdx = a.policy.has_tpm = a.policy.run.relayable = true;
	a.policy.run.azure_paravisor = true;
	tdx_forge_policy(&forge.good.body, &a.policy.tdx);
	a.policy.tpm.pcrs[0] =
		(struct tpm_policy_pcr){ DIGEST_SHA256, 4, { tpm.pcrs.banks[0].values[4], 1 } };
	a.policy.tpm.count = 1;
	a.in = (struct verify_input){ .mode = EVIDENCE_TDX_VTPM,
				      .product = SNP_PRODUCT_ANY,
				      .policy = &a.policy,
				      .binding.tpm_nonce = { a.nonce, sizeof(a.nonce) },
				      .at = FORGE_AT };
	tdx_forge_input(&forge, NULL, 0, &forge.good.body, NULL, &tdx);
	a.in.tdx.endorsements = tdx.endorsements;
}

static void put_tee(struct span runtime)
{
	uint8_t tdreport[HCL_TDREPORT_LEN] = { 0x81 };
	struct forge_quote q = forge.good;
	struct err e;

	memset(q.body.reportdata, 0, sizeof(q.body.reportdata));
	assert_ok(digest(DIGEST_SHA256, a.runtime.bytes, a.runtime.len, q.body.reportdata, &e), e);
	memcpy(tdreport + 128, q.body.reportdata, sizeof(q.body.reportdata));
	tdreport[128] ^= a.other_tdreport;
	hcl_put_report(a.type, (struct span){ tdreport, sizeof(tdreport) }, runtime, &a.hcl);
	a.in.td_quote = (struct span){ a.quote, tdx_forge_quote(&forge, &q, a.quote) };
}

/* A yes tells of both, TD and TPM; the TPM is verified where the TD that names it was compared. */
static void tell(void)
{
	CLEANUP_WRITER struct writer w = writer_up_to(CLAIMS_MAX);
	const struct {
		const char *name;
		bool verified;
	} parts[] = { { "tdx", true }, { "tpm", !a.in.genuine_only } };
	struct json *root = NULL;
	struct err e;
	bool verified;

	assert_ok(claims_json(&a.in, &result, &verdict, &w, &e), e);
	assert_ok(json_parse(w.bytes, w.len, &root, &e), e);
	assert_string_equal(json_get(root, "kind")->text, "tdx-vtpm");
	for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
		const struct json *part = json_get(root, parts[i].name);

		assert_non_null(part);
		assert_ok(json_get_bool(part, "verified", &verified, &e), e);
		assert_int_equal(verified, parts[i].verified);
	}
	json_free(root);
}

static int judge(struct err *e)
{
	static const uint8_t junk[] = "no log";

	hcl_put_runtime(ak, a.operations, "1", &a.runtime);
	hcl_put_runtime(ak, a.operations, "2", &a.other);
	put_tee(tpm_forge_span(a.other_runtime ? &a.other : &a.runtime));
	hcl_put_message(&tpm, a.nonce, a.signer, &a.message);
	a.in.evidence = tpm_forge_span(&a.message);
	a.in.hcl_report = tpm_forge_span(&a.hcl);
	if (a.other_log)
		a.in.tpm.event_log = a.in.tdx.event_log = (struct span){ junk, sizeof(junk) };

	int rc = verify_answer(&a.in, &verdict, &result, e);

	if (rc == 0)
		tell();
	writer_done(&a.runtime);
	writer_done(&a.other);
	writer_done(&a.hcl);
	writer_done(&a.message);
	return rc;
}

static void refused(const char *check)
{
	struct err e;

	assert_refused(judge(&e), e, ERR_DENIED, check);
}

static void the_quote_binds_the_ak_by_the_runtime_data(void **state)
{
	struct err e;

	begin();
	assert_ok(judge(&e), e);
	begin();
	const struct binding_nonce nonce = { .vtpm = a.nonce, .vtpm_len = sizeof(a.nonce) };

	a.in.binding = (struct verify_binding){ .nonce = &nonce };
	assert_ok(judge(&e), e);
	begin();
	a.in.genuine_only = true;
	a.in.policy = NULL;
	assert_ok(judge(&e), e);
}

static void each_link_is_needed(void **state)
{
	begin();
	a.other_runtime = true;
	refused("ak.runtime");
	begin();
	a.other_tdreport = true;
	refused("ak.runtime");
	begin();
	a.signer = stranger;
	refused("quote.signature");
	begin();
	a.operations = "\"encrypt\"";
	refused("ak.runtime_key");
	begin();
	a.nonce[0] ^= 1;
	a.in.binding.tpm_nonce =
		(struct span){ (const uint8_t[HCL_NONCE_LEN]){ 1 }, HCL_NONCE_LEN };
	refused("quote.nonce");
	/* An SNP machine's report in its place; its own log is the TPM's, and judged. */
	begin();
	a.type = HCL_REPORT_SNP;
	refused("parse.hcl_report");
	begin();
	a.other_log = true;
	refused("log.parse");
}

/* The TD and the TPM, each by the policy: neither speaks for the other. */
static void both_are_judged_by_the_policy(void **state)
{
	static const uint8_t other[TDX_MR_LEN] = { 1 };
	struct err e;

	begin();
	a.policy.tdx.mrtd.values = other;
	refused("policy.mrtd");
	begin();
	a.policy.tpm.pcrs[0].values.values = other;
	refused("policy.pcr4");
	begin();
	a.policy.has_tdx = false;
	refused("policy.given");
	begin();
	a.policy.run.relayable = false;
	refused("run.statement");
	begin();
	a.in.tdx.endorsements.collateral.tcb_info = (struct span){ NULL, 0 };
	refused("collateral.tcb_info");
	/* REPORTDATA are the paravisor's: they can't be asked for. */
	uint8_t report_data[BINDING_REPORT_DATA_LEN] = { 0 };

	begin();
	a.in.binding.report_data = report_data;
	refused("input.used");
	begin();
	const struct binding_nonce both = {
		.tee = a.nonce, .vtpm = a.nonce, .tee_len = 32, .vtpm_len = sizeof(a.nonce)
	};

	a.in.binding = (struct verify_binding){ .nonce = &both };
	refused("input.used");
	begin();
	a.in.binding = (struct verify_binding){ .report_data = report_data };
	assert_refused(judge(&e), e, ERR_INVALID, "by its nonce");
}

/* A TD without a paravisor has a quote made over whatever its agent is given, and nothing signs the TDREPORT. */
static void a_stock_td_s_quote_is_no_paravisor_s(void **state)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;
	struct err e;

	assert_ok(key_to_spki(ak, &spki, &len, &e), e);
	begin();
	a.policy.run.azure_paravisor = false;
	refused("ak.binding");
	begin();
	a.policy.run.azure_paravisor = false;
	a.in.tpm.binding.named = (struct span){ spki, len };
	assert_ok(judge(&e), e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_quote_binds_the_ak_by_the_runtime_data),
		cmocka_unit_test(each_link_is_needed),
		cmocka_unit_test(both_are_judged_by_the_policy),
		cmocka_unit_test(a_stock_td_s_quote_is_no_paravisor_s),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
