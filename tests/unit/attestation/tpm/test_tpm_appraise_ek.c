/* SPDX-License-Identifier: Apache-2.0 */
/* An EK that vouches for an AK: certificate, activation, and both in the whole TPM judgement. */
#include "attestation/tpm/credential.h"
#include "tests/answers.h"
#include "tests/unit/attestation/snp/forge.h"
#include "tests/unit/attestation/tpm/tpm_forge.h"

#define EKU_OID "2.5.29.37"
#define SAN_OID "2.5.29.17"
#define DAY     INT64_C(86400)

/* SEQUENCE { 2.23.133.8.1 }, { 2.23.133.8.3 }, and { 1.3.6.1.5.5.7.3.1 }, a TLS server's; of that and an AK's. */
static const uint8_t ek_purpose[] = { 0x30, 0x07, 0x06, 0x05, 0x67, 0x81, 0x05, 0x08, 0x01 };
static const uint8_t ak_purpose[] = { 0x30, 0x07, 0x06, 0x05, 0x67, 0x81, 0x05, 0x08, 0x03 };
static const uint8_t tls_purpose[] = { 0x30, 0x0a, 0x06, 0x08, 0x2b, 0x06,
				       0x01, 0x05, 0x05, 0x07, 0x03, 0x01 };

static const uint8_t two_purposes[] = { 0x30, 0x11, 0x06, 0x08, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07,
					0x03, 0x01, 0x06, 0x05, 0x67, 0x81, 0x05, 0x08, 0x03 };
/* A SAN of one directoryName that has a TPM's maker (2.23.133.2.1), or a common name; of one dNSName; of one
 * otherName, as a user has it who logs in (1.3.6.1.4.1.311.20.2.3); of none. */
static const uint8_t tpm_name[] = { 0x30, 0x13, 0xa4, 0x11, 0x30, 0x0f, 0x31,
				    0x0d, 0x30, 0x0b, 0x06, 0x05, 0x67, 0x81,
				    0x05, 0x02, 0x01, 0x0c, 0x02, 'i',  'd' };
static const uint8_t common_name[] = { 0x30, 0x11, 0xa4, 0x0f, 0x30, 0x0d, 0x31, 0x0b, 0x30, 0x09,
				       0x06, 0x03, 0x55, 0x04, 0x03, 0x0c, 0x02, 'i',  'd' };
static const uint8_t host_name[] = { 0x30, 0x05, 0x82, 0x03, 'a', '.', 'b' };
static const uint8_t user_name[] = { 0x30, 0x14, 0xa0, 0x12, 0x06, 0x0a, 0x2b, 0x06,
				     0x01, 0x04, 0x01, 0x82, 0x37, 0x14, 0x02, 0x03,
				     0xa0, 0x04, 0x0c, 0x02, 'i',  'd' };
static const uint8_t no_name[] = { 0x30, 0x00 };

static EVP_PKEY *root_key, *ek, *other_ek;
static uint8_t root_der[FORGE_CERT_MAX], ek_der[FORGE_CERT_MAX];
static size_t root_len;
static struct forge_cert ek_want;
static struct forge_tpm forge;
static struct forge_tpm_parts parts;
static struct tpm_policy policy;
static struct verdict verdict;
static bool require_crl;

static struct forge_cert cert_of(const char *subject, EVP_PKEY *key, const char *constraints,
				 const char *usage)
{
	return (struct forge_cert){ .subject = subject,
				    .issuer = "Maker's root",
				    .key = key,
				    .issuer_key = root_key,
				    .algorithm = FORGE_ECDSA,
				    .serial = 7,
				    .not_before = FORGE_AT - DAY,
				    .not_after = FORGE_AT + DAY,
				    .constraints = constraints,
				    .usage = usage };
}

static int setup(void **state)
{
	struct forge_cert root;

	root_key = EVP_EC_gen("P-256");
	ek = EVP_RSA_gen(2048);
	other_ek = EVP_EC_gen("P-384");
	root = cert_of("Maker's root", root_key, "critical,CA:TRUE", "critical,keyCertSign");
	root_len = forge_make(&root, root_der);
	ek_want = cert_of("TPM 4711", ek, "critical,CA:FALSE", "critical,keyEncipherment");
	forge_add(&ek_want, EKU_OID, ek_purpose, sizeof(ek_purpose));
	tpm_forge_init(&forge);
	tpm_forge_parts(&forge, &parts);
	policy.pcrs[policy.count++] =
		(struct tpm_policy_pcr){ DIGEST_SHA256, 16, { forge.pcrs.banks[0].values[16], 1 } };
	return 0;
}

