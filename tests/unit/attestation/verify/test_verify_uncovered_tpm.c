/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What may change in a TPM's message, in the certificates of its keys, in a credential's answer, in
 * Azure's report, and in the protobuf form of an SEV-SNP report: the rows of tests/uncovered.def that
 * name this file, no others.
 */
#include "attestation/formats/pb.h"
#include "attestation/tpm/ak_cert.h"
#include "attestation/tpm/credential.h"
#include "tests/answers.h"
#include "tests/sample.h"
#include "tests/uncovered.h"
#include "tests/unit/attestation/snp/forge.h"
#include "tests/unit/attestation/tpm/ak_chain.h"
#include "tests/unit/attestation/verify/hcl_build.h"

#include <openssl/obj_mac.h>
#include <openssl/rsa.h>

enum { STEP = 11, LONG_STEP = 31 };

static struct forge_tpm tpm;
static struct forge_tpm_parts parts;
static struct tpm_policy policy;
static struct verdict verdict;
static struct span named; /* the AK: its area, or its key */
static struct writer message;

static int setup(void **state)
{
	tpm_forge_init(&tpm);
	tpm_forge_parts(&tpm, &parts);
	policy.pcrs[0] =
		(struct tpm_policy_pcr){ DIGEST_SHA256, 4, { tpm.pcrs.banks[0].values[4], 1 } };
	policy.count = 1;
	return 0;
}

static int teardown(void **state)
{
	tpm_forge_parts_done(&parts);
	tpm_forge_done(&tpm);
	return 0;
}

static bool takes_message(struct span bytes)
{
	struct tpm_input in = { .nonce = { tpm.nonce, sizeof(tpm.nonce) },
				.binding.named = named,
				.policy = &policy };
	struct err e;

	tpm_forge_read(bytes, &in);
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	return tpm_answer(&in, NULL, &verdict, &e) == 0;
}

/* ---- the message ---- */

static const uint8_t junk[] = "what nobody looks at";
enum { JUNK_FIELD = 2 + sizeof(junk) };

static void put_quote(struct writer *w, bool signature_first)
{
	CLEANUP_WRITER struct writer quote = writer_up_to(1 << 16);
	struct writer pcrs;

	tpm_forge_pcrs(&tpm, &pcrs);
	if (signature_first)
		tpm_forge_field(&quote, 2, tpm_forge_span(&parts.signature));
	tpm_forge_field(&quote, 1, tpm_forge_span(&parts.quote));
	if (!signature_first)
		tpm_forge_field(&quote, 2, tpm_forge_span(&parts.signature));
	tpm_forge_field(&quote, 3, tpm_forge_span(&pcrs));
	tpm_forge_field(w, 2, tpm_forge_span(&quote));
	writer_done(&pcrs);
}

/* AK, quote, and at the end two certificates that nobody asks for. */
static void put_message(void)
{
	message = writer_up_to(1 << 16);
	tpm_forge_field(&message, 1, tpm_forge_span(&parts.ak_public));
	put_quote(&message, false);
	tpm_forge_field(&message, 6, (struct span){ junk, sizeof(junk) });
	tpm_forge_field(&message, 7, (struct span){ junk, sizeof(junk) });
}

static const uint8_t *within(struct span whole, struct span part)
{
	const uint8_t *at = memmem(whole.bytes, whole.len, part.bytes, part.len);

	assert_non_null(at);
	return at;
}

static int message_open(struct span original, size_t at)
{
	static const uint8_t pcr0[] = { 0x08, 0x00, 0x12, SHA256_LEN };
	const size_t certs = original.len - 2 * JUNK_FIELD;
	const uint8_t *ak = within(original, tpm_forge_span(&parts.ak_public));
	const size_t area = (size_t)(ak - original.bytes);
	const uint8_t *zero = within(original, (struct span){ pcr0, sizeof(pcr0) });

	if (at >= certs)
		return (at - certs) % JUNK_FIELD >= 2 && at < original.len
			       ? UNCOVERED_TPM_CERT_UNUSED | UNCOVERED_EVERY
			       : UNCOVERED_TPM_CERT_UNUSED;
	if (original.bytes + at == zero)
		return UNCOVERED_TPM_PROTOBUF; /* the key 0 becomes an unknown field */
	if (at >= area && at < area + parts.ak_public.len && named.bytes[0] == 0x30)
		return UNCOVERED_TPM_AK_AREA;
	return UNCOVERED_NONE;
}