static int teardown(void **state)
{
	EVP_PKEY_free(root_key);
	EVP_PKEY_free(ek);
	EVP_PKEY_free(other_ek);
	tpm_forge_parts_done(&parts);
	tpm_forge_done(&forge);
	return 0;
}

static int certificate(const struct forge_cert *want, bool is_ek, struct err *e)
{
	uint8_t der[FORGE_CERT_MAX];
	size_t len = forge_make(want, der);
	const struct ak_cert_input in = {
		.cert = { der, len }, .root = { root_der, root_len }, .at = FORGE_AT, .is_ek = is_ek
	};
	CLEANUP(EVP_PKEY_free) EVP_PKEY *key = NULL;

	return ak_cert_verify(&in, &key, e);
}

static void only_an_ek_certificate_is_one(void **state)
{
	static const char *const usages[] = { NULL, "critical,digitalSignature",
					      "critical,keyEncipherment,digitalSignature",
					      "critical,keyCertSign" };
	struct forge_cert want = ek_want;
	struct err e;

	assert_ok(certificate(&want, true, &e), e);
	assert_refused(certificate(&want, false, &e), e, ERR_DENIED, "not for signatures");
	want.usage = "critical,keyAgreement";
	assert_ok(certificate(&want, true, &e), e);
	for (size_t i = 0; i < ARRAY_LEN(usages); i++) {
		want = ek_want;
		want.usage = usages[i];
		assert_refused(certificate(&want, true, &e), e, ERR_DENIED, "not for key exchange");
	}
	want = ek_want;
	want.constraints = "critical,CA:TRUE";
	assert_refused(certificate(&want, true, &e), e, ERR_DENIED, "is a CA's");
	want = ek_want;
	want.extension_count = 0;
	assert_refused(certificate(&want, true, &e), e, ERR_DENIED, "not meant for an EK");
	forge_add(&want, EKU_OID, tls_purpose, sizeof(tls_purpose));
	assert_refused(certificate(&want, true, &e), e, ERR_DENIED, "not meant for an EK");
	for (size_t len = 0; len < sizeof(ek_purpose); len++) {
		forge_find(&want, EKU_OID)->len = len;
		memcpy(forge_find(&want, EKU_OID)->bytes, ek_purpose, sizeof(ek_purpose));
		assert_true(certificate(&want, true, &e) < 0);
	}
	want = ek_want;
	want.not_after = FORGE_AT - 1;
	assert_int_equal(certificate(&want, true, &e), -ERR_DENIED);
	want = ek_want;
	want.issuer_key = other_ek;
	assert_int_equal(certificate(&want, true, &e), -ERR_DENIED);
}

/* What the same authority certified for another purpose is no TPM's, though it may sign. */
static void an_ak_s_certificate_is_meant_for_one(void **state)
{
	static const struct {
		const char *oid;
		const uint8_t *bytes;
		size_t len;
		bool critical, good;
	} rows[] = {
		{ EKU_OID, ak_purpose, sizeof(ak_purpose), false, true },
		{ EKU_OID, ak_purpose, sizeof(ak_purpose), true, true },
		{ EKU_OID, ek_purpose, sizeof(ek_purpose), false, true },
		{ EKU_OID, two_purposes, sizeof(two_purposes), false, true },
		{ EKU_OID, tls_purpose, sizeof(tls_purpose), false, false },
		{ EKU_OID, tls_purpose, sizeof(tls_purpose), true, false },
		{ SAN_OID, tpm_name, sizeof(tpm_name), true, true },
		{ SAN_OID, tpm_name, sizeof(tpm_name) - 1, true, false },
		{ SAN_OID, host_name, sizeof(host_name), true, false },
		{ SAN_OID, tpm_name, sizeof(tpm_name), false, true },
		{ SAN_OID, tpm_name, sizeof(tpm_name) - 1, false, false },
		{ SAN_OID, host_name, sizeof(host_name), false, false },
	};
	struct forge_cert both = cert_of("AK", ek, NULL, "critical,digitalSignature");
	struct err e;

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct forge_cert want = cert_of("AK", ek, NULL, "critical,digitalSignature");

		forge_add(&want, rows[i].oid, rows[i].bytes, rows[i].len);
		forge_find(&want, rows[i].oid)->critical = rows[i].critical;
		if (rows[i].good)
			assert_ok(certificate(&want, false, &e), e);
		else
			assert_refused(certificate(&want, false, &e), e, ERR_DENIED,
				       "not meant for an AK");
	}
	/* Certified for an AK, and named by its host beside. */
	forge_add(&both, EKU_OID, ak_purpose, sizeof(ak_purpose));
	forge_add(&both, SAN_OID, host_name, sizeof(host_name));
	assert_ok(certificate(&both, false, &e), e);
	forge_find(&both, SAN_OID)->critical = true;
	assert_refused(certificate(&both, false, &e), e, ERR_DENIED, "not meant for an AK");
}