static struct uncovered_subject message_subject(void)
{
	return (struct uncovered_subject){ "attest.Attestation", tpm_forge_span(&message),
					   takes_message, message_open };
}

static void a_message_with_its_ak_named_is_covered(void **state)
{
	CLEANUP(free) uint8_t *spki = NULL;
	size_t len;
	struct err e;

	put_message();
	const struct uncovered_subject s = message_subject();

	named = tpm_forge_span(&parts.ak_public);
	uncovered_mutate(&s, sample_step(STEP));
	/* By its key alone, its area is open where nothing judges it. */
	assert_ok(key_to_spki(tpm.key, &spki, &len, &e), e);
	named = (struct span){ spki, len };
	uncovered_mutate(&s, sample_step(STEP));

	CLEANUP(free) uint8_t *other = malloc(message.len);
	const size_t area =
		(size_t)(within(s.original, tpm_forge_span(&parts.ak_public)) - s.original.bytes);

	assert_non_null(other);
	memcpy(other, message.bytes, message.len);
	other[area + 7] ^= TPM_ATTR_USER_WITH_AUTH;
	uncovered_accepts(&s, UNCOVERED_TPM_AK_AREA, (struct span){ other, message.len });
	named = tpm_forge_span(&parts.ak_public);
	assert_false(takes_message((struct span){ other, message.len }));
	writer_done(&message);
}

static void a_message_has_several_spellings(void **state)
{
	struct writer other = writer_up_to(1 << 16);
	uint8_t *twin;

	named = tpm_forge_span(&parts.ak_public);
	put_message();
	const struct uncovered_subject s = message_subject();

	/* Another order, in the message and in the quote, and a field that nobody knows. */
	put_quote(&other, true);
	tpm_forge_field(&other, 1, tpm_forge_span(&parts.ak_public));
	uncovered_accepts(&s, UNCOVERED_TPM_CERT_UNUSED, tpm_forge_span(&other));
	tpm_forge_field(&other, 300, (struct span){ junk, sizeof(junk) });
	uncovered_accepts(&s, UNCOVERED_TPM_PROTOBUF, tpm_forge_span(&other));
	tpm_forge_field(&other, 3, tpm_forge_span(&parts.log));
	uncovered_accepts(&s, UNCOVERED_LOG_ABSENT, tpm_forge_span(&other));
	writer_done(&other);

	twin = malloc(message.len);
	assert_non_null(twin);
	memcpy(twin, message.bytes, message.len);
	uncovered_twin(
		NID_X9_62_prime256v1,
		twin + (within(s.original, tpm_forge_span(&parts.signature)) - s.original.bytes) +
			parts.signature.len - 32,
		32, false);
	uncovered_accepts(&s, UNCOVERED_TPM_TWIN, (struct span){ twin, message.len });
	free(twin);
	writer_done(&message);
}

/* ---- certificates of an AK and an EK ---- */

static struct ak_cert_input path;
static struct span offered[2];

static bool takes_certificate(struct span bytes)
{
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;
	struct ak_cert_input in = path;
	struct err e;

	in.cert = bytes;
	return ak_cert_verify(&in, &key, &e) == 0;
}

static bool takes_intermediate(struct span bytes)
{
	offered[0] = bytes;
	return takes_certificate(path.cert);
}

static int spaces_open(struct span original, size_t at)
{
	return at + 1 >= original.len ? UNCOVERED_TPM_PEM : UNCOVERED_NONE;
}