/* Of an issuer nobody judges these two: where they are critical, it is none. */
static void an_issuer_has_nothing_that_is_not_judged(void **state)
{
	static const char *const oids[] = { EKU_OID, SAN_OID };
	struct forge_cert want = cert_of("AK", ek, NULL, "critical,digitalSignature");
	uint8_t before[FORGE_CERT_MAX];
	const size_t len = root_len;
	struct err e;

	forge_add(&want, EKU_OID, ak_purpose, sizeof(ak_purpose));
	memcpy(before, root_der, sizeof(before));
	for (size_t i = 0; i < 2 * ARRAY_LEN(oids); i++) {
		struct forge_cert root = cert_of("Maker's root", root_key, "critical,CA:TRUE",
						 "critical,keyCertSign");
		bool critical = i % 2;

		forge_add(&root, oids[i / 2], tls_purpose, sizeof(tls_purpose));
		forge_find(&root, oids[i / 2])->critical = critical;
		root_len = forge_make(&root, root_der);
		if (critical)
			assert_refused(certificate(&want, false, &e), e, ERR_DENIED,
				       "the critical extension");
		else
			assert_ok(certificate(&want, false, &e), e);
	}
	memcpy(root_der, before, sizeof(before));
	root_len = len;
}

/* What says neither a purpose nor a TPM's name is one's if its issuer certifies TPMs and nothing else, as
 * Google's do: an authority that has servers and people as well signs certificates of that form, too. */
static void one_without_a_purpose_is_of_an_issuer_of_tpms(void **state)
{
	static const struct {
		const uint8_t *issuer, *name;
		size_t issuer_len, name_len;
		bool ak, ek;
	} rows[] = {
		{ NULL, NULL, 0, 0, false, false },
		{ ek_purpose, NULL, sizeof(ek_purpose), 0, true, true },
		{ ak_purpose, NULL, sizeof(ak_purpose), 0, true, false },
		{ tls_purpose, NULL, sizeof(tls_purpose), 0, false, false },
		{ two_purposes, NULL, sizeof(two_purposes), 0, false, false },
		{ ek_purpose, NULL, sizeof(ek_purpose) - 1, 0, false, false },
		{ no_name, NULL, sizeof(no_name), 0, false, false },
		{ NULL, tpm_name, 0, sizeof(tpm_name), true, true },
		{ NULL, common_name, 0, sizeof(common_name), false, false },
		{ NULL, user_name, 0, sizeof(user_name), false, false },
		{ NULL, no_name, 0, sizeof(no_name), false, false },
		{ ek_purpose, common_name, sizeof(ek_purpose), sizeof(common_name), true, true },
		{ ek_purpose, host_name, sizeof(ek_purpose), sizeof(host_name), false, false },
	};
	uint8_t before[FORGE_CERT_MAX];
	const size_t len = root_len;
	struct err e;

	memcpy(before, root_der, sizeof(before));
	for (size_t i = 0; i < 2 * ARRAY_LEN(rows); i++) {
		const bool is_ek = i % 2, good = is_ek ? rows[i / 2].ek : rows[i / 2].ak;
		struct forge_cert root = cert_of("Maker's root", root_key, "critical,CA:TRUE",
						 "critical,keyCertSign");
		struct forge_cert want =
			cert_of("TPM", ek, NULL,
				is_ek ? "critical,keyEncipherment" : "critical,digitalSignature");

		if (rows[i / 2].issuer)
			forge_add(&root, EKU_OID, rows[i / 2].issuer, rows[i / 2].issuer_len);
		if (rows[i / 2].name)
			forge_add(&want, SAN_OID, rows[i / 2].name, rows[i / 2].name_len);
		root_len = forge_make(&root, root_der);
		if (good)
			assert_ok(certificate(&want, is_ek, &e), e);
		else
			assert_refused(certificate(&want, is_ek, &e), e, ERR_DENIED,
				       "not meant for");
	}
	memcpy(root_der, before, sizeof(before));
	root_len = len;
}

/* The judgement with this credential, of the forged quote. */
static int judge(const struct credential *c, bool with_cert, bool with_root, struct err *e)
{
	size_t len = forge_make(&ek_want, ek_der);
	struct tpm_input in = { .nonce = { forge.nonce, sizeof(forge.nonce) },
				.at = FORGE_AT,
				.require_crl = require_crl,
				.policy = &policy };
	struct tpm_result result = { 0 };
	int rc;

	tpm_forge_read(tpm_forge_span(&parts.message), &in);
	if (with_cert)
		in.binding.ek_cert = (struct span){ ek_der, len };
	if (with_root)
		in.binding.ek_root = (struct span){ root_der, root_len };
	in.binding.activated = c;
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	rc = tpm_answer(&in, &result, &verdict, e);
	if (rc == 0) {
		assert_true(result.has_ak);
		assert_int_equal(result.reset_count, forge.reset_count);
	}
	return rc;
}

static bool notes_speak_of(const char *words)
{
	for (size_t i = 0; i < verdict.note_count; i++)
		if (strstr(verdict.notes[i].text, words))
			return true;
	return false;
}

static void an_activated_ak_is_bound_and_the_root_is_named(void **state)
{
	struct credential c;
	struct err e;

	assert_ok(credential_make(ek, tpm_forge_span(&parts.ak_public), &c, &e), e);
	assert_ok(credential_answer(&c, c.secret, sizeof(c.secret), &e), e);
	assert_ok(judge(&c, true, true, &e), e);
	assert_true(notes_speak_of("Maker's root"));
}

/* Nobody reads a list of these: so who demands one gets no yes, and else it is said. */
static void lists_that_are_demanded_are_missed(void **state)
{
	struct credential c;
	struct err e;

	assert_ok(credential_make(ek, tpm_forge_span(&parts.ak_public), &c, &e), e);
	assert_ok(credential_answer(&c, c.secret, sizeof(c.secret), &e), e);
	assert_ok(judge(&c, true, true, &e), e);
	assert_int_equal(verdict_find(&verdict, CHECK_CRL_EK)->outcome, CHECK_NOT_ASKED);
	assert_null(verdict_find(&verdict, CHECK_CRL_AK));
	require_crl = true;
	assert_refused(judge(&c, true, true, &e), e, ERR_DENIED, "crl.ek");
	require_crl = false;
}

static void anything_less_is_refused(void **state)
{
	struct credential c;
	struct err e;

	assert_refused(judge(NULL, true, true, &e), e, ERR_DENIED, "ak.activated");
	assert_ok(credential_make(ek, tpm_forge_span(&parts.ak_public), &c, &e), e);
	assert_refused(judge(&c, true, true, &e), e, ERR_DENIED, "no TPM has answered");
	assert_ok(credential_answer(&c, c.secret, sizeof(c.secret), &e), e);
	assert_refused(judge(&c, false, true, &e), e, ERR_DENIED, "no EK certificate");
	assert_refused(judge(&c, true, false, &e), e, ERR_DENIED, "without a root");
	assert_refused(judge(&c, false, false, &e), e, ERR_DENIED, "ak.activated");
	c.answer[31] ^= 1;
	assert_refused(judge(&c, true, true, &e), e, ERR_DENIED, "another secret");
	/* Made for an EK that the certificate isn't of. */
	assert_ok(credential_make(other_ek, tpm_forge_span(&parts.ak_public), &c, &e), e);
	assert_ok(credential_answer(&c, c.secret, sizeof(c.secret), &e), e);
	assert_refused(judge(&c, true, true, &e), e, ERR_DENIED, "another EK");
}

/* The credential names the AK's whole public area: that of another key, or of other attributes, is
 * another name. */
static void a_credential_for_another_ak_is_refused(void **state)
{
	struct forge_tpm other;
	struct forge_tpm_parts other_parts;
	struct credential c;
	struct err e;

	tpm_forge_init(&other);
	tpm_forge_parts(&other, &other_parts);
	assert_ok(credential_make(ek, tpm_forge_span(&other_parts.ak_public), &c, &e), e);
	assert_ok(credential_answer(&c, c.secret, sizeof(c.secret), &e), e);
	assert_refused(judge(&c, true, true, &e), e, ERR_DENIED, "another AK");
	tpm_forge_parts_done(&other_parts);
	tpm_forge_done(&other);
}