/* Both are read by one rule; what is there beside the path has to be a certificate, no more. */
static int beside_open(struct span original, size_t at)
{
	return UNCOVERED_TPM_INTERMEDIATE_UNUSED;
}

static void mutate_certificate(struct span der, const char *pem)
{
	uint8_t twin[FORGE_CERT_MAX + 1];
	const struct uncovered_subject cert = { "certificate", der, takes_certificate, NULL },
				       text = { "certificate as PEM",
						{ (const uint8_t *)pem, strlen(pem) },
						takes_certificate,
						spaces_open };

	uncovered_mutate(&cert, sample_step(STEP));
	uncovered_accepts(
		&cert, UNCOVERED_TPM_CERT_TWIN,
		(struct span){ twin, uncovered_twin_of_der(NID_X9_62_prime256v1, der, twin) });
	uncovered_mutate(&text, sample_step(LONG_STEP));
	uncovered_pem(&text, UNCOVERED_TPM_PEM, false);
}

static void an_ak_s_certificate_is_covered(void **state)
{
	static struct ak_chain chain;

	ak_chain_make(&chain);
	CLEANUP(free) char *pem = ak_chain_pem(&chain, AK_CHAIN_LEAF, 1);
	offered[1] = ak_chain_der(&chain, AK_CHAIN_CA);
	offered[0] = offered[1];
	path = (struct ak_cert_input){
		.cert = ak_chain_der(&chain, AK_CHAIN_LEAF),
		.intermediates = offered,
		.intermediate_count = 2,
		.root = ak_chain_der(&chain, AK_CHAIN_ROOT),
		.at = FORGE_AT,
	};
	mutate_certificate(path.cert, pem);
	/* The one of the path, and one beside it. */
	const struct uncovered_subject needed = { "intermediate", offered[1], takes_intermediate,
						  NULL };
	const struct uncovered_subject beside = { "intermediate beside", offered[1],
						  takes_intermediate, beside_open };

	path.intermediate_count = 1;
	uncovered_mutate(&needed, sample_step(STEP));
	path.intermediate_count = 2;
	uncovered_mutate(&beside, sample_step(STEP));
	ak_chain_done(&chain);
}

static void an_ek_s_certificate_is_covered(void **state)
{
	static const uint8_t purpose[] = { 0x30, 0x07, 0x06, 0x05, 0x67, 0x81, 0x05, 0x08, 0x01 };
	EVP_PKEY *root_key = EVP_EC_gen("P-256"), *ek = EVP_RSA_gen(2048);
	uint8_t root[FORGE_CERT_MAX], der[FORGE_CERT_MAX];
	struct forge_cert want = { .subject = "Maker's root",
				   .issuer = "Maker's root",
				   .key = root_key,
				   .issuer_key = root_key,
				   .algorithm = FORGE_ECDSA,
				   .serial = 7,
				   .not_before = FORGE_AT - 1,
				   .not_after = FORGE_AT + 1,
				   .constraints = "critical,CA:TRUE",
				   .usage = "critical,keyCertSign" };
	struct uncovered_subject s = { .name = "EK's certificate", .accepts = takes_certificate };

	path = (struct ak_cert_input){ .root = { root, forge_make(&want, root) },
				       .at = FORGE_AT,
				       .is_ek = true };
	want.subject = "TPM 4711";
	want.key = ek;
	want.constraints = "critical,CA:FALSE";
	want.usage = "critical,keyEncipherment";
	forge_add(&want, "2.5.29.37", purpose, sizeof(purpose));
	s.original = path.cert = (struct span){ der, forge_make(&want, der) };
	uncovered_mutate(&s, sample_step(STEP));
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(ek);
}

/* ---- credentials ---- */

static struct credential credential;
static EVP_PKEY *credential_ek;

static bool takes_answer(struct span bytes)
{
	struct err e;

	credential.answered = false;
	return credential_answer(&credential, bytes.bytes, bytes.len, &e) == 0 &&
	       credential_check(&credential, credential_ek, tpm_forge_span(&parts.ak_public), &e) ==
		       0;
}