/* { [4] { maker (2.23.133.2.1) "id:00001014", model (2.23.133.2.2) "swtpm" } }, as swtpm_cert has it. */
static const uint8_t swtpm_model[] = "\x30\x2e\xa4\x2c\x30\x2a"
				     "\x31\x16\x30\x14\x06\x05\x67\x81\x05\x02\x01\x0c\x0b"
				     "id:00001014"
				     "\x31\x10\x30\x0e\x06\x05\x67\x81\x05\x02\x02\x0c\x05"
				     "swtpm";
enum { SWTPM_MODEL_LEN = sizeof(swtpm_model) - 1 };

static bool named_so(const struct forge_cert *root, const struct forge_cert *leaf)
{
	uint8_t root_bytes[FORGE_CERT_MAX], leaf_bytes[FORGE_CERT_MAX];
	struct ak_cert_input in = { .is_ek = true };

	if (root)
		in.root = (struct span){ root_bytes, forge_make(root, root_bytes) };
	if (leaf)
		in.cert = (struct span){ leaf_bytes, forge_make(leaf, leaf_bytes) };
	verdict_init(&verdict, VERDICT_SCOPE_FULL);
	ak_cert_names(&in, &verdict);
	return verdict.simulated;
}

static void a_simulators_tpm_is_known_by_its_names(void **state)
{
	static const struct {
		const char *name;
		bool simulated;
	} names[] = {
		{ "swtpm-localca-rootca", true },      { "swtpm-localca", true },
		{ "SIMULATED, made by a test", true }, { "Maker's root", false },
		{ "Maker of no swtpm", false },        { "swtp", false },
	};
	struct forge_cert root = cert_of("", root_key, "critical,CA:TRUE", "critical,keyCertSign");
	struct forge_cert leaf;

	assert_false(named_so(NULL, NULL));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		root.subject = root.issuer = names[i].name;
		assert_int_equal(named_so(&root, NULL), names[i].simulated);
		leaf = ek_want;
		leaf.issuer = names[i].name;
		assert_int_equal(named_so(NULL, &leaf), names[i].simulated);
	}
	leaf = ek_want;
	forge_add(&leaf, SAN_OID, swtpm_model, SWTPM_MODEL_LEN);
	assert_true(named_so(NULL, &leaf));
	forge_find(&leaf, SAN_OID)->bytes[SWTPM_MODEL_LEN - 5] = 'S';
	assert_false(named_so(NULL, &leaf));
	for (size_t len = 0; len < SWTPM_MODEL_LEN; len++) {
		memcpy(forge_find(&leaf, SAN_OID)->bytes, swtpm_model, len);
		forge_find(&leaf, SAN_OID)->len = len;
		assert_false(named_so(NULL, &leaf));
	}
}

static void a_simulators_tpm_is_called_simulated_whatever_the_answer(void **state)
{
	const struct forge_cert good = ek_want;
	struct credential c;
	struct err e;

	assert_ok(credential_make(ek, tpm_forge_span(&parts.ak_public), &c, &e), e);
	assert_ok(credential_answer(&c, c.secret, sizeof(c.secret), &e), e);
	assert_ok(judge(&c, true, true, &e), e);
	assert_string_equal(verdict_word(&verdict), "verified");
	forge_add(&ek_want, SAN_OID, swtpm_model, SWTPM_MODEL_LEN);
	assert_ok(judge(&c, true, true, &e), e);
	assert_string_equal(verdict_word(&verdict), "SIMULATED verified");
	assert_refused(judge(NULL, true, true, &e), e, ERR_DENIED, "ak.activated");
	assert_string_equal(verdict_word(&verdict), "SIMULATED refused");
	ek_want = good;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_an_ek_certificate_is_one),
		cmocka_unit_test(an_ak_s_certificate_is_meant_for_one),
		cmocka_unit_test(an_issuer_has_nothing_that_is_not_judged),
		cmocka_unit_test(one_without_a_purpose_is_of_an_issuer_of_tpms),
		cmocka_unit_test(an_activated_ak_is_bound_and_the_root_is_named),
		cmocka_unit_test(lists_that_are_demanded_are_missed),
		cmocka_unit_test(anything_less_is_refused),
		cmocka_unit_test(a_credential_for_another_ak_is_refused),
		cmocka_unit_test(a_simulators_tpm_is_known_by_its_names),
		cmocka_unit_test(a_simulators_tpm_is_called_simulated_whatever_the_answer),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}