static bool takes_ak(struct span bytes)
{
	struct err e;

	return credential_check(&credential, credential_ek, bytes, &e) == 0;
}

static void a_credential_s_answer_and_ak_are_covered(void **state)
{
	uint8_t secret[CREDENTIAL_SECRET_LEN];
	struct uncovered_subject s = { "answer", { secret, sizeof(secret) }, takes_answer, NULL };
	struct uncovered_subject ak = { "AK's area", tpm_forge_span(&parts.ak_public), takes_ak,
					NULL };
	struct err e;

	credential_ek = EVP_EC_gen("P-256");
	assert_ok(credential_make(credential_ek, ak.original, &credential, &e), e);
	memcpy(secret, credential.secret, sizeof(secret));
	uncovered_mutate(&s, 1);
	assert_true(takes_answer(s.original));
	uncovered_mutate(&ak, 1);
	EVP_PKEY_free(credential_ek);
}

/* ---- evidence of SEV-SNP in other envelopes ---- */

static struct forge snp;
static struct policy whole;
static struct verify_input in;

static bool takes_evidence(struct span bytes)
{
	struct err e;

	in.evidence = bytes;
	return verify_answer(&in, &verdict, NULL, &e) == 0;
}

static bool takes_hcl(struct span bytes)
{
	struct err e;

	in.hcl_report = bytes;
	return verify_answer(&in, &verdict, NULL, &e) == 0;
}

static void begin_snp(enum snp_product product, uint32_t version)
{
	forge_init(&snp, product, version, SNP_KEY_VCEK);
	policy_init(&whole);
	whole.has_snp = whole.run.relayable = true;
	whole.snp.measurements = (struct value_set){ snp.report.measurement, 1 };
	in = (struct verify_input){ .product = SNP_PRODUCT_ANY, .policy = &whole, .at = FORGE_AT };
	in.snp.vek = snp.input.vek;
	in.snp.intermediate = snp.input.intermediate;
	in.snp.ark = snp.input.ark;
	in.snp.trusted_root = snp.input.trusted_root;
}

static size_t chain_at; /* of the protobuf: where certificates begin that nobody looks at */

static int protobuf_open(struct span original, size_t at)
{
	if (at >= chain_at)
		return at >= original.len - sizeof(junk) && at < original.len
			       ? UNCOVERED_SNP_CHAIN_UNUSED | UNCOVERED_EVERY
			       : UNCOVERED_SNP_CHAIN_UNUSED;
	return UNCOVERED_NONE;
}

static void put_first_field_last(struct writer *w)
{
	CLEANUP_WRITER struct writer turned = writer_up_to(1 << 16);
	struct writer report;
	struct pb_field first;

	tpm_forge_report(snp.bytes, &report);
	struct reader r = span_reader(tpm_forge_span(&report));
	assert_true(pb_next(&r, &first));
	writer_bytes(&turned, r.pos, reader_left(&r));
	writer_bytes(&turned, report.bytes, report.len - reader_left(&r));
	*w = writer_up_to(1 << 16);
	tpm_forge_field(w, 1, tpm_forge_span(&turned));
	writer_done(&report);
}

static void a_report_as_protobuf_is_covered(void **state)
{
	struct writer w = writer_up_to(1 << 16), chain = writer_up_to(1 << 16), other;
	uint8_t report_data[SNP_REPORT_DATA_LEN];

	begin_snp(SNP_GENOA, 5);
	forge_report(&snp);
	memcpy(report_data, snp.report.report_data, sizeof(report_data));
	in.mode = EVIDENCE_SNP;
	in.binding.report_data = report_data;
	tpm_forge_field(&chain, 1, (struct span){ junk, sizeof(junk) });
	tpm_forge_sevsnp(snp.bytes, &w);
	chain_at = w.len;
	tpm_forge_field(&w, 2, tpm_forge_span(&chain));

	const struct uncovered_subject s = { "sevsnp.Attestation", tpm_forge_span(&w),
					     takes_evidence, protobuf_open };

	uncovered_mutate(&s, sample_step(LONG_STEP));
	/* The report's first field behind the others, and a field that nobody knows. */
	put_first_field_last(&other);
	tpm_forge_field(&other, 300, (struct span){ junk, sizeof(junk) });
	tpm_forge_field(&other, 2, tpm_forge_span(&chain));
	uncovered_accepts(&s, UNCOVERED_SNP_PROTOBUF, tpm_forge_span(&other));
	writer_done(&other);
	writer_done(&w);
	writer_done(&chain);
}

static int hcl_open(struct span original, size_t at)
{
	return at == original.len ? UNCOVERED_TPM_HCL_PADDING : UNCOVERED_NONE;
}

static void azure_s_report_is_covered(void **state)
{
	static const uint8_t nonce[HCL_NONCE_LEN] = { 0x6e };
	EVP_PKEY *ak = EVP_RSA_gen(2048);
	struct writer runtime, hcl, sent;
	static uint8_t other[HCL_REPORT_MAX + 1];
	struct err e;

	begin_snp(SNP_MILAN, 3);
	hcl_put_runtime(ak, "\"sign\"", "1", &runtime);
	memset(snp.report.report_data, 0, SNP_REPORT_DATA_LEN);
	assert_ok(digest(DIGEST_SHA256, runtime.bytes, runtime.len, snp.report.report_data, &e), e);
	forge_report(&snp);
	hcl_put_report(HCL_REPORT_SNP, (struct span){ snp.bytes, SNP_REPORT_LEN },
		       tpm_forge_span(&runtime), &hcl);
	hcl_put_message(&tpm, nonce, ak, &sent);
	in.mode = EVIDENCE_SNP_VTPM;
	in.evidence = tpm_forge_span(&sent);
	in.binding.tpm_nonce = (struct span){ nonce, sizeof(nonce) };
	in.snp.ark = (struct span){ NULL, 0 };
	whole.has_tpm = whole.run.azure_paravisor = true;
	whole.tpm = policy;

	const struct uncovered_subject s = { "Azure's report", tpm_forge_span(&hcl), takes_hcl,
					     hcl_open };
	memcpy(other, hcl.bytes, hcl.len);
	other[4] = 1;
	uncovered_accepts(&s, UNCOVERED_TPM_HCL_VERSION, (struct span){ other, hcl.len });
	other[4] = 2;
	uncovered_accepts(&s, UNCOVERED_TPM_HCL_PADDING, (struct span){ other, hcl.len + 1 });
	uncovered_accepts(&s, UNCOVERED_TPM_HCL_PADDING, (struct span){ other, HCL_REPORT_MAX });
	assert_false(takes_hcl((struct span){ other, HCL_REPORT_MAX + 1 }));
	other[HCL_REPORT_MAX - 1] = 1;
	assert_false(takes_hcl((struct span){ other, HCL_REPORT_MAX }));
	uncovered_mutate(&s, sample_step(LONG_STEP));
	writer_done(&runtime);
	writer_done(&hcl);
	writer_done(&sent);
	EVP_PKEY_free(ak);
}

/* Comes last. */
static void each_place_of_the_list_is_open(void **state)
{
	uncovered_all_found(__FILE__);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_message_with_its_ak_named_is_covered),
		cmocka_unit_test(a_message_has_several_spellings),
		cmocka_unit_test(an_ak_s_certificate_is_covered),
		cmocka_unit_test(an_ek_s_certificate_is_covered),
		cmocka_unit_test(a_credential_s_answer_and_ak_are_covered),
		cmocka_unit_test(a_report_as_protobuf_is_covered),
		cmocka_unit_test(azure_s_report_is_covered),
		cmocka_unit_test(each_place_of_the_list_is_open),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
